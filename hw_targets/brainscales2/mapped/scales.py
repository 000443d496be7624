"""How strong an event of weight 1 is on the chip: chosen once for a network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.mapped import scaling
from hw_targets.brainscales2.mapped.compartments import Compartment
from hw_targets.brainscales2.mapped.connections import Connections
from hw_targets.brainscales2.mapped.neurons import CellPlan
from hw_targets.brainscales2.mapped.scaling import INPUTS, Array, VoltageMap

IntArray = npt.NDArray[np.int64]


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
class WeightScales:
    """Scales of weights by connection.

    Parameters
    ----------
    current : ndarray
        Current in LSB/us of an event of weight 1 nA or uS.
    per_unit : ndarray
        LSB of weight per nA or uS.
    gm : ndarray
        i_synin_gm of the input.
    rows : ndarray
        Rows that a connection may take.
    """

    current: Array
    per_unit: Array
    gm: Array
    rows: Array


def choose_scales(
    compartments: Sequence[Compartment],
    plans: Sequence[CellPlan],
    asked: Connections,
    merge: int,
    rows: int | None,
) -> Scales:
    """Choose scales such that the strongest connections fit.

    Parameters
    ----------
    compartments, plans : sequence of Compartment, of CellPlan
        In the order of the circuits.
    asked : Connections
        With weights in PyNN's units.
    merge : int
        Circuits of a compartment.
    rows : int or None
        Rows that a connection may take at most; None: as many as its weight needs.

    Returns
    -------
    Scales
    """
    current = asked.largest * _currents(plans, asked)
    owner = _owner(compartments, asked)
    strongest = [
        {
            name: float(np.max(current[(owner == k) & (asked.inhibitory == (name == "inh"))],
                               initial=0.0))
            for name in INPUTS
        }
        for k in range(len(compartments))
    ]  # fmt: skip
    dac = scaling.choose_dac(float(np.max(current, initial=0.0)), merge, rows)
    taken = [
        {name: scaling.choose_rows(value, dac, merge, rows) for name, value in of.items()}
        for of in strongest
    ]
    gm = [
        {name: scaling.choose_gm(value, dac, merge, n[name]) for name, value in of.items()}
        for of, n in zip(strongest, taken, strict=True)
    ]
    voltages = [
        plan.voltage
        for plan, compartment in zip(plans, compartments, strict=True)
        if not compartment.is_dendrite
    ]
    return Scales(voltages, dac, gm, taken)


def scale_weights(
    compartments: Sequence[Compartment],
    plans: Sequence[CellPlan],
    asked: Connections,
    scales: Scales,
    merge: int,
) -> WeightScales:
    """Find the scale of each connection's weight.

    Parameters
    ----------
    compartments, plans, asked, merge
        As in `choose_scales`.
    scales : Scales
        Of the network.

    Returns
    -------
    WeightScales
    """
    current = _currents(plans, asked)
    gm = _by_input(compartments, scales.gm, asked)
    return WeightScales(
        current,
        current / (gm * scaling.gain(1.0, scales.dac, merge)),
        gm,
        _by_input(compartments, scales.rows, asked),
    )


def _currents(plans: Sequence[CellPlan], asked: Connections) -> Array:
    """Find the current in LSB/us of an event of weight 1 nA or uS, by connection."""
    if not plans:
        return np.empty(0)
    by_cell = {r: np.concatenate([plan.factor[r] for plan in plans]) for r in INPUTS}
    return np.where(asked.inhibitory, by_cell["inh"][asked.target], by_cell["exc"][asked.target])


def _owner(compartments: Sequence[Compartment], connections: Connections) -> IntArray:
    """Find the compartment of each connection's target."""
    sizes = [compartment.size for compartment in compartments]
    return np.repeat(np.arange(len(compartments)), sizes)[connections.target]


def _by_input(
    compartments: Sequence[Compartment], values: Sequence[dict[str, int]], connections: Connections
) -> Array:
    """Give each connection what its input has, by compartment and "exc" or "inh"."""
    if not compartments:
        return np.empty(0)
    by_kind = np.array([[of["exc"], of["inh"]] for of in values], float)
    return by_kind[_owner(compartments, connections), connections.inhibitory.astype(int)]
