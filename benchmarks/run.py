"""Run the benchmarks and rewrite the table in this folder's README.

    python benchmarks/run.py                            # all of them
    python benchmarks/run.py connect --repeats 5

Each contender is a fresh process on one core. The contenders take turns (A B C A B C ...), so
that a slow spell of the machine meets all of them. The table holds medians of CPU time.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from contextlib import suppress
from datetime import date
from importlib import metadata
from pathlib import Path
from statistics import median

from contenders import BENCHMARKS, Benchmark, Contender

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
README = HERE / "README.md"
BEGIN, END = "<!-- results: written by run.py -->", "<!-- end of results -->"
PACKAGES = ("cosim", "nest-simulator", "nestml", "PyNN", "numpy")


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the benchmarks, rewrite the README's table.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each contender (3)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(
            f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    if arguments.repeats < 1:
        parser.error(f"--repeats {arguments.repeats}: need at least 1")

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in arguments.names or BENCHMARKS:
        results[name] = measure(BENCHMARKS[name], arguments.repeats)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        write_table(results)
    print(render(results))


def measure(benchmark: Benchmark, repeats: int) -> dict:
    """Run every contender `repeats` times, in turns; return all that the table needs."""
    runs: dict[str, list[dict]] = {contender.label: [] for contender in benchmark.contenders}
    for i in range(repeats):
        for contender in benchmark.contenders:
            print(f"run {i + 1} of {repeats}: {contender.label}", file=sys.stderr, flush=True)
            runs[contender.label].append(run_once(contender))
    return {
        "command": shlex.join(["python", "benchmarks/run.py", *sys.argv[1:]]),
        "machine": machine(),
        "runs": runs,
    }


def run_once(contender: Contender) -> dict:
    """Run one contender in a fresh process on one core; return the line it reports."""
    script, *arguments = contender.command
    process = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=pin if hasattr(os, "sched_setaffinity") else None,
        env=os.environ | {"PYTHONPATH": str(HERE.parent)},
    )
    lines = process.stdout.strip().splitlines()
    if process.returncode != 0:
        sys.exit("\n".join([*lines[-20:], f"{contender.label}: {script} failed, nothing written"]))
    return json.loads(next(line for line in reversed(lines) if line.startswith('{"cpu_s"')))


def pin() -> None:
    """Keep this process on the last of the cores it may use."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def machine() -> dict:
    """Where and with what the numbers were taken."""
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return {
        "date": date.today().isoformat(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "versions": versions,
    }


def cpu_model() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write_table(results: dict) -> None:
    """Replace what stands between the markers of the README."""
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n{render(results)}\n{END}{after}")


def render(results: dict) -> str:
    """Tables of all `results`, as Markdown."""
    sections = [section(BENCHMARKS[name], results[name]) for name in BENCHMARKS if name in results]
    return "\n".join(sections)


def section(benchmark: Benchmark, result: dict) -> str:
    """One benchmark's table: medians, their spread and how much faster the first line is."""
    runs, where = result["runs"], result["machine"]
    first, *_ = runs
    head, rule = "| contender |", "|---|"
    for quantity in benchmark.compared:
        head += f" {quantity} (CPU s) | range | {first.partition(',')[0]} is |"
        rule += "---:|---:|---:|"
    for phase in benchmark.details:
        head += f" {phase} |"
        rule += "---:|"
    rows = []
    for label, reports in runs.items():
        row = f"| {label} |"
        for phases in benchmark.compared.values():
            times = [cpu_s(report, phases) for report in reports]
            row += f" {median(times):.2f} | {min(times):.2f}-{max(times):.2f} |"
            if label == first:
                row += " |"
            else:
                reference = median(cpu_s(report, phases) for report in runs[first])
                row += f" {compare(median(times), reference)} |"
        for phase in benchmark.details:
            times = [report["cpu_s"][phase] for report in reports if phase in report["cpu_s"]]
            row += f" {median(times):.2f} |" if times else " |"
        rows.append(row)
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    source = (
        f"`{result['command']}`, {where['date']}; median of {len(reports)}; {where['cpu']}, "
        f"{where['cores']} cores, load {where['load']} at the end; {versions}."
    )
    return "\n".join([f"**{benchmark.title}**", "", head, rule, *rows, "", source, ""])


def compare(time: float, reference: float) -> str:
    """How much faster or slower the reference is."""
    if time >= reference:
        return f"{time / reference:.1f} times faster"
    return f"{reference / time:.1f} times slower"


def cpu_s(report: dict, phases: tuple[str, ...]) -> float:
    """CPU time of the `phases` of one run; of all phases if none are named."""
    return sum(report["cpu_s"][phase] for phase in phases or report["cpu_s"])


if __name__ == "__main__":
    main()
