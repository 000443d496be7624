"""1.6 million random synapses with Brian2 alone: what PyNN could reach (see `connect_body`).

The arrays are drawn with numpy and handed to one ``connect(i=, j=)``; weights and delays are set,
read and written as arrays.
"""

import brian2 as b2
import numpy as np
from brian2 import ms, nA
from connect_body import DELAY_MS, N_NEURONS, NEW_WEIGHT_NA, P_CONNECT, WEIGHT_NA, check
from measure import Phases

MODEL = """
dv/dt = -v/(20*ms) + current/(1*nF) : volt
dcurrent/dt = -current/(5*ms) : amp
"""


def main() -> None:
    network = b2.Network()
    sources = b2.NeuronGroup(N_NEURONS, MODEL, threshold="v > 15*mV", reset="v = 0*mV")
    targets = b2.NeuronGroup(N_NEURONS, MODEL, threshold="v > 15*mV", reset="v = 0*mV")
    rng = np.random.default_rng(1)
    phases = Phases()
    with phases("connect"):
        pre, post = np.nonzero(rng.random((N_NEURONS, N_NEURONS)) < P_CONNECT)
        synapses = b2.Synapses(sources, targets, "w : amp", on_pre="current_post += w")
        synapses.connect(i=pre, j=post)
        synapses.w = np.full(pre.size, WEIGHT_NA) * nA
        network.add(sources, targets, synapses)
        synapses.delay = np.full(pre.size, DELAY_MS) * ms
    with phases("read list"):
        columns = synapses.i[:], synapses.j[:], synapses.w[:] / nA
        weights = list(zip(*(column.tolist() for column in columns), strict=True))
    check(len(synapses), [weight for _, _, weight in weights])
    with phases("read array"):
        array = synapses.w / nA
    check(len(synapses), array)
    with phases("write"):
        synapses.w = np.full(pre.size, NEW_WEIGHT_NA) * nA
    check(len(synapses), synapses.w / nA, wanted_na=NEW_WEIGHT_NA)
    phases.report(n_synapses=len(synapses))


if __name__ == "__main__":
    main()
