"""Replay of learned sequences: a cue with the first element recalls the others.

Protocol: Bouhadjar et al. (2022), doi:10.1371/journal.pcbi.1010233, "Sequence replay".
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.sequence_learning.checks import check_count, check_positive
from models.sequence_learning.network import assemble
from models.sequence_learning.parameters import Parameters
from models.sequence_learning.recording import Events, daps, spikes
from models.sequence_learning.stimulus import FloatArray, IntArray, Stimulus, per_symbol
from models.sequence_learning.weights import derive_weights, inhibitory_drive


@dataclass(frozen=True)
class ReplayProtocol:
    """How the trained network is changed and cued.

    The lower thresholds let dendritic action potentials alone trigger spikes, and the weaker
    drive of the inhibitory neurons (`n_e` instead of `rho` spikes fire one) lets those spikes pass.

    Parameters
    ----------
    v_thresh_scale, theta_dAP_scale : float
        Factors on the somatic threshold (distance from rest) and on the dendritic one.
    delay_ei : float
        Delay of inhibition, ms.
    delta_t_cue : float
        Interval between cues, ms.
    repetitions : int
        How often every sequence is cued.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    v_thresh_scale: float = 0.25
    theta_dAP_scale: float = 0.7
    delay_ei: float = 0.2
    delta_t_cue: float = 80.0
    repetitions: int = 1

    def __post_init__(self) -> None:
        """Validate every parameter."""
        check_positive(self, "v_thresh_scale", "theta_dAP_scale", "delay_ei", "delta_t_cue")
        check_count(self, "repetitions")


@dataclass(frozen=True, eq=False)
class Replay:
    """What the network does after each cue; C cues.

    Parameters
    ----------
    cue_onset : ndarray of float64, shape (C,)
        Onsets of the cues, ms.
    cue_sequence : ndarray of int64, shape (C,)
        Index of the cued sequence.
    spikes, daps : Events
        Spikes and onsets of dendritic action potentials of the excitatory neurons.
    """

    cue_onset: FloatArray
    cue_sequence: IntArray
    spikes: Events
    daps: Events


def replay(
    sim: Any,
    parameters: Parameters,
    learned: Mapping[str, np.ndarray],
    *,
    protocol: ReplayProtocol | None = None,
) -> Replay:
    """Cue the trained network, without plasticity, with the first elements of the sequences.

    Parameters
    ----------
    sim : module
        PyNN 0.13 API as for `build`, after `sim.setup`.
    parameters : Parameters
        With which the network was trained.
    learned : mapping of ndarray
        `ee_pre`, `ee_post` and `ee_weight` as returned by `simulate` with `record_all`.
    protocol : ReplayProtocol, optional
        Default: that of the paper.

    Returns
    -------
    Replay
        Recorded activity.

    Notes
    -----
    The protocol assumes that immature synapses transmit next to nothing, as with a large on-off
    ratio. Where they do transmit, as under the analog rule, the first cue's `n_e` spikes can exceed
    the lowered dendritic threshold everywhere, and activity spreads over the whole network.
    """
    protocol = protocol or ReplayProtocol()
    onset, sequence = cues(parameters, protocol)
    neuron = parameters.neuron
    theta_e = neuron.v_thresh - neuron.v_rest
    network = assemble(
        sim,
        parameters,
        _cue_stimulus(parameters, onset, sequence),
        neuron=dataclasses.replace(
            neuron,
            v_thresh=neuron.v_rest + protocol.v_thresh_scale * theta_e,
            theta_dAP=protocol.theta_dAP_scale * neuron.theta_dAP,
        ),
        strength=dataclasses.replace(parameters.connectivity, delay_ei=protocol.delay_ei),
        weights=dataclasses.replace(
            derive_weights(parameters),
            ie=inhibitory_drive(parameters, parameters.connectivity.n_e),
        ),
        ee_connector=sim.FromListConnector(
            np.column_stack([learned["ee_pre"], learned["ee_post"], learned["ee_weight"]]),
            column_names=("weight",),
        ),
        ee_synapse=sim.StaticSynapse(delay=parameters.connectivity.delay_ee),
    )
    sim.run(round(onset[-1] + protocol.delta_t_cue, 9))
    segment = network.excitatory.get_data().segments[0]
    return Replay(onset, sequence, spikes(segment, network.excitatory), daps(segment))


def cues(parameters: Parameters, protocol: ReplayProtocol) -> tuple[FloatArray, IntArray]:
    """Return when each sequence is cued.

    Parameters
    ----------
    parameters : Parameters
        Its task is used.
    protocol : ReplayProtocol
        Interval and number of repetitions.

    Returns
    -------
    onset : ndarray of float64, shape (C,)
        Onsets, ms.
    sequence : ndarray of int64, shape (C,)
        Index of the cued sequence: all in turn, repeated.
    """
    sequence = np.tile(np.arange(len(parameters.task.sequences)), protocol.repetitions)
    onset = parameters.task.t_start + np.arange(len(sequence)) * protocol.delta_t_cue
    return np.round(onset, 9), sequence


def replay_durations(parameters: Parameters, result: Replay) -> FloatArray:
    """Return how long each replay took.

    Parameters
    ----------
    parameters : Parameters
        Of the model.
    result : Replay
        Recorded activity.

    Returns
    -------
    ndarray of float64, shape (C,)
        Mean firing time of the last element's subpopulation minus that of the first one's, ms;
        NaN where one of the two stays silent between this cue and the next.
    """
    ends = np.append(result.cue_onset[1:], np.inf)
    symbol = result.spikes.senders // parameters.connectivity.n_e
    durations = np.full(len(result.cue_onset), np.nan)
    for cue, (start, end) in enumerate(zip(result.cue_onset, ends, strict=True)):
        sequence = parameters.task.sequences[result.cue_sequence[cue]]
        shown = (result.spikes.times >= start) & (result.spikes.times < end)
        first, last = (
            result.spikes.times[shown & (symbol == parameters.task.symbols.index(letter))]
            for letter in (sequence[0], sequence[-1])
        )
        if first.size and last.size:
            durations[cue] = last.mean() - first.mean()
    return durations


def _cue_stimulus(parameters: Parameters, onset: FloatArray, sequence: IntArray) -> Stimulus:
    task = parameters.task
    first = np.array([task.symbols.index(entry[0]) for entry in task.sequences])
    return Stimulus(per_symbol(onset[np.newaxis], first[sequence], parameters.n_symbols))
