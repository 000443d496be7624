"""The parameters of a neuron circuit, as `HXNeuron` names them, and as an object."""

from collections.abc import Mapping
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN.parameters import ParameterSpace

from hw_targets.brainscales2.settings import PARAMETERS, Parameter

_SWITCH = Parameter(1)

#: Parameters of a circuit's digital part, which `Settings` doesn't hold.
DIGITAL: dict[str, Parameter] = {
    "bayesian_connect_fire_from_right": _SWITCH,
    "bayesian_connect_fire_to_right": _SWITCH,
    "bayesian_connect_fire_vertical": _SWITCH,
    "bayesian_enable_master": _SWITCH,
    "bayesian_enable_slave": _SWITCH,
    "bayesian_operation": Parameter(3),
    "bayesian_to_post_pulse": Parameter(1, default=1),
    "event_routing_address": Parameter(255),
    "event_routing_enable_bypass_excitatory": _SWITCH,
    "event_routing_enable_bypass_inhibitory": _SWITCH,
    "event_routing_enable_post_overwrite": _SWITCH,
    "multicompartment_connect_right": _SWITCH,
    "multicompartment_connect_soma": _SWITCH,
    "multicompartment_connect_soma_right": _SWITCH,
    "multicompartment_connect_vertical": _SWITCH,
    "readout_enable_unbuffered_access": _SWITCH,
}

#: All 70, in alphabetical order.
CIRCUIT_PARAMETERS: dict[str, Parameter] = dict(sorted((PARAMETERS | DIGITAL).items()))

#: Enumerations with two members, which are numbers all the same.
_ENUMERATIONS = ("constant_current_type", "refractory_period_input_clock")

#: Name -> default: a bool for a switch, else an integer.
DEFAULTS: dict[str, int] = {
    name: bool(parameter.default)
    if parameter.maximum == 1 and name not in _ENUMERATIONS
    else parameter.default
    for name, parameter in CIRCUIT_PARAMETERS.items()
}

_BLOCKS = (
    "adaptation", "bayesian", "constant_current", "event_routing", "excitatory_input",
    "exponential", "inhibitory_input", "leak", "membrane_capacitance", "multicompartment",
    "readout", "refractory_period", "reset", "threshold",
)  # fmt: skip


def checked(name: str, value: Any) -> int:
    """Return a value as it is stored on the chip: its integer part.

    Parameters
    ----------
    name : str
        Parameter.
    value : number
        Value.

    Returns
    -------
    int

    Raises
    ------
    OverflowError
        If it is too large.
    TypeError
        If it is negative.
    """
    number, maximum = int(value), CIRCUIT_PARAMETERS[name].maximum
    if number < 0:
        raise TypeError(f"{name}={value}, need an integer in 0 ... {maximum}")
    if number > maximum:
        raise OverflowError(f"{name}={value}, need an integer in 0 ... {maximum}")
    return number


def evaluate(space: ParameterSpace) -> dict[str, npt.NDArray[Any]]:
    """Evaluate parameters to one array each.

    Parameters
    ----------
    space : ParameterSpace
        Parameters, of a known shape; its values become the arrays.

    Returns
    -------
    dict of str to ndarray
    """
    space.evaluate(simplify=False)
    # PyNN returns a list of one value without its dimension.
    arrays = {name: np.reshape(np.asarray(v), space.shape) for name, v in space.items()}
    space._parameters.update(arrays)
    return arrays


class ReadoutSource(IntEnum):
    """Voltage of a circuit that its readout shows."""

    membrane = 0
    exc_synin = 1
    inh_synin = 2
    adaptation = 3


class AtomicNeuron:
    """Settings of one circuit, by block: ``neuron.leak.v_leak``, as `lola.AtomicNeuron` has them.

    Parameters
    ----------
    values : mapping of str to int, optional
        Parameter, named as those of `HXNeuron` -> value; the rest has defaults.
    """

    def __init__(self, values: Mapping[str, int] | None = None) -> None:
        for block in _BLOCKS:
            setattr(self, block, SimpleNamespace())
        for name, value in (DEFAULTS | dict(values or {})).items():
            block, attribute = _PLACES[name]
            setattr(getattr(self, block), attribute, value)

    def __getitem__(self, name: str) -> Any:
        """Return a value by the name that `HXNeuron` gives it."""
        block, attribute = _PLACES[name]
        return getattr(getattr(self, block), attribute)

    def values(self) -> dict[str, int]:
        """Return all values by the names that `HXNeuron` gives them, checked."""
        return {name: checked(name, self[name]) for name in CIRCUIT_PARAMETERS}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AtomicNeuron):
            return NotImplemented
        return vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.values().items() if v != DEFAULTS[n]}
        return f"AtomicNeuron({changed})"


def split_name(name: str) -> tuple[str, str]:
    """Return the block and the attribute that a parameter is called after.

    Raises
    ------
    ValueError
        If there is no such block.
    """
    for block in _BLOCKS:
        if name.startswith(block + "_"):
            return block, name.removeprefix(block + "_")
    raise ValueError(f"{name!r} is in no block of a circuit; blocks are {_BLOCKS}")


_PLACES = {name: split_name(name) for name in CIRCUIT_PARAMETERS}
"""Block and attribute of each parameter."""
