"""1.6 million random synapses with stock pyNN.nest: the peer (see `connect_body`)."""

import pyNN.nest as sim
from connect_body import main

if __name__ == "__main__":
    main(sim)
