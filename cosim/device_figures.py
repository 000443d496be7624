"""One figure of a device: its pulses, levels, spread, drift and retention."""

import dataclasses
import math
import textwrap
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from cosim.figures import PERCENTILES, figure
from devices import Memristor, effects, noise
from devices.noise import Key

FloatArray = npt.NDArray[np.float64]

#: Devices in each panel.
N_DEVICES = 500
#: Levels of a continuous device, and most that are drawn of another.
N_LEVELS = 8
_N_DRIFTING = 4
_MAX_PULSES = 8000
# Ten years.
_LAST_AGE_S = 3.2e8
_BINS = 50
# Height of the axes relative to what is drawn, for the legend.
_HEADROOM = 1.3
_BAND = "mean, 5\N{EN DASH}95 % of devices"


@dataclasses.dataclass(frozen=True)
class _Sample:
    """Devices to draw; conductances in the unit of the axis."""

    device: Memristor  # what is unknown is off
    bounds: effects.Bounds
    key: Key
    index: npt.NDArray[np.intp]
    label: str

    def conductance(
        self, s: FloatArray, n_events: npt.ArrayLike, age_s: npt.ArrayLike | None = None
    ) -> FloatArray:
        """Return conductances of states; the last axis is that of the devices."""
        width = self.bounds.w_max - self.bounds.w_min
        w = self.bounds.w_min + width * s
        return effects.conductance(self.device, w, width, n_events, self.key, self.index, age_s)


def draw(device: Memristor, title: str, seed: int = 1) -> Figure:
    """Draw what a device does, in five panels.

    Pulses from the lowest to the highest conductance and back, distributions after programming
    levels from the lowest, spread of the bounds, and drift and retention of the levels. A panel
    whose effects are unknown (None) says so; in others unknown effects are off, as stated below
    them.

    Parameters
    ----------
    device : Memristor
    title : str
        Of the figure.
    seed : int, optional
        Of the drawn devices.

    Returns
    -------
    Figure
        Of two columns' width.
    """
    sample = _sample(device, noise.noise_key(seed, "device figure"))
    fig, axes = figure("iop_double", aspect=0.62, nrows=2, ncols=3)
    panels: Sequence[tuple[str, Callable[[Axes, _Sample], None], str]] = (
        ("pulse response", _pulses, _why_no_pulses(device)),
        ("programmed levels", _levels, _why_no_levels(device)),
        ("spread of the bounds", _spread, _why_no_spread(device)),
        ("drift", _drift, _why_no_drift(device)),
        ("retention", _retention, _why_no_drift(device)),
    )
    for ax, (name, function, why_not) in zip(axes.flat, panels, strict=False):
        if why_not:
            _leave_empty(ax, why_not)
        else:
            function(ax, sample)
            name += f" (n = {N_DEVICES})"
        ax.set_title(name)
    _remarks(axes.flat[-1], device, title)
    return fig


def _leave_empty(ax: Axes, why: str) -> None:
    ax.set(xticks=[], yticks=[], facecolor="0.96")
    ax.spines[:].set_visible(False)
    ax.text(0.5, 0.5, why, ha="center", va="center", color="0.4", transform=ax.transAxes)


def _sample(device: Memristor, key: Key) -> _Sample:
    known = Memristor(**{**vars(device), "unknown_is_off": True}).resolved()
    highest, label = (1.0, "conductance $G/G_{max}$")
    if device.g_max is not None:
        highest, label = device.g_max, "conductance $G$ (µS)"
    bounds = effects.sample_bounds(known, highest, N_DEVICES, key)
    return _Sample(known, bounds, key, np.arange(N_DEVICES), label)


def _why_no_pulses(device: Memristor) -> str:
    return "programmed directly,\npulses not reported" if device.update.law == "direct" else ""


def _why_no_levels(device: Memristor) -> str:
    silent = device.sigma_c2c is None and not device.c2c_polynomial and not device.level_sigmas
    return "not reported" if silent and device.n_levels is None else ""


def _why_no_spread(device: Memristor) -> str:
    spreads = (device.sigma_d2d_g_max, device.sigma_d2d_g_min, device.sigma_d2d_gain)
    return "not reported" if all(spread is None for spread in spreads) else ""


def _why_no_drift(device: Memristor) -> str:
    return "not reported" if device.drift_nu is None else ""


def _pulses(ax: Axes, sample: _Sample) -> None:
    device = sample.device
    n_up, n_down = (_pulses_needed(device, up) for up in (True, False))
    traces = _pulse_traces(sample, n_up, n_down)
    numbers = np.arange(n_up + n_down + 1)
    parts = ((slice(0, n_up + 1), "up"), (slice(n_up, None), "down"))
    for (part, label), colour in zip(parts, _colours(), strict=False):
        low, high = np.percentile(traces[part], PERCENTILES, axis=1)
        ax.fill_between(numbers[part], low, high, color=colour, alpha=0.2, linewidth=0)
        style = "-" if label == "up" else "--"
        ax.plot(numbers[part], traces[part].mean(axis=1), style, color=colour, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set(xlabel="pulse", ylabel=sample.label, ylim=(0, _HEADROOM * ax.dataLim.y1))
    ax.legend(title=_BAND, title_fontsize=7, loc="upper right", ncols=2)


def _pulses_needed(device: Memristor, up: bool) -> int:
    """Return how many noise-free pulses take the state through 95 % of its range."""
    s, way = (0.0, 1.0) if up else (1.0, -1.0)
    step = device.update.step_up if up else device.update.step_down
    assert step is not None
    for n in range(_MAX_PULSES):
        if (s if up else 1.0 - s) >= 0.95:
            return max(n, 1)
        s = min(max(s + way * step * float(effects.relative_step(device.update, s, up)), 0.0), 1.0)
    return _MAX_PULSES


def _pulse_traces(sample: _Sample, n_up: int, n_down: int) -> FloatArray:
    """Return the conductance of every device before the first and after every pulse."""
    device, update = sample.device, sample.device.update
    assert update.step_up is not None and update.step_down is not None
    state = np.zeros(N_DEVICES)
    n_writes = np.zeros(N_DEVICES, dtype=np.int64)
    traces = [sample.conductance(state, 0)]
    for event in range(n_up + n_down):
        # One step is one pulse.
        change = update.step_up if event < n_up else -update.step_down
        done = effects.write(
            device, state, state + change, 0.0, 1.0, event, sample.key, sample.index, n_writes
        )
        state, n_writes = done.state, n_writes + done.n_writes
        traces.append(sample.conductance(state, event + 1))
    return np.array(traces)


def _levels(ax: Axes, sample: _Sample) -> None:
    wanted = _drawn_levels(sample.device)
    reached = _programmed(sample, wanted)
    nominal = _nominal(sample, wanted)
    highest = 1.02 * max(float(reached.max()), nominal[-1])
    # Narrow enough for the widest distribution.
    n_bins = int(np.clip(2.5 * highest / max(reached.std(axis=1).max(), 1e-9), _BINS, 5 * _BINS))
    edges = np.linspace(0.0, highest, n_bins + 1)
    for place, (level, colour) in enumerate(zip(reached, _shades(len(wanted)), strict=True)):
        counts, _ = np.histogram(level, edges)
        # A histogram of its own height for each level, one above the other.
        ax.stairs(place + 0.9 * counts / counts.max(), edges, baseline=place, fill=True,
                  color=colour, linewidth=0.4)  # fmt: skip
    places = np.arange(len(wanted))
    ax.plot(nominal, places, "|", color="black", markersize=5, label="wanted")
    ax.set_yticks(places, [f"{level:.2g}" for level in wanted])
    ax.set(xlabel=sample.label, ylabel="wanted state", ylim=(-0.2, _HEADROOM * len(wanted)))
    ax.legend(loc="upper right", handlelength=1.0)


def _spread(ax: Axes, sample: _Sample) -> None:
    free = ~sample.bounds.stuck
    found = [("$G_{max}$", sample.bounds.w_max[free])]
    if math.isfinite(sample.device.on_off_ratio):
        found.append(("$G_{min}$", sample.bounds.w_min[free]))
    drawn = np.concatenate([values[values > 0] for _, values in found])
    edges = np.geomspace(0.9 * drawn.min(), 1.1 * drawn.max(), _BINS + 1)
    heights = [1]
    for (label, values), colour, hatch in zip(found, _colours(), ("", "////"), strict=False):
        counts, _ = np.histogram(values, edges)
        ax.stairs(counts, edges, fill=True, alpha=0.5, color=colour, hatch=hatch, label=label)
        heights.append(int(counts.max()))
    ax.set(xscale="log", xlabel=sample.label, ylabel="devices", ylim=(0, _HEADROOM * max(heights)))
    # Numbers that can be read: powers of ten alone may not be in the range at all.
    wide = edges[-1] > 10.0 * edges[0]
    ax.xaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0), numticks=6) if wide else MaxNLocator(4)
    )
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    n_stuck = int(sample.bounds.stuck.sum())
    title = f"{n_stuck} stuck devices left out" if n_stuck else None
    ax.legend(title=title, title_fontsize=7, loc="upper right", ncols=2)


def _drift(ax: Axes, sample: _Sample) -> None:
    wanted = _drawn_levels(sample.device)
    chosen = np.unique(np.linspace(0, len(wanted) - 1, _N_DRIFTING).round().astype(int))
    ages = _ages(sample.device)
    aged = _aged(sample, wanted[chosen], ages)
    for level, colour in zip(aged, _shades(len(chosen)), strict=True):
        low, high = np.percentile(level, PERCENTILES, axis=1)
        ax.fill_between(ages, low, high, color=colour, alpha=0.25, linewidth=0)
        ax.plot(ages, level.mean(axis=1), color=colour)
    ax.set(xscale="log", xlabel="time since programming (s)", ylabel=sample.label)
    ax.set_ylim(0, _HEADROOM * ax.dataLim.y1)
    ax.legend(handles=[], title=_BAND, title_fontsize=7, loc="upper right")


def _retention(ax: Axes, sample: _Sample) -> None:
    wanted = _all_levels(sample.device)
    ages = _ages(sample.device)
    aged = _aged(sample, wanted, ages)
    nominal = _nominal(sample, wanted)
    between = 0.5 * (nominal[1:] + nominal[:-1])
    right = np.searchsorted(between, aged) == np.arange(len(wanted))[:, np.newaxis, np.newaxis]
    means = aged.mean(axis=2)
    window = means[-1] - means[0]
    first, second = _colours()[:2]
    ax.plot(
        ages, right.mean(axis=(0, 2)), color=first, label=f"nearest its level, of {len(wanted)}"
    )
    ax.plot(ages, window / window[0], "--", color=second, label="window, rel. to start")
    ax.set(
        xscale="log", xlabel="time since programming (s)", ylabel="fraction", ylim=(0, _HEADROOM)
    )
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    ax.legend(loc="upper right")


def _remarks(ax: Axes, device: Memristor, title: str) -> None:
    """Say what the figure is of, and what is off in it because it is not reported."""
    ax.axis("off")
    ratio = "not reported" if device.on_off_ratio is None else f"{device.on_off_ratio:.4g}"
    levels = "continuous" if device.n_levels is None else f"{device.n_levels} levels"
    lines = [title, f"on-off ratio {ratio}, {levels}", f"update: {device.update.law}"]
    if device.unknown:
        names = ", ".join(device.unknown)
        lines += ["", "not reported, off here:", *textwrap.wrap(names, 32)]
    ax.text(0.0, 1.0, "\n".join(lines), va="top", fontsize=7, transform=ax.transAxes)


def _all_levels(device: Memristor) -> FloatArray:
    """Return the levels as fractions of the range, of a continuous device some."""
    if device.n_levels is None:
        return np.linspace(0.0, 1.0, N_LEVELS)
    return effects.level_means(device)


def _drawn_levels(device: Memristor) -> FloatArray:
    """Return the levels, or some of many."""
    levels = _all_levels(device)
    chosen = np.linspace(0, len(levels) - 1, min(len(levels), N_LEVELS)).round().astype(int)
    return levels[chosen]


def _programmed(sample: _Sample, wanted: FloatArray) -> FloatArray:
    """Return conductances after programming from the lowest; shape (levels, devices)."""
    return sample.conductance(_states(sample, wanted), 1)


def _states(sample: _Sample, wanted: FloatArray) -> FloatArray:
    return np.array(
        [
            # A number of the event for each level, so that the levels differ in their noise.
            effects.write(
                sample.device, np.zeros(N_DEVICES), np.full(N_DEVICES, level), 0.0, 1.0, event,
                sample.key, sample.index,
            ).state
            for event, level in enumerate(wanted)
        ]
    )  # fmt: skip


def _aged(sample: _Sample, wanted: FloatArray, ages: FloatArray) -> FloatArray:
    """Return conductances; shape (levels, ages, devices)."""
    states = _states(sample, wanted)[:, np.newaxis, :]
    aged = sample.conductance(states, 1, ages[:, np.newaxis])
    # Without drift the conductance does not depend on the age, nor has it this axis.
    return np.broadcast_to(aged, (len(wanted), len(ages), N_DEVICES))


def _nominal(sample: _Sample, s: FloatArray) -> FloatArray:
    """Return the conductances of states of a device with the nominal bounds."""
    highest = sample.device.g_max or 1.0
    lowest = highest / sample.device.on_off_ratio
    return lowest + (highest - lowest) * s


def _ages(device: Memristor) -> FloatArray:
    return np.geomspace(device.drift_t0_s, max(_LAST_AGE_S, 10.0 * device.drift_t0_s), 80)


def _colours() -> list[str]:
    return mpl.rcParams["axes.prop_cycle"].by_key()["color"]


def _shades(n: int) -> FloatArray:
    """Return ordered colours that are told apart in grey, too."""
    return mpl.colormaps["viridis"](np.linspace(0.0, 0.85, n))
