"""Attenuation along a chain of four compartments: each is stimulated and recorded in turn.

The experiment of the vendor's tutorial on structured neurons, at the settings that its controls
start with.
"""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from pynn_brainscales.brainscales2.morphology import (
    Compartment,
    SharedLineConnection,
    create_mc_neuron,
)

LENGTH = 4
INPUTS = 10
WEIGHT = 31
CONDUCTANCE = 500
INTERVAL_MS = 0.2

compartments = [
    Compartment(
        positions=[2 * k, 2 * k + 1],
        label=f"compartment {k}",
        connect_shared_line=[2 * k] if k > 0 else None,
        connect_conductance=[(2 * k + 1, CONDUCTANCE)] if k < LENGTH - 1 else None,
    )
    for k in range(LENGTH)
]
connections = [
    SharedLineConnection(start=2 * k + 1, stop=2 * k + 2, row=0) for k in range(LENGTH - 1)
]
Chain = create_mc_neuron("Chain", compartments, connections, single_active_circuit=True)

pynn.setup(initial_config=pynn.helper.chip_from_nightly())
chain = pynn.Population(1, Chain(threshold_enable=False))
times = (np.arange(LENGTH) + 0.5) * INTERVAL_MS
for k, time in enumerate(times):
    source = pynn.Population(INPUTS, pynn.cells.SpikeSourceArray(spike_times=[time]))
    pynn.Projection(
        source,
        chain,
        pynn.AllToAllConnector(location_selector=f"compartment {k}"),
        synapse_type=pynn.synapses.StaticSynapse(weight=WEIGHT),
    )

#: Row: where it is stimulated, column: where it is recorded, in LSB of the MADC.
heights = np.empty((LENGTH, LENGTH))
for k in range(LENGTH):
    chain.record("v", locations=[f"compartment {k}"])
    pynn.run(LENGTH * INTERVAL_MS)
    signal = chain.get_data(clear=True).segments[-1].irregularlysampledsignals[0]
    at, potential = np.asarray(signal.times), np.asarray(signal)[:, 0]
    for j, time in enumerate(times):
        before = potential[(time - 0.01 <= at) & (at < time)]
        after = potential[(time <= at) & (at < time + 0.06)]
        heights[j, k] = after.max() - before.mean()
    chain.record(None)
    pynn.reset()
pynn.end()
