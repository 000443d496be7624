"""Synapse parameters of realised connections."""

import warnings
from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np
from lazyarray import is_array_like, larray
from pyNN.core import IndexBasedExpression
from pyNN.errors import ConnectionError, InvalidDimensionsError
from pyNN.random import RandomDistribution

from cosim.backends.connectivity.geometry import pair_distances
from cosim.backends.connectivity.streams import Streams


class ParameterValues:
    """Evaluates parameter values of any kind that PyNN allows, for given connections.

    Parameters
    ----------
    projection : pyNN.common.Projection
        The projection; its `space` and the positions of its cells define the distances.
    pre, post : ndarray of int64, shape (n,)
        Indices of the connected cells.
    streams : Streams
        Random streams of the projection.
    """

    def __init__(
        self, projection: Any, pre: np.ndarray, post: np.ndarray, streams: Streams
    ) -> None:
        self._projection = projection
        self._pre = pre
        self._post = post
        self._streams = streams

    def evaluate(self, name: str, value: larray) -> Any:
        """Return one value for each connection, or a scalar if all are equal by definition.

        Parameters
        ----------
        name : str
            Name of the parameter; a random distribution draws from the stream of this name.
        value : pyNN.parameters.LazyArray
            A number, an array of shape (n_pre, n_post), a random distribution, a function of
            distance or of the indices, or arithmetic on these.

        Returns
        -------
        scalar or ndarray, shape (n,)
            The values, in PyNN units.

        Raises
        ------
        pyNN.errors.InvalidDimensionsError
            If an array doesn't have the shape (n_pre, n_post).
        """
        result = self._base(name, value.base_value)
        for position, (operation, argument) in enumerate(value.operations):
            if argument is None:
                result = operation(result)
            elif isinstance(argument, larray):
                # Each operand has a stream of its own.
                operand = self.evaluate(f"{name}/{position}", argument)
                result = operation(result, operand)
            else:
                result = operation(result, argument)
        return result

    def _base(self, name: str, value: Any) -> Any:
        if isinstance(value, RandomDistribution):
            return self._streams.draw(value, name, self._pre.size)
        if isinstance(value, IndexBasedExpression):
            expression = copy(value)
            expression.projection = self._projection
            return expression(self._pre, self._post)
        if callable(value):
            return value(self._distances())
        if is_array_like(value):
            return self._select(name, value)
        return value

    def _distances(self) -> np.ndarray:
        projection = self._projection
        return pair_distances(
            projection.space,
            projection.pre.positions,
            projection.post.positions,
            self._pre,
            self._post,
        )

    def _select(self, name: str, array: Any) -> np.ndarray:
        shape = (self._projection.pre.size, self._projection.post.size)
        if array.shape != shape:
            raise InvalidDimensionsError(
                f"Projection {self._projection.label!r}: the array for {name!r} has the shape "
                f"{array.shape}, need (n_pre, n_post) = {shape}; to give one value per "
                f"connection use a FromListConnector with a column {name!r}"
            )
        return np.asarray(array[self._pre, self._post]).reshape(-1)


def realise_parameters(
    projection: Any,
    pre: np.ndarray,
    post: np.ndarray,
    columns: Mapping[str, np.ndarray],
    streams: Streams,
) -> dict[str, Any]:
    """Evaluate all parameters of the projection's synapse type.

    Parameters
    ----------
    projection : pyNN.common.Projection
        The projection.
    pre, post : ndarray of int64, shape (n,)
        Indices of the connected cells.
    columns : mapping of str to ndarray, shape (n,)
        Values that the connector gave itself; they replace those of the synapse type.
    streams : Streams
        Random streams of the projection.

    Returns
    -------
    dict of str to scalar or ndarray, shape (n,)
        PyNN parameter names and values in PyNN units.

    Raises
    ------
    ValueError
        If the connector gives a parameter that the synapse type doesn't have.
    """
    synapse_type = projection.synapse_type
    unknown = sorted(set(columns) - set(synapse_type.get_parameter_names()))
    if unknown:
        raise ValueError(
            f"Projection {projection.label!r}: the connector gives {', '.join(unknown)}, but "
            f"{type(synapse_type).__name__} has only "
            f"{', '.join(synapse_type.get_parameter_names())}"
        )
    values = ParameterValues(projection, pre, post, streams)
    return {
        name: columns[name] if name in columns else values.evaluate(name, value)
        for name, value in synapse_type.parameter_space.items()
    }


def check_parameters(projection: Any, parameters: Mapping[str, Any]) -> None:
    """Apply the checks of the projection's synapse type, PyNN's check of weight signs above all.

    Parameters
    ----------
    projection : pyNN.common.Projection
        The projection.
    parameters : mapping of str to scalar or ndarray
        Realised parameters.

    Raises
    ------
    pyNN.errors.ConnectionError
        If a value is invalid.
    """
    for name, check in getattr(projection.synapse_type, "parameter_checks", {}).items():
        if name not in parameters:
            continue
        try:
            with warnings.catch_warnings():
                # PyNN knows the sign of excitatory and inhibitory weights; others are free.
                warnings.filterwarnings("ignore", "Can't check weight")
                check(parameters[name], projection)
        except ConnectionError as error:
            values = np.asarray(parameters[name])
            raise ConnectionError(
                f"Projection {projection.label!r}, receptor {projection.receptor_type!r}: {error}; "
                f"{name} runs from {values.min():g} to {values.max():g}"
            ) from error
