"""The same script on the chip and on the emulation: a neuron that three sources drive."""

import pynn_brainscales.brainscales2 as pynn

pynn.setup(initial_config=None)
population = pynn.Population(2, pynn.cells.CalibHXNeuronCuba(tau_m=10.0, tau_syn_E=5.0))
population[[0]].record(["v", "spikes"])
source = pynn.Population(3, pynn.cells.SpikeSourceArray(spike_times=[0.01, 0.05, 0.07]))
pynn.Projection(
    source,
    population,
    pynn.AllToAllConnector(),
    receptor_type="excitatory",
    synapse_type=pynn.synapses.StaticSynapse(weight=63),
)
pynn.run(0.2)
segment = population.get_data().segments[-1]
membrane = segment.irregularlysampledsignals[0]
spikes = segment.spiketrains[0]
pynn.reset()
pynn.end()
