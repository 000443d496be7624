"""Where values lie on an axis: infinity and names have places too."""

import math
import numbers
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

_MAX_TICKS = 8


def is_infinite(value: Any) -> bool:
    """Return whether a value is the number +inf."""
    return isinstance(value, numbers.Real) and float(value) == math.inf


def positions_of(values: pd.Series, x_scale: str) -> dict[Any, float]:
    """Return where on the axis each value of x lies, in increasing order."""
    distinct = list(values.drop_duplicates())
    if pd.api.types.is_numeric_dtype(values):
        distinct.sort()
    if x_scale == "category":
        return {value: float(i) for i, value in enumerate(distinct)}
    if x_scale not in ("linear", "log"):
        raise ValueError(f"x_scale={x_scale!r}, need 'linear', 'log' or 'category'")
    if not pd.api.types.is_numeric_dtype(values):
        raise ValueError(
            f"x={values.name!r} is not numeric, x_scale={x_scale!r} is; use x_scale='category'"
        )
    finite = [value for value in distinct if not is_infinite(value)]
    if x_scale == "log" and finite and finite[0] <= 0:
        raise ValueError(
            f"x={values.name!r} has the value {finite[0]}, x_scale='log' needs > 0; "
            "use x_scale='linear'"
        )
    positions = {value: float(value) for value in finite}
    if len(finite) < len(distinct):
        positions[distinct[-1]] = _beyond(np.array(finite, dtype=float), x_scale)
    return positions


def _beyond(finite: np.ndarray, x_scale: str) -> float:
    """Return the position of infinity: a quarter of the finite range beyond its end."""
    if x_scale == "log":
        exponents = np.log10(finite)
        return float(10.0 ** _beyond(exponents, "linear"))
    if len(finite) == 0:
        return 0.0
    return float(finite[-1] + (np.ptp(finite) / 4 or 1.0))


def room(positions: dict[Any, float], x_scale: str) -> float:
    """Return the distance between the last two places, in decades on a logarithmic axis."""
    places = np.array([*positions.values()][-2:])
    return float(np.ptp(np.log10(places) if x_scale == "log" else places)) or 1.0


def label_ticks(ax: Axes, positions: dict[Any, float]) -> None:
    """Put ticks at the values of x: all that are not finite, and at most 8 of the others."""
    values = list(positions)
    finite = [value for value in values if not is_infinite(value)]
    every = max(1, -(-len(finite) // _MAX_TICKS))
    # Counted from the end, so that the largest value always has its tick.
    shown = [*finite[::-1][::every][::-1], *values[len(finite) :]]
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks([positions[value] for value in shown], [_tick_label(value) for value in shown])


def _tick_label(value: Any) -> str:
    if is_infinite(value):
        return "∞"
    return f"{value:g}" if isinstance(value, numbers.Real) else str(value)
