"""Set-up of a simulation."""

import math
from typing import Any

import pyNN.nest
from pyNN import common
from pyNN.nest import simulator
from pyNN.nest.synapses import NESTSynapseMixin

from ..poisson import begin_setup
from .extension import install, library
from .projections import Projection
from .resetting import Silence


class _State(type(simulator.state)):  # type: ignore[misc]
    """PyNN's state, asking NEST only for what it wants to know.

    PyNN reads NEST's whole kernel status, which takes the longer the more steps were simulated
    (30 ms after 400 000), several times at each `run`.
    """

    #: Delay in ms of synapses that are given none, whatever else is connected already.
    default_delay = 0.1
    #: Time in ms to let a network fall silent before a reset; negative: not given.
    t_flush: float
    #: In the order in which they were made.
    projections: list[Projection] = []
    #: Populations whose spikes are drawn on the host.
    host_poisson: list[Any] = []
    #: Who draws the trains of Poisson sources.
    poisson = "native"

    @property
    def t_kernel(self) -> float:
        """Time that NEST has reached, in ms."""
        return float(library().cosim_time_ms())

    @type(simulator.state).dt.getter
    def dt(self) -> float:
        """Time step in ms."""
        return float(library().cosim_time_step_ms())

    @property
    def min_delay(self) -> float:
        """Smallest delay in ms."""
        return float(library().cosim_min_delay_ms())

    def run_until(self, tstop: float) -> None:
        """Go on to a time in ms."""
        if tstop > self.t:
            for population in self.host_poisson:
                population._send_trains(tstop)
        super().run_until(tstop)

    def clear(self) -> None:
        """Forget everything, for a new simulation."""
        self.projections, self.host_poisson, self.running = [], [], False
        super().clear()

    def reset(self) -> None:
        """Go back to time 0, see PyNN; NEST's clock goes on, so times must follow it."""
        before, silence = self._time_offset, None
        if self.running and self.t_flush >= 0:
            silence = Silence(self.populations, self.current_sources, self.t_kernel)
            self.run(self.t_flush)
            self.run(self._until_samples_are_due())
        flush, self.t_flush = self.t_flush, min(self.t_flush, 0.0)
        try:
            super().reset()
        finally:
            self.t_flush = flush
        if silence is not None:
            silence.end(self._time_offset - before)
        for projection in self.projections:
            projection.reset()

    def _until_samples_are_due(self) -> float:
        """Return the time in ms to when NEST's multimeters take their next samples, all of them."""
        period = math.lcm(*(round(r.sampling_interval / self.dt) for r in self.recorders))
        return -round(self.t_kernel / self.dt) % period * self.dt


simulator.state.__class__ = _State
NESTSynapseMixin._get_minimum_delay = lambda self: simulator.state.default_delay


def setup(
    timestep: float = 0.1,
    min_delay: float | str = "auto",
    *,
    poisson: str = "native",
    **extra_params: Any,
) -> int:
    """Start a new simulation; see `pyNN.nest.setup`.

    Differs from stock PyNN in two defaults, to be as on every other backend: spikes lie on the
    time grid (``spike_precision="on_grid"``), and with ``min_delay="auto"`` a synapse without a
    delay gets the time step, not the smallest delay in use when it is made.

    Parameters
    ----------
    timestep : float
        Resolution in ms.
    min_delay : float or "auto"
        Smallest delay in ms; "auto": the smallest delay of the network.
    poisson : str
        ``"native"``: NEST's own Poisson sources. ``"host"``: spike trains that are the same on
        every backend, see ``docs/parity.md``.
    **extra_params
        As for `pyNN.nest.setup`; ``rng_seed`` seeds connectivity and device noise, too.

    Returns
    -------
    int
        Rank of the process.

    Raises
    ------
    ValueError
        If `poisson` is neither of the two.
    """
    begin_setup(poisson)
    Projection._labels_used.clear()
    # Random numbers follow from labels, so a network must not depend on those made before it.
    common.Population._nPop = common.Projection._nProj = 0
    rank = pyNN.nest.setup(timestep, min_delay, **{"spike_precision": "on_grid", **extra_params})
    simulator.state.t_flush = extra_params.get("t_flush", -1)  # PyNN keeps an earlier one
    simulator.state.poisson = poisson
    simulator.state.default_delay = timestep if min_delay == "auto" else float(min_delay)
    install()
    return rank
