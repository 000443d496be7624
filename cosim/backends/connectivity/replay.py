"""Run a connector's own `connect` and record which cells it connects."""

from collections.abc import Iterable
from copy import copy
from typing import Any

import numpy as np
from pyNN.common.populations import IDMixin
from pyNN.connectors import Connector, CSAConnector
from pyNN.errors import ConnectionError
from pyNN.parameters import ParameterSpace
from pyNN.random import AbstractRNG, RandomDistribution

from cosim.backends.connectivity.streams import Streams


class _SynapseTypeWithoutParameters:
    """A synapse type for which a connector has no parameters to evaluate or to check.

    The parameters of all connections are drawn in bulk afterwards.
    """

    def __init__(self, synapse_type: Any) -> None:
        self._synapse_type = synapse_type
        self.native_parameters = ParameterSpace({})
        self.parameter_checks: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._synapse_type, name)


class _RecordingProjection:
    """Stands in for a projection and records what a connector asks it to connect."""

    def __init__(self, projection: Any) -> None:
        self._projection = projection
        self.synapse_type = _SynapseTypeWithoutParameters(projection.synapse_type)
        self._calls: list[tuple[np.ndarray, int, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._projection, name)

    def _convergent_connect(
        self,
        presynaptic_indices: Iterable[Any],
        postsynaptic_index: Any,
        location_selector: Any = None,
        **parameters: Any,
    ) -> None:
        sources = [_index(cell, self.pre) for cell in presynaptic_indices]
        target = _index(postsynaptic_index, self.post)
        self._calls.append((np.array(sources, dtype=np.int64), target, parameters))

    def recorded(self) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Return pre, post and the parameters that the connector chose itself."""
        if not self._calls:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), {}
        sizes = [sources.size for sources, _, _ in self._calls]
        pre = np.concatenate([sources for sources, _, _ in self._calls])
        post = np.repeat(np.array([target for _, target, _ in self._calls]), sizes)
        names = {name for _, _, parameters in self._calls for name in parameters}
        columns = {}
        for name in sorted(names):
            if any(name not in parameters for _, _, parameters in self._calls):
                raise ConnectionError(
                    f"Projection {self.label!r}: the connector gave {name!r} for some of its "
                    f"connections only; it must give it for all or for none"
                )
            columns[name] = np.concatenate(
                [
                    np.broadcast_to(parameters[name], size)
                    for (_, _, parameters), size in zip(self._calls, sizes, strict=True)
                ]
            )
        return pre, post, columns


def replay(
    connector: Connector, projection: Any, streams: Streams
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Run `connector.connect` against a recording stand-in for the projection.

    All random number generators and distributions that the connector holds are replaced by
    fresh ones from the projection's streams; the connector itself is left as it was.

    Parameters
    ----------
    connector : pyNN.connectors.Connector
        Any connector.
    projection : pyNN.common.Projection
        The projection to connect.
    streams : Streams
        Random streams of the projection.

    Returns
    -------
    pre, post : ndarray of int64, shape (n,)
        Indices of the connected cells, in the order of connection.
    columns : dict of str to ndarray, shape (n,)
        Values of the parameters that the connector chose itself, in PyNN units.

    Raises
    ------
    NotImplementedError
        If PyNN has no implementation of the connector.
    """
    reseeded = copy(connector)
    for name, value in vars(connector).items():
        if isinstance(value, AbstractRNG):
            setattr(reseeded, name, streams.pynn_rng(f"connector.{name}", value))
        elif isinstance(value, RandomDistribution):
            rng = streams.pynn_rng(f"connector.{name}", value.rng)
            setattr(reseeded, name, RandomDistribution(value.name, rng=rng, **value.parameters))
    recorder = _RecordingProjection(projection)
    try:
        if isinstance(connector, CSAConnector):
            # A backend's own version may connect inside its simulator.
            CSAConnector.connect(reseeded, recorder)
        else:
            reseeded.connect(recorder)
    except NotImplementedError as error:
        raise NotImplementedError(
            f"Projection {projection.label!r}: PyNN does not implement "
            f"{type(connector).__name__} with these options. {error} "
            f"Use a FromListConnector with the wanted connections."
        ) from error
    return recorder.recorded()


def _index(cell: Any, population: Any) -> int:
    """Return the index of a cell that is given by its index or by its ID."""
    return int(population.id_to_index(cell)) if isinstance(cell, IDMixin) else int(cell)
