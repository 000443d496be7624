"""How well the network predicts the last element of each sequence.

Definitions: Bouhadjar et al. (2022), doi:10.1371/journal.pcbi.1010233, "Task performance measures".
Times are compared as whole time steps, so that rounding of floating-point times has no effect.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.sequence_learning.parameters import Parameters
from models.sequence_learning.recording import Events
from models.sequence_learning.stimulus import FloatArray, IntArray, schedule

# A subpopulation counts as predicted if at least this fraction of `rho` neurons is predictive.
DETECTION_FRACTION = 0.5


@dataclass(frozen=True, eq=False)
class Performance:
    """Performance per episode, averaged over the sequences.

    Parameters
    ----------
    error : ndarray of float64, shape (episodes,)
        Euclidean distance between predicted and correct last element (0: perfect).
    false_positives, false_negatives : ndarray of float64, shape (episodes,)
        Symbols predicted wrongly and last elements not predicted.
    active : ndarray of float64, shape (episodes,)
        Spikes per neuron of the last element's subpopulation in response to it; `rho / n_e` is
        a sparse response, 1 a response without prediction.
    """

    error: FloatArray
    false_positives: FloatArray
    false_negatives: FloatArray
    active: FloatArray


def performance(parameters: Parameters, spikes: Events, daps: Events) -> Performance:
    """Evaluate the predictions in every episode.

    Parameters
    ----------
    parameters : Parameters
        Of the model.
    spikes, daps : Events
        Spikes and onsets of dendritic action potentials of the excitatory neurons.

    Returns
    -------
    Performance
        One value per episode.
    """
    task, n_e = parameters.task, parameters.connectivity.n_e
    shown = schedule(task)
    onset = shown.onset[:, shown.last - 1]
    target = shown.symbol[shown.last]

    probe = onset.ravel() + task.t_probe
    predictive = count_predictive(parameters, probe, spikes, daps).reshape(*onset.shape, -1)
    predicted = predictive >= DETECTION_FRACTION * parameters.connectivity.rho
    error, false_positives, false_negatives = prediction_error(predicted, target)

    response = count_spikes(
        parameters,
        start=onset.ravel() + task.delta_t,
        stop=onset.ravel() + 2 * task.delta_t,
        subpopulation=np.tile(target, task.episodes),
        spikes=spikes,
    ).reshape(onset.shape)
    return Performance(
        error=error.mean(axis=1),
        false_positives=false_positives.mean(axis=1),
        false_negatives=false_negatives.mean(axis=1),
        active=response.mean(axis=1) / n_e,
    )


def prediction_error(
    predicted: npt.NDArray[np.bool_], target: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compare predicted symbols with the correct ones.

    Parameters
    ----------
    predicted : ndarray of bool, shape (..., S, n_symbols)
        Whether each symbol is predicted as last element of each of S sequences.
    target : ndarray of int64, shape (S,)
        Correct symbols.

    Returns
    -------
    error, false_positives, false_negatives : ndarray of float64, shape (..., S)
        Euclidean norm of the difference to the one-hot target, and its positive and negative
        entries; `error**2 == false_positives + false_negatives`.
    """
    correct = np.eye(predicted.shape[-1], dtype=bool)[target]
    false_positives = (predicted & ~correct).sum(axis=-1).astype(float)
    false_negatives = (correct & ~predicted).sum(axis=-1).astype(float)
    return np.sqrt(false_positives + false_negatives), false_positives, false_negatives


def count_predictive(
    parameters: Parameters, probe: FloatArray, spikes: Events, daps: Events
) -> IntArray:
    """Count the neurons of each subpopulation in a dendritic action potential.

    A dendritic action potential lasts from its onset for `tau_dAP` or until the neuron spikes,
    in the very step of its onset included.

    Parameters
    ----------
    parameters : Parameters
        Of the model.
    probe : ndarray of float64, shape (n,)
        Times to look at, ascending, ms.
    spikes, daps : Events
        Spikes and onsets of dendritic action potentials of the excitatory neurons.

    Returns
    -------
    ndarray of int64, shape (n, n_symbols)
        Number of predictive neurons.
    """
    h = parameters.timestep
    at, begin, spike = _steps(probe, h), _steps(daps.times, h), _steps(spikes.times, h)
    end = begin + round(parameters.neuron.tau_dAP / h)
    end = np.minimum(end, _next_spike(begin, daps.senders, spike, spikes.senders))

    # Probes begin <= at < end of each dendritic action potential: first, and how many.
    first = np.searchsorted(at, begin, side="left")
    n_probes = np.searchsorted(at, end, side="left") - first
    probe_index = np.repeat(first, n_probes) + _ramps(n_probes)
    symbol = np.repeat(daps.senders // parameters.connectivity.n_e, n_probes)
    counts = np.bincount(
        probe_index * parameters.n_symbols + symbol, minlength=len(probe) * parameters.n_symbols
    )
    return counts.reshape(len(probe), parameters.n_symbols)


def count_spikes(
    parameters: Parameters,
    *,
    start: FloatArray,
    stop: FloatArray,
    subpopulation: IntArray,
    spikes: Events,
) -> IntArray:
    """Count the spikes of one subpopulation per time window.

    Parameters
    ----------
    parameters : Parameters
        Of the model.
    start, stop : ndarray of float64, shape (n,)
        Bounds of the windows, themselves excluded, ms.
    subpopulation : ndarray of int64, shape (n,)
        Subpopulation to look at in each window.
    spikes : Events
        Spikes of the excitatory neurons.

    Returns
    -------
    ndarray of int64, shape (n,)
        Number of spikes.
    """
    h = parameters.timestep
    step, low, high = _steps(spikes.times, h), _steps(start, h), _steps(stop, h)
    symbol = spikes.senders // parameters.connectivity.n_e
    # One sorted list of (subpopulation, step) as single numbers.
    span = 1 + max(step.max(initial=0), high.max(initial=0))
    order = np.sort(symbol * span + step)
    left = np.searchsorted(order, subpopulation * span + low, side="right")
    right = np.searchsorted(order, subpopulation * span + high, side="left")
    return np.maximum(right - left, 0)


def _steps(times: FloatArray, timestep: float) -> IntArray:
    return np.rint(np.asarray(times) / timestep).astype(np.int64)


def _next_spike(
    step: IntArray, sender: IntArray, spike_step: IntArray, spike_sender: IntArray
) -> IntArray:
    """Return the step of the sender's first spike at or after `step`; the largest int if none."""
    span = 1 + max(step.max(initial=0), spike_step.max(initial=0))
    key = np.sort(spike_sender * span + spike_step)
    position = np.searchsorted(key, sender * span + step, side="left")
    padded = np.append(key, -1)[position]
    return np.where(padded // span == sender, padded % span, np.iinfo(np.int64).max)


def _ramps(lengths: IntArray) -> IntArray:
    """Return 0 ... n - 1 for each of the lengths, concatenated."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) - np.repeat(starts, lengths)
