"""NEST's own neurons alone: reference lines for what a simulated time step costs.

As many `iaf_psc_exp` or `parrot_neuron` as the sequence-learning network has excitatory
neurons, without input and connections, on the same grid (0.1 ms), with the same shortest
and longest delay (0.1 ms and 2 ms) and for the same biological time. No network that is
updated in every step on this grid gets below its neurons' own cost.

    python benchmarks/idle_neurons.py iaf_psc_exp
"""

import sys

import nest
from measure import DURATION_MS, Phases

N_NEURONS = 900


def main(model: str) -> None:
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=0.1, local_num_threads=1, min_delay=0.1, max_delay=2.0)
    nest.Create(model, N_NEURONS)
    phases = Phases()
    with phases("simulate"):
        nest.Simulate(DURATION_MS)
    phases.report(n_neurons=N_NEURONS)


if __name__ == "__main__":
    main(sys.argv[1])
