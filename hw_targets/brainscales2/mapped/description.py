"""What the mapping of a network has changed, put into a report."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.correlation import TAU_RANGE_US
from hw_targets.brainscales2.mapped.compartments import Compartment
from hw_targets.brainscales2.mapped.connections import Connections
from hw_targets.brainscales2.mapped.dendrite import DendritePlan
from hw_targets.brainscales2.mapped.neurons import CellPlan, Realised
from hw_targets.brainscales2.mapped.processor import sensor_tau
from hw_targets.brainscales2.mapped.report import (
    Clipped,
    DendriteReport,
    PopulationReport,
    ProjectionReport,
    rms,
    span,
)
from hw_targets.brainscales2.mapped.scales import Scales, WeightScales
from hw_targets.brainscales2.mapped.scaling import RECEPTORS
from hw_targets.brainscales2.routing import n_synapses


def describe_cells(
    compartments: Sequence[Compartment],
    plans: Sequence[CellPlan],
    scales: Scales,
    realised: Realised | None,
    merge: int,
) -> tuple[tuple[PopulationReport, ...], tuple[DendriteReport, ...]]:
    """Report how populations are realised.

    Parameters
    ----------
    compartments, plans : sequence of Compartment, of CellPlan
        In the order of the circuits.
    scales : Scales
        Of the network.
    realised : Realised or None
        Circuits; None without neurons.
    merge : int
        Circuits of a compartment.

    Returns
    -------
    populations, dendrites : tuple of PopulationReport, of DendriteReport
    """
    populations, dendrites = [], []
    failed = realised.n_failed if realised else []
    for compartment, plan_, gm, n_failed in zip(
        compartments, plans, scales.gm, failed, strict=True
    ):
        common = (compartment.population.label, compartment.size, compartment.size * merge)
        if isinstance(plan_, DendritePlan):
            dendrites.append(
                DendriteReport(
                    *common, span(plan_.lsb_per_na), span(plan_.targets["tau_icc"]),
                    span(plan_.targets["holdoff_time"]), gm["exc"], plan_.clipped, n_failed,
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


def describe_projection(
    projection: Any,
    number: int,
    asked: Connections,
    connections: Connections,
    weights: WeightScales,
    chip: Chip,
    period_ms: float,
) -> ProjectionReport:
    """Report how a projection is realised.

    Parameters
    ----------
    projection : Projection
        Projection.
    number : int
        Its number.
    asked, connections : Connections
        All connections with weights in PyNN's units, and in LSB.
    weights : WeightScales
        Scales of all of them.
    chip : Chip
        Chip.
    period_ms : float
        Time from one activity of the processor to the next.

    Returns
    -------
    ProjectionReport
    """
    own = asked.projection == number
    wanted, found, unit = asked.weight[own], connections.weight[own], weights.per_unit[own]
    error = rms(found / unit - wanted)
    size = rms(wanted)
    (delay,) = projection.read("delay")
    late = delay[delay > 0]
    short = RECEPTORS[projection.receptor_type]
    most = weights.rows[own] * limits.WEIGHT_MAX
    limit = transfer.SATURATION[short] * weights.gm[own] / transfer.GM_TARGET
    current = connections.largest[own] * weights.current[own] / unit
    plastic = projection.is_plastic
    is_read = projection.devices is not None and projection.devices.changes
    return ProjectionReport(
        label=projection.label,
        receptor=projection.receptor_type,
        n=len(projection),
        n_synapses=int(n_synapses(connections.largest[own]).sum()) + plastic * len(projection),
        unit="uS" if projection.post.conductance_based else "nA",
        lsb_per_unit=span(unit) if unit.size else (0.0, 0.0),
        largest_weight=float(connections.largest[own].max(initial=0.0)),
        rms_error=error,
        relative_rms_error=error / size if size else 0.0,
        # What rounds down to the largest weight is no more wrong than other rounding.
        n_clipped=int(np.sum(asked.largest[own] * unit > most + 0.5)),
        n_zeroed=int(np.sum((asked.largest[own] > 0) & (connections.largest[own] == 0))),
        n_delays=late.size,
        delays=span(late) if late.size else None,
        of_saturation=0.0 if chip.is_ideal else float(np.max(current / limit, initial=0.0)),
        period_ms=period_ms if is_read else None,
        clipped=_clipped_tau(projection) if plastic else (),
    )


def _clipped_tau(projection: Any) -> tuple[Clipped, ...]:
    asked = float(projection.synapse_type.common_parameters()["tau_plus"])
    if sensor_tau(projection.synapse_type) == asked:
        return ()
    return (Clipped("tau_plus", len(projection), (asked, asked), TAU_RANGE_US, "ms"),)
