"""Recurrent networks of 1000 cells in which everything differs from cell to cell."""

import numpy as np
from pyNN.random import RandomDistribution

from tests.parity.running import H, signal_of, spikes_of

DURATION = 1000.0
N_EXC, N_INH, N_INPUT = 800, 200, 200
N_RECORDED = 10

# Mean weights of the recurrent excitatory, the inhibitory and the input synapses.
_WEIGHTS = {
    "IF_curr_exp": (0.02, -0.15, 0.1),  # nA
    "IF_curr_alpha": (0.008, -0.06, 0.03),  # nA
    "IF_curr_delta": (0.2, -1.5, 1.0),  # mV
}


def poisson_trains(
    rng: np.random.Generator, n: int, rate: float, duration: float = DURATION, h: float = H
) -> list[list[float]]:
    """Draw spike times in ms on the time grid, at most one in a step; rate in Hz."""
    steps = round(duration / h)
    spikes = rng.random((n, steps)) < rate * h / 1000.0
    return [(np.round((np.flatnonzero(row) + 1) * h, 6)).tolist() for row in spikes]


def cell_parameters(name: str, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw parameters of `n` cells of a current-based type.

    Some cells have equal membrane and synaptic time constants, and refractory periods of nothing,
    of one step and of no whole number of steps.
    """
    tau_m = rng.uniform(8.0, 25.0, n)
    parameters = {
        "cm": rng.uniform(0.2, 0.3, n),
        "tau_m": tau_m,
        "v_rest": rng.uniform(-66.0, -64.0, n),
        "v_reset": rng.uniform(-68.0, -62.0, n),
        "v_thresh": rng.uniform(-52.0, -48.0, n),
        "tau_refrac": rng.choice([0.0, 0.1, 0.5, 0.93, 2.0, 5.0], n),
        "i_offset": rng.uniform(0.1, 0.25, n),
    }
    if name != "IF_curr_delta":
        parameters["tau_syn_E"] = np.where(rng.random(n) < 0.1, tau_m, rng.uniform(0.5, 4.0, n))
        parameters["tau_syn_I"] = np.where(rng.random(n) < 0.1, tau_m, rng.uniform(2.0, 8.0, n))
    return parameters


def current_based(sim, name: str) -> dict[str, np.ndarray]:
    """Run 800 excitatory and 200 inhibitory cells of one type, sparsely connected, for 1 s."""
    rng = np.random.default_rng(7)
    sim.setup(timestep=H, rng_seed=3)
    exc, inh = (
        sim.Population(n, getattr(sim, name)(**cell_parameters(name, n, rng)), label=label)
        for n, label in ((N_EXC, "exc"), (N_INH, "inh"))
    )
    for cells in (exc, inh):
        cells.initialize(v=rng.uniform(-65.0, -50.0, cells.size))
    trains = poisson_trains(rng, N_INPUT, rate=40.0)
    source = sim.Population(N_INPUT, sim.SpikeSourceArray(spike_times=trains), label="input")

    excitatory, inhibitory, feed_forward = _WEIGHTS[name]
    connector = sim.FixedProbabilityConnector(0.05)
    for pre, weight in ((exc, excitatory), (inh, inhibitory), (source, feed_forward)):
        for post in (exc, inh):
            sim.Projection(
                pre, post, connector,
                sim.StaticSynapse(
                    weight=RandomDistribution("uniform", sorted([0.5 * weight, 1.5 * weight])),
                    delay=RandomDistribution("uniform", [0.1, 3.0]),
                ),
                receptor_type="inhibitory" if weight < 0 else "excitatory",
                label=f"{pre.label}-{post.label}",
            )  # fmt: skip
    exc.record("spikes")
    inh.record("spikes")
    exc[:N_RECORDED].record("v")
    sim.run(DURATION)
    result = {"exc": spikes_of(exc), "inh": spikes_of(inh), "v": signal_of(exc, "v")}
    sim.end()
    return result
