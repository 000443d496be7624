"""Cell types: neuron circuits with raw parameters and calibrated ones, and sources of spikes."""

import copy
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import StandardCellType, build_translations

from hw_targets.brainscales2.calibration import Target
from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.placement import Offsets
from hw_targets.brainscales2.pynn.parameters import (
    DEFAULTS,
    AtomicNeuron,
    ReadoutSource,
    evaluate,
)
from hw_targets.brainscales2.pynn.plasticity_handle import PlasticityRuleHandle
from hw_targets.brainscales2.pynn.sources import (
    ExternalNeuron,
    OffChipSource,
    SpikeIOCell,
    SpikeSourceArray,
    SpikeSourcePoisson,
    SpikeSourcePoissonOnChip,
)

__all__ = [
    "CalibHXNeuronCoba", "CalibHXNeuronCuba", "CalibratedCellType", "ExternalNeuron", "HXNeuron",
    "NeuronCellType", "OffChipSource", "SpikeIOCell", "SpikeSourceArray", "SpikeSourcePoisson",
    "SpikeSourcePoissonOnChip",
]  # fmt: skip

ANALOG_VARIABLES = ("v", "exc_synin", "inh_synin", "adaptation")

#: What a plasticity rule sees of a neuron.
_READOUT = {"plasticity_rule_readout_source": 0.0, "plasticity_rule_enable_readout_source": False}


class CircuitTarget(NamedTuple):
    """A target of the calibration, the user's parameter that sets it, and values of circuits.

    Values are those of all circuits of a population, neuron by neuron; nan where the parameter
    doesn't set the target.
    """

    target: str
    parameter: str
    values: npt.NDArray[np.float64]


class NeuronCellType(StandardCellType, PlasticityRuleHandle):
    """Base of cell types that neuron circuits realise.

    Parameters
    ----------
    plasticity_rule : PlasticityRule, optional
        Rule that changes the neurons during a run.
    **parameters
        Parameters, one value for all neurons or one for each.
    """

    recordable = ["spikes", *ANALOG_VARIABLES]
    receptor_types = ("excitatory", "inhibitory")
    conductance_based = False
    #: What ``plasticity_rule_readout_source`` can be.
    ReadoutSource = ReadoutSource
    units = {name: "dimensionless" for name in ("spikes", *ANALOG_VARIABLES)}
    circuit_offsets: ClassVar[Offsets] = ((0, 0),)
    #: Circuits of each compartment, by their place in `circuit_offsets`.
    compartment_members: ClassVar[tuple[tuple[int, ...], ...]] = ((0,),)

    def __init__(self, plasticity_rule: Any = None, **parameters: Any) -> None:
        self.plasticity_rule = plasticity_rule
        super().__init__(**{n: value for n, value in parameters.items() if value is not None})

    def can_record(self, variable: str, location: Any = None) -> bool:
        """Tell whether a variable can be recorded."""
        return variable in self.recordable

    def receptor_kind(self, receptor: str, compartment: int) -> str:
        """Tell whether a receptor of a compartment is ``excitatory`` or ``inhibitory``."""
        return receptor

    def neurons(self) -> list[AtomicNeuron]:
        """Return the settings of all circuits, neuron by neuron."""
        raise NotImplementedError

    def links(self, rates: npt.NDArray[np.float64]) -> list[list[Link]]:
        """Return the conductances between the compartments of each neuron.

        Parameters
        ----------
        rates : ndarray, shape (n_neurons, n_circuits)
            Conductances of the circuits over a capacitance of 1, in 1/us.
        """
        return [[] for _ in rates]


class HXNeuron(NeuronCellType):
    """A neuron circuit with raw settings: the 70 parameters of `lola.AtomicNeuron`.

    Parameters are integers of the analog storage, 0 ... 1022, or switches; by default a circuit is
    silent. With ``setup(initial_config=...)`` those not given are taken from there.

    Switches ``multicompartment_connect_...`` connect membranes of neurons next to each other, each
    of which keeps its own synapses, threshold and readout.
    """

    # Numbers as floats, which take whole numbers, too.
    default_parameters: ClassVar[dict[str, float]] = {
        **{name: v if isinstance(v, bool) else float(v) for name, v in DEFAULTS.items()},
        **_READOUT,
    }
    units = {**dict.fromkeys(default_parameters, "dimensionless"), **NeuronCellType.units}
    translations = build_translations(*((name, name) for name in default_parameters))

    def __init__(self, plasticity_rule: Any = None, **parameters: Any) -> None:
        super().__init__(plasticity_rule, **parameters)
        self._given = parameters

    def apply_config(self, neurons: list[AtomicNeuron]) -> None:
        """Take settings for all parameters that the user hasn't given."""
        values = [neuron.values() for neuron in neurons]
        found = {
            name: np.array([v[name] for v in values], dtype=type(self.default_parameters[name]))
            for name in DEFAULTS
        }
        given = ParameterSpace(
            {**found, **self._given}, self.get_schema(), (len(neurons),), type(self)
        )
        self.parameter_space._parameters.update(evaluate(given))

    def neurons(self) -> list[AtomicNeuron]:
        """Return the settings of each neuron's circuit."""
        columns = [np.asarray(self.parameter_space[name]).tolist() for name in DEFAULTS]
        return [
            AtomicNeuron(dict(zip(DEFAULTS, row, strict=True)))
            for row in zip(*columns, strict=True)
        ]

    @staticmethod
    def create_hw_entity(parameters: dict[str, Any]) -> AtomicNeuron:
        """Make a circuit's settings of a neuron's parameters."""
        return AtomicNeuron({n: value for n, value in parameters.items() if n in DEFAULTS})


class CalibratedCellType(NeuronCellType):
    """Base of cell types whose circuits are calibrated to what their parameters say.

    Parameters
    ----------
    plasticity_rule : PlasticityRule, optional
        Rule that changes the neurons during a run.
    **parameters
        Parameters, one value for all neurons or one for each.
    """

    def __init__(self, plasticity_rule: Any = None, **parameters: Any) -> None:
        super().__init__(plasticity_rule, **parameters)
        self._target: ParameterSpace | None = None
        self._actual: list[AtomicNeuron] = []

    def circuit_targets(self) -> list[CircuitTarget]:
        """Return the targets of all circuits, neuron by neuron."""
        raise NotImplementedError

    def set_calibrated(self, neurons: list[AtomicNeuron]) -> None:
        """Note the result of a calibration to the present parameters."""
        self._target = copy.deepcopy(self.parameter_space)
        self._actual = neurons

    def is_calibrated(self) -> bool:
        """Tell whether the parameters are those of the last calibration."""
        return self._target is not None and all(
            np.array_equal(self._target[name], self.parameter_space[name])
            for name in self.default_parameters
            if name not in _READOUT
        )

    def neurons(self) -> list[AtomicNeuron]:  # noqa: D102
        return self._actual


class CalibHXNeuronCuba(CalibratedCellType):
    """A calibrated neuron with current-based synapses.

    Parameters
    ----------
    plasticity_rule : PlasticityRule, optional
        Rule that changes the neurons during a run.
    v_rest, v_reset, v_thresh : float, optional
        Potentials in LSB of the CADC: 50-160, 50-160 and 50-220.
    tau_m : float, optional
        Membrane time constant in us, 0.5-60.
    tau_syn_E, tau_syn_I : float, optional
        Synaptic time constants in us, 0.3-30.
    cm : int, optional
        Membrane capacitance, 0-63; 63 is 2.2 pF.
    tau_refrac : float, optional
        Refractory time in us, 0.04-32.
    i_synin_gm_E, i_synin_gm_I : int, optional
        Strengths of the synaptic inputs, 30-800; the same for all neurons of the chip.
    synapse_dac_bias : int, optional
        Bias of the synapses' current, 30-1022; the same for all neurons of the chip.
    """

    default_parameters = {
        "v_rest": 80.0,
        "v_reset": 70.0,
        "v_thresh": 125.0,
        "tau_m": 10.0,
        "tau_syn_E": 10.0,
        "tau_syn_I": 10.0,
        "cm": 63.0,
        "tau_refrac": 2.0,
        "i_synin_gm_E": 500.0,
        "i_synin_gm_I": 500.0,
        "synapse_dac_bias": 600.0,
        **_READOUT,
    }
    units = {
        **dict.fromkeys(default_parameters, "dimensionless"),
        **dict.fromkeys(("tau_m", "tau_syn_E", "tau_syn_I", "tau_refrac"), "us"),
        **NeuronCellType.units,
    }
    translations = build_translations(*((name, name) for name in default_parameters))
    #: Parameter -> target of the calibration.
    targets: ClassVar[dict[str, str]] = {
        "v_rest": "leak",
        "v_reset": "reset",
        "v_thresh": "threshold",
        "tau_m": "tau_mem",
        "tau_syn_E": "tau_syn_exc",
        "tau_syn_I": "tau_syn_inh",
        "cm": "membrane_capacitance",
        "tau_refrac": "refractory_time",
        "i_synin_gm_E": "i_synin_gm_exc",
        "i_synin_gm_I": "i_synin_gm_inh",
    }

    def __init__(self, plasticity_rule: Any = None, **parameters: Any) -> None:
        super().__init__(plasticity_rule, **parameters)
        self._calibrated: list[AtomicNeuron] = []

    def circuit_targets(self) -> list[CircuitTarget]:  # noqa: D102
        pairs = (*self.targets.items(), ("synapse_dac_bias", "synapse_dac_bias"))
        return [
            CircuitTarget(target, name, np.asarray(self.parameter_space[name], dtype=float))
            for name, target in pairs
        ]

    def set_calibrated(self, neurons: list[AtomicNeuron]) -> None:  # noqa: D102
        super().set_calibrated(copy.deepcopy(neurons))
        self._calibrated = neurons

    def is_as_calibrated(self) -> np.ndarray:
        """Tell of each neuron whether its settings are those that the calibration found."""
        pairs = zip(self._actual, self._calibrated, strict=True)
        return np.array([actual == found for actual, found in pairs])

    @property
    def actual_hwparams(self) -> tuple[AtomicNeuron, ...]:
        """Settings of each neuron that are used; they can be changed."""
        self._check_available("actual_hwparams")
        return tuple(self._actual)

    @property
    def calib_hwparams(self) -> list[AtomicNeuron]:
        """Settings of each neuron that the last calibration found."""
        self._check_available("calib_hwparams")
        return self._calibrated

    @property
    def calib_target(self) -> ParameterSpace:
        """Parameters that the last calibration aimed at."""
        self._check_available("calib_target")
        return self._target

    def _check_available(self, name: str) -> None:
        if self._target is None:
            raise AttributeError(
                f"{name} only available after pynn.run() call. You can also use "
                "pynn.run(None, pynn.RunCommand.PREPARE)."
            )


class CalibHXNeuronCoba(CalibHXNeuronCuba):
    """A calibrated neuron with conductance-based synapses.

    Parameters
    ----------
    e_rev_E, e_rev_I : float, optional
        Reversal potentials in LSB, 25-355.
    **parameters
        Those of `CalibHXNeuronCuba`.
    """

    conductance_based = True
    default_parameters = {
        **CalibHXNeuronCuba.default_parameters,
        "v_rest": 110.0,
        "v_reset": 100.0,
        "v_thresh": 160.0,
        "e_rev_E": 300.0,
        "e_rev_I": 30.0,
        "i_synin_gm_E": 180.0,
        "i_synin_gm_I": 250.0,
        "synapse_dac_bias": 400.0,
    }
    units = {**CalibHXNeuronCuba.units, "e_rev_E": "dimensionless", "e_rev_I": "dimensionless"}
    translations = build_translations(*((name, name) for name in default_parameters))
    targets = {
        **CalibHXNeuronCuba.targets,
        "e_rev_E": "e_coba_reversal_exc",
        "e_rev_I": "e_coba_reversal_inh",
    }


#: Targets that the calibration takes as integers.
INTEGER_TARGETS = {
    name for name in Target.__dataclass_fields__ if name.startswith("i_synin_gm")
} | {"membrane_capacitance"}
