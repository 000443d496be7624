"""Rough estimates from which the fit starts: bounds, noise, and the step over the state."""

import dataclasses

import numpy as np
import numpy.typing as npt

from devices.fitting.series import Series

FloatArray = npt.NDArray[np.float64]

# Noise from which a fit starts at least, as a share of the range: with less, only the nearest
# maximum of the likelihood would be found.
_LEAST_NOISE = 1e-3
_BINS = 20
# What noise adds to an extreme is at most this share of the range.
_MOST_EXCESS = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class Start:
    """What is known before the fit.

    Parameters
    ----------
    low, high : ndarray, shape (devices,)
        Extremes of each series, smoothed over `window` readings; in the unit of the series.
    window : int
        Number of readings, odd; 1 without noise from reading to reading.
    apparent, persistent : float
        Standard deviations of the noise of a reading and of a pulse, as fractions of the range.
    way, step : tuple of two ndarray
        For pulses up and down: fraction of the range that was gone through, and change per pulse
        as a fraction of the range, in bins.
    weight : tuple of two ndarray
        Number of changes in each bin.
    """

    low: FloatArray
    high: FloatArray
    window: int
    apparent: float
    persistent: float
    way: tuple[FloatArray, FloatArray]
    step: tuple[FloatArray, FloatArray]
    weight: tuple[FloatArray, FloatArray]

    def linear(self) -> tuple[FloatArray, FloatArray]:
        """Fit a linear law to the binned changes.

        Returns
        -------
        slopes : ndarray, shape (2,)
            Loss of step over the range, up and down.
        steps : ndarray, shape (2,)
            Nominal steps, as fractions of the range.
        """
        slopes, steps = np.empty(2), np.empty(2)
        for i in range(2):
            weight = self.weight[i]
            mean = max(float(np.average(self.step[i], weights=weight)), 1e-9)
            gradient, step = (0.0, mean)
            if self.way[i].size > 2:
                gradient, step = np.polyfit(self.way[i], self.step[i], 1, w=np.sqrt(weight))
            steps[i] = np.clip(step, 0.2 * mean, min(5.0 * mean, 1.0))
            slopes[i] = np.clip(-gradient / steps[i], -2.0, 0.99)
        return slopes, steps


def start_of(series: Series) -> Start:
    """Estimate bounds, noise and steps of series.

    Noise of a reading lowers the covariance of successive changes by its variance, noise of a
    pulse does not; the trend drops out against the covariance of changes two pulses apart.

    Parameters
    ----------
    series : Series
        Of devices that respond to pulses.

    Returns
    -------
    Start
        Rough estimates.
    """
    y, direction, measured = series.y, series.direction, series.measured
    spread = np.array(
        [np.subtract(*np.percentile(row[m], [98, 2])) for row, m in zip(y, measured, strict=True)]
    )
    change = np.diff(y) / spread[:, None]
    d = direction[:, 1:]
    product = [_mean_product(change, d, lag) for lag in range(3)]
    apparent = np.sqrt(max(product[2] - product[1], 0.0))
    persistent = np.sqrt(max(product[0] - product[2] - 2.0 * apparent**2, 0.0))
    drift = np.sqrt(max(product[2], 0.0))
    window = 1
    longest = int(series.n_pulses.min()) // 8
    if apparent > 0.5 * (drift + persistent):
        # Where the noise of a mean equals what the state moves during half of the window.
        best = (2.0 * apparent / (drift + persistent + 1e-12)) ** (2.0 / 3.0)
        window = 2 * int(min(best, longest) / 2.0) + 1
    low, high = _extremes(series, window, apparent * spread)
    way, step, weight = _binned(series, low, high, window)
    return Start(
        low,
        high,
        window,
        max(float(apparent), _LEAST_NOISE),
        max(float(persistent), _LEAST_NOISE),
        way,
        step,
        weight,
    )


def _mean_product(change: FloatArray, d: npt.NDArray[np.int8], lag: int) -> float:
    """Return the mean product of changes some pulses apart within a run of one direction."""
    n = change.shape[1] - lag
    same = d[:, :n] != 0
    for k in range(1, lag + 1):
        same &= d[:, k : k + n] == d[:, :n]
    if not same.any():
        return 0.0
    return float(np.mean((change[:, :n] * change[:, lag:])[same]))


def _extremes(series: Series, window: int, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the extremes of the smoothed series, less what noise adds to an extreme.

    That is the expected extreme of as many independent numbers as there are windows near it: many
    where a device stays at its bound, one where a series turns back at once.
    """
    ends = []
    for i, end in enumerate(series.n_pulses + 1):
        smooth = np.convolve(series.y[i, :end], np.full(window, 1.0 / window), mode="valid")
        error = noise[i] / np.sqrt(window)
        for values, sign in ((-smooth, -1.0), (smooth, 1.0)):
            near = np.sum(values >= values.max() - 3.0 * error) / window
            excess = error * np.sqrt(2.0 * np.log(max(near, 1.0)))
            ends.append(sign * (values.max() - min(excess, _MOST_EXCESS * np.ptp(values))))
    return np.array(ends[::2]), np.array(ends[1::2])


def _binned(
    series: Series, low: FloatArray, high: FloatArray, lag: int
) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Bin the changes per pulse over the state, for both directions."""
    s = np.clip((series.y - low[:, None]) / (high - low)[:, None], -1.0, 2.0)
    ways, steps, weights = [], [], []
    for sign in (1, -1):
        run = series.direction[:, 1:] == sign
        # A run shorter than the window: single changes, noisier.
        reach = lag if _windows(run, lag).any() else 1
        valid = _windows(run, reach)
        n = valid.shape[1]
        sums = np.cumsum(np.pad(s, ((0, 0), (1, 0))), axis=1)
        mean = (sums[:, reach : reach + n] - sums[:, :n]) / reach
        step = sign * (s[:, reach : reach + n] - s[:, :n]) / reach
        way, end = (mean, s[:, reach : reach + n]) if sign > 0 else (1 - mean, 1 - s[:, reach:])
        way = np.clip(way, 0.0, 1.0)
        # Steps cut short by a bound say nothing of the law, if there are others.
        free = valid & (end[:, :n] < 0.98)
        valid = free if free.any() else valid
        index = np.minimum((way[valid] * _BINS).astype(int), _BINS - 1)
        count = np.bincount(index, minlength=_BINS)
        filled = count > 0
        ways.append(np.bincount(index, way[valid], _BINS)[filled] / count[filled])
        steps.append(np.bincount(index, step[valid], _BINS)[filled] / count[filled])
        weights.append(count[filled].astype(float))
    return tuple(ways), tuple(steps), tuple(weights)  # type: ignore[return-value]


def _windows(run: npt.NDArray[np.bool_], length: int) -> npt.NDArray[np.bool_]:
    """Return where `length` pulses of a run start."""
    n = run.shape[1] - length + 1
    valid = np.ones((run.shape[0], max(n, 0)), dtype=bool)
    for k in range(length if n > 0 else 0):
        valid &= run[:, k : k + n]
    return valid
