"""Programmable states of a device that has not infinitely many."""

import math

import numpy as np
import numpy.typing as npt

from devices.memristor import Memristor

FloatArray = npt.NDArray[np.float64]


def level_means(device: Memristor) -> FloatArray:
    """Return the programmable states as fractions of the range.

    Parameters
    ----------
    device : Memristor
        A device with levels.

    Returns
    -------
    ndarray of float64, shape (n_levels,)
        Ascending.

    Raises
    ------
    ValueError
        If the device is continuous.
    """
    if device.n_levels is None:
        raise ValueError("level_means: n_levels=None, need a device with levels")
    if device.level_means:
        return np.array(device.level_means)
    if device.level_spacing == "geometric":
        ratio = float(device.on_off_ratio or math.inf)
        k = np.arange(device.n_levels) / (device.n_levels - 1)
        means = (ratio**k - 1.0) / (ratio - 1.0)
        means[-1] = 1.0
        return means
    return np.arange(device.n_levels) / (device.n_levels - 1)


def initial_state(device: Memristor, state: npt.ArrayLike, p_max: float) -> FloatArray:
    """Round the initial states to the nearest level; halves go to the upper one.

    Parameters
    ----------
    device : Memristor
        Its levels are used.
    state : array_like of float
        States in [0, p_max].
    p_max : float
        Highest state, > 0.

    Returns
    -------
    ndarray of float64
        The rounded states, of the shape of `state`; they are also the floors of the devices.

    Raises
    ------
    ValueError
        If `p_max` is not finite and positive or a state is outside [0, p_max].
    """
    if not (math.isfinite(p_max) and p_max > 0):
        raise ValueError(f"initial_state: p_max={p_max}, need a finite number > 0")
    state = np.array(state, dtype=np.float64)
    outside = ~((state >= 0.0) & (state <= p_max))
    if outside.any():
        raise ValueError(
            f"initial_state: state={state[outside][0]}, need states in 0 ... p_max={p_max}"
        )
    if device.n_levels is None:
        return state
    rounded, _ = to_level(device, state, 0.5, p_max)
    return np.minimum(rounded, p_max)


def to_level(
    device: Memristor, q: FloatArray, offset: FloatArray | float, p_max: float
) -> tuple[FloatArray, npt.NDArray[np.intp] | None]:
    """Round states to a level: up where the fraction of the way there and `offset` reach 1.

    Parameters
    ----------
    device : Memristor
        A device with levels.
    q : ndarray of float64
        States in [0, p_max].
    offset : ndarray of float64 or float
        0.5 for the nearest level, uniform random numbers for stochastic rounding.
    p_max : float
        Highest state.

    Returns
    -------
    state : ndarray of float64
        Of the shape of `q`.
    level : ndarray of int or None
        Number of the level; None for uniform levels.
    """
    assert device.n_levels is not None
    n_steps = device.n_levels - 1
    if device.level_spacing == "uniform" and not device.level_means:
        # In this order the highest level is p_max to the last bit, whatever n_levels is.
        return p_max * (np.floor(q / (p_max / n_steps) + offset) / n_steps), None
    means = level_means(device)
    s = q / p_max
    below = np.clip(np.searchsorted(means, s, side="right") - 1, 0, n_steps - 1)
    fraction = (s - means[below]) / (means[below + 1] - means[below])
    level = below + np.floor(np.clip(fraction, 0.0, 1.0) + offset).astype(np.intp)
    level = np.minimum(level, n_steps)
    return p_max * means[level], level
