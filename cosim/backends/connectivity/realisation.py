"""Realise a projection as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.backends.connectivity.parameters import check_parameters, realise_parameters
from cosim.backends.connectivity.streams import Streams
from cosim.backends.connectivity.topology import realise_topology


@dataclass(frozen=True)
class Connectivity:
    """All connections of a projection.

    Attributes
    ----------
    pre : ndarray of int64, shape (n,)
        Indices into the presynaptic population; connections are sorted by (pre, post).
    post : ndarray of int64, shape (n,)
        Indices into the postsynaptic population.
    parameters : dict of str to float or ndarray, shape (n,)
        Synapse parameters by PyNN name, in PyNN units: a scalar if it is the same for all
        connections by definition, else one value for each connection.
    """

    pre: np.ndarray
    post: np.ndarray
    parameters: dict[str, Any]


def realise(projection: Any, seed: int, label: str | None = None) -> Connectivity:
    """Realise the connector and the synapse type of a projection as arrays.

    The result depends on the projection, its label and the seeds alone: neither on the state of
    any random number generator nor on the order in which projections are realised. Projections
    with the same label draw the same random numbers, so labels must be unique within a network.
    A generator with a seed of the user's, given to the connector or to a distribution, replaces
    the run seed for what it draws.

    The check of values follows the connector's `safe`, for connection lists too. The connector's
    `callback` is called once at the end.

    Parameters
    ----------
    projection : pyNN.common.Projection
        Projection whose `_connector` and `synapse_type` are realised. Nothing in it is changed.
    seed : int
        Seed of the run.

    Returns
    -------
    Connectivity
        Index and parameter arrays.

    Raises
    ------
    pyNN.errors.ConnectionError
        If indices, numbers of connections or weights are invalid.
    pyNN.errors.InvalidDimensionsError
        If a parameter array doesn't have the shape (n_pre, n_post).
    NotImplementedError
        If the connector asks for something that neither PyNN nor this function implements.
    """
    connector = projection._connector
    if connector.location_selector is not None:
        raise NotImplementedError(
            f"Projection {projection.label!r}: location_selector is for multicompartmental cells, "
            f"which are not supported; leave it out"
        )
    streams = Streams(seed, projection.label if label is None else label)
    pre, post, columns = realise_topology(projection, streams)
    parameters = realise_parameters(projection, pre, post, columns, streams)
    if connector.safe and pre.size:
        check_parameters(projection, parameters)
    if connector.callback is not None:
        connector.callback(1.0)
    return Connectivity(pre, post, parameters)
