"""Figure of a fitted device: what was measured, and the same of devices simulated by the fit.

Measured and simulated readings go through the same calculations, so that whatever these do to
noisy readings they do to both.
"""

import math

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cosim.figures import PERCENTILES, figure
from devices.fitting import Fit
from devices.fitting.series import Series, series_of

FloatArray = npt.NDArray[np.float64]

# Devices that are simulated at least, for smooth bands.
_SIMULATED = 200
_BINS = 12
# Changes in a bin from which on its mean and spread are drawn.
_LEAST = 5
_UP, _DOWN, _FIT = "C0", "C1", "0.35"
_BAND = "5\N{EN DASH}95 %"


def draw(fit: Fit, seed: int = 1) -> Figure:
    """Draw measured and simulated readings.

    Panels: the series, change per pulse over the conductance, standard deviation of the change
    over the conductance, residuals of the fit, and bounds of the devices.

    Parameters
    ----------
    fit : Fit
        From `devices.fitting.fit`.
    seed : int, optional
        Of the noise of the simulated devices.

    Returns
    -------
    Figure
        Of one column's width.
    """
    fig, axes = figure("iop_single", aspect=1.45, nrows=3, ncols=2)
    grid = axes[0, 0].get_gridspec()
    for ax in axes[0]:
        ax.remove()
    measured = series_of(fit.pulses).select(~fit.stuck)
    # Stuck devices only widen the bands: those that respond are compared.
    copies = math.ceil(_SIMULATED / measured.n_devices)
    simulated = series_of(fit.predicted(copies=copies, seed=seed))
    simulated = simulated.select(_responding(simulated))
    _series(fig.add_subplot(grid[0, :]), measured, simulated)
    _changes(axes[1, 0], axes[1, 1], measured, simulated)
    _residuals(axes[2, 0], fit)
    _bounds(axes[2, 1], fit)
    for letter, ax in zip("abcde", (fig.axes[-1], *axes[1:].flat), strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", pad=3)
    return fig


def _responding(series: Series) -> npt.NDArray[np.bool_]:
    stuck = series.stuck()
    return np.ones_like(stuck) if stuck.all() else ~stuck


def _series(ax: Axes, measured: Series, simulated: Series) -> None:
    pulses = np.arange(measured.y.shape[1])
    parts = (
        (simulated, _FIT, "fitted device", "--", 0.25, 2),
        (measured, _UP, f"measured, n = {measured.n_devices}", "-", 0.35, 1),
    )
    for series, colour, label, line, alpha, order in parts:
        y = np.where(series.measured, series.y, np.nan)
        median = np.nanmedian(y, axis=0)
        ax.plot(pulses, median, line, color=colour, label=label, zorder=order + 2)
        if series.n_devices > 1:
            low, high = np.nanpercentile(y, PERCENTILES, axis=0)
            ax.fill_between(pulses, low, high, color=colour, alpha=alpha, linewidth=0, zorder=order)
    ax.set(xlabel="number of pulses", ylabel="conductance (µS)", xlim=(0, pulses[-1]))
    ax.set_ylim(bottom=0)
    many = measured.n_devices > 1
    title = f"median and {_BAND} of devices" if many else f"fit: median and {_BAND}"
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, title=title)


def _changes(mean_ax: Axes, sd_ax: Axes, measured: Series, simulated: Series) -> None:
    """Draw mean and standard deviation of the change per pulse over the conductance before it."""
    lowest, highest = np.percentile(measured.y, [0.5, 99.5])
    edges = np.linspace(lowest, highest, _BINS + 1)
    for sign, colour, marker, label in ((1, _UP, "o", "pulses up"), (-1, _DOWN, "s", "down")):
        at, mean, sd, error = _binned(measured, sign, edges)
        mean_ax.errorbar(at, mean, error, fmt=marker, color=colour, markeredgecolor="white",
                         elinewidth=0.8)  # fmt: skip
        sd_ax.plot(at, sd, marker, color=colour, markeredgecolor="white", label=label)
        at, mean, sd, _ = _binned(simulated, sign, edges)
        mean_ax.plot(at, mean, "--", color=_FIT)
        sd_ax.plot(at, sd, "--", color=_FIT)
    mean_ax.axhline(0.0, color="0.8", linewidth=0.6, zorder=0)
    for ax in (mean_ax, sd_ax):
        ax.set_xlabel("conductance (µS)")
    mean_ax.set_ylabel("mean change\nper pulse (µS)")
    sd_ax.set_ylabel("s.d. of the change\nper pulse (µS)")
    sd_ax.set_ylim(bottom=0)
    sd_ax.legend(loc="lower right", handlelength=1.0)


def _binned(series: Series, sign: int, edges: FloatArray) -> tuple[FloatArray, ...]:
    """Return centres, means, standard deviations and standard errors of the changes in bins."""
    chosen = series.direction[:, 1:] == sign
    before, change = series.y[:, :-1][chosen], np.diff(series.y)[chosen]
    index = np.searchsorted(edges, before, side="right") - 1
    rows = []
    for i in range(edges.size - 1):
        found = change[index == i]
        if found.size >= _LEAST:
            rows.append((before[index == i].mean(), found.mean(), found.std(ddof=1), found.size))
    at, mean, sd, count = np.array(rows).reshape(-1, 4).T
    return at, mean, sd, sd / np.sqrt(count)


def _residuals(ax: Axes, fit: Fit) -> None:
    """Draw the distribution of the residuals, which noise as described makes standard normal."""
    residuals = fit.residuals[np.isfinite(fit.residuals)]
    edges = np.linspace(-4.0, 4.0, 33)
    density = np.histogram(residuals, edges)[0] / residuals.size / np.diff(edges)
    ax.stairs(density, edges, color=_UP, fill=True, alpha=0.4)
    x = np.linspace(-4.0, 4.0, 200)
    ax.plot(x, np.exp(-0.5 * x**2) / math.sqrt(2.0 * math.pi), "--", color=_FIT)
    ax.set(xlabel="residual (predicted s.d.)", ylabel="density", xlim=(-4, 4), ylim=(0, None))
    ax.text(0.02, 0.98, f"lag-1\ncorr.\n{fit.autocorrelation:+.2f}", transform=ax.transAxes,
            va="top", fontsize=6)  # fmt: skip


def _bounds(ax: Axes, fit: Fit) -> None:
    """Draw the shares of devices below a conductance: their bounds, and fitted distributions."""
    n = int(np.sum(~fit.stuck))
    for name, values, colour in (("g_min", fit.g_min, _DOWN), ("g_max", fit.g_max, _UP)):
        values = np.sort(values[~fit.stuck])
        label = f"$g_{{{name[2:]}}}$"
        if n == 1:
            ax.axvline(values[0], color=colour, label=label)
            continue
        ax.step(np.repeat(values, 2)[1:], np.repeat(np.arange(1, n + 1) / n, 2)[:-1], color=colour,
                label=label)  # fmt: skip
    if n > 1:
        from devices import effects, noise

        device = fit.device.resolved(but=("stuck_on", "stuck_off", "stuck_random"))
        key = noise.noise_key(1, "bounds")
        drawn = effects.sample_bounds(device, device.known("g_max", "the figure"), 2000, key)
        for values in (drawn.w_min, drawn.w_max):
            ax.plot(np.sort(values), np.linspace(0.0, 1.0, values.size), "--", color=_FIT)
    ax.set(xlabel="conductance (µS)", ylabel="share of devices", ylim=(0, 1.02))
    ax.set_xlim(left=0)
    ax.legend(title=f"n = {n}", handlelength=1.2, loc="upper left", bbox_to_anchor=(0.06, 1.02))
