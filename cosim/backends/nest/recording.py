"""Recording: PyNN's for NEST, plus dendritic action potentials as events."""

from collections import defaultdict
from functools import cached_property
from typing import Any

import neo
import nest
import numpy as np
import pyNN.nest.populations
import pyNN.recording
from pyNN.recording import Variable

from ..segments import SegmentedRecorder, event
from .devices import ROUNDING, Multimeter, SpikeDetector

_DAP = Variable(name="dAP", location=None, label=None)


class Recorder(SegmentedRecorder, pyNN.nest.populations.Recorder):
    """PyNN's recorder with the variable ``dAP``: onsets of dendritic action potentials.

    Onsets are returned as one `neo.Event` named ``dAP`` per segment, with the onsets in ms, sorted,
    and the array annotations ``source_index`` and ``source_population``.
    """

    def __init__(self, population: Any, file: Any = None) -> None:
        # Not PyNN's for NEST, which makes both devices at once: NEST updates them in every step,
        # which takes time even if they record nothing.
        pyNN.recording.Recorder.__init__(self, population, file)
        self.recorded_all: dict[Variable, set] = defaultdict(set)

    @cached_property
    def _multimeter(self) -> Multimeter:
        return Multimeter()

    @cached_property
    def _spike_detector(self) -> SpikeDetector:
        return SpikeDetector()

    @property
    def sampling_interval(self) -> float:
        """Interval in ms between the samples of analog variables."""
        made = "_multimeter" in self.__dict__
        return float(self._get_sampling_interval() if made else self._simulator.state.dt)

    @sampling_interval.setter
    def sampling_interval(self, value: float | None) -> None:
        if value != self.sampling_interval:
            self._set_sampling_interval(value)

    def _reset(self) -> None:
        for name in ("_multimeter", "_spike_detector"):
            device = self.__dict__.pop(name, None)
            if device is not None:
                self._simulator.state.recording_devices.remove(device)
        self.recorded_all.clear()

    def _record(
        self, variable: Variable, new_ids: set, sampling_interval: float | None = None
    ) -> None:
        if variable == _DAP:
            if new_ids:
                nest.NodeCollection(sorted(map(int, new_ids))).set(record_dAP=True)
        else:
            super()._record(variable, new_ids, sampling_interval)

    def store_to_cache(self, annotations: dict | None = None) -> None:
        """Keep the data of the segment that ends."""
        pyNN.recording.Recorder.store_to_cache(self, annotations)

    def _get_current_segment(
        self, filter_ids: Any = None, variables: Any = "all", clear: bool = False
    ) -> neo.Segment:
        wanted = set(self.recorded) if variables == "all" else set(variables) & set(self.recorded)
        segment = super()._get_current_segment(filter_ids, wanted - {_DAP}, clear)
        if _DAP in wanted:
            segment.events.append(self._dap_event(self.filter_recorded(_DAP, filter_ids)))
        return segment

    def _events(self, device: Any, ids: Any, *, from_start: bool) -> dict[str, np.ndarray]:
        """Return the events of some cells since the start of the recording, as `Events.between`."""
        start = float(self._recording_start_time)
        events = device.between(start, self._simulator.state.t)
        wanted = np.isin(events["senders"], np.fromiter(ids, int))
        if not from_start:
            wanted &= events["times"] > start + ROUNDING
        return {name: values[wanted] for name, values in events.items()}

    def _get_spiketimes(self, ids: Any, clear: bool = False) -> tuple[np.ndarray, np.ndarray]:
        events = self._events(self._spike_detector, ids, from_start=False)
        return events["senders"], events["times"]

    def _local_count(self, variable: Variable, filter_ids: Any) -> dict[int, int]:
        ids = sorted(map(int, self.filter_recorded(variable, filter_ids)))
        if not ids:
            return {}
        senders, _ = self._get_spiketimes(ids)
        counts = np.bincount(np.searchsorted(ids, senders), minlength=len(ids))
        return dict(zip(ids, counts.tolist(), strict=True))

    def _get_all_signals(
        self, variable: Variable, ids: Any, clear: bool = False
    ) -> tuple[np.ndarray, None]:
        """Return the samples of a variable, of shape (n_samples, n_cells); `ids` are sorted."""
        if not len(ids):
            return np.array([]), None
        celltype = self.population.celltype
        native = getattr(celltype, "variable_map", {}).get(variable.name, variable.name)
        scale = getattr(celltype, "scale_factors", {}).get(variable.name, 1)
        # NEST does not record the start of a simulation; later on, it is the end of what was
        # cleared.
        first = not self._recording_start_time
        events = self._events(self._multimeter, ids, from_start=not first)
        order = np.argsort(events["senders"], kind="stable")
        samples = events[native][order].reshape(len(ids), -1).T * scale
        if first:
            initial = [cell.get_initial_value(variable.name) for cell in ids]
            samples = np.vstack([initial, samples])
        return samples, None

    def _dap_event(self, ids: set) -> neo.Event:
        state = self._simulator.state
        nodes = sorted(map(int, ids))
        onsets = self._onsets(nodes)
        indices = [self.population.id_to_index(node) for node in nodes]
        index = np.repeat(np.array(indices, int), [len(times) for times in onsets])
        times = np.concatenate([*onsets, np.empty(0)]) - state._time_offset
        # NEST is always one minimal delay ahead of PyNN's clock, and older segments may remain.
        start, stop = float(self._recording_start_time), state.t
        valid = np.flatnonzero((times > start + ROUNDING) & (times < stop + ROUNDING))
        return event(self.population, _DAP.name, index[valid], times[valid])

    @staticmethod
    def _onsets(nodes: list[int]) -> list[np.ndarray]:
        """Return the onsets that each neuron holds, in NEST's time."""
        if not nodes:
            return []
        onsets = nest.NodeCollection(nodes).get("dAP_times")
        return [np.asarray(times, float) for times in (onsets if len(nodes) > 1 else [onsets])]

    def _clear_simulator(self) -> None:
        for name in ("_multimeter", "_spike_detector"):
            if name in self.__dict__:
                getattr(self, name).clear()
        state = self._simulator.state
        nodes = sorted(map(int, self.recorded.get(_DAP, ())))
        if nodes:
            now = state.t + state._time_offset
            later = [
                {"dAP_times": times[times > now + ROUNDING].tolist()}
                for times in self._onsets(nodes)
            ]
            nest.NodeCollection(nodes).set(later)
