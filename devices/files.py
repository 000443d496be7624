"""Devices as JSON files.

A file has the fields that differ from a device without non-idealities; an infinite number is
written as ``{"__float__": "inf"}`` and an unknown one as ``null``.
"""

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

from devices.memristor import Memristor
from devices.update import Update

# Raised when the meaning of a field changes.
SCHEMA = 1
_TAG = "__float__"


def save(device: Memristor, path: str | os.PathLike[str]) -> None:
    """Write a device to a file, which `load` reads.

    Parameters
    ----------
    device : Memristor
    path : path-like
        Of the file; an existing one is overwritten.
    """
    content = {"schema": SCHEMA, "device": _differing(device)}
    text = json.dumps(content, indent=1, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def load(path: str | os.PathLike[str]) -> Memristor:
    """Read a device from a file.

    Parameters
    ----------
    path : path-like
        Of a file by `save` or written by hand; what it leaves out has the default.

    Returns
    -------
    Memristor

    Raises
    ------
    ValueError
        If the file is no JSON of a device, names an unknown field, a field twice, or has a value
        that the device refuses.
    OSError
        If the file cannot be read.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        content = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_refuse)
        if not isinstance(content, dict) or content.keys() != {"schema", "device"}:
            raise ValueError('need an object with "schema" and "device"')
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']!r}, this version reads {SCHEMA}")
        fields = _known_fields(content["device"], Memristor, "device")
        if "update" in fields:
            update = _known_fields(fields["update"], Update, "device.update")
            fields["update"] = Update(**update)
        return Memristor(**fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _differing(group: Any) -> dict[str, Any]:
    fields = {}
    for item in dataclasses.fields(group):
        value = getattr(group, item.name)
        if value != item.default:
            nested = dataclasses.is_dataclass(value)
            fields[item.name] = _differing(value) if nested else _tagged(value)
    return fields


def _tagged(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return {_TAG: repr(value)}
    return value


def _known_fields(content: Any, cls: type, where: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError(f"{where}: {content!r}, need an object of fields")
    valid = [item.name for item in dataclasses.fields(cls)]
    unknown = [name for name in content if name not in valid]
    if unknown:
        raise ValueError(f"{where}.{unknown[0]} is unknown: fields are {', '.join(valid)}")
    return content


def _without_twins(pairs: list[tuple[str, Any]]) -> Any:
    names = [name for name, _ in pairs]
    twins = [name for name in names if names.count(name) > 1]
    if twins:
        raise ValueError(f"field {twins[0]!r} is given twice")
    content = dict(pairs)
    if content.keys() == {_TAG}:
        if content[_TAG] not in ("inf", "-inf"):
            raise ValueError(f'{_TAG}: {content[_TAG]!r}, need "inf" or "-inf"')
        return float(content[_TAG])
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f'{constant} is not JSON: write an infinite number as {{"{_TAG}": "inf"}}')
