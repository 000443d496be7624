"""State of the simulation: the network, its mapping, and the engine that runs it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN import common

from devices.noise import noise_key
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.engine import Activity, Engine, Probe
from hw_targets.brainscales2.mapped.mapping import Mapping, Options, build
from hw_targets.brainscales2.mapped.processor import Processor

name = "brainscales2"

GRID_MS = 0.008
"""Grid of the times of spikes: 8 ns on the chip."""
LONGEST_STEP_MS = 0.1
"""Longest step of the engine."""
_ROUNDING = 1e-6


Events = tuple[npt.NDArray[np.int64], npt.NDArray[Any]]
"""IDs of cells, and times."""


class ID(int, common.IDMixin):  # noqa: D101
    __doc__ = common.IDMixin.__doc__


class State(common.control.BaseState):
    """All that `setup` starts anew."""

    mpi_rank = 0
    num_processes = 1

    def __init__(self) -> None:
        super().__init__()
        self.begin(0.1, 0.0, None, 42, Options(Chip.ideal()), "native", quiet=True)

    def begin(
        self,
        timestep: float,
        min_delay: float,
        max_delay: float | None,
        rng_seed: int,
        options: Options,
        poisson: str,
        quiet: bool,
    ) -> None:
        """Forget everything, for a new simulation."""
        self.recorders: set[Any] = set()
        self.write_on_end: list[Any] = []
        self.id_counter = 0
        self.segment_counter = 0
        self.populations: list[Any] = []
        self.projections: list[Any] = []
        self.dt = timestep
        self.min_delay = min_delay
        self._max_delay = max_delay
        self.rng_seed = rng_seed
        self.options = options
        self.poisson = poisson
        self.quiet = quiet
        #: Of the network as it is, once it is asked for.
        self._mapping: Mapping | None = None
        self._stale = False
        self._engine: Engine | None = None
        self._loaded: Mapping | None = None
        #: Changes that have been printed.
        self._shown: list[str] | None = None
        self._start()

    def _start(self) -> None:
        self.running = False
        self.step = 0
        #: Whether the engine has not begun, so that what happens at time 0 is still to come.
        self._fresh = True
        #: Time that the engine has reached, in units of GRID_MS.
        self._grid_now = 0
        #: Spikes since time 0: IDs of cells and times in ms.
        self._spikes: list[Events] = []
        self._daps: list[Events] = []
        self._processor: Processor | None = None

    @property
    def t(self) -> float:
        """Time in ms."""
        return round(self.step * self.dt, 9)

    @property
    def max_delay(self) -> float:
        """Largest delay in ms: what `setup` was told, else the largest asked for."""
        if self._max_delay is not None:
            return self._max_delay
        delays = [np.max(p.read("delay")[0], initial=0.0) for p in self.projections]
        return max(map(float, delays), default=0.0)

    # ---- mapping -------------------------------------------------------------------------------

    def check_can_grow(self, what: str) -> None:
        """Refuse new parts of a network that has run.

        Raises
        ------
        RuntimeError
            If it has run since `setup` or `reset`.
        """
        if self._engine is not None or self.running:
            raise RuntimeError(
                f"{what}: the network on the chip cannot grow between runs; make it before the "
                "first run, or after reset()"
            )

    def changed(self) -> None:
        """Note that parameters or weights are others now."""
        self._stale = True

    @property
    def mapping(self) -> Mapping:
        """Mapping of the network as it is now."""
        old = self._mapping
        if old is None or self._stale:
            # What is on the chip keeps its scales.
            scales = old.scales if old is not None and self._engine is not None else None
            self._mapping = build(
                self.populations, self.projections, self.options, self.segment_counter, scales
            )
            self._stale = False
        assert self._mapping is not None
        return self._mapping

    def _prepare(self) -> Mapping:
        mapping = self.mapping
        changes = mapping.report.changes()
        if changes != self._shown and not self.quiet:
            print(mapping.report)
        self._shown = changes
        if mapping.circuits is None or (self._engine is not None and mapping is self._loaded):
            return mapping
        engine = Engine(
            mapping.circuits,
            mapping.synapses,
            dt_us=min(np.floor(self.dt / GRID_MS + _ROUNDING) * GRID_MS, LONGEST_STEP_MS),
            seed=self._seed(),
            inter_compartment=mapping.links,
        )
        if self._engine is None:
            engine.set_potentials(self._initial_potentials(mapping))
        else:
            engine.restore(self._engine.save())
        if mapping.memristive and self._processor is None:
            self._processor = Processor(
                mapping.plastic,
                mapping.synapses.n_inputs,
                len(mapping.circuits),
                self.options.chip,
                self.options.period_ms,
            )
        self._engine, self._loaded = engine, mapping
        return mapping

    def _seed(self) -> int:
        low, high = noise_key(self.rng_seed, f"brainscales2 run {self.segment_counter}")
        return int(low) | int(high) << 32

    def _initial_potentials(self, mapping: Mapping) -> npt.NDArray[np.float64]:
        assert mapping.circuits is not None
        potentials = mapping.circuits.leak_potential.copy()
        for population in self.populations:
            if population.is_neuron:
                somata = mapping.places.position[population.ids]
                values = population.initial_values["v"].evaluate(simplify=False)
                potentials[somata] = self._lsb(mapping, somata, values)
        return potentials

    @staticmethod
    def _lsb(
        mapping: Mapping, circuits: npt.NDArray[np.int64], millivolts: Any
    ) -> npt.NDArray[np.float64]:
        offset, scale = (mapping.scale[name][circuits] for name in ("offset", "lsb_per_unit"))
        return np.asarray(offset + scale * millivolts)

    def set_potentials(self, ids: npt.NDArray[np.int64], potentials: Any) -> None:
        """Set potentials in mV now, if the network is on the chip already."""
        if self._engine is None:
            return
        from hw_targets.brainscales2.engine.kernel import Memory, V

        mapping = self.mapping
        cells = mapping.places.position[ids]
        saved = self._engine.save()
        Memory(*saved.arrays).y[V, cells] = self._lsb(mapping, cells, potentials)
        self._engine.restore(saved)

    # ---- running -------------------------------------------------------------------------------

    def run(self, simtime: float) -> None:
        """Go on for a time in ms."""
        self.run_until(self.t + simtime)

    def run_until(self, tstop: float) -> None:
        """Go on to a time in ms; time steps that have begun are finished."""
        steps = int(np.ceil(round((tstop - self.t) / self.dt, 6)))
        if steps < 0:
            return
        mapping = self._prepare()
        self.running = True
        if steps == 0 and not self._fresh:
            return
        self.step += steps
        end = to_grid(self.t)
        ids, times = self._source_events(end)
        self._spikes.append((ids, times * GRID_MS))
        begin = -1 if self._fresh else self._grid_now
        stops = sorted({*self._executions(end), end}) if self._engine is not None else []
        for stop in stops:
            chosen = (times > begin) & (times <= stop)
            self._advance(mapping, begin, stop, mapping.places.position[ids[chosen]], times[chosen])
            begin = stop
        self._grid_now, self._fresh = end, False

    def _executions(self, end: int) -> list[int]:
        """When the processor is active from now to the end, in units of GRID_MS."""
        if self._processor is None:
            return []
        period = to_grid(self.options.period_ms)
        return list(range((self._grid_now // period + 1) * period, end + 1, period))

    def _source_events(self, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """IDs and times of the sources' spikes up to the end, times in units of GRID_MS."""
        ids, times = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for population in self.populations:
            if not population.is_neuron:
                index, when = population.source_events(end)
                ids.append(index + population.first_id)
                times.append(when)
        found = np.concatenate(times)
        chosen = (found > self._grid_now) | ((found == 0) & self._fresh)
        chosen &= found <= end
        return np.concatenate(ids)[chosen], found[chosen]

    def _advance(
        self,
        mapping: Mapping,
        begin: int,
        end: int,
        inputs: npt.NDArray[np.int64],
        times: npt.NDArray[np.int64],
    ) -> None:
        """Advance the engine, from `begin` (-1: from time 0 on, inclusive) in units of GRID_MS."""
        assert self._engine is not None
        places = mapping.places
        recorded = [(p.recorder, name) for p in self.populations for name in p.recorder.analog]
        samples = [
            recorder.sample_times(begin * GRID_MS, end * GRID_MS, begin < 0)
            for recorder, _ in recorded
        ]
        activity: Activity = self._engine.advance(
            end * GRID_MS,
            times * GRID_MS,
            inputs,
            [
                Probe(times_us=when, circuits=recorder.circuits(name))
                for (recorder, name), when in zip(recorded, samples, strict=True)
            ],
        )
        # The engine counts in units of 4 ns, which binary numbers don't have.
        happened = np.round(activity.spike_times_us, 6)
        circuits = activity.spike_circuits
        for found, chosen in (
            (self._spikes, ~places.is_dendrite[circuits]),
            (self._daps, places.is_dendrite[circuits]),
        ):
            found.append((places.cell[circuits[chosen]], happened[chosen]))
        for (recorder, name), when, values in zip(recorded, samples, activity.samples, strict=True):
            recorder.add_samples(name, when, values)
        if self._processor is not None:
            self._processor.observe(
                np.concatenate([times * GRID_MS, happened]),
                np.concatenate([inputs, places.n_inputs + circuits]),
            )
            if end % to_grid(self.options.period_ms) == 0 and end > 0:
                self._execute(self._processor, mapping, end * GRID_MS)

    def _execute(self, processor: Processor, mapping: Mapping, now_ms: float) -> None:
        """Execute rules, and write weights as devices are read."""
        assert self._engine is not None
        processor.execute(mapping.plastic, now_ms)
        weights = mapping.synapses.weight.copy()
        for each in mapping.memristive:
            weights[each.where] = each.weights(now_ms, self.options.chip.is_ideal)
        self._engine.set_weights(weights)

    def events(self, name: str) -> Events:
        """IDs of cells and times in ms of all ``"spikes"`` or ``"dAP"`` onsets up to now."""
        ids, times = _joined(self._daps if name == "dAP" else self._spikes)
        past = times <= self.t + _ROUNDING
        return ids[past], np.round(times[past], 6)

    def forget_events(self, ids: npt.NDArray[np.int64]) -> None:
        """Forget all events of some cells up to now."""
        for parts in (self._spikes, self._daps):
            cells, times = _joined(parts)
            kept = ~np.isin(cells, ids) | (times > self.t + _ROUNDING)
            parts[:] = [(cells[kept], times[kept])]

    def reset(self) -> None:
        """Go back to time 0: the next run is another one of the same chip, calibrated anew."""
        self.segment_counter += 1
        self._mapping = self._engine = None
        for projection in self.projections:
            if projection.devices is not None:
                projection.devices.restart()
        self._start()


def _joined(parts: list[Events]) -> Events:
    ids = np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)])
    times = np.concatenate([np.empty(0), *(part[1] for part in parts)])
    return ids, times


def to_grid(time: Any) -> Any:
    """Round times in ms up to the grid of spikes; integers, in units of GRID_MS."""
    found = np.ceil(np.round(np.asarray(time, float) / GRID_MS, 6)).astype(np.int64)
    return found if found.ndim else int(found)


state = State()
