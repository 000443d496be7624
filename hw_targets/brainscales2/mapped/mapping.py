"""A network on the chip: circuits, synapses, and what had to be changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine import Synapses
from hw_targets.brainscales2.mapped import scaling
from hw_targets.brainscales2.mapped.neurons import CellPlan, plan_cells, realise
from hw_targets.brainscales2.mapped.report import (
    MappingError,
    MappingReport,
    PopulationReport,
    ProjectionReport,
    rms,
)
from hw_targets.brainscales2.mapped.scaling import RECEPTORS, Array, VoltageMap
from hw_targets.brainscales2.pynn.placement import NeuronPlacement, PlacementError
from hw_targets.brainscales2.pynn.routing import (
    ANY_BUS,
    UnsuccessfulRouting,
    bus_of_circuit,
    n_synapses,
    route,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """How networks are mapped.

    Parameters
    ----------
    chip : Chip
        Chip.
    merge : int
        Circuits of each neuron.
    rows : int
        Rows that a connection may take.
    strict : bool
        Refuse changes beyond rounding.
    """

    chip: Chip
    merge: int = 1
    rows: int = 1
    strict: bool = False


@dataclass(frozen=True)
class Scales:
    """What stays as it is until a `reset`.

    Parameters
    ----------
    voltages : list of VoltageMap
        By population of neurons.
    dac : int
        synapse_dac_bias.
    gm : list of dict of str to int
        i_synin_gm of "exc" and "inh", by population of neurons.
    """

    voltages: list[VoltageMap]
    dac: int
    gm: list[dict[str, int]]


@dataclass(frozen=True, eq=False)
class Mapping:
    """A network on the chip.

    Parameters
    ----------
    circuits : Circuits or None
        Neurons in the order of their populations; None without neurons.
    synapses : Synapses
        Connections in the order of their projections.
    position : ndarray of int64
        ID of a cell -> its position among the neurons, or among the inputs.
    hardware : ndarray, shape (n_neurons, n_merged)
        Circuits of each neuron.
    voltage : dict of str to ndarray
        "scale" and "offset" of the `VoltageMap` of each neuron.
    scales : Scales
        What later runs have to keep.
    report : MappingReport
        What had to be changed.
    """

    circuits: Circuits | None
    synapses: Synapses
    position: IntArray
    hardware: IntArray
    voltage: dict[str, Array]
    scales: Scales
    report: MappingReport


@dataclass(frozen=True, eq=False)
class _Connections:
    """All connections of a network, one entry per connection; scaled weights are in LSB."""

    source: IntArray
    target: IntArray
    inhibitory: npt.NDArray[np.bool_]
    weight: Array
    projection: IntArray


def build(
    populations: Sequence[Any],
    projections: Sequence[Any],
    options: Options,
    trial: int = 0,
    scales: Scales | None = None,
) -> Mapping:
    """Map a network to the chip.

    Parameters
    ----------
    populations, projections : sequence of Population, of Projection
        The network.
    options : Options
        How.
    trial : int, optional
        Number of the run, on which the chip's deviations depend.
    scales : Scales, optional
        Those of an earlier run of the same network.

    Returns
    -------
    Mapping

    Raises
    ------
    MappingError
        If the network doesn't fit or, with `strict`, is changed; it lists all reasons.
    """
    problems: list[str] = []
    neurons = [p for p in populations if p.is_neuron]
    position = _positions(populations)
    n_inputs = sum(p.size for p in populations if not p.is_neuron)
    hardware = _place(neurons, options.merge, problems)
    known = scales.voltages if scales else [None] * len(neurons)
    plans = [
        plan_cells(population, voltage, options.chip.is_ideal, problems)
        for population, voltage in zip(neurons, known, strict=True)
    ]
    asked = _connections(populations, projections, position, n_inputs, problems)
    good = [plan for plan in plans if plan is not None]
    if len(good) < len(plans):
        _check_fan_in(asked, neurons, options.merge, problems)
        raise MappingError(problems)
    factor = _currents_per_weight(good, asked)
    scales = scales or _scales(neurons, good, asked, factor, options)
    per_unit = factor / _gains(neurons, scales, asked, options.merge)
    connections = _Connections(
        asked.source, asked.target, asked.inhibitory,
        scaling.hardware_weights(asked.weight * per_unit, options.rows, options.chip.is_ideal),
        asked.projection,
    )  # fmt: skip
    fan_in = _check_fan_in(connections, neurons, options.merge, problems)
    n_rows = 0 if problems else _route(connections, n_inputs, hardware, problems)
    if problems:
        raise MappingError(problems)
    circuits = None
    failed: list[int] = []
    if neurons:
        bounds = np.cumsum([population.size for population in neurons])[:-1]
        circuits, failed = realise(
            good, np.split(hardware, bounds), scales.gm, scales.dac, options.chip, trial
        )
    report = MappingReport(
        options.chip.name,
        "ideal" if options.chip.is_ideal else "emulated",
        scales.dac,
        hardware.size,
        n_rows,
        int(fan_in.max(initial=0)),
        options.merge * limits.N_ROWS,
        tuple(
            PopulationReport(
                population.label, population.size, population.size * options.merge,
                plan.voltage.scale, plan.voltage.offset,
                {name: gm[short] for name, short in RECEPTORS.items()},
                plan.clipped, plan.current_rms_error, n_failed,
            )
            for population, plan, gm, n_failed in zip(
                neurons, good, scales.gm, failed, strict=True
            )
        ),
        tuple(
            _describe(projection, number, asked, connections, per_unit, factor, options, scales,
                      neurons)
            for number, projection in enumerate(projections)
        ),
    )  # fmt: skip
    changes = report.changes()
    if options.strict and changes:
        raise MappingError(changes)
    return Mapping(
        circuits,
        Synapses(
            n_inputs=n_inputs,
            source=connections.source,
            target=connections.target,
            weight=connections.weight,
            inhibitory=connections.inhibitory,
        ),
        position,
        hardware,
        {
            name: np.repeat(
                [getattr(plan.voltage, name) for plan in good], [p.size for p in neurons]
            )
            for name in ("scale", "offset")
        },
        scales,
        report,
    )


def _positions(populations: Sequence[Any]) -> IntArray:
    """Count neurons and inputs, each from 0 on, in the order of their IDs."""
    kinds = [np.full(p.size, p.is_neuron) for p in populations]
    is_neuron = np.concatenate([*kinds, np.empty(0, bool)])
    return np.where(is_neuron, np.cumsum(is_neuron), np.cumsum(~is_neuron)) - 1


def _place(neurons: Sequence[Any], merge: int, problems: list[str]) -> IntArray:
    """Circuits of all neurons, shape (n, merge); of one circuit twice if there are too few."""
    n = sum(population.size for population in neurons)
    room = limits.N_CIRCUITS // merge
    if n > room:
        labels = ", ".join(f"{p.label!r} {p.size}" for p in neurons)
        problems.append(
            f"{n} neurons ({labels}), need at most {room}: the chip has {limits.N_CIRCUITS} "
            f"circuits and each neuron takes {merge} (setup's merge)"
        )
        return np.zeros((n, merge), np.int64)
    # A neuron's circuits are neighbours: above each other, then to the right.
    offsets = [divmod(k, 2)[::-1] for k in range(merge)]
    placement = NeuronPlacement()
    for population in neurons:
        try:
            placement.register(population.all_cells, offsets)
        except PlacementError as error:
            problems.append(f"Population {population.label!r}: {error}")
            return np.zeros((n, merge), np.int64)
    return placement.circuits.reshape(n, merge)


def _connections(
    populations: Sequence[Any],
    projections: Sequence[Any],
    position: IntArray,
    n_inputs: int,
    problems: list[str],
) -> _Connections:
    """Collect connections, with the absolute values of the weights in PyNN's units."""
    is_neuron = np.concatenate(
        [*(np.full(p.size, p.is_neuron) for p in populations), np.empty(0, bool)]
    )
    sources, targets, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    inhibitory = [np.empty(0, bool)]
    for projection in projections:
        pre, post = projection.connected_ids()
        sources.append(position[pre] + np.where(is_neuron[pre], n_inputs, 0))
        targets.append(position[post])
        (weight,) = projection.read("weight")
        negative = projection.has_negative_weights()
        wrong = ~np.isfinite(weight) | np.where(negative, weight > 0, weight < 0)
        if wrong.any():
            problems.append(
                f"Projection {projection.label!r}: weight={weight[wrong][0]:g} on receptor "
                f"{projection.receptor_type!r}, need {'<= 0' if negative[wrong][0] else '>= 0'}: "
                "on the chip the sign belongs to the synapse's row"
            )
        weights.append(np.abs(weight))
        inhibitory.append(np.full(weight.size, projection.receptor_type == "inhibitory"))
    return _Connections(
        np.concatenate(sources),
        np.concatenate(targets),
        np.concatenate(inhibitory),
        np.concatenate(weights),
        np.repeat(np.arange(len(projections)), [len(p) for p in projections]),
    )


def _currents_per_weight(plans: Sequence[CellPlan], asked: _Connections) -> Array:
    """Find the current in LSB/us of an event of weight 1 nA or uS, by connection."""
    if not plans:
        return np.empty(0)
    by_cell = {r: np.concatenate([plan.factor[r] for plan in plans]) for r in RECEPTORS.values()}
    return np.where(asked.inhibitory, by_cell["inh"][asked.target], by_cell["exc"][asked.target])


def _scales(
    neurons: Sequence[Any],
    plans: Sequence[CellPlan],
    asked: _Connections,
    factor: Array,
    options: Options,
) -> Scales:
    current = asked.weight * factor
    owner = _owner(neurons, asked)
    largest = [
        {
            short: float(np.max(current[(owner == k) & (asked.inhibitory == (short == "inh"))],
                                initial=0.0))
            for short in RECEPTORS.values()
        }
        for k in range(len(neurons))
    ]  # fmt: skip
    dac = scaling.choose_dac(float(np.max(current, initial=0.0)), options.merge, options.rows)
    gm = [
        {
            short: scaling.choose_gm(value, dac, options.merge, options.rows)
            for short, value in of_population.items()
        }
        for of_population in largest
    ]
    return Scales([plan.voltage for plan in plans], dac, gm)


def _owner(neurons: Sequence[Any], connections: _Connections) -> IntArray:
    """Find the population of each connection's target."""
    return np.repeat(np.arange(len(neurons)), [p.size for p in neurons])[connections.target]


def _gm(neurons: Sequence[Any], scales: Scales, connections: _Connections) -> Array:
    """i_synin_gm of each connection's input."""
    if not neurons:
        return np.empty(0)
    by_kind = np.array([[gm["exc"], gm["inh"]] for gm in scales.gm], float)
    return by_kind[_owner(neurons, connections), connections.inhibitory.astype(int)]


def _gains(neurons: Sequence[Any], scales: Scales, connections: _Connections, merge: int) -> Array:
    return _gm(neurons, scales, connections) * scaling.gain(1.0, scales.dac, merge)


def _check_fan_in(
    connections: _Connections, neurons: Sequence[Any], merge: int, problems: list[str]
) -> IntArray:
    """Count the synapses of each neuron, one per connection at least."""
    size = sum(population.size for population in neurons)
    counts = n_synapses(connections.weight)
    fan_in = np.bincount(connections.target, counts, size).astype(np.int64)
    available = merge * limits.N_ROWS
    first = 0
    for population in neurons:
        own = fan_in[first : first + population.size]
        first += population.size
        if (own > available).any():
            cell = int(np.argmax(own))
            problems.append(
                f"Population {population.label!r}: {int((own > available).sum())} cells have more "
                f"synapses than the {available} of {merge} circuit(s); cell {cell} needs "
                f"{own[cell]}: use fewer connections, or setup(merge={_enough(int(own[cell]))})"
            )
    return fan_in


def _enough(fan_in: int) -> int:
    circuits = -(-fan_in // limits.N_ROWS)
    return circuits + circuits % 2


def _route(
    connections: _Connections, n_inputs: int, hardware: IntArray, problems: list[str]
) -> int:
    """Find rows for all synapses; return how many rows there are."""
    if not connections.target.size:
        return 0
    buses = [ANY_BUS] * n_inputs + [bus_of_circuit(circuit) for circuit in hardware[:, 0]]
    bus = np.array(buses, np.int64)[connections.source]
    try:
        routing = route(
            connections.target, bus, connections.inhibitory, connections.weight, list(hardware)
        )
    except UnsuccessfulRouting as error:
        # The remedies are those of the native API.
        reason = str(error).rpartition(": use ")[0]
        problems.append(f"{reason}: use fewer connections, or setup(merge=...)")
        return 0
    return len(np.unique(routing.array * limits.N_ROWS + routing.row))


def _describe(
    projection: Any,
    number: int,
    asked: _Connections,
    connections: _Connections,
    per_unit: Array,
    factor: Array,
    options: Options,
    scales: Scales,
    neurons: Sequence[Any],
) -> ProjectionReport:
    own = asked.projection == number
    wanted, found, unit = asked.weight[own], connections.weight[own], per_unit[own]
    scaled = wanted * unit
    error = rms(found / unit - wanted)
    size = rms(wanted)
    (delay,) = projection.read("delay")
    late = delay[delay > 0]
    short = RECEPTORS[projection.receptor_type]
    limit = transfer.SATURATION[short] * _gm(neurons, scales, asked)[own] / transfer.GM_TARGET
    current = found * factor[own] / unit
    return ProjectionReport(
        label=projection.label,
        receptor=projection.receptor_type,
        n=len(projection),
        n_synapses=int(n_synapses(found).sum()),
        unit="uS" if projection.post.conductance_based else "nA",
        lsb_per_unit=(float(unit.min()), float(unit.max())) if unit.size else (0.0, 0.0),
        largest_weight=float(found.max(initial=0.0)),
        rms_error=error,
        relative_rms_error=error / size if size else 0.0,
        # What rounds down to the largest weight is no more wrong than other rounding.
        n_clipped=int(np.sum(scaled > options.rows * limits.WEIGHT_MAX + 0.5)),
        n_zeroed=int(np.sum((wanted > 0) & (found == 0))),
        n_delays=late.size,
        delays=(float(late.min()), float(late.max())) if late.size else None,
        of_saturation=0.0 if options.chip.is_ideal else float(np.max(current / limit, initial=0.0)),
    )
