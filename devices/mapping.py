"""How a signed weight is made of the conductances of memristive devices.

The conductances are in the unit of the weights: the nominal range of a device is from ``w_max/r``
to ``w_max`` with its on-off ratio ``r``. ``docs/model_definition.md``, section "Programmed
weights", has the table of all mappings.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Mapping = Literal["single", "differential", "two_sided", "offset"]

MAPPINGS: tuple[str, ...] = get_args(Mapping)


class Readout(NamedTuple):
    """What turns conductances into weights: ``scale*(conductance @ signs) + offset``.

    Attributes
    ----------
    signs : ndarray of float64, shape (d,)
        Sign of each of the `d` devices of a weight.
    scale : float or ndarray of float64, shape (n,)
        Factor on all weights, or on each of the `n` weights.
    offset : float
        What is added, in the unit of the weights.
    """

    signs: FloatArray
    scale: float | FloatArray
    offset: float


def check_mapping(owner: str, mapping: str) -> None:
    """Refuse a mapping that does not exist.

    Raises
    ------
    ValueError
        If `mapping` is none of `MAPPINGS`.
    """
    if mapping not in MAPPINGS:
        raise ValueError(f"{owner}: mapping={mapping!r}, need one of {', '.join(MAPPINGS)}")


def wanted_states(
    mapping: Mapping, weights: FloatArray, w_max: float, on_off_ratio: float
) -> FloatArray:
    """Return the states to which the devices of each weight are to be programmed.

    Parameters
    ----------
    mapping : {"single", "differential", "two_sided", "offset"}
        How a weight is made of devices.
    weights : ndarray of float64, shape (n,)
        Weights of magnitude at most `w_max`.
    w_max : float
        Nominal weight of a device at its highest conductance, > 0.
    on_off_ratio : float
        Nominal ratio of the highest to the lowest conductance, > 1.

    Returns
    -------
    ndarray of float64, shape (n, d)
        Fractions of the range of a device, in [0, 1].
    """
    relative = weights / w_max
    if mapping == "single":
        lowest = 1.0 / on_off_ratio
        return np.clip((np.abs(relative) - lowest) / (1.0 - lowest), 0.0, 1.0)[:, None]
    if mapping == "differential":
        return np.stack([np.maximum(relative, 0.0), np.maximum(-relative, 0.0)], axis=1)
    if mapping == "two_sided":
        return np.stack([(1.0 + relative) / 2.0, (1.0 - relative) / 2.0], axis=1)
    return ((1.0 + relative) / 2.0)[:, None]


def readout(mapping: Mapping, weights: FloatArray, w_max: float, on_off_ratio: float) -> Readout:
    """Return how weights follow from the conductances of their devices.

    Parameters
    ----------
    mapping, weights, w_max, on_off_ratio
        As in `wanted_states`; of the weights only the signs matter, and only for "single". There a
        weight of 0 takes the sign of the others if none of them is positive, else it is positive.

    Returns
    -------
    Readout
        Signs, scale and offset.
    """
    lowest = 1.0 / on_off_ratio
    if mapping == "single":
        # A zero weight leaks through its device: an inhibitory projection stays inhibitory.
        of_zero = -1.0 if weights.min(initial=0.0) < 0.0 and not (weights > 0.0).any() else 1.0
        scale = np.where(weights == 0.0, of_zero, np.sign(weights))
        return Readout(np.ones(1), scale, 0.0)
    if mapping == "offset":
        return Readout(np.ones(1), 2.0 / (1.0 - lowest), -(w_max + w_max * lowest) / (1.0 - lowest))
    return Readout(np.array([1.0, -1.0]), 1.0 / (1.0 - lowest), 0.0)


def weights_of(
    conductance: FloatArray, signs: FloatArray, scale: float | FloatArray, offset: float
) -> FloatArray:
    """Return the weights that conductances make.

    Parameters
    ----------
    conductance : ndarray of float64, shape (n, d)
        In the unit of the weights.
    signs, scale, offset
        As in `Readout`.

    Returns
    -------
    ndarray of float64, shape (n,)
        The weights.
    """
    return scale * (conductance @ signs) + offset
