"""Poisson sources whose spikes are drawn on the host: NEST only sends them."""

from typing import Any

import numpy as np
import pyNN.nest
from pyNN.nest import simulator
from pyNN.nest.populations import PopulationMixin
from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import build_translations

from ..poisson import PARAMETERS, PoissonTrains
from .cells import SpikeSourceArray


class HostPoisson(pyNN.nest.SpikeSourcePoisson):
    """What a `SpikeSourcePoisson` becomes in a population with ``setup(poisson="host")``."""

    nest_name = SpikeSourceArray.nest_name
    uses_parrot = False
    extra_parameters: dict[str, Any] = {}
    translations = build_translations(*[(name, name) for name in PARAMETERS])

    @classmethod
    def like(cls, celltype: pyNN.nest.SpikeSourcePoisson) -> "HostPoisson":
        """Return the cell type with the parameters of another."""
        new = cls()
        new.parameter_space = celltype.parameter_space
        return new

    @property
    def native_parameters(self) -> ParameterSpace:
        """Parameters of NEST's model: none of PyNN's."""
        return ParameterSpace({}, shape=self.parameter_space.shape)

    def trains(self, n: int, label: str) -> PoissonTrains:
        """Return the spike trains of a population of `n` of these cells."""
        self.parameter_space.shape = (n,)
        self.parameter_space.evaluate(simplify=False)
        state = simulator.state
        parameters = self.parameter_space.as_dict()
        return PoissonTrains(label, parameters, int(state.rng_seed), state.dt)


class HostPoissonMixin(PopulationMixin):
    """Parameters of host-drawn sources, which NEST does not have."""

    _host_trains: PoissonTrains | None
    #: Indices of the cells in the population.
    _where: slice | np.ndarray

    def _get_parameters(self, *names: str) -> ParameterSpace:
        trains = self._host_trains
        if trains is None:
            return super()._get_parameters(*names)
        values = {name: trains.parameters[name][self._where] for name in names}
        return ParameterSpace(values, shape=(self.size,))

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        trains = self._host_trains
        if trains is None:
            super()._set_parameters(parameter_space)
            return
        parameter_space.evaluate(simplify=False)
        new = {name: values.copy() for name, values in trains.parameters.items()}
        for name, values in parameter_space.items():
            new[name][self._where] = values
        trains.change(new)


def send(trains: PoissonTrains, nodes: Any, stop: float) -> None:
    """Hand the spikes up to a time over to NEST, which is one minimal delay ahead of PyNN.

    Parameters
    ----------
    trains : PoissonTrains
        Spike trains.
    nodes : nest.NodeCollection
        The sources, as ``spike_train_injector``.
    stop : float
        PyNN's time in ms at the end of the next run.
    """
    state = simulator.state
    step = round((stop + state.min_delay) / state.dt)
    begins = trains.segment != state.segment_counter
    spikes = trains.extend(step, state.segment_counter)
    order = np.argsort(spikes[:, 0], kind="stable")
    counts = np.bincount(spikes[:, 0], minlength=len(nodes))
    times = spikes[order, 1] * state.dt + state._time_offset
    new = np.split(times, np.cumsum(counts)[:-1])
    # In a new segment no source must keep what it had to send in the one before.
    sources = np.arange(len(nodes)) if begins else np.flatnonzero(counts)
    if sources.size:
        nodes[sources.tolist()].set([{"spike_times": new[k]} for k in sources])
