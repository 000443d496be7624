"""Vectorised sampling of indices, in time and memory proportional to the sample."""

import numpy as np


def bernoulli(rng: np.random.Generator, p: float, n: int) -> np.ndarray:
    """Draw which of `n` independent trials succeed.

    The gaps between successes are geometric, so only the successes are ever drawn.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    p : float
        Probability of success; values above 1 count as 1.
    n : int
        Number of trials.

    Returns
    -------
    ndarray of int64
        Sorted indices of the successful trials.
    """
    if p >= 1:
        return np.arange(n)
    blocks = [np.empty(0, dtype=np.int64)]
    last = -1
    while p > 0 and last < n:
        expected = (n - last) * p
        # 4 standard deviations above the mean: one block almost always suffices.
        gaps = rng.geometric(p, size=int(expected + 4 * expected**0.5) + 8)
        # A longer gap ends the trials just as well, and the sum can't overflow.
        np.minimum(gaps, n + 1, out=gaps)
        blocks.append(last + np.cumsum(gaps))
        last = int(blocks[-1][-1])
    successes = np.concatenate(blocks)
    return successes[: np.searchsorted(successes, n)]


def with_replacement(
    rng: np.random.Generator, counts: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `counts[r]` integers from `range(sizes[r])` for each row `r`, repeats allowed.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    counts, sizes : ndarray of int64, shape (n_rows,)
        How many values each row takes, and from how many.

    Returns
    -------
    rows, values : ndarray of int64, shape (counts.sum(),)
        The values and the row of each.
    """
    rows = np.repeat(np.arange(counts.size), counts)
    return rows, rng.integers(0, sizes[rows])


def without_replacement(
    rng: np.random.Generator, counts: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `counts[r]` integers from `range(sizes[r])` for each row `r`, as evenly as possible.

    A row with `counts <= sizes` gets a uniformly drawn subset. Where `counts` is larger, every
    value is taken `counts // sizes` times before the rest is drawn as a subset.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    counts, sizes : ndarray of int64, shape (n_rows,)
        How many values each row takes, and from how many; sizes are at least 1.

    Returns
    -------
    rows, values : ndarray of int64, shape (counts.sum(),)
        The values and the row of each, in no particular order.
    """
    width = int(sizes.max(initial=1))
    full_sets, rest = np.divmod(counts, sizes)
    # Of a subset and its complement the smaller one is drawn.
    inverted = 2 * rest > sizes
    drawn = _subsets(rng, np.where(inverted, sizes - rest, rest), sizes, width)
    is_inverted = inverted[drawn // width]
    everything = _whole_rows(np.flatnonzero(inverted), sizes, width)
    left_over = np.delete(everything, np.searchsorted(everything, drawn[is_inverted]))
    repeated = _whole_rows(np.repeat(np.arange(counts.size), full_sets), sizes, width)
    keys = np.concatenate([drawn[~is_inverted], left_over, repeated])
    rows, values = np.divmod(keys, width)
    return rows, values


def _subsets(
    rng: np.random.Generator, counts: np.ndarray, sizes: np.ndarray, width: int
) -> np.ndarray:
    """Draw a uniform subset per row; its values are returned as keys `row * width + value`.

    Values that a row already has are thrown away and drawn again. No step depends on what a
    value is, only on whether it is new, so all subsets of a row are equally likely.
    """
    accepted: list[np.ndarray] = []
    rows = np.repeat(np.arange(counts.size), counts)
    while rows.size:
        keys = rows * width + rng.integers(0, sizes[rows])
        keys.sort()
        is_new = np.ones(keys.size, dtype=bool)
        is_new[1:] = keys[1:] != keys[:-1]
        for earlier in accepted:
            is_new &= ~_contains(earlier, keys)
        accepted.append(keys[is_new])
        rows = keys[~is_new] // width
    return np.concatenate(accepted) if accepted else np.empty(0, dtype=np.int64)


def _contains(sorted_keys: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if sorted_keys.size == 0:
        return np.zeros(keys.size, dtype=bool)
    position = np.searchsorted(sorted_keys, keys)
    return sorted_keys[np.minimum(position, sorted_keys.size - 1)] == keys


def _whole_rows(rows: np.ndarray, sizes: np.ndarray, width: int) -> np.ndarray:
    """Return the keys of all values of the given rows."""
    values = np.arange(width)
    keys = rows[:, None] * width + values
    return keys[values < sizes[rows][:, None]]
