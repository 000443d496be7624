"""Stand-in for the vendor's registers: the ranges of values that PyNN scripts compute with."""

from typing import ClassVar

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.vendor.absent import refuse
from hw_targets.brainscales2.vendor.ranged import RangedInt

__getattr__ = refuse("hal")


class Timer:
    """The timer that events and configuration are timed by."""

    class Value(RangedInt, maximum=2**32 - 1):
        """Clock cycles."""

        fpga_clock_cycles_per_us: ClassVar[int] = int(limits.EVENT_CLOCK_HZ * 1e-6)


class SynapseWeightQuad:
    """Weights of synapses."""

    class Value(RangedInt, maximum=limits.WEIGHT_MAX):
        """Weight in LSB."""


class CapMemCell:
    """A cell of the analog parameter storage."""

    class Value(RangedInt, maximum=limits.CAPMEM_MAX):
        """Value in LSB."""
