"""Parameters of neurons of several circuits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pyNN.parameters import ArrayParameter


class McCircuitParameters(ArrayParameter):
    """One parameter of one neuron: a value for each circuit of each compartment.

    Parameters
    ----------
    value : sequence of sequence
        Values of the circuits of each compartment.
    """

    def __init__(self, value: Sequence[Any]) -> None:
        # Compartments may differ in size, so this is an array of arrays.
        self.value = np.empty(len(value), dtype=object)
        for compartment, circuits in enumerate(value):
            self.value[compartment] = np.array(circuits)

    def max(self) -> Any:
        """Return the largest value."""
        return max(circuits.max() for circuits in self.value)

    def flat(self) -> list[Any]:
        """Return the values of all circuits, compartment by compartment."""
        return [value for circuits in self.value for value in circuits.tolist()]

    def sizes(self) -> tuple[int, ...]:
        """Return the number of circuits of each compartment."""
        return tuple(len(circuits) for circuits in self.value)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, McCircuitParameters):
            return self.sizes() == other.sizes() and self.flat() == other.flat()
        if isinstance(other, np.ndarray):
            return np.array([self == one for one in other])
        return False

    __hash__ = None  # type: ignore[assignment]
