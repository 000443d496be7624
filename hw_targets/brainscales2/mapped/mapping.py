"""A network on the chip: circuits, synapses, and what had to be changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.correlation import TAU_RANGE_US
from hw_targets.brainscales2.engine import Synapses
from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.mapped import scaling
from hw_targets.brainscales2.mapped.compartments import Compartment, compartments_of, plan
from hw_targets.brainscales2.mapped.connections import (
    Connections,
    Places,
    check_fan_in,
    collect,
    find_rows,
    locate,
)
from hw_targets.brainscales2.mapped.dendrite import DendritePlan
from hw_targets.brainscales2.mapped.neurons import CellPlan, Realised, realise
from hw_targets.brainscales2.mapped.processor import (
    MemristiveConnections,
    PlasticConnections,
    sensor_tau,
)
from hw_targets.brainscales2.mapped.report import (
    Clipped,
    DendriteReport,
    MappingError,
    MappingReport,
    PopulationReport,
    ProjectionReport,
    rms,
)
from hw_targets.brainscales2.mapped.scaling import INPUTS, RECEPTORS, Array, VoltageMap
from hw_targets.brainscales2.pynn.placement import NeuronPlacement, PlacementError
from hw_targets.brainscales2.pynn.routing import Routing, n_synapses

IntArray = npt.NDArray[np.int64]

PERIOD_MS = 1000.0
"""Time from execution to execution of plasticity rules unless `setup` is told otherwise."""


@dataclass(frozen=True)
class Options:
    """How networks are mapped.

    Parameters
    ----------
    chip : Chip
        Chip.
    merge : int
        Circuits of each neuron, or of each of its compartments.
    rows : int or None
        Rows that a connection may take at most; None: as many as its weight needs.
    strict : bool
        Refuse changes beyond rounding.
    period_ms : float
        Time from execution to execution of plasticity rules.
    """

    chip: Chip
    merge: int = 1
    rows: int | None = None
    strict: bool = False
    period_ms: float = PERIOD_MS


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
        i_synin_gm of "exc" and "inh", by compartment.
    rows : list of dict of str to int
        Rows that the strongest connections to them take.
    """

    voltages: list[VoltageMap]
    dac: int
    gm: list[dict[str, int]]
    rows: list[dict[str, int]]


@dataclass(frozen=True, eq=False)
class Mapping:
    """A network on the chip.

    Parameters
    ----------
    circuits : Circuits or None
        What the engine integrates: the compartments of all populations, one after the other; None
        without neurons.
    links : list of (int, int, float)
        Conductances between dendrites and somata.
    synapses : Synapses
        Connections in the order of their projections.
    memristive : list of MemristiveConnections
        Projections whose devices are read periodically, those with a rule among them.
    places : Places
        Where cells are.
    hardware : ndarray, shape (n_circuits, n_merged)
        Circuits of the chip.
    scale : dict of str to ndarray
        "lsb_per_unit" and "offset" of the potential of each circuit: it stands for a potential in
        mV, or of a dendrite for a current in nA.
    scales : Scales
        What later runs have to keep.
    report : MappingReport
        What had to be changed.
    """

    circuits: Circuits | None
    links: list[Link]
    synapses: Synapses
    memristive: list[MemristiveConnections]
    places: Places
    hardware: IntArray
    scale: dict[str, Array]
    scales: Scales
    report: MappingReport

    @property
    def plastic(self) -> list[PlasticConnections]:
        """Projections with a rule."""
        return [each for each in self.memristive if isinstance(each, PlasticConnections)]


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
    is_ideal = options.chip.is_ideal
    neurons = [p for p in populations if p.is_neuron]
    compartments = [c for p in neurons for c in compartments_of(p)]
    places = locate(populations, compartments)
    hardware = _place(neurons, options.merge, problems)
    known = scales.voltages if scales else [None] * len(neurons)
    plans = [
        plan(population, voltage, is_ideal, problems)
        for population, voltage in zip(neurons, known, strict=True)
    ]
    asked = collect(projections, places, problems)
    _check_sensors(projections, problems)
    good = [each for several in plans if several is not None for each in several]
    if len(good) < len(compartments):
        check_fan_in(asked, compartments, options.merge, problems)
        raise MappingError(problems)
    factor = _currents_per_weight(good, asked)
    scales = scales or _scales(compartments, good, asked, factor, options)
    per_unit = factor / _gains(compartments, scales, asked, options.merge)
    rows = _by_input(compartments, scales.rows, asked)
    connections = replace(
        asked,
        weight=scaling.hardware_weights(asked.weight * per_unit, rows, is_ideal),
        largest=scaling.hardware_weights(asked.largest * per_unit, rows, is_ideal),
    )
    fan_in = check_fan_in(connections, compartments, options.merge, problems)
    routing = None if problems else find_rows(connections, places.n_inputs, hardware, problems)
    if problems or routing is None:
        raise MappingError(problems)
    realised = None
    if neurons:
        bounds = np.cumsum([compartment.size for compartment in compartments])[:-1]
        realised = realise(
            good, np.split(hardware, bounds), scales.gm, scales.dac, options.chip, trial
        )
    report = MappingReport(
        options.chip.name,
        "ideal" if is_ideal else "emulated",
        scales.dac,
        hardware.size,
        len(np.unique(routing.array * limits.N_ROWS + routing.row)),
        int(fan_in.max(initial=0)),
        options.merge * limits.N_ROWS,
        *_describe_cells(compartments, good, scales, realised, options.merge),
        tuple(
            _describe(projection, number, asked, connections, per_unit, factor, options, scales,
                      compartments)
            for number, projection in enumerate(projections)
        ),
    )  # fmt: skip
    changes = report.changes()
    if options.strict and changes:
        raise MappingError(changes)
    return Mapping(
        realised.circuits if realised else None,
        _links(places, realised),
        Synapses(
            n_inputs=places.n_inputs,
            source=connections.source,
            target=connections.target,
            weight=connections.weight,
            inhibitory=connections.inhibitory,
        ),
        _memristive(projections, connections, per_unit, rows, routing),
        places,
        hardware,
        {
            "lsb_per_unit": np.concatenate([np.empty(0), *(each.lsb_per_unit for each in good)]),
            "offset": np.concatenate([np.empty(0), *(each.offset for each in good)]),
        },
        scales,
        report,
    )


def _place(neurons: Sequence[Any], merge: int, problems: list[str]) -> IntArray:
    """Circuits of all compartments, shape (n, merge); of one circuit twice if there are too few."""
    needed = [population.size * len(compartments_of(population)) for population in neurons]
    if merge * sum(needed) > limits.N_CIRCUITS:
        labels = ", ".join(f"{p.label!r} {n}" for p, n in zip(neurons, needed, strict=True))
        problems.append(
            f"{sum(needed)} neurons ({labels}), need at most {limits.N_CIRCUITS // merge}: the "
            f"chip has {limits.N_CIRCUITS} circuits and each neuron takes {merge} (setup's merge); "
            "one with a dendrite counts twice"
        )
        return np.zeros((sum(needed), merge), np.int64)
    # Circuits of a compartment are neighbours: above each other, then to the right. Its dendrite
    # is next to a soma.
    width = -(-merge // 2)
    placement = NeuronPlacement()
    found = [np.empty((0, merge), np.int64)]
    for population in neurons:
        n_compartments = len(compartments_of(population))
        offsets = [
            (k % 2, k // 2 + width * number)
            for number in range(n_compartments)
            for k in range(merge)
        ]
        try:
            placement.register(population.all_cells, offsets)
        except PlacementError as error:
            problems.append(f"Population {population.label!r}: {error}")
            return np.zeros((sum(needed), merge), np.int64)
        circuits = np.array([placement.circuits_of(cell) for cell in population.all_cells])
        by_compartment = circuits.reshape(population.size, n_compartments, merge).swapaxes(0, 1)
        found.append(by_compartment.reshape(-1, merge))
    return np.concatenate(found)


def _check_sensors(projections: Sequence[Any], problems: list[str]) -> None:
    """All sensors of the chip are calibrated to one time constant."""
    wanted = {sensor_tau(p.synapse_type): p.label for p in projections if p.is_plastic}
    if len(wanted) > 1:
        found = ", ".join(f"{label!r} {tau:g} ms" for tau, label in wanted.items())
        problems.append(
            f"tau_plus of plastic projections ({found}), need one: the chip's sensors have one "
            "time constant"
        )


def _links(places: Places, realised: Realised | None) -> list[Link]:
    dendrites = np.flatnonzero(places.is_dendrite)
    if realised is None or not dendrites.size:
        return []
    somata = places.position[places.cell[dendrites]]
    return [
        (int(soma), int(dendrite), float(rate))
        for soma, dendrite, rate in zip(
            somata, dendrites, realised.exchange[dendrites], strict=True
        )
    ]


def _memristive(
    projections: Sequence[Any],
    connections: Connections,
    per_unit: Array,
    rows: Array,
    routing: Routing,
) -> list[MemristiveConnections]:
    found: list[MemristiveConnections] = []
    first = 0
    # The sensors' synapses come after those of all connections.
    sensor = routing.first[connections.source.size]
    for projection in projections:
        where = slice(first, first + len(projection))
        first += len(projection)
        if projection.devices is None or not projection.devices.changes:
            continue
        sign = np.where(projection.has_negative_weights(), -1.0, 1.0)
        common = (projection, where, sign * per_unit[where], rows[where])
        if not projection.is_plastic:
            found.append(MemristiveConnections(*common))
            continue
        at = slice(sensor, sensor + len(projection))
        sensor += len(projection)
        row = routing.array[at] * limits.N_ROWS + routing.row[at]
        found.append(
            PlasticConnections(
                *common,
                connections.source[where],
                connections.soma[where],
                connections.target[where],
                row * limits.N_COLUMNS + routing.column[at],
            )
        )
    return found


def _currents_per_weight(plans: Sequence[CellPlan], asked: Connections) -> Array:
    """Find the current in LSB/us of an event of weight 1 nA or uS, by connection."""
    if not plans:
        return np.empty(0)
    by_cell = {r: np.concatenate([plan.factor[r] for plan in plans]) for r in INPUTS}
    return np.where(asked.inhibitory, by_cell["inh"][asked.target], by_cell["exc"][asked.target])


def _scales(
    compartments: Sequence[Compartment],
    plans: Sequence[CellPlan],
    asked: Connections,
    factor: Array,
    options: Options,
) -> Scales:
    current = asked.largest * factor
    owner = _owner(compartments, asked)
    largest = [
        {
            short: float(np.max(current[(owner == k) & (asked.inhibitory == (short == "inh"))],
                                initial=0.0))
            for short in INPUTS
        }
        for k in range(len(compartments))
    ]  # fmt: skip
    dac = scaling.choose_dac(float(np.max(current, initial=0.0)), options.merge, options.rows)
    rows = [
        {r: scaling.choose_rows(value, dac, options.merge, options.rows) for r, value in of.items()}
        for of in largest
    ]
    gm = [
        {r: scaling.choose_gm(value, dac, options.merge, taken[r]) for r, value in of.items()}
        for of, taken in zip(largest, rows, strict=True)
    ]
    voltages = [
        plan.voltage
        for plan, compartment in zip(plans, compartments, strict=True)
        if not compartment.is_dendrite
    ]
    return Scales(voltages, dac, gm, rows)


def _owner(compartments: Sequence[Compartment], connections: Connections) -> IntArray:
    """Find the compartment of each connection's target."""
    return np.repeat(np.arange(len(compartments)), [c.size for c in compartments])[
        connections.target
    ]


def _by_input(
    compartments: Sequence[Compartment], values: Sequence[dict[str, int]], connections: Connections
) -> Array:
    """Give each connection what its input has, by compartment and "exc" or "inh"."""
    if not compartments:
        return np.empty(0)
    by_kind = np.array([[of["exc"], of["inh"]] for of in values], float)
    return by_kind[_owner(compartments, connections), connections.inhibitory.astype(int)]


def _gains(
    compartments: Sequence[Compartment], scales: Scales, connections: Connections, merge: int
) -> Array:
    gm = _by_input(compartments, scales.gm, connections)
    return gm * scaling.gain(1.0, scales.dac, merge)


def _describe_cells(
    compartments: Sequence[Compartment],
    plans: Sequence[CellPlan],
    scales: Scales,
    realised: Realised | None,
    merge: int,
) -> tuple[tuple[PopulationReport, ...], tuple[DendriteReport, ...]]:
    populations, dendrites = [], []
    failed = realised.n_failed if realised else []
    for compartment, plan_, gm, n_failed in zip(
        compartments, plans, scales.gm, failed, strict=True
    ):
        common = (compartment.population.label, compartment.size, compartment.size * merge)
        if isinstance(plan_, DendritePlan):
            dendrites.append(
                DendriteReport(
                    *common, _span(plan_.lsb_per_na), _span(plan_.targets["tau_icc"]),
                    _span(plan_.targets["holdoff_time"]), gm["exc"], plan_.clipped, n_failed,
                )
            )  # fmt: skip
        else:
            populations.append(
                PopulationReport(
                    *common, plan_.voltage.scale, plan_.voltage.offset,
                    {"excitatory": gm["exc"], "inhibitory": gm["inh"]},
                    plan_.clipped, plan_.current_rms_error, n_failed,
                )
            )  # fmt: skip
    return tuple(populations), tuple(dendrites)


def _span(values: Array) -> tuple[float, float]:
    return float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))


def _describe(
    projection: Any,
    number: int,
    asked: Connections,
    connections: Connections,
    per_unit: Array,
    factor: Array,
    options: Options,
    scales: Scales,
    compartments: Sequence[Compartment],
) -> ProjectionReport:
    own = asked.projection == number
    wanted, found, unit = asked.weight[own], connections.weight[own], per_unit[own]
    error = rms(found / unit - wanted)
    size = rms(wanted)
    (delay,) = projection.read("delay")
    late = delay[delay > 0]
    short = RECEPTORS[projection.receptor_type]
    gm = _by_input(compartments, scales.gm, asked)
    most = _by_input(compartments, scales.rows, asked)[own] * limits.WEIGHT_MAX
    limit = transfer.SATURATION[short] * gm[own] / transfer.GM_TARGET
    current = connections.largest[own] * factor[own] / unit
    plastic = projection.is_plastic
    is_read = projection.devices is not None and projection.devices.changes
    return ProjectionReport(
        label=projection.label,
        receptor=projection.receptor_type,
        n=len(projection),
        n_synapses=int(n_synapses(connections.largest[own]).sum()) + plastic * len(projection),
        unit="uS" if projection.post.conductance_based else "nA",
        lsb_per_unit=(float(unit.min()), float(unit.max())) if unit.size else (0.0, 0.0),
        largest_weight=float(connections.largest[own].max(initial=0.0)),
        rms_error=error,
        relative_rms_error=error / size if size else 0.0,
        # What rounds down to the largest weight is no more wrong than other rounding.
        n_clipped=int(np.sum(asked.largest[own] * unit > most + 0.5)),
        n_zeroed=int(np.sum((wanted > 0) & (found == 0))),
        n_delays=late.size,
        delays=(float(late.min()), float(late.max())) if late.size else None,
        of_saturation=0.0 if options.chip.is_ideal else float(np.max(current / limit, initial=0.0)),
        period_ms=options.period_ms if is_read else None,
        clipped=_clipped_tau(projection) if plastic else (),
    )


def _clipped_tau(projection: Any) -> tuple[Clipped, ...]:
    asked = float(projection.synapse_type.common_parameters()["tau_plus"])
    if sensor_tau(projection.synapse_type) == asked:
        return ()
    return (Clipped("tau_plus", len(projection), (asked, asked), TAU_RANGE_US, "ms"),)
