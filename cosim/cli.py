"""The command ``cosim``."""

import argparse
import ast
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from cosim import device_cli, registry
from cosim.backends import available_backends, backend
from cosim.errors import InputError
from cosim.options import parse_assignment
from cosim.progress import progress_report
from cosim.runner import run
from cosim.spec import RunSpec
from cosim.store import Store, ensure_writable, write_record, write_spec
from cosim.study import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, add_options, run_study
from cosim.sweep import Sweep
from cosim.text_table import format_table

_STUDIES = Path("studies")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; by default those of the process.

    Returns
    -------
    int
        Exit code: 0, 1 if a point failed, 2 for invalid input, 130 if interrupted.
    """
    # The banner of NEST would precede every table.
    os.environ.setdefault("PYNEST_QUIET", "1")
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["doctor"]:
        from cosim import doctor

        return doctor.main(argv[1:])
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cosim",
        description="Networks described once in PyNN, run on simulators, swept and drawn.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, function: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    run_parser = command("run", _run, "Run one point and print its metrics.")
    run_parser.add_argument("model", help="name from 'cosim list' or a module path")
    run_parser.add_argument("--backend", default="nest")
    run_parser.add_argument(
        "--set",
        type=parse_assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter by its dotted name, such as device.on_off_ratio=10",
    )
    run_parser.add_argument("--seed", type=int, default=1)
    run_parser.add_argument("--threads", type=int, default=1)
    run_parser.add_argument("--out", type=Path, help="folder for the record and the arrays")

    sweep_parser = command("sweep", _sweep, "Run a study; run it again to resume.")
    sweep_parser.add_argument("study", help="Python file, or its name in ./studies")
    add_options(sweep_parser)

    status_parser = command("status", _status, "Count the points of every study.")
    status_parser.add_argument("results", type=Path, nargs="?", default=Path("results"))

    command("list", _list, "List the models, backends and studies.")
    device_cli.add_commands(
        commands.add_parser("device", help=device_cli.SUMMARY, description=device_cli.SUMMARY)
    )
    # Handled before parsing, since its options are its own; named here for the help.
    commands.add_parser("doctor", help="Check the installation.")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    spec = RunSpec(
        arguments.model,
        arguments.backend,
        dict(arguments.set),
        arguments.seed,
        arguments.threads,
    )
    if arguments.out is not None:
        ensure_writable(arguments.out, "output")
    with progress_report(1, enabled=sys.stderr.isatty()) as report:
        record = run(spec, lambda fraction: report(0, 0, [fraction]))
    if arguments.out is not None:
        write_spec(arguments.out, spec)
        write_record(arguments.out, record)
    if record.traceback is not None:
        print(record.traceback, file=sys.stderr)
    print(format_table(("metric", "value"), [(n, f"{v:.6g}") for n, v in record.metrics.items()]))
    return 0 if record.status == "done" else EXIT_FAILED


def _sweep(arguments: argparse.Namespace) -> int:
    study = _load_study(arguments.study)
    figure, analysis = (getattr(study, name, None) for name in ("figure", "analysis"))
    return run_study(study.sweep, figure, arguments, analysis)


def _load_study(name: str) -> ModuleType:
    path = Path(name)
    if path.suffix != ".py":
        path = _STUDIES / f"{name}.py"
    if not path.is_file():
        known = ", ".join(file.stem for file in _study_files()) or "none"
        raise InputError(f"no study {path}: ./{_STUDIES} has {known}")
    spec = importlib.util.spec_from_file_location(f"study_{path.stem}", path)
    assert spec is not None and spec.loader is not None  # A .py file has a loader.
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    if not isinstance(getattr(study, "sweep", None), Sweep):
        raise InputError(f"{path} is not a study: it defines no 'sweep' that is a cosim.Sweep")
    return study


def _study_files() -> list[Path]:
    return sorted(path for path in _STUDIES.glob("*.py") if not path.name.startswith("_"))


def _status(arguments: argparse.Namespace) -> int:
    found = sorted(path.parent for path in arguments.results.glob("*/sweep.json"))
    if not found:
        raise InputError(f"no studies in the results folder {arguments.results}")
    rows, errors = [], []
    for folder in found:
        store = Store(arguments.results, folder.name)
        points = store.read_sweep()["points"]
        records = [store.record(identifier) for identifier in points]
        states = [record.status if record else "pending" for record in records]
        rows.append((folder.name, *(states.count(s) for s in ("done", "failed", "pending"))))
        errors += [
            f"{store.point(record.spec.id)}: {record.error}"
            for record in records
            if record and record.status == "failed"
        ]
    print(format_table(("study", "done", "failed", "pending"), rows))
    if errors:
        print("\nfailed:", *errors, sep="\n  ")
    return EXIT_FAILED if errors else 0


def _list(arguments: argparse.Namespace) -> int:
    del arguments
    models = [(name, _model_summary(name)) for name in registry.registered(registry.MODELS)]
    backends = [(name, _backend_state(name)) for name in available_backends()]
    studies = [
        (path.stem, _first_line(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))))
        for path in _study_files()
    ]
    for title, rows in (("model", models), ("backend", backends), ("study", studies)):
        print(format_table((title, ""), rows), end="\n\n")
    return 0


def _model_summary(name: str) -> str:
    try:
        return _first_line(registry.load_model(name).__doc__)
    except InputError as error:
        return str(error)


def _backend_state(name: str) -> str:
    try:
        backend(name)
    except InputError as error:
        return str(error)
    return "usable"


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
