"""Current sources.

A source that is switched on at ``start`` changes the potential from the step after ``start`` on.
(NEST needs one time step and the smallest delay before a source can act at all.) They are set by
Python code, which Brian2's standalone mode does not have.
"""

from collections.abc import Iterable
from typing import Any

import brian2
import numpy as np
from pyNN import common
from pyNN.brian2 import simulator
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.standardmodels import StandardCurrentSource, build_translations, electrodes

from devices import noise

from .model import NANO

#: Values of currents that are computed at once, at most.
_BLOCK_STEPS, _BLOCK_VALUES = 1000, 1_000_000


class _Injection(brian2.NetworkOperation):
    """Sets the injected current of all cells, whenever it changes."""

    add_to_magic_network = False

    def __init__(self) -> None:
        super().__init__(
            self._advance, clock=simulator.state.network.clock, when="start", name="injection"
        )
        self.sources: list[_CurrentSource] = []
        self.first = self.last = 0  # the steps that are computed
        self._latest = 0
        self._changes = np.empty(0, bool)
        #: Currents of recorded sources, and of cells.
        self._means: dict[_CurrentSource, np.ndarray] = {}
        self._waves: dict[Any, list[tuple[np.ndarray, np.ndarray]]] = {}

    @staticmethod
    def of_network() -> "_Injection":
        """Return that of the present network."""
        network = simulator.state.network
        for thing in network.objects:
            if isinstance(thing, _Injection):
                return thing
        injection = _Injection()
        network.add(injection)
        return injection

    def add(self, source: "_CurrentSource") -> None:
        """Take a source into account from now on."""
        if source not in self.sources:
            self.sources.append(source)
        self.outdate()

    def outdate(self) -> None:
        """Have the currents computed anew."""
        self.last = self.first

    def _advance(self) -> None:
        step = int(self._clock.variables["timestep"].get_value().item())
        # Backwards it goes after a reset.
        if not self.first <= self._latest <= step < self.last:
            self._compute(step)
        self._latest = step
        number = step - self.first
        for source in self._means:
            source.note(step, self._means[source][number])
        if self._changes[number]:
            for population, waves in self._waves.items():
                injected = population.brian2_group.variables["i_inj"].get_value()
                injected[:] = 0.0
                for cells, wave in waves:
                    np.add.at(injected, cells, wave[number] / NANO)

    def _compute(self, step: int) -> None:
        n_values = sum(source.n_targets for source in self.sources)
        n_steps = min(_BLOCK_STEPS, max(_BLOCK_VALUES // max(n_values, 1), 1))
        self.first, self.last = step, step + n_steps
        self._changes = np.zeros(n_steps, bool)
        self._changes[0] = True
        self._means, self._waves = {}, {}
        for source in self.sources:
            wave = source.compute(np.arange(self.first, self.last))
            if source.recorded is not None:
                self._means[source] = wave.mean(axis=1)
            self._changes[1:] |= (wave[1:] != wave[:-1]).any(axis=1)
            begin = 0
            for population, cells in source.targets:
                end = begin + len(cells)
                part = wave[:, begin:end] if wave.shape[1] > 1 else wave
                self._waves.setdefault(population, []).append((cells, part))
                begin = end


class _CurrentSource(StandardCurrentSource):
    """Current source; its native parameters are PyNN's."""

    def __init__(self, **parameters: Any) -> None:
        self._values: dict[str, Any] = {}
        self.targets: list[tuple[Any, np.ndarray]] = []
        self._injection: _Injection | None = None
        self.recorded: list[float] | None = None
        self._recorded_from = 0
        super().__init__(**parameters)
        simulator.state.current_sources.append(self)
        self._number = len(simulator.state.current_sources)
        self.parameter_space.shape = (1,)
        self.set_native_parameters(self.translate(self.parameter_space))

    # ---- parameters ----------------------------------------------------------------------------

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        """Set parameters from now on."""
        parameters.evaluate(simplify=True)
        values = {
            name: np.array(value.value)
            if isinstance(value, Sequence)
            else float(np.ravel(value)[0])
            for name, value in parameters.items()
        }
        self._values = self._checked({**self._values, **values})
        if self._injection is not None:
            self._injection.outdate()

    def get_native_parameters(self) -> ParameterSpace:
        """Return all parameters."""
        return ParameterSpace(self._values)

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return parameters as they are used, or raise an error."""
        for name in ("start", "stop", "dt"):
            if name in values and not _on_grid(values[name]):
                self._refuse(f"{name}={values[name]:g} ms", "need a multiple of the time step")
        return values

    def _refuse(self, what: str, need: str) -> None:
        raise InvalidParameterValueError(
            f"{type(self).__name__}: {what}, {need} of {simulator.state.dt:g} ms"
        )

    # ---- injection -----------------------------------------------------------------------------

    def inject_into(self, cells: Any) -> None:
        """Inject the current into cells, in addition to those it is injected into already.

        Parameters
        ----------
        cells : Population, PopulationView, Assembly or list of ID
            The cells.

        Raises
        ------
        TypeError
            If they are spike sources.
        """
        targets = list(_by_population(cells))
        for population, _ in targets:
            if not population.celltype.injectable:
                raise TypeError("Can't inject current into a spike source.")
        self._attach()
        self.targets.extend(targets)

    def _attach(self) -> None:
        self._injection = _Injection.of_network()
        self._injection.add(self)

    @property
    def n_targets(self) -> int:
        """Number of cells that the current is injected into."""
        return sum(len(cells) for _, cells in self.targets)

    def compute(self, steps: np.ndarray) -> np.ndarray:
        """Return the current (nA) during Brian2's steps.

        Returns
        -------
        numpy.ndarray
            Of shape (n_steps, n_targets), or (n_steps, 1) if it is the same for all targets.
        """
        return self._wave(steps)[:, None]

    def _wave(self, steps: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _active(self, steps: np.ndarray) -> np.ndarray:
        return (steps >= _step(self._values["start"])) & (steps < _step(self._values["stop"]))

    # ---- recording -----------------------------------------------------------------------------

    def record(self) -> None:
        """Record the current from now on."""
        self.recorded, self._recorded_from = [], _step(simulator.state.t)
        self._attach()

    def note(self, step: int, current: float) -> None:
        """Record the current (nA) of a step."""
        if self.recorded is None or step < self._recorded_from + len(self.recorded):
            self.recorded, self._recorded_from = [], step  # after a reset
        self.recorded.append(float(current))

    def _get_data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return times (ms) and currents (nA); PyNN makes a signal of them."""
        if self.recorded is None:
            raise RuntimeError(f"{type(self).__name__}: nothing was recorded; call record() before")
        steps = self._recorded_from + np.arange(len(self.recorded) + 1)
        now = float(self.compute(steps[-1:]).mean())
        return np.round(steps * simulator.state.dt, 9), np.array([*self.recorded, now])


class DCSource(_CurrentSource, electrodes.DCSource):  # noqa: D101
    __doc__ = electrodes.DCSource.__doc__
    translations = build_translations(
        ("amplitude", "amplitude"), ("start", "start"), ("stop", "stop")
    )

    def _wave(self, steps: np.ndarray) -> np.ndarray:
        return np.where(self._active(steps), self._values["amplitude"], 0.0)


class ACSource(_CurrentSource, electrodes.ACSource):  # noqa: D101
    __doc__ = electrodes.ACSource.__doc__
    translations = build_translations(
        ("amplitude", "amplitude"),
        ("start", "start"),
        ("stop", "stop"),
        ("frequency", "frequency"),
        ("offset", "offset"),
        ("phase", "phase"),
    )

    def _wave(self, steps: np.ndarray) -> np.ndarray:
        values = self._values
        seconds = (steps * simulator.state.dt - values["start"]) / 1000.0
        angle = 2.0 * np.pi * values["frequency"] * seconds + np.deg2rad(values["phase"])
        wave = values["offset"] + values["amplitude"] * np.sin(angle)
        return np.where(self._active(steps), wave, 0.0)


class StepCurrentSource(_CurrentSource, electrodes.StepCurrentSource):  # noqa: D101
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = build_translations(("amplitudes", "amplitudes"), ("times", "times"))

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        times, amplitudes = values["times"], values["amplitudes"]
        if np.any(times < 0):
            raise ValueError("Step current cannot accept negative timestamps.")
        if np.any(np.diff(times) <= 0):
            raise ValueError("Step current timestamps should be monotonically increasing.")
        if len(times) != len(amplitudes):
            raise ValueError(
                f"StepCurrentSource: {len(amplitudes)} amplitudes, need one for each of the "
                f"{len(times)} times"
            )
        # Of times that fall on the same step the last one counts.
        steps = _step(times)
        last = np.append(np.diff(steps) > 0, np.ones(min(len(steps), 1), bool))
        times = np.round(steps[last] * simulator.state.dt, 9)
        return {"times": times, "amplitudes": amplitudes[last]}

    def _wave(self, steps: np.ndarray) -> np.ndarray:
        latest = np.searchsorted(_step(self._values["times"]), steps, side="right")
        return np.concatenate([[0.0], self._values["amplitudes"]])[latest]


class NoisyCurrentSource(_CurrentSource, electrodes.NoisyCurrentSource):
    """Gaussian noise, independent for each cell it is injected into.

    Its values are constant for ``dt``, a multiple of the time step. What is recorded is the mean
    over the cells. See `pyNN.standardmodels.electrodes.NoisyCurrentSource` for the parameters.
    """

    translations = build_translations(
        ("mean", "mean"), ("start", "start"), ("stop", "stop"), ("stdev", "stdev"), ("dt", "dt")
    )

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["dt"] <= 0:
            self._refuse(f"dt={values['dt']:g} ms", "need a positive multiple of the time step")
        return super()._checked(values)

    def compute(self, steps: np.ndarray) -> np.ndarray:
        """Return the current, see `_CurrentSource.compute`."""
        values, state = self._values, simulator.state
        label = f"NoisyCurrentSource {self._number}, segment {state.segment_counter}"
        since = np.maximum(steps - _step(values["start"]), 0)
        draws, which = np.unique(since // _step(values["dt"]), return_inverse=True)
        # A key of its own, of which any stream will do.
        normal = noise.normal(
            noise.noise_key(state.rng_seed, label),
            np.arange(max(self.n_targets, 1)),
            draws[:, None],
            noise.Stream.READ,
        )
        wave = values["mean"] + values["stdev"] * normal[which]
        return np.where(self._active(steps)[:, None], wave, 0.0)


def _step(time: Any) -> Any:
    """Return the number of the step that begins at a time in ms, rounded."""
    steps = np.rint(np.asarray(time) / simulator.state.dt).astype(np.int64)
    return steps if steps.ndim else int(steps)


def _on_grid(time: float) -> bool:
    steps = time / simulator.state.dt
    return abs(steps - round(steps)) < 1e-6 * max(1.0, abs(steps))


def _by_population(cells: Any) -> Iterable[tuple[Any, np.ndarray]]:
    """Yield populations and the indices of the cells in them."""
    if isinstance(cells, common.Assembly):
        for population in cells.populations:
            yield from _by_population(population)
    elif isinstance(cells, common.PopulationView):
        yield cells.grandparent, cells.index_in_grandparent(np.arange(cells.size))
    elif isinstance(cells, common.Population):
        yield cells, np.arange(cells.size)
    else:
        for cell in cells:
            yield cell.parent, np.array([cell.parent.id_to_index(cell)])
