"""The command ``cosim device fit``."""

import argparse
import re
from pathlib import Path

from cosim.errors import InputError

SUMMARY = "Fit a device to measured pulse trains."


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of ``cosim device``.

    Parameters
    ----------
    commands : result of `argparse.ArgumentParser.add_subparsers`
    """
    parser = commands.add_parser("fit", help=SUMMARY, description=SUMMARY)
    parser.set_defaults(command=fit_device)
    parser.add_argument("file", type=Path, help="CSV file, see docs/your_device.md")
    parser.add_argument("--out", type=Path, help="folder (fitted_devices/NAME)", metavar="DIR")
    parser.add_argument("--name", help="of the device (name of the file)")


def fit_device(arguments: argparse.Namespace) -> int:
    """Fit a device and write it with its report and figure.

    Parameters
    ----------
    arguments : argparse.Namespace
        ``file``, ``out`` and ``name``.

    Returns
    -------
    int
        Exit code, 0.

    Raises
    ------
    InputError
        If the file cannot be read or fitted, or the folder not be written to.
    """
    name = arguments.name or arguments.file.stem
    if not re.fullmatch(r"[\w.-]+", name):
        raise InputError(f"--name {name!r}: need letters, digits, '_', '-' and '.' only")
    # Only here: they take seconds to import.
    from cosim import figures, fit_figure
    from devices import files
    from devices.fitting import fit
    from devices.measurements import read_pulses

    try:
        pulses = read_pulses(arguments.file)
        out = arguments.out or Path("fitted_devices") / name
        out.mkdir(parents=True, exist_ok=True)
        fitted = fit(pulses)
        report = fitted.report()
        print(report)
        files.save(fitted.device, out / "device.json")
        (out / "fit.txt").write_text(report, encoding="utf-8")
        with figures.style():
            figures.save(fit_figure.draw(fitted), out / "fit", keywords=[name])
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(str(error)) from None
    print(f"{out}: device.json, fit.txt, fit.pdf, fit.png")
    return 0
