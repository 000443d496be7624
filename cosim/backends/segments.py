"""Recorded data of several segments."""

from typing import Any

import neo
import numpy as np
import pyNN.recording
import quantities as pq


class SegmentedRecorder(pyNN.recording.Recorder):
    """A recorder that can return some variables of the segments before a `reset`.

    PyNN 0.13 returns none of their analog signals, and loses them.
    """

    def get(
        self,
        variables: Any,
        gather: bool = False,
        filter_ids: Any = None,
        clear: bool = False,
        annotations: dict[str, Any] | None = None,
        locations: Any = None,
    ) -> neo.Block:
        """Return the recorded data, see PyNN."""
        if variables == "all":
            return super().get(variables, gather, filter_ids, clear, annotations, locations)
        names = {variable.name for variable in self._localize_variables(variables, locations)}
        older = list(self.cache)
        # PyNN's filter empties the lists of what it is given.
        self.cache._data = [_copy(segment, names) for segment in older]
        try:
            block = super().get(variables, gather, filter_ids, clear, annotations, locations)
        finally:
            if not clear:
                self.cache._data = older
        block.segments[: len(older)] = [_copy(segment, names) for segment in older]
        return block


def event(population: Any, name: str, index: np.ndarray, times: np.ndarray) -> neo.Event:
    """Return events of a population's cells, sorted.

    Parameters
    ----------
    population : Population
        Whose cells.
    name : str
        Name of the variable, such as ``"dAP"``.
    index : numpy.ndarray of int, shape (n,)
        Indices of the cells.
    times : numpy.ndarray, shape (n,)
        Times in ms.

    Returns
    -------
    neo.Event
        With the array annotations ``source_index`` and ``source_population``.
    """
    order = np.lexsort((index, times))
    # Events of several populations are merged in the data of an assembly.
    label = np.full(len(order), population.label)
    return neo.Event(
        times[order] * pq.ms,
        name=name,
        array_annotations={"source_index": index[order], "source_population": label},
    )


def _copy(segment: neo.Segment, names: set[str]) -> neo.Segment:
    """Return a segment with the recordings of some variables."""
    new = neo.Segment(
        name=segment.name,
        description=segment.description,
        rec_datetime=segment.rec_datetime,
        index=segment.index,
        **segment.annotations,
    )
    new.analogsignals.extend([s for s in segment.analogsignals if s.name in names])
    new.events.extend([event for event in segment.events if event.name in names])
    if "spikes" in names:
        new.spiketrains.extend(segment.spiketrains)
    return new
