"""One run: build, train, evaluate."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from models.sequence_learning.metrics import Performance, performance
from models.sequence_learning.network import build
from models.sequence_learning.parameters import Parameters
from models.sequence_learning.recording import Events, daps, spikes
from models.sequence_learning.stimulus import training_stimulus
from models.sequence_learning.wear import wear

# Progress is reported about this often per run.
_N_REPORTS = 20
_N_LAST = 10


def simulate(
    sim: Any, parameters: Parameters, *, seed: int, progress: Callable[[float], None]
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Train the network on all episodes and evaluate its predictions.

    Parameters
    ----------
    sim : module
        PyNN 0.13 API as for `build`, after `sim.setup(rng_seed=seed)`.
    parameters : Parameters
        Of the model.
    seed : int
        Seed of the run. The model draws nothing itself: connectivity, initial states and device
        noise are drawn by `sim`.
    progress : callable
        Called with the completed fraction, 0 to 1.

    Returns
    -------
    metrics : dict of float
        See `summarise`, and `mature_fraction`: fraction of plastic synapses above their
        `Plasticity.maturity_threshold` at the end. Of devices whose writes are counted, see `wear`.
    arrays : dict of ndarray
        `prediction_error`, `false_positives`, `false_negatives`, `relative_active_neurons`, per
        episode; `spike_times`, `spike_senders`, `dap_times`, `dap_senders` (ms, neuron index) of
        the last episode, or of all with `record_all`. With `record_all` also the plastic synapses
        at the end, sorted by (pre, post): `ee_pre`, `ee_post` (int32), `ee_permanence`,
        `ee_weight` (nA).
    """
    del seed
    network = build(sim, parameters, training_stimulus(parameters.task))
    _run(sim, parameters, progress)

    segment = network.excitatory.get_data().segments[0]
    all_spikes, all_daps = spikes(segment, network.excitatory), daps(segment)
    result = performance(parameters, all_spikes, all_daps)
    synapses = _synapses(network.ee)
    permanence = synapses["ee_permanence"]

    threshold = parameters.plasticity.maturity_threshold
    metrics = summarise(result) | {"mature_fraction": float(np.mean(permanence > threshold))}
    metrics |= wear(network.ee, parameters.device)
    arrays: dict[str, np.ndarray] = {
        "prediction_error": result.error,
        "false_positives": result.false_positives,
        "false_negatives": result.false_negatives,
        "relative_active_neurons": result.active,
        **(synapses if parameters.record_all else {}),
        **_raster(parameters, all_spikes, all_daps),
    }
    return metrics, arrays


def summarise(result: Performance) -> dict[str, float]:
    """Reduce the learning curves to numbers.

    Parameters
    ----------
    result : Performance
        Learning curves.

    Returns
    -------
    dict of float
        `prediction_error`, `false_positives`, `false_negatives`: in the last episode.
        `prediction_error_mean_last_10`, `relative_active_neurons`: mean over the last 10 episodes,
        over all if there are fewer.
        `first_error_free_episode`: the first with error 0, counted from 0.
        `episodes_to_solution`: the first from which on the error is 0 to the end of the run,
        counted from 0. Both are `inf` if there is none.
    """
    error_free = np.flatnonzero(result.error == 0)
    wrong = np.flatnonzero(result.error > 0)
    solved = int(wrong[-1]) + 1 if wrong.size else 0
    return {
        "prediction_error": float(result.error[-1]),
        "prediction_error_mean_last_10": float(result.error[-_N_LAST:].mean()),
        "false_positives": float(result.false_positives[-1]),
        "false_negatives": float(result.false_negatives[-1]),
        "episodes_to_solution": float(solved) if solved < len(result.error) else math.inf,
        "first_error_free_episode": float(error_free[0]) if error_free.size else math.inf,
        "relative_active_neurons": float(result.active[-_N_LAST:].mean()),
    }


def _run(sim: Any, parameters: Parameters, progress: Callable[[float], None]) -> None:
    task = parameters.task
    n_parts = min(task.episodes, _N_REPORTS)
    now = 0.0
    for part in range(1, n_parts + 1):
        episodes = task.episodes * part // n_parts
        until = round(task.t_start + episodes * task.episode_duration, 9)
        sim.run(round(until - now, 9))
        now = until
        progress(part / n_parts)


def _synapses(projection: Any) -> dict[str, np.ndarray]:
    values = np.array(projection.get(["permanence", "weight"], format="list"), dtype=np.float64)
    pre, post, permanence, weight = values[np.lexsort((values[:, 1], values[:, 0]))].T
    return {
        "ee_pre": pre.astype(np.int32),
        "ee_post": post.astype(np.int32),
        "ee_permanence": permanence,
        "ee_weight": weight,
    }


def _raster(parameters: Parameters, spikes: Events, daps: Events) -> dict[str, np.ndarray]:
    if not parameters.record_all:
        task = parameters.task
        start = task.t_start + (task.episodes - 1) * task.episode_duration
        # Half a time step below the onset, so that rounding of times does not matter.
        start -= parameters.timestep / 2
        spikes, daps = spikes.after(start), daps.after(start)
    return {
        "spike_times": spikes.times,
        "spike_senders": spikes.senders.astype(np.int32),
        "dap_times": daps.times,
        "dap_senders": daps.senders.astype(np.int32),
    }
