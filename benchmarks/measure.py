"""What every contender shares: timing its phases and reporting them as one line of JSON."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

DURATION_MS = 37_870.0
"""Biological time of the training: 30 ms, then 86 presentations (0 ... 85) of 440 ms."""


class Phases:
    """CPU time of the named phases of one process.

    CPU time, not wall-clock time: it hardly depends on what else the machine does. It sums
    over the threads of the process and leaves out its children, such as compilers.
    """

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the body of the ``with`` statement as the phase `name`."""
        start = time.process_time()
        yield
        self.cpu_s[name] = time.process_time() - start

    def report(self, **facts: float) -> None:
        """Print the phases and the `facts` that show what was done, as the last line."""
        print(json.dumps({"cpu_s": self.cpu_s, "facts": facts}), flush=True)
