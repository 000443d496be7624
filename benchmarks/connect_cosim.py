"""1.6 million random synapses with cosim's NEST backend (see `connect_body`)."""

from connect_body import main

from cosim import backend

if __name__ == "__main__":
    main(backend("nest"), read_array=lambda projection: projection.read("weight")[0])
