"""Recording of spikes, other events and state variables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import brian2
import neo
import numpy as np
import pyNN.recording
import quantities as pq
from brian2.devices.device import RuntimeDevice
from pyNN.brian2 import simulator
from pyNN.recording import Variable

from cosim.backends.segments import event

#: Times in ms that differ by less are the same time.
ROUNDING = 1e-9

_SPIKES = Variable(name="spikes", location=None, label=None)


@dataclass
class _Samples:
    """Samples of state variables that some cells have been recorded with since one moment."""

    monitor: brian2.StateMonitor
    cells: np.ndarray
    interval: float


class Recorder(pyNN.recording.Recorder):
    """Recorder of a population.

    State variables may be recorded from any cells, each with its own sampling interval. Cells whose
    recording began at different times are in different signals.

    Dendritic action potentials (``dAP``) are returned as one `neo.Event` named ``dAP`` per segment,
    with the onsets in ms, sorted, and the array annotations ``source_index`` and
    ``source_population``.
    """

    _simulator = simulator

    def __init__(self, population: Any, file: Any = None) -> None:
        super().__init__(population, file)
        self._forget()

    def _forget(self) -> None:
        self._events: dict[Variable, brian2.EventMonitor] = {}
        #: Time in ms from which on each cell's events are recorded.
        self._since: dict[Variable, np.ndarray] = {}
        self._samples: dict[Variable, list[_Samples]] = {}
        self._intervals: dict[Variable, float] = {}
        #: Cells to record in the next run, by variable.
        self._new: dict[Variable, set[int]] = {}

    # ---- what to record ------------------------------------------------------------------------

    def record(
        self,
        variables: Any,
        ids: Any,
        sampling_interval: float | None = None,
        locations: Any = None,
    ) -> None:
        """Record variables of some cells from now on, see `pyNN.recording.Recorder.record`."""
        for variable in self._localize_variables(variables, locations):
            self._check_interval(variable, sampling_interval)
        super().record(variables, ids, None, locations)
        for variable in self._localize_variables(variables, locations):
            interval = sampling_interval or simulator.state.dt
            self._intervals.setdefault(variable, float(interval))

    def _check_interval(self, variable: Variable, interval: float | None) -> None:
        if interval is None:
            return
        name = f"Population {self.population.label!r}: sampling_interval={interval} ms"
        steps = interval / simulator.state.dt
        if interval <= 0 or abs(steps - round(steps)) > 1e-6:
            raise ValueError(
                f"{name}, need a multiple of the time step of {simulator.state.dt:g} ms"
            )
        if self._intervals.get(variable, interval) != interval:
            raise ValueError(
                f"{name}, but {variable.name} is recorded every {self._intervals[variable]:g} ms: "
                "All neurons in a population must be recorded with the same sampling interval."
            )

    def _record(
        self, variable: Variable, new_ids: set, sampling_interval: float | None = None
    ) -> None:
        if not new_ids:
            return
        simulator.state.check_changeable(f"Population {self.population.label!r}: record")
        cells = self.population.id_to_index(np.fromiter(new_ids, int))
        if self._is_event(variable):
            since = self._since.setdefault(variable, np.full(self.population.size, np.inf))
            since[cells] = simulator.state.t
        self._new.setdefault(variable, set()).update(cells.tolist())

    def _is_event(self, variable: Variable) -> bool:
        return _event_name(variable) in self.population.brian2_group.events

    def _finalize(self) -> None:
        """Make Brian2's monitors for what is to be recorded from now on."""
        group, network = self.population.brian2_group, simulator.state.network
        analog: dict[tuple, list[Variable]] = {}
        for variable, cells in self._new.items():
            if not self._is_event(variable):
                key = (tuple(sorted(cells)), self._intervals[variable])
                analog.setdefault(key, []).append(variable)
            elif variable not in self._events:
                name = f"{group.name}_{variable.name}"
                monitor = brian2.EventMonitor(group, _event_name(variable), name=name)
                self._events[variable] = monitor
                network.add(monitor)
        for (cells, interval), variables in analog.items():
            monitor = self._state_monitor(variables, np.array(cells), interval)
            network.add(monitor)
            for variable in variables:
                samples = _Samples(monitor, np.array(cells), interval)
                self._samples.setdefault(variable, []).append(samples)
        self._new.clear()

    def _state_monitor(
        self, variables: list[Variable], cells: np.ndarray, interval: float
    ) -> brian2.StateMonitor:
        group, state = self.population.brian2_group, simulator.state
        every_step = abs(interval - state.dt) < ROUNDING
        return brian2.StateMonitor(
            group,
            [self._native(variable) for variable in variables],
            record=cells,
            when="start",
            name=state.name(f"{group.name}_samples"),
            **({"clock": group.clock} if every_step else {"dt": interval * brian2.ms}),
        )

    def _native(self, variable: Variable) -> str:
        translations = self.population.celltype.state_variable_translations
        return translations[variable.name]["translated_name"]

    def _reset(self) -> None:
        """Stop recording."""
        for monitor in self._monitors():
            simulator.state.network.remove(monitor)
        self._forget()

    def _monitors(self) -> list[Any]:
        samples = [one.monitor for several in self._samples.values() for one in several]
        unique = {monitor.name: monitor for monitor in (*self._events.values(), *samples)}
        return list(unique.values())

    # ---- data ----------------------------------------------------------------------------------

    def get(
        self,
        variables: Any,
        gather: bool = False,
        filter_ids: Any = None,
        clear: bool = False,
        annotations: dict | None = None,
        locations: Any = None,
    ) -> neo.Block:
        """Return the recorded data, see `pyNN.recording.Recorder.get`.

        PyNN's own loses the signals of all older segments as soon as a variable is chosen.
        """
        chosen = "all" if variables == "all" else self._localize_variables(variables, locations)
        block = neo.Block(name=self.population.label, description=self.population.describe())
        segments = [_part(segment, chosen) for segment in self.cache]
        if simulator.state.running:
            segments.append(self._get_current_segment(filter_ids, chosen, clear))
        block.segments = segments
        if segments:
            block.rec_datetime = segments[0].rec_datetime
        block.annotate(**self.metadata, **(annotations or {}))
        if clear:
            self.clear()
        return block

    def _get_current_segment(
        self, filter_ids: Any = None, variables: Any = "all", clear: bool = False
    ) -> neo.Segment:
        simulator.state.settle()
        wanted = [v for v in self.recorded if variables == "all" or v in variables]
        # PyNN wants at least one cell.
        spikes = {v for v in wanted if v == _SPIKES and self.filter_recorded(v, filter_ids)}
        segment = super()._get_current_segment(filter_ids, spikes, clear)
        for variable in wanted:
            ids = self.filter_recorded(variable, filter_ids)
            if variable == _SPIKES:
                continue
            if self._is_event(variable):
                cells, times = self._happened(variable, ids)
                segment.events.append(event(self.population, variable.name, cells, times))
            else:
                for signal in self._signals(variable, ids):
                    signal.segment = segment
                    segment.analogsignals.append(signal)
        return segment

    def _happened(self, variable: Variable, ids: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return cells and times (ms) of events since the start of the recording, by cell."""
        if variable not in self._events:
            return np.empty(0, int), np.empty(0)
        monitor, dt = self._events[variable], simulator.state.dt
        cells = np.asarray(monitor.i[:], int)
        steps = np.rint(np.asarray(monitor.t_[:]) * 1e3 / dt) + 1
        times = np.round(steps * dt, 9)
        start = np.maximum(self._since[variable], float(self._recording_start_time))
        asked = np.zeros(self.population.size, bool)
        asked[self._indices(ids)] = True
        chosen = np.flatnonzero(asked[cells] & (times > start[cells] + ROUNDING))
        chosen = chosen[np.lexsort((times[chosen], cells[chosen]))]
        return cells[chosen], times[chosen]

    def _indices(self, ids: Iterable[int]) -> np.ndarray:
        return np.fromiter(map(int, ids), int) - int(self.population.first_id)

    def _get_spiketimes(self, ids: Any, clear: bool = False) -> tuple[np.ndarray, np.ndarray]:
        cells, times = self._happened(_SPIKES, ids)
        return cells + int(self.population.first_id), times

    def _local_count(self, variable: Variable, filter_ids: Any = None) -> dict[int, int]:
        simulator.state.settle()
        ids = sorted(map(int, self.filter_recorded(variable, filter_ids)))
        cells, _ = self._happened(variable, ids)
        counts = np.bincount(cells, minlength=self.population.size)
        return dict(zip(ids, counts[self._indices(ids)].tolist(), strict=True))

    def _signals(self, variable: Variable, ids: Iterable[int]) -> Iterable[neo.AnalogSignal]:
        asked = self._indices(ids)
        translations = self.population.celltype.state_variable_translations[variable.name]
        for samples in self._samples.get(variable, ()):
            columns = np.flatnonzero(np.isin(samples.cells, asked))
            times, native = self._read(samples, self._native(variable), columns)
            if not columns.size or not times.size:
                continue
            values = translations["reverse_transform"](**{translations["translated_name"]: native})
            cells = samples.cells[columns]
            yield neo.AnalogSignal(
                np.asarray(values),
                units=self.population.find_units(variable),
                t_start=times[0] * pq.ms,
                sampling_period=samples.interval * pq.ms,
                name=variable.name,
                source_population=self.population.label,
                channel_ids=cells + int(self.population.first_id),
                array_annotations={"channel_index": cells},
            )

    def _read(
        self, samples: _Samples, native: str, columns: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return times (ms) and values of shape (n_samples, n_columns) up to now."""
        monitor, now = samples.monitor, simulator.state.t
        times = np.round(np.asarray(monitor.t_[:]) * 1e3, 9)
        values = np.asarray(monitor.variables[native].get_value())[:, columns]
        chosen = times > float(self._recording_start_time) - ROUNDING
        times, values = times[chosen], values[chosen]
        intervals = now / samples.interval
        if abs(intervals - round(intervals)) < 1e-6:
            # Brian2 takes samples at the beginnings of steps.
            state = np.asarray(self.population.brian2_group.variables[native].get_value())
            times = np.append(times, now)
            values = np.vstack([values, state[samples.cells[columns]]])
        return times, values

    def _clear_simulator(self) -> None:
        if isinstance(brian2.get_device(), RuntimeDevice):
            for monitor in self._monitors():
                monitor.resize(0)


def _part(segment: neo.Segment, variables: Any) -> neo.Segment:
    """Return a segment with some of the variables of another."""
    if variables == "all":
        return segment
    names = {variable.name for variable in variables}
    part = neo.Segment(
        name=segment.name, description=segment.description, rec_datetime=segment.rec_datetime
    )
    part.annotate(**segment.annotations)
    part.analogsignals = [signal for signal in segment.analogsignals if signal.name in names]
    part.events = [event for event in segment.events if event.name in names]
    if _SPIKES in variables:
        part.spiketrains = segment.spiketrains
    return part


def _event_name(variable: Variable) -> str:
    return "spike" if variable == _SPIKES else variable.name
