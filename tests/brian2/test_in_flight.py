"""Several spikes under way at once: each arrives with the value that it was sent with."""

import numpy as np
import pytest

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest_sim
from devices import Memristor, noise

H = 0.1
SEED, LABEL = 7, "s"


def memristive(backend, synapse, n, *, pre, delays, cell, kicks=(), initial=0.0):
    """Connect one source to `n` neurons, which are kicked at times that differ."""
    backend.setup(timestep=H, rng_seed=SEED)
    stimulus = backend.Population(1, backend.SpikeSourceArray(spike_times=pre))
    cells = backend.Population(n, backend.IF_curr_exp_dAP(**cell))
    cells.initialize(dAP_trace=initial)
    rows = [(0, i, delay) for i, delay in enumerate(delays)]
    synapses = backend.Projection(
        stimulus, cells, backend.FromListConnector(rows, column_names=["delay"]), synapse,
        label=LABEL,
    )  # fmt: skip
    if len(kicks):
        sources = backend.Population(n, backend.SpikeSourceArray(spike_times=list(kicks)))
        backend.Projection(
            sources, cells, backend.OneToOneConnector(),
            backend.StaticSynapse(weight=100.0, delay=H), receptor_type="excitatory",
        )  # fmt: skip
    return stimulus, cells, synapses


# ---- from the source to the neuron -------------------------------------------------------------


def test_each_spike_arrives_with_its_own_weight():
    """The current is the sum of one alpha function for each spike, with its own read noise."""
    delays = np.array([0.1, 0.4, 0.5, 0.6, 2.0, 3.7])
    pre = np.cumsum(np.random.default_rng(2).choice([0.5, 0.6, 1.3], 40))
    signals = []
    for backend in (sim, nest_sim):
        synapse = backend.MemristiveSTDP(
            device=Memristor(sigma_read=0.3, on_off_ratio=10.0), permanence=0.4, w_max=0.01,
            lambda_minus=0.0,
        )  # fmt: skip
        cell = {"theta_dAP": 1e3, "v_thresh": 1e3}
        _, cells, synapses = memristive(backend, synapse, 6, pre=pre, delays=delays, cell=cell)
        cells.record("i_dend")
        backend.run(50.0)
        signals.append(cells.get_data().segments[0].analogsignals[0].magnitude)
    n = np.arange(40)
    key = noise.noise_key(SEED, LABEL)
    t = H * np.arange(501)[:, None]
    for i, delay in enumerate(delays):
        read = 1 + 0.3 * noise.normal(key, np.full(40, i), n, noise.Stream.READ)
        weights = (0.001 + 0.009 * 0.4) * np.maximum(read, 0)
        since = np.maximum(t - pre - delay, 0)
        expected = (weights * np.e * since / 5 * np.exp(-since / 5)).sum(axis=1)
        np.testing.assert_allclose(signals[0][:, i], expected, rtol=1e-9, atol=1e-15)
        assert expected.max() > 0.01
    np.testing.assert_allclose(signals[0], signals[1], rtol=1e-12, atol=1e-18)


# ---- from the neuron back to the synapse -------------------------------------------------------


def changing_traces(backend):
    """Neurons whose dAP trace differs from spike to spike, with up to 7 spikes under way."""
    # Multiples of the interval between spikes, too: one arrives when the next takes place.
    delays = np.array([0.1, 0.5, 0.6, 1.2, 1.8, 2.0, 3.6, 3.7])
    rng = np.random.default_rng(4)
    regular = np.arange(5.0, 60.0, 0.6)
    kicks = [regular[rng.random(regular.size) < 0.9] for _ in delays]
    pre = np.cumsum(rng.choice([0.7, 2.1, 4.0], 20))
    synapse = backend.MemristiveSTDP(
        permanence=0.1, w_max=0.02, lambda_plus=0.0005, lambda_h=0.003, lambda_minus=0.001,
        dt_min=0.3, dt_max=30.0, tau_plus=8.0,
    )  # fmt: skip
    cell = {"tau_refrac": 0.5, "tau_syn_E": 0.1, "tau_h": 20.0}
    _, cells, synapses = memristive(
        backend, synapse, 8, pre=pre, delays=delays, cell=cell, kicks=kicks, initial=3.0
    )
    cells.record("spikes")
    synapses.set(permanence=0.5)
    return cells, synapses


def test_each_postsynaptic_spike_arrives_with_its_own_trace():
    found = []
    for backend in (sim, nest_sim):
        cells, synapses = changing_traces(backend)
        states = []
        for t in (20.0, 40.0, 60.0):
            backend.run_until(t)
            states.append(synapses.read("permanence", "n_events"))
        trains = cells.get_data().segments[0].spiketrains
        found.append((np.array(states), [np.round(t.magnitude, 6).tolist() for t in trains]))
    (ours, our_spikes), (theirs, their_spikes) = found
    assert our_spikes == their_spikes
    assert min(map(len, our_spikes)) > 60
    np.testing.assert_array_equal(ours[:, 1], theirs[:, 1])
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], rtol=1e-12)
    assert ours[-1, 1].min() > 30
    assert np.unique(np.round(ours[-1, 0], 6)).size == 8


def test_what_is_under_way_is_forgotten_when_time_goes_back():
    """Spikes that have not arrived at a reset never do, and no value waits for them."""
    cells, synapses = changing_traces(sim)
    ends = []
    for duration in (21.3, 30.0, 7.9, 30.0):
        sim.run(duration)
        ends.append(synapses.get(["permanence", "n_events"], "list"))
        sim.reset()
    assert ends[1] == ends[3]
    assert ends[0] != ends[1]


def test_what_is_under_way_keeps_its_delay_when_the_delay_is_set():
    signals = []
    for backend in (sim, nest_sim):
        synapse = backend.MemristiveSTDP(
            device=Memristor(sigma_read=0.3), permanence=1.0, w_max=0.01
        )
        _, cells, synapses = memristive(
            backend, synapse, 2, pre=[5.0, 9.0, 9.5, 14.0, 14.5], delays=[3.0, 2.5], cell={}
        )
        cells.record("i_dend")
        backend.run(6.0)
        synapses.set(delay=2.7)  # NEST wants it between the delays in use
        backend.run(24.0)
        signals.append(cells.get_data().segments[0].analogsignals[0].magnitude)
    np.testing.assert_allclose(signals[0], signals[1], rtol=1e-12, atol=1e-18)
    assert [np.flatnonzero(cell)[0] for cell in signals[0].T] == [81, 76]


# ---- how many can be under way -----------------------------------------------------------------


def projection(source, delay, *, cell=None):
    sim.setup(timestep=H)
    pre = sim.Population(2, source, label="sources")
    post = sim.Population(2, sim.IF_curr_exp_dAP(theta_dAP=1e3, **cell or {}), label="cells")
    post.record("i_dend")
    synapse = sim.MemristiveSTDP(delay=delay, permanence=1.0, w_max=0.01)
    connected = sim.Projection(pre, post, sim.AllToAllConnector(), synapse, label="ee")
    return pre, post, connected


def arrivals(post):
    """Return how many spikes each cell has received, from the alpha currents they made."""
    current = post.get_data().segments[0].analogsignals[0].magnitude
    alpha = (1 / 5) * np.e * H * np.exp(-H / 5)  # one step after the arrival of a weight of 1
    change = current[1:] - current[:-1] * 2 * np.exp(-H / 5)
    change[1:] += current[:-2] * np.exp(-2 * H / 5)
    return np.rint(change.sum(axis=0) / (alpha * 0.01)).tolist()


def test_too_many_are_refused():
    pre, _, _ = projection(sim.SpikeSourcePoisson(rate=10.0), delay=10.1)
    with pytest.raises(ValueError, match=r"Projection 'ee': delay=10\.1 ms, and cells of") as error:
        sim.run(1.0)
    for part in ("'sources' may spike every 0.1 ms", "at most 100 spikes under way", "Shorten"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    "source",
    [
        lambda: sim.SpikeSourcePoisson(rate=10.0),
        lambda: sim.IF_curr_exp(tau_refrac=0.0),
        lambda: sim.SpikeSourceArray(spike_times=[1.0, 1.1]),
    ],
    ids=["Poisson", "cells", "array"],
)
def test_limit_depends_on_the_shortest_interval(source):
    projection(source(), delay=9.9)
    sim.run(0.1)
    projection(source(), delay=10.5)
    with pytest.raises(ValueError, match="under way"):
        sim.run(0.1)


def test_long_delays_of_sources_that_spike_rarely():
    _, post, _ = projection(sim.SpikeSourceArray(spike_times=[5.0]), delay=30.0)
    sim.run(40.0)
    assert arrivals(post) == [2, 2]


def test_intervals_may_be_shortened_before_the_first_run():
    pre, post, _ = projection(sim.SpikeSourceArray(spike_times=[5.0, 15.0]), delay=3.0)
    pre.set(spike_times=[5.0, 5.5, 6.0, 6.7])
    sim.run(20.0)
    assert arrivals(post) == [8, 8]


def test_times_of_the_next_trial_may_be_set_later():
    pre, post, _ = projection(sim.SpikeSourceArray(spike_times=[]), delay=3.0)
    sim.run(5.0)
    pre.set(spike_times=[6.0, 6.5, 7.0, 7.1])
    sim.run(15.0)
    assert arrivals(post) == [8, 8]


def test_shorter_intervals_than_at_the_first_run_are_noticed():
    pre, post, ee = projection(sim.SpikeSourceArray(spike_times=[5.0, 15.0]), delay=3.0)
    sim.run(1.0)
    pre.set(spike_times=[5.0, 5.5])
    with pytest.raises(ValueError, match="MemristiveSTDP 'ee': 6 spikes of one cell of 'sources'"):
        sim.run(10.0)
    pre.set(spike_times=[5.0])
    sim.run(1.0)
    pre.set(spike_times=[5.0, 9.0])
    ee.set(delay=4.5)
    with pytest.raises(ValueError, match="2 spikes of one cell .* at the first run it was 1"):
        sim.run(10.0)


def test_shorter_refractory_periods_than_at_the_first_run_are_noticed():
    source = sim.SpikeSourceArray(spike_times=[5.0, 15.0])
    _, post, _ = projection(source, delay=3.0, cell={"tau_refrac": 5.0})
    sim.run(1.0)
    post.set(tau_refrac=3.0)
    sim.run(1.0)
    post.set(tau_refrac=1.0)
    with pytest.raises(ValueError, match="3 spikes of one cell of 'cells' can be under way"):
        sim.run(10.0)
