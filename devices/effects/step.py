"""The step of a programming pulse."""

import numpy as np
import numpy.typing as npt

from devices.update import Update


def relative_step(update: Update, s: npt.ArrayLike, up: bool) -> npt.NDArray[np.float64]:
    """Return the step of a pulse relative to the nominal one, ``f_up`` or ``f_down``.

    Parameters
    ----------
    update : Update
        A law with pulses.
    s : array_like of float
        States as fractions of the range.
    up : bool
        Direction.

    Returns
    -------
    ndarray of float64
        Of the shape of `s`, >= 0.

    Raises
    ------
    ValueError
        If the law is "direct", which has no pulses.
    """
    s = np.asarray(s, dtype=np.float64)
    way = s if up else 1.0 - s
    if update.law == "linear":
        return 1.0 - (update.slope_up if up else update.slope_down) * way
    if update.law == "exponential":
        amplitude = update.amplitude_up if up else update.amplitude_down
        rate = update.rate_up if up else update.rate_down
        return np.maximum(1.0 - amplitude * np.exp(rate * way), 0.0)
    if update.law == "power":
        return (1.0 - s) ** update.exponent_up if up else s**update.exponent_down
    if update.law == "piecewise":
        nodes = np.array(update.nodes_up if up else update.nodes_down)
        place = s * (nodes.size - 1)
        i = np.minimum(np.floor(place), nodes.size - 2).astype(np.intp)
        return nodes[i] + (nodes[i + 1] - nodes[i]) * (place - i)
    raise ValueError(f"relative_step: law={update.law!r}, need a law with pulses")
