"""Values that belong to a spike and arrive later than it was sent.

Brian2 delays spikes, not what they carry. What a synapse evaluates at the time of a spike is kept
until it arrives, in as many places per synapse as spikes can be under way at the same time.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyNN.brian2 import simulator
from pyNN.parameters import Sequence

#: More than this many places would make code that takes minutes to compile.
MAX_PLACES = 100


@dataclass(frozen=True)
class InFlight:
    """Brian2 code that keeps a synaptic value until it arrives.

    Parameters
    ----------
    name : str
        Name of the value in the code that uses it.
    places : int
        How many values are under way at most, for each synapse.
    """

    name: str
    places: int = 1

    @property
    def values(self) -> list[str]:
        """Names of the synaptic variables that keep the values."""
        return [f"{self.name}_{k}" for k in range(self.places)]

    @property
    def counters(self) -> list[str]:
        """Names of the synaptic variables that count, integers."""
        return [f"{self.name}_sent", f"{self.name}_arrived"] if self.places > 1 else []

    def send(self, value: str) -> str:
        """Return the code that keeps `value`, a Brian2 expression."""
        if self.places == 1:
            return f"{self.name}_0 = {value}\n"
        here = f"({self.name}_sent % {self.places})"
        code = f"{self.name}_now = {value}\n"
        for k, place in enumerate(self.values):
            code += f"{place} = int({here} == {k})*{self.name}_now + int({here} != {k})*{place}\n"
        return code + f"{self.name}_sent += 1\n"

    @property
    def arrive(self) -> str:
        """Code that sets `name` to the value that arrives."""
        if self.places == 1:
            return f"{self.name} = {self.name}_0\n"
        here = f"({self.name}_arrived % {self.places})"
        terms = [f"int({here} == {k})*{place}" for k, place in enumerate(self.values)]
        return f"{self.name} = {' + '.join(terms)}\n{self.name}_arrived += 1\n"


def places_needed(projection: Any, cells: Any, delay: float, *, foresee: bool = True) -> int:
    """Return how many spikes of one cell can be under way at the same time.

    Parameters
    ----------
    projection : Projection
        Named in the error.
    cells : Population, PopulationView or Assembly
        Where the spikes come from.
    delay : float
        Largest delay in ms.
    foresee : bool
        Have places for sources whose spike times are not known yet.

    Raises
    ------
    ValueError
        If there are more than `MAX_PLACES`.
    """
    steps = round(delay / simulator.state.dt)
    # As short as there are places for.
    unknown = max(math.ceil(steps / MAX_PLACES), 1) if foresee else steps
    interval = min(
        _shortest_interval(population, unknown)
        for population in getattr(cells, "populations", [cells])
    )
    places = max(math.ceil(steps / interval), 1)
    if places > MAX_PLACES:
        raise ValueError(
            f"Projection {projection.label!r}: delay={delay:g} ms, and cells of {cells.label!r} "
            f"may spike every {interval * simulator.state.dt:g} ms; on Brian2 a plastic synapse "
            f"keeps at most {MAX_PLACES} spikes under way. Shorten the delay, use a longer time "
            "step or cells with a refractory period"
        )
    return places


def _shortest_interval(population: Any, unknown: int) -> int:
    """Return the shortest interval between spikes of one cell, in steps.

    `unknown` is that of sources none of which has two spikes.
    """
    dt = simulator.state.dt
    parameters = population.celltype.get_parameter_names()
    if "tau_refrac" in parameters:
        shortest = np.min(population.get("tau_refrac", simplify=False))
        return round(float(shortest) / dt) + 1
    if "spike_times" in parameters:
        trains = population.get("spike_times", simplify=False)
        trains = [train.value for train in ([trains] if isinstance(trains, Sequence) else trains)]
        intervals = [np.diff(np.ceil(np.round(times / dt, 6))) for times in trains]
        shortest = min((i.min() for i in intervals if i.size), default=unknown)
        return max(int(shortest), 1)
    return 1
