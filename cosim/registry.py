"""Find models and backends: by entry-point name, or by the path of an importable module."""

import difflib
import importlib
import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from cosim.errors import InputError

MODELS = "cosim.models"
BACKENDS = "cosim.backends"


def registered(group: str) -> dict[str, str]:
    """Return the module path of every name in an entry-point group, sorted by name."""
    return dict(sorted((point.name, point.value) for point in entry_points(group=group)))


def close_match(name: str, valid: list[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` or an empty string."""
    matches = difflib.get_close_matches(name, valid, n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def module_path(group: str, name: str) -> str:
    """Return the module path of a registered name or of an importable dotted path.

    Parameters
    ----------
    group : str
        Entry-point group, `MODELS` or `BACKENDS`.
    name : str
        Entry-point name, or a module path with at least one dot.

    Returns
    -------
    str
        The path to import.

    Raises
    ------
    InputError
        If `name` is neither.
    """
    names = registered(group)
    if name in names:
        return names[name]
    if "." in name and _is_importable(name):
        return name
    kind = group.removeprefix("cosim.").removesuffix("s")
    raise InputError(
        f"unknown {kind} {name!r}{close_match(name, list(names))}: "
        f"registered are {', '.join(names) or 'none'}; "
        "any importable module path with a dot (package.module) is accepted too"
    )


def _is_importable(path: str) -> bool:
    if not all(part.isidentifier() for part in path.split(".")):
        return False
    try:
        return importlib.util.find_spec(path) is not None
    except ImportError as error:
        # A parent that exists but lacks a package of its own says so when it is imported.
        return error.name is None or not f"{path}.".startswith(f"{error.name}.")


def load_model(name: str) -> ModuleType:
    """Import a model module and check that it has the model interface.

    Parameters
    ----------
    name : str
        Entry-point name in the group ``cosim.models`` or a dotted module path.

    Returns
    -------
    module
        With `Parameters` (a frozen dataclass) and `simulate`.

    Raises
    ------
    InputError
        If there is no such model, a package it needs is missing, or the interface is incomplete.
    """
    path = module_path(MODELS, name)
    try:
        model = importlib.import_module(path)
    except ImportError as error:
        raise InputError(f"model {name!r} ({path}) cannot be imported: {error}") from error
    missing = [item for item in ("Parameters", "simulate") if not hasattr(model, item)]
    if missing:
        raise InputError(
            f"{path} is not a model: it lacks {' and '.join(missing)}; "
            "a model defines a frozen dataclass Parameters and a function simulate"
        )
    return model


def model_folder(model: ModuleType) -> Path:
    """Return the folder of a model's source, whose git state describes the model."""
    return Path(model.__file__ or ".").resolve().parent
