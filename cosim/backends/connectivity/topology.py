"""Which cells a PyNN connector connects.

A self-connection is a connection of a cell with itself: the same cell ID on both sides, also
where two views overlap or an assembly contains the other side. (PyNN 0.13 compares IDs in the
map-based connectors, and whole populations in the fixed-number ones, which therefore miss the
overlap of different views.)
"""

from collections.abc import Callable
from copy import copy
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
from pyNN import connectors
from pyNN.common import Population
from pyNN.errors import ConnectionError
from pyNN.parameters import LazyArray
from pyNN.random import RandomDistribution

from cosim.backends.connectivity import sampling
from cosim.backends.connectivity.geometry import pair_distances
from cosim.backends.connectivity.replay import replay
from cosim.backends.connectivity.streams import Streams

# Pairs of cells whose connection probability is evaluated at once (8 MiB per array).
_PAIRS_PER_BLOCK = 2**20


class Topology(NamedTuple):
    """Connected cells, sorted by (pre, post).

    Attributes
    ----------
    pre, post : ndarray of int64, shape (n,)
        Indices into the presynaptic and the postsynaptic population.
    columns : dict of str to ndarray, shape (n,)
        Parameter values that the connector brings along, by PyNN name.
    """

    pre: np.ndarray
    post: np.ndarray
    columns: dict[str, np.ndarray]


def realise_topology(projection: Any, streams: Streams) -> Topology:
    """Draw the connections of a projection.

    Parameters
    ----------
    projection : pyNN.common.Projection
        The projection.
    streams : Streams
        Random streams of the projection.

    Returns
    -------
    Topology
        The connections.
    """
    connector = projection._connector
    # A subclass with its own `connect` means something else than the class it extends.
    if not type(connector).connect.__module__.startswith("pyNN."):
        return _replayed(connector, projection, streams)
    return _topology(connector, projection, streams)


@singledispatch
def _topology(connector: Any, projection: Any, streams: Streams) -> Topology:
    return _replayed(connector, projection, streams)


def _replayed(connector: Any, projection: Any, streams: Streams) -> Topology:
    return _sorted(projection, *replay(connector, projection, streams))


@_topology.register
def _all_to_all(
    connector: connectors.AllToAllConnector, projection: Any, streams: Streams
) -> Topology:
    n_pairs = projection.pre.size * projection.post.size
    return _from_keys(projection, _allowed(connector, projection, np.arange(n_pairs)))


@_topology.register
def _one_to_one(
    connector: connectors.OneToOneConnector, projection: Any, streams: Streams
) -> Topology:
    # As in PyNN, surplus cells of the larger population stay unconnected.
    indices = np.arange(min(projection.pre.size, projection.post.size))
    return Topology(indices, indices.copy(), {})


@_topology.register
def _fixed_probability(
    connector: connectors.FixedProbabilityConnector, projection: Any, streams: Streams
) -> Topology:
    rng = streams.generator("topology", connector.rng)
    n_pairs = projection.pre.size * projection.post.size
    keys = sampling.bernoulli(rng, connector.p_connect, n_pairs)
    return _from_keys(projection, _allowed(connector, projection, keys))


@_topology.register
def _distance_dependent_probability(
    connector: connectors.DistanceDependentProbabilityConnector,
    projection: Any,
    streams: Streams,
) -> Topology:
    pre_positions = projection.pre.positions
    post_positions = projection.post.positions

    def probability(pre: np.ndarray, post: np.ndarray) -> Any:
        distances = pair_distances(projection.space, pre_positions, post_positions, pre, post)
        return connector.distance_function(distances)

    return _pairwise_probability(connector, projection, streams, probability)


@_topology.register
def _index_based_probability(
    connector: connectors.IndexBasedProbabilityConnector, projection: Any, streams: Streams
) -> Topology:
    expression = copy(connector.index_expression)
    expression.projection = projection
    return _pairwise_probability(connector, projection, streams, expression)


@_topology.register
def _fixed_number_pre(
    connector: connectors.FixedNumberPreConnector, projection: Any, streams: Streams
) -> Topology:
    pre, post = _self_pairs(projection)
    excluded = np.full(projection.post.size, projection.pre.size)
    excluded[post] = pre
    targets, sources = _fixed_number(
        connector, projection, streams, excluded, n_choices=projection.pre.size
    )
    return _from_keys(projection, np.sort(sources * projection.post.size + targets))


@_topology.register
def _fixed_number_post(
    connector: connectors.FixedNumberPostConnector, projection: Any, streams: Streams
) -> Topology:
    pre, post = _self_pairs(projection)
    excluded = np.full(projection.pre.size, projection.post.size)
    excluded[pre] = post
    sources, targets = _fixed_number(
        connector, projection, streams, excluded, n_choices=projection.post.size
    )
    return _from_keys(projection, np.sort(sources * projection.post.size + targets))


@_topology.register
def _fixed_total_number(
    connector: connectors.FixedTotalNumberConnector, projection: Any, streams: Streams
) -> Topology:
    """Draw `n` connections from all allowed pairs.

    PyNN 0.13 documents `allow_self_connections` and `with_replacement` but ignores them here;
    both are honoured.
    """
    _refuse_no_mutual(connector, projection)
    n_pairs = projection.pre.size * projection.post.size
    excluded = np.empty(0, dtype=np.int64)
    if not connector.allow_self_connections:
        excluded = _self_keys(projection)
    counts = _counts(connector, projection, streams, 1)
    sizes = np.array([n_pairs - excluded.size])
    _, keys = _sample(connector, projection, streams, counts, sizes)
    # The k-th allowed pair lies beyond all excluded pairs that have at most k allowed before.
    keys += np.searchsorted(excluded - np.arange(excluded.size), keys, side="right")
    return _from_keys(projection, np.sort(keys))


@_topology.register
def _from_list(
    connector: connectors.FromListConnector, projection: Any, streams: Streams
) -> Topology:
    return _from_table(projection, connector.conn_list, connector.column_names)


@_topology.register
def _from_file(
    connector: connectors.FromFileConnector, projection: Any, streams: Streams
) -> Topology:
    if connector.distributed:
        raise NotImplementedError(
            f"Projection {projection.label!r}: FromFileConnector(distributed=True) is not "
            f"supported, since connectivity is realised as a whole; use one file"
        )
    if hasattr(connector.file.fileobj, "seek"):
        connector.file.fileobj.seek(0)  # an earlier realisation has read it to its end
    names = connector.file.get_metadata().get("columns", ("weight", "delay"))
    table = connector.file.read()
    return _from_table(
        projection, np.atleast_2d(table), [name for name in names if name not in ("i", "j")]
    )


@_topology.register
def _from_array(
    connector: connectors.ArrayConnector, projection: Any, streams: Streams
) -> Topology:
    shape = (projection.pre.size, projection.post.size)
    array = LazyArray(connector.array)
    if array.shape is None:  # a function of the indices
        array.shape = shape
    matrix = array.evaluate()
    if matrix.shape != shape or matrix.dtype != bool:
        raise ConnectionError(
            f"Projection {projection.label!r}: ArrayConnector needs a boolean array of shape "
            f"(n_pre, n_post) = {shape}, got {matrix.dtype} of shape {matrix.shape}; "
            f"convert 0 and 1 with .astype(bool)"
        )
    return _from_keys(projection, np.flatnonzero(matrix))


def _from_table(projection: Any, table: np.ndarray, names: Any) -> Topology:
    """Return the connections of a table with the columns pre, post and `names`."""
    if table.size == 0:
        table = np.empty((0, 2 + len(names)))
    if table.shape[1] != 2 + len(names):
        raise ValueError(
            f"Projection {projection.label!r}: the connection list has {table.shape[1]} columns, "
            f"need {2 + len(names)}: pre, post, {', '.join(names)}"
        )
    for column, side, size in (
        (table[:, 0], "presynaptic", projection.pre.size),
        (table[:, 1], "postsynaptic", projection.post.size),
    ):
        wrong = (column < 0) | (column >= size) | (column % 1 != 0)
        if wrong.any():
            raise ConnectionError(
                f"Projection {projection.label!r}: {side} index {column[wrong][0]:g} in the "
                f"connection list, need an integer from 0 to {size - 1}"
            )
    columns = {name: table[:, position] for position, name in enumerate(names, 2)}
    return _sorted(projection, table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), columns)


def _pairwise_probability(
    connector: Any,
    projection: Any,
    streams: Streams,
    probability: Callable[[np.ndarray, np.ndarray], Any],
) -> Topology:
    """Connect each pair of cells with its own probability, a block of sources at a time."""
    rng = streams.generator("topology", connector.rng)
    n_pairs = projection.pre.size * projection.post.size
    blocks = [np.empty(0, dtype=np.int64)]
    for start in range(0, n_pairs, _PAIRS_PER_BLOCK):
        keys = np.arange(start, min(start + _PAIRS_PER_BLOCK, n_pairs))
        pre, post = np.divmod(keys, projection.post.size)
        blocks.append(keys[rng.random(keys.size) < probability(pre, post)])
    return _from_keys(projection, _allowed(connector, projection, np.concatenate(blocks)))


def _fixed_number(
    connector: Any, projection: Any, streams: Streams, excluded: np.ndarray, n_choices: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw partners for each cell of one side among the `n_choices` cells of the other.

    `excluded` is each cell's own index on the other side, or `n_choices` if it isn't there.
    """
    _refuse_no_mutual(connector, projection)
    if connector.allow_self_connections:
        excluded = np.full(excluded.size, n_choices)
    counts = _counts(connector, projection, streams, excluded.size)
    sizes = n_choices - (excluded < n_choices)
    cells, partners = _sample(connector, projection, streams, counts, sizes)
    partners += partners >= excluded[cells]
    return cells, partners


def _counts(connector: Any, projection: Any, streams: Streams, n_rows: int) -> np.ndarray:
    """Return the number of connections of each row, which may be drawn from a distribution."""
    if not isinstance(connector.n, RandomDistribution):
        return np.full(n_rows, connector.n)
    counts = streams.draw(connector.n, "n", n_rows)
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ConnectionError(
            f"Projection {projection.label!r}: the distribution {connector.n.name!r} for n of "
            f"{type(connector).__name__} gave {counts.min():g}, need integers from 0 on"
        )
    return counts.astype(np.int64)


def _sample(
    connector: Any, projection: Any, streams: Streams, counts: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if (counts[sizes == 0] > 0).any():
        raise ConnectionError(
            f"Projection {projection.label!r}: {type(connector).__name__} needs "
            f"{counts[sizes == 0].max()} connections, but no cell is left to connect to; "
            f"set n=0 or allow_self_connections=True"
        )
    sample = sampling.without_replacement
    if connector.with_replacement:
        sample = sampling.with_replacement
    # Rows without any choice have a count of 0, so their size is never used.
    return sample(streams.generator("topology", connector.rng), counts, np.maximum(sizes, 1))


def _refuse_no_mutual(connector: Any, projection: Any) -> None:
    if connector.allow_self_connections == "NoMutual":
        raise NotImplementedError(
            f"Projection {projection.label!r}: {type(connector).__name__} has no "
            f"allow_self_connections='NoMutual' (PyNN accepts and ignores it); use True or False"
        )


def _allowed(connector: Any, projection: Any, keys: np.ndarray) -> np.ndarray:
    """Drop the connections that `allow_self_connections` forbids from sorted keys."""
    if connector.allow_self_connections == "NoMutual":
        pre, post = projection.pre, projection.post
        if not (isinstance(pre, Population) and pre == post):
            raise NotImplementedError(
                f"Projection {projection.label!r}: allow_self_connections='NoMutual' needs a "
                f"population that is connected to itself, got {pre.label!r} to {post.label!r}"
            )
        # PyNN keeps one of the two directions: the source has the higher index.
        return keys[keys // post.size > keys % post.size]
    if connector.allow_self_connections:
        return keys
    forbidden = _self_keys(projection)
    positions = np.searchsorted(keys, forbidden)
    inside = positions < keys.size
    positions, forbidden = positions[inside], forbidden[inside]
    return np.delete(keys, positions[keys[positions] == forbidden])


def _self_keys(projection: Any) -> np.ndarray:
    """Return the sorted keys of all self-connections."""
    pre, post = _self_pairs(projection)
    return np.sort(pre * projection.post.size + post)


def _self_pairs(projection: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices on both sides of the cells that both sides share."""
    _, pre, post = np.intersect1d(
        projection.pre.all_cells.astype(np.int64),
        projection.post.all_cells.astype(np.int64),
        assume_unique=True,
        return_indices=True,
    )
    return pre, post


def _from_keys(projection: Any, keys: np.ndarray) -> Topology:
    """Return the connections with the given sorted keys, `pre * n_post + post`."""
    pre, post = np.divmod(keys, max(projection.post.size, 1))
    return Topology(pre, post, {})


def _sorted(
    projection: Any, pre: np.ndarray, post: np.ndarray, columns: dict[str, np.ndarray]
) -> Topology:
    # Stable: several connections of one pair keep the order in which they were given.
    order = np.argsort(pre * projection.post.size + post, kind="stable")
    ordered = {name: values[order] for name, values in columns.items()}
    return Topology(pre[order], post[order], ordered)
