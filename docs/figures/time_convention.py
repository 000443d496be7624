"""Draw the picture of docs/time_convention.md: ``python docs/figures/time_convention.py``."""

import argparse
import math
from pathlib import Path

import numpy as np

from cosim.figures import figure, style

# All times in units of the time step, which is 1 ms here.
N_STEPS = 13
SOURCE_SPIKE = 2
DELAY = 2
CELL = {
    "v_rest": 0.0,
    "v_reset": 0.0,
    "v_thresh": 7.0,
    "cm": 0.25,
    "tau_m": 5.0,
    "tau_refrac": 3.0,
    "tau_syn_E": 2.0,
}
WEIGHT = 2.0
REFRACTORY = int(CELL["tau_refrac"])

# What a step does, and the slot of Brian2's schedule that does it.
ORDER = [
    ("sample\nat (n–1)h", "start"),
    ("integrate V\nand currents", "groups"),
    ("add input\narriving at nh", "synapses"),
    ("compare V to\nthreshold", "thresholds"),
    ("stamp spike\nnh; reset", "resets"),
    ("plasticity:\nevents at nh", "end"),
    ("sample\nat nh", "start"),
]


def simulate():
    """Integrate the neuron of the picture by the convention, step by step.

    Returns
    -------
    sample : ndarray of float, shape (N_STEPS + 1,)
        Voltage as recorded at 0, 1, ..., N_STEPS (mV).
    compared : ndarray of float, shape (N_STEPS + 1,)
        Voltage as compared with the threshold at the end of each step.
    current : ndarray of float, shape (N_STEPS + 1,)
        Synaptic current as recorded (nA).
    spikes : list of int
        Stamps.
    """
    tau_m, tau_syn = CELL["tau_m"], CELL["tau_syn_E"]
    decay_m, decay_syn = math.exp(-1 / tau_m), math.exp(-1 / tau_syn)
    gain = (decay_m - decay_syn) / (1 / tau_syn - 1 / tau_m) / CELL["cm"]
    sample, compared, current = (np.zeros(N_STEPS + 1) for _ in range(3))
    spikes, refractory_until = [], 0
    for n in range(1, N_STEPS + 1):
        v = sample[n - 1]
        if n > refractory_until:
            v = decay_m * v + gain * current[n - 1]
        current[n] = decay_syn * current[n - 1]
        if n == SOURCE_SPIKE + DELAY:
            current[n] += WEIGHT
        compared[n] = v
        if n > refractory_until and v >= CELL["v_thresh"]:
            spikes.append(n)
            v = CELL["v_reset"]
            refractory_until = n + REFRACTORY
        sample[n] = v
    return sample, compared, current, spikes


def draw():
    """Return the figure."""
    fig, (events, voltage, order) = figure(
        "iop_double", 0.72, nrows=3, height_ratios=[1.0, 1.5, 0.9]
    )
    sample, compared, current, (spike,) = simulate()
    draw_events(events, spike)
    draw_voltage(voltage, sample, compared, current, spike)
    draw_order(order)
    return fig


def draw_events(ax, spike):
    """Draw when spikes are stamped and when they arrive."""
    arrival = SOURCE_SPIKE + DELAY
    for y, name in ((2, "source"), (1, "synapse"), (0, "neuron")):
        ax.axhline(y, color="0.8", lw=0.6, zorder=0)
        ax.text(-0.15, y, name, ha="right", va="center")
    ax.vlines([SOURCE_SPIKE, spike], [1.75, -0.25], [2.25, 0.25], color="C0", lw=2)
    arrow = {"arrowstyle": "->", "color": "C1", "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (arrival, 1), (SOURCE_SPIKE, 2), arrowprops=arrow)
    ax.plot([arrival], [1], "o", color="C1")
    ax.text(SOURCE_SPIKE, 2.3, f"stamp {SOURCE_SPIKE}h", color="C0", ha="center")
    ax.text(arrival + 0.15, 1.1, f"arrives at {SOURCE_SPIKE}h + delay = {arrival}h", color="C1")
    label = f"stamp {spike}h, arrives at {spike + 1}h or later (delay ≥ h)"
    ax.text(spike + 0.15, 0.1, label, color="C0")
    ax.set(xlim=(-0.2, N_STEPS + 0.2), ylim=(-0.4, 2.8))
    ax.axis("off")


def draw_voltage(ax, sample, compared, current, spike):
    """Draw what is recorded, what the threshold sees, and the refractory steps."""
    times = np.arange(N_STEPS + 1)
    threshold = CELL["v_thresh"]
    ax.axvspan(spike, spike + REFRACTORY, color="0.92", lw=0)
    ax.text(
        spike + REFRACTORY / 2,
        0.42 * threshold,
        f"refractory: steps {spike + 1}–{spike + REFRACTORY}\n(tau_refrac = {REFRACTORY}h)",
        ha="center",
    )
    ax.axhline(threshold, color="0.3", lw=0.8, ls="--")
    ax.text(0, 1.03 * threshold, "threshold")
    before, after = times <= spike, times >= spike
    ax.plot(times[before], np.where(times == spike, compared, sample)[before], color="C0")
    ax.plot(times[after], sample[after], color="C0")
    ax.vlines(spike, 0, compared[spike], color="C0", ls=":", lw=1)
    ax.plot(times, sample, "o", color="C0", label="V, recorded sample: after reset", clip_on=False)
    ax.plot(spike, compared[spike], "o", mfc="white", color="C0", ms=5, label="V, as compared")
    ax.plot(
        times,
        current / WEIGHT * threshold / 2,
        "s",
        color="C1",
        ms=3,
        label="synaptic current (scaled), recorded sample",
        clip_on=False,
    )
    note = {"arrowstyle": "-", "color": "0.5", "lw": 0.6}
    arrival = SOURCE_SPIKE + DELAY
    ax.annotate(
        "input is in the\nsample of its arrival;\nV follows one step later",
        (arrival, threshold / 2),
        (arrival - 0.5, 0.6 * threshold),
        ha="right",
        va="center",
        arrowprops=note,
    )
    ax.annotate(
        "integrates again:\n" + f"step {spike + REFRACTORY + 1}",
        (spike + REFRACTORY + 1, sample[spike + REFRACTORY + 1]),
        (spike + REFRACTORY + 1.4, 0.5 * threshold),
        ha="center",
        arrowprops=note,
    )
    ax.set_xticks(times, ["0", "h", *(f"{n}h" for n in times[2:])])
    ax.set_yticks([0], ["v_reset"])
    ax.set(xlim=(-0.2, N_STEPS + 0.2), ylim=(-0.02 * threshold, 1.35 * threshold))
    ax.legend(loc="upper right", ncols=3, borderaxespad=0)
    for n in times[1:]:
        text = {"ha": "center", "transform": ax.get_xaxis_transform(), "size": 7}
        ax.text(n - 0.5, -0.22, n, **text)
        ax.text(n - 0.5, -0.36, n - 1, color="C2", **text)
    text = {"ha": "right", "transform": ax.get_xaxis_transform(), "size": 7}
    ax.text(-0.2, -0.22, "step n", **text)
    ax.text(-0.2, -0.36, "Brian2's clock", color="C2", **text)


def draw_order(ax):
    """Draw what happens in one step, in which order."""
    for i, (what, slot) in enumerate(ORDER):
        outside = i == len(ORDER) - 1
        face = "0.95" if slot == "start" else "white"
        ax.text(
            i,
            0.62,
            what,
            ha="center",
            va="center",
            size=6.5,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": face, "edgecolor": "0.4", "lw": 0.6},
        )
        clock = "k+1" if outside else "k"
        ax.text(i, -0.12, f"{slot} ({clock})", color="C2", ha="center", size=7)
        if not outside:
            ax.annotate(
                "", (i + 0.58, 0.62), (i + 0.42, 0.62), arrowprops={"arrowstyle": "->", "lw": 0.8}
            )
    ax.text(-0.5, 1.25, "one step, n, the interval ((n–1)h, nh]", ha="left")
    ax.text(-0.5, -0.5, "slot of Brian2's schedule, in its clock step k = n – 1", color="C2")
    ax.set(xlim=(-0.6, len(ORDER) - 0.4), ylim=(-0.6, 1.5))
    ax.axis("off")


def main(argv=None):
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, default=Path(__file__).parent)
    folder = parser.parse_args(argv).figures
    with style():
        draw().savefig(folder / "time_convention.png")


if __name__ == "__main__":
    main()
