"""Running a PyNN network on a backend of cosim, phase by phase (see `brian2_run`)."""

import time

from measure import Phases


def run(sim, population, duration_ms: float, phases: Phases) -> float:
    """Run and return the wall-clock time (s) of the simulation itself.

    On Brian2 "generate" is the generation of code and loading it, in which cosim also makes
    Brian2's objects. In runtime mode it is over after one time step. A standalone simulation takes
    place in a child process when the first value is read; when its program is not in the cache,
    the compiler counts as "simulate".
    """
    start = time.perf_counter()
    name = sim.capabilities.name
    if name == "brian2_standalone":
        with phases("generate", children="simulate"):
            sim.run(duration_ms)
            population.get_spike_counts()
    elif name == "brian2":
        with phases("generate"):
            sim.run(sim.get_time_step())
        start = time.perf_counter()
        with phases("simulate"):
            sim.run_until(duration_ms)
    else:
        with phases("simulate"):
            sim.run(duration_ms)
    return time.perf_counter() - start
