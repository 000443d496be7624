"""Figures for papers: drawn at the printed size, legible in grey, the same bytes on every run.

A study's figure in full::

    with style():
        fig, ax = figure("iop_single")
        band(ax, table, x="on_off_ratio", y="error", group="backend", x_scale="log")
        ax.set(xlabel="on-off ratio", ylabel="prediction error")
        save(fig, "results/figure_1", keywords=[study_id])
"""

import itertools
import numbers
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cosim.places import is_infinite, label_ticks, positions_of, room

#: Widths in mm of a figure in a journal's column. From the publishers' guides: ``ieee_*``.
#: Not verified, check the guide of your journal: ``frontiers_*``, ``iop_*``, ``plos_column``.
WIDTH_MM = {
    "frontiers_double": 180.0,
    "frontiers_single": 85.0,
    "ieee_double": 182.0,
    "ieee_single": 88.9,
    "iop_double": 170.0,
    "iop_single": 85.0,
    "plos_column": 132.0,
}

MM_PER_INCH = 25.4
PERCENTILES = (5, 95)

# Two marks besides colour, so that groups can be told apart in grey. Numbers of styles without a
# common divisor, so that the combinations do not repeat early.
_MARKERS = ("o", "s", "^", "D", "v")
_LINES = ("-", "--", "-.", ":")

# Lines with more points than this have markers at some of them only.
_MAX_MARKERS = 20

# The column of the results' table whose values are never pooled.
_BACKEND = "backend"

# A legend with more entries than this lies above the axes.
_MAX_INSIDE = 3

# Share of the room between two places that the error bars of all groups take together.
_DODGE = 0.5


def style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in cosim's style (``cosim.mplstyle``)."""
    return mpl.style.context(Path(__file__).with_name("cosim.mplstyle"))


def figure(
    width: str = "iop_single", aspect: float = 0.75, **subplots_kw: Any
) -> tuple[Figure, Any]:
    """Make a figure of a journal's column width.

    Parameters
    ----------
    width : str
        Name in `WIDTH_MM`.
    aspect : float
        Height divided by width, of the whole figure.
    **subplots_kw
        Passed on to `matplotlib.pyplot.subplots`, for example ``ncols=2``.

    Returns
    -------
    fig : Figure
    axes : Axes or ndarray of Axes
        As from `matplotlib.pyplot.subplots`.

    Raises
    ------
    ValueError
        If `width` is not a known name or `aspect` is not positive.
    """
    if width not in WIDTH_MM:
        raise ValueError(f"figure: width={width!r}, known are {', '.join(WIDTH_MM)}")
    if not aspect > 0:
        raise ValueError(f"figure: aspect={aspect!r}, need > 0 (height divided by width)")
    inches = WIDTH_MM[width] / MM_PER_INCH
    return plt.subplots(figsize=(inches, inches * aspect), **subplots_kw)


def save(fig: Figure, stem: str | Path, keywords: Iterable[str] = ()) -> list[Path]:
    """Save a figure as PDF (vector) and PNG (300 dpi); equal figures give equal bytes.

    Parameters
    ----------
    fig : Figure
    stem : str or Path
        Path without extension; its folder is made if need be.
    keywords : iterable of str
        Stored in both files, to find the data behind a figure: study, point ids, git commit.

    Returns
    -------
    list of Path
        The PDF and the PNG.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    pdf, png = stem.with_name(f"{stem.name}.pdf"), stem.with_name(f"{stem.name}.png")
    joined = ", ".join(keywords)
    # Font type and resolution are settings of the moment of saving.
    with style():
        fig.savefig(pdf, metadata={"Keywords": joined, "CreationDate": None})
        fig.savefig(png, metadata={"Keywords": joined})
    return [pdf, png]


def summarise(
    table: pd.DataFrame, x: str, y: str, group: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Summarise repetitions (seeds) by median and 5th and 95th percentile.

    Parameters
    ----------
    table : DataFrame
        Tidy: one row per run.
    x, y : str
        Columns: swept parameter and metric.
    group : str or sequence of str, optional
        Column or columns of what to compare.

    Returns
    -------
    DataFrame
        One row per group and value of `x`: columns `group` (if given), `x`, ``median``, ``low``,
        ``high`` and ``n``, the number of runs with a value. Runs without one (NaN: the metric
        failed) are left out of the percentiles and of ``n``; a point where all are without
        stays, with NaN. Numbers in `x` are sorted, infinity last; names and groups keep the order
        in which they appear.

    Raises
    ------
    ValueError
        If a column is missing, `x` or `group` has an empty cell, or the table has no row.
    """
    groups = [group] if isinstance(group, str) else list(group or ())
    keys = [*groups, x]
    missing = [name for name in [*keys, y] if name not in table.columns]
    if missing:
        raise ValueError(
            f"no column {', '.join(map(repr, missing))} in the table; "
            f"it has {', '.join(map(str, table.columns))}"
        )
    if table.empty:
        raise ValueError(f"the table has no row: nothing to draw for {y!r}")
    for name in keys:
        if table[name].isna().any():
            raise ValueError(
                f"column {name!r} is empty in {int(table[name].isna().sum())} rows; leave these "
                f"out or give them a value, for example table[{name!r}].fillna(math.inf)"
            )
    rows = []
    for key, values in table.groupby(keys, sort=False, observed=True)[y]:
        found = values.dropna().to_numpy(dtype=float)
        low, median, high = (
            np.percentile(found, [PERCENTILES[0], 50, PERCENTILES[1]])
            if len(found)
            else (np.nan, np.nan, np.nan)
        )
        rows.append((*key, median, low, high, len(found)))
    summary = pd.DataFrame(rows, columns=[*keys, "median", "low", "high", "n"])
    if not pd.api.types.is_numeric_dtype(summary[x]):
        return summary
    if not groups:
        return summary.sort_values(x, ignore_index=True)
    parts = [part.sort_values(x) for _, part in summary.groupby(groups, sort=False, observed=True)]
    return pd.concat(parts, ignore_index=True)


def band(
    ax: Axes,
    table: pd.DataFrame,
    x: str,
    y: str,
    group: str | None = None,
    x_scale: Literal["linear", "log", "category"] = "linear",
) -> pd.DataFrame:
    """Draw the median over seeds as a line and the 5th to 95th percentile as a band.

    Ticks are at the values of `x` (at most 8 finite ones). What has no neighbours on a scale is
    drawn as a point with an error bar: an infinite value, such as the on-off ratio of an ideal
    device, which has a place of its own at the right end, labelled ∞; and names, where `x` is
    not numeric. The legend says how many runs there are per point.

    Runs of several backends are never pooled. Unless `x` or `group` is the column ``backend``,
    the first backend is drawn as usual, and each further one over it with open markers, a line
    style of its own and an outline for the band: where backends agree, each filled marker lies in
    the rings of the others. Without a `group` each backend has a colour, too.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Tidy: one row per run.
    x, y, group : str
        Columns: swept parameter, metric and, optionally, what to compare.
    x_scale : {"linear", "log", "category"}
        ``category`` puts the values of `x` side by side at equal distances.

    Returns
    -------
    DataFrame
        What is drawn, as from `summarise`: to be saved with the figure.

    Raises
    ------
    ValueError
        If a column is missing or empty, the table has no row, or `x` does not fit `x_scale`.
    """
    compares_backends = _compares_backends(table, x, group)
    keys = [*([] if group is None else [group]), *([_BACKEND] if compares_backends else [])]
    summary = summarise(table, x, y, keys)
    positions = positions_of(summary[x], x_scale)
    if x_scale == "log":
        ax.set_xscale("log")
    groups = [None] if group is None else list(summary[group].unique())
    backends = list(summary[_BACKEND].unique()) if compares_backends else [None]
    for (i, name), (j, backend) in itertools.product(enumerate(groups), enumerate(backends)):
        part = summary[_equals(summary, group, name) & _equals(summary, _BACKEND, backend)]
        if part.empty:
            continue
        _draw_band(
            ax,
            part.assign(
                at=[positions[value] for value in part[x]],
                joined=[isinstance(v, numbers.Real) and not is_infinite(v) for v in part[x]],
            ),
            dodge=_DODGE * ((i + 0.5) / len(groups) - 0.5) * room(positions, x_scale),
            label=None if compares_backends else _with_count(name, part),
            look=_look(i, j if compares_backends else None, j if group is None else i),
        )
    label_ticks(ax, positions)
    if x_scale == "category":
        ax.set_xlim(-0.5, len(positions) - 0.5)
    ax.legend(handles=_legend_handles(summary, group) if compares_backends else None)
    return summary


def panels(
    table: pd.DataFrame,
    x: str,
    metrics: Mapping[str, str],
    group: str | None = None,
    x_label: str = "",
    x_scale: Literal["linear", "log", "category"] = "linear",
    axes: Sequence[Axes] | None = None,
) -> Figure | None:
    """Draw several metrics over the same parameter, one above the other, see `band`.

    Where a metric is infinite because something never happened, such as episodes to solution, it
    gets a place at the top, labelled "never", and counts as the largest value in the percentiles.

    Parameters
    ----------
    table : DataFrame
        Tidy: one row per run.
    x : str
        Column of the swept parameter.
    metrics : mapping of str to str
        Column of a metric to its axis label.
    group : str, optional
        Column of what to compare.
    x_label : str
        Label of the common axis, with the unit.
    x_scale : {"linear", "log", "category"}
        As for `band`.
    axes : sequence of Axes, optional
        Where to draw, one per metric; by default a new single-column figure.

    Returns
    -------
    Figure or None
        The new figure, None if it was drawn into `axes`.
    """
    fig = None
    if axes is None:
        fig, new = figure(aspect=0.15 + 0.45 * len(metrics), nrows=len(metrics), sharex=True)
        axes = list(np.ravel(new))
    for i, (ax, (metric, label)) in enumerate(zip(axes, metrics.items(), strict=True)):
        finite, never = _with_never(table[metric])
        band(ax, table.assign(**{metric: finite}), x, metric, group, x_scale)
        if (finite.dropna() >= 0).all():
            # From zero on, and not on a scale of rounding errors where all values are zero.
            top = ax.get_ylim()[1] if finite.max() > 0 else 1.0
            ax.set_ylim(-0.04 * top, top)
        if never is not None:
            _label_never(ax, never)
        ax.set_ylabel(label)
        legend = ax.get_legend()
        if legend is None:
            continue
        labels = [text.get_text() for text in legend.get_texts()]
        if i == 0 and (fig is None or len(labels) <= _MAX_INSIDE):
            continue
        if i == 0 and fig is not None:
            handles: list[Any] = legend.legend_handles
            fig.legend(handles, labels, loc="outside upper center", ncols=2)
        legend.remove()
    axes[-1].set_xlabel(x_label)
    return fig


def _with_never(values: pd.Series) -> tuple[pd.Series, float | None]:
    """Put infinite values a fifth above the largest finite one; return where that is, too."""
    infinite = np.isinf(values)
    if not infinite.any():
        return values, None
    finite = values[~infinite]
    never = 1.2 * float(finite.max()) if len(finite) and finite.max() > 0 else 1.0
    return values.where(~infinite, never), never


def _label_never(ax: Axes, never: float) -> None:
    ticks = [t for t in ax.get_yticks() if 0 <= t < 0.92 * never]
    ax.set_yticks([*ticks, never], [*(f"{t:g}" for t in ticks), "never"])
    ax.set_ylim(top=1.08 * never)


def _compares_backends(table: pd.DataFrame, x: str, group: str | None) -> bool:
    return _BACKEND not in (x, group) and _BACKEND in table and table[_BACKEND].nunique() > 1


def _equals(summary: pd.DataFrame, column: str | None, value: Any) -> "pd.Series[bool]":
    """Return which rows have a value; all where there is none to have."""
    if value is None:
        return pd.Series(True, index=summary.index)
    return summary[column] == value


def _look(i: int, backend: int | None = None, colour: int | None = None) -> dict[str, Any]:
    """Return how the i-th group is drawn, on one backend (None) or the n-th of several."""
    look: dict[str, Any] = {
        "color": _colour(i if colour is None else colour),
        "linestyle": _LINES[(i if backend is None else backend) % len(_LINES)],
        "marker": _MARKERS[i % len(_MARKERS)],
        "markeredgecolor": "white",
    }
    if backend:
        look |= _ring(backend, look["color"])
    return look


def _colour(number: int) -> Any:
    colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return colours[number % len(colours)]


def _ring(backend: int, colour: Any) -> dict[str, Any]:
    """Return the marker of a backend after the first: around those of all before it."""
    size = mpl.rcParams["lines.markersize"] * (1 + 0.6 * backend)
    return {"markerfacecolor": "none", "markeredgecolor": colour, "markersize": size}


def _legend_handles(summary: pd.DataFrame, group: str | None) -> list[Line2D]:
    """Return one entry per group, in its colour, and one per backend, in its style.

    Without groups backends have the colours.
    """
    handles = []
    if group is not None:
        for i, (name, part) in enumerate(summary.groupby(group, sort=False, observed=True)):
            look = _look(i, 0) | {"linestyle": "none"}
            handles.append(Line2D([], [], label=_with_count(name, part), **look))
    for j, (name, part) in enumerate(summary.groupby(_BACKEND, sort=False, observed=True)):
        colour = _colour(j) if group is None else "0.25"
        look = {"color": colour, "linestyle": _LINES[j % len(_LINES)], "marker": _MARKERS[0]}
        look |= _ring(j, colour) if j else {"markeredgecolor": "white"}
        handles.append(Line2D([], [], label=_with_count(name, part), **look))
    return handles


def _draw_band(
    ax: Axes, part: pd.DataFrame, label: str | None, look: dict[str, Any], dodge: float
) -> None:
    line, points = part[part["joined"]], part[~part["joined"]]
    is_outline = look.get("markerfacecolor") == "none"
    ax.fill_between(
        line["at"],
        line["low"],
        line["high"],
        facecolor="none" if is_outline else look["color"],
        edgecolor=look["color"] if is_outline else "none",
        linestyle=look["linestyle"],
        linewidth=0.5 if is_outline else 0,
        alpha=0.6 if is_outline else 0.2,
    )
    every = max(1, len(line) // _MAX_MARKERS)
    ax.plot(line["at"], line["median"], label=label if len(line) else None, markevery=every, **look)
    ax.errorbar(
        points["at"] * 10**dodge if ax.get_xscale() == "log" else points["at"] + dodge,
        points["median"],
        yerr=np.array([points["median"] - points["low"], points["high"] - points["median"]]),
        capsize=1.5,
        label=None if len(line) else label,
        **(look | {"linestyle": "none"}),
    )


def _with_count(name: Any, part: pd.DataFrame) -> str:
    runs = f"n = {_count(part['n'])}"
    return runs if name is None else f"{name} ({runs})"


def _count(counts: Sequence[int] | pd.Series) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}\N{EN DASH}{high}"
