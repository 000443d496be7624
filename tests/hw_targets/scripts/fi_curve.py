"""Firing rate over a constant current into the membrane, one run per current."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn

RUNTIME_MS = 2.0

pynn.setup()
neuron = pynn.Population(
    1,
    pynn.cells.HXNeuron(
        threshold_v_threshold=450,
        threshold_enable=True,
        leak_v_leak=500,
        leak_i_bias=150,
        membrane_capacitance_capacitance=63,
        reset_v_reset=450,
        reset_i_bias=1022,
        reset_enable_multiplication=True,
        refractory_period_refractory_time=120,
        constant_current_enable=True,
        constant_current_type=0,
    ),
)
neuron.record("spikes")
currents = np.arange(0, 301, 30)
rates_khz = []
for current in currents:
    neuron.set(constant_current_i_offset=current)
    pynn.run(RUNTIME_MS)
    spikes = neuron.get_data("spikes", clear=True).segments[-1].spiketrains[0]
    rates_khz.append(len(spikes) / RUNTIME_MS)
    pynn.reset()
pynn.end()
