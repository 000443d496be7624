"""Homeostasis: a plasticity rule tunes weights until all neurons spike at one rate.

After the vendor's tutorial, but for the rule, which is in Python, for the emulation, and for the
time after the neurons reached their rate, of which it takes 50 ms, not 700 ms.
"""

import os

import numpy as np
import pynn_brainscales.brainscales2 as pynn

NEURONS = int(os.environ.get("HOMEOSTASIS_NEURONS", 512))
RUNTIME_MS = 350.0
PERIOD_MS = 10.0
TARGET_KHZ = 6.0
SOURCE_HZ = 120e3


class Homeostasis(pynn.PlasticityRule):
    """Changes each weight by one towards the target rate."""

    def __init__(self, timer, target):
        per_synapse = pynn.PlasticityRule.ObservablePerSynapse
        observables = {
            "w": per_synapse(per_synapse.Type.uint8, per_synapse.LayoutPerRow.packed_active_columns)
        }
        super().__init__(timer, observables)
        self.target = target

    def emulate(self, synapses, neurons, recording):
        (projection,), (population,) = synapses, neurons
        missing = self.target - population.spike_counts
        projection.weights += np.sign(missing[projection.post]).astype(int)
        projection.weights = np.clip(projection.weights, 0, 63)
        projection.record("w", projection.weights)


pynn.setup(initial_config=pynn.helper.chip_from_nightly())
source = pynn.Population(1, pynn.cells.SpikeSourcePoissonOnChip(rate=SOURCE_HZ, seed=1234))
timer = pynn.Timer(start=0.0, period=PERIOD_MS, num_periods=int(RUNTIME_MS / PERIOD_MS))
rule = Homeostasis(timer, target=TARGET_KHZ * PERIOD_MS)
neurons = pynn.Population(NEURONS, pynn.cells.HXNeuron(plasticity_rule=rule))
neurons.record("spikes")
projection = pynn.Projection(
    source,
    neurons,
    pynn.AllToAllConnector(),
    synapse_type=pynn.synapses.PlasticSynapse(plasticity_rule=rule, weight=0),
)
pynn.run(RUNTIME_MS)
weights = projection.get_data("w")[0]
weight_times_ms = np.array([entry.time.value() for entry in weights]) / 125 / 1000
weight_values = np.array([entry.data for entry in weights]).squeeze()
#: Rates in kHz by neuron and interval of 50 ms.
rates = np.array(
    [
        np.histogram(train, int(RUNTIME_MS / 50), (0.0, RUNTIME_MS))[0] / 50.0
        for train in neurons.get_data("spikes").segments[0].spiketrains
    ]
)
pynn.end()
