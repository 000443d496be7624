"""Run points on this machine, each in a fresh process.

A fresh process per point because a simulator keeps its kernel for the life of its process, hangs
in a fork of a used one, and takes its process along when it aborts. The processes are forks of a
server that has only imported, see `cosim.fork_server`.
"""

import math
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from cosim.fork_server import Fork, ForkServer
from cosim.parameters import flatten
from cosim.progress import progress_report
from cosim.provenance import provenance
from cosim.record import RunRecord
from cosim.registry import load_model, model_folder
from cosim.spec import RunSpec, resolve
from cosim.store import Store, log_tail, write_record, write_spec

_POLL_S = 0.05
_TERMINATE_S = 5.0


@dataclass
class _Job:
    """A running point."""

    spec: RunSpec
    folder: Path
    process: Fork
    slot: int
    pipe: int
    started: datetime
    fraction: float = 0.0


class _Servers:
    """The fork servers of a sweep, started when first needed, ended with the context.

    Parameters
    ----------
    threads : int
        Threads of each point.
    """

    def __init__(self, threads: int) -> None:
        self._environment = _environment(threads)
        self._servers: dict[tuple[str, str], ForkServer] = {}

    def get(self, spec: RunSpec, log: IO[bytes]) -> ForkServer:
        """Return the server of a point; `log` takes what it prints if it is started now."""
        key = spec.model, spec.backend
        server = self._servers.get(key)
        if server is not None and server.is_alive:
            return server
        if server is not None:
            server.close()
        self._servers[key] = ForkServer(*key, self._environment, log)
        return self._servers[key]

    def __enter__(self) -> "_Servers":
        return self

    def __exit__(self, *error: object) -> None:
        for server in self._servers.values():
            server.close()


def available_cpus() -> list[int]:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def default_jobs(threads: int) -> int:
    """Return how many points of `threads` threads fit on the available cores, at least one."""
    return max(1, len(available_cpus()) // threads)


def execute(
    store: Store, specs: Sequence[RunSpec], *, jobs: int, threads: int, progress: bool
) -> None:
    """Run every point to a record; a point that fails or dies leaves the others unharmed.

    Parameters
    ----------
    store : Store
        Where the records go.
    specs : sequence of RunSpec
        Points to run, in this order.
    jobs : int
        Points that run at the same time.
    threads : int
        Threads of each.
    progress : bool
        Whether to report progress on the standard error stream.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, after the running points were stopped; finished ones keep their records.
    """
    slots = _cpu_slots(jobs, threads)
    waiting = deque(specs)
    free = deque(range(jobs))
    running: list[_Job] = []
    done = failed = 0
    with _Servers(threads) as servers, progress_report(len(specs), enabled=progress) as report:
        # One thread starts all processes: the kernel ties each to the thread that started it.
        try:
            while waiting or running:
                while waiting and free:
                    slot = free.popleft()
                    running.append(_start(store, servers, waiting.popleft(), slot, slots[slot]))
                time.sleep(_POLL_S)
                for job in list(running):
                    _read_progress(job)
                    if job.process.poll() is None:
                        continue
                    running.remove(job)
                    free.append(job.slot)
                    if _finish(store, job).status == "done":
                        done += 1
                    else:
                        failed += 1
                report(done, failed, [job.fraction for job in running])
        finally:
            _stop(running)


def _cpu_slots(jobs: int, threads: int) -> list[tuple[int, ...]]:
    """Return the cores of each slot; none if the jobs do not fill the machine exactly.

    With cores to spare, the operating system places the processes better than a fixed choice,
    which a second sweep on the same machine would make too.
    """
    cpus = available_cpus()
    if not hasattr(os, "sched_setaffinity") or jobs != len(cpus) // threads:
        return [()] * jobs
    return [tuple(cpus[slot * threads : (slot + 1) * threads]) for slot in range(jobs)]


def _start(
    store: Store, servers: _Servers, spec: RunSpec, slot: int, cpus: tuple[int, ...]
) -> _Job:
    folder = store.point(spec.id)
    folder.mkdir(exist_ok=True)
    # An earlier failure must not be taken for the result of this run.
    for name in ("record.json", "arrays.npz"):
        (folder / name).unlink(missing_ok=True)
    write_spec(folder, spec)
    arguments = [os.path.abspath(folder)]
    if cpus:
        arguments.append(f"--cpus={','.join(map(str, cpus))}")
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    started = datetime.now(UTC)
    try:
        with open(folder / "log.txt", "wb") as log:
            process = servers.get(spec, log).fork(arguments, writer, log.fileno())
    finally:
        os.close(writer)
    return _Job(spec, folder, process, slot, reader, started)


def _environment(threads: int) -> dict[str, str]:
    module_path = [os.path.abspath(entry or ".") for entry in sys.path]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(module_path),
        # What a process printed before it aborted must be in its log.
        "PYTHONUNBUFFERED": "1",
        "PYNEST_QUIET": "1",
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "passive",
        "OPENBLAS_NUM_THREADS": "1",
        # The allocator of pyarrow, which NEST imports: a server with a thread should not fork.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }


def _read_progress(job: _Job) -> None:
    try:
        lines = os.read(job.pipe, 4096).split()
    except BlockingIOError:
        return
    if lines:
        job.fraction = min(max(float(lines[-1]), 0.0), 1.0)


def _finish(store: Store, job: _Job) -> RunRecord:
    """Return the record of an ended process; write one if it ended without."""
    os.close(job.pipe)
    record = store.record(job.spec.id)
    if record is None:
        record = _record_of_the_dead(job)
        write_record(job.folder, record)
    return record


def _record_of_the_dead(job: _Job) -> RunRecord:
    tail = log_tail(job.folder)
    returncode = job.process.poll()
    assert returncode is not None
    return RunRecord(
        spec=job.spec,
        parameters=flatten(resolve(job.spec)),
        status="failed",
        metrics={},
        error=_cause_of_death(returncode, tail),
        traceback=f"Last lines of log.txt:\n{tail}",
        provenance=provenance(model_folder(load_model(job.spec.model))),
        started=job.started.isoformat(timespec="seconds"),
        wall_s=(datetime.now(UTC) - job.started).total_seconds(),
        cpu_s=math.nan,
        peak_rss_mb=math.nan,
    )


def _cause_of_death(returncode: int, tail: str) -> str:
    if returncode < 0:
        name = signal.Signals(-returncode).name
        return f"process killed by {name}" + " (out of memory?)" * (name == "SIGKILL")
    last_line = tail.splitlines()[-1] if tail else "nothing in its log"
    return f"process ended with code {returncode} and no record: {last_line}"


def _stop(jobs: Sequence[_Job]) -> None:
    """End the running points, with the processes they started (compilers)."""
    for number, patience in ((signal.SIGTERM, _TERMINATE_S), (signal.SIGKILL, math.inf)):
        deadline = time.monotonic() + patience
        remaining = [job for job in jobs if job.process.poll() is None]
        for job in remaining:
            _signal_group(job, number)
        while time.monotonic() < deadline and any(job.process.poll() is None for job in remaining):
            time.sleep(_POLL_S)
    for job in jobs:
        os.close(job.pipe)


def _signal_group(job: _Job, number: signal.Signals) -> None:
    assert job.process.pid is not None  # It has been started, since it runs.
    try:
        os.killpg(job.process.pid, number)
    except ProcessLookupError:
        pass  # It is about to lead a group.
