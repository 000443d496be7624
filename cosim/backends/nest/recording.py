"""Recording: PyNN's for NEST, plus dendritic action potentials as events."""

from typing import Any

import neo
import nest
import numpy as np
import pyNN.nest.populations
import quantities as pq
from pyNN.recording import Variable

_DAP = Variable(name="dAP", location=None, label=None)


class Recorder(pyNN.nest.populations.Recorder):
    """Adds the variable ``dAP``: onsets of dendritic action potentials.

    They are returned as one `neo.Event` named ``dAP`` per segment, with the onsets in ms and the
    array annotation ``source_index``, sorted by time.
    """

    def _record(
        self, variable: Variable, new_ids: set, sampling_interval: float | None = None
    ) -> None:
        if variable == _DAP:
            if new_ids:
                nest.NodeCollection(sorted(map(int, new_ids))).set(record_dAP=True)
        else:
            super()._record(variable, new_ids, sampling_interval)

    def _get_current_segment(
        self, filter_ids: Any = None, variables: Any = "all", clear: bool = False
    ) -> neo.Segment:
        wanted = set(self.recorded) if variables == "all" else set(variables) & set(self.recorded)
        segment = super()._get_current_segment(filter_ids, wanted - {_DAP}, clear)
        if _DAP in wanted:
            segment.events.append(self._dap_event(self.filter_recorded(_DAP, filter_ids)))
        return segment

    def _dap_event(self, ids: set) -> neo.Event:
        state = self._simulator.state
        nodes = sorted(map(int, ids))
        onsets = nest.NodeCollection(nodes).get("dAP_times") if nodes else []
        onsets = [onsets] if len(nodes) == 1 else onsets
        index = np.repeat(
            self.population.id_to_index(np.array(nodes, int)), [len(t) for t in onsets]
        )
        times = np.concatenate([np.asarray(t, float) for t in onsets] or [[]]) - state._time_offset
        # NEST is always one minimal delay ahead of PyNN's clock, and older segments may remain.
        valid = (times > self._recording_start_time.magnitude) & (times <= state.t)
        order = np.lexsort((index[valid], times[valid]))
        return neo.Event(
            times[valid][order] * pq.ms,
            name="dAP",
            array_annotations={"source_index": index[valid][order].astype(int)},
            source_population=self.population.label,
        )

    def _clear_simulator(self) -> None:
        super()._clear_simulator()
        recorded = sorted(map(int, self.recorded[_DAP]))
        if recorded:
            nest.NodeCollection(recorded).set(dAP_times=[])
