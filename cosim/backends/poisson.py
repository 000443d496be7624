"""Poisson spike trains drawn on the host, so that every backend has the same.

``sim.setup(poisson="host")`` asks for them in place of a simulator's own Poisson sources. The
trains are a function of the seed of the run, the label of the population, the index of the source
and the parameters alone, not of the way a simulation is cut into runs.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from pyNN.errors import InvalidParameterValueError

from devices.noise import noise_key, philox4x32

#: What `setup` takes for ``poisson``.
OPTIONS = ("native", "host")

#: Names of the parameters of a source.
PARAMETERS = ("rate", "start", "duration")

#: Largest expected number of spikes per time step.
MAX_EXPECTED_SPIKES = 0.5

# Intervals of one source that are drawn at once, at most.
_BLOCK = 256

_labels_used: Counter[str] = Counter()


def begin_setup(poisson: str) -> None:
    """Forget the labels of an earlier simulation; to be called by `setup`.

    Parameters
    ----------
    poisson : str
        Who draws the trains of Poisson sources.

    Raises
    ------
    ValueError
        If it is neither ``"native"`` nor ``"host"``.
    """
    if poisson not in OPTIONS:
        raise ValueError(
            f"setup: poisson={poisson!r}, need 'native' (the simulator's own Poisson sources) or "
            "'host' (spike trains that are the same on every backend)"
        )
    _labels_used.clear()


class PoissonTrains:
    """Spike trains of Poisson sources on the time grid, drawn piece by piece.

    Intervals between spikes are exponential in continuous time; the intervals of a source are
    numbered, and each is a Philox number of its own (key: seed of the run and label of the
    population; counter: index of the source, number of the interval, number of the segment). A
    spike counts at the end of its time step. A source spikes at most once per step, since Brian2
    knows no more: a spike whose step is taken comes at the next free one, so that the number of
    spikes is that of a Poisson process.

    Changed parameters count from where the trains have been drawn to; the interval that is under
    way then is drawn anew, which leaves the process a Poisson process.

    Parameters
    ----------
    label : str
        Label of the population; the second of the same label in a simulation draws other numbers.
    parameters : mapping of str to numpy.ndarray
        ``rate`` in Hz, ``start`` and ``duration`` in ms, each of shape (n,).
    seed : int
        Seed of the run.
    dt : float
        Time step in ms.

    Raises
    ------
    pyNN.errors.InvalidParameterValueError
        If a rate is negative or above half a spike per time step.
    """

    def __init__(
        self, label: str, parameters: Mapping[str, np.ndarray], seed: int, dt: float
    ) -> None:
        self._dt = dt
        self._name = f"Population {label!r}"
        self.parameters = self._checked(parameters)
        _labels_used[label] += 1
        unique = label if _labels_used[label] == 1 else f"{label}#{_labels_used[label]}"
        self._key = noise_key(seed, f"SpikeSourcePoisson\0{unique}")
        self._begin(0)

    def _begin(self, segment: int) -> None:
        """Go back to time 0, for a new segment."""
        n = len(self.parameters["rate"])
        #: Number of the segment that the trains belong to.
        self.segment = segment
        #: Step up to which the trains have been handed over.
        self._step = 0
        #: Number of the interval that each source waits for, and when it began (ms).
        self._interval = np.zeros(n, np.int64)
        self._began = self.parameters["start"].copy()
        self._last_step = np.zeros(n, np.int64)
        #: Spikes (source, step) whose step was taken, and that are to come after `_step`.
        self._late = np.empty((0, 2), np.int64)

    def change(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Set all parameters, from where the trains have been drawn to.

        Parameters
        ----------
        parameters : mapping of str to numpy.ndarray
            As for the constructor.
        """
        new = self._checked(parameters)
        changed = np.any([new[name] != self.parameters[name] for name in PARAMETERS], axis=0)
        self.parameters = new
        if self._step:
            self._interval[changed] += 1
        self._began[changed] = np.maximum(new["start"], self._step * self._dt)[changed]
        self._last_step = np.maximum(self._last_step, self._step)

    def extend(self, step: int, segment: int) -> np.ndarray:
        """Draw the trains up to a time step.

        Parameters
        ----------
        step : int
            Last time step.
        segment : int
            Number of the segment of the simulation, which `reset` increases: each has other
            trains, from time 0.

        Returns
        -------
        numpy.ndarray of int64, shape (n, 2)
            Sources and steps of the spikes that have not been returned yet, sorted by step.
        """
        if segment != self.segment:
            self._begin(segment)
        drawn = np.concatenate([self._late, *self._draw(step * self._dt)])
        drawn = drawn[np.lexsort((drawn[:, 0], drawn[:, 1]))]
        self._step = max(self._step, step)
        late = drawn[:, 1] > self._step
        self._late = drawn[late]
        return drawn[~late]

    def _draw(self, stop: float) -> list[np.ndarray]:
        """Draw the spikes up to a time in ms; return (source, step) pairs in several arrays."""
        end = np.minimum(self.parameters["start"] + self.parameters["duration"], stop)
        rate = self.parameters["rate"] / 1000.0
        sources = np.flatnonzero((rate > 0) & (self._began < end))
        found = []
        while sources.size:
            expected = np.max(rate[sources] * (end - self._began)[sources])
            numbers = np.arange(min(int(1.2 * expected) + 8, _BLOCK))
            intervals = self._exponential(sources, numbers) / rate[sources, None]
            # Summed up one by one from the last spike: no matter where a piece begins.
            times = np.cumsum(np.column_stack([self._began[sources], intervals]), axis=1)[:, 1:]
            inside = times <= end[sources, None]
            found.append(self._on_grid(sources, times, inside))
            n = inside.sum(axis=1)
            self._interval[sources] += n
            self._began[sources] = np.where(
                n > 0, times[np.arange(len(n)), n - 1], self._began[sources]
            )
            sources = sources[n == len(numbers)]
        return found

    def _exponential(self, sources: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Return the next intervals of unit rate, shape (n_sources, n_numbers)."""
        counter = self._interval[sources, None] + numbers
        low, high, _, _ = philox4x32(
            sources[:, None].astype(np.uint32), counter.astype(np.uint32), self.segment, 0,
            self._key,
        )  # fmt: skip
        bits = high.astype(np.uint64) << np.uint64(32) | low
        return -np.log((bits + 0.5) * 2.0**-64)

    def _on_grid(self, sources: np.ndarray, times: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Return (source, step) pairs of the times inside; each step of a source but once."""
        steps = np.ceil(np.where(inside, times, 0.0) / self._dt).astype(np.int64)
        position = np.arange(times.shape[1])
        # The k-th spike comes at least k steps after the last one before.
        first = np.maximum(steps - position, self._last_step[sources, None] + 1)
        steps = np.maximum.accumulate(first, axis=1) + position
        n = inside.sum(axis=1)
        last = steps[np.arange(len(n)), n - 1]
        self._last_step[sources] = np.where(n > 0, last, self._last_step[sources])
        return np.column_stack([np.repeat(sources, n), steps[inside]])

    def _checked(self, parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        # Rounded, so that another unit in between does not matter.
        arrays = {name: np.round(np.asarray(parameters[name], float), 9) for name in PARAMETERS}
        limit = 1000.0 * MAX_EXPECTED_SPIKES / self._dt
        rate = arrays["rate"]
        wrong = ~((rate >= 0) & (rate <= limit))
        if wrong.any():
            raise InvalidParameterValueError(
                f"{self._name}: rate={rate[wrong][0]:g} Hz, need 0 ... {limit:g} Hz: with "
                f"poisson='host' at most half a spike per time step of {self._dt:g} ms. Use more "
                "sources with a lower rate each, or poisson='native' on the backend 'nest'"
            )
        return arrays
