"""A synfire chain: groups of excitatory neurons, each with an inhibitory one that quiets it."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from _static.common.helpers import setup_hardware_client
from pynn_brainscales.brainscales2.standardmodels.cells import CalibHXNeuronCuba, SpikeSourceArray
from pynn_brainscales.brainscales2.standardmodels.synapses import StaticSynapse

N_LINKS, N_EXC, N_INH = 8, 15, 5
RUNTIME_MS = 0.3
STIMULUS_MS = 0.05

setup_hardware_client()
pynn.setup()
cell = CalibHXNeuronCuba(tau_m=10.0, tau_syn_E=5.0, tau_syn_I=5.0, tau_refrac=10.0)
excitatory = [pynn.Population(N_EXC, cell, label=f"exc {k}") for k in range(N_LINKS)]
inhibitory = [pynn.Population(N_INH, cell, label=f"inh {k}") for k in range(N_LINKS)]
stimulus = pynn.Population(20, SpikeSourceArray(spike_times=[STIMULUS_MS]))


def connect(pre, post, weight):
    return pynn.Projection(
        pre,
        post,
        pynn.AllToAllConnector(),
        synapse_type=StaticSynapse(weight=weight),
        receptor_type="excitatory" if weight >= 0 else "inhibitory",
    )


forward = []
for k in range(N_LINKS):
    before = excitatory[k - 1] if k else stimulus
    forward.append([connect(before, excitatory[k], 35), connect(before, inhibitory[k], 60)])
    connect(inhibitory[k], excitatory[k], -40)
    excitatory[k].record("spikes")


def first_spikes():
    """Return the first spike of each neuron in us, shape (links, neurons), and all counts."""
    pynn.run(RUNTIME_MS)
    trains = [g.get_data("spikes", clear=True).segments[-1].spiketrains for g in excitatory]
    pynn.reset()
    first = [[float(t[0]) if len(t) else np.nan for t in group] for group in trains]
    return 1e3 * np.array(first), np.array([[len(t) for t in group] for group in trains])


first_us, counts = first_spikes()

# Without its connections from the group before, a group stays silent, and all after it do.
CUT = 4
for projection in forward[CUT]:
    projection.set(weight=0)
_, counts_cut = first_spikes()
pynn.end()
