"""Settings of a chip that scripts change circuit by circuit, as the vendor's `lola.Chip`."""

from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Self, TypeVar
from warnings import warn

import numpy as np

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.pynn.calibrating import neurons_of
from hw_targets.brainscales2.pynn.parameters import AtomicNeuron
from hw_targets.brainscales2.settings import PARAMETERS, Settings

T = TypeVar("T")

N_BACKENDS = 2
"""Halves of the chip whose circuits share clocks."""


@dataclass
class Backend:
    """Clocks of half of the circuits.

    Parameters
    ----------
    clock_scale_fast, clock_scale_slow : int
        Scales of the clocks: 250 MHz / 2^(scale + 1).
    enable_clocks : bool, optional
        Without effect: the emulation's clocks are always on.
    """

    clock_scale_fast: int
    clock_scale_slow: int
    enable_clocks: bool = True


class ByCoordinate(list[T], Generic[T]):
    """A list that coordinates index, too."""

    def __getitem__(self, where: Any) -> Any:
        """Return the item at a coordinate or index."""
        return super().__getitem__(_index(where))

    def __setitem__(self, where: Any, item: Any) -> None:
        """Set the item at a coordinate or index."""
        super().__setitem__(_index(where), item)


@dataclass
class NeuronBlock:
    """Circuits and their clocks.

    Parameters
    ----------
    atomic_neurons : list of AtomicNeuron
        All 512.
    backends : list of Backend
        Clocks of each half.
    """

    atomic_neurons: ByCoordinate[AtomicNeuron]
    backends: ByCoordinate[Backend]


class ChipSettings(Settings):
    """Settings of a chip that can also be changed in place, through `neuron_block`.

    Such changes act where the settings are given to `setup` afterwards.
    """

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return settings as such ones."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(settings)})

    @property
    def neuron_block(self) -> NeuronBlock:
        """Circuits, ``atomic_neurons``, and clocks, ``backends``."""
        found: NeuronBlock | None = vars(self).get("_neuron_block")
        if found is None:
            clocks = (self.clock_scale_fast, self.clock_scale_slow)
            found = NeuronBlock(
                ByCoordinate(neurons_of(self, np.arange(limits.N_CIRCUITS))),
                ByCoordinate(Backend(*clocks) for _ in range(N_BACKENDS)),
            )
            object.__setattr__(self, "_neuron_block", found)
        return found

    def edited(self) -> Settings:
        """Return the settings with what was changed in place.

        Returns
        -------
        Settings

        Raises
        ------
        OverflowError, TypeError, ValueError
            If a value is out of range.
        """
        block: NeuronBlock | None = vars(self).get("_neuron_block")
        if block is None:
            return self
        values = [neuron.values() for neuron in block.atomic_neurons]
        first, second = block.backends
        if first != second:
            warn(
                f"{first} and {second}: the emulated circuits share the clocks of the first",
                stacklevel=2,
            )
        return replace(
            self,
            parameters={name: np.array([v[name] for v in values]) for name in PARAMETERS},
            clock_scale_fast=int(first.clock_scale_fast),
            clock_scale_slow=int(first.clock_scale_slow),
        )


def _index(where: Any) -> Any:
    return int(where.toEnum()) if hasattr(where, "toEnum") else where
