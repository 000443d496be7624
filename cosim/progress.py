"""Progress of a sweep on the standard error stream."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

# Arguments: points done, points failed, completed fractions of the running points.
Report = Callable[[int, int, Sequence[float]], None]

_LINE_INTERVAL_S = 10.0


@contextmanager
def progress_report(total: int, *, enabled: bool) -> Iterator[Report]:
    """Show progress while the context lasts: a bar on a terminal, else a line now and then.

    Parameters
    ----------
    total : int
        Number of points to run.
    enabled : bool
        Whether to show anything.

    Yields
    ------
    callable
        Takes the points done, the points failed and the fractions of those that run.
    """
    if not enabled or total == 0:
        yield lambda done, failed, running: None
    elif sys.stderr.isatty():
        with _bar(total) as report:
            yield report
    else:
        yield _lines(total)


@contextmanager
def _bar(total: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(_counts(0, 0, 0, total), total=total)

        def report(done: int, failed: int, running: Sequence[float]) -> None:
            bar.update(
                task,
                completed=done + failed + sum(running),
                description=_counts(done, failed, len(running), total),
            )

        yield report


def _lines(total: int) -> Report:
    start = last = time.monotonic()
    finished = 0

    def report(done: int, failed: int, running: Sequence[float]) -> None:
        nonlocal last, finished
        now = time.monotonic()
        complete = done + failed == total
        if done + failed > finished and (complete or now - last >= _LINE_INTERVAL_S):
            last, finished = now, done + failed
            counts = _counts(done, failed, len(running), total)
            print(f"{counts}, {now - start:.0f} s", file=sys.stderr, flush=True)

    return report


def _counts(done: int, failed: int, running: int, total: int) -> str:
    failures = f", {failed} failed" if failed else ""
    return f"{done + failed}/{total} points{failures}, {running} running"
