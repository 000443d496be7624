"""A balanced random network with static synapses: what all contenders share.

The current-based network of Vogels & Abbott (2005, doi:10.1523/JNEUROSCI.3508-05.2005) in the form
of Brette et al. (2007, doi:10.1007/s10827-007-0038-6, benchmark 2), an example in Brian2's own
documentation: 4000 leaky neurons with exponential currents, 2 % of all connections, no input. It
is irregularly active at a few spikes per second and neuron. Here each synapse has its own weight
and delay, as PyNN's do. All get the same arrays.
"""

import sys
from dataclasses import dataclass

import numpy as np

N_EXC, N_INH = 3200, 800
N = N_EXC + N_INH
P_CONNECT = 0.02
TIMESTEP_MS = 0.1
DURATION_MS = 10_000.0
NEURON = {
    "cm": 0.2, "tau_m": 20.0, "v_rest": -49.0, "v_reset": -60.0, "v_thresh": -50.0,
    "tau_refrac": 5.0, "tau_syn_E": 5.0, "tau_syn_I": 10.0,
}  # fmt: skip
WEIGHTS_NA = {"excitatory": 0.0162, "inhibitory": -0.09}
WEIGHT_SD = 0.1  # relative
DELAYS_MS = (0.5, 2.0)
RATE_HZ = (4.0, 9.0)


@dataclass(frozen=True)
class Synapses:
    """Synapses of one receptor type: indices of neurons, weights (nA) and delays (ms)."""

    receptor: str
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray


def draw() -> tuple[np.ndarray, list[Synapses]]:
    """Draw initial potentials (mV) and all synapses."""
    rng = np.random.default_rng(1)
    potential = rng.uniform(NEURON["v_reset"], NEURON["v_thresh"], N)
    synapses = []
    for receptor, first, last in (("excitatory", 0, N_EXC), ("inhibitory", N_EXC, N)):
        pre, post = np.nonzero(rng.random((last - first, N)) < P_CONNECT)
        pre += first
        keep = pre != post
        pre, post = pre[keep], post[keep]
        weight = WEIGHTS_NA[receptor] * rng.normal(1.0, WEIGHT_SD, pre.size)
        low, high = (round(delay / TIMESTEP_MS) for delay in DELAYS_MS)
        delay = rng.integers(low, high, pre.size, endpoint=True) * TIMESTEP_MS
        synapses.append(Synapses(receptor, pre, post, weight, delay))
    return potential, synapses


def check_rate(n_spikes: int) -> float:
    """Return the mean rate in spikes per second and neuron; exit if the network is not balanced."""
    rate = n_spikes / N / (DURATION_MS / 1000.0)
    if not RATE_HZ[0] <= rate <= RATE_HZ[1]:
        sys.exit(f"balanced network: {rate:.2f} spikes/s, expected {RATE_HZ[0]} ... {RATE_HZ[1]}")
    return rate
