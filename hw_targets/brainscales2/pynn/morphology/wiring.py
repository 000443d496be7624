"""From compartments and connections to circuits of the chip and what couples them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.placement import CircuitPosition, position
from hw_targets.brainscales2.pynn.morphology.parts import Compartment, SharedLineConnection

N_ROWS = limits.N_CIRCUITS // limits.N_COLUMNS


class Line(NamedTuple):
    """A closed piece of a shared line.

    `direct` is the compartment connected to it without resistance, if there is one; `resistive` has
    a compartment and the place of its circuit in `Wiring.circuits` for each conductance.
    """

    direct: int | None
    resistive: tuple[tuple[int, int], ...]


class Wiring(NamedTuple):
    """Circuits of a neuron and what couples them.

    `circuits` are rows and columns relative to the first; `members` are the circuits of each
    compartment by their place there. Circuits of no compartment only lead the shared line on.
    """

    circuits: tuple[CircuitPosition, ...]
    members: tuple[tuple[int, ...], ...]
    lines: tuple[Line, ...]


def line_links(lines: Sequence[Line], rates: Sequence[float]) -> list[tuple[int, int, float]]:
    """Find the conductances between compartments.

    Parameters
    ----------
    lines : sequence of Line
        Closed pieces of the shared lines.
    rates : sequence of float
        Conductance of each circuit over a capacitance of 1, in 1/us.

    Returns
    -------
    list of (int, int, float)
        Two compartments and the conductance between them; without those that are 0.
    """
    links = []
    for line in lines:
        ends = [(compartment, float(rates[place])) for compartment, place in line.resistive]
        if line.direct is not None:
            links += [(c, line.direct, rate) for c, rate in ends if c != line.direct]
            continue
        # Conductances that meet at a wire without capacitance.
        total = sum(rate for _, rate in ends)
        links += [
            (a, b, rate * other / total)
            for k, (a, rate) in enumerate(ends)
            for b, other in ends[k + 1 :]
            if a != b and total > 0.0
        ]
    return [link for link in links if link[2] > 0.0]


def wire(
    name: str, compartments: Sequence[Compartment], connections: Sequence[SharedLineConnection]
) -> Wiring:
    """Place the circuits of a neuron and follow its shared lines.

    Parameters
    ----------
    name : str
        Name of the neuron's type, for errors.
    compartments : sequence of Compartment
        Compartments.
    connections : sequence of SharedLineConnection
        Closed pieces of the shared lines.

    Returns
    -------
    Wiring

    Raises
    ------
    RuntimeError
        If circuits are in several compartments or don't exist, those of one compartment are not
        next to each other, or compartments are not coupled, or without resistance.
    """
    places: dict[CircuitPosition, int] = {}
    members = []
    for compartment in compartments:
        at = [_position(name, number) for number in compartment.positions]
        for number, where in zip(compartment.positions, at, strict=True):
            if where in places:
                raise RuntimeError(f"{name}: circuit {number} is in several compartments")
            places[where] = len(places)
        _check_adjacent(name, compartment, at)
        members.append(tuple(places[where] for where in at))
    wire_of = _closed(name, connections)
    for where in wire_of:
        places.setdefault(where, len(places))
    lines = _lines(name, compartments, places, wire_of)
    _check_coupled(name, compartments, lines)
    first = next(iter(places))
    circuits = tuple(CircuitPosition(p.row - first.row, p.column - first.column) for p in places)
    return Wiring(circuits, tuple(members), lines)


def _position(name: str, number: int) -> CircuitPosition:
    if number >= limits.N_CIRCUITS:
        raise RuntimeError(f"{name}: circuit {number}, need 0 ... {limits.N_CIRCUITS - 1}")
    return position(number)


def _check_adjacent(name: str, compartment: Compartment, at: list[CircuitPosition]) -> None:
    reached, left = at[:1], set(at[1:])
    while reached:
        row, column = reached.pop()
        neighbours = {(row, column - 1), (row, column + 1), (1 - row, column)}
        found = [where for where in left if where in neighbours]
        left -= set(found)
        reached += found
    if left:
        raise RuntimeError(
            f"{name}: circuits {compartment.positions} of compartment {compartment.label!r} are "
            "not all next to each other, so their membranes can't be connected"
        )


def _closed(
    name: str, connections: Sequence[SharedLineConnection]
) -> dict[CircuitPosition, CircuitPosition]:
    """Map each piece of the lines that is connected to others to one that stands for all."""
    wire_of: dict[CircuitPosition, CircuitPosition] = {}
    for start, stop, row in connections:
        if not (0 <= start < stop < limits.N_COLUMNS and 0 <= row < N_ROWS):
            raise RuntimeError(
                f"{name}: SharedLineConnection(start={start}, stop={stop}, row={row}), need "
                f"columns start < stop of 0 ... {limits.N_COLUMNS - 1} and a row of 0 ... "
                f"{N_ROWS - 1}"
            )
        piece = [CircuitPosition(row, column) for column in range(start, stop + 1)]
        joined = {wire_of.get(where, where) for where in piece}
        for where in [*piece, *(w for w, to in wire_of.items() if to in joined)]:
            wire_of[where] = piece[0]
    return wire_of


def _lines(
    name: str,
    compartments: Sequence[Compartment],
    places: dict[CircuitPosition, int],
    wire_of: dict[CircuitPosition, CircuitPosition],
) -> tuple[Line, ...]:
    direct: dict[CircuitPosition, int] = {}
    resistive: dict[CircuitPosition, list[tuple[int, int]]] = {}
    for c, compartment in enumerate(compartments):
        for number in compartment.connect_shared_line:
            wire = wire_of.get(position(number), position(number))
            if direct.setdefault(wire, c) != c:
                raise RuntimeError(
                    f"{name}: compartments {compartments[direct[wire]].label!r} and "
                    f"{compartment.label!r} are connected without resistance; make them one "
                    "compartment, or use connect_conductance"
                )
        for number, _ in compartment.connect_conductance:
            if number in compartment.connect_shared_line:
                raise RuntimeError(
                    f"{name}: circuit {number} is connected to the shared line directly and "
                    "through its conductance; choose one"
                )
            wire = wire_of.get(position(number), position(number))
            resistive.setdefault(wire, []).append((c, places[position(number)]))
    return tuple(Line(direct.get(wire), tuple(ends)) for wire, ends in resistive.items())


def _check_coupled(name: str, compartments: Sequence[Compartment], lines: tuple[Line, ...]) -> None:
    group = list(range(len(compartments)))
    for line in lines:
        ends = {c for c, _ in line.resistive} | ({line.direct} - {None})
        joined = {group[c] for c in ends if c is not None}
        group = [min(joined) if g in joined else g for g in group]
    if len(set(group)) > 1:
        label = compartments[group.index(max(group))].label
        raise RuntimeError(
            f"{name}: compartment {label!r} is not connected with the others; connect their "
            "circuits to a shared line and close it by a SharedLineConnection"
        )


def checked_sequence(name: str, what: str, values: Any, kind: type) -> list[Any]:
    """Return a sequence as a list.

    Raises
    ------
    TypeError
        If it is none, or of other things.
    """
    try:
        items = list(values)
    except TypeError:
        raise TypeError(f"{name}: {what}={values!r}, need a sequence of {kind.__name__}") from None
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(f"{name}: {what} with {item!r}, need a sequence of {kind.__name__}")
    return items
