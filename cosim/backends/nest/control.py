"""Set-up of a simulation."""

from typing import Any

import numpy as np
import pyNN.nest
from pyNN.nest import simulator

from .extension import library
from .projections import Projection


class _State(type(simulator.state)):  # type: ignore[misc]
    """PyNN's state, asking NEST only for what it wants to know.

    PyNN reads NEST's whole kernel status, which takes 25 ms, several times at each `run`.
    """

    @property
    def t_kernel(self) -> float:
        """Time that NEST has reached, in ms."""
        return float(library().cosim_time_ms())

    @property
    def min_delay(self) -> float:
        """Smallest delay in ms."""
        return float(library().cosim_min_delay_ms())

    def run(self, simtime: float) -> None:
        """Advance the simulation, see PyNN."""
        self._settle_parrot_delay()
        super().run(simtime)

    def _settle_parrot_delay(self) -> None:
        """Move the spikes of sources to where their parrots' delay needs them.

        The delay between a spike generator and its parrot is the network's minimal delay, which
        with ``min_delay="auto"`` is known only when the network is complete.
        """
        change = self.min_delay - self.parrot_delay
        if change:
            for population in self.populations:
                if population._deferred_parrot_connections and population.celltype.has_parameter(
                    "spike_times"
                ):
                    for source in population.node_collection_source:
                        times = np.asarray(source.get("spike_times"), float)
                        source.set(spike_times=np.round(times - change, 9))
            self.parrot_delay = self.min_delay


simulator.state.__class__ = _State


def setup(timestep: float = 0.1, min_delay: float | str = "auto", **extra_params: Any) -> int:
    """Start a new simulation; see `pyNN.nest.setup`.

    Differs from stock PyNN in one default: spikes lie on the time grid
    (``spike_precision="on_grid"``), as they do on every other backend.

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
    simulator.state.parrot_delay = timestep
    return rank
