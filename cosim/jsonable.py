"""Strict JSON for parameter values and records.

JSON has no infinity and no NaN, yet both are legitimate values here (the on-off ratio of an ideal
device, a metric that is undefined). They are written as ``{"__float__": "inf"}``, so that every
file is valid JSON for any reader and ``"inf"`` remains a string.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

_TAG = "__float__"
# Beyond this, neighbouring integers are no longer distinct as floats.
_MAX_EXACT_INT = 2**53


def plain(value: Any, name: str) -> Any:
    """Return `value` as immutable built-in types.

    Parameters
    ----------
    value : object
        None, bool, number, str, a numpy scalar or array, or a list or tuple of these.
    name : str
        What the value belongs to, for the error message.

    Returns
    -------
    object
        Lists and arrays as tuples, numpy scalars as Python scalars.

    Raises
    ------
    TypeError
        If the value has no JSON form.
    """
    if value is None:
        return None
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            # Subclasses are reduced to the built-in type: numpy.float64 is a float.
            return kind(value)
    if isinstance(value, list | tuple):
        return tuple(plain(item, name) for item in value)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), name)
    raise TypeError(
        f"{name}: {value!r} is a {type(value).__name__}; "
        "use None, a bool, a number, a string or a tuple of these"
    )


def canonical(value: Any) -> Any:
    """Return `value` (as from `plain`) so that equal numbers have equal JSON: 10.0 becomes 10."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT_INT:
        return int(value)
    if isinstance(value, tuple):
        return tuple(canonical(item) for item in value)
    return value


def encode(value: Any) -> Any:
    """Return `value` with non-finite floats tagged, ready for `json.dumps`."""
    if isinstance(value, float) and not math.isfinite(value):
        return {_TAG: repr(value)}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(value: Any) -> Any:
    """Invert `encode`; tuples come back as lists."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {_TAG}:
            return float(value[_TAG])
        return {key: decode(item) for key, item in value.items()}
    return value


def dumps(value: Any, indent: int | None = None) -> str:
    """Return `value` as strict JSON."""
    separators = (",", ":") if indent is None else None
    return json.dumps(encode(value), allow_nan=False, indent=indent, separators=separators)


def loads(text: str) -> Any:
    """Read JSON written by `dumps`."""
    return decode(json.loads(text))
