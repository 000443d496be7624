"""Conductance-based synapses: responses depend on the distance to the reversal potential."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn

RESTS = np.array([70.0, 100.0, 130.0])

calibrated = []


def responses(e_rev_e, e_rev_i, receptor):
    """Return mean responses to a spike in LSB of the CADC, by resting potential."""
    found = []
    for v_rest in RESTS:
        pynn.setup()
        neuron = pynn.Population(
            1,
            pynn.cells.CalibHXNeuronCoba(
                v_rest=v_rest, v_reset=v_rest, v_thresh=220.0, tau_m=15.0, tau_syn_E=5.0,
                tau_syn_I=5.0, e_rev_E=e_rev_e, e_rev_I=e_rev_i,
            ),
        )  # fmt: skip
        neuron.record("v", device="cadc")
        source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.03]))
        # Conductances are positive, whatever the receptor.
        pynn.Projection(
            source,
            neuron,
            pynn.AllToAllConnector(),
            synapse_type=pynn.synapses.StaticSynapse(weight=63),
            receptor_type=receptor,
        )
        rows = []
        for _ in range(20):
            pynn.run(0.1)
            data = neuron.get_data("v", clear=True).segments[-1]
            rows.append(data.irregularlysampledsignals[0].magnitude[:, 0])
            pynn.reset()
        calibrated.append(neuron.calib_hwparams[0].excitatory_input.enable_coba_mode)
        times = data.irregularlysampledsignals[0].times.magnitude
        mean = np.mean(rows, axis=0)
        response = mean[(times > 0.034) & (times < 0.05)].mean()
        found.append(response - mean[times < 0.028].mean())
        pynn.end()
    return np.array(found)


excitatory = responses(300.0, 30.0, "excitatory")
inhibitory = responses(300.0, 40.0, "inhibitory")
