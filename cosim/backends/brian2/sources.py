"""Spike sources."""

from collections.abc import Mapping
from typing import Any

import brian2
import numpy as np
from pyNN.brian2 import simulator
from pyNN.errors import InvalidParameterValueError
from pyNN.standardmodels import build_translations, cells

from ..poisson import PoissonTrains
from .model import MILLI, Cell, NeuronModel, translation

#: NEST's unit of time in ms: times of spikes are rounded to it before they are put on the grid.
TIC = 1e-3

#: Largest expected number of spikes in one time step of a Poisson source that sends one at most.
MAX_EXPECTED_SPIKES = 0.1


def steps_of(times: np.ndarray, dt: float) -> np.ndarray:
    """Return the time steps at whose ends spikes count.

    Parameters
    ----------
    times : numpy.ndarray
        Times in ms; between the ends of two steps, a spike counts at the later one.
    dt : float
        Time step in ms.

    Returns
    -------
    numpy.ndarray of int
    """
    tics = np.floor(np.asarray(times, float) / TIC + 0.5)
    return np.ceil(np.round(tics * TIC / dt, 6)).astype(np.int64)


class SpikeTrains(brian2.SpikeGeneratorGroup):
    """Spikes at given times.

    Parameters
    ----------
    parameters : mapping of str to numpy.ndarray
        ``spike_times``: a sequence of times in ms for each source.
    name : str
        Name for Brian2.
    label : str
        Label of the population, for errors.
    """

    add_to_magic_network = False

    def __init__(self, parameters: Mapping[str, np.ndarray], name: str, label: str) -> None:
        # Before Brian2 makes attributes variables.
        self.label = label
        self.parameters = {"spike_times": np.array(parameters["spike_times"], dtype=object)}
        self._changed = True
        indices, steps = self._on_grid()
        super().__init__(
            len(self.parameters["spike_times"]),
            indices,
            self._times(steps),
            clock=simulator.state.network.clock,
            sorted=True,
            name=name,
        )

    def set_parameters(
        self, parameters: Mapping[str, np.ndarray], where: slice | np.ndarray = slice(None)
    ) -> None:
        """Set the spike times of some sources, see `model.NeuronGroup.set_parameters`."""
        present = self.parameters["spike_times"]
        before = present.copy()
        present[where] = parameters["spike_times"]
        try:
            indices, steps = self._on_grid()
        except InvalidParameterValueError:
            present[:] = before
            raise
        self.set_spikes(indices, self._times(steps), sorted=True)
        self._changed = True

    def prepare(self, stop: float) -> None:
        """Get ready for a run to the time `stop` in ms."""
        # What Brian2 does itself, but from whole numbers, and silent on times gone by.
        dt = float(self.clock.dt_)
        if self._changed:
            bins = np.rint(self._spike_time / dt).astype(np.int32)
            self.variables["_timebins"].set_value(bins)
            self._bins = bins
            self._previous_dt, self._spikes_changed = self.dt_[:], False
            simulator.state.network.changed = True
            self._changed = False
        now = round(simulator.state.network.t_ / dt)
        self.variables["_lastindex"].set_value(int(np.searchsorted(self._bins, now)))

    @staticmethod
    def _times(steps: np.ndarray) -> Any:
        """Return Brian2's times of steps: the beginning."""
        return (steps - 1) * simulator.state.dt * brian2.ms

    def _on_grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Return sources and steps of all spikes, sorted by step."""
        trains = [np.asarray(getattr(t, "value", t), float) for t in self.parameters["spike_times"]]
        times = np.concatenate([*trains, np.empty(0)])
        indices = np.repeat(np.arange(len(trains)), [train.size for train in trains])
        self._check(trains)
        steps = steps_of(times, simulator.state.dt)
        order = np.lexsort((indices, steps))
        order = order[steps[order] > 0]  # others never take place
        indices, steps = indices[order], steps[order]
        twice = np.flatnonzero((np.diff(steps) == 0) & (np.diff(indices) == 0))
        if twice.size:
            source, time = indices[twice[0]], steps[twice[0]] * simulator.state.dt
            raise InvalidParameterValueError(
                f"Population {self.label!r}: spike_times of source {source} have more than one "
                f"spike in the time step that ends at {time:g} ms; on Brian2 a source spikes at "
                "most once per time step: use a shorter time step or another source"
            )
        return indices, steps

    def _check(self, trains: list[np.ndarray]) -> None:
        for source, train in enumerate(trains):
            if np.any(np.diff(train) < 0):
                raise InvalidParameterValueError(
                    "Spike times given to SpikeSourceArray must be in increasing order: source "
                    f"{source} of population {self.label!r}"
                )
            if np.any(np.abs(train) < TIC / 2):
                raise InvalidParameterValueError(
                    f"Population {self.label!r}: spike_times of source {source} contain 0 ms; the "
                    f"first possible spike is at the end of the first time step, "
                    f"{simulator.state.dt:g} ms"
                )


class SpikeSourceArray(Cell, cells.SpikeSourceArray):  # noqa: D101
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = build_translations(("spike_times", "spike_times"))

    def make_group(  # noqa: D102
        self, n: int, parameters: Mapping[str, np.ndarray], name: str, label: str
    ) -> SpikeTrains:
        return SpikeTrains(parameters, name, label)

    def check(self, parameters: Mapping[str, np.ndarray], label: str) -> None:
        """Do nothing: `SpikeTrains` checks, since it has to put the times on the grid."""


class HostPoisson(SpikeTrains):
    """Poisson sources whose spikes are drawn on the host, with ``setup(poisson="host")``.

    Parameters
    ----------
    parameters : mapping of str to numpy.ndarray
        ``rate`` in Hz, ``start`` and ``duration`` in s.
    name : str
        Name for Brian2.
    label : str
        Label of the population, which selects the random numbers.
    """

    def __init__(self, parameters: Mapping[str, np.ndarray], name: str, label: str) -> None:
        state = simulator.state
        self._drawn = PoissonTrains(label, _in_ms(parameters), state.rng_seed, state.dt)
        #: Sources and steps of the spikes that Brian2 has been given.
        self._spikes = np.empty((0, 2), np.int64)
        nothing = np.empty(len(parameters["rate"]), dtype=object)
        nothing[:] = [np.empty(0)] * len(nothing)
        super().__init__({"spike_times": nothing}, name, label)
        self.parameters = dict(parameters)

    def set_parameters(
        self, parameters: Mapping[str, np.ndarray], where: slice | np.ndarray = slice(None)
    ) -> None:
        """Set parameters of some sources, see `model.NeuronGroup.set_parameters`."""
        after = {key: values.copy() for key, values in self.parameters.items()}
        for key, values in parameters.items():
            after[key][where] = values
        self._drawn.change(_in_ms(after))
        self.parameters = after

    def prepare(self, stop: float) -> None:
        """Get ready for a run to the time `stop` in ms."""
        state = simulator.state
        if self._drawn.segment != state.segment_counter:
            self._spikes = self._spikes[:0]
        # As far ahead as NEST, so that changes between runs count from the same time on.
        step = round((stop + state.min_delay) / state.dt)
        new = self._drawn.extend(step, state.segment_counter)
        if len(new):
            under_way = self._spikes[self._spikes[:, 1] * state.dt > state.t]
            self._spikes = np.concatenate([under_way, new])
            self.set_spikes(self._spikes[:, 0], self._times(self._spikes[:, 1]), sorted=True)
            self._changed = True
        super().prepare(stop)


def _in_ms(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        "rate": parameters["rate"],
        "start": parameters["start"] * MILLI,
        "duration": parameters["duration"] * MILLI,
    }


def _active_steps(parameters: Mapping[str, np.ndarray], dt: float) -> dict[str, np.ndarray]:
    """Return limits of Brian2's time that lie between steps, so that rounding does not matter."""

    def before_step(time: np.ndarray) -> np.ndarray:
        return (np.ceil(np.round(time / dt, 6)) - 0.5) * dt

    start, duration = parameters["start"], parameters["duration"]
    return {"active_from": before_step(start), "active_until": before_step(start + duration)}


class SpikeSourcePoisson(Cell, cells.SpikeSourcePoisson):  # noqa: D101
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = translation(
        ("rate", "rate"), ("start", "start", MILLI), ("duration", "duration", MILLI)
    )
    brian2_model = NeuronModel(
        equations="""
rate : Hz (constant)
active_from : second (constant)
active_until : second (constant)
""",
        threshold="t > active_from and t < active_until and rand() < rate*dt",
        propagators=_active_steps,
    )

    def make_group(  # noqa: D102
        self, n: int, parameters: Mapping[str, np.ndarray], name: str, label: str
    ) -> Any:
        if simulator.state.poisson == "host":
            return HostPoisson(parameters, name, label)
        return super().make_group(n, parameters, name, label)

    def check(self, parameters: Mapping[str, np.ndarray], label: str) -> None:
        """Check rates; see `Cell.check`."""
        if simulator.state.poisson == "host":
            return  # `PoissonTrains` checks, with another limit
        rate, dt = parameters["rate"], simulator.state.dt / MILLI
        if np.any(rate < 0):
            self._refuse(label, parameters, "rate", "need a value >= 0", rate < 0)
        wrong = rate * dt > MAX_EXPECTED_SPIKES
        if np.any(wrong):
            limit = MAX_EXPECTED_SPIKES / dt
            need = (
                f"need at most {limit:g} Hz: on Brian2 a source spikes at most once per time step. "
                "Use a shorter time step or more sources with a lower rate each"
            )
            self._refuse(label, parameters, "rate", need, wrong)
