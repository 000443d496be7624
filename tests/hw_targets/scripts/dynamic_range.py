"""Postsynaptic potentials for weights up to 288, by synapses in parallel."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from dlens_vx_v3 import hal, hxcomm

with hxcomm.ManagedConnection() as connection:
    chip_name = connection.get_unique_identifier()[0]

WEIGHTS = np.arange(0, 289, 24)
SPIKES_MS = 0.04 + 0.1 * np.arange(10)

pynn.setup()
# A time constant of the membrane as long as possible, and weak synapses: no saturation.
neuron = pynn.Population(
    1,
    pynn.cells.CalibHXNeuronCuba(v_thresh=220.0, tau_m=20.0, tau_syn_E=1.0, i_synin_gm_E=300),
)
neuron.record("v")
source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=SPIKES_MS))
projection = pynn.Projection(
    source,
    neuron,
    pynn.AllToAllConnector(),
    synapse_type=pynn.synapses.StaticSynapse(weight=0),
    receptor_type="excitatory",
)

responses = np.zeros(WEIGHTS.size)
n_synapses = np.zeros(WEIGHTS.size, dtype=int)
for index, weight in enumerate(WEIGHTS):
    projection.set(weight=int(weight))
    pynn.run(SPIKES_MS[-1] + 0.1)
    n_synapses[index] = len(projection.placed_connections[0])
    signal = neuron.get_data("v", clear=True).segments[-1].irregularlysampledsignals[0]
    times, values = signal.times.rescale("ms").magnitude, signal.magnitude[:, 0]
    # The mean response from 1 to 11 us after the spikes.
    after = [values[(times > t + 0.001) & (times < t + 0.011)].mean() for t in SPIKES_MS]
    before = [values[(times > t - 0.01) & (times < t)].mean() for t in SPIKES_MS]
    responses[index] = np.mean(after) - np.mean(before)
    pynn.reset()
largest_weight = hal.SynapseWeightQuad.Value.max
pynn.end()
