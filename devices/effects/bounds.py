"""Lowest and highest conductance of each device: spread, then stuck devices."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from devices.memristor import Distribution, Memristor
from devices.noise import Key, Stream, normal, uniform

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Enough for any spread that leaves one draw in twenty valid: 0.95^1000 is 5e-23.
MAX_DRAWS = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Bounds:
    """Weight range of each device; `n` devices.

    Parameters
    ----------
    w_min, w_max : ndarray of float64, shape (n,)
        Weights at the lowest and at the highest state, in the unit of the nominal weight.
    stuck_on, stuck_off, stuck_random : ndarray of bool, shape (n,)
        Devices stuck at their highest, their lowest and a random weight: there `w_min == w_max`.
    redraws : int
        Draws, over all devices, that were thrown away because `0 <= w_min < w_max` did not hold or
        they were beyond `d2d_truncation`.
    """

    w_min: FloatArray
    w_max: FloatArray
    stuck_on: BoolArray
    stuck_off: BoolArray
    stuck_random: BoolArray
    redraws: int

    @property
    def stuck(self) -> BoolArray:
        """Devices stuck anywhere; shape (n,)."""
        return self.stuck_on | self.stuck_off | self.stuck_random


def spreads_bounds(device: Memristor) -> bool:
    """Whether devices differ in their bounds."""
    return any(
        (
            device.sigma_d2d_g_max,
            device.sigma_d2d_g_min,
            device.sigma_d2d_gain,
            device.stuck_on,
            device.stuck_off,
            device.stuck_random,
        )
    )


def sample_bounds(device: Memristor, w_max: float, n: int, key: Key) -> Bounds:
    """Draw the weight range of each device: device-to-device spread, then stuck devices.

    Parameters
    ----------
    device : Memristor
        Its on-off ratio, device-to-device spreads of the bounds and stuck fractions are used.
    w_max : float
        Nominal weight at the highest state, > 0, in any unit.
    n : int
        Number of devices; their indices are 0 ... n - 1.
    key : tuple of int
        From `devices.noise.noise_key`.

    Returns
    -------
    Bounds
        The ranges, in the unit of `w_max`.

    Raises
    ------
    ValueError
        If `w_max` is not finite and positive, or the spread is so large that some device has no
        valid range after `MAX_DRAWS` draws.
    """
    if not (math.isfinite(w_max) and w_max > 0):
        raise ValueError(f"sample_bounds: w_max={w_max}, need a finite number > 0")
    high, low, redraws = _spread_bounds(device, w_max, n, key)

    index = np.arange(n)
    stuck_on, stuck_off, stuck_random = (np.zeros(n, dtype=bool) for _ in range(3))
    if device.stuck_off or device.stuck_on or device.stuck_random:
        u = uniform(key, index, 0, Stream.STUCK)
        stuck_off = u < device.stuck_off
        stuck_on = u >= 1.0 - device.stuck_on
        stuck_random = ~stuck_off & ~stuck_on & (u < device.stuck_off + device.stuck_random)
        high[stuck_off] = low[stuck_off]
        low[stuck_on] = high[stuck_on]
        between = uniform(key, index[stuck_random], 0, Stream.STUCK_STATE)
        low[stuck_random] += (high[stuck_random] - low[stuck_random]) * between
        high[stuck_random] = low[stuck_random]
    return Bounds(low, high, stuck_on, stuck_off, stuck_random, redraws)


def _spread_bounds(
    device: Memristor, w_max: float, n: int, key: Key
) -> tuple[FloatArray, FloatArray, int]:
    high = np.empty(n)
    low = np.empty(n)
    pending = np.arange(n)
    redraws = 0
    for draw in range(MAX_DRAWS):
        gain, inside_gain = _factor(
            device, device.sigma_d2d_gain, device.gain_distribution, key, pending, draw,
            Stream.D2D_GAIN,
        )  # fmt: skip
        of_max, inside_max = _factor(
            device, device.sigma_d2d_g_max, device.g_max_distribution, key, pending, draw,
            Stream.D2D_MAX,
        )  # fmt: skip
        of_min, inside_min = _factor(
            device, device.sigma_d2d_g_min, device.g_min_distribution, key, pending, draw,
            Stream.D2D_MIN,
        )  # fmt: skip
        high[pending] = w_max * gain * of_max
        low[pending] = w_max / device.on_off_ratio * gain * of_min
        valid = (low[pending] >= 0.0) & (low[pending] < high[pending])
        pending = pending[~(valid & inside_gain & inside_max & inside_min)]
        if pending.size == 0:
            return high, low, redraws
        redraws += pending.size
    raise ValueError(
        f"sample_bounds: {pending.size} of {n} devices without 0 <= w_min < w_max after "
        f"{MAX_DRAWS} draws (limit): lower sigma_d2d_g_max={device.sigma_d2d_g_max} or "
        f"sigma_d2d_g_min={device.sigma_d2d_g_min}, or raise on_off_ratio={device.on_off_ratio}"
    )


def _factor(
    device: Memristor,
    sigma: float,
    distribution: Distribution,
    key: Key,
    index: npt.NDArray[np.intp],
    draw: int,
    stream: Stream,
) -> tuple[FloatArray | float, BoolArray | bool]:
    """Return a factor for each device, and whether its draw is within the truncation."""
    if sigma == 0.0:
        return 1.0, True
    xi = normal(key, index, draw, stream)
    factor = np.exp(sigma * xi) if distribution == "log-normal" else 1.0 + sigma * xi
    return factor, np.abs(xi) <= device.d2d_truncation
