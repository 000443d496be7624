"""Recording of spikes, dendritic action potentials, potentials and dendritic currents."""

from typing import Any

import neo
import numpy as np
import numpy.typing as npt
from pyNN.recording import Variable

from cosim.backends.segments import SegmentedRecorder, event
from devices.noise import Stream, noise_key, normal
from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.readout import CADC_NOISE

IntArray = npt.NDArray[np.int64]

_ROUNDING = 1e-6
_DAP = Variable(name="dAP", location=None, label=None)


class Recorder(SegmentedRecorder):
    """Recorder of a population.

    Potentials are those of the emulation. Unless it is ideal they are read as the CADC reads them,
    in whole LSB, with its noise and its channels' offsets, but for as long and as often as asked.
    """

    _simulator = simulator

    def __init__(self, population: Any, file: Any = None) -> None:
        super().__init__(population, file)
        self._reset()

    def _reset(self) -> None:
        #: Analog variable -> IDs of the cells that it is recorded of, sorted.
        self.analog: dict[str, npt.NDArray[np.int64]] = {}
        #: Time in ms from which on a cell's spikes or dAPs are recorded, by name and ID.
        self._since: dict[str, dict[int, float]] = {}
        self._forget_samples()

    def _forget_samples(self) -> None:
        self._samples: dict[str, list[tuple[IntArray, IntArray, Any]]] = {}

    def record(
        self,
        variables: Any,
        ids: Any,
        sampling_interval: float | None = None,
        locations: Any = None,
    ) -> None:
        """Record variables of some cells from now on, see PyNN."""
        if sampling_interval is not None:
            steps = sampling_interval / simulator.state.dt
            if sampling_interval <= 0 or abs(steps - round(steps)) > _ROUNDING:
                raise ValueError(
                    f"Population {self.population.label!r}: sampling_interval={sampling_interval} "
                    f"ms, need a multiple of the time step of {simulator.state.dt:g} ms"
                )
        super().record(variables, ids, sampling_interval, locations)

    def _record(
        self, variable: Variable, new_ids: set, sampling_interval: float | None = None
    ) -> None:
        new = np.fromiter(map(int, new_ids), int)
        if variable.name in ("spikes", "dAP"):
            since = self._since.setdefault(variable.name, {})
            since.update(dict.fromkeys(new.tolist(), simulator.state.t))
            return
        self.analog[variable.name] = np.union1d(self.analog.get(variable.name, new), new)
        if sampling_interval is not None:
            self.sampling_interval = float(sampling_interval)

    # ---- samples -------------------------------------------------------------------------------

    def sample_times(self, before: float, now: float, fresh: bool) -> npt.NDArray[np.float64]:
        """List the times in ms to sample at, after `before` and up to `now`; `fresh`: from 0 on."""
        first = 0 if fresh else int(np.floor(before / self.sampling_interval + _ROUNDING)) + 1
        last = int(np.floor(now / self.sampling_interval + _ROUNDING))
        return np.asarray(np.arange(first, last + 1) * self.sampling_interval, np.float64)

    def circuits(self, name: str) -> IntArray:
        """Return the circuits, as the engine has them, whose potential is an analog variable."""
        places = simulator.state.mapping.places
        return (places.dendrite if name == "i_dend" else places.position)[self.analog[name]]

    def add_samples(
        self, name: str, times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
    ) -> None:
        """Take samples of a variable: times in ms, and LSB of shape (n_times, n_cells)."""
        number = np.rint(times / self.sampling_interval).astype(np.int64)
        converted = self._convert(number, values, self.circuits(name))
        self._samples.setdefault(name, []).append((number, self.analog[name], converted))

    def _convert(
        self,
        number: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        cells: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Read potentials as the converter does, and convert them to mV or nA."""
        state = simulator.state
        mapping, chip = state.mapping, state.options.chip
        if not chip.is_ideal:
            circuits = mapping.hardware[cells, 0]
            key = noise_key(state.rng_seed, "brainscales2 cadc")
            noise = normal(key, circuits, number[:, None], Stream.READ, state.segment_counter)
            read = np.rint(values + chip.cadc_residual[circuits] + CADC_NOISE * noise)
            values = np.clip(read, 0, limits.CADC_MAX)
        above = values - mapping.scale["offset"][cells]
        # Without the last digits, which come of the conversion there and back.
        return np.asarray(np.round(above / mapping.scale["lsb_per_unit"][cells], 12))

    def _get_all_signals(
        self, variable: Variable, ids: Any, clear: bool = False
    ) -> tuple[npt.NDArray[np.float64], None]:
        """Return samples in mV or nA, shape (n_samples, n_cells); NaN before the recording."""
        wanted = np.array([int(cell) for cell in ids], dtype=np.int64)
        start = float(self._recording_start_time) / self.sampling_interval
        first = int(np.ceil(start - _ROUNDING))
        last = int(np.floor(simulator.state.t / self.sampling_interval + _ROUNDING))
        found = np.full((last - first + 1, wanted.size), np.nan)
        for number, cells, values in self._samples.get(variable.name, ()):
            late = number >= first
            columns = np.flatnonzero(np.isin(wanted, cells))
            place = np.searchsorted(cells, wanted[columns])
            found[np.ix_(number[late] - first, columns)] = values[np.ix_(late, place)]
        return found, None

    # ---- spikes and other events ---------------------------------------------------------------

    def _get_current_segment(
        self, filter_ids: Any = None, variables: Any = "all", clear: bool = False
    ) -> neo.Segment:
        wanted = set(self.recorded) if variables == "all" else set(variables) & set(self.recorded)
        segment = super()._get_current_segment(filter_ids, wanted - {_DAP}, clear)
        if _DAP in wanted:
            cells, times = self._happened("dAP", self.filter_recorded(_DAP, filter_ids))
            index = cells - int(self.population.first_id)
            segment.events.append(event(self.population, _DAP.name, index, times))
        return segment

    def _get_spiketimes(
        self, ids: Any, clear: bool = False
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        return self._happened("spikes", ids)

    def _happened(
        self, name: str, ids: Any
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return cells and times (ms) of events since the start of the recording, by cell."""
        wanted = np.array(sorted(map(int, ids)), dtype=np.int64)
        cells, times = simulator.state.events(name)
        start = float(self._recording_start_time)
        chosen = np.isin(cells, wanted) & ((times > start + _ROUNDING) | (start == 0.0))
        cells, times = cells[chosen], times[chosen]
        since = np.array([self._since[name][int(cell)] for cell in cells])
        recorded = (times > since + _ROUNDING) | (since == 0.0)
        cells, times = cells[recorded], times[recorded]
        order = np.lexsort((times, cells))
        return cells[order], times[order]

    def _local_count(self, variable: Variable, filter_ids: Any = None) -> dict[int, int]:
        ids = sorted(map(int, self.filter_recorded(variable, filter_ids)))
        cells, _ = self._happened(variable.name, ids)
        counts = np.bincount(np.searchsorted(ids, cells), minlength=len(ids))
        return dict(zip(ids, counts.tolist(), strict=True))

    def store_to_cache(self, annotations: dict | None = None) -> None:
        """Keep the data of the segment that ends."""
        super().store_to_cache(annotations)
        self._forget_samples()
        self._since = {name: dict.fromkeys(ids, 0.0) for name, ids in self._since.items()}

    def _clear_simulator(self) -> None:
        """Forget all but the samples of now, with which the next recording begins."""
        now = simulator.state.t / self.sampling_interval - _ROUNDING
        for name, samples in self._samples.items():
            self._samples[name] = [
                (number[number >= now], cells, values[number >= now])
                for number, cells, values in samples
                if np.any(number >= now)
            ]
        simulator.state.forget_events(self.population.ids)
