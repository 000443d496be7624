"""Plasticity during a run: advances of the engine with executions of rules in between."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.correlation import CorrelationSensors, SensorParameters
from hw_targets.brainscales2.engine import Activity, Engine, Probe
from hw_targets.brainscales2.pynn.configuration import Configuration
from hw_targets.brainscales2.pynn.plasticity_rules import (
    ClockCycles,
    NeuronView,
    Observable,
    ObservableArray,
    ObservablePerNeuron,
    ObservablePerSynapse,
    PlasticityRule,
    Recording,
    SynapseView,
    TimedData,
)
from hw_targets.brainscales2.pynn.timed_writes import TimedWrites, WeightWrite

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.inputs import Span
    from hw_targets.brainscales2.pynn.mapping import Mapping
    from hw_targets.brainscales2.pynn.simulator import State

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CLOCKS_PER_US = limits.EVENT_CLOCK_HZ * 1e-6
_CLOCKS_PER_MS = _CLOCKS_PER_US * 1e3


class PlasticProjection(NamedTuple):
    """A projection with a rule: its synapses, as the mapping has them, and ends of connections."""

    owner: Any
    synapses: slice
    pre: IntArray
    post: IntArray


class PlasticPopulation(NamedTuple):
    """A population with a rule: first of each neuron's spiking compartments, and their number."""

    owner: Any
    first: IntArray
    n_compartments: int


class Plan(NamedTuple):
    """When a rule is executed in a snippet, in clock cycles since the begin of the run, on what."""

    rule: PlasticityRule
    times: IntArray
    projections: list[PlasticProjection]
    populations: list[PlasticPopulation]


Records = dict[tuple[int, str], list[TimedData]]
"""Owner of an observable and its name -> what was recorded of it."""


def plan(state: "State", network: "Mapping", span: "Span") -> list[Plan]:
    """Find the rules of a network and when they are executed.

    Parameters
    ----------
    state : State
        State with populations and projections.
    network : Mapping
        Where they are.
    span : Span
        When the network is run.

    Returns
    -------
    list of Plan
        Rules that act on something.

    Raises
    ------
    ValueError
        If weights that a rule or a program changes take several synapses in parallel.
    NotImplementedError
        If a rule shall see analog readings of neurons.
    RuntimeError
        If a rule was made before the last `setup`.
    """
    owners = [(p, p.synapse_type) for p in state.projections]
    for owner, kind in [*owners, *((p, p.celltype) for p in state.populations)]:
        used = getattr(kind, "plasticity_rule", None)
        if used is not None and not any(used is rule for rule in state.plasticity_rules):
            raise RuntimeError(
                f"{type(owner).__name__} {owner.label!r}: its plasticity_rule {used!r} is of an "
                "earlier network; make it after pynn.setup()"
            )
    plans = []
    for rule in state.plasticity_rules:
        projections = [
            _plastic(p, network.connections[number])
            for number, p in enumerate(state.projections)
            if getattr(p.synapse_type, "plasticity_rule", None) is rule
        ]
        populations = [
            PlasticPopulation(
                p,
                np.array([network.spiking(int(cell)) for cell in p.all_cells], dtype=np.int64),
                len(p.celltype.compartment_members),
            )
            for p in state.populations
            if getattr(p.celltype, "plasticity_rule", None) is rule
        ]
        for population in populations:
            _check_readout(population.owner)
        if projections or populations:
            plans.append(Plan(rule, _times(rule, span), projections, populations))
    writes = getattr(state.injected_config.inside_realtime, "weight_writes", [])
    if writes:
        plans.append(_written(writes, state, network, span))
    return plans


def _written(
    writes: Sequence[WeightWrite], state: "State", network: "Mapping", span: "Span"
) -> Plan:
    """Plan what an injected program writes."""
    routing = network.routing
    rows = {(write.array, write.row) for write in writes}
    projections = []
    for number, owner in enumerate(state.projections):
        connections = network.connections[number]
        chosen = slice(routing.first[connections.start], routing.first[connections.stop])
        own_rows = zip(routing.array[chosen].tolist(), routing.row[chosen].tolist(), strict=True)
        if rows.isdisjoint(own_rows):
            continue
        projections.append(_plastic(owner, connections))
    clock = np.unique([write.clock for write in writes])
    due = clock[(span.begin <= clock) & (clock < span.end)]
    return Plan(cast(PlasticityRule, TimedWrites(writes, routing)), due, projections, [])


def _plastic(projection: Any, connections: slice) -> PlasticProjection:
    _check_weights(projection)
    pre = _in_population(projection.pre, projection._pre_index)
    post = _in_population(projection.post, projection._post_index)
    return PlasticProjection(projection, connections, pre, post)


def _in_population(cells: Any, indices: IntArray) -> IntArray:
    whole = cells.index_in_grandparent(indices) if hasattr(cells, "grandparent") else indices
    return np.array(whole, dtype=np.int64)


def _times(rule: PlasticityRule, span: "Span") -> IntArray:
    timer = rule.timer
    times = timer.start + timer.period * np.arange(timer.num_periods)
    clock = np.rint(times * _CLOCKS_PER_MS).astype(np.int64)
    return clock[(span.begin <= clock) & (clock < span.end)]


def _check_weights(projection: Any) -> None:
    largest = np.abs(projection.weights).max(initial=0)
    if largest > limits.WEIGHT_MAX:
        raise ValueError(
            f"Projection {projection.label!r}: weight {largest} of synapses that a rule or a "
            f"program changes, need at most {limits.WEIGHT_MAX}; use several projections in "
            "parallel"
        )


def _check_readout(population: Any) -> None:
    space = population.celltype.parameter_space
    name = "plasticity_rule_enable_readout_source"
    if name in population.celltype.default_parameters and np.any(space[name]):
        raise NotImplementedError(
            f"Population {population.label!r}: {name}: analog readings of neurons are not emulated "
            "for plasticity rules; use spike counts and correlations"
        )


class Plasticity:
    """The weights, sensors and counters of a run.

    Parameters
    ----------
    configuration : Configuration
        Chip and fidelity.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        #: Weights of all synapses at the begin of the last snippet, and what became of them.
        self._given = np.empty(0)
        self._weights = np.empty(0)
        self._sensors: dict[int, CorrelationSensors] = {}
        #: Spikes of the neurons of each population, and since when.
        self._counts: dict[int, IntArray] = {}
        self._since: dict[int, int] = {}

    def advance(
        self,
        engine: Engine,
        network: "Mapping",
        strengths: FloatArray,
        plans: Sequence[Plan],
        span: "Span",
        clock: IntArray,
        source: IntArray,
        probes: Sequence[Probe],
    ) -> tuple[Activity, Records]:
        """Run a snippet.

        Parameters
        ----------
        engine : Engine
            At the begin of the snippet.
        network : Mapping
            Its network.
        strengths : ndarray, shape (n_synapses,)
            What to multiply weights with, see `Mapping.strengths`.
        plans : sequence of Plan
            Its rules.
        span : Span
            When.
        clock, source : ndarray of int64, shape (n_events,)
            Events by clock cycle.
        probes : sequence of Probe
            What to sample.

        Returns
        -------
        Activity
            What happened.
        dict
            What the rules recorded.
        """
        records: Records = {}
        if not plans:
            return _advance(engine, span.end, clock, source, probes), records
        self._begin(network, plans, span)
        engine.set_weights(strengths * self._weights)
        stops = np.unique(np.concatenate([one.times for one in plans]))
        parts: list[Activity] = []
        now = span.begin
        for stop in [*stops.tolist(), span.end]:
            if stop > now or stop == span.end:
                first = np.searchsorted(clock, now)
                last = clock.size if stop == span.end else np.searchsorted(clock, stop)
                events, sources = clock[first:last], source[first:last]
                seen = _between(probes, now, stop, span)
                parts.append(_advance(engine, stop, events, sources, seen))
                self._take_in(network, plans, parts[-1], events, sources)
            now = stop
            due = [one for one in plans if stop in one.times]
            for one in due:
                self._execute(one, stop, records)
            if due:
                engine.set_weights(strengths * self._weights)
        return _joined(parts, len(probes)), records

    def _begin(self, network: "Mapping", plans: Sequence[Plan], span: "Span") -> None:
        given = network.synapses.weight
        weights = given.copy()
        # Weights that the user hasn't changed since the last snippet are as rules have left them.
        known = min(given.size, self._given.size)
        kept = np.flatnonzero(given[:known] == self._given[:known])
        weights[kept] = self._weights[kept]
        self._given, self._weights = given, weights
        for one in plans:
            for projection in one.projections:
                sensors = self._wired(network, projection)
                before = self._sensors.get(id(projection.owner))
                if before is not None:
                    sensors.state[:] = before.state
                self._sensors[id(projection.owner)] = sensors
            for population in one.populations:
                self._counts.setdefault(id(population.owner), np.zeros_like(population.first))
                self._since.setdefault(id(population.owner), span.begin)

    def _wired(self, network: "Mapping", projection: PlasticProjection) -> CorrelationSensors:
        chosen, synapses, routing = projection.synapses, network.synapses, network.routing
        if self._configuration.is_ideal:
            parameters = SensorParameters.ideal(chosen.stop - chosen.start)
        else:
            at = routing.first[chosen]
            row = routing.array[at] * limits.N_ROWS + routing.row[at]
            parameters = SensorParameters.virtual(
                self._configuration.chip.seed, row * limits.N_COLUMNS + routing.column[at]
            )
        # As many as compartments, and one for silent neurons.
        n_targets = len(network.members) + 1
        is_silent = np.isin(projection.owner.cell_ids()[1], list(network.silent))
        return CorrelationSensors(
            parameters,
            synapses.source[chosen],
            np.where(is_silent, n_targets - 1, synapses.target[chosen]),
            synapses.n_inputs,
            n_targets,
        )

    def _take_in(
        self,
        network: "Mapping",
        plans: Sequence[Plan],
        activity: Activity,
        clock: IntArray,
        source: IntArray,
    ) -> None:
        """Let counters and sensors see what happened."""
        # Of all compartments, and of silent neurons.
        spikes = np.bincount(activity.spike_circuits, minlength=len(network.members) + 1)
        for one in plans:
            for population in one.populations:
                compartments = population.first[:, None] + np.arange(population.n_compartments)
                self._counts[id(population.owner)] += spikes[compartments].sum(axis=1)
        times = np.concatenate([clock / _CLOCKS_PER_US, activity.spike_times_us])
        sources = np.concatenate([source, network.synapses.n_inputs + activity.spike_circuits])
        # Events come before the spikes that they cause at the same time.
        order = np.lexsort((sources, times))
        for sensors in self._sensors.values():
            sensors.advance(times[order], sources[order])

    def _execute(self, one: Plan, clock: int, records: Records) -> None:
        recorder = _Recorder(one.rule, clock, records)
        synapses = [
            _Synapses(
                recorder,
                projection,
                np.rint(self._weights[projection.synapses]).astype(np.int64),
                self._sensors[id(projection.owner)],
                self._configuration.is_ideal,
            )
            for projection in one.projections
        ]
        neurons = [
            _Neurons(
                recorder,
                population,
                self._counts[id(population.owner)],
                (clock - self._since[id(population.owner)]) / _CLOCKS_PER_MS,
            )
            for population in one.populations
        ]
        for population in one.populations:
            self._counts[id(population.owner)] = np.zeros_like(population.first)
            self._since[id(population.owner)] = clock
        one.rule.emulate([*synapses], [*neurons], _Arrays(recorder))
        for view in synapses:
            self._weights[view.projection.synapses] = view.checked_weights()


class _Recorder:
    """Notes what an execution of a rule records."""

    def __init__(self, rule: PlasticityRule, clock: int, records: Records) -> None:
        self._rule = rule
        self._records = records
        self.clock = clock

    def note(
        self, name: str, owner: Any, kind: type[Observable], size: int | None, values: npt.ArrayLike
    ) -> None:
        observable = self._rule.observable(name)
        what = f"{type(self._rule).__name__}: observable {name!r}"
        if not isinstance(observable, kind):
            raise TypeError(f"{what} is {type(observable).__name__}, need {kind.__name__} here")
        data = np.asarray(values)
        need = observable.size if isinstance(observable, ObservableArray) else size
        if data.shape != (need,):
            raise ValueError(f"{what}: values of shape {data.shape}, need ({need},)")
        dtype = np.dtype(observable.type.value)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        rounded = np.rint(data)
        if not ((rounded >= low) & (rounded <= high)).all():
            raise OverflowError(
                f"{what}: values from {data.min():g} to {data.max():g}, its type {dtype} holds "
                f"{low} ... {high}"
            )
        entry = TimedData(ClockCycles(self.clock), rounded.astype(dtype))
        self._records.setdefault((id(self._rule if owner is None else owner), name), []).append(
            entry
        )


class _Synapses(SynapseView):
    def __init__(
        self,
        recorder: _Recorder,
        projection: PlasticProjection,
        weights: IntArray,
        sensors: CorrelationSensors,
        exact: bool,
    ) -> None:
        self.projection = projection
        self.weights = weights
        self.pre, self.post = projection.pre, projection.post
        self._recorder, self._sensors, self._exact = recorder, sensors, exact

    @property
    def correlation_causal(self) -> FloatArray:
        return self._sensors.reading(0, self._exact)

    @property
    def correlation_acausal(self) -> FloatArray:
        return self._sensors.reading(1, self._exact)

    def reset_correlation(self) -> None:
        self._sensors.reset()

    def record(self, name: str, values: npt.ArrayLike) -> None:
        owner = self.projection.owner
        self._recorder.note(name, owner, ObservablePerSynapse, self.pre.size, values)

    def checked_weights(self) -> FloatArray:
        """Return the weights that the rule has left, as the synapses store them."""
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != self.pre.shape or not np.isfinite(weights).all():
            raise ValueError(
                f"Projection {self.projection.owner.label!r}: a plasticity rule set weights of "
                f"shape {weights.shape}, need {self.pre.size} finite numbers"
            )
        return np.clip(np.rint(weights), 0, limits.WEIGHT_MAX)


class _Neurons(NeuronView):
    def __init__(
        self, recorder: _Recorder, population: PlasticPopulation, counts: IntArray, elapsed: float
    ) -> None:
        self.spike_counts = np.minimum(counts, limits.SPIKE_COUNT_MAX)
        self.rates = self.spike_counts / elapsed if elapsed > 0.0 else np.zeros(counts.size)
        self._recorder, self._owner = recorder, population.owner

    def record(self, name: str, values: npt.ArrayLike) -> None:
        size = self.spike_counts.size
        self._recorder.note(name, self._owner, ObservablePerNeuron, size, values)


class _Arrays(Recording):
    def __init__(self, recorder: _Recorder) -> None:
        self.time = recorder.clock / _CLOCKS_PER_MS
        self._recorder = recorder

    def record(self, name: str, values: npt.ArrayLike) -> None:
        self._recorder.note(name, None, ObservableArray, None, values)


# ---- parts of an advance -----------------------------------------------------------------------


def _advance(
    engine: Engine, until: int, clock: IntArray, source: IntArray, probes: Sequence[Probe]
) -> Activity:
    return engine.advance(until / _CLOCKS_PER_US, clock / _CLOCKS_PER_US, source, probes)


def _between(probes: Sequence[Probe], begin: int, end: int, span: "Span") -> list[Probe]:
    """Select samples after the begin, or at it if it is the snippet's, up to the end."""
    result = []
    for probe in probes:
        side: Literal["left", "right"] = "left" if begin == span.begin else "right"
        first = np.searchsorted(probe.times_us, begin / _CLOCKS_PER_US, side)
        last = np.searchsorted(probe.times_us, end / _CLOCKS_PER_US, "right")
        times = probe.times_us[first:last]
        result.append(Probe(times_us=times, circuits=probe.circuits, variable=probe.variable))
    return result


def _joined(parts: Sequence[Activity], n_probes: int) -> Activity:
    return Activity(
        np.concatenate([part.spike_times_us for part in parts]),
        np.concatenate([part.spike_circuits for part in parts]),
        [np.concatenate([part.samples[k] for part in parts]) for k in range(n_probes)],
    )
