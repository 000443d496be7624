"""Synapses between sources and circuits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, eq=False)
class Synapses:
    """Synapses, one entry of each array per synapse.

    Parameters
    ----------
    n_inputs : int
        Number of external sources. They are the sources 0 ... n_inputs - 1, circuit i is source
        n_inputs + i.
    source : array_like of int
        Source of each synapse.
    target : array_like of int
        Circuit that each synapse reaches.
    weight : array_like
        Weights in LSB, >= 0; on the chip integers up to 63, or more from parallel synapses.
    inhibitory : array_like of bool
        Whether the event goes to the inhibitory input; one for all or one for each.

    Raises
    ------
    ValueError
        If an index, a number or a length is wrong.
    """

    n_inputs: int
    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    inhibitory: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.n_inputs < 0:
            raise ValueError(f"Synapses: n_inputs={self.n_inputs}, need >= 0")
        source = _indices("source", self.source)
        target = _indices("target", self.target)
        if target.shape != source.shape:
            raise ValueError(
                f"Synapses: {source.size} sources and {target.size} targets, need one of each per "
                "synapse"
            )
        weight = checked_weights("Synapses", self.weight, source.size)
        inhibitory = np.array(np.broadcast_to(self.inhibitory, source.shape), dtype=np.bool_)
        stored: dict[str, npt.NDArray[Any]] = {
            "source": source, "target": target, "weight": weight, "inhibitory": inhibitory,
        }  # fmt: skip
        for name, values in stored.items():
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @classmethod
    def none(cls, n_inputs: int = 0) -> "Synapses":
        """Make no synapses.

        Parameters
        ----------
        n_inputs : int, optional
            Number of external sources.

        Returns
        -------
        Synapses
        """
        empty: npt.NDArray[Any] = np.empty(0, dtype=np.int64)
        return cls(
            n_inputs=n_inputs,
            source=empty,
            target=empty,
            weight=empty.astype(np.float64),
            inhibitory=empty.astype(np.bool_),
        )

    def __len__(self) -> int:
        return self.source.size


def checked_weights(what: str, weight: npt.ArrayLike, n: int) -> npt.NDArray[np.float64]:
    """Copy weights, after a look at them.

    Parameters
    ----------
    what : str
        What has them, for the error.
    weight : array_like
        One weight, or one per synapse.
    n : int
        Number of synapses.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If they are negative, not finite, or of another number.
    """
    weights = np.asarray(weight, dtype=np.float64)
    if weights.ndim > 0 and weights.shape != (n,):
        raise ValueError(f"{what}: weights of shape {weights.shape}, need one or {n}")
    if not (np.isfinite(weights) & (weights >= 0.0)).all():
        bad = weights[~(np.isfinite(weights) & (weights >= 0.0))].flat[0]
        raise ValueError(
            f"{what}: weight {bad:g}, need finite weights >= 0; inhibition is a matter of the input"
        )
    return np.array(np.broadcast_to(weights, n))


def _indices(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.atleast_1d(np.asarray(values))
    if array.ndim != 1 or (array.size and (array.dtype.kind not in "iu" or array.min() < 0)):
        raise ValueError(f"Synapses: {name} of type {array.dtype}, need a list of integers >= 0")
    return array.astype(np.int64)
