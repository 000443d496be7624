"""Counter-based random numbers: Philox4x32-10, vectorised."""

import numpy as np
import numpy.typing as npt

UInt32Array = npt.NDArray[np.uint32]

_ROUNDS = 10
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_LOW_32 = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def philox4x32(
    counter0: npt.ArrayLike,
    counter1: npt.ArrayLike,
    counter2: npt.ArrayLike,
    counter3: npt.ArrayLike,
    key: tuple[int, int],
) -> tuple[UInt32Array, UInt32Array, UInt32Array, UInt32Array]:
    """Compute Philox4x32-10, a bijection of 128-bit counters that passes for random numbers.

    Parameters
    ----------
    counter0, counter1, counter2, counter3 : array_like of uint32
        The four words of the counters; broadcast against each other.
    key : tuple of int
        The two 32-bit words of the key.

    Returns
    -------
    tuple of ndarray of uint32
        The four random words, each of the broadcast shape.

    References
    ----------
    Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3,
    doi:10.1145/2063384.2063405.
    """
    c0, c1, c2, c3 = (
        np.asarray(word, dtype=np.uint32).astype(np.uint64)
        for word in (counter0, counter1, counter2, counter3)
    )
    key0, key1 = key
    for _ in range(_ROUNDS):
        # 32 x 32 bit products, exact in 64 bit: the high and the low word are used apart.
        product0 = c0 * _MULTIPLIER_0
        product1 = c2 * _MULTIPLIER_1
        c0 = (product1 >> _32) ^ c1 ^ np.uint64(key0)
        c1 = product1 & _LOW_32
        c2 = (product0 >> _32) ^ c3 ^ np.uint64(key1)
        c3 = product0 & _LOW_32
        key0 = (key0 + _WEYL_0) & 0xFFFFFFFF
        key1 = (key1 + _WEYL_1) & 0xFFFFFFFF
    return c0.astype(np.uint32), c1.astype(np.uint32), c2.astype(np.uint32), c3.astype(np.uint32)
