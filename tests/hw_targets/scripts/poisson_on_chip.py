"""Poisson sources on the chip: their statistics, and neurons that they drive."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn

RATES_KHZ = np.array([10.0, 20.0, 40.0, 80.0])
RUNTIME_MS = 5.0
N_SOURCES = 8

pynn.setup()
sources = pynn.Population(N_SOURCES, pynn.cells.SpikeSourcePoissonOnChip(rate=1e4, seed=5678))
neurons = pynn.Population(20, pynn.cells.CalibHXNeuronCuba(tau_m=8.0, tau_syn_E=4.0))
pynn.Projection(
    sources,
    neurons,
    pynn.AllToAllConnector(),
    synapse_type=pynn.synapses.StaticSynapse(weight=40),
    receptor_type="excitatory",
)
sources.record("spikes")
neurons.record("spikes")

counts, fano, rates_khz = [], [], []
for rate_khz in RATES_KHZ:
    sources.set(rate=1e3 * rate_khz)
    pynn.run(RUNTIME_MS)
    trains = sources.get_data("spikes", clear=True).segments[-1].spiketrains
    counts.append([len(train) for train in trains])
    joined = np.concatenate([train.magnitude for train in trains])
    per_bin, _ = np.histogram(joined, bins=500, range=(0.0, RUNTIME_MS))
    fano.append(per_bin.var() / per_bin.mean())
    answers = neurons.get_data("spikes", clear=True).segments[-1].spiketrains
    rates_khz.append(np.mean([len(train) for train in answers]) / RUNTIME_MS)
    pynn.reset()
pynn.end()
