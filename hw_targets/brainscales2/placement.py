"""Which circuits and which background sources of the chip the cells of a network get."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits

N_BUSES = 4
"""PADI buses of each half of the chip (halco, padi.h)."""

Offsets = Sequence[tuple[int, int]]
"""Rows and columns of a neuron's circuits relative to its first."""


class PlacementError(RuntimeError):
    """The chip has no room for a network."""


class CircuitPosition(NamedTuple):
    """Where a circuit is: top (0) or bottom (1) row, and column."""

    row: int
    column: int


def position(circuit: int) -> CircuitPosition:
    """Return the position of a circuit of 0 ... 511."""
    return CircuitPosition(*divmod(int(circuit), limits.N_COLUMNS))


class NeuronPlacement:
    """Circuits of all neurons; each gets the first free one of the permutation.

    Parameters
    ----------
    permutation : iterable of int, optional
        Circuits in the order in which neurons get them; they may be less than all.

    Raises
    ------
    OverflowError
        If they are more than the chip has, or one doesn't exist.
    TypeError
        If one is negative or no integer.
    ValueError
        If one occurs twice.
    """

    def __init__(self, permutation: Iterable[int] | None = None) -> None:
        given = range(limits.N_CIRCUITS) if permutation is None else list(permutation)
        self._free = dict.fromkeys(_checked("neuronPermutation", given, limits.N_CIRCUITS))
        self._circuits: dict[int, tuple[int, ...]] = {}

    @property
    def circuits(self) -> npt.NDArray[np.int64]:
        """All circuits in use, in the order in which they were given to neurons."""
        return np.array([c for several in self._circuits.values() for c in several], dtype=np.int64)

    def register(self, ids: Iterable[Any], offsets: Offsets = ((0, 0),)) -> None:
        """Place the neurons of a population.

        Parameters
        ----------
        ids : iterable of int
            Their IDs.
        offsets : sequence of (int, int), optional
            Circuits of each neuron relative to its first, which is at (0, 0).

        Raises
        ------
        PlacementError
            If there is no room.
        """
        cells = [int(cell) for cell in ids]
        free = self._free.copy()
        placed = {}
        anchors = iter(self._free)
        for cell in cells:
            circuits = next(filter(None, (_fitting(a, offsets, free) for a in anchors)), None)
            if circuits is None:
                raise PlacementError(
                    f"Placement unsuccessful. {len(cells)} neurons of {len(offsets)} circuits "
                    f"each, and {len(self._free)} of {limits.N_CIRCUITS} circuits are free (or in "
                    "the neuronPermutation): use fewer neurons"
                )
            for circuit in circuits:
                del free[circuit]
            placed[cell] = circuits
        self._free = free
        self._circuits |= placed

    def circuits_of(self, cell: Any) -> tuple[int, ...]:
        """Return the circuits of a neuron.

        Raises
        ------
        KeyError
            If it isn't placed (yet).
        """
        return self._circuits[int(cell)]

    def id2first_circuit(self, neuron_id: Any) -> Any:
        """Return the first circuit of a neuron, or a list of those of several."""
        if np.iterable(neuron_id):
            return [self._circuits[int(cell)][0] for cell in neuron_id]
        return self._circuits[int(neuron_id)][0]

    def is_placed(self, cell: Any) -> bool:
        """Tell whether a neuron has its circuits."""
        return int(cell) in self._circuits


class BackgroundSpikeSourcePlacement:
    """Buses that the on-chip sources feed: each population has one, on both halves of the chip.

    Parameters
    ----------
    permutation : iterable of int, optional
        Buses in the order in which populations get them, by default from the last to the first.

    Raises
    ------
    ValueError
        If a bus doesn't exist or occurs twice.
    """

    def __init__(self, permutation: Iterable[int] | None = None) -> None:
        given = list(reversed(range(N_BUSES)) if permutation is None else permutation)
        if len(given) > len(set(given)) or not set(given) <= set(range(N_BUSES)):
            raise ValueError(
                f"setup: backgroundPermutation={given}, need different numbers of 0 ... "
                f"{N_BUSES - 1}"
            )
        self._free = given
        self._buses: dict[int, int] = {}

    def register(self, ids: Iterable[Any]) -> None:
        """Place the sources of a population.

        Raises
        ------
        PlacementError
            If all buses have their source.
        """
        if not self._free:
            raise PlacementError(
                f"Placement unsuccessful. More than {len(set(self._buses.values()))} populations "
                f"of SpikeSourcePoissonOnChip, which take {limits.N_BACKGROUND_SOURCES} sources: "
                "use fewer, larger ones"
            )
        bus = self._free.pop(0)
        self._buses |= {int(cell): bus for cell in ids}

    def bus_of(self, cell: Any) -> int:
        """Return the bus of a source."""
        return self._buses[int(cell)]

    def is_placed(self, cell: Any) -> bool:
        """Tell whether a source has its bus."""
        return int(cell) in self._buses


def _checked(name: str, entries: Sequence[int], size: int) -> list[int]:
    if len(entries) > size:
        raise OverflowError(f"setup: {name} of {len(entries)} entries, need at most {size}")
    for entry in entries:
        if not isinstance(entry, Integral) or entry < 0:
            raise TypeError(f"setup: {name} with {entry!r}, need integers in 0 ... {size - 1}")
        if entry >= size:
            raise OverflowError(f"setup: {name} with {entry}, need integers in 0 ... {size - 1}")
    if len(entries) > len(set(entries)):
        raise ValueError(f"setup: non-unique entries in {name}, need each circuit once")
    return [int(entry) for entry in entries]


def _fitting(anchor: int, offsets: Offsets, free: dict[int, None]) -> tuple[int, ...] | None:
    """Circuits of a neuron at an anchor, None if it doesn't fit."""
    row, column = position(anchor)
    circuits = []
    for down, right in offsets:
        if not (0 <= row + down <= 1 and 0 <= column + right < limits.N_COLUMNS):
            return None
        circuit = (row + down) * limits.N_COLUMNS + column + right
        if circuit not in free:
            return None
        circuits.append(circuit)
    return tuple(circuits)
