"""Distances between connected cells."""

import numpy as np
from pyNN.space import Space


def pair_distances(
    space: Space,
    pre_positions: np.ndarray,
    post_positions: np.ndarray,
    pre: np.ndarray,
    post: np.ndarray,
) -> np.ndarray:
    """Return the distance of each pair of cells, as `Space.distances` defines it.

    `Space.distances` returns the full distance matrix; this needs only the pairs.

    Parameters
    ----------
    space : pyNN.space.Space
        Axes, scale factor, offset and periodic boundaries.
    pre_positions, post_positions : ndarray, shape (3, n_pre) and (3, n_post)
        Cell positions, in the units of the network.
    pre, post : ndarray of int64, shape (n,)
        Indices of the cells of each pair.

    Returns
    -------
    ndarray of float, shape (n,)
        Distances, in the units of the positions.
    """
    target_positions = space.scale_factor * (post_positions.T + space.offset)
    squared = np.zeros(pre.size)
    for axis in space.axes:
        difference = np.abs(pre_positions[axis, pre] - target_positions[post, axis])
        if space.periodic_boundaries is not None:
            boundaries = space.periodic_boundaries[axis]
            if boundaries is not None:
                period = boundaries[1] - boundaries[0]
                difference = np.minimum(difference, period - difference)
        squared += difference**2
    return np.sqrt(squared)
