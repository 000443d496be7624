"""A Sudoku of 4 x 4: a neuron for each digit in each field, which inhibit what excludes them."""

import numpy as np
import pynn_brainscales.brainscales2 as pynn
from pynn_brainscales.brainscales2.standardmodels.synapses import StaticSynapse

SIZE, BOX = 4, 2
CLUES = {(0, 1): 4, (0, 3): 2, (1, 0): 1, (1, 2): 4, (2, 0): 4, (2, 3): 1, (3, 1): 1}
RUNTIME_MS = 3.0
np.random.seed(1)


def excluded(row, column, digit):
    """List fields and digits that a digit in a field excludes."""
    for r in range(SIZE):
        for c in range(SIZE):
            same_box = r // BOX == row // BOX and c // BOX == column // BOX
            if (r, c) != (row, column) and (r == row or c == column or same_box):
                yield r, c, digit
    for d in range(SIZE):
        if d != digit:
            yield row, column, d


def index(row, column, digit):
    return (row * SIZE + column) * SIZE + digit


pynn.setup()
neurons = pynn.Population(
    SIZE**3, pynn.cells.CalibHXNeuronCuba(tau_m=10.0, tau_syn_E=10.0, tau_syn_I=15.0)
)
background = pynn.Population(
    SIZE**3, pynn.cells.SpikeSourcePoisson(start=0.0, rate=120e3, duration=RUNTIME_MS)
)
clue = pynn.Population(
    1, pynn.cells.SpikeSourceArray(spike_times=np.arange(0.001, RUNTIME_MS, 0.01))
)
pynn.Projection(
    background,
    neurons,
    pynn.OneToOneConnector(),
    synapse_type=StaticSynapse(weight=63),
    receptor_type="excitatory",
)
pairs = [
    (index(r, c, d), index(*other))
    for r in range(SIZE)
    for c in range(SIZE)
    for d in range(SIZE)
    for other in excluded(r, c, d)
]
pynn.Projection(
    neurons,
    neurons,
    pynn.FromListConnector([(*pair, -63, 0) for pair in pairs]),
    synapse_type=StaticSynapse(weight=-63),
    receptor_type="inhibitory",
)
# A neuron that has won stays active.
pynn.Projection(
    neurons,
    neurons,
    pynn.OneToOneConnector(),
    synapse_type=StaticSynapse(weight=40),
    receptor_type="excitatory",
)
given = pynn.PopulationView(neurons, [index(*field, d - 1) for field, d in CLUES.items()])
pynn.Projection(
    clue,
    given,
    pynn.AllToAllConnector(),
    synapse_type=StaticSynapse(weight=150),
    receptor_type="excitatory",
)
neurons.record("spikes")
pynn.run(RUNTIME_MS)
trains = neurons.get_data("spikes").segments[-1].spiketrains
late = np.array([(train.magnitude > RUNTIME_MS / 2).sum() for train in trains])
solution = late.reshape(SIZE, SIZE, SIZE).argmax(axis=2) + 1
pynn.end()
