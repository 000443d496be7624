"""Run the points of a sweep and collect their results."""

import os
import sys
from typing import TYPE_CHECKING

from cosim import executor, jsonable, table
from cosim.errors import InputError
from cosim.parameters import flatten
from cosim.record import RunRecord
from cosim.spec import RunSpec, resolve
from cosim.store import Store
from cosim.sweep import Sweep

if TYPE_CHECKING:
    import pandas


def run_sweep(
    sweep: Sweep,
    results: str | os.PathLike[str] = "results",
    jobs: int | None = None,
    retry_failed: bool = False,
    progress: bool = True,
) -> "pandas.DataFrame":
    """Run the points of a sweep that are not done yet and return the table of all of them.

    Parameters
    ----------
    sweep : Sweep
        What to run.
    results : path-like, optional
        Folder that holds all studies.
    jobs : int, optional
        Points that run at the same time; by default the available cores divided by the threads
        of a point.
    retry_failed : bool, optional
        Run failed points again instead of keeping their records.
    progress : bool, optional
        Report progress and failures on the standard error stream.

    Returns
    -------
    pandas.DataFrame
        One row per point, see `cosim.table.build`; also written to ``results.parquet`` and
        ``results.csv`` in the folder of the study.

    Raises
    ------
    InputError
        Before anything runs, if any point is invalid, the folder cannot be written, or another
        process runs the same study.
    """
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs={jobs}: need at least 1")
    sweep.validate()
    store = Store(results, sweep.name)
    store.prepare()
    with store.lock():
        store.write_sweep(sweep.describe())
        pending = _unfinished(sweep, store, retry_failed)
        if progress and len(pending) < len(sweep.points()):
            print(
                f"{sweep.name}: {len(sweep.points()) - len(pending)} of {len(sweep.points())} "
                "points have a record already",
                file=sys.stderr,
            )
        executor.execute(
            store,
            pending,
            jobs=jobs or executor.default_jobs(sweep.threads),
            threads=sweep.threads,
            progress=progress,
        )
        records = [valid_record(store, spec) for spec in sweep.points()]
        frame = table.build(sweep, records)
        table.write(frame, sweep, records, store.folder)
    if progress:
        _print_failures(frame, store)
    return frame


def valid_record(store: Store, spec: RunSpec) -> RunRecord | None:
    """Return the record of a point, unless the model's defaults have changed since."""
    record = store.record(spec.id)
    if record is None:
        return None
    now, then = (jsonable.dumps(p) for p in (flatten(resolve(spec)), record.parameters))
    return record if now == then else None


def _unfinished(sweep: Sweep, store: Store, retry_failed: bool) -> list[RunSpec]:
    pending = []
    for spec in sweep.points():
        record = valid_record(store, spec)
        if record is None or (retry_failed and record.status == "failed"):
            pending.append(spec)
    return pending


def _print_failures(frame: "pandas.DataFrame", store: Store) -> None:
    failures = frame[frame["status"] == "failed"]
    if failures.empty:
        return
    print(f"{len(failures)} of {len(frame)} points failed:", file=sys.stderr)
    for identifier, error in zip(failures["point"], failures["error"], strict=True):
        print(f"  {store.point(identifier)}: {error}", file=sys.stderr)
    print("To run them again, add --retry-failed (retry_failed=True).", file=sys.stderr)
