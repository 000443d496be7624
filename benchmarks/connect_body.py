"""Connecting 1.6 million random synapses, reading and writing their weights: the shared body.

The same PyNN calls run on the stock backends (`connect_stock`) and on cosim's (`connect_cosim`);
the two scripts differ in their import, and in that cosim's also reads the weights as a flat array,
which the other has no call for. `connect_pynest` and `connect_brian2` do the same without PyNN.
"""

import sys
from collections.abc import Callable

import numpy as np
from measure import Phases

N_NEURONS = 4000
P_CONNECT = 0.1
WEIGHT_NA, NEW_WEIGHT_NA, DELAY_MS = 0.01, 0.02, 1.0


def main(sim, count: Callable[[], int], read_array=None, n_neurons: int = N_NEURONS) -> None:
    """Connect two populations with the PyNN module `sim`, read the weights and write them.

    `count` returns how many synapses the simulator itself has: they exist when the phase "connect"
    ends, and aren't left to be made later. `read_array` returns the weights of a projection as an
    array.
    """
    sim.setup(timestep=0.1, min_delay=0.1)
    sources = sim.Population(n_neurons, sim.IF_curr_exp(), label="sources")
    targets = sim.Population(n_neurons, sim.IF_curr_exp(), label="targets")
    phases = Phases()
    with phases("connect"):
        projection = sim.Projection(
            sources,
            targets,
            sim.FixedProbabilityConnector(P_CONNECT),
            sim.StaticSynapse(weight=WEIGHT_NA, delay=DELAY_MS),
            receptor_type="excitatory",
        )
        n_synapses = count()
    with phases("read list"):
        weights = projection.get("weight", format="list")
    check(n_synapses, [weight for _, _, weight in weights], n_neurons)
    if read_array is not None:
        with phases("read array"):
            array = read_array(projection)
        check(n_synapses, array, n_neurons)
    new = np.full((n_neurons, n_neurons), NEW_WEIGHT_NA)
    with phases("write"):
        projection.set(weight=new)
    weights = [weight for _, _, weight in projection.get("weight", format="list")]
    check(n_synapses, weights, n_neurons, NEW_WEIGHT_NA)
    phases.report(n_synapses=n_synapses)


def check(
    n_synapses: int, weights_na, n_neurons: int = N_NEURONS, wanted_na: float = WEIGHT_NA
) -> None:
    """Exit unless the expected number of synapses (+- 6 sd) exists and their weights were read."""
    mean = n_neurons**2 * P_CONNECT
    tolerance = 6 * (mean * (1 - P_CONNECT)) ** 0.5
    if abs(n_synapses - mean) > tolerance or len(weights_na) != n_synapses:
        sys.exit(
            f"connect: {n_synapses} synapses in the simulator and {len(weights_na)} weights read, "
            f"expected {mean:.0f} +- {tolerance:.0f}"
        )
    if not np.allclose(weights_na, wanted_na):
        sys.exit(f"connect: the weights read are not the {wanted_na} nA that were set")


def counter(sim, simulator: str) -> Callable[[], int]:
    """Return the function that asks NEST or Brian2 for its number of synapses."""

    def in_nest() -> int:
        import nest

        return nest.num_connections

    def in_brian2() -> int:
        import brian2

        sim.run(0.0)  # cosim makes Brian2's objects at the first run
        objects = sim.simulator.state.network.objects
        return sum(len(thing) for thing in objects if isinstance(thing, brian2.Synapses))

    return {"nest": in_nest, "brian2": in_brian2}[simulator]
