"""Exact solution of the linear sub-threshold dynamics over one time step.

    dV/dt = -V/tau_m + I/C,    I exponential, alpha-shaped or constant

The response of V to each kind of current is written so that it stays accurate where the usual
difference quotients cancel (tau_syn close to tau_m).
"""

import numpy as np

# Below this |y|, the closed form of `response_alpha` loses digits that the series has.
_SERIES = 0.5


def response_exponential(t: np.ndarray | float, tau_s: np.ndarray, tau_m: np.ndarray) -> np.ndarray:
    """Return (1/tau_m) times the integral of exp(-(t-s)/tau_m) exp(-s/tau_s) over s in (0, t).

    Multiplied by the resistance, it is the potential a time `t` after an exponential current of
    amplitude 1 began.

    Parameters
    ----------
    t : numpy.ndarray or float
        Time since the onset of the current.
    tau_s, tau_m : numpy.ndarray
        Time constants of current and membrane, in the unit of `t`.

    Returns
    -------
    numpy.ndarray
        The response, dimensionless, of the broadcast shape.
    """
    x = t * np.abs(1.0 / tau_s - 1.0 / tau_m)
    slow = np.exp(-t / np.maximum(tau_s, tau_m))
    ratio = np.divide(-np.expm1(-x), x, out=np.ones_like(x), where=x > 0.0)
    return t / tau_m * slow * ratio


def response_alpha(t: np.ndarray | float, tau_s: np.ndarray, tau_m: np.ndarray) -> np.ndarray:
    """Return (1/tau_m) times the integral of exp(-(t-s)/tau_m) s exp(-s/tau_s) over s in (0, t).

    As `response_exponential`, for the current s exp(-s/tau_s).

    Parameters
    ----------
    t : numpy.ndarray or float
        Time since the onset of the current.
    tau_s, tau_m : numpy.ndarray
        Time constants of current and membrane, in the unit of `t`.

    Returns
    -------
    numpy.ndarray
        The response in the unit of `t`, of the broadcast shape.
    """
    y = t * (1.0 / tau_m - 1.0 / tau_s)
    near = np.abs(y) < _SERIES
    small = np.where(near, y, 0.0)
    term, series = np.ones_like(y), np.full_like(y, 0.5)  # int_0^1 r exp(y r) dr
    for n in range(1, 18):
        term = term * small / n
        series = series + term / (n + 2)
    far = np.where(near, 1.0, y)
    closed = ((far - 1.0) * np.exp(-t / tau_s) + np.exp(-t / tau_m)) / far**2
    return t * t / tau_m * np.where(near, np.exp(-t / tau_m) * series, closed)
