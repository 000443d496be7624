"""Parts of a morphology: compartments and closed pieces of the shared lines."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class SharedLineConnection(NamedTuple):
    """The shared line of a row of circuits, closed from one column to another."""

    start: int
    stop: int
    row: int


class Compartment:
    """Circuits with one membrane.

    Parameters
    ----------
    positions : sequence of int
        Circuits of the neuron: 0 ... 255 are those of one row of the chip, 256 ... 511 those in the
        same columns of the other row.
    label : str
        Name; several compartments may have the same.
    connect_shared_line : sequence of int, optional
        Circuits that are connected to the shared line directly.
    connect_conductance : sequence of (int, int), optional
        Circuits that are connected to the shared line through their conductance, with the
        conductance's bias, 0 ... 1022.
    **parameters
        Parameters of `HXNeuron`, one value for all circuits or one for each.

    Raises
    ------
    TypeError
        If an argument is no such sequence, names a circuit twice or one that is not in `positions`,
        or the label is no string.
    """

    def __init__(
        self,
        positions: Sequence[int],
        label: str,
        connect_shared_line: Sequence[int] | None = None,
        connect_conductance: Sequence[tuple[int, int]] | None = None,
        **parameters: Any,
    ) -> None:
        self._connect_shared_line: list[int] = []
        self._connect_conductance: list[tuple[int, int]] = []
        self.label = label
        self.positions = positions
        self.connect_shared_line = [] if connect_shared_line is None else connect_shared_line
        self.connect_conductance = [] if connect_conductance is None else connect_conductance
        self.parameters = parameters

    @property
    def label(self) -> str:
        """Name."""
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"Compartment: label={label!r}, need a string")
        self._label = label

    @property
    def positions(self) -> Any:
        """Circuits of the neuron, a list of int."""
        return self._positions

    @positions.setter
    def positions(self, values: Any) -> None:
        positions = _positions(self.label, "positions", values)
        self._check_used("connect_shared_line", self._connect_shared_line, positions)
        self._check_used("connect_conductance", _circuits(self._connect_conductance), positions)
        self._positions = positions

    @property
    def connect_shared_line(self) -> Any:
        """Circuits connected to the shared line directly, a list of int."""
        return self._connect_shared_line

    @connect_shared_line.setter
    def connect_shared_line(self, values: Any) -> None:
        circuits = _positions(self.label, "connect_shared_line", values)
        self._check_used("connect_shared_line", circuits, self.positions)
        self._connect_shared_line = circuits

    @property
    def connect_conductance(self) -> Any:
        """Circuits connected to the shared line resistively, a list of (int, int)."""
        return self._connect_conductance

    @connect_conductance.setter
    def connect_conductance(self, values: Any) -> None:
        pairs = _conductances(self.label, values)
        self._check_used("connect_conductance", _circuits(pairs), self.positions)
        self._connect_conductance = pairs

    @property
    def size(self) -> int:
        """Number of circuits."""
        return len(self.positions)

    def _check_used(self, name: str, used: Iterable[int], positions: list[int]) -> None:
        missing = set(used) - set(positions)
        if missing:
            raise TypeError(
                f"Compartment {self.label!r}: {name} with circuits {sorted(missing)}, which are "
                f"not in positions={positions}"
            )


PlacedCompartment = Compartment
"""Later name of the vendor's."""


def _circuits(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [circuit for circuit, _ in pairs]


def _positions(label: str, name: str, values: Any) -> list[int]:
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(f"Compartment {label!r}: {name}={values!r}, need a sequence of integers")
    positions = list(values)
    for position in positions:
        if not isinstance(position, int) or position < 0:
            raise TypeError(f"Compartment {label!r}: {name} with {position!r}, need integers >= 0")
    if len(set(positions)) < len(positions):
        raise TypeError(f"Compartment {label!r}: {name}={positions}, need each circuit once")
    return positions


def _conductances(label: str, values: Any) -> list[tuple[int, int]]:
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(
            f"Compartment {label!r}: connect_conductance={values!r}, need a sequence of pairs"
        )
    pairs = list(values)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(
                f"Compartment {label!r}: connect_conductance with {pair!r}, need pairs of a "
                "circuit and a bias, (position, conductance)"
            )
    _positions(label, "connect_conductance", [position for position, _ in pairs])
    return pairs
