"""Set-up and control of a simulation, and what Brian2's clock means in PyNN's time.

Brian2's clock step k, from ``k h`` to ``(k + 1) h``, computes the step ``k + 1`` of PyNN's time:
what Brian2 finds in it happens at ``(k + 1) h``.
``docs/time_convention.md`` has the whole convention.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import brian2
import numpy as np
import pyNN.brian2.control
from brian2.core.base import BrianObject
from pyNN import common
from pyNN.brian2 import simulator

from ..checks import refuse_options
from ..poisson import begin_setup
from . import build

#: Order of what happens within a time step. Brian2's own has thresholds before synapses.
SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]


class Network(brian2.Network):
    """Brian2's network, which generates code anew only if something has changed."""

    def __init__(self) -> None:
        super().__init__(name="network")
        self.schedule = SCHEDULE
        #: Whether objects or values that Brian2 compiles into the code may have changed.
        self.changed = True
        self._idle: list[Any] = []

    @staticmethod
    def _does_nothing(thing: Any) -> bool:
        return type(thing).run is BrianObject.run and not thing.code_objects

    def add(self, *objects: Any) -> None:
        """Add objects, see Brian2."""
        self.changed = True
        super().add(*objects)

    def before_run(self, run_namespace: Any) -> None:
        """Prepare all objects; Brian2 does so at each run, which takes a second."""
        if self.changed:
            for thing in self._idle:
                thing._active = True
            super().before_run(run_namespace)
            self.changed = False
            # Groups and projections: what they contain has the code, and Brian2 would call them,
            # too, at each step.
            self._idle = [thing for thing in self.sorted_objects if self._does_nothing(thing)]
            for thing in self._idle:
                thing._active = False
        self._stopped = False
        brian2.Network._globally_stopped = False


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Brian2 searches everything for garbage at each run, which takes longer than a short run."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class State(type(simulator.state)):  # type: ignore[misc]
    """State of the simulator, for PyNN."""

    network: Network

    def clear(self) -> None:
        """Forget everything, for a new simulation."""
        brian2.set_device("runtime")
        self._begin()

    def _begin(self) -> None:
        self.recorders: set[Any] = set()
        self.write_on_end: list[Any] = []
        self.id_counter = 0
        self.segment_counter = 0
        self.current_sources: list[Any] = []
        #: In the order in which they were made.
        self.populations: list[Any] = []
        self.projections: list[Any] = []
        self.rng_seed = 0
        #: Who draws the trains of Poisson sources.
        self.poisson = "native"
        #: Delay in ms of synapses that are given none.
        self.default_delay = 0.1
        self.running = False
        self._dt = 0.1
        self._delays: tuple[float, float] | None = None
        self._min_delay: float | None = None
        self._max_delay: float | None = None
        self._names: Counter[str] = Counter()
        self._initial: dict[str, dict[str, Any]] = {}
        self.network = Network()
        self.network.clock = brian2.Clock(0.1 * brian2.ms, name="network_clock")

    def name(self, kind: str) -> str:
        """Return a name for a Brian2 object that is unique and the same in every run of a script.

        Parameters
        ----------
        kind : str
            What it is, such as ``"population"``.
        """
        number = self._names[kind]
        self._names[kind] += 1
        return f"{kind}_{number}"

    @property
    def dt(self) -> float:
        """Time step in ms."""
        return self._dt

    @dt.setter
    def dt(self, timestep: float) -> None:
        self._dt = float(timestep)
        self.network.clock.dt = timestep * brian2.ms

    @property
    def t(self) -> float:
        """Time in ms."""
        return round(self.step * self._dt, 9)

    @property
    def step(self) -> int:
        """Number of time steps so far."""
        return int(self.network.clock.variables["timestep"].get_value().item())

    @property
    def min_delay(self) -> float:
        """Smallest delay in ms: what `setup` was told, else the smallest in use."""
        if self._min_delay is not None:
            return self._min_delay
        return self._delays[0] if self._delays else self._dt

    @property
    def max_delay(self) -> float:
        """Largest delay in ms: what `setup` was told, else the largest in use."""
        if self._max_delay is not None:
            return self._max_delay
        return self._delays[1] if self._delays else self._dt

    def note_delays(self, smallest: float, largest: float) -> None:
        """Tell which delays, in ms, a new or changed projection has."""
        if self._delays:
            smallest, largest = min(smallest, self._delays[0]), max(largest, self._delays[1])
        self._delays = smallest, largest

    # ---- running -------------------------------------------------------------------------------

    def run(self, simtime: float) -> None:
        """Go on for a time in ms."""
        self.run_until(self.t + simtime)

    def run_until(self, tstop: float) -> None:
        """Go on to a time in ms; time steps that have begun are finished."""
        steps = self._steps_until(tstop)
        if steps < 0:
            return
        self._prepare(round((self.step + steps) * self._dt, 9))
        self._keep_initial()
        self.running = True
        clock = self.network.clock
        stop = (self.step + steps) * clock.dt
        if steps:
            with nullcontext() if self.network.changed else _collecting_nothing():
                self.network.run(steps * clock.dt, namespace={})
            # A network without objects, or none that uses the clock, has stayed where it was.
            clock._set_t_update_dt(target_t=stop)
            self.network.t_ = float(stop)

    def _steps_until(self, tstop: float) -> int:
        return int(np.ceil(round((tstop - self.t) / self._dt, 6)))

    def _prepare(self, stop: float) -> None:
        """Have everything ready for a run to a time in ms."""
        for part in (*self.populations, *self.projections):
            part._before_run(stop)
        for recorder in self.recorders:
            recorder._finalize()

    def settle(self) -> None:
        """Have everything computed that was asked for, before a value is read."""

    def check_changeable(self, what: str) -> None:
        """Refuse to change a value that cannot be changed any more.

        Parameters
        ----------
        what : str
            What is to be changed, for the error.
        """

    # ---- going back ----------------------------------------------------------------------------

    def reset(self) -> None:
        """Go back to time 0, with the initial state and the present parameters."""
        for thing in self.network.sorted_objects:
            initial = self._initial.get(thing.name)
            if initial is not None:
                thing._restore_from_full_state({**thing._full_state(), **initial})
        self.network.t_ = 0.0
        clocks = {thing.clock for thing in self.network.sorted_objects}
        for clock in clocks | {self.network.clock}:
            clock._set_t_update_dt(target_t=0 * brian2.second)
        self.running = False
        self.network.changed = True
        self.segment_counter += 1

    def initialised(self, group: Any, variable: str) -> None:
        """Take the present value of a Brian2 variable for its initial value."""
        if group.name in self._initial:
            self._initial[group.name][variable] = group._full_state()[variable]

    def _keep_initial(self) -> None:
        """Keep the state of objects that have not run yet; what is constant is no state."""
        for thing in self.network.sorted_objects:
            if thing.name in self._initial or not hasattr(thing, "_full_state"):
                continue
            self._initial[thing.name] = {
                name: value
                for name, value in thing._full_state().items()
                if not getattr(thing.variables.get(name), "constant", False)
            }


def build_setup(state_class: type[State]) -> Callable[..., int]:
    """Return the function `setup` for a way to run simulations."""

    def setup(
        timestep: float = 0.1,
        min_delay: float | str = "auto",
        *,
        rng_seed: int = 42,
        max_delay: float | str = "auto",
        poisson: str = "native",
        **extra_params: Any,
    ) -> int:
        """Start a new simulation.

        Parameters
        ----------
        timestep : float
            Time step in ms.
        min_delay : float or "auto"
            Delay in ms of synapses that are given none, and a lower limit for all; "auto": the
            time step.
        rng_seed : int
            Seed of connectivity, device noise, spike sources and noisy currents.
        max_delay : float or "auto"
            Upper limit for all delays in ms; "auto": none.
        poisson : str
            ``"native"``: Poisson sources of Brian2's random numbers. ``"host"``: spike trains that
            are the same on every backend, see ``docs/parity.md``.
        **extra_params
            Options of other backends have no effect, but ``threads`` must be 1 and
            ``spike_precision`` ``"on_grid"``.

        Returns
        -------
        int
            0, the rank of the only process.

        Raises
        ------
        ValueError
            If an option asks for what Brian2 does not have, or `poisson` is neither of the two.
        """
        refuse_options(
            extra_params,
            ("threads", 1, "Brian2 runs on one thread"),
            ("spike_precision", "on_grid", "in Brian2 spikes lie on the time grid"),
        )
        begin_setup(poisson)
        common.setup(timestep, min_delay, rng_seed=rng_seed, max_delay=max_delay, **extra_params)
        build.configure()
        state = simulator.state
        state.__class__ = state_class
        state.clear()
        state.dt = timestep
        state.rng_seed = int(rng_seed)
        state.poisson = poisson
        state._min_delay = None if min_delay == "auto" else float(min_delay)
        state._max_delay = None if max_delay == "auto" else float(max_delay)
        state.default_delay = timestep if min_delay == "auto" else float(min_delay)
        brian2.seed(state.rng_seed)
        # Random numbers follow from labels, so a network must not depend on those made before it.
        common.Population._nPop = common.Projection._nProj = 0
        for forget in _FORGET:
            forget()
        return 0

    return setup


#: What other modules have to forget at `setup`.
_FORGET: list[Callable[[], None]] = []


def at_setup(forget: Callable[[], None]) -> Callable[[], None]:
    """Have a function called at each `setup`."""
    _FORGET.append(forget)
    return forget


setup = build_setup(State)
end = pyNN.brian2.control.end
run, run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)

# PyNN's own state has a network before the first `setup`, and so has ours.
simulator.state.__class__ = State
simulator.state.clear()
