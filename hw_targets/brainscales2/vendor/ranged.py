"""Integers with a range, as the vendor's coordinates and register values are."""

from numbers import Integral
from typing import Any, ClassVar, Self


class RangedInt(int):
    """An integer of 0 ... `max`.

    Parameters
    ----------
    value : int, optional
        Value.

    Raises
    ------
    OverflowError
        If it is too large.
    TypeError
        If it is negative or no integer.
    """

    min: ClassVar[int] = 0
    max: ClassVar[int]
    size: ClassVar[int]

    def __init_subclass__(cls, maximum: int, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.max, cls.size = maximum, maximum + 1

    def __new__(cls, value: int = 0) -> Self:  # noqa: D102
        if not isinstance(value, Integral) or value < 0:
            raise TypeError(f"{cls.__name__}({value!r}), need an integer in 0 ... {cls.max}")
        if value > cls.max:
            raise OverflowError(f"{cls.__name__}({value}), need an integer in 0 ... {cls.max}")
        return super().__new__(cls, value)

    def value(self) -> int:
        """Return the plain integer."""
        return int(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"

    __str__ = __repr__
