"""Neurons of one circuit each, which scripts connect to larger ones by the circuits' switches."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.placement import position
from hw_targets.brainscales2.pynn.morphology.wiring import Line

RIGHT = "multicompartment_connect_right"
VERTICAL = "multicompartment_connect_vertical"
TO_LINE = "multicompartment_connect_soma"
LINE_RIGHT = "multicompartment_connect_soma_right"
CONDUCTANCE = "multicompartment_enable_conductance"
_NAMES = (RIGHT, VERTICAL, TO_LINE, LINE_RIGHT, CONDUCTANCE)

_MEMBRANE, _LINE = 0, 1
_Node = tuple[int, int]


class Joined(NamedTuple):
    """What switches connect.

    `groups` are the circuits, in ascending order, whose membrane a circuit shares; circuits alone
    are left out. In `lines` the first circuit of a group stands for the group, and a circuit for
    the place of its conductance.
    """

    groups: dict[int, tuple[int, ...]]
    lines: tuple[Line, ...]


def of_populations(
    celltypes: Sequence[Any], where: Sequence[npt.NDArray[np.int64]]
) -> dict[int, set[str]]:
    """Find which switches of which circuits are closed.

    Parameters
    ----------
    celltypes : sequence of HXNeuron
        Cell types with evaluated parameters.
    where : sequence of ndarray of int64
        Circuits of their neurons.

    Returns
    -------
    dict of int to set of str
        Closed switches of each circuit; empty if no membrane is connected to anything.
    """
    closed: dict[int, set[str]] = {int(c): set() for circuits in where for c in circuits}
    for celltype, circuits in zip(celltypes, where, strict=True):
        for name in _NAMES:
            is_closed = np.asarray(celltype.parameter_space[name], dtype=bool)
            for circuit in circuits[is_closed].tolist():
                closed[circuit].add(name)
    connecting = set().union(*closed.values()) - {CONDUCTANCE}
    return closed if connecting else {}


def join(closed: Mapping[int, set[str]]) -> Joined:
    """Follow switches between circuits of neurons; those to other circuits have no effect.

    Parameters
    ----------
    closed : mapping of int to set of str
        Closed switches of each circuit that a neuron has.

    Returns
    -------
    Joined
    """
    root: dict[_Node, _Node] = {}

    def find(node: _Node) -> _Node:
        while root.setdefault(node, node) != node:
            node = root[node]
        return node

    for circuit, switches in closed.items():
        row, column = position(circuit)
        is_last = column == limits.N_COLUMNS - 1
        opposite = circuit + (limits.N_COLUMNS if row == 0 else -limits.N_COLUMNS)
        membrane, line = (_MEMBRANE, circuit), (_LINE, circuit)
        if RIGHT in switches and circuit + 1 in closed and not is_last:
            root[find(membrane)] = find((_MEMBRANE, circuit + 1))
        if VERTICAL in switches and opposite in closed:
            root[find(membrane)] = find((_MEMBRANE, opposite))
        if TO_LINE in switches:
            root[find(membrane)] = find(line)
        if LINE_RIGHT in switches and not is_last:
            root[find(line)] = find((_LINE, circuit + 1))
    shared: dict[_Node, list[int]] = {}
    for circuit in sorted(closed):
        shared.setdefault(find((_MEMBRANE, circuit)), []).append(circuit)
    ends: dict[_Node, list[tuple[int, int]]] = {}
    for circuit, switches in closed.items():
        if CONDUCTANCE in switches:
            first = shared[find((_MEMBRANE, circuit))][0]
            ends.setdefault(find((_LINE, circuit)), []).append((first, circuit))
    lines = tuple(
        Line(shared[wire][0] if wire in shared else None, tuple(meeting))
        for wire, meeting in ends.items()
    )
    groups = {c: tuple(group) for group in shared.values() if len(group) > 1 for c in group}
    return Joined(groups, lines)
