"""What raw settings do to a neuron: resting potential, threshold, capacitance, refractory time."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn

DEFAULTS = {
    "threshold_v_threshold": 500,
    "threshold_enable": True,
    "leak_v_leak": 1000,
    "leak_i_bias": 200,
    "membrane_capacitance_capacitance": 63,
    "reset_v_reset": 400,
    "reset_i_bias": 1022,
    "reset_enable_multiplication": True,
    "refractory_period_refractory_time": 100,
}


def measure(**changed):
    """Run a neuron; return its mean potential in LSB and its interval in us."""
    neuron.set(**{**DEFAULTS, **changed})
    pynn.run(0.5)
    segment = neuron.get_data(clear=True).segments[-1]
    pynn.reset()
    intervals = np.diff(segment.spiketrains[0].magnitude) * 1e3
    potential = segment.irregularlysampledsignals[0].magnitude.mean()
    return float(potential), float(intervals.mean()) if intervals.size else np.inf


pynn.setup()
neuron = pynn.Population(1, pynn.cells.HXNeuron())
neuron.record(["v", "spikes"])
resting = [measure(leak_v_leak=v, threshold_enable=False)[0] for v in (500, 700, 900)]
by_threshold = [measure(threshold_v_threshold=v)[1] for v in (400, 500, 600)]
by_leak = [measure(leak_i_bias=i)[1] for i in (100, 200, 400)]
by_capacitance = [measure(membrane_capacitance_capacitance=c)[1] for c in (16, 32, 63)]
by_refractory_time = [measure(refractory_period_refractory_time=t)[1] for t in (50, 100, 250)]
pynn.end()
