"""Values, lists and assignments on the command line."""

import json
import math
from argparse import ArgumentTypeError
from typing import Any

_NON_FINITE = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def parse_value(text: str) -> Any:
    """Return `text` read as JSON, as ``inf`` or ``nan``, or else as a string."""
    if text.lower() in _NON_FINITE:
        return _NON_FINITE[text.lower()]
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def parse_assignment(text: str) -> tuple[str, Any]:
    """Return the name and the value of ``NAME=value``."""
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise ArgumentTypeError(f"{text!r} is not NAME=value")
    return name, parse_value(value)


def parse_axis(text: str) -> tuple[str, tuple[Any, ...]]:
    """Return the name and the values of ``NAME=value,value,...``."""
    name, separator, values = text.partition("=")
    if not (name and separator and values):
        raise ArgumentTypeError(f"{text!r} is not NAME=value,value,...")
    try:
        # First as one JSON list, so that values may be lists: NAME=[1,2],[3,4].
        return name, tuple(json.loads(f"[{values}]"))
    except json.JSONDecodeError:
        return name, tuple(parse_value(value) for value in values.split(","))


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of ``1-3``, ``1,2,5`` or a mixture."""
    seeds: list[int] = []
    for part in text.split(","):
        first, separator, last = part.partition("-")
        try:
            seeds += range(int(first), int(last if separator else first) + 1)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is not like 1-3 or 1,2,5") from None
    return tuple(seeds)


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names of ``a,b,c``."""
    return tuple(text.split(","))
