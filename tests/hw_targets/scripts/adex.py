"""Adaptation of a raw neuron to a step of current, with the clocks set below the network."""

import numpy as np
import pyhalco_hicann_dls_vx_v3 as halco
import pynn_brainscales.brainscales2 as pynn


def set_clocks(scale):
    for place in halco.iter_all(halco.CommonNeuronBackendConfigOnDLS):
        backend = pynn.simulator.state.grenade_chip_config.neuron_block.backends[place]
        backend.enable_clocks = True
        backend.clock_scale_fast = scale
        backend.clock_scale_slow = scale


def intervals_us(b, scale=3):
    """Return the intervals of spikes during a step of current."""
    first = halco.AtomicNeuronOnDLS(halco.NeuronColumnOnDLS(4), halco.NeuronRowOnDLS.bottom)
    pynn.setup(neuronPermutation=[int(first.toEnum())])
    population = pynn.Population(1, pynn.cells.HXNeuron())
    neuron = population[0]
    neuron.leak_v_leak = 500
    neuron.leak_i_bias = 100
    neuron.reset_v_reset = 400
    neuron.reset_i_bias = 1022
    neuron.reset_enable_multiplication = True
    neuron.threshold_v_threshold = 600
    neuron.threshold_enable = True
    neuron.membrane_capacitance_capacitance = 63
    neuron.refractory_period_refractory_time = 30
    neuron.constant_current_i_offset = 1000
    neuron.adaptation_enable = b > 0
    neuron.adaptation_enable_pulse = True
    neuron.adaptation_i_bias_tau = 100
    neuron.adaptation_i_bias_b = b
    neuron.adaptation_v_leak = 500
    neuron.adaptation_v_ref = 500
    set_clocks(scale)
    population.record(["spikes", "v"])
    for is_on, duration in ((False, 0.1), (True, 0.6), (False, 0.3)):
        population.set(constant_current_enable=is_on)
        pynn.run(duration, pynn.RunCommand.APPEND)
    pynn.run(None, pynn.RunCommand.EXECUTE)
    assert pynn.simulator.state.neuron_placement.id2first_circuit(neuron) == 260
    trains = population.get_data().segments[-1].spiketrains
    counts.append([len(train) for train in trains])
    pynn.end()
    return 1e3 * np.diff(trains[1].magnitude)


counts = []
regular = intervals_us(b=0)
adapting = intervals_us(b=400)
slow = intervals_us(b=0, scale=6)
