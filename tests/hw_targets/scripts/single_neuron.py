"""Ten neurons with equal raw settings whose leak is above the threshold: the fixed pattern."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from pynn_brainscales.brainscales2.standardmodels.cells import HXNeuron

PARAMETERS = {
    "threshold_v_threshold": 500,
    "threshold_enable": True,
    "leak_v_leak": 1000,
    "leak_i_bias": 200,
    "membrane_capacitance_capacitance": 63,
    "reset_v_reset": 400,
    "reset_i_bias": 1022,
    "reset_enable_multiplication": True,
    "refractory_period_refractory_time": 255,
}

pynn.setup()
neurons = pynn.Population(10, HXNeuron(**PARAMETERS))
neurons.record("spikes")
traces = []
for index in range(len(neurons)):
    # The MADC records one neuron after the other.
    view = pynn.PopulationView(neurons, [index])
    view.record("v")
    pynn.run(0.2)
    traces.append(view.get_data("v").segments[-1].irregularlysampledsignals[0].magnitude[:, 0])
    pynn.reset()
    neurons.record(None)
    neurons.record("spikes")

pynn.run(1.0)
trains = neurons.get_data("spikes").segments[-1].spiketrains
intervals_us = np.array([np.diff(train.magnitude).mean() * 1e3 for train in trains])
jitter = np.array([np.diff(train.magnitude).std() * 1e3 for train in trains]) / intervals_us
peaks = np.array([trace.max() for trace in traces])
pynn.end()
