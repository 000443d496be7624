"""Likelihood of the readings of one device: an assumed-density filter, compiled.

The state after each pulse, given all readings so far, is taken for normally distributed. A pulse
moves this distribution by the update law (three-point Gauss-Hermite rule), cycle-to-cycle noise
widens it, the bounds clip it (moments of a rectified normal distribution), and the next reading,
with its write and read noise, narrows it again. For a law that is linear in the state and far from
the bounds this is the Kalman filter, and exact. What a reading differs from its prediction is
independent from reading to reading, whatever the shares of noise that stays and noise that does
not: so both are told apart, and write noise does not bias the law as it biases a regression of
changes on noisy readings.

All is in one file because numba's cache of compiled code notices changes of this file only.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]

#: Noise parameters, in the order in which they follow the coefficients of both directions:
#: relative to the step, constant, linear and quadratic in the state, and the write noise.
NOISE = ("sigma_c2c_step", "sigma_c2c", "linear", "quadratic", "sigma_write")
N_NOISE = len(NOISE)
#: Parameters of a device: lowest and highest conductance, logarithms of the steps up and down.
N_OWN = 4

# Noise below this share of the range is not resolved; it keeps variances positive.
RESOLUTION = 1e-7

# A bound that is certainly reached has a predicted variance of almost zero, which would give the
# rare exception endless weight. So this share of the variance before clipping stays.
_KEPT_AT_BOUNDS = 0.02

_ROOT_3 = math.sqrt(3.0)
_ROOT_HALF = math.sqrt(0.5)
_PEAK = 1.0 / math.sqrt(2.0 * math.pi)

_inner = njit(error_model="numpy", cache=True)


@_inner
def relative(code: int, c: Any, way: float) -> float:
    """Return the relative step at a way through the range, with the coefficients `c`."""
    if code == 0:
        return 1.0 - c[0] * way
    if code == 1:
        return max(1.0 - c[0] * math.exp(c[1] * way), 0.0)
    if code == 2:
        return (1.0 - way) ** c[0]
    place = way * (c.size - 1)
    i = min(int(place), c.size - 2)
    return c[i] + (c[i + 1] - c[i]) * (place - i)


@_inner
def curve(code: int, c: FloatArray, ways: FloatArray) -> FloatArray:
    """Return `relative` at each of several ways."""
    values = np.empty(ways.size)
    for i in range(ways.size):
        values[i] = relative(code, c, ways[i])
    return values


@_inner
def _clipped_moments(mean: float, variance: float) -> tuple[float, float, float]:
    """Return mean and variance of a normal variable clipped to [0, 1], and how much is clipped."""
    sd = math.sqrt(variance)
    if mean > 9.0 * sd and 1.0 - mean > 9.0 * sd:
        return mean, variance, 0.0
    a, b = -mean / sd, (1.0 - mean) / sd
    below, above = 0.5 * math.erfc(-a * _ROOT_HALF), 0.5 * math.erfc(b * _ROOT_HALF)
    peak_a, peak_b = _PEAK * math.exp(-0.5 * a * a), _PEAK * math.exp(-0.5 * b * b)
    inside = max(1.0 - below - above, 0.0)
    first = a * below + (peak_a - peak_b) + b * above
    second = a * a * below + inside + a * peak_a - b * peak_b + b * b * above
    return mean + sd * first, variance * max(second - first * first, 0.0), below + above


@_inner
def innovations(
    y: FloatArray,
    direction: Any,
    n_reads: FloatArray,
    code: int,
    shared: FloatArray,
    own: FloatArray,
    sigma_read: float,
    difference: FloatArray,
    variance: FloatArray,
) -> None:
    """Predict each reading from those before it.

    Parameters
    ----------
    y : ndarray, shape (n + 1,)
        Conductances, means over the readings of a state.
    direction : ndarray of int, shape (n + 1,)
        Of the pulse before each; the first is not used.
    n_reads : ndarray, shape (n + 1,)
        Readings of each state.
    code : int
        Number of the law.
    shared : ndarray
        Coefficients up, coefficients down, `NOISE`.
    own : ndarray, shape (4,)
        See `N_OWN`; bounds in the unit of `y`.
    sigma_read : float
        Relative read noise of one reading.
    difference, variance : ndarray, shape (n,)
        Are filled: reading minus prediction and its predicted variance.
    """
    n_c = (shared.size - N_NOISE) // 2
    noise = shared[2 * n_c :]
    low, width = own[0], own[1] - own[0]
    steps = (math.exp(own[2]), math.exp(own[3]))
    write = noise[4] ** 2 + RESOLUTION**2
    m = (y[0] - low) / width
    p = write + (sigma_read * y[0] / width) ** 2 / n_reads[0]
    m, p, _ = _clipped_moments(m, p)
    for t in range(1, y.size):
        up = direction[t] > 0
        c = shared[:n_c] if up else shared[n_c : 2 * n_c]
        step = steps[0] if up else steps[1]
        reach = _ROOT_3 * math.sqrt(p)
        # The central point, then what the outer two differ from it: exact also for tiny spreads.
        middle, mean, square, spread = 0.0, 0.0, 0.0, 0.0
        for k in (0, -1, 1):
            weight = 2.0 / 3.0 if k == 0 else 1.0 / 6.0
            s = min(max(m + k * reach, 0.0), 1.0)
            delta = step * relative(code, c, s if up else 1.0 - s)
            sigma = max(noise[0] * delta + noise[1] + (noise[3] * s + noise[2]) * s, 0.0)
            spread += weight * sigma * sigma
            change = delta if up else -delta
            if k == 0:
                middle = change
            moved = k * reach + (change - middle)
            mean += weight * moved
            square += weight * moved * moved
        before = max(square - mean * mean, 0.0) + spread + RESOLUTION**2
        m, p, clipped = _clipped_moments(m + middle + mean, before)
        predicted = low + width * m
        r = width * width * write + (sigma_read * predicted) ** 2 / n_reads[t]
        d = y[t] - predicted
        v = width * width * p + r
        difference[t - 1] = d
        variance[t - 1] = v + width * width * _KEPT_AT_BOUNDS * clipped * before
        m += width * p / v * d
        p *= r / v


@_inner
def log_likelihoods(
    y: FloatArray,
    direction: Any,
    n_reads: FloatArray,
    n_pulses: Any,
    code: int,
    shared: FloatArray,
    own: FloatArray,
    sigma_read: float,
) -> FloatArray:
    """Return the logarithm of the likelihood of each device; devices in the first dimension."""
    values = np.zeros(y.shape[0])
    difference, variance = np.empty(y.shape[1]), np.empty(y.shape[1])
    for i in range(y.shape[0]):
        end = n_pulses[i] + 1
        innovations(y[i, :end], direction[i, :end], n_reads[i, :end], code, shared, own[i],
                    sigma_read, difference, variance)  # fmt: skip
        for t in range(end - 1):
            values[i] -= 0.5 * (math.log(variance[t]) + difference[t] ** 2 / variance[t])
    return values


@_inner
def score(
    y: FloatArray,
    direction: Any,
    n_reads: FloatArray,
    n_pulses: Any,
    code: int,
    shared: FloatArray,
    own: FloatArray,
    sigma_read: float,
    nudges: FloatArray,
    gradient: FloatArray,
    information: FloatArray,
) -> None:
    """Derive each device's log-likelihood by the shared parameters and its own.

    Parameters
    ----------
    y, direction, n_reads, n_pulses, code, shared, own, sigma_read
        As in `log_likelihoods`.
    nudges : ndarray, shape (p,)
        Differences by which to derive, of the shared parameters, then of a device's own; 0 for
        one that is fixed.
    gradient : ndarray, shape (devices, p)
        Is filled.
    information : ndarray, shape (devices, p, p)
        Is filled with the expected information (Engle and Watson 1981,
        doi:10.1080/01621459.1981.10477714), which needs first derivatives only.
    """
    n, n_shared, n_all = y.shape[1], shared.size, nudges.size
    difference, variance = np.empty(n), np.empty(n)
    by_difference, by_variance = np.zeros((n_all, n)), np.zeros((n_all, n))
    nudged_d, nudged_v = np.empty(n), np.empty(n)
    for i in range(y.shape[0]):
        end = n_pulses[i] + 1
        innovations(y[i, :end], direction[i, :end], n_reads[i, :end], code, shared, own[i],
                    sigma_read, difference, variance)  # fmt: skip
        for a in range(n_all):
            if nudges[a] == 0.0:
                continue
            nudged_shared, nudged_own = shared.copy(), own[i].copy()
            if a < n_shared:
                nudged_shared[a] += nudges[a]
            else:
                nudged_own[a - n_shared] += nudges[a]
            innovations(y[i, :end], direction[i, :end], n_reads[i, :end], code, nudged_shared,
                        nudged_own, sigma_read, nudged_d, nudged_v)  # fmt: skip
            for t in range(end - 1):
                by_difference[a, t] = (nudged_d[t] - difference[t]) / nudges[a]
                by_variance[a, t] = (nudged_v[t] - variance[t]) / nudges[a]
        for a in range(n_all):
            total = 0.0
            for t in range(end - 1):
                d, v = difference[t], variance[t]
                total -= d * by_difference[a, t] / v
                total += 0.5 * by_variance[a, t] / v * (d * d / v - 1.0)
            gradient[i, a] = total
            for b in range(a + 1):
                total = 0.0
                for t in range(end - 1):
                    v = variance[t]
                    total += by_difference[a, t] * by_difference[b, t] / v
                    total += 0.5 * by_variance[a, t] * by_variance[b, t] / (v * v)
                information[i, a, b] = total
                information[i, b, a] = total


@_inner
def path(
    y: FloatArray, direction: Any, code: int, shared: FloatArray, own: FloatArray
) -> FloatArray:
    """Return the conductances of one device after its pulses if it had no noise."""
    n_c = (shared.size - N_NOISE) // 2
    low, width = own[0], own[1] - own[0]
    conductances = np.empty(y.size)
    s = min(max((y[0] - low) / width, 0.0), 1.0)
    conductances[0] = low + width * s
    for t in range(1, y.size):
        if direction[t] > 0:
            s += math.exp(own[2]) * relative(code, shared[:n_c], s)
        else:
            s -= math.exp(own[3]) * relative(code, shared[n_c : 2 * n_c], 1.0 - s)
        s = min(max(s, 0.0), 1.0)
        conductances[t] = low + width * s
    return conductances
