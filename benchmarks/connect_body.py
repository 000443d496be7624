"""Connecting 1.6 million random synapses and reading their weights: the shared script body.

The same PyNN calls run on the stock backend (`connect_stock`) and on cosim's
(`connect_cosim`); the two scripts differ in their import, and in that cosim's also reads the
weights as an array, which the other has no call for. `connect_pynest` does the same without PyNN.
"""

import sys

import numpy as np
from measure import Phases

N_NEURONS = 4000
P_CONNECT = 0.1
WEIGHT_NA, DELAY_MS = 0.01, 1.0


def main(sim, read_array=None) -> None:
    """Connect two populations with the PyNN module `sim` and read the weights back.

    The kernel's own count of connections shows that the synapses exist when the phase
    "connect" ends, and aren't left to be made later. `read_array` returns the weights of a
    projection as an array.
    """
    import nest

    sim.setup(timestep=0.1, min_delay=0.1)
    sources = sim.Population(N_NEURONS, sim.IF_curr_exp(), label="sources")
    targets = sim.Population(N_NEURONS, sim.IF_curr_exp(), label="targets")
    phases = Phases()
    with phases("connect"):
        projection = sim.Projection(
            sources,
            targets,
            sim.FixedProbabilityConnector(P_CONNECT),
            sim.StaticSynapse(weight=WEIGHT_NA, delay=DELAY_MS),
            receptor_type="excitatory",
        )
    n_in_kernel = nest.num_connections
    with phases("read list"):
        weights = projection.get("weight", format="list")
    check(n_in_kernel, [weight for _, _, weight in weights])
    if read_array is not None:
        with phases("read array"):
            array = read_array(projection)
        check(n_in_kernel, array)
    phases.report(n_synapses=n_in_kernel)


def check(n_in_kernel: int, weights_na) -> None:
    """Exit unless the expected number of synapses (+- 6 sd) exists and their weights were read."""
    mean = N_NEURONS**2 * P_CONNECT
    tolerance = 6 * (mean * (1 - P_CONNECT)) ** 0.5
    if abs(n_in_kernel - mean) > tolerance or len(weights_na) != n_in_kernel:
        sys.exit(
            f"connect: {n_in_kernel} synapses in the kernel and {len(weights_na)} weights read, "
            f"expected {mean:.0f} +- {tolerance:.0f}"
        )
    if not np.allclose(weights_na, WEIGHT_NA):
        sys.exit(f"connect: the weights read are not the {WEIGHT_NA} nA that were set")
