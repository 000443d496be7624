"""Settings of a chip that scripts change circuit by circuit, as the vendor's `lola.Chip`."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Generic, Self, TypeVar
from warnings import warn

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.pynn.calibrating import neurons_of
from hw_targets.brainscales2.pynn.clock_settings import CLOCKS, Backend
from hw_targets.brainscales2.pynn.parameters import DEFAULTS, DIGITAL, AtomicNeuron, checked
from hw_targets.brainscales2.settings import PARAMETERS, Settings

T = TypeVar("T")

N_BACKENDS = 2
"""Halves of the chip whose circuits share clocks."""


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

    Such changes are seen wherever the settings are read, copied or saved, and act where they are
    given to `setup` afterwards.
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
            clocks = [{clock: getattr(self, clock) for clock in CLOCKS} for _ in range(N_BACKENDS)]
            found = NeuronBlock(
                ByCoordinate(neurons_of(self, np.arange(limits.N_CIRCUITS))),
                ByCoordinate(Backend(scales) for scales in clocks),
            )
            object.__setattr__(self, "_neuron_block", found)
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self).of(self.edited())

    def __getitem__(self, name: str) -> npt.NDArray[np.int64]:  # noqa: D105
        block: NeuronBlock | None = vars(self).get("_neuron_block")
        if block is None:
            return super().__getitem__(name)
        return np.array([checked(name, neuron[name]) for neuron in block.atomic_neurons])

    def changed(self, circuits: Any = slice(None), **values: npt.ArrayLike) -> Self:  # noqa: D102
        return Settings.changed(self.edited(), circuits, **values)

    def save(self, path: str | Path) -> None:  # noqa: D102
        Settings.save(self.edited(), path)

    def edited(self) -> Self:
        """Return the settings with what was changed in place.

        Returns
        -------
        ChipSettings

        Raises
        ------
        OverflowError, TypeError, ValueError
            If a value is out of range.
        """
        block: NeuronBlock | None = vars(self).get("_neuron_block")
        if block is None:
            return self
        digital = sorted(
            {name for n in block.atomic_neurons for name in DIGITAL if n[name] != DEFAULTS[name]}
        )
        if digital:
            warn(
                f"neuron_block: changes of {', '.join(digital)} have no effect, since the settings "
                "are those of the analog circuits; give them to HXNeuron",
                stacklevel=2,
            )
        first, second = ({clock: getattr(b, clock) for clock in CLOCKS} for b in block.backends)
        if first != second:
            warn(
                f"neuron_block.backends: {first} and {second}, the emulated circuits share the "
                "clocks of the first: set both",
                stacklevel=2,
            )
        return replace(
            self,
            parameters={name: self[name] for name in PARAMETERS},
            **first,
        )


def _index(where: Any) -> Any:
    return int(where.toEnum()) if hasattr(where, "toEnum") else where
