"""The twin's own device noise: one number at a time, in plain Python integers."""

from scipy.special import ndtri

WRITE, LEVEL, READ = 0, 1, 2
WORD = 0xFFFFFFFF


def philox4x32(
    counter: tuple[int, int, int, int], key: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high_0, low_0 = divmod(0xD2511F53 * c0, WORD + 1)
        high_1, low_1 = divmod(0xCD9E8D57 * c2, WORD + 1)
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return c0, c1, c2, c3


def uniform(key: tuple[int, int], device: int, event: int, stream: int) -> float:
    r0, r1, _, _ = philox4x32((device, event, stream, 0), key)
    return (((r1 << 32) | r0) >> 12) * 2.0**-52 + 2.0**-53


def normal(key: tuple[int, int], device: int, event: int, stream: int) -> float:
    return float(ndtri(uniform(key, device, event, stream)))
