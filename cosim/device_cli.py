"""The command ``cosim device``."""

import argparse
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim import fit_cli
from cosim.errors import InputError
from cosim.text_table import format_table

# The command line is parsed without numpy, which devices need.
if TYPE_CHECKING:
    from devices import Memristor
    from devices.presets import Preset

SUMMARY = "List, describe, draw and fit devices."

# Units of the fields whose name has none.
_UNITS = {
    "g_max": "µS",
    "endurance": "writes",
    "iv_quadratic": "1/V",
    "iv_cubic": "1/V²",
    "v_set": "V",
    "v_reset": "V",
    "v_read": "V",
}
_SUFFIXES = {"_ns": "ns", "_pj": "pJ", "_s": "s"}


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands of devices to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        That of ``cosim device``.
    """
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    text = "List the presets."
    list_parser = commands.add_parser("list", help=text, description=text)
    list_parser.set_defaults(command=_list)

    text = "Describe a device and draw its behaviour."
    show_parser = commands.add_parser("show", help=text, description=text)
    show_parser.set_defaults(command=_show)
    show_parser.add_argument("device", help="a preset, or a JSON file by devices.files.save")
    show_parser.add_argument(
        "--out", type=Path, help="figure, as PDF and PNG (figures/device_NAME)", metavar="FILE"
    )
    show_parser.add_argument("--seed", type=int, default=1, help="of the drawn devices (1)")

    fit_cli.add_command(commands)


def _list(arguments: argparse.Namespace) -> int:
    from devices.presets import preset, presets

    del arguments
    rows = []
    for name in presets():
        item = preset(name)
        device = item.device
        rows.append(
            (
                name,
                item.technology,
                _text(device.on_off_ratio),
                device.n_levels or "continuous",
                device.update.law,
                len(device.unknown),
                item.sources[0].doi or "-",
            )
        )
    headers = ("name", "technology", "on/off", "levels", "update", "unknown", "doi")
    print(format_table(headers, rows))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    name, device, item = _find(arguments.device)
    if arguments.seed < 0:
        raise InputError(f"seed={arguments.seed}: need at least 0")
    print(describe(device, item))

    from cosim import device_figures, figures

    out = arguments.out or Path("figures") / f"device_{name}"
    if out.suffix.lower() in (".pdf", ".png"):
        out = out.with_suffix("")
    with figures.style():
        fig = device_figures.draw(device, name, arguments.seed)
        try:
            saved = figures.save(fig, out, keywords=[name, f"seed {arguments.seed}"])
        except OSError as error:
            raise InputError(f"cannot write {out}: {error}") from None
    print("\nfigure:", *saved)
    return 0


def _find(name: str) -> "tuple[str, Memristor, Preset | None]":
    """Return name, device and, of a preset, where it comes from."""
    from devices import files
    from devices.presets import preset

    path = Path(name)
    try:
        if path.suffix == ".json":
            return path.stem, files.load(path), None
        return name, preset(name).device, preset(name)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        remedy = "" if path.suffix == ".json" else "; a device of your own is a .json file"
        raise InputError(f"{error}{remedy}") from None


def describe(device: "Memristor", item: "Preset | None" = None) -> str:
    """Return a text with the known parameters of a device, their units and sources.

    Parameters
    ----------
    device : Memristor
    item : Preset, optional
        Where its numbers come from.

    Returns
    -------
    str
        Several lines.
    """
    from devices.presets.provenance import set_fields

    lines = [f"{item.name}: {item.technology}", ""] if item else []
    rows = []
    for name in set_fields(device):
        origin = _origin(name, item)
        if name == "update":
            rows += [(f"update.{n}", *row, *origin) for n, row in _update_rows(device)]
        else:
            rows.append((name, _text(getattr(device, name)), _unit(name), *origin))
    headers = ("parameter", "value", "unit", *(("how", "source") if item else ()))
    lines.append(format_table(headers, rows))
    lines.append(f"\nnot reported: {', '.join(device.unknown) or 'nothing'}")
    for number, source in enumerate(item.sources if item else (), start=1):
        doi = f"doi:{source.doi}" if source.doi else "doi not confirmed"
        lines.append(f"[{number}] {source.citation}, {doi}; {source.figure}")
    if item and item.note:
        lines.append(f"note: {item.note}")
    return "\n".join(lines)


def _origin(name: str, item: "Preset | None") -> tuple[str, ...]:
    if item is None:
        return ()
    found = (
        (source.how, f"[{number}]")
        for number, source in enumerate(item.sources, start=1)
        if name in source.fields
    )
    return next(found)


def _update_rows(device: "Memristor") -> list[tuple[str, tuple[str, str]]]:
    return [
        (item.name, (_text(getattr(device.update, item.name)), ""))
        for item in dataclasses.fields(device.update)
        if getattr(device.update, item.name) != item.default
    ]


def _unit(name: str) -> str:
    for suffix, unit in _SUFFIXES.items():
        if name.endswith(suffix):
            return unit
    return _UNITS.get(name, "")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " ".join(_text(item) for item in value)
    if isinstance(value, float):
        return "inf" if math.isinf(value) else f"{value:.4g}"
    return str(value)
