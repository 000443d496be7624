"""The chip's configuration below the network, of which scripts set the clocks."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hw_targets.brainscales2.calibration import Target
from hw_targets.brainscales2.pynn.calibrating import Calibration
from hw_targets.brainscales2.pynn.clock_settings import Backend
from hw_targets.brainscales2.settings import Settings
from hw_targets.brainscales2.vendor.halco import CommonNeuronBackendConfigOnDLS

if TYPE_CHECKING:
    from hw_targets.brainscales2.pynn.simulator import State


class NeuronBlock:
    """Configuration that circuits share.

    Its ``backends`` are the clocks, which are common to the whole emulated chip. Changes act from
    the next snippet on, until neurons are calibrated anew, which chooses the clocks.

    Parameters
    ----------
    state : State
        The network.
    """

    def __init__(self, state: "State") -> None:
        self.backends = (Backend(_Clocks(state)),) * CommonNeuronBackendConfigOnDLS.size


class ChipConfig:
    """``simulator.state.grenade_chip_config``.

    Parameters
    ----------
    state : State
        The network.
    """

    def __init__(self, state: "State") -> None:
        self.neuron_block = NeuronBlock(state)


class _Clocks:
    """Scales of the clocks of a network."""

    def __init__(self, state: "State") -> None:
        self._state = state

    @property
    def _settings(self) -> Settings:
        """Settings whose clocks are in use."""
        found = next((c.settings for c in self._state.calibrations.values()), None)
        return found or self._state.initial_config or Settings()

    def __getitem__(self, clock: str) -> int:
        scale: int = getattr(self._settings, clock)
        return scale

    def __setitem__(self, clock: str, scale: int) -> None:
        # The mapping takes what circuits share from the calibrations, if there are any.
        present = self._state.calibrations or {False: Calibration(Target(), self._settings)}
        changed: dict[str, Any] = {clock: scale}
        self._state.calibrations = {
            kind: replace(found, settings=replace(found.settings, **changed))
            for kind, found in present.items()
        }
