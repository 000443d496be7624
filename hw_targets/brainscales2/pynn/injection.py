"""Raw configuration and readout that a script has the vendor's stack write and read."""

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class InjectedConfiguration:
    """Configuration to write to the chip besides the network's, by moment."""

    pre_non_realtime: Any = field(default_factory=dict)
    pre_realtime: Any = field(default_factory=dict)
    inside_realtime_begin: Any = field(default_factory=dict)
    inside_realtime: Any = field(default_factory=dict)
    inside_realtime_end: Any = field(default_factory=dict)
    post_realtime: Any = field(default_factory=dict)
    ppu_symbols: Any = field(default_factory=dict)


@dataclass
class InjectedReadout:
    """What to read from the chip besides the recordings, by moment."""

    pre_realtime: Any = field(default_factory=set)
    inside_realtime_begin: Any = field(default_factory=set)
    inside_realtime_end: Any = field(default_factory=set)
    post_realtime: Any = field(default_factory=set)
    ppu_symbols: Any = field(default_factory=set)


def check_empty(injected: InjectedConfiguration | InjectedReadout) -> None:
    """Refuse what the emulation has no counterpart for.

    Raises
    ------
    NotImplementedError
        If there is anything to write or read.
    """
    for moment in fields(injected):
        given = getattr(injected, moment.name)
        writes_weights = moment.name == "inside_realtime" and hasattr(given, "weight_writes")
        if given and not writes_weights:
            raise NotImplementedError(
                f"setup: {type(injected).__name__}.{moment.name}: the emulation has no registers "
                "to write and read; set parameters of populations and projections instead"
            )
