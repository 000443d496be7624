"""Rows of synapses: does the chip have enough, and which does a connection get.

The circuits of one row of the chip (top or bottom) share an array of 256 rows of synapses, each of
which is excitatory or inhibitory for all of them; a circuit has one synapse in each row. Events of
neurons and of on-chip sources arrive on one of four buses of 64 rows each, those from outside on
any (halco, crossbar.h: neurons of columns 32 k ... 32 k + 31 are on bus k modulo 4).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.placement import N_BUSES, position

IntArray = npt.NDArray[np.int64]

ANY_BUS = -1
"""Bus of events from outside."""
_COLUMNS_PER_OUTPUT = 32


class UnsuccessfulRouting(RuntimeError):
    """The chip's synapses can't be connected as a network needs."""


class PlacedSynapse(NamedTuple):
    """Where a synapse is: array (0 top, 1 bottom), row and column."""

    array: int
    row: int
    column: int

    @property
    def synapse_row(self) -> int:
        """Row among those of both arrays, as the vendor has it."""
        return self.array * limits.N_ROWS + self.row

    @property
    def synapse_on_row(self) -> int:
        """Column, as the vendor has it."""
        return self.column

    # Names of the vendor's coordinates. They import this package.

    def toSynapseOnSynram(self) -> Any:  # noqa: N802
        """Return row and column as a coordinate."""
        from hw_targets.brainscales2.vendor import halco

        row, column = halco.SynapseRowOnSynram(self.row), halco.SynapseOnSynapseRow(self.column)
        return halco.SynapseOnSynram(row, column)

    def toSynapseOnSynapseRow(self) -> Any:  # noqa: N802
        """Return the column as a coordinate."""
        return self.toSynapseOnSynram().toSynapseOnSynapseRow()

    def toSynramOnDLS(self) -> Any:  # noqa: N802
        """Return the array as a coordinate."""
        from hw_targets.brainscales2.vendor import halco

        return halco.SynramOnDLS(self.array)


class Routing(NamedTuple):
    """Rows of all synapses of a network.

    `first[i]` ... `first[i + 1]` are the synapses of connection i in `array`, `row` and `column`.
    """

    first: IntArray
    array: IntArray
    row: IntArray
    column: IntArray

    def of(self, connection: int) -> list[PlacedSynapse]:
        """Return the synapses of one connection."""
        chosen = slice(self.first[connection], self.first[connection + 1])
        columns = (values[chosen].tolist() for values in self[1:])
        return [PlacedSynapse(*synapse) for synapse in zip(*columns, strict=True)]


def bus_of_circuit(circuit: int) -> int:
    """Return the bus on which the events of a circuit arrive."""
    return (position(circuit).column // _COLUMNS_PER_OUTPUT) % N_BUSES


def n_synapses(weight: npt.ArrayLike) -> IntArray:
    """Return how many synapses in parallel a weight takes: one, and one more for each full 63.

    Parameters
    ----------
    weight : array_like
        Weights, of either sign.

    Returns
    -------
    ndarray of int64
    """
    full = np.ceil(np.abs(np.asarray(weight, dtype=float)) / limits.WEIGHT_MAX)
    return np.maximum(full, 1).astype(np.int64)


def route(target: IntArray, bus: IntArray, inhibitory: npt.NDArray[np.bool_],
          weight: npt.ArrayLike, members: Sequence[IntArray]) -> Routing:  # fmt: skip
    """Find a row for each synapse.

    Parameters
    ----------
    target : ndarray of int64, shape (n,)
        Compartment of each connection.
    bus : ndarray of int64, shape (n,)
        Bus on which its events arrive, or `ANY_BUS`.
    inhibitory : ndarray of bool, shape (n,)
        Whether its synapses must be in inhibitory rows.
    weight : array_like, shape (n,)
        Its weight.
    members : sequence of ndarray of int64
        Circuits of each compartment, 0 ... 511; its synapses are spread over them evenly.

    Returns
    -------
    Routing

    Raises
    ------
    UnsuccessfulRouting
        If there are not enough rows.
    """
    counts = n_synapses(weight)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    target, bus = np.repeat(target, counts), np.repeat(bus, counts)
    inhibitory = np.repeat(inhibitory, counts)
    target = _spread(target, bus, inhibitory, members)
    array, column = np.divmod(target, limits.N_COLUMNS)
    _check_fan_in(target)
    row = np.empty(target.size, dtype=np.int64)
    for half in range(2):
        chosen = array == half
        if chosen.any():
            row[chosen] = _rows(column[chosen], bus[chosen], inhibitory[chosen], half)
    return Routing(first, array, row, column)


def _spread(
    target: IntArray,
    bus: IntArray,
    inhibitory: npt.NDArray[np.bool_],
    members: Sequence[IntArray],
) -> IntArray:
    """Choose circuits for synapses of compartments, in turn for each kind of row."""
    sizes = np.array([circuits.size for circuits in members], dtype=np.int64)
    first = np.cumsum(sizes) - sizes
    order = np.lexsort((inhibitory, bus, target))
    turn = np.empty(target.size, dtype=np.int64)
    turn[order] = _rank(target[order])
    circuits = np.concatenate([np.empty(0, dtype=np.int64), *members])
    return np.asarray(circuits[first[target] + turn % sizes[target]])


def _check_fan_in(target: IntArray) -> None:
    fan_in = np.bincount(target, minlength=limits.N_CIRCUITS)
    worst = int(np.argmax(fan_in))
    if fan_in[worst] > limits.N_ROWS:
        raise UnsuccessfulRouting(
            "Neuron(s) with in-degree larger than the number of synapse rows exist. The neuron on "
            f"circuit {worst} needs {fan_in[worst]} synapses, a circuit has {limits.N_ROWS}; each "
            f"connection takes one for every {limits.WEIGHT_MAX} of its weight: use fewer or "
            "weaker connections"
        )


def _rows(
    column: IntArray, bus: IntArray, inhibitory: npt.NDArray[np.bool_], half: int
) -> IntArray:
    """Find rows in one array: first for what has its bus, then for the rest."""
    sign = inhibitory.astype(np.int64)
    fixed = bus != ANY_BUS
    free = [list(range(b * limits.ROWS_PER_PADI_BUS, (b + 1) * limits.ROWS_PER_PADI_BUS))
            for b in range(N_BUSES)]  # fmt: skip
    used: list[list[int]] = [[], []]
    row = np.empty(column.size, dtype=np.int64)
    for b in range(N_BUSES):
        for s in range(2):
            chosen = np.flatnonzero(fixed & (bus == b) & (sign == s))
            rank = _rank(column[chosen])
            needed = int(rank.max(initial=-1)) + 1
            if needed > len(free[b]):
                raise UnsuccessfulRouting(
                    f"{'top' if half == 0 else 'bottom'} neurons need more than the "
                    f"{limits.ROWS_PER_PADI_BUS} rows that connections from neurons and on-chip "
                    f"sources of bus {b} can have: use fewer connections, or place the neurons "
                    "elsewhere with setup's neuronPermutation"
                )
            rows = [free[b].pop(0) for _ in range(needed)]
            used[s] += rows
            row[chosen] = np.array(rows, dtype=np.int64)[rank]
    taken = np.zeros((limits.N_ROWS, limits.N_COLUMNS), dtype=bool)
    taken[row[fixed], column[fixed]] = True
    rest = [r for rows in free for r in rows]
    for s in range(2):
        chosen = np.flatnonzero(~fixed & (sign == s))
        # A row of this sign may be free in one column and taken in another.
        missing = _missing(column[chosen], taken[used[s]])
        if missing > len(rest):
            raise UnsuccessfulRouting(
                f"excitatory and inhibitory connections of {'top' if half == 0 else 'bottom'} "
                f"neurons together need more than {limits.N_ROWS} rows of synapses, each of which "
                "has one sign: use fewer connections"
            )
        rows, rest = used[s] + rest[:missing], rest[missing:]
        row[chosen] = _fill(column[chosen], np.array(rows, dtype=np.int64), taken)
    return row


def _rank(column: IntArray) -> IntArray:
    """Count earlier synapses of the same column."""
    order = np.argsort(column, kind="stable")
    sorted_ = column[order]
    starts = np.flatnonzero(np.diff(sorted_, prepend=-1))
    rank = np.empty(column.size, dtype=np.int64)
    rank[order] = np.arange(column.size) - np.repeat(starts, np.diff(starts, append=column.size))
    return rank


def _missing(column: IntArray, taken: npt.NDArray[np.bool_]) -> int:
    """Count the rows needed besides those that some columns have taken."""
    needed = np.bincount(column, minlength=limits.N_COLUMNS)
    available = taken.shape[0] - taken.sum(axis=0)
    return max(0, math.ceil(np.max(np.where(needed > 0, needed - available, 0), initial=0)))


def _fill(column: IntArray, rows: IntArray, taken: npt.NDArray[np.bool_]) -> IntArray:
    """Give the synapses of each column the first rows that are free there."""
    if not column.size:
        return np.empty(0, dtype=np.int64)
    # Rank of each free row among those of its column.
    free = ~taken[rows]
    order = np.argsort(~free, axis=0, kind="stable")
    return np.asarray(rows[order[_rank(column), column]])
