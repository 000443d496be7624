"""1.6 million random synapses with PyNEST alone: what PyNN could reach (see `connect_body`).

The arrays are drawn with numpy and handed to one `nest.Connect`; the weights are read and
written with `GetConnections`, `get` and `set`.
"""

import nest
import numpy as np
from connect_body import DELAY_MS, N_NEURONS, NEW_WEIGHT_NA, P_CONNECT, WEIGHT_NA, check
from measure import Phases


def main() -> None:
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=0.1, local_num_threads=1)
    sources = nest.Create("iaf_psc_exp", N_NEURONS)
    targets = nest.Create("iaf_psc_exp", N_NEURONS)
    rng = np.random.default_rng(1)
    phases = Phases()
    with phases("connect"):
        pre, post = np.nonzero(rng.random((N_NEURONS, N_NEURONS)) < P_CONNECT)
        nest.Connect(
            pre + sources[0].global_id,
            post + targets[0].global_id,
            "one_to_one",
            {
                "weight": np.full(pre.size, WEIGHT_NA * 1000.0),
                "delay": np.full(pre.size, DELAY_MS),
            },
        )
    n_in_kernel = nest.num_connections
    with phases("read list"):
        weights = nest.GetConnections(sources, targets).get("weight")
    check(n_in_kernel, np.array(weights) / 1000.0)
    with phases("write"):
        nest.GetConnections(sources, targets).set(weight=np.full(pre.size, NEW_WEIGHT_NA * 1000.0))
    weights = nest.GetConnections(sources, targets).get("weight")
    check(n_in_kernel, np.array(weights) / 1000.0, wanted_na=NEW_WEIGHT_NA)
    phases.report(n_synapses=n_in_kernel)


if __name__ == "__main__":
    main()
