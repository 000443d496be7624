"""Dotted names over nested parameter dataclasses: ``device.on_off_ratio``."""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from cosim.errors import InputError
from cosim.jsonable import plain
from cosim.registry import close_match

# In place of the members of a group: as its class makes it without arguments, whatever the default
# of the model is.
DEFAULT = "default"


def flatten(parameters: Any, prefix: str = "") -> dict[str, Any]:
    """Return every leaf of a parameter dataclass by its dotted name.

    Parameters
    ----------
    parameters : dataclass instance
        Possibly with dataclasses as fields.
    prefix : str, optional
        Put before each name.

    Returns
    -------
    dict
        Dotted name to value, in the order of the fields; sequences as tuples.
    """
    leaves: dict[str, Any] = {}
    for field in dataclasses.fields(parameters):
        name = prefix + field.name
        value = getattr(parameters, field.name)
        if dataclasses.is_dataclass(value):
            leaves |= flatten(value, name + ".")
        else:
            leaves[name] = plain(value, f"parameter {name!r}")
    return leaves


def override(parameters: Any, overrides: Mapping[str, Any], prefix: str = "") -> Any:
    """Return a copy of a parameter dataclass with the named leaves and groups replaced.

    Parameters
    ----------
    parameters : dataclass instance
        The defaults.
    overrides : mapping
        Dotted name to value. A list is taken for a tuple, an integral number for an int or float.
        A whole group may be replaced by a string: ``"default"`` is what its class makes without
        arguments, any other the argument of its classmethod ``named``. Its members given beside it
        are set on top.
    prefix : str, optional
        Dotted path of `parameters` itself, for messages.

    Returns
    -------
    dataclass instance
        Of the same type; validated by its own ``__post_init__``.

    Raises
    ------
    InputError
        For an unknown name or a value of the wrong type.
    """
    valid = list(flatten(parameters, prefix))
    hints = typing.get_type_hints(type(parameters))
    changes: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for name, value in overrides.items():
        head, _, rest = name.partition(".")
        if rest and (prefix + name in valid or _members(prefix + name, valid)):
            groups.setdefault(head, {})[rest] = value
        elif prefix + name in valid:
            changes[head] = _convert(value, hints[head], prefix + name)
        elif isinstance(value, str) and _members(prefix + name, valid):
            changes[head] = _named(getattr(parameters, head), value, prefix + name, valid)
        else:
            raise InputError(_unknown(prefix + name, valid))
    for head, nested in groups.items():
        group = changes.get(head, getattr(parameters, head))
        changes[head] = override(group, nested, f"{prefix}{head}.")
    return dataclasses.replace(parameters, **changes)


def ungroup(name: str, group: Any) -> dict[str, Any]:
    """Return the overrides that make a group equal to a dataclass instance.

    Parameters
    ----------
    name : str
        Dotted name of the group.
    group : dataclass instance
        Of a class whose fields all have defaults.

    Returns
    -------
    dict
        `DEFAULT` under `name`, and the leaves that differ from it by dotted name.

    Raises
    ------
    InputError
        If the class needs arguments.
    """
    try:
        defaults = flatten(type(group)(), name + ".")
    except TypeError:
        raise InputError(
            f"parameter {name!r}: a {type(group).__name__} has fields without a default; set its "
            "members by dotted name"
        ) from None
    leaves = flatten(group, name + ".")
    return {name: DEFAULT} | {key: leaf for key, leaf in leaves.items() if leaf != defaults[key]}


def _named(group: Any, value: str, name: str, valid: list[str]) -> Any:
    """Return what takes the place of a group."""
    cls = type(group)
    if value == DEFAULT:
        return cls()
    if not hasattr(cls, "named"):
        raise InputError(_unknown(name, valid))
    try:
        return cls.named(value)
    except ValueError as error:
        raise InputError(f"parameter {name!r}: {error}") from None


def _members(name: str, valid: list[str]) -> list[str]:
    return [leaf for leaf in valid if leaf.startswith(name + ".")]


def _unknown(name: str, valid: list[str]) -> str:
    members = _members(name, valid)
    if members:
        return f"parameter {name!r} is a group; set its members: {', '.join(members)}"
    return f"unknown parameter {name!r}{close_match(name, valid)}: valid are {', '.join(valid)}"


def _convert(value: Any, hint: Any, name: str) -> Any:
    try:
        return _as_type(value, hint)
    except TypeError:
        expected = getattr(hint, "__name__", None) if isinstance(hint, type) else None
        raise InputError(
            f"parameter {name!r}: {value!r} is a {type(value).__name__}, "
            f"need {expected or str(hint).replace('typing.', '')}"
        ) from None


def _as_type(value: Any, hint: Any) -> Any:
    """Return `value` as the annotated type or raise TypeError; an unknown hint accepts all."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _as_any_of(value, arguments)
    if origin is typing.Literal:
        for allowed in arguments:
            if value == allowed and isinstance(value, bool) == isinstance(allowed, bool):
                return allowed
        raise TypeError
    if hint is tuple or origin in (tuple, list, Sequence):
        return _as_tuple(value, arguments)
    if hint in (None, type(None), bool, str):
        return _checked(value, isinstance(value, type(None) if hint is None else hint))
    if hint is int:
        integral = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return int(_checked(value, integral and not isinstance(value, bool)))
    if hint is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(_checked(value, number))
    return value


def _checked(value: Any, correct: bool) -> Any:
    if not correct:
        raise TypeError
    return value


def _as_any_of(value: Any, hints: tuple[Any, ...]) -> Any:
    for hint in hints:
        try:
            return _as_type(value, hint)
        except TypeError:
            continue
    raise TypeError


def _as_tuple(value: Any, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    if not hints:
        return tuple(value)
    if len(hints) == 1 or hints[-1] is Ellipsis:
        return tuple(_as_type(item, hints[0]) for item in value)
    if len(hints) != len(value):
        raise TypeError
    return tuple(_as_type(item, hint) for item, hint in zip(value, hints, strict=True))
