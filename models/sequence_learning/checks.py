"""Range checks with messages that name the object, the value and what is allowed."""

import math
from numbers import Integral
from typing import Any


def check(condition: bool, owner: Any, name: str, value: Any, need: str) -> None:
    """Raise ValueError unless `condition` holds.

    Parameters
    ----------
    condition : bool
        Whether the value is allowed.
    owner : object
        The dataclass instance that holds the value.
    name : str
        Field name.
    value : object
        The offending value.
    need : str
        What is allowed, or what to change.

    Raises
    ------
    ValueError
        If `condition` is false.
    """
    if not condition:
        raise ValueError(f"{type(owner).__name__}: {name}={value!r}, need {need}")


def check_count(owner: Any, *names: str) -> None:
    """Raise ValueError unless each named field of `owner` is an integer >= 1."""
    for name in names:
        value = getattr(owner, name)
        allowed = isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
        check(allowed, owner, name, value, "an integer >= 1")


def check_positive(owner: Any, *names: str) -> None:
    """Raise ValueError unless each named field of `owner` is None or a finite number > 0."""
    for name in names:
        value = getattr(owner, name)
        allowed = value is None or 0 < value < math.inf
        check(allowed, owner, name, value, "a finite number > 0")


def check_not_negative(owner: Any, *names: str) -> None:
    """Raise ValueError unless each named field of `owner` is None or a finite number >= 0."""
    for name in names:
        value = getattr(owner, name)
        allowed = value is None or 0 <= value < math.inf
        check(allowed, owner, name, value, "a finite number >= 0")
