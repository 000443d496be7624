"""Postsynaptic potentials of a calibrated chip over the weight, of both signs."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from pynn_brainscales.brainscales2.standardmodels.synapses import StaticSynapse

calibration = pynn.helper.chip_from_nightly()
pynn.setup(initial_config=calibration)
neurons = pynn.Population(2, pynn.cells.HXNeuron(threshold_enable=False))
neurons.record("v")
source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.05]))
excitatory = pynn.Projection(
    source, neurons, pynn.AllToAllConnector(), synapse_type=StaticSynapse(weight=0),
    receptor_type="excitatory",
)  # fmt: skip
inhibitory = pynn.Projection(
    source, neurons, pynn.AllToAllConnector(), synapse_type=StaticSynapse(weight=0),
    receptor_type="inhibitory",
)  # fmt: skip

weights = np.array([0, 32, 63, 126])
heights = np.zeros((2, weights.size, len(neurons)))
for row, projection in enumerate((excitatory, inhibitory)):
    for column, weight in enumerate(weights):
        for one in (excitatory, inhibitory):
            one.set(weight=0)
        projection.set(weight=int(weight) * (1 - 2 * row))
        # Snippets: one without and one with the input.
        pynn.run(0.04, pynn.RunCommand.APPEND)
        pynn.run(0.06, pynn.RunCommand.EXECUTE)
        signals = neurons.get_data("v").segments[-1].irregularlysampledsignals
        for index in range(len(neurons)):
            baseline = signals[index].magnitude.mean()
            trace = signals[len(neurons) + index].magnitude[:, 0] - baseline
            heights[row, column, index] = trace.max() if row == 0 else trace.min()
        pynn.reset()
pynn.end()
