"""Settings of a chip: the values of its analog parameter storage and of its switches."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.storage import read_json, write_json

FORMAT = "cosim.brainscales2.settings"
VERSION = 1

Biases = Literal["raw", "calibrated"]


class Parameter(NamedTuple):
    """Range and default of a parameter of every circuit."""

    maximum: int
    default: int = 0


_CAPMEM = Parameter(limits.CAPMEM_MAX)
_SWITCH = Parameter(1)


def _synaptic_input(name: str) -> dict[str, Parameter]:
    return {
        f"{name}_enable": _SWITCH,
        f"{name}_enable_coba_mode": _SWITCH,
        f"{name}_enable_high_resistance": _SWITCH,
        f"{name}_enable_small_capacitance": Parameter(1, default=1),
        f"{name}_i_bias_coba": _CAPMEM,
        f"{name}_i_bias_gm": _CAPMEM,
        f"{name}_i_bias_tau": _CAPMEM,
        f"{name}_i_shift_reference": _CAPMEM,
        f"{name}_v_rev_coba": _CAPMEM,
    }


def _conductance(name: str, potential: str) -> dict[str, Parameter]:
    return {
        f"{name}_{potential}": _CAPMEM,
        f"{name}_i_bias": _CAPMEM,
        f"{name}_enable_degeneration": _SWITCH,
        f"{name}_enable_division": _SWITCH,
        f"{name}_enable_multiplication": _SWITCH,
    }


#: Parameters of a circuit's analog part, named as those of `HXNeuron`; switches are 0 or 1,
#: ``constant_current_type`` is 0 for a source and 1 for a sink.
PARAMETERS: dict[str, Parameter] = {
    "adaptation_enable": _SWITCH,
    "adaptation_enable_pulse": _SWITCH,
    "adaptation_i_bias_a": _CAPMEM,
    "adaptation_i_bias_b": _CAPMEM,
    "adaptation_i_bias_tau": _CAPMEM,
    "adaptation_invert_a": _SWITCH,
    "adaptation_invert_b": _SWITCH,
    "adaptation_v_leak": _CAPMEM,
    "adaptation_v_ref": _CAPMEM,
    "constant_current_enable": _SWITCH,
    "constant_current_i_offset": _CAPMEM,
    "constant_current_type": _SWITCH,
    **_synaptic_input("excitatory_input"),
    **_synaptic_input("inhibitory_input"),
    "exponential_enable": _SWITCH,
    "exponential_i_bias": _CAPMEM,
    "exponential_v_exp": _CAPMEM,
    **_conductance("leak", "v_leak"),
    "membrane_capacitance_capacitance": Parameter(limits.CAPACITANCE_MAX),
    "multicompartment_enable_conductance": _SWITCH,
    "multicompartment_enable_conductance_division": _SWITCH,
    "multicompartment_enable_conductance_multiplication": _SWITCH,
    "multicompartment_i_bias_nmda": _CAPMEM,
    "refractory_period_enable_pause": _SWITCH,
    "refractory_period_input_clock": _SWITCH,
    "refractory_period_refractory_time": Parameter(limits.REFRACTORY_TIME_MAX),
    "refractory_period_reset_holdoff": Parameter(
        limits.RESET_HOLDOFF_MAX, default=limits.RESET_HOLDOFF_MAX
    ),
    **_conductance("reset", "v_reset"),
    "threshold_enable": _SWITCH,
    "threshold_v_threshold": _CAPMEM,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Settings:
    """Settings of all circuits of a chip; ``settings[name]`` reads one parameter.

    Parameters
    ----------
    parameters : mapping, optional
        Name from `PARAMETERS` -> integer, or one integer per circuit. What is left out has the
        default of `HXNeuron`.
    synapse_dac_bias : int or array_like of int, optional
        Bias of the synapses' current in each quadrant, in 0 ... 1022.
    clock_scale_fast, clock_scale_slow : int, optional
        Scales of the two refractory clocks.
    biases : {"raw", "calibrated"}, optional
        Bias cells that a quadrant's circuits share and no parameter reaches, such as
        ``neuron_i_bias_spike_comparator`` and ``neuron_v_bias_casc_n``: as on a chip that was
        only initialised (500 and 340, pynn-brainscales) or as set by the calibration (200 and
        250, calix). They shift the circuits' potentials.
    success : array_like of bool, optional
        Whether each circuit met the targets of the calibration these settings come from.

    Raises
    ------
    ValueError
        If a parameter is unknown, or a value no integer or out of range.
    """

    parameters: Mapping[str, npt.ArrayLike] = field(default_factory=dict)
    synapse_dac_bias: npt.ArrayLike = limits.CAPMEM_MAX
    clock_scale_fast: int = 0
    clock_scale_slow: int = 0
    biases: Biases = "raw"
    success: npt.ArrayLike = True

    def __post_init__(self) -> None:
        for name in self.parameters:
            if name not in PARAMETERS:
                raise ValueError(f"Settings: unknown parameter {name!r}; known: {[*PARAMETERS]}")
        if self.biases not in get_args(Biases):
            raise ValueError(f"Settings: biases={self.biases!r}, need one of {get_args(Biases)}")
        full = {
            name: _integers(
                name,
                self.parameters.get(name, parameter.default),
                parameter.maximum,
                limits.N_CIRCUITS,
            )
            for name, parameter in PARAMETERS.items()
        }
        stored: dict[str, Any] = {
            "parameters": MappingProxyType(full),
            "synapse_dac_bias": _integers(
                "synapse_dac_bias", self.synapse_dac_bias, limits.CAPMEM_MAX, limits.N_QUADRANTS
            ),
            "success": _read_only(
                np.broadcast_to(np.asarray(self.success, dtype=bool), limits.N_CIRCUITS)
            ),
        }
        for name in ("clock_scale_fast", "clock_scale_slow"):
            stored[name] = int(_integers(name, getattr(self, name), limits.CLOCK_SCALE_MAX, 1)[0])
        for name, value in stored.items():
            object.__setattr__(self, name, value)

    def __getitem__(self, name: str) -> npt.NDArray[np.int64]:
        """Values of one parameter, shape (512,)."""
        return cast(npt.NDArray[np.int64], self.parameters[name])

    def changed(self, circuits: Any = slice(None), **values: npt.ArrayLike) -> Self:
        """Copy with some parameters changed.

        Parameters
        ----------
        circuits : index, optional
            Circuits to change, all if left out: whatever indexes an array of 512.
        **values : int or array_like of int
            Parameter name -> its values there.

        Returns
        -------
        Settings

        Raises
        ------
        ValueError
            As the class.
        """
        parameters: dict[str, npt.ArrayLike] = dict(self.parameters)
        for name, value in values.items():
            if name not in PARAMETERS:
                raise ValueError(f"Settings: unknown parameter {name!r}; known: {[*PARAMETERS]}")
            copy = self[name].copy()
            size = copy[circuits].size
            copy[circuits] = _integers(name, value, PARAMETERS[name].maximum, size)
            parameters[name] = copy
        return replace(self, parameters=parameters)

    def save(self, path: str | Path) -> None:
        """Write the settings to a JSON file.

        Parameters
        ----------
        path : str or Path
            File to write.
        """
        document = {
            "format": FORMAT,
            "version": VERSION,
            "biases": self.biases,
            "clock_scale_fast": self.clock_scale_fast,
            "clock_scale_slow": self.clock_scale_slow,
            "synapse_dac_bias": np.asarray(self.synapse_dac_bias).tolist(),
            "success": np.asarray(self.success).tolist(),
            "parameters": {name: self[name].tolist() for name in PARAMETERS},
        }
        write_json(path, document)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read settings written by `save`.

        Parameters
        ----------
        path : str or Path
            File to read.

        Returns
        -------
        Settings

        Raises
        ------
        ValueError
            If the file holds no settings of this version, or they are out of range.
        """
        return cls(**read_json(path, FORMAT, VERSION, {f.name for f in fields(cls)}))


def _integers(name: str, value: npt.ArrayLike, maximum: int, size: int) -> npt.NDArray[np.int64]:
    given = np.asarray(value)
    if given.dtype.kind not in "iub" or given.ndim > 1 or given.size not in (1, size):
        raise ValueError(
            f"Settings: {name} of type {given.dtype} and shape {given.shape}, "
            f"need one integer or {size} of them"
        )
    outside = (given < 0) | (given > maximum)
    if outside.any():
        raise ValueError(
            f"Settings: {name}={given[outside].flat[0]}, need an integer in 0 ... {maximum}"
        )
    return _read_only(np.broadcast_to(given.astype(np.int64), size))


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    copy = array.copy()
    copy.flags.writeable = False
    return copy
