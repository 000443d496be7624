"""From a network of populations and projections to circuits, settings, synapses and events."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.calibration import Target, ideal_circuits
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine import Synapses
from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.pynn.calibrating import (
    Calibration,
    calibrate_populations,
    neurons_of,
)
from hw_targets.brainscales2.pynn.cells import (
    CalibHXNeuronCuba,
    HXNeuron,
    NeuronCellType,
    SpikeIOCell,
    SpikeSourcePoissonOnChip,
)
from hw_targets.brainscales2.pynn.configuration import Configuration
from hw_targets.brainscales2.pynn.morphology import BuiltNeuron, McNeuron
from hw_targets.brainscales2.pynn.morphology.wiring import Wiring
from hw_targets.brainscales2.pynn.parameters import AtomicNeuron
from hw_targets.brainscales2.pynn.routing import ANY_BUS, Routing, bus_of_circuit, route
from hw_targets.brainscales2.pynn.sources import clocks
from hw_targets.brainscales2.pynn.switches import Joined, join, of_populations
from hw_targets.brainscales2.settings import PARAMETERS, Settings
from hw_targets.brainscales2.transfer import compartment_rate

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.simulator import State

IntArray = npt.NDArray[np.int64]
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


class Span(NamedTuple):
    """A time from begin to end, in ms as the user has it and in clock cycles of 8 ns."""

    begin_ms: float
    end_ms: float
    begin: int
    end: int


class Generator(NamedTuple):
    """An on-chip source: indices of its inputs, period in clock cycles, probability, seed."""

    inputs: IntArray
    period: int
    probability: float
    seed: int


class Inputs(NamedTuple):
    """Events from outside, by clock cycle and input, and on-chip sources."""

    clock: IntArray
    source: IntArray
    generators: list[Generator]


@dataclass(frozen=True, eq=False)
class Mapping:
    """A network on the chip.

    Parameters
    ----------
    members : list of ndarray of int64
        Circuits of each compartment, in the order in which the engine has compartments. A neuron of
        one circuit has one.
    links : list of (int, int, float)
        Conductances between compartments.
    index : dict of int to int
        Neuron -> position of its first compartment in `members`.
    silent : frozenset of int
        Neurons without a threshold of their own on a membrane that spikes for another neuron.
    inputs : dict of int to int
        Cell that is no neuron -> index as an external source of the engine.
    settings : Settings
        Settings of the chip.
    targets : list of (ndarray of int64, Target)
        Positions in `members` of neurons with calibrated settings, and what they aim at.
    bypass_exc, bypass_inh : ndarray of bool, shape (n,)
        Whether compartments forward events of each input.
    synapses : Synapses
        All synapses; parallel ones are one.
    connections : dict of int to slice
        Number of a projection -> its connections among the synapses.
    routing : Routing
        Where they are on the chip.
    """

    members: list[IntArray]
    links: list[Link]
    index: dict[int, int]
    silent: frozenset[int]
    inputs: dict[int, int]
    settings: Settings
    targets: list[tuple[IntArray, Target]]
    bypass_exc: BoolArray
    bypass_inh: BoolArray
    synapses: Synapses
    connections: dict[int, slice]
    routing: Routing

    @property
    def circuits(self) -> IntArray:
        """First circuit of each compartment, which is the one that is recorded."""
        return np.array([circuits[0] for circuits in self.members], dtype=np.int64)

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
        physics = configuration.chip.circuits(
            self.settings, np.concatenate(self.members), trial if configuration.noise else None
        )
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
    joined = _joined(neurons, where)
    index, members = _compartments(state, neurons, joined)
    circuits = np.array([several[0] for several in members], dtype=np.int64)
    cells = [int(cell) for population in sources for cell in population.all_cells]
    inputs = {cell: k for k, cell in enumerate(cells)}
    settings, bypass_exc, bypass_inh = _settings(state, neurons, where)
    silent = frozenset(
        int(cell)
        for population, circuits in zip(neurons, where, strict=True)
        if isinstance(population.celltype, HXNeuron)
        for cell, circuit in zip(population.all_cells, circuits.tolist(), strict=True)
        if circuit in joined.groups and not settings["threshold_enable"][circuit]
    )
    synapses, connections, routing = _connect(state, members, index, silent, inputs)
    return Mapping(
        members=members,
        links=_links(state, neurons, index, settings, joined),
        index=index,
        silent=silent,
        inputs=inputs,
        settings=settings,
        targets=_targets(neurons, calibrations, index),
        bypass_exc=bypass_exc[circuits],
        bypass_inh=bypass_inh[circuits],
        synapses=synapses,
        connections=connections,
        routing=routing,
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


def input_events(state: "State", network: Mapping, span: Span) -> Inputs:
    """Collect what reaches the network from outside its circuits.

    Parameters
    ----------
    state : State
        State with the populations.
    network : Mapping
        Where they are.
    span : Span
        When.

    Returns
    -------
    Inputs
        Events with clock cycles counted from the begin of the run, by time.
    """
    clock, source, generators = [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
    for population in state.populations:
        celltype = population.celltype
        if isinstance(celltype, NeuronCellType):
            continue
        indices = np.array([network.inputs[int(c)] for c in population.all_cells], dtype=np.int64)
        if isinstance(celltype, SpikeSourcePoissonOnChip):
            generators.append(Generator(indices, *celltype.generator()))
            continue
        for index, times in zip(indices, celltype.trains(), strict=True):
            inside = times[(span.begin_ms <= times) & (times < span.end_ms)]
            events = np.minimum(span.begin + clocks(inside - span.begin_ms), span.end)
            clock.append(events)
            source.append(np.full(events.size, index))
    clocks_, sources_ = np.concatenate(clock), np.concatenate(source)
    order = np.argsort(clocks_, kind="stable")
    return Inputs(clocks_[order], sources_[order], generators)


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


def _joined(neurons: list[Any], where: list[IntArray]) -> Joined:
    """Find what the switches of raw neurons connect."""
    raw = [k for k, population in enumerate(neurons) if isinstance(population.celltype, HXNeuron)]
    return join(of_populations([neurons[k].celltype for k in raw], [where[k] for k in raw]))


def _compartments(
    state: "State", neurons: list[Any], joined: Joined
) -> tuple[dict[int, int], list[IntArray]]:
    """Position of each neuron's first compartment, and the circuits of all compartments."""
    index: dict[int, int] = {}
    members: list[IntArray] = []
    of_group: dict[tuple[int, ...], int] = {}
    for population in neurons:
        for cell in population.all_cells:
            circuits = np.array(state.neuron_placement.circuits_of(cell), dtype=np.int64)
            group = joined.groups.get(int(circuits[0]))
            if group is not None:
                if group not in of_group:
                    of_group[group] = len(members)
                    members.append(np.array(group, dtype=np.int64))
                index[int(cell)] = of_group[group]
                continue
            index[int(cell)] = len(members)
            members += [circuits[list(m)] for m in population.celltype.compartment_members]
    return index, members


def _links(
    state: "State",
    neurons: list[Any],
    index: dict[int, int],
    settings: Settings,
    joined: Joined,
) -> list[Link]:
    rates = compartment_rate({n: np.asarray(v) for n, v in settings.parameters.items()})
    links: list[Link] = []
    if joined.lines:
        cells = [int(cell) for p in neurons for cell in p.all_cells]
        at = {state.neuron_placement.circuits_of(cell)[0]: index[cell] for cell in cells}
        found = Wiring((), (), joined.lines).links(rates.tolist())
        links += [(at[a], at[b], rate) for a, b, rate in found]
    for population in neurons:
        if isinstance(population.celltype, McNeuron):
            for cell in population.all_cells:
                circuits = list(state.neuron_placement.circuits_of(cell))
                first = index[int(cell)]
                links += [
                    (first + a, first + b, rate)
                    for a, b, rate in population.celltype.wiring.links(rates[circuits].tolist())
                ]
        elif isinstance(population.celltype, BuiltNeuron):
            of_cells = zip(population.all_cells, population.celltype.links(), strict=True)
            for cell, found in of_cells:
                first = index[int(cell)]
                links += [(first + a, first + b, rate) for a, b, rate in found]
    return links


def _calibrate(
    state: "State", neurons: list[Any], where: list[IntArray]
) -> dict[bool, Calibration]:
    """Calibrate, or take the initial configuration, where neither was done."""
    for population, circuits in zip(neurons, where, strict=True):
        if hasattr(population.celltype, "apply_config") and not population.configured:
            _configure(state, population, circuits)
    chosen = [k for k, p in enumerate(neurons) if hasattr(p.celltype, "circuit_targets")]
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


def _connect(
    state: "State",
    members: list[IntArray],
    index: dict[int, int],
    silent: frozenset[int],
    inputs: dict[int, int],
) -> tuple[Synapses, dict[int, slice], Routing]:
    n_inputs = len(inputs)
    bus_of_output = np.array([bus_of_circuit(int(m[0])) for m in members], dtype=np.int64)
    source_of = np.full(state.id_counter, -1, dtype=np.int64)
    bus_of = np.full(state.id_counter, ANY_BUS, dtype=np.int64)
    for cell, k in inputs.items():
        source_of[cell] = k
        if state.background_spike_source_placement.is_placed(cell):
            bus_of[cell] = state.background_spike_source_placement.bus_of(cell)
    for cell, k in index.items():
        source_of[cell] = n_inputs + k
    parts: dict[str, list[Any]] = {"source": [], "target": [], "weight": [], "inhibitory": []}
    buses = [np.empty(0, dtype=np.int64)]
    connections, begin = {}, 0
    for number, projection in enumerate(state.projections):
        pre, post = projection.cell_ids()
        source = source_of[pre] + projection.source_compartment
        parts["source"].append(source)
        parts["target"].append(source_of[post] - n_inputs + projection.compartment)
        weights = np.abs(projection.weights)
        parts["weight"].append(weights * ~np.isin(pre, list(silent)) if silent else weights)
        parts["inhibitory"].append(np.full(pre.size, projection.inhibitory))
        of_neuron = source >= n_inputs
        buses.append(bus_of[pre])
        buses[-1][of_neuron] = bus_of_output[source[of_neuron] - n_inputs]
        connections[number] = slice(begin, begin + pre.size)
        begin += pre.size
    joined = {
        name: np.concatenate([np.empty(0, dtype), *values])
        for (name, values), dtype in zip(parts.items(), (int, int, float, bool), strict=True)
    }
    routing = route(
        joined["target"], np.concatenate(buses), joined["inhibitory"], joined["weight"], members
    )
    return Synapses(n_inputs=n_inputs, **joined), connections, routing
