"""A chain: external input into the first of four groups, internal connections to the next."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn

N_GROUPS, SIZE = 4, 20
logger = pynn.logger.get("chain")
pynn.logger.set_loglevel(logger, pynn.logger.LogLevel.WARN)

np.random.seed(1)
pynn.setup()
stimulus = pynn.Population(
    SIZE, pynn.cells.SpikeSourceArray(spike_times=[[0.02 + 0.0001 * k] for k in range(SIZE)])
)
background = pynn.Population(5, pynn.cells.SpikeSourcePoisson(start=0.0, rate=2e3, duration=0.2))
neurons = pynn.Population(N_GROUPS * SIZE, pynn.cells.CalibHXNeuronCuba(tau_refrac=20.0))
groups = [pynn.PopulationView(neurons, slice(k * SIZE, (k + 1) * SIZE)) for k in range(N_GROUPS)]
strong = pynn.synapses.StaticSynapse(weight=63)
pynn.Projection(stimulus, groups[0], pynn.AllToAllConnector(), synapse_type=strong,
                receptor_type="excitatory")  # fmt: skip
internal = [
    pynn.Projection(pre, post, pynn.FixedProbabilityConnector(0.8), synapse_type=strong,
                    receptor_type="excitatory")
    for pre, post in zip(groups[:-1], groups[1:], strict=True)
]  # fmt: skip
pynn.Projection(
    background,
    neurons,
    pynn.AllToAllConnector(),
    synapse_type=pynn.synapses.StaticSynapse(weight=-5),
    receptor_type="inhibitory",
)
neurons.record("spikes")

pynn.run(0.2)
trains = neurons.get_data().segments[-1].spiketrains
first_spikes = np.array([train[0] if len(train) else np.nan for train in trains], dtype=float)
first_spikes = first_spikes.reshape(N_GROUPS, SIZE)
n_synapses = sum(len(synapses) for p in internal for synapses in p.placed_connections)
pynn.reset()

# Cut the chain after the second group.
internal[1].set(weight=0)
pynn.run(0.2)
trains = neurons.get_data().segments[-1].spiketrains
counts_cut = np.array([len(train) for train in trains]).reshape(N_GROUPS, SIZE)
pynn.end()
