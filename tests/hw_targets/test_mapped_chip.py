"""On the average of many circuits a mapped cell does what it does without imperfections."""

import numpy as np
import pytest

from cosim.backends import backend

sim = backend("hw_targets.brainscales2.mapped")

N = 100
#: Residual errors of one circuit's PSP: tau_mem 4 %, tau_syn 3 %, gain 2 %, and their effect is at
#: most proportional.
SPREAD = np.sqrt(0.04**2 + 0.03**2 + 0.02**2)
#: Rounding of the settings and saturation of the amplifiers.
SYSTEMATIC = 0.05


def psp(kind, receptor, fidelity, merge):
    sim.setup(fidelity=fidelity, chip=2, merge=merge, quiet=True)
    # The same input again and again, to average the noise of the converter.
    n_events, interval = 5, 200.0
    times = (100.0 + interval * np.arange(n_events)).tolist()
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
    cells = sim.Population(
        N, getattr(sim, kind)(tau_m=15.0, tau_syn_E=5.0, tau_syn_I=8.0, cm=0.5, tau_refrac=2.0)
    )
    weight = 0.3 if kind == "IF_curr_exp" else 0.005 if receptor == "excitatory" else 0.02
    if kind == "IF_curr_exp" and receptor == "inhibitory":
        weight = -0.15
    sim.Projection(
        source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight),
        receptor_type=receptor,
    )  # fmt: skip
    cells.record("v")
    sim.run(100.0 + interval * n_events)
    (v,) = cells.get_data().segments[0].analogsignals
    v = np.asarray(v.magnitude)[1000:-1].reshape(n_events, -1, N).mean(axis=0)
    # Area: unlike the peak no noise adds to it. The second half of an interval is rest.
    half = len(v) // 2
    return (v[:half] - v[half:].mean(axis=0)).sum(axis=0) * 0.1


@pytest.mark.parametrize("merge", [1, 2])
@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
@pytest.mark.parametrize("kind", ["IF_curr_exp", "IF_cond_exp"])
def test_postsynaptic_potentials(kind, receptor, merge):
    exact = psp(kind, receptor, "ideal", merge)
    found = psp(kind, receptor, "emulated", merge)
    assert np.ptp(exact) < 1e-6 * abs(exact[0])
    if kind == "IF_curr_exp":
        charge, tau = (0.3, 5.0) if receptor == "excitatory" else (-0.15, 8.0)
        assert exact[0] == pytest.approx(charge * tau * 15.0 / 0.5, rel=0.02)
    ratio = found / exact
    assert abs(ratio.mean() - 1) < SYSTEMATIC + 5 * SPREAD / np.sqrt(N)
    if kind == "IF_curr_exp":
        # Conductances also depend on where each cell rests.
        assert 0.01 < ratio.std() < 2 * SPREAD


def test_rates():
    parameters = {"i_offset": 1.5, "tau_m": 12.0, "tau_refrac": 5.0, "v_reset": -66.0}
    sim.setup(chip=2, quiet=True)
    cells = sim.Population(N, sim.IF_curr_exp(**parameters))
    cells.record("spikes")
    sim.run(1000.0)
    counts = np.array([len(t) for t in cells.get_data().segments[0].spiketrains])
    limit = 1.5 * 12.0
    interval = 5.0 + 12.0 * np.log((limit + 1.0) / (limit - 15.0))
    # Threshold and leak are off by about 2 of 70 LSB each, near the limit of 84.
    assert counts.mean() == pytest.approx(1000.0 / interval, rel=0.1)
    assert 0.01 < counts.std() / counts.mean() < 0.35
