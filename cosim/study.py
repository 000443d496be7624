"""Run a study from the command line: its sweep, its table and its figure."""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cosim import table
from cosim.errors import InputError
from cosim.options import parse_assignment, parse_axis, parse_names, parse_seeds
from cosim.provenance import git_state
from cosim.registry import load_model, model_folder
from cosim.store import Store, ensure_writable, write_atomic
from cosim.sweep import Sweep
from cosim.sweep_runner import run_sweep, valid_record

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas

    from cosim.record import RunRecord

    Figure = Callable[[pandas.DataFrame], matplotlib.figure.Figure]
    Analysis = Callable[[pandas.DataFrame, Mapping[str, RunRecord]], pandas.DataFrame]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells do


def main(
    sweep: Sweep,
    figure: "Figure | None" = None,
    argv: Sequence[str] | None = None,
    analysis: "Analysis | None" = None,
) -> None:
    """Run a study as a command-line program; the last line of a study script.

    Parameters
    ----------
    sweep : Sweep
        What to run.
    figure : callable, optional
        Takes the table of the points that are done, returns a matplotlib Figure.
    argv : sequence of str, optional
        Command line; by default that of the process.
    analysis : callable, optional
        For a figure that needs more than metrics, such as arrays: takes the table of the points
        that are done and their records by point id, returns the table that the figure draws.

    Raises
    ------
    SystemExit
        With code 1 if a point failed, 2 for invalid input, 130 if interrupted.
    """
    parser = argparse.ArgumentParser(description=f"Run the study {sweep.name}.")
    add_options(parser)
    code = run_study(sweep, figure, parser.parse_args(argv), analysis)
    if code:
        sys.exit(code)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a study to a parser."""
    add = parser.add_argument
    add("--results", type=Path, default=Path("results"), help="folder of all studies (results)")
    add("--jobs", type=int, help="points at the same time (cores / threads)")
    add("--seeds", type=parse_seeds, help="seeds instead of the study's: 1-3 or 1,2,5")
    add("--backends", type=parse_names, help="backends instead of the study's: nest,brian2")
    add(
        "--axis",
        type=parse_axis,
        action="append",
        default=[],
        metavar="NAME=V1,V2",
        help="values instead of those of an axis",
    )
    add(
        "--set",
        type=parse_assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one value of a parameter at every point",
    )
    add("--retry-failed", action="store_true", help="run failed points again")
    add("--dry-run", action="store_true", help="list the points and stop")
    add("--figures", type=Path, default=Path("figures"), help="folder of the figures (figures)")


def run_study(
    sweep: Sweep,
    figure: "Figure | None",
    arguments: argparse.Namespace,
    analysis: "Analysis | None" = None,
) -> int:
    """Run a study with parsed options.

    Parameters
    ----------
    sweep : Sweep
        The study as written.
    figure : callable or None
        See `main`.
    arguments : argparse.Namespace
        From a parser with `add_options`.
    analysis : callable, optional
        See `main`.

    Returns
    -------
    int
        Exit code: 0, 1 if a point failed, 2 for invalid input, 130 if interrupted.
    """
    try:
        sweep = _with_options(sweep, arguments)
        if arguments.dry_run:
            _print_points(sweep, Store(arguments.results, sweep.name))
            return 0
        if figure is not None:
            ensure_writable(arguments.figures, "figures")
        frame = run_sweep(sweep, arguments.results, arguments.jobs, arguments.retry_failed)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print(
            f"\ninterrupted: finished points are kept in {arguments.results / sweep.name}; "
            "the same command resumes",
            file=sys.stderr,
        )
        return EXIT_INTERRUPTED
    print(arguments.results / sweep.name / "results.parquet")
    done = frame[frame["status"] == "done"]
    if figure is not None and not done.empty:
        drawn = (
            done if analysis is None else analysis(done, _records(sweep, arguments.results, done))
        )
        for path in _save_figure(sweep, figure, drawn, arguments.figures):
            print(path)
    return 0 if len(done) == len(frame) else EXIT_FAILED


def _with_options(sweep: Sweep, arguments: argparse.Namespace) -> Sweep:
    for name, _ in arguments.axis:
        if name not in sweep.axes:
            raise InputError(
                f"--axis {name}: the axes of the study are {', '.join(sweep.axes) or 'none'}; "
                "for one fixed value use --set"
            )
    return dataclasses.replace(
        sweep,
        axes={**sweep.axes, **dict(arguments.axis)},
        base={**sweep.base, **dict(arguments.set)},
        seeds=arguments.seeds or sweep.seeds,
        backends=arguments.backends or sweep.backends,
    )


def _print_points(sweep: Sweep, store: Store) -> None:
    sweep.validate()
    records = [valid_record(store, spec) for spec in sweep.points()]
    frame = table.build(sweep, records)
    columns = ["point", "backend", *frame.columns.intersection(["variant"]), *sweep.swept]
    print(frame[[*columns, "seed", "threads", "status"]].to_string(index=False))
    counts = frame["status"].value_counts()
    print(f"{len(frame)} points:", ", ".join(f"{n} {status}" for status, n in counts.items()))


def _records(sweep: Sweep, results: Path, done: "pandas.DataFrame") -> "dict[str, RunRecord]":
    store = Store(results, sweep.name)
    found = {point: store.record(point) for point in done["point"]}
    return {point: record for point, record in found.items() if record is not None}


def _save_figure(
    sweep: Sweep, figure: "Figure", drawn: "pandas.DataFrame", folder: Path
) -> list[Path]:
    from cosim import figures

    with figures.style():
        paths = figures.save(figure(drawn), folder / sweep.name, _keywords(sweep))
    data = folder / f"{sweep.name}.csv"
    write_atomic(data, drawn.to_csv(index=False).encode())
    return [*paths, data]


def _keywords(sweep: Sweep) -> list[str]:
    """Return what ties a figure to its data: the study and the commit."""
    git = git_state(model_folder(load_model(sweep.model)))
    if git is None or git["sha"] is None:
        return [f"study {sweep.name}"]
    return [f"study {sweep.name}", f"git {git['sha']}" + "-dirty" * git["dirty"]]
