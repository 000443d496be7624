"""From a network of populations and projections to circuits, settings and synapses."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.calibration import Target, ideal_circuits
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.pynn.calibrating import (
    Calibration,
    calibrate_populations,
    neurons_of,
)
from hw_targets.brainscales2.pynn.cells import (
    CalibHXNeuronCuba,
    CalibratedCellType,
    NeuronCellType,
    SpikeIOCell,
    SpikeSourcePoissonOnChip,
)
from hw_targets.brainscales2.pynn.configuration import Configuration
from hw_targets.brainscales2.pynn.connecting import Connected, connect
from hw_targets.brainscales2.pynn.membranes import Membranes, find_membranes
from hw_targets.brainscales2.pynn.parameters import AtomicNeuron
from hw_targets.brainscales2.pynn.recording_config import RecordingSite
from hw_targets.brainscales2.settings import PARAMETERS, Settings

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.simulator import State

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: A circuit that spikes at each event and does nothing else: an event moves the potential far
#: above the threshold within a cycle, after which nothing of it is left.
_BYPASS: dict[str, Any] = {
    "leak_potential": 0.0, "leak_rate": 10.0, "leak_saturation": np.inf, "current": 0.0,
    "threshold": 1.0, "can_spike": True, "reset_potential": 0.0, "reset_rate": np.inf,
    "refractory_time": 0.0, "holdoff_time": 0.0, "syn_rate_exc": 1e4, "syn_rate_inh": 1e4,
    "saturation_exc": np.inf, "saturation_inh": np.inf, "coba_exc": False, "coba_inh": False,
    "adaptation_a": 0.0, "adaptation_b": 0.0, "adaptation_rate": 0.0, "exp_slope": 0.0,
    "threshold_noise": 0.0, "membrane_noise": 0.0,
}  # fmt: skip
_BYPASS_GAIN = 1e5


@dataclass(frozen=True, eq=False)
class Mapping(Membranes, Connected):
    """A network on the chip.

    Besides the fields of `Membranes` and `Connected` it has

    Parameters
    ----------
    inputs : dict of int to int
        Cell that is no neuron -> index as an external source of the engine.
    settings : Settings
        Settings of the chip.
    targets : list of (ndarray of int64, Target)
        Positions in `members` of neurons with calibrated settings, and what they aim at.
    bypass_exc, bypass_inh : ndarray of bool, shape (n,)
        Whether compartments forward events of each input.
    """

    inputs: dict[int, int]
    settings: Settings
    targets: list[tuple[IntArray, Target]]
    bypass_exc: BoolArray
    bypass_inh: BoolArray

    @property
    def circuits(self) -> IntArray:
        """First circuit of each compartment."""
        return np.array([circuits[0] for circuits in self.members], dtype=np.int64)

    def recorded_circuit(self, site: RecordingSite) -> int:
        """Return the circuit that is recorded of a neuron's compartment: its own first."""
        return int(self.own[site.cell_id][site.comp_id][0])

    def spiking(self, cell: int) -> int:
        """Return the first compartment whose spikes a neuron sends.

        Of a silent neuron it is the number of compartments, which none has.
        """
        return len(self.members) if cell in self.silent else self.index[cell]

    def physics(self, configuration: Configuration, trial: int) -> Circuits:
        """Return what the compartments do in a run.

        Parameters
        ----------
        configuration : Configuration
            Chip and fidelity.
        trial : int
            Number of the run.

        Returns
        -------
        Circuits
        """
        physics = self._unmerged(configuration, trial)
        if len(physics) > len(self.members):
            ends = np.cumsum([circuits.size for circuits in self.members])
            physics = physics.merged(
                [range(end - c.size, end) for c, end in zip(self.members, ends, strict=True)]
            )
        changed = {name: np.array(getattr(physics, name)) for name in Circuits.__dataclass_fields__}
        if not configuration.noise:
            changed["threshold_noise"][:] = 0.0
            changed["membrane_noise"][:] = 0.0
        if configuration.is_ideal:
            for positions, target in self.targets:
                exact = ideal_circuits(target)[self.circuits[positions]]
                for name, values in changed.items():
                    values[positions] = getattr(exact, name)
        bypass = self.bypass_exc | self.bypass_inh
        for name, value in _BYPASS.items():
            changed[name][bypass] = value
        changed["gain_exc"][bypass] = _BYPASS_GAIN * self.bypass_exc[bypass]
        # Inhibition is subtracted.
        changed["gain_inh"][bypass] = -_BYPASS_GAIN * self.bypass_inh[bypass]
        return replace(physics, **changed)

    def strengths(self, configuration: Configuration, trial: int) -> FloatArray:
        """Return by how much synapses are stronger than their weight and compartment make them.

        Parameters
        ----------
        configuration : Configuration
            Chip and fidelity.
        trial : int
            Number of the run.

        Returns
        -------
        ndarray, shape (n_synapses,)
            1 but for those with an `entrance`.
        """
        result = np.ones(len(self.synapses))
        bypass = (self.bypass_exc | self.bypass_inh)[self.synapses.target]
        chosen = np.flatnonzero((self.entrance >= 0) & ~bypass)
        if not chosen.size:
            return result
        parts = self._unmerged(configuration, trial)
        place = np.full(limits.N_CIRCUITS, -1, dtype=np.int64)
        place[np.concatenate(self.members)] = np.arange(len(parts))
        for name, inhibitory in (("gain_exc", False), ("gain_inh", True)):
            of_circuit = parts.capacitance * getattr(parts, name)
            # As merging has it.
            of_compartment = np.array([of_circuit[place[m]].mean() for m in self.members])
            here = chosen[self.synapses.inhibitory[chosen] == inhibitory]
            total = of_compartment[self.synapses.target[here]]
            own = of_circuit[place[self.entrance[here]]]
            result[here] = np.divide(own, total, out=np.zeros(here.size), where=total != 0.0)
        return result

    def _unmerged(self, configuration: Configuration, trial: int) -> Circuits:
        return configuration.chip.circuits(
            self.settings, np.concatenate(self.members), trial if configuration.noise else None
        )


def map_network(state: "State") -> Mapping:
    """Place, calibrate and route a network.

    Parameters
    ----------
    state : State
        State with populations and projections; new populations are placed.

    Returns
    -------
    Mapping

    Raises
    ------
    PlacementError, UnsuccessfulRouting
        If the chip is too small.
    OverflowError, TypeError, ValueError, AttributeError
        If a parameter is out of range or differs where it must not.
    RuntimeError
        If the MADC can't record what it shall.
    NotImplementedError
        If the network needs devices outside.
    """
    neurons = [p for p in state.populations if isinstance(p.celltype, NeuronCellType)]
    sources = [p for p in state.populations if not isinstance(p.celltype, NeuronCellType)]
    _place(state, neurons, sources)
    where = [_circuits(state, population) for population in neurons]
    calibrations = _calibrate(state, neurons, where)
    _check_madc(state)
    settings, bypass_exc, bypass_inh = _settings(state, neurons, where)
    membranes = find_membranes(state, neurons, settings)
    cells = [int(cell) for population in sources for cell in population.all_cells]
    inputs = {cell: k for k, cell in enumerate(cells)}
    circuits = np.array([several[0] for several in membranes.members], dtype=np.int64)
    return Mapping(
        **vars(membranes),
        **vars(connect(state, membranes, inputs)),
        inputs=inputs,
        settings=settings,
        targets=_targets(neurons, calibrations, membranes.index),
        bypass_exc=bypass_exc[circuits],
        bypass_inh=bypass_inh[circuits],
    )


def place_and_configure(state: "State", population: Any) -> None:
    """Place a population of neurons before the first run and take the initial configuration.

    Parameters
    ----------
    state : State
        State that the population belongs to.
    population : Population
        Population of raw neurons.

    Raises
    ------
    PlacementError
        If there is no room.
    """
    _place(state, [population], [])
    _configure(state, population, _circuits(state, population))


def configure_unplaced(state: "State", population: Any) -> bool:
    """Take the initial configuration if it is the same wherever neurons are placed.

    Parameters
    ----------
    state : State
        State that the population belongs to.
    population : Population
        Population of raw neurons.

    Returns
    -------
    bool
        Whether it is.
    """
    initial = state.initial_config or Settings()
    parameters = (np.asarray(values) for values in initial.parameters.values())
    if any((values != values[0]).any() for values in parameters):
        return False
    n_circuits = len(population.all_cells) * len(population.celltype.circuit_offsets)
    _configure(state, population, np.zeros(n_circuits, dtype=np.int64))
    return True


def _place(state: "State", neurons: list[Any], sources: list[Any]) -> None:
    for population in neurons:
        if not state.neuron_placement.is_placed(population.all_cells[0]):
            offsets = population.celltype.circuit_offsets
            state.neuron_placement.register(population.all_cells, offsets)
    for population in sources:
        if isinstance(population.celltype, SpikeIOCell):
            raise NotImplementedError(
                f"Population {population.label!r}: {type(population.celltype).__name__} needs a "
                "device outside, which is not emulated; use SpikeSourceArray"
            )
        placement = state.background_spike_source_placement
        if isinstance(population.celltype, SpikeSourcePoissonOnChip) and not placement.is_placed(
            population.all_cells[0]
        ):
            placement.register(population.all_cells)


def _circuits(state: "State", population: Any) -> IntArray:
    """All circuits of a population, neuron by neuron."""
    placement = state.neuron_placement
    of_cells = [placement.circuits_of(cell) for cell in population.all_cells]
    return np.array(of_cells, dtype=np.int64).ravel()


def _calibrate(
    state: "State", neurons: list[Any], where: list[IntArray]
) -> dict[bool, Calibration]:
    """Calibrate, or take the initial configuration, where neither was done."""
    for population, circuits in zip(neurons, where, strict=True):
        if hasattr(population.celltype, "apply_config") and not population.configured:
            _configure(state, population, circuits)
    chosen = [k for k, p in enumerate(neurons) if isinstance(p.celltype, CalibratedCellType)]
    populations = [neurons[k] for k in chosen]
    if not all(population.celltype.is_calibrated() for population in populations):
        state.calibrations = calibrate_populations(
            state.configuration.chip,
            populations,
            [where[k] for k in chosen],
            state.calibration_target.neuron_target,
            whole_lsb=not state.configuration.is_ideal,
        )
    return state.calibrations


def _configure(state: "State", population: Any, circuits: IntArray) -> None:
    if state.initial_config is not None:
        population.celltype.apply_config(neurons_of(state.initial_config, circuits))
    population.configured = True


def _targets(
    neurons: list[Any], calibrations: dict[bool, Calibration], index: dict[int, int]
) -> list[tuple[IntArray, Target]]:
    targets = []
    for population in neurons:
        celltype = population.celltype
        if isinstance(celltype, CalibHXNeuronCuba):
            positions = np.array([index[int(c)] for c in population.all_cells], dtype=np.int64)
            target = calibrations[bool(celltype.conductance_based)].target
            targets.append((positions[celltype.is_as_calibrated()], target))
    return targets


def _check_madc(state: "State") -> None:
    cells = {int(cell): p for p in state.populations for cell in p.all_cells}
    circuits = [
        state.neuron_placement.circuits_of(site.cell_id)[
            cells[site.cell_id].celltype.compartment_members[site.comp_id][0]
        ]
        for site in state.recording.madc
    ]
    if len(circuits) == 2 and circuits[0] % 2 == circuits[1] % 2:
        raise RuntimeError(
            f"The MADC can't record circuits {circuits[0]} and {circuits[1]} at once: it has one "
            "channel for circuits of even and one for those of odd number. Record other neurons, "
            "or place them elsewhere with setup's neuronPermutation"
        )


def _settings(
    state: "State", neurons: list[Any], where: list[IntArray]
) -> tuple[Settings, BoolArray, BoolArray]:
    """Collect the settings of the chip, and the circuits that forward events of each input."""
    base = state.initial_config or Settings()
    parameters = {name: base[name].copy() for name in PARAMETERS}
    bypass_exc = np.zeros(base["leak_v_leak"].size, dtype=bool)
    bypass_inh = bypass_exc.copy()
    for population, circuits in zip(neurons, where, strict=True):
        for circuit, neuron in zip(circuits, population.celltype.neurons(), strict=True):
            values = _checked_values(population, neuron)
            for name in PARAMETERS:
                parameters[name][circuit] = values[name]
            bypass_exc[circuit] = values["event_routing_enable_bypass_excitatory"]
            bypass_inh[circuit] = values["event_routing_enable_bypass_inhibitory"]
    if state.enable_neuron_bypass:
        bypass_exc[:] = bypass_inh[:] = True
    common = next((c.settings for c in state.calibrations.values()), base)
    settings = replace(
        base,
        parameters=parameters,
        synapse_dac_bias=common.synapse_dac_bias,
        clock_scale_fast=common.clock_scale_fast,
        clock_scale_slow=common.clock_scale_slow,
        biases=common.biases,
    )
    return settings, bypass_exc, bypass_inh


def _checked_values(population: Any, neuron: AtomicNeuron) -> dict[str, int]:
    try:
        return neuron.values()
    except (OverflowError, TypeError) as error:
        raise type(error)(f"Population {population.label!r}: {error}") from error
