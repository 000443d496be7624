"""Do all backends compute the same?

The network learns sequence set I, with synapses that are ideal, or of devices with levels, spread,
write and read noise and faults at once (`tests/parity/` has every effect). Every backend gets the
same network; compared are all spikes and dendritic action potentials (dAPs) of the whole run, step
by step, and the state of every plastic synapse at its end.
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

import cosim
from cosim.agreement import compare_events
from cosim.figures import band
from cosim.figures import figure as new_figure

NOISY = {
    "device.on_off_ratio": 20.0,
    "device.n_levels": 64,
    "device.sigma_d2d_g_max": 0.1,
    "device.sigma_d2d_g_min": 0.1,
    "device.sigma_c2c": 0.005,
    "device.sigma_read": 0.1,
    "device.stuck_off": 0.05,
    "device.stuck_on": 0.01,
}

sweep = cosim.Sweep(
    "cross_backend_agreement",
    model="sequence_learning",
    backends=["nest", "brian2"],
    base={"record_all": True},
    variants={
        "ideal synapses": {"plasticity.rule": "permanence"},
        "noisy binary devices": {
            "plasticity.rule": "binary",
            "device.c2c_event": "write",
            **NOISY,
        },
        "noisy analog devices": {
            "plasticity.rule": "analog",
            "device.c2c_event": "pre_spike",
            **NOISY,
        },
    },
)


def analysis(table, records):
    """Return one row per point and episode, compared with the first backend.

    ``spikes`` and ``daps`` count the distinct events of both runs, ``differing_spikes`` and
    ``differing_daps`` those that only one of them has. ``largest_difference`` is that of the
    synapses' states, relative to their range, at the end of the last episode.
    """
    reference = table["backend"].iloc[0]
    first = table[table["backend"] == reference].set_index(["variant", "seed"])["point"]
    rows = []
    for point in table.itertuples():
        run = records[point.point]
        columns = {
            "backend": point.backend,
            "variant": point.variant,
            "seed": point.seed,
            "episode": np.arange(run.parameters["task.episodes"]),
            "prediction_error": run.arrays["prediction_error"],
        }
        if point.backend != reference and (point.variant, point.seed) in first:
            columns |= compared(run, records[first[point.variant, point.seed]])
        rows.append(pd.DataFrame(columns))
    return pd.concat(rows, ignore_index=True)


def compared(run, reference):
    """Return the columns that compare two runs."""
    parameters = run.parameters
    episodes = parameters["task.episodes"]
    duration = cosim.resolve(run.spec).task.episode_duration
    edges = parameters["task.t_start"] + np.arange(episodes + 1) * duration
    edges[-1] += parameters["timestep"]  # The end of the run belongs to it.
    columns = {}
    for kind in ("spike", "dap"):
        one, other = (
            (r.arrays[f"{kind}_times"], r.arrays[f"{kind}_senders"]) for r in (run, reference)
        )
        differing, total = compare_events(one, other, parameters["timestep"], edges)
        columns |= {f"{kind}s": total, f"differing_{kind}s": differing}
    one, other = (r.arrays["ee_permanence"].astype(float) for r in (run, reference))
    state_range = cosim.resolve(run.spec).plasticity.state_max
    at_end = np.full(episodes, np.nan)
    at_end[-1] = np.abs(one - other).max() / state_range
    return columns | {"largest_difference": at_end}


def figure(table):
    """Draw the error of every backend over the episodes, and state how far they agree."""
    variants = list(table["variant"].unique())
    fig, axes = new_figure(
        aspect=0.2 + 0.45 * len(variants), nrows=len(variants), sharex=True, squeeze=False
    )
    legends = []
    for ax, variant in zip(axes[:, 0], variants, strict=True):
        part = table[table["variant"] == variant]
        band(ax, part, "episode", "prediction_error")
        lines = agreement(part)
        # A line of text takes a tenth of the height.
        top = part["prediction_error"].max() / max(0.9 - 0.1 * len(lines), 0.2)
        ax.set(title=variant, ylabel="prediction error", ylim=(-0.05 * top, top or 1))
        ax.text(1, 0.98, "\n".join(lines), transform=ax.transAxes, ha="right", va="top", size=7)
        legends.append(ax.get_legend())
        ax.get_legend().remove()
    legend = max(legends, key=lambda legend: len(legend.get_texts()))
    labels = [text.get_text() for text in legend.get_texts()]
    fig.legend(legend.legend_handles, labels, loc="outside upper center", ncols=3)
    last = table["episode"].max()
    ticks = [int(t) for t in MaxNLocator(5, integer=True).tick_values(0, last) if t <= last]
    axes[-1, 0].set_xticks(ticks, ticks)
    axes[-1, 0].set_xlabel("episode")
    return fig


def agreement(table):
    """Say in lines of text how far each backend agrees with the first."""
    if "spikes" not in table:
        return []  # One backend only.
    lines = []
    for backend, runs in table.dropna(subset="spikes").groupby("backend", sort=False):
        spikes, daps = (
            f"{runs[f'differing_{kind}'].sum():,.0f} of {runs[kind].sum():,.0f}"
            for kind in ("spikes", "daps")
        )
        lines += [
            f"{backend} and {table['backend'].iloc[0]} (n = {runs['seed'].nunique()}) differ in",
            f"{spikes} spikes, {daps} dAPs,",
            f"in the state of a synapse by {runs['largest_difference'].max():.2g} at most",
        ]
    return lines


if __name__ == "__main__":
    cosim.main(sweep, figure, analysis=analysis)
