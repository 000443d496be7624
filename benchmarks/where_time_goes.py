"""Where the run phase of cosim's sequence learning spends its CPU time, by perf's samples.

Samples the process of `sequence_learning_cosim` from after building to the end of the run and
prints a table in Markdown, which the README of this folder quotes. Needs Linux's ``perf`` and the
permission to use it (``kernel.perf_event_paranoid`` of 2 or less).

    python benchmarks/where_time_goes.py
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from measure import DURATION_MS
from sequence_learning_cosim import prepare

GROUPS = {
    "NEST: loop over the neurons, spike exchange, devices": r"nestkernel_api\S*;",
    "our synapse": r"cosim_module\.so;.*memristive_synapse",
    "our neuron": r"cosim_module\.so;.*iaf_psc_exp_dAP",
    "exponentials, for both": r"libm[.-]\S*;",
    "OpenMP barriers, system calls": r"(libgomp\S*|\[kernel\S*|\[vdso\]);",
}
"""Patterns of ``shared object;symbol``; the first that matches counts."""
REST = "rest"


def main() -> None:
    if shutil.which("perf") is None:
        sys.exit("where_time_goes: perf is not installed (Debian/Ubuntu: linux-perf)")
    sim, _, _ = prepare()
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "perf.data")
        record = ["perf", "record", "--freq", "5000", "--output", data, "--pid", str(os.getpid())]
        perf = subprocess.Popen(record, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.0)  # until it samples
        sim.run(DURATION_MS)
        perf.send_signal(signal.SIGINT)
        perf.wait()
        report = subprocess.run(
            ["perf", "report", "--input", data, "--stdio", "--field-separator", ";"]
            + ["--fields", "overhead,dso,symbol"],
            capture_output=True,
            text=True,
        )
    rows = [line for line in report.stdout.splitlines() if line and not line.startswith("#")]
    if not rows:
        sys.exit(f"where_time_goes: perf recorded nothing\n{report.stderr}")
    print_table(rows)


def print_table(rows: list[str]) -> None:
    """Print the share of each group of the `rows`, ``overhead;shared object;symbol``."""
    shares: Counter[str] = Counter()
    for row in rows:
        overhead, where = row.split(";", 1)
        shares[group(where.replace(" ", ""))] += float(overhead.strip(" %"))
    print("| part | share |\n|---|---:|")
    for name in (*GROUPS, REST):
        print(f"| {name} | {shares[name]:.0f} % |")


def group(where: str) -> str:
    """Name of the group that ``shared object;symbol`` belongs to."""
    for name, pattern in GROUPS.items():
        if re.match(pattern, where):
            return name
    return REST


if __name__ == "__main__":
    main()
