"""Conductances between circuits, which make them compartments of one neuron."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.engine.clock import CYCLE_US

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

Link = tuple[int, int, float]


class Compartments(NamedTuple):
    """Connected components of circuits, as `kernel.Network` needs them."""

    component: IntArray
    member_first: IntArray
    member: IntArray
    exchange_first: IntArray
    exchange: FloatArray


def compartments(links: Sequence[Link], capacitance: FloatArray, cycles: int) -> Compartments:
    """Solve the exchange of currents between circuits for every length of half a step.

    dV_i/dt = rate / capacitance_i (V_j - V_i), and the same for j.

    Parameters
    ----------
    links : sequence of (int, int, float)
        Two circuits and the rate in 1/us at a capacitance of 1, > 0.
    capacitance : ndarray, shape (n,)
        Relative capacitances.
    cycles : int
        Longest step.

    Returns
    -------
    Compartments

    Raises
    ------
    ValueError
        If a circuit doesn't exist, is linked to itself, or a rate is not positive and finite.
    """
    n = capacitance.size
    for i, j, rate in links:
        if not (0 <= i < n and 0 <= j < n and i != j):
            raise ValueError(
                f"Engine: inter_compartment ({i}, {j}), need two circuits of 0 ... {n - 1}"
            )
        if not (0.0 < rate < np.inf):
            raise ValueError(
                f"Engine: inter_compartment ({i}, {j}) with rate {rate:g}, need a finite rate > 0; "
                "for a connection without resistance merge the circuits (Circuits.merged)"
            )
    groups = _components(links, n)
    component = np.full(n, -1, dtype=np.int64)
    member_first, exchange_first, tables = [0], [], []
    offset = 0
    for c, group in enumerate(groups):
        component[group] = c
        member_first.append(member_first[-1] + len(group))
        exchange_first.append(offset)
        tables.append(_exchange(links, group, capacitance[group], cycles).ravel())
        offset += tables[-1].size
    return Compartments(
        component,
        np.array(member_first, dtype=np.int64),
        np.array([i for group in groups for i in group], dtype=np.int64),
        np.array(exchange_first, dtype=np.int64),
        np.concatenate([*tables, np.empty(0)]),
    )


def _components(links: Sequence[Link], n: int) -> list[list[int]]:
    leader = list(range(n))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for i, j, _ in links:
        low, high = sorted((find(i), find(j)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for i in range(n):
        groups.setdefault(find(i), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _exchange(
    links: Sequence[Link], group: list[int], capacitance: FloatArray, cycles: int
) -> FloatArray:
    """Matrix exponentials, shape (cycles + 1, m, m)."""
    place = {circuit: i for i, circuit in enumerate(group)}
    laplacian = np.zeros((len(group), len(group)))
    for i, j, rate in links:
        if i in place:
            a, b = place[i], place[j]
            laplacian[[a, b], [a, b]] += rate
            laplacian[[a, b], [b, a]] -= rate
    # Similar to a symmetric matrix, whose eigenvectors are orthogonal.
    root = np.sqrt(capacitance)
    rates, vectors = np.linalg.eigh(laplacian / np.outer(root, root))
    t = np.arange(cycles + 1)[:, None] * (0.5 * CYCLE_US)
    decay = np.exp(-rates * t)
    symmetric = np.einsum("ia,ka,ja->kij", vectors, decay, vectors)
    return np.asarray(symmetric * root[None, None, :] / root[None, :, None])
