"""The chip's configuration below the network, of which scripts set the clocks."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from warnings import warn

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.calibration import Target
from hw_targets.brainscales2.pynn.calibrating import Calibration
from hw_targets.brainscales2.settings import Settings
from hw_targets.brainscales2.vendor.halco import CommonNeuronBackendConfigOnDLS
from hw_targets.brainscales2.vendor.ranged import RangedInt

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.simulator import State

#: Settings that scripts make and the emulation has no counterpart for.
_WITHOUT_EFFECT = ("clock_scale_adaptation_pulse", "clock_scale_post_pulse")
_CLOCKS = ("clock_scale_fast", "clock_scale_slow")


class ClockScale(RangedInt, maximum=limits.CLOCK_SCALE_MAX):
    """Scale of a clock: 250 MHz / 2^(scale + 1)."""


class Backend:
    """Clocks of the circuits, which are common to the whole emulated chip.

    ``clock_scale_fast`` and ``clock_scale_slow`` act from the next snippet on, until neurons are
    calibrated anew, which chooses the clocks. ``enable_clocks`` is True.

    Parameters
    ----------
    state : State
        The network.
    """

    enable_clocks: bool
    clock_scale_fast: int
    clock_scale_slow: int

    def __init__(self, state: "State") -> None:
        object.__setattr__(self, "_state", state)

    def __getattr__(self, name: str) -> Any:
        if name == "enable_clocks":
            return True
        if name in _CLOCKS:
            return getattr(_common(self._state), name)
        raise AttributeError(_unknown(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _CLOCKS:
            _change(self._state, {name: int(ClockScale(value))})
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


class NeuronBlock:
    """Configuration that circuits share.

    Parameters
    ----------
    state : State
        The network.
    """

    def __init__(self, state: "State") -> None:
        self.backends = tuple(Backend(state) for _ in range(CommonNeuronBackendConfigOnDLS.size))


class ChipConfig:
    """``simulator.state.grenade_chip_config``.

    Parameters
    ----------
    state : State
        The network.
    """

    def __init__(self, state: "State") -> None:
        self.neuron_block = NeuronBlock(state)


def _common(state: "State") -> Settings:
    """Return the settings whose common part is in use."""
    found = next((c.settings for c in state.calibrations.values()), None)
    return found or state.initial_config or Settings()


def _change(state: "State", clocks: dict[str, Any]) -> None:
    # The mapping takes what circuits share from the calibrations, if there are any.
    present = state.calibrations or {False: Calibration(Target(), _common(state))}
    state.calibrations = {
        kind: replace(found, settings=replace(found.settings, **clocks))
        for kind, found in present.items()
    }


def _unknown(name: str) -> str:
    return (
        f"grenade_chip_config.neuron_block.backends[...].{name}: the emulation has no such "
        f"setting, only enable_clocks, {', '.join(_CLOCKS + _WITHOUT_EFFECT)}"
    )
