"""What reaches a network from outside its circuits in a time of a run."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.pynn.cells import NeuronCellType, SpikeSourcePoissonOnChip
from hw_targets.brainscales2.pynn.sources import clocks

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.mapping import Mapping
    from hw_targets.brainscales2.pynn.simulator import State

IntArray = npt.NDArray[np.int64]


class Span(NamedTuple):
    """A time from begin to end, in ms as the user has it and in clock cycles of 8 ns."""

    begin_ms: float
    end_ms: float
    begin: int
    end: int


class Generator(NamedTuple):
    """An on-chip source: indices of its inputs, period in clock cycles, probability, seed."""

    inputs: IntArray
    period: int
    probability: float
    seed: int


class Inputs(NamedTuple):
    """Events from outside, by clock cycle and input, and on-chip sources."""

    clock: IntArray
    source: IntArray
    generators: list[Generator]


def input_events(state: "State", network: "Mapping", span: Span) -> Inputs:
    """Collect what reaches the network from outside its circuits.

    Parameters
    ----------
    state : State
        State with the populations.
    network : Mapping
        Where they are.
    span : Span
        When.

    Returns
    -------
    Inputs
        Events with clock cycles counted from the begin of the run, by time.
    """
    clock, source, generators = [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
    for population in state.populations:
        celltype = population.celltype
        if isinstance(celltype, NeuronCellType):
            continue
        indices = np.array([network.inputs[int(c)] for c in population.all_cells], dtype=np.int64)
        if isinstance(celltype, SpikeSourcePoissonOnChip):
            generators.append(Generator(indices, *celltype.generator()))
            continue
        for index, times in zip(indices, celltype.trains(), strict=True):
            inside = times[(span.begin_ms <= times) & (times < span.end_ms)]
            events = np.minimum(span.begin + clocks(inside - span.begin_ms), span.end)
            clock.append(events)
            source.append(np.full(events.size, index))
    clocks_, sources_ = np.concatenate(clock), np.concatenate(source)
    order = np.argsort(clocks_, kind="stable")
    return Inputs(clocks_[order], sources_[order], generators)
