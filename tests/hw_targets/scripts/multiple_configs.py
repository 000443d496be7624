"""One run of several configurations: weights and parameters change between its snippets."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from dlens_vx_v3 import hal

SNIPPET_MS = 0.5
WEIGHTS = [0, 21, 42, hal.SynapseWeightQuad.Value.max]
SPIKES_MS = np.arange(0.005, 3.0, 0.01)

pynn.setup()
neurons = pynn.Population(
    8, pynn.cells.CalibHXNeuronCuba(v_thresh=110.0, tau_m=10.0, tau_syn_E=10.0)
)
neurons.record("spikes")
neurons[[0]].record("v")
source = pynn.Population(4, pynn.cells.SpikeSourceArray(spike_times=SPIKES_MS))
projection = pynn.Projection(
    source,
    neurons,
    pynn.AllToAllConnector(),
    synapse_type=pynn.synapses.StaticSynapse(weight=WEIGHTS[0]),
    receptor_type="excitatory",
)

for weight in WEIGHTS:
    projection.set(weight=weight)
    pynn.run(SNIPPET_MS, pynn.RunCommand.APPEND)
# Last, neurons differ: a long refractory time of the second half.
neurons[4:].set(tau_refrac=25.0)
pynn.run(SNIPPET_MS, pynn.RunCommand.APPEND)
scheduled_ms = pynn.get_current_time()
pynn.run(None, pynn.RunCommand.EXECUTE)

segment = neurons.get_data().segments[-1]
n_segments = len(neurons.get_data().segments)
# One train per neuron and snippet.
trains = [segment.spiketrains[k : k + 8] for k in range(0, len(segment.spiketrains), 8)]
counts = np.array([[len(train) for train in snippet] for snippet in trains])
inside = all(
    SNIPPET_MS * k <= t < SNIPPET_MS * (k + 1) + 1e-9
    for k, snippet in enumerate(trains)
    for train in snippet
    for t in train.magnitude
)
signals = segment.irregularlysampledsignals
means = np.array([signal.magnitude.mean() for signal in signals])
begins_ms = np.array([float(signal.times[0]) for signal in signals])
pynn.reset()
pynn.end()
