"""Recording of spikes and potentials."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN.recording import Variable

from cosim.backends.segments import SegmentedRecorder
from devices.noise import Stream, noise_key, normal
from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.readout import CADC_NOISE

_ROUNDING = 1e-6


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
        #: IDs of the cells whose potential is recorded, sorted.
        self.recorded_v: npt.NDArray[np.int64] = np.empty(0, np.int64)
        #: Time in ms from which on a cell's spikes are recorded, by ID.
        self._since: dict[int, float] = {}
        self._forget_samples()

    def _forget_samples(self) -> None:
        self._samples: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Any]] = []

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
        if variable.name == "spikes":
            self._since.update(dict.fromkeys(new.tolist(), simulator.state.t))
            return
        self.recorded_v = np.union1d(self.recorded_v, new)
        if sampling_interval is not None:
            self.sampling_interval = float(sampling_interval)

    # ---- samples -------------------------------------------------------------------------------

    def sample_times(self, before: float, now: float, fresh: bool) -> npt.NDArray[np.float64]:
        """List the times in ms to sample at, after `before` and up to `now`; `fresh`: from 0 on."""
        first = 0 if fresh else int(np.floor(before / self.sampling_interval + _ROUNDING)) + 1
        last = int(np.floor(now / self.sampling_interval + _ROUNDING))
        return np.asarray(np.arange(first, last + 1) * self.sampling_interval, np.float64)

    def add_samples(self, times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> None:
        """Take samples: times in ms, and LSB of shape (n_times, n_cells)."""
        number = np.rint(times / self.sampling_interval).astype(np.int64)
        self._samples.append((number, self.recorded_v, self._millivolts(number, values)))

    def _millivolts(
        self, number: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        state = simulator.state
        mapping, chip = state.mapping, state.options.chip
        cells = mapping.position[self.recorded_v]
        if not chip.is_ideal:
            circuits = mapping.hardware[cells, 0]
            key = noise_key(state.rng_seed, "brainscales2 cadc")
            noise = normal(key, circuits, number[:, None], Stream.READ, state.segment_counter)
            read = np.rint(values + chip.cadc_residual[circuits] + CADC_NOISE * noise)
            values = np.clip(read, 0, limits.CADC_MAX)
        potentials = (values - mapping.voltage["offset"][cells]) / mapping.voltage["scale"][cells]
        # Without the last digits, which come of the conversion there and back.
        return np.asarray(np.round(potentials, 12))

    def _get_all_signals(
        self, variable: Variable, ids: Any, clear: bool = False
    ) -> tuple[npt.NDArray[np.float64], None]:
        """Return potentials in mV, shape (n_samples, n_cells); NaN before they were recorded."""
        wanted = np.array([int(cell) for cell in ids], dtype=np.int64)
        start = float(self._recording_start_time) / self.sampling_interval
        first = int(np.ceil(start - _ROUNDING))
        last = int(np.floor(simulator.state.t / self.sampling_interval + _ROUNDING))
        found = np.full((last - first + 1, wanted.size), np.nan)
        for number, cells, values in self._samples:
            late = number >= first
            columns = np.flatnonzero(np.isin(wanted, cells))
            place = np.searchsorted(cells, wanted[columns])
            found[np.ix_(number[late] - first, columns)] = values[np.ix_(late, place)]
        return found, None

    # ---- spikes --------------------------------------------------------------------------------

    def _get_spiketimes(
        self, ids: Any, clear: bool = False
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return cells and times (ms) of spikes since the start of the recording, by cell."""
        wanted = np.array(sorted(map(int, ids)), dtype=np.int64)
        cells, times = simulator.state.spikes()
        start = float(self._recording_start_time)
        chosen = np.isin(cells, wanted) & ((times > start + _ROUNDING) | (start == 0.0))
        cells, times = cells[chosen], times[chosen]
        since = np.array([self._since[int(cell)] for cell in cells])
        recorded = (times > since + _ROUNDING) | (since == 0.0)
        cells, times = cells[recorded], times[recorded]
        order = np.lexsort((times, cells))
        return cells[order], times[order]

    def _local_count(self, variable: Variable, filter_ids: Any = None) -> dict[int, int]:
        ids = sorted(map(int, self.filter_recorded(variable, filter_ids)))
        cells, _ = self._get_spiketimes(ids)
        counts = np.bincount(np.searchsorted(ids, cells), minlength=len(ids))
        return dict(zip(ids, counts.tolist(), strict=True))

    def store_to_cache(self, annotations: dict | None = None) -> None:
        """Keep the data of the segment that ends."""
        super().store_to_cache(annotations)
        self._forget_samples()
        self._since = dict.fromkeys(self._since, 0.0)

    def _clear_simulator(self) -> None:
        """Forget all samples but those of now, with which the next recording begins."""
        now = simulator.state.t / self.sampling_interval - _ROUNDING
        self._samples = [
            (number[number >= now], cells, values[number >= now])
            for number, cells, values in self._samples
        ]
