"""What every contender shares: timing its phases and reporting them as one line of JSON."""

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

DURATION_MS = 37_870.0
"""Biological time of the training: 30 ms, then 86 presentations (0 ... 85) of 440 ms."""


class Phases:
    """CPU time of the named phases of one process.

    CPU time, not wall-clock time: it hardly depends on what else the machine does. It sums
    over the threads of the process and leaves out its children, such as compilers, unless a phase
    is given for them.
    """

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str, children: str | None = None) -> Iterator[None]:
        """Time the body of the ``with`` statement as the phase `name`, child processes as theirs.

        Brian2's standalone mode simulates in a child process.
        """
        start, start_children = time.process_time(), children_cpu_s()
        yield
        self.add(name, time.process_time() - start)
        if children is not None:
            self.add(children, children_cpu_s() - start_children)

    def add(self, name: str, cpu_s: float) -> None:
        """Add to the time of a phase."""
        self.cpu_s[name] = self.cpu_s.get(name, 0.0) + cpu_s

    def report(self, **facts: float) -> None:
        """Print the phases and the `facts` that show what was done, as the last line."""
        print(json.dumps({"cpu_s": self.cpu_s, "facts": facts}), flush=True)


def children_cpu_s() -> float:
    """CPU time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
