"""Run one point in a process of its own: ``python -m cosim.worker POINT_DIR``."""

import argparse
import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cosim.runner import run
from cosim.store import read_spec, write_record

_PROGRESS_INTERVAL_S = 0.2
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(argv: Sequence[str] | None = None) -> int:
    """Read ``spec.json``, run the point and write its record.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default that of the process.

    Returns
    -------
    int
        0 if the point is done, 1 if its record says failed.
    """
    parser = argparse.ArgumentParser(prog="cosim.worker", description=__doc__)
    parser.add_argument("point", type=Path, help="folder with spec.json")
    parser.add_argument("--cpus", help="cores to run on, such as 0,1")
    parser.add_argument("--progress-fd", type=int, help="pipe that takes the progress")
    arguments = parser.parse_args(argv)

    faulthandler.enable()
    if arguments.cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in arguments.cpus.split(",")})
    progress = None
    if arguments.progress_fd is not None:
        die_with_parent()
        progress = _pipe_progress(arguments.progress_fd)
    record = run(read_spec(arguments.point), progress)
    write_record(arguments.point, record)
    if record.traceback:
        print(record.traceback, file=sys.stderr)
    return 0 if record.status == "done" else 1


def die_with_parent() -> None:
    """Have the kernel kill this process with the thread that started it (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _pipe_progress(descriptor: int) -> Callable[[float], None]:
    """Return a callback that writes each fraction as one line.

    A broken pipe means that the parent is gone, before `die_with_parent` or where there is none
    such: the process ends, since nobody waits for its result and a restarted sweep runs the point
    again.
    """
    last = -float("inf")

    def progress(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _PROGRESS_INTERVAL_S:
            return
        last = now
        try:
            os.write(descriptor, f"{fraction:.4f}\n".encode())
        except BrokenPipeError:
            os._exit(1)

    progress(0.0)
    return progress


if __name__ == "__main__":
    sys.exit(main())
