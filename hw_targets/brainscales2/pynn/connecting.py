"""From projections to the synapses of the engine, and their places on the chip."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.engine import Synapses
from hw_targets.brainscales2.pynn.membranes import Membranes
from hw_targets.brainscales2.routing import ANY_BUS, Routing, bus_of_circuit, route

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.simulator import State

IntArray = npt.NDArray[np.int64]

#: What is collected of synapses, and its type; ``own`` counts the compartments of all neurons,
#: whether joined or not.
_COLUMNS = {
    "source": np.int64, "target": np.int64, "weight": np.float64, "inhibitory": np.bool_,
    "own": np.int64, "bus": np.int64,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Connected:
    """Synapses of a network.

    Parameters
    ----------
    synapses : Synapses
        All synapses; parallel ones are one.
    entrance : ndarray of int64, shape (n_synapses,)
        Circuit through whose input alone events of each synapse act, since the others of its
        compartment are other neurons'; -1: all act alike.
    connections : dict of int to slice
        Number of a projection -> its connections among the synapses.
    routing : Routing
        Where they are on the chip.
    """

    synapses: Synapses
    entrance: IntArray
    connections: dict[int, slice]
    routing: Routing


def connect(state: "State", membranes: Membranes, inputs: dict[int, int]) -> Connected:
    """Make the synapses of all projections and place them.

    Parameters
    ----------
    state : State
        State with projections and the placement of sources.
    membranes : Membranes
        Compartments of the neurons.
    inputs : dict of int to int
        Cell that is no neuron -> index as an external source.

    Returns
    -------
    Connected

    Raises
    ------
    UnsuccessfulRouting
        If the chip has too few synapses.
    """
    # The last input, which has no events, stands for silent neurons.
    n_inputs = len(inputs) + 1
    neurons = {cell: n_inputs + k for cell, k in membranes.index.items()}
    silent = dict.fromkeys(membranes.silent, n_inputs - 1)
    source_of = _lookup(state, inputs | neurons | silent)
    target_of = _lookup(state, membranes.index)
    own = list(itertools.chain.from_iterable(membranes.own.values()))
    firsts = np.cumsum([0, *map(len, membranes.own.values())]).tolist()
    own_of = _lookup(state, dict(zip(membranes.own, firsts, strict=False)))
    parts: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    connections, begin = {}, 0
    for number, projection in enumerate(state.projections):
        pre, post = projection.cell_ids()
        parts["source"].append(source_of[pre] + projection.source_compartment)
        parts["target"].append(target_of[post] + projection.compartment)
        parts["own"].append(own_of[post] + projection.compartment)
        parts["bus"].append(_buses(state, membranes, pre, projection.source_compartment))
        parts["weight"].append(np.abs(projection.weights))
        parts["inhibitory"].append(np.full(pre.size, projection.inhibitory))
        connections[number] = slice(begin, begin + pre.size)
        begin += pre.size
    columns = {
        name: np.concatenate([np.empty(0, dtype), *parts[name]]) for name, dtype in _COLUMNS.items()
    }
    into, bus = columns.pop("own"), columns.pop("bus")
    routing = route(into, bus, columns["inhibitory"], columns["weight"], own)
    entrance = _entrances(membranes, own, columns["target"], into)
    return Connected(Synapses(n_inputs=n_inputs, **columns), entrance, connections, routing)


def _entrances(
    membranes: Membranes, own: list[IntArray], target: IntArray, into: IntArray
) -> IntArray:
    if not target.size:
        return np.empty(0, dtype=np.int64)
    n_members = np.array([circuits.size for circuits in membranes.members], dtype=np.int64)
    n_own = np.array([circuits.size for circuits in own], dtype=np.int64)
    first = np.array([circuits[0] for circuits in own], dtype=np.int64)
    return np.where(n_members[target] > n_own[into], first[into], -1)


def _lookup(state: "State", values: dict[int, int]) -> IntArray:
    """Return an array of values by cell, -1 where there is none."""
    found = np.full(state.id_counter, -1, dtype=np.int64)
    found[list(values)] = list(values.values())
    return found


def _buses(state: "State", membranes: Membranes, pre: IntArray, compartment: int) -> IntArray:
    """Return the bus on which the events of each cell arrive."""
    placement = state.background_spike_source_placement
    found = {}
    for cell in np.unique(pre).tolist():
        if cell in membranes.own:
            found[cell] = bus_of_circuit(int(membranes.own[cell][compartment][0]))
        elif placement.is_placed(cell):
            found[cell] = placement.bus_of(cell)
        else:
            found[cell] = ANY_BUS
    return _lookup(state, found)[pre]
