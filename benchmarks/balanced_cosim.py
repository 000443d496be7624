"""The balanced network in PyNN, on a backend of cosim (see `balanced_setup`).

python benchmarks/balanced_cosim.py nest
python benchmarks/balanced_cosim.py brian2
python benchmarks/balanced_cosim.py brian2_standalone
"""

import sys

import numpy as np
from balanced_setup import DURATION_MS, NEURON, TIMESTEP_MS, N, check_rate, draw
from cosim_run import run
from measure import Phases

from cosim import backend


def build(sim, potential, synapses):
    """Build the network and return its population."""
    sim.setup(timestep=TIMESTEP_MS, min_delay="auto", rng_seed=1)
    neurons = sim.Population(N, sim.IF_curr_exp(**NEURON), label="neurons")
    neurons.initialize(v=potential)
    for each in synapses:
        table = np.column_stack([each.pre, each.post, each.weight, each.delay])
        sim.Projection(
            neurons,
            neurons,
            sim.FromListConnector(table, column_names=["weight", "delay"]),
            sim.StaticSynapse(),
            receptor_type=each.receptor,
            label=each.receptor,
        )
    neurons.record("spikes")
    return neurons


def main(name: str) -> None:
    sim = backend(name)
    potential, synapses = draw()
    phases = Phases()
    with phases("build"):
        neurons = build(sim, potential, synapses)
    wall_s = run(sim, neurons, DURATION_MS, phases)
    with phases("read"):
        _, times = neurons.get_data().segments[0].spiketrains.multiplexed
    phases.report(
        n_synapses=sum(each.pre.size for each in synapses),
        rate=check_rate(len(times)),
        n_spikes=len(times),
        simulate_wall_s=wall_s,
    )


if __name__ == "__main__":
    main(sys.argv[1])
