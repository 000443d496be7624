"""Unconnected cells of types that simulators integrate numerically, with deterministic input."""

import numpy as np

from tests.parity.networks import poisson_trains
from tests.parity.running import signal_of, spikes_of

DURATION = 300.0
N_CELLS = 8
#: Interval in ms between samples, a multiple of all time steps.
SAMPLING = 0.1

# Constant currents that keep all cells quiet, and that make them spike, in nA; weights of
# excitatory and inhibitory synapses, in uS or, for Izhikevich, mV.
_CASES = {
    "IF_cond_exp": ((0.0, 0.3), (0.8, 1.4), (0.004, 0.008)),
    "IF_cond_alpha": ((0.0, 0.2), (0.8, 1.4), (0.002, 0.004)),
    "IF_cond_exp_gsfa_grr": ((0.0, 0.2), (0.8, 1.4), (0.004, 0.008)),
    "EIF_cond_exp_isfa_ista": ((0.0, 0.2), (0.8, 1.2), (0.001, 0.002)),
    "EIF_cond_alpha_isfa_ista": ((0.0, 0.2), (0.8, 1.2), (0.001, 0.002)),
    "HH_cond_exp": ((-0.3, 0.0), (0.5, 1.5), (0.001, 0.002)),
    "Izhikevich": ((-0.005, 0.0), (0.006, 0.015), (0.3, -0.3)),
}
CELL_TYPES = tuple(_CASES)


def run(sim, cell_type: str, h: float) -> dict[str, np.ndarray]:
    """Run quiet cells and spiking ones; return potentials of the former, spikes of the latter."""
    sim.setup(timestep=h)
    *currents, (excitatory, inhibitory) = _CASES[cell_type]
    quiet, spiking = (
        sim.Population(
            N_CELLS, getattr(sim, cell_type)(i_offset=np.linspace(*limits, N_CELLS)), label=label
        )
        for label, limits in zip(("quiet", "spiking"), currents, strict=True)
    )
    rng = np.random.default_rng(17)
    trains = poisson_trains(rng, 2 * N_CELLS, rate=100.0, duration=DURATION)
    source = sim.Population(2 * N_CELLS, sim.SpikeSourceArray(spike_times=trains))
    for cells in (quiet, spiking):
        for pre, weight, receptor in (
            (source[:N_CELLS], excitatory, "excitatory"),
            (source[N_CELLS:], inhibitory, "inhibitory"),
        ):
            sim.Projection(
                pre, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight, delay=1.0),
                receptor_type=receptor,
            )  # fmt: skip
    quiet.record("spikes")
    quiet.record("v", sampling_interval=SAMPLING)
    spiking.record("spikes")
    sim.run(DURATION)
    assert len(spikes_of(quiet, h=h)) == 0
    result = {"v": signal_of(quiet, "v"), "spikes": spikes_of(spiking, h=h)}
    sim.end()
    return result
