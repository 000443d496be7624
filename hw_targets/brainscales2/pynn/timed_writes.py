"""Weights that an injected program writes to rows of synapses at given times of a run."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.pynn.plasticity_rules import NeuronView, Recording
from hw_targets.brainscales2.routing import Routing

IntArray = npt.NDArray[np.int64]


class WeightWrite(NamedTuple):
    """Weights of all columns of a row, and the clock cycle of the run at which it gets them."""

    clock: int
    array: int
    row: int
    weights: IntArray


class TimedWrites:
    """Writes in the form of a plasticity rule, whose executions change weights during a run.

    Parameters
    ----------
    writes : sequence of WeightWrite
        Writes; of those at the same time the last counts.
    routing : Routing
        Where the synapses of all connections are.
    """

    def __init__(self, writes: Sequence[WeightWrite], routing: Routing) -> None:
        # What is added to a program later doesn't act in what is scheduled.
        self._writes = tuple(writes)
        self._routing = routing

    def emulate(
        self, synapses: Sequence[Any], neurons: Sequence[NeuronView], recording: Recording
    ) -> None:
        """Write what is due."""
        clock = round(recording.time * limits.EVENT_CLOCK_HZ * 1e-3)
        for view in synapses:
            at = self._routing.first[view.projection.synapses]
            array, row, column = (values[at] for values in self._routing[1:])
            for write in self._writes:
                if write.clock == clock:
                    here = (array == write.array) & (row == write.row)
                    view.weights[here] = write.weights[column[here]]
