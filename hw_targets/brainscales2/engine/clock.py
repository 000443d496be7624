"""The engine's time: cycles of 4 ns, those of the chip's 250 MHz clock."""

from typing import Any

import numpy as np
import numpy.typing as npt

CYCLES_PER_US = 250
GRID_CYCLES = 2
"""Cycles of the time grid of events, 8 ns."""
CYCLE_US = 1.0 / CYCLES_PER_US
_TOLERANCE = 1e-3


def on_grid(what: str, times_us: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Convert times on the grid of 8 ns to cycles.

    Parameters
    ----------
    what : str
        What has these times, for the error.
    times_us : array_like
        Times in us.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ValueError
        If a time is not finite or not on the grid.
    """
    return _whole(what, times_us, CYCLES_PER_US / GRID_CYCLES, "8 ns") * GRID_CYCLES


def whole_cycles(what: str, time_us: float) -> int:
    """Convert a time of whole cycles.

    Parameters
    ----------
    what : str
        What has this time, for the error.
    time_us : float
        Time in us.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no multiple of 4 ns.
    """
    return int(_whole(what, time_us, CYCLES_PER_US, "4 ns"))


def nearest_cycles(times_us: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Round times to cycles.

    Parameters
    ----------
    times_us : array_like
        Times in us.

    Returns
    -------
    ndarray of int64
    """
    return np.rint(np.asarray(times_us, dtype=np.float64) * CYCLES_PER_US).astype(np.int64)


def _whole(what: str, times_us: npt.ArrayLike, rate: float, unit: str) -> npt.NDArray[Any]:
    scaled = np.asarray(times_us, dtype=np.float64) * rate
    rounded = np.rint(scaled)
    # Not a comparison with >, which NaN would pass.
    good = np.abs(scaled - rounded) <= _TOLERANCE
    if not good.all():
        bad = np.asarray(times_us, dtype=np.float64)[~good].flat[0]
        raise ValueError(f"{what}: {bad:.6g} us is no multiple of {unit}: round it first")
    return rounded.astype(np.int64)
