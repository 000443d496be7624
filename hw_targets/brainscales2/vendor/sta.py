"""Stand-in for the vendor's programs of timed register access, of which weights can be written."""

from typing import Any, NoReturn

import numpy as np

from hw_targets.brainscales2.pynn.timed_writes import WeightWrite
from hw_targets.brainscales2.vendor.absent import ADVICE, refuse
from hw_targets.brainscales2.vendor.hal import Timer
from hw_targets.brainscales2.vendor.halco import SynapseWeightRowOnDLS
from hw_targets.brainscales2.vendor.lola import SynapseWeightRow

__getattr__ = refuse("sta")


class PlaybackProgramBuilder:
    """An empty program, as `InjectedConfiguration` takes it."""

    def empty(self) -> bool:
        """Tell that there is nothing in it."""
        return True

    def __bool__(self) -> bool:
        return not self.empty()

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"sta.{type(self).__name__}.{name}: {ADVICE}")

    def write(self, *arguments: Any) -> None:
        """Refuse to write to a register.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(f"sta.{type(self).__name__}.write{arguments}: {ADVICE}")


class AbsoluteTimePlaybackProgramBuilder(PlaybackProgramBuilder):
    """A program of writes of weights at times since the begin of a run.

    As `InjectedConfiguration.inside_realtime` it changes weights during runs; those that are
    scheduled before a write is added don't have it.
    """

    def __init__(self) -> None:
        #: Writes in the order in which they were added.
        self.weight_writes: list[WeightWrite] = []

    def empty(self) -> bool:
        """Tell whether nothing is written."""
        return not self.weight_writes

    def write(self, *arguments: Any) -> None:
        """Write the weights of a row of synapses.

        Parameters
        ----------
        time : hal.Timer.Value
            When, in clock cycles since the begin of the run.
        coordinate : halco.SynapseWeightRowOnDLS
            Row.
        container : lola.SynapseWeightRow
            Weights; what is changed in it later has no effect.

        Raises
        ------
        NotImplementedError
            If anything else is written.
        """
        match arguments:
            case (
                Timer.Value() as time,
                SynapseWeightRowOnDLS() as where,
                SynapseWeightRow() as row,
            ):
                weights = np.array(row.values, dtype=np.int64)
                self.weight_writes.append(
                    WeightWrite(int(time), int(where.synram), int(where.row), weights)
                )
            case _:
                super().write(*arguments)
