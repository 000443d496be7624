"""The BrainScaleS-2 engine against plain numpy and, for ideal circuits, against pyNN.nest.

A whole chip for 1 ms of hardware time, 1 s of biological time: 512 neurons with 256 synapses each,
half of them from 128 external sources with 200 events each, half from other neurons. Time step
0.1 us.

- "emulated": circuits that differ, with saturating leak and synaptic inputs and a reset that takes
  time. numpy solves the same equations in the usual way: Euler's method on a fixed grid, events and
  spikes at the ends of steps, dense weights; once with the same time step and once with steps of
  8 ns, with which its spikes are on the chip's grid, as the engine's are.
- "ideal": linear circuits, which both the engine and NEST's ``iaf_psc_exp`` solve exactly. NEST
  has the shortest delay that its time step allows. Building is left out.

Each contender runs in turn, in this process, on one core; times are CPU times. The spikes printed
show that all did the same work.

    python benchmarks/brainscales2_engine.py [--repeats N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine import Engine, Synapses

N, N_INPUTS, N_EVENTS, DURATION_US, DT_US = 512, 128, 200, 1000.0, 0.1
TICK_US = 0.008
RECURRENT = 128
"""Recurrent synapses of each neuron."""
TAU_US = 6.0


def network() -> tuple[Synapses, np.ndarray, np.ndarray]:
    """Synapses, and times and sources of the external events."""
    rng = np.random.default_rng(1)
    source = np.concatenate(
        [np.repeat(np.arange(N_INPUTS), N)]
        + [N_INPUTS + rng.choice(N, RECURRENT, replace=False) for _ in range(N)]
    )
    target = np.concatenate([np.tile(np.arange(N), N_INPUTS), np.repeat(np.arange(N), RECURRENT)])
    external = source < N_INPUTS
    inhibitory = source % 4 == 0
    largest = np.where(inhibitory, 63, 24)
    weight = np.where(external, rng.integers(0, largest + 1), rng.integers(0, largest + 1) // 2)
    synapses = Synapses(
        n_inputs=N_INPUTS, source=source, target=target, weight=weight, inhibitory=inhibitory
    )
    times = TICK_US * np.concatenate(
        [rng.choice(int(DURATION_US / TICK_US), N_EVENTS, replace=False) for _ in range(N_INPUTS)]
    )
    return synapses, times, np.repeat(np.arange(N_INPUTS), N_EVENTS)


def circuits(ideal: bool) -> Circuits:
    """Circuits of the size and spread of a calibrated chip."""
    rng = np.random.default_rng(2)

    def spread(mean: float, cv: float) -> np.ndarray:
        return mean * (1.0 + cv * rng.standard_normal(N))

    parameters = {
        "leak_rate": 1.0 / spread(TAU_US, 0.05),
        "syn_rate_exc": 1.0 / spread(TAU_US, 0.04),
        "syn_rate_inh": 1.0 / spread(TAU_US, 0.04),
        "gain_exc": spread(0.02, 0.05),
        "gain_inh": spread(0.02, 0.05),
        "threshold": spread(120.0, 0.02),
    }
    if not ideal:
        parameters |= {
            "leak_saturation": np.full(N, 60.0),
            "saturation_exc": np.full(N, 60.0),
            "saturation_inh": np.full(N, 60.0),
            "reset_rate": np.full(N, 2.0),
        }
    return Circuits.ideal(N, **parameters)


def engine_run(ideal: bool) -> Callable[[], tuple[float, int]]:
    """Return a function that runs the engine: CPU time and number of spikes."""
    synapses, times, sources = network()
    engine = Engine(circuits(ideal), synapses, dt_us=DT_US, seed=1)
    start = engine.save()

    def run() -> tuple[float, int]:
        engine.restore(start)
        begin = time.process_time()
        activity = engine.advance(DURATION_US, times, sources)
        return time.process_time() - begin, activity.spike_times_us.size

    return run


def numpy_run(dt_us: float) -> tuple[float, int]:
    """Run the emulated network in plain numpy."""
    synapses, times, sources = network()
    c = circuits(ideal=False)
    gain = np.where(synapses.inhibitory, c.gain_inh[synapses.target], c.gain_exc[synapses.target])
    # Rows: what an event of a source adds to the excitatory, then to the inhibitory currents.
    charge = np.zeros((N_INPUTS + N, 2 * N))
    np.add.at(
        charge, (synapses.source, synapses.target + N * synapses.inhibitory), synapses.weight * gain
    )
    n_steps = round(DURATION_US / dt_us)
    step = np.minimum((times / dt_us).astype(int), n_steps - 1)
    order = np.argsort(step, kind="stable")
    by_step = np.split(sources[order], np.searchsorted(step[order], np.arange(1, n_steps)))
    begin = time.process_time()
    v, current = c.leak_potential.copy(), np.zeros(2 * N)
    decay = np.exp(-dt_us * np.concatenate([c.syn_rate_exc, c.syn_rate_inh]))
    saturation = np.concatenate([c.saturation_exc, c.saturation_inh])
    reset_decay = np.exp(-dt_us * c.reset_rate)
    refractory_steps = np.rint(c.refractory_time / dt_us).astype(int)
    reset_until = np.zeros(N, dtype=int)
    n_spikes = 0
    for i in range(n_steps):
        drive = saturation * np.tanh(current / saturation)
        leak = c.leak_saturation * np.tanh((c.leak_potential - v) / c.leak_saturation)
        free = v + dt_us * (c.leak_rate * leak + drive[:N] - drive[N:])
        in_reset = reset_until > i
        v = np.where(in_reset, c.reset_potential + (v - c.reset_potential) * reset_decay, free)
        spiking = np.flatnonzero((v >= c.threshold) & ~in_reset)
        current *= decay
        if by_step[i].size:
            current += charge[by_step[i]].sum(axis=0)
        if spiking.size:
            n_spikes += spiking.size
            reset_until[spiking] = i + 1 + refractory_steps[spiking]
            current += charge[N_INPUTS + spiking].sum(axis=0)
    return time.process_time() - begin, n_spikes


def nest_run() -> tuple[float, int]:
    """Run the ideal network on NEST through PyNN."""
    os.environ.setdefault("PYNEST_QUIET", "1")
    import pyNN.nest as sim
    from pyNN.parameters import Sequence

    synapses, times, sources = network()
    c = circuits(ideal=True)
    # 1 us of hardware time is 1 ms, an LSB is 1 mV.
    sim.setup(timestep=DT_US, min_delay=DT_US, threads=1, verbosity="error")
    neurons = sim.Population(
        N,
        sim.IF_curr_exp(
            v_rest=80.0,
            v_reset=70.0,
            v_thresh=c.threshold,
            cm=1.0,
            tau_m=1 / c.leak_rate,
            tau_syn_E=1 / c.syn_rate_exc,
            tau_syn_I=1 / c.syn_rate_inh,
            tau_refrac=c.refractory_time,
        ),
        initial_values={"v": 80.0},
    )
    # On the grid of the time steps, and not before PyNN's earliest.
    steps = np.maximum(np.rint(times / DT_US), 2)
    trains = [Sequence(DT_US * np.unique(steps[sources == i])) for i in range(N_INPUTS)]
    inputs = sim.Population(N_INPUTS, sim.SpikeSourceArray(spike_times=trains))
    gain = np.where(synapses.inhibitory, -c.gain_inh[synapses.target], c.gain_exc[synapses.target])
    external = synapses.source < N_INPUTS
    for pre, own, first in ((inputs, external, 0), (neurons, ~external, N_INPUTS)):
        for receptor, sign in (
            ("excitatory", ~synapses.inhibitory),
            ("inhibitory", synapses.inhibitory),
        ):
            which = own & sign
            rows = np.column_stack(
                [synapses.source[which] - first, synapses.target[which],
                 (synapses.weight * gain)[which]]
            )  # fmt: skip
            sim.Projection(
                pre,
                neurons,
                sim.FromListConnector(rows, column_names=["weight"]),
                sim.StaticSynapse(delay=DT_US),
                receptor_type=receptor,
            )
    neurons.record("spikes")
    begin = time.process_time()
    sim.run(DURATION_US)
    used = time.process_time() - begin
    n_spikes = sum(neurons.get_spike_counts().values())
    sim.end()
    return used, n_spikes


def start_up() -> float:
    """Wall-clock time in which a new process gets ready: imports, compiled code from the cache."""
    script = (
        "import time; begin = time.perf_counter()\n"
        "from hw_targets.brainscales2.circuits import Circuits\n"
        "from hw_targets.brainscales2.engine import Engine, Synapses\n"
        "Engine(Circuits.ideal(1), Synapses.none(), seed=1).advance(1.0)\n"
        "print(time.perf_counter() - begin)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the engine with numpy and pyNN.nest.")
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    contenders = {
        "engine, emulated": engine_run(ideal=False),
        "numpy, emulated, steps of 0.1 us": lambda: numpy_run(DT_US),
        "numpy, emulated, steps of 8 ns": lambda: numpy_run(TICK_US),
        "engine, ideal": engine_run(ideal=True),
        "pyNN.nest, ideal": nest_run,
    }
    used: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            cpu_s, n_spikes = run()
            used[name].append(cpu_s)
            print(f"{name}: {cpu_s:.3f} CPU s, {n_spikes} spikes", flush=True)
    for name, times in used.items():
        median, spread = statistics.median(times), f"{min(times):.3f}-{max(times):.3f}"
        print(f"{name}: median {median:.3f} CPU s, {spread}")
    print(f"start-up with compiled code: {start_up():.2f} s")


if __name__ == "__main__":
    main()
