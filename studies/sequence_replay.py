"""What does the network do before and after learning, and when cued?

Rasters of somatic spikes and dendritic action potentials (dAPs) of a sample of neurons: the first
and the last training episode of sequence set I, and replay from cues with plasticity off. After
Bouhadjar et al. 2022, doi:10.1371/journal.pcbi.1010233.
"""

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import cosim
from cosim.figures import figure, save, style
from cosim.options import parse_names
from cosim.progress import progress_report
from models import sequence_learning
from models.sequence_learning.replay import replay

SEED = 1
NEURONS_SHOWN = 30  # of the 150 of each symbol


def train_and_replay(backend):
    """Return the parameters, the arrays of the training run, and the replay."""
    parameters = sequence_learning.Parameters(record_all=True)
    sim = cosim.backend(backend)
    sim.setup(timestep=parameters.timestep, min_delay="auto", rng_seed=SEED)
    with progress_report(1, enabled=sys.stderr.isatty()) as report:
        _, arrays = sequence_learning.simulate(
            sim, parameters, seed=SEED, progress=lambda done: report(0, 0, [done])
        )
    sim.setup(timestep=parameters.timestep, min_delay="auto", rng_seed=SEED)
    return parameters, arrays, replay(sim, parameters, arrays)


def dap_ends(spikes, daps, tau_dap):
    """Return when each dAP ends: after `tau_dap` ms or at its neuron's next spike."""
    spikes, daps = (t + 1e9 * np.asarray(s, float) for t, s in (spikes, daps))  # neuron by neuron
    after = np.append(np.sort(spikes), np.inf)[np.searchsorted(np.sort(spikes), daps)]
    return np.minimum(tau_dap, after - daps)


def raster(ax, parameters, start, end, spikes, daps, title):
    """Draw spikes as dots and dAPs as lines, from `start` to `end` ms."""
    n_e = parameters.connectivity.n_e
    symbols = parameters.task.symbols

    def shown(times, senders):
        keep = (times >= start) & (times < end) & (senders % n_e < NEURONS_SHOWN)
        return keep, times[keep] - start, (senders // n_e * NEURONS_SHOWN + senders % n_e)[keep]

    keep, onset, row = shown(*daps)
    duration = dap_ends(spikes, daps, parameters.neuron.tau_dAP)[keep]
    ax.hlines(row, onset, onset + duration, color="C4", lw=0.5, label="dAP")
    ax.plot(*shown(*spikes)[1:], ".", color="C0", ms=1.5, label="spike")
    ax.set(title=title, xlim=(0, end - start))
    ax.set_yticks((np.arange(len(symbols)) + 0.5) * NEURONS_SHOWN, symbols)
    for boundary in range(1, len(symbols)):
        ax.axhline(boundary * NEURONS_SHOWN - 0.5, color="0.8", lw=0.4, zorder=0)


def draw(results):
    """Return the figure: one row per backend."""
    fig, axes = figure(
        "iop_double",
        0.45 * len(results),
        nrows=len(results),
        ncols=3,
        sharex="col",
        sharey=True,
        squeeze=False,
    )
    for row, (backend, result) in zip(axes, results.items(), strict=True):
        draw_run(row, *result)
        row[0].set_ylabel(f"{NEURONS_SHOWN} neurons of each symbol")
        if len(results) > 1:
            row[1].set_title(f"{backend}\n{row[1].get_title()}")
    for ax in axes[-1]:
        ax.set_xlabel("time (ms)")
    axes[0, 2].legend(loc="upper right", markerscale=3)
    return fig


def draw_run(axes, parameters, arrays, replayed):
    """Draw the first and the last episode and the replay into three axes."""
    task = parameters.task
    training = [(arrays[f"{kind}_times"], arrays[f"{kind}_senders"]) for kind in ("spike", "dap")]
    recalled = [(e.times, e.senders) for e in (replayed.spikes, replayed.daps)]
    last = task.t_start + (task.episodes - 1) * task.episode_duration
    shown = task.episode_duration - task.delta_t
    raster(axes[0], parameters, task.t_start, task.t_start + shown, *training, "first episode")
    raster(axes[1], parameters, last, last + shown, *training, f"episode {task.episodes}")
    cue = replayed.cue_onset
    raster(axes[2], parameters, cue[0], cue[-1] + 80, *recalled, "replay")


def main():
    """Train, replay, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", type=parse_names, default=("nest", "brian2"))
    parser.add_argument("--figures", type=Path, default=Path("figures"))
    options = parser.parse_args()
    results = {}
    for backend in options.backends:
        # Two simulators in one process may disturb each other.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            results[backend] = pool.submit(train_and_replay, backend).result()
    with style():
        for path in save(draw(results), options.figures / "sequence_replay"):
            print(path)


if __name__ == "__main__":
    main()
