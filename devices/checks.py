"""Checks of the fields of frozen parameter classes."""

import math
from numbers import Integral, Real
from typing import Any, NoReturn


def is_number(value: object, kind: type) -> bool:
    """Whether a value is a number of a kind; a bool is none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def refuse(owner: Any, name: str, need: str) -> NoReturn:
    """Raise a ValueError that names owner, field, value and what is needed."""
    raise ValueError(f"{type(owner).__name__}: {name}={getattr(owner, name)!r}, need {need}")


def store_real(
    owner: Any,
    name: str,
    *,
    need: str,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    infinite: bool = False,
) -> None:
    """Check a real field and store it as plain `float`.

    Plain numbers make equal parameters have equal hashes and equal JSON whatever numeric type
    they were made from.

    Parameters
    ----------
    owner : dataclass instance
        Possibly frozen.
    name : str
        Of the field.
    need : str
        What is needed, for the error.
    above, least, most : float, optional
        Limits; `above` is excluded.
    infinite : bool, optional
        Whether infinity is allowed.

    Raises
    ------
    ValueError
        If the field is no number or out of its limits.
    """
    value = getattr(owner, name)
    # Written so that NaN, for which every comparison is false, is refused.
    allowed = is_number(value, Real) and value > above and least <= value <= most
    if not allowed or not (infinite or math.isfinite(value)):
        refuse(owner, name, need)
    object.__setattr__(owner, name, float(value))


def store_integer(owner: Any, name: str, *, least: int, need: str) -> None:
    """Check an integer field and store it as plain `int`.

    Raises
    ------
    ValueError
        If the field is no integer or below the limit.
    """
    value = getattr(owner, name)
    if not is_number(value, Integral) or value < least:
        refuse(owner, name, need)
    object.__setattr__(owner, name, int(value))


def store_numbers(owner: Any, name: str, *, need: str) -> None:
    """Check a field of finite numbers and store it as a tuple of plain `float`.

    Raises
    ------
    ValueError
        If the field is no sequence of finite numbers.
    """
    try:
        numbers = tuple(float(value) for value in getattr(owner, name))
    except (TypeError, ValueError):
        refuse(owner, name, need)
    if not all(map(math.isfinite, numbers)):
        refuse(owner, name, need)
    object.__setattr__(owner, name, numbers)
