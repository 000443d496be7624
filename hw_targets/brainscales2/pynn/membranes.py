"""Membranes of a network: which circuits share one, and the conductances between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.pynn.cells import HXNeuron
from hw_targets.brainscales2.pynn.morphology.wiring import line_links
from hw_targets.brainscales2.pynn.switches import Joined, join, of_populations
from hw_targets.brainscales2.settings import Settings
from hw_targets.brainscales2.transfer import compartment_rate

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.simulator import State

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Membranes:
    """What the engine has as compartments.

    Parameters
    ----------
    members : list of ndarray of int64
        Circuits of each.
    index : dict of int to int
        Neuron -> its first.
    own : dict of int to list of ndarray of int64
        Neuron -> its own circuits of each of its compartments. They are less than the compartment's
        where switches join neurons.
    silent : frozenset of int
        Neurons without a threshold of their own on a membrane that spikes for another neuron.
    links : list of (int, int, float)
        Conductances between them.
    """

    members: list[IntArray]
    index: dict[int, int]
    own: dict[int, list[IntArray]]
    silent: frozenset[int]
    links: list[Link]


def find_membranes(state: "State", neurons: Sequence[Any], settings: Settings) -> Membranes:
    """Find the membranes of placed neurons.

    Parameters
    ----------
    state : State
        State with the placement.
    neurons : sequence of Population
        Populations of neurons.
    settings : Settings
        Settings of the chip.

    Returns
    -------
    Membranes

    Raises
    ------
    ValueError
        If a conductance is out of range.
    """
    own = {
        int(cell): _own_circuits(state, population.celltype, cell)
        for population in neurons
        for cell in population.all_cells
    }
    joined = _joined(neurons, own)
    members: list[IntArray] = []
    index: dict[int, int] = {}
    position: dict[tuple[int, ...], int] = {}
    for cell, circuits in own.items():
        group = joined.groups.get(int(circuits[0][0]))
        if group is None:
            index[cell] = len(members)
            members += circuits
        else:
            index[cell] = position.setdefault(group, len(members))
            if index[cell] == len(members):
                members.append(np.array(group, dtype=np.int64))
    silent = frozenset(
        cell
        for cell, ((first, *_), *_) in own.items()
        if int(first) in joined.groups and not settings["threshold_enable"][first]
    )
    return Membranes(
        members, index, own, silent, _links(state, neurons, index, own, settings, joined)
    )


def _own_circuits(state: "State", celltype: Any, cell: Any) -> list[IntArray]:
    circuits = np.array(state.neuron_placement.circuits_of(cell), dtype=np.int64)
    return [circuits[list(members)] for members in celltype.compartment_members]


def _joined(neurons: Sequence[Any], own: dict[int, list[IntArray]]) -> Joined:
    """Find what the switches of raw neurons connect."""
    raw = [population for population in neurons if isinstance(population.celltype, HXNeuron)]
    where = [np.concatenate([own[int(cell)][0] for cell in p.all_cells]) for p in raw]
    return join(of_populations([population.celltype for population in raw], where))


def _links(
    state: "State",
    neurons: Sequence[Any],
    index: dict[int, int],
    own: dict[int, list[IntArray]],
    settings: Settings,
    joined: Joined,
) -> list[Link]:
    rates = compartment_rate({name: np.asarray(v) for name, v in settings.parameters.items()})
    at = {int(circuits[0][0]): index[cell] for cell, circuits in own.items()}
    links = [(at[a], at[b], rate) for a, b, rate in line_links(joined.lines, rates.tolist())]
    for population in neurons:
        cells = [int(cell) for cell in population.all_cells]
        circuits = np.array([state.neuron_placement.circuits_of(cell) for cell in cells])
        of_cells = population.celltype.links(rates[circuits])
        for cell, found in zip(cells, of_cells, strict=True):
            links += [(index[cell] + a, index[cell] + b, rate) for a, b, rate in found]
    return links
