"""1.6 million random synapses with a backend of cosim (see `connect_body`).

python benchmarks/connect_cosim.py nest
python benchmarks/connect_cosim.py brian2
"""

import sys

from connect_body import counter, main

from cosim import backend

if __name__ == "__main__":
    name = sys.argv[1]
    sim = backend(name)
    main(sim, counter(sim, name), read_array=lambda projection: projection.read("weight")[0])
