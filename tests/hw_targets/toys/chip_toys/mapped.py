"""Two cells and a source, for what a run keeps of them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Parameters:
    timestep: float = 0.1
    delay: float = 1.0


def simulate(sim, parameters, *, seed, progress):
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[5.0]), label="source")
    cells = sim.Population(2, sim.IF_curr_exp(tau_refrac=5.0), label="cells")
    synapse = sim.StaticSynapse(weight=0.05, delay=parameters.delay)
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse, label="ff")
    cells.record("v")
    sim.run(20.0)
    v = cells.get_data("v").segments[0].analogsignals[0].magnitude
    return {"peak": float(np.max(v))}, {}
