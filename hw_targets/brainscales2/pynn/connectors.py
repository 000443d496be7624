"""PyNN's connectors, with the locations of a connection as arguments that need their names."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pyNN import connectors


class _Located:
    """A connector between locations of neurons with several compartments.

    Takes what the connector of this name in `pyNN.connectors` takes, and besides

    Parameters
    ----------
    location_selector : str, optional
        Label of the compartment of the postsynaptic neurons.
    source_location_selector : str, optional
        Label of the compartment of the presynaptic neurons.
    """

    def __init__(
        self,
        *args: Any,
        location_selector: str | None = None,
        source_location_selector: str | None = None,
        **kwargs: Any,
    ) -> None:
        accepted = list(inspect.signature(super().__init__).parameters)
        names = [name for name in accepted if name != "location_selector"]
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__}: {len(args)} arguments, need {names}")
        super().__init__(**dict(zip(names, args, strict=False)), **kwargs)
        self.location_selector = location_selector
        self.source_location_selector = source_location_selector

    def _standard_connect(
        self,
        projection: Any,
        connection_map_generator: Callable[..., Iterator[Any]],
        distance_map: Any = None,
    ) -> None:
        # A mask of one cell comes without its dimension, which numpy >= 2.1 doesn't index.
        def masks(*columns: Any) -> Iterator[Any]:
            for mask in connection_map_generator(*columns):
                yield mask if mask is True or np.ndim(mask) else np.full(projection.pre.size, mask)

        super()._standard_connect(projection, masks, distance_map)  # type: ignore[misc]


class AllToAllConnector(_Located, connectors.AllToAllConnector):  # noqa: D101
    __doc__ = connectors.AllToAllConnector.__doc__


class OneToOneConnector(_Located, connectors.OneToOneConnector):  # noqa: D101
    __doc__ = connectors.OneToOneConnector.__doc__


class FixedProbabilityConnector(_Located, connectors.FixedProbabilityConnector):  # noqa: D101
    __doc__ = connectors.FixedProbabilityConnector.__doc__


class DistanceDependentProbabilityConnector(  # noqa: D101
    _Located, connectors.DistanceDependentProbabilityConnector
):
    __doc__ = connectors.DistanceDependentProbabilityConnector.__doc__


class DisplacementDependentProbabilityConnector(  # noqa: D101
    _Located, connectors.DisplacementDependentProbabilityConnector
):
    __doc__ = connectors.DisplacementDependentProbabilityConnector.__doc__


class IndexBasedProbabilityConnector(  # noqa: D101
    _Located, connectors.IndexBasedProbabilityConnector
):
    __doc__ = connectors.IndexBasedProbabilityConnector.__doc__


class FromListConnector(_Located, connectors.FromListConnector):  # noqa: D101
    __doc__ = connectors.FromListConnector.__doc__


class FromFileConnector(_Located, connectors.FromFileConnector):  # noqa: D101
    __doc__ = connectors.FromFileConnector.__doc__


class FixedNumberPreConnector(_Located, connectors.FixedNumberPreConnector):  # noqa: D101
    __doc__ = connectors.FixedNumberPreConnector.__doc__


class FixedNumberPostConnector(_Located, connectors.FixedNumberPostConnector):  # noqa: D101
    __doc__ = connectors.FixedNumberPostConnector.__doc__


class SmallWorldConnector(_Located, connectors.SmallWorldConnector):  # noqa: D101
    __doc__ = connectors.SmallWorldConnector.__doc__


class CSAConnector(_Located, connectors.CSAConnector):  # noqa: D101
    __doc__ = connectors.CSAConnector.__doc__


class CloneConnector(_Located, connectors.CloneConnector):  # noqa: D101
    __doc__ = connectors.CloneConnector.__doc__


class ArrayConnector(_Located, connectors.ArrayConnector):  # noqa: D101
    __doc__ = connectors.ArrayConnector.__doc__


class FixedTotalNumberConnector(_Located, connectors.FixedTotalNumberConnector):  # noqa: D101
    __doc__ = connectors.FixedTotalNumberConnector.__doc__
