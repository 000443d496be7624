"""Random synapses with a stock backend of PyNN: the peer (see `connect_body`).

    python benchmarks/connect_stock.py nest
    python benchmarks/connect_stock.py brian2 --neurons 1600

On Brian2, where 1.6 million synapses take PyNN longer than anyone would wait, there is a choice of
the number of neurons in each of the two populations.
"""

import argparse
import importlib

from connect_body import N_NEURONS, counter, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Random synapses with a stock backend of PyNN.")
    parser.add_argument("simulator", choices=["nest", "brian2"])
    parser.add_argument("--neurons", type=int, default=N_NEURONS)
    arguments = parser.parse_args()
    sim = importlib.import_module(f"pyNN.{arguments.simulator}")
    main(sim, counter(sim, arguments.simulator), n_neurons=arguments.neurons)
