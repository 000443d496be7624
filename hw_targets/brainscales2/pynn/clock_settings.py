"""Clocks of the circuits, as scripts set them: what the vendor calls a common neuron backend."""

from typing import Any, Protocol
from warnings import warn

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.vendor.ranged import RangedInt

CLOCKS = ("clock_scale_fast", "clock_scale_slow")
#: Settings that scripts make and the emulation has no counterpart for.
_WITHOUT_EFFECT = ("clock_scale_adaptation_pulse", "clock_scale_post_pulse")


class ClockScale(RangedInt, maximum=limits.CLOCK_SCALE_MAX):
    """Scale of a clock: 250 MHz / 2^(scale + 1)."""


class Scales(Protocol):
    """Where the scales of the clocks are kept, by name."""

    def __getitem__(self, clock: str, /) -> int: ...  # noqa: D105

    def __setitem__(self, clock: str, scale: int, /) -> None: ...  # noqa: D105


class Backend:
    """Clocks of half of the circuits.

    ``clock_scale_fast`` and ``clock_scale_slow`` can be changed; ``enable_clocks`` is True.

    Parameters
    ----------
    scales : mapping
        Scales of the clocks by name, which are read there and changed.
    """

    enable_clocks: bool
    clock_scale_fast: int
    clock_scale_slow: int

    def __init__(self, scales: Scales) -> None:
        object.__setattr__(self, "_scales", scales)

    def __getattr__(self, name: str) -> Any:
        if name == "enable_clocks":
            return True
        if name in CLOCKS:
            return self._scales[name]
        raise AttributeError(_unknown(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in CLOCKS:
            self._scales[name] = int(ClockScale(value))
        elif name in _WITHOUT_EFFECT:
            ClockScale(value)
            warn(f"backends[...].{name} has no effect in the emulation", stacklevel=2)
        elif name != "enable_clocks":
            raise AttributeError(_unknown(name))
        elif not value:
            raise ValueError(
                f"backends[...].enable_clocks={value!r}: the emulation's clocks are always on; "
                "silence neurons with threshold_enable=False"
            )


def _unknown(name: str) -> str:
    return (
        f"neuron_block.backends[...].{name}: the emulation has no such setting, only "
        f"enable_clocks, {', '.join(CLOCKS + _WITHOUT_EFFECT)}"
    )
