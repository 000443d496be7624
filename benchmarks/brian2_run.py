"""Running a hand-written Brian2 network, in either of Brian2's modes, phase by phase."""

import argparse
import atexit
import shutil
import tempfile
import time

import brian2 as b2
from brian2 import ms
from brian2.devices.device import runtime_device
from measure import Phases


def arguments() -> argparse.Namespace:
    """Return the options that hand-written contenders share."""
    parser = argparse.ArgumentParser(description="A network in hand-written Brian2.")
    parser.add_argument("--standalone", action="store_true", help="C++ standalone mode")
    parser.add_argument("--threads", type=int, default=0, help="OpenMP threads, standalone only")
    return parser.parse_args()


def choose_mode(options: argparse.Namespace) -> None:
    """Set up Brian2, before the network is made; all other preferences are Brian2's own."""
    if options.standalone:
        b2.set_device("cpp_standalone", build_on_run=False)
        b2.prefs.devices.cpp_standalone.openmp_threads = options.threads
    else:
        b2.prefs.codegen.target = "cython"
    b2.defaultclock.dt = 0.1 * ms


def run(network: b2.Network, duration_ms: float, phases: Phases) -> float:
    """Run and return the wall-clock time (s) of the simulation itself.

    "generate" is the generation of code and, in runtime mode, loading it; "compile" (standalone)
    the compiler; "simulate" the simulation. In runtime mode Brian2 keeps what it has compiled, so
    that from the second run on nothing is compiled.
    """
    if b2.get_device() is runtime_device:
        return _run_here(network, duration_ms, phases)
    folder = tempfile.mkdtemp(prefix="benchmark-brian2-")  # the results stay there until read
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with phases("generate", children="compile"):
        network.run(duration_ms * ms)
        b2.device.build(directory=folder, compile=True, run=False)
    start = time.perf_counter()
    with phases("generate", children="simulate"):
        b2.device.run(directory=folder, with_output=False)
    return time.perf_counter() - start


def _run_here(network: b2.Network, duration_ms: float, phases: Phases) -> float:
    prepared: list[tuple[float, float]] = []

    def note(*_) -> None:  # called when all is ready to start, and at the end
        prepared.append((time.process_time(), time.perf_counter()))

    start = time.process_time()
    network.run(duration_ms * ms, report=note, report_period=1e9 * b2.second)
    phases.add("generate", prepared[0][0] - start)
    phases.add("simulate", prepared[-1][0] - prepared[0][0])
    return prepared[-1][1] - prepared[0][1]
