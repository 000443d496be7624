"""A network on the chip: circuits, synapses, and what had to be changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine import Synapses
from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.mapped.compartments import Compartment, compartments_of, plan
from hw_targets.brainscales2.mapped.connections import (
    Connections,
    Places,
    check_fan_in,
    collect,
    find_rows,
    locate,
)
from hw_targets.brainscales2.mapped.description import describe_cells, describe_projection
from hw_targets.brainscales2.mapped.neurons import CellPlan, Realised, realise
from hw_targets.brainscales2.mapped.processor import (
    MemristiveConnections,
    PlasticConnections,
    sensor_tau,
)
from hw_targets.brainscales2.mapped.report import MappingError, MappingReport
from hw_targets.brainscales2.mapped.scales import (
    Scales,
    choose_scales,
    scale_weights,
)
from hw_targets.brainscales2.mapped.scaling import Array, hardware_weights
from hw_targets.brainscales2.placement import NeuronPlacement, PlacementError
from hw_targets.brainscales2.routing import Routing

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
    chip, merge = options.chip, options.merge
    neurons = [p for p in populations if p.is_neuron]
    compartments = [c for p in neurons for c in compartments_of(p)]
    places = locate(populations, compartments)
    hardware = _place(neurons, merge, problems)
    plans = _plans(neurons, scales, chip.is_ideal, problems)
    asked = collect(projections, places, problems)
    _check_sensors(projections, problems)
    if plans is None:
        check_fan_in(asked, compartments, merge, problems)
        raise MappingError(problems)
    scales = scales or choose_scales(compartments, plans, asked, merge, options.rows)
    weights = scale_weights(compartments, plans, asked, scales, merge)
    connections = replace(
        asked,
        weight=hardware_weights(asked.weight * weights.per_unit, weights.rows, chip.is_ideal),
        largest=hardware_weights(asked.largest * weights.per_unit, weights.rows, chip.is_ideal),
    )
    fan_in = check_fan_in(connections, compartments, merge, problems)
    routing = None if problems else find_rows(connections, places.n_inputs, hardware, problems)
    if problems or routing is None:
        raise MappingError(problems)
    realised = _realise(compartments, plans, hardware, scales, chip, trial)
    report = MappingReport(
        chip.name,
        "ideal" if chip.is_ideal else "emulated",
        scales.dac,
        hardware.size,
        len(np.unique(routing.array * limits.N_ROWS + routing.row)),
        int(fan_in.max(initial=0)),
        merge * limits.N_ROWS,
        *describe_cells(compartments, plans, scales, realised, merge),
        tuple(
            describe_projection(
                projection, number, asked, connections, weights, chip, options.period_ms
            )
            for number, projection in enumerate(projections)
        ),
    )
    changes = report.changes()
    if options.strict and changes:
        raise MappingError(changes)
    return Mapping(
        realised.circuits if realised else None,
        _links(places, realised),
        _synapses(connections, places.n_inputs),
        _memristive(projections, connections, weights.per_unit, routing),
        places,
        hardware,
        {
            "lsb_per_unit": np.concatenate([np.empty(0), *(each.lsb_per_unit for each in plans)]),
            "offset": np.concatenate([np.empty(0), *(each.offset for each in plans)]),
        },
        scales,
        report,
    )


def _plans(
    neurons: Sequence[Any], scales: Scales | None, is_ideal: bool, problems: list[str]
) -> list[CellPlan] | None:
    """Plans of all compartments, in the order of the circuits; None if one is impossible."""
    known = scales.voltages if scales else [None] * len(neurons)
    plans = [
        plan(population, voltage, is_ideal, problems)
        for population, voltage in zip(neurons, known, strict=True)
    ]
    good = [several for several in plans if several is not None]
    return [each for several in good for each in several] if len(good) == len(plans) else None


def _realise(
    compartments: Sequence[Compartment],
    plans: Sequence[CellPlan],
    hardware: IntArray,
    scales: Scales,
    chip: Chip,
    trial: int,
) -> Realised | None:
    """Circuits of all compartments; None without neurons."""
    if not compartments:
        return None
    bounds = np.cumsum([compartment.size for compartment in compartments])[:-1]
    return realise(plans, np.split(hardware, bounds), scales.gm, scales.dac, chip, trial)


def _synapses(connections: Connections, n_inputs: int) -> Synapses:
    return Synapses(
        n_inputs=n_inputs,
        source=connections.source,
        target=connections.target,
        weight=connections.weight,
        inhibitory=connections.inhibitory,
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
    wanted = {sensor_tau(p.synapse_type): p for p in projections if p.is_plastic}
    if len(wanted) > 1:
        found = ", ".join(
            f"{p.label!r} {p.synapse_type.common_parameters()['tau_plus']:g} ms"
            for p in wanted.values()
        )
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
    lsb_per_unit: Array,
    routing: Routing,
) -> list[MemristiveConnections]:
    found: list[MemristiveConnections] = []
    first = 0
    n_rows = np.diff(routing.first)
    # The sensors' synapses come after those of all connections.
    sensor = routing.first[connections.source.size]
    for projection in projections:
        where = slice(first, first + len(projection))
        first += len(projection)
        if projection.devices is None or not projection.devices.changes:
            continue
        sign = np.where(projection.has_negative_weights(), -1.0, 1.0)
        common = (projection, where, sign * lsb_per_unit[where], n_rows[where])
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
