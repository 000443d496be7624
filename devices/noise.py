"""Device noise as a function of (key, device, event, stream).

A number depends on nothing else, so it is the same on every backend, for any number of threads
and in whatever order the devices are visited.
"""

import hashlib
from enum import IntEnum
from numbers import Integral

import numpy as np
import numpy.typing as npt

from devices.philox import philox4x32
from devices.ppnd16 import ppnd16

__all__ = ["Key", "Stream", "noise_key", "normal", "philox4x32", "uniform"]

Key = tuple[int, int]


class Stream(IntEnum):
    """What a random number is used for; numbers of different streams are independent."""

    WRITE = 0
    LEVEL = 1
    READ = 2
    D2D_MAX = 3
    D2D_MIN = 4
    STUCK = 5
    D2D_GAIN = 6
    D2D_STEP = 7
    D2D_ASYMMETRY = 8
    STUCK_STATE = 9
    PULSES = 10
    LEVEL_SPREAD = 11
    APPARENT = 12
    FLICKER = 13
    DRIFT = 14
    ENDURANCE = 15
    OUTPUT = 16


def noise_key(seed: int, label: str) -> Key:
    """Make the key of the devices of one projection in one run.

    The first 64 bits, as two little-endian 32-bit words, of the SHA-256 digest of
    the seed in decimal digits, a null byte and the label in UTF-8.

    Parameters
    ----------
    seed : int
        Seed of the run, >= 0.
    label : str
        Label of the projection.

    Returns
    -------
    tuple of int
        Two 32-bit words.

    Raises
    ------
    ValueError
        If the seed is negative or no integer, or the label no string.
    """
    if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"noise_key: seed={seed!r}, need an integer >= 0")
    if not isinstance(label, str):
        raise ValueError(f"noise_key: label={label!r}, need a string")
    digest = hashlib.sha256(f"{int(seed)}\0{label}".encode()).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")


def uniform(
    key: Key,
    device: npt.ArrayLike,
    event: npt.ArrayLike,
    stream: Stream,
    part: npt.ArrayLike = 0,
) -> npt.NDArray[np.float64]:
    """Draw uniform random numbers: odd multiples of 2^-53, strictly inside (0, 1).

    Parameters
    ----------
    key : tuple of int
        From `noise_key`.
    device : array_like of int
        Device indices in 0 ... 2^32 - 1.
    event : array_like of int
        Event numbers in 0 ... 2^32 - 1; broadcast against `device`.
    stream : Stream
        What the numbers are used for.
    part : array_like of int, optional
        Tells numbers of one event apart, such as those of its pulses; broadcast as well.

    Returns
    -------
    ndarray of float64
        One number per device and event, of the broadcast shape.

    Raises
    ------
    ValueError
        If an index or a number is no integer or outside its range.
    """
    r0, r1, _, _ = philox4x32(
        _word("device", device), _word("event", event), stream, _word("part", part), key
    )
    high_52 = (r1.astype(np.uint64) << np.uint64(32) | r0) >> np.uint64(12)
    return np.asarray(high_52 * 2.0**-52 + 2.0**-53)


def normal(
    key: Key,
    device: npt.ArrayLike,
    event: npt.ArrayLike,
    stream: Stream,
    part: npt.ArrayLike = 0,
) -> npt.NDArray[np.float64]:
    """Draw standard normal random numbers: the normal quantiles of `uniform`.

    Parameters
    ----------
    key, device, event, stream, part
        As in `uniform`.

    Returns
    -------
    ndarray of float64
        One number per device and event, of the broadcast shape.

    Raises
    ------
    ValueError
        As `uniform`.
    """
    return ppnd16(uniform(key, device, event, stream, part))


def _word(name: str, value: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    words = np.asarray(value)
    if words.size == 0:
        return words.astype(np.uint32)
    if words.dtype.kind not in "iu" or words.min() < 0 or words.max() > 0xFFFFFFFF:
        raise ValueError(
            f"noise: {name} of type {words.dtype} from {words.min()} to {words.max()}, "
            f"need integers in 0 ... {0xFFFFFFFF}: give each {name} a number of 32 bit"
        )
    return words.astype(np.uint32)
