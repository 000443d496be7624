"""Set-up of a simulation."""

from typing import Any

import numpy as np
import pyNN.nest
from pyNN.nest import simulator
from pyNN.nest.synapses import NESTSynapseMixin

from .cells import SpikeSourceArray
from .extension import install, library
from .projections import Projection


class _State(type(simulator.state)):  # type: ignore[misc]
    """PyNN's state, asking NEST only for what it wants to know.

    PyNN reads NEST's whole kernel status, which takes the longer the more steps were simulated
    (30 ms after 400 000), several times at each `run`.
    """

    #: Delay in ms of synapses that are given none, whatever else is connected already.
    default_delay = 0.1

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

    def reset(self) -> None:
        """Go back to time 0, see PyNN; NEST's clock goes on, so spike times must follow it."""
        before = self._time_offset
        super().reset()
        for population in self.populations:
            if isinstance(population.celltype, SpikeSourceArray):
                for source in population.node_collection:
                    times = np.asarray(source.spike_times) + (self._time_offset - before)
                    source.spike_times = times


simulator.state.__class__ = _State
NESTSynapseMixin._get_minimum_delay = lambda self: simulator.state.default_delay


def setup(timestep: float = 0.1, min_delay: float | str = "auto", **extra_params: Any) -> int:
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
    **extra_params
        As for `pyNN.nest.setup`; ``rng_seed`` seeds connectivity and device noise, too.

    Returns
    -------
    int
        Rank of the process.
    """
    Projection._labels_used.clear()
    rank = pyNN.nest.setup(timestep, min_delay, **{"spike_precision": "on_grid", **extra_params})
    simulator.state.t_flush = extra_params.get("t_flush", -1)  # PyNN keeps an earlier one
    simulator.state.default_delay = timestep if min_delay == "auto" else float(min_delay)
    install()
    return rank
