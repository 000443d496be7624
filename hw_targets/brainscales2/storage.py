"""Strict, versioned JSON files; a float read back is the float written, to the last bit."""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any


def write_json(path: str | Path, document: dict[str, Any]) -> None:
    """Write a document whole or not at all.

    Parameters
    ----------
    path : str or Path
        File to write.
    document : dict
        With the keys ``format`` and ``version``; NaN and infinities are refused.

    Raises
    ------
    ValueError
        If the document holds a number that JSON lacks.
    """
    text = json.dumps(document, allow_nan=False, indent=1)
    part = Path(f"{path}.part{os.getpid()}")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def read_json(
    path: str | Path, file_format: str, version: int, keys: Collection[str]
) -> dict[str, Any]:
    """Read a document and check what it is.

    Parameters
    ----------
    path : str or Path
        File to read.
    file_format, version : str, int
        What the document must say it is.
    keys : collection of str
        The keys it must have besides.

    Returns
    -------
    dict
        The document's values under `keys`.

    Raises
    ------
    ValueError
        If the file is no such document.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"{path}: a key occurs twice among {names}")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{path}: {constant}, which is not in JSON")

    document = json.loads(
        Path(path).read_text(encoding="utf-8"), object_pairs_hook=unique, parse_constant=refuse
    )
    if not isinstance(document, dict):
        raise ValueError(f"{path}: a {type(document).__name__}, need an object")
    found = document.pop("format", None), document.pop("version", None)
    if found != (file_format, version):
        raise ValueError(
            f"{path}: format and version {found}, need {(file_format, version)}: "
            "write the file anew with this version of cosim"
        )
    if set(document) != set(keys):
        raise ValueError(f"{path}: keys {sorted(document)}, need {sorted(keys)}")
    return document
