"""Recorded spikes and dendritic action potentials as flat arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.sequence_learning.stimulus import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Events:
    """Times and the neurons they belong to.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Times, ms.
    senders : ndarray of int64, shape (n,)
        Index of the neuron in its population.
    """

    times: FloatArray
    senders: IntArray

    def after(self, start: float) -> "Events":
        """Return the events at or after `start`, ms."""
        chosen = self.times >= start
        return Events(self.times[chosen], self.senders[chosen])


def spikes(segment: Any, population: Any) -> Events:
    """Return all spikes of a recorded segment.

    Parameters
    ----------
    segment : neo.Segment
        From `population.get_data().segments[0]`.
    population : Population
        Recorded population.

    Returns
    -------
    Events
        As recorded.
    """
    # The flat form that Neo keeps; one object per neuron would take longer than the metrics.
    ids, times = segment.spiketrains.multiplexed
    if len(ids) == 0:
        return Events(times=np.empty(0), senders=np.empty(0, dtype=np.int64))
    return Events(
        times=np.asarray(times.rescale("ms").magnitude, dtype=np.float64),
        senders=population.id_to_index(np.asarray(ids, dtype=np.int64)).astype(np.int64),
    )


def daps(segment: Any) -> Events:
    """Return the onsets of all dendritic action potentials of a recorded segment.

    Parameters
    ----------
    segment : neo.Segment
        From `population.get_data().segments[0]`.

    Returns
    -------
    Events
        As recorded.

    Raises
    ------
    ValueError
        If the segment has not exactly one event series named ``"dAP"``.
    """
    found = [event for event in segment.events if event.name == "dAP"]
    if len(found) != 1:
        raise ValueError(
            f"segment {segment.name!r}: {len(found)} event series named 'dAP', need 1: "
            "record 'dAP' of a population of IF_curr_exp_dAP"
        )
    event = found[0]
    return Events(
        times=np.asarray(event.times.rescale("ms").magnitude, dtype=np.float64),
        senders=np.asarray(event.array_annotations["source_index"], dtype=np.int64),
    )
