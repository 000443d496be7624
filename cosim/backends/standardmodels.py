"""Standard types that PyNN lacks, defined once; each backend adds how it realises them.

``docs/model_definition.md`` says what they compute, to the time step. They are reached through a
backend module like PyNN's own: ``sim.IF_curr_exp_dAP``, ``sim.MemristiveSTDP``,
``sim.MemristiveStructuralSTDP``, ``sim.MemristiveSynapse``.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pyNN.errors import InvalidParameterValueError
from pyNN.standardmodels import StandardCellType, StandardSynapseType

from devices import Memristor
from devices.mapping import Mapping as DeviceMapping
from devices.mapping import check_mapping
from devices.noise import Key
from devices.programmed import ProgrammedWeights, program_weights
from devices.write_verify import WriteVerify

# A spike reads a device at one voltage, at which its conductance is given.
_NOT_IN_SPIKES = ("iv_quadratic", "iv_cubic")


# The names are PyNN's style for cell types.
class IF_curr_exp_dAP(StandardCellType):  # noqa: N801
    """Leaky integrate-and-fire neuron with a dendritic action potential.

    Exponential excitatory and inhibitory currents at the soma; dendritic input sums up as
    alpha-shaped currents (a weight is the peak). When the dendritic current exceeds ``theta_dAP``
    it is clamped to ``i_dAP`` for ``tau_dAP``: the neuron is predictive. A somatic spike ends it.

    Source: Bouhadjar et al. 2022, PLoS Comput Biol 18(6): e1010233, whose parameters of the
    excitatory neuron are the defaults.
    """

    default_parameters = {
        "v_rest": 0.0,  # resting potential, mV
        "cm": 0.25,  # capacitance, nF
        "tau_m": 10.0,  # membrane time constant, ms
        "tau_refrac": 10.0,  # refractory period, ms
        "tau_syn_E": 2.0,  # excitatory synaptic time constant, ms
        "tau_syn_I": 1.0,  # inhibitory synaptic time constant, ms
        "tau_syn_D": 5.0,  # dendritic synaptic time constant, ms
        "i_offset": 0.0,  # constant current, nA
        "v_reset": 0.0,  # reset potential, mV
        "v_thresh": 20.0,  # spike threshold, mV
        "i_dAP": 0.2,  # dendritic current during a dendritic action potential, nA
        "theta_dAP": 0.059,  # threshold of the dendritic current, nA
        "tau_dAP": 60.0,  # duration of a dendritic action potential, ms
        "tau_h": 440.0,  # time constant of the dAP trace (homeostasis), ms
    }
    recordable = ["spikes", "v", "isyn_exc", "isyn_inh", "i_dend", "dAP_trace", "dAP"]
    receptor_types = ("excitatory", "inhibitory", "dendritic")
    conductance_based = False
    default_initial_values = {
        "v": 0.0,
        "isyn_exc": 0.0,
        "isyn_inh": 0.0,
        "i_dend": 0.0,
        "dAP_trace": 0.0,
    }
    units = {
        "v": "mV",
        "isyn_exc": "nA",
        "isyn_inh": "nA",
        "i_dend": "nA",
        "dAP_trace": "dimensionless",
        "dAP": "ms",
    }

    @classmethod
    def check_values(cls, population: str, values: Mapping[str, np.ndarray]) -> None:
        """Refuse impossible parameters.

        Parameters
        ----------
        population : str
            Label of the population, for the error.
        values : mapping of str to numpy.ndarray
            All parameters in PyNN units, each of shape (n,).

        Raises
        ------
        pyNN.errors.InvalidParameterValueError
            If a value is out of its range.
        """
        positive = [k for k in values if k.startswith("tau_") and k != "tau_refrac"]
        for name in ("cm", "theta_dAP", *positive):
            cls._check(population, name, values[name], values[name] > 0, "a value > 0")
        refractory = values["tau_refrac"]
        cls._check(population, "tau_refrac", refractory, refractory >= 0, "a value >= 0")
        below = values["v_reset"] < values["v_thresh"]
        cls._check(population, "v_reset", values["v_reset"], below, "a value below v_thresh")

    @classmethod
    def _check(
        cls, population: str, name: str, values: np.ndarray, allowed: np.ndarray, need: str
    ) -> None:
        for cell in np.flatnonzero(~allowed)[:1]:
            raise InvalidParameterValueError(
                f"Population {population!r}: {cls.__name__} {name}={values[cell]:g} of cell "
                f"{cell}, need {need}"
            )


class MemristivePlasticity(StandardSynapseType):
    """Plasticity of a synapse whose weight is the conductance of a memristive device.

    Parameters
    ----------
    device : devices.Memristor, optional
        The device's non-idealities; default: an ideal device.
    pre_trace : bool
        Scale potentiation with the presynaptic trace (2022 rule), or use constant increments.
    permanence : float, numpy.ndarray or pyNN.random.RandomDistribution
        Initial state of each synapse, which is also its floor. Of existing synapses
        ``Projection.set(permanence=...)`` changes the state and
        ``Projection.initialize(permanence=...)`` state and floor.
    delay : float, optional
        Dendritic delay in ms; default: the minimal delay.
    **parameters
        ``w_max`` (nA), ``lambda_plus``, ``lambda_minus``, ``lambda_h``, ``z_target``, ``tau_plus``,
        ``dt_min``, ``dt_max`` (ms): numbers, the same for all synapses of a projection.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    receptor_type: ClassVar[str] = "dendritic"
    # PyNN wants to know which parameter holds the weight.
    weight_variable = "w_max"
    #: Whether the weight switches between two values or follows the state.
    binary: ClassVar[bool]
    #: Parameters that may differ between synapses.
    per_synapse: ClassVar[frozenset[str]] = frozenset({"permanence", "delay"})
    #: What may be set once the synapses exist.
    settable: ClassVar[tuple[str, ...]] = ("permanence", "delay")

    _POSITIVE = ("w_max", "p_max", "tau_plus")
    _NOT_NEGATIVE = ("lambda_plus", "lambda_minus", "lambda_h", "dt_min")

    def __init__(
        self, *, device: Memristor | None = None, pre_trace: bool = True, **parameters: Any
    ) -> None:
        name = type(self).__name__
        if "weight" in parameters:
            raise ValueError(
                f"{name}: weight={parameters['weight']!r} cannot be set, it follows from the "
                "device's state; set w_max and permanence instead"
            )
        if not isinstance(device, Memristor | None):
            raise TypeError(f"{name}: device={device!r}, need a devices.Memristor or None")
        self.device = (device or Memristor()).resolved(but=_NOT_IN_SPIKES)
        self.pre_trace = bool(pre_trace)
        common = {**self.default_parameters, **parameters}
        self._check_common({k: v for k, v in common.items() if k not in self.per_synapse})
        super().__init__(**parameters)

    @property
    def p_max(self) -> float:
        """Upper limit of the state."""
        return (
            float(self.parameter_space["p_max"].base_value)
            if "p_max" in self.default_parameters
            else 1.0
        )

    @property
    def counts_writes(self) -> bool:
        """Whether writes are counted: where they wear the device out or cost energy."""
        device = self.device
        costs = (device.e_set_pj, device.e_reset_pj, device.v_set, device.v_reset)
        return device.endurance != math.inf or any(cost is not None for cost in costs)

    def get_native_names(self, *names: str) -> list[str]:
        """Return the backend's names of variables.

        Raises
        ------
        ValueError
            If writes are asked for that are not counted.
        """
        counts = {"n_set", "n_reset"}.intersection(names)
        if counts and not self.counts_writes:
            raise ValueError(
                f"{type(self).__name__}: {min(counts)} is not counted for this device; give it an "
                "endurance, or what a write costs: e_set_pj and e_reset_pj, or v_set and v_reset"
            )
        return list(super().get_native_names(*names))

    def common_parameters(self) -> dict[str, float]:
        """Return the parameters that all synapses share, in PyNN units."""
        return {
            name: float(value.base_value)
            for name, value in self.parameter_space.items()
            if name not in self.per_synapse
        }

    def _check_common(self, parameters: Mapping[str, Any]) -> None:
        name = type(self).__name__
        for key, value in parameters.items():
            if key not in self.default_parameters:
                continue  # PyNN names unknown parameters itself
            if not isinstance(value, Real) or not math.isfinite(value):
                raise ValueError(
                    f"{name}: {key}={value!r}, need one finite number for the whole projection"
                )
            if key in self._POSITIVE and value <= 0:
                raise ValueError(f"{name}: {key}={value}, need a value > 0")
            if key in self._NOT_NEGATIVE and value < 0:
                raise ValueError(f"{name}: {key}={value}, need a value >= 0")
        if parameters["dt_max"] <= parameters["dt_min"]:
            raise ValueError(
                f"{name}: dt_max={parameters['dt_max']} ms, need more than dt_min="
                f"{parameters['dt_min']} ms, or nothing is ever potentiated"
            )


class MemristiveSTDP(MemristivePlasticity):
    """Analog switching: the weight follows the state between the bounds of the device.

    The state (``permanence``) runs from 0 (``w_max / on_off_ratio``) to 1 (``w_max``); the rule is
    that of `MemristiveStructuralSTDP`, and its step sizes are relative to this range.
    """

    binary = False
    default_parameters = {
        "permanence": 0.0,  # initial conductance and floor, 0 .. 1 of the range
        "delay": None,  # ms
        "w_max": 0.01298,  # weight at the largest conductance, nA
        "lambda_plus": 0.02,  # potentiation per pairing
        "lambda_minus": 0.003,  # depression per presynaptic spike
        "lambda_h": 0.014,  # homeostasis per pairing
        "z_target": 1.0,  # target of the dAP trace
        "tau_plus": 20.0,  # time constant of the presynaptic trace, ms
        "dt_min": 4.0,  # potentiation window, both ends excluded, ms
        "dt_max": 50.0,
    }


class MemristiveStructuralSTDP(MemristivePlasticity):
    """Binary switching: a hidden permanence decides between two conductances.

    The weight is ``w_max`` where the permanence exceeds ``theta_p`` and ``w_max / on_off_ratio``
    elsewhere. With an ideal device and ``pre_trace=True`` this is the structural plasticity of
    Bouhadjar et al. 2022, whose parameters for sequence set I are the defaults.
    """

    binary = True
    default_parameters = {
        "permanence": 0.0,  # initial permanence and floor, 0 .. p_max
        "delay": None,  # ms
        "w_max": 0.01298,  # weight of a mature synapse, nA
        "theta_p": 10.0,  # permanence above which a synapse is mature
        "p_max": 20.0,  # largest permanence
        "lambda_plus": 0.08,  # potentiation per pairing, times the presynaptic trace
        "lambda_minus": 0.0015,  # depression per presynaptic spike
        "lambda_h": 0.014,  # homeostasis per pairing
        "z_target": 1.0,  # target of the dAP trace
        "tau_plus": 20.0,  # time constant of the presynaptic trace, ms
        "dt_min": 4.0,  # potentiation window, both ends excluded, ms
        "dt_max": 80.0,
    }


class MemristiveSynapse(StandardSynapseType):
    """A programmed weight: made of memristive devices, with their errors, and not plastic.

    Weights are programmed when the projection is made; ``docs/model_definition.md`` says how. What
    is left to the run is read noise and drift.

    Parameters
    ----------
    device : devices.Memristor, optional
        The device's non-idealities; default: an ideal device.
    mapping : {"single", "differential", "two_sided", "offset"}
        How devices make up a weight.
    w_max : float, optional
        Largest magnitude of a weight, that of a device at its highest conductance, in the unit of
        the weights; default: the largest given.
    verify : devices.WriteVerify, optional
        Program by write-and-verify; default: by one event per device.
    weight, delay : float, numpy.ndarray or pyNN.random.RandomDistribution
        The weights wanted, nA or µS, and the delays, ms.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of another type or out of its range.
    """

    #: What may be set once the synapses exist.
    settable: ClassVar[tuple[str, ...]] = ("delay",)
    # Weights of both signs may be in one projection; what cells cannot have, is found when they
    # are programmed.
    parameter_checks: ClassVar[dict[str, Any]] = {}

    default_parameters = {
        "weight": 0.0,  # wanted, nA or µS
        "delay": None,  # ms
    }

    def __init__(
        self,
        *,
        device: Memristor | None = None,
        mapping: DeviceMapping = "single",
        w_max: float | None = None,
        verify: WriteVerify | None = None,
        **parameters: Any,
    ) -> None:
        name = type(self).__name__
        for argument, value, kind in (
            ("device", device, Memristor),
            ("verify", verify, WriteVerify),
        ):
            if not isinstance(value, kind | None):
                raise TypeError(
                    f"{name}: {argument}={value!r}, need a devices.{kind.__name__} or None"
                )
        check_mapping(name, mapping)
        if w_max is not None and not (isinstance(w_max, Real) and 0 < w_max < math.inf):
            raise ValueError(f"{name}: w_max={w_max!r}, need a finite number > 0, or None")
        self.device = (device or Memristor()).resolved(but=[*_NOT_IN_SPIKES, "endurance"])
        self.mapping, self.w_max, self.verify = mapping, w_max, verify
        super().__init__(**parameters)

    @property
    def changes(self) -> bool:
        """Whether a weight changes once it is programmed: by drift or from read to read."""
        device = self.device
        return any(
            (device.drift_nu, device.sigma_drift_nu, device.sigma_read, device.sigma_flicker)
        )

    def program(self, weights: npt.ArrayLike, key: Key) -> ProgrammedWeights:
        """Program the weights of a projection; see `devices.programmed.program_weights`."""
        return program_weights(
            weights, self.device, key, w_max=self.w_max, mapping=self.mapping, verify=self.verify
        )
