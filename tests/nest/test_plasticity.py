"""The memristive synapse of the NEST extension; what it computes: tests/backends, test_contract."""

import numpy as np
import pytest

import cosim.backends.nest as sim
from devices import Memristor, Update

H = 0.1
DELAY = 2.0
# Counts writes, drifts, and wears out after a few of them.
DEVICE = Memristor(
    on_off_ratio=10.0, sigma_d2d_gain=0.1, endurance=30.0, drift_nu=0.1, drift_t0_s=0.001,
    sigma_c2c=0.02, sigma_write=0.05, update=Update(law="linear", step_up=0.02, step_down=0.01),
)  # fmt: skip
N_PRE, N_POST = 6, 3


def network(device, threads=1):
    """Spikes of sources and of neurons at random times."""
    rng = np.random.default_rng(2)
    sim.setup(timestep=H, rng_seed=8, threads=threads, t_flush=300.0)
    trains = [np.round(np.sort(rng.uniform(2.0, 190.0, 15)), 1).tolist() for _ in range(N_PRE)]
    kicks = [np.round(np.arange(10.0 + i, 190.0, 15.0), 1).tolist() for i in range(N_POST)]
    cells = sim.Population(N_POST, sim.IF_curr_exp_dAP(tau_syn_E=0.1, tau_refrac=1.0))
    sim.Projection(
        sim.Population(N_POST, sim.SpikeSourceArray(spike_times=kicks)), cells,
        sim.OneToOneConnector(), sim.StaticSynapse(weight=100.0, delay=DELAY),
        receptor_type="excitatory",
    )  # fmt: skip
    sources = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=trains))
    synapse = sim.MemristiveSTDP(
        device=device, permanence=0.2, delay=DELAY, lambda_plus=0.1, lambda_minus=0.02
    )
    return sim.Projection(sources, cells, sim.AllToAllConnector(), synapse, label="plastic")


NAMES = ("weight", "permanence", "n_events", "n_set", "n_reset")


def test_a_synapse_takes_one_cache_line():
    """Memory and speed of large networks depend on it; the device does not add to it."""
    for device in (Memristor(), DEVICE):
        synapses = network(device)
        status = sim.nest.GetConnections(synapse_model=synapses.nest_synapse_model).get()
        assert set(status["sizeof"]) == {56}


def test_writes_are_counted_only_where_they_matter():
    for device in (Memristor(sigma_c2c=0.1), Memristor(drift_nu=0.1)):
        with pytest.raises(ValueError, match="n_set is not counted.*endurance.*e_set_pj"):
            network(device).get("n_set", "list")
    for device in (Memristor(endurance=1e6), Memristor(e_set_pj=1.0), Memristor(v_reset=1.0)):
        synapses = network(device)
        sim.run(200.0)
        n_events, n_set, n_reset = synapses.read("n_events", "n_set", "n_reset")
        np.testing.assert_array_equal(n_set + n_reset, n_events)  # without pulses
        assert n_set.all() and n_reset.all()


def test_number_of_threads_does_not_matter():
    """Each keeps the histories of its own devices."""
    found = []
    for threads in (1, 2, 3):
        synapses = network(DEVICE, threads)
        sim.run(100.0)
        middle = synapses.read(*NAMES)
        sim.run(100.0)
        found.append([middle, synapses.read(*NAMES)])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    assert np.sum(found[0][1][3:], axis=0).all()


def test_reading_does_not_write():
    """Shown are events that NEST has still to compute; they happen once."""
    synapses = network(DEVICE)
    sim.run(200.0)
    expected = synapses.read(*NAMES)
    synapses = network(DEVICE)
    for t in range(5, 201, 5):
        sim.run_until(float(t))
        found = synapses.read(*NAMES)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_reset_makes_new_devices():
    """Never written, and as young as at the beginning."""
    synapses = network(DEVICE)
    before = synapses.read(*NAMES)
    sim.run(200.0)
    first = synapses.read(*NAMES)
    sim.reset()
    np.testing.assert_array_equal(synapses.read(*NAMES), before)
    sim.run(200.0)
    again = synapses.read(*NAMES)
    np.testing.assert_allclose(again[:2], first[:2], rtol=1e-9)
    np.testing.assert_array_equal(again[2:], first[2:])
