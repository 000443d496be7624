"""Spikes of sources: the time grid, Poisson statistics, loss on the link."""

import numpy as np
import pytest
from scipy import stats

from hw_targets.brainscales2.limits import BACKGROUND_RATE_MAX_HZ


@pytest.fixture
def network(pynn):
    pynn.setup()
    return pynn


def recorded(network, source, runtime):
    source.record("spikes")
    network.run(runtime)
    return [train.magnitude for train in source.get_data().segments[-1].spiketrains]


# ---- time grid ---------------------------------------------------------------------------------


def test_times_are_cut_off_to_the_grid(network):
    times = np.random.default_rng(2).uniform(0.0, 1.0, 500)
    # The last but one is on the grid but for rounding: 0.29 * 1000 * 125 = 36249.99...
    times = np.sort(np.append(times, [0.29, 0.999999999]))
    source = network.Population(1, network.cells.SpikeSourceArray(spike_times=times))
    (train,) = recorded(network, source, 1.0)
    expected = [int(time * 1000 * 125) / 125 / 1000 for time in times]
    np.testing.assert_array_equal(train, expected)


def test_times_outside_the_run_are_left_out(network):
    source = network.Population(
        1, network.cells.SpikeSourceArray(spike_times=[-0.1, 0.0, 0.1, 0.3])
    )
    (train,) = recorded(network, source, 0.3)
    np.testing.assert_allclose(train, [0.0, 0.1])


def test_times_need_not_be_sorted(network):
    source = network.Population(1, network.cells.SpikeSourceArray(spike_times=[0.2, 0.1]))
    (train,) = recorded(network, source, 0.3)
    np.testing.assert_allclose(train, [0.1, 0.2])


def test_each_event_is_in_one_snippet(network):
    times = 0.005 + 0.01 * np.arange(100)
    source = network.Population(1, network.cells.SpikeSourceArray(spike_times=times))
    source.record("spikes")
    for _ in range(3):
        network.run(0.1, network.RunCommand.APPEND)
    network.run(0.7)
    trains = [t.magnitude for t in source.get_data().segments[-1].spiketrains]
    assert [len(t) for t in trains] == [10, 10, 10, 70]
    np.testing.assert_allclose(np.concatenate(trains), times, atol=1.6e-5)


# ---- Poisson, outside the chip -----------------------------------------------------------------


def test_statistics_of_poisson_sources(network):
    np.random.seed(4)
    n, rate, start, duration = 300, 5e4, 0.2, 1.5
    source = network.Population(
        n, network.cells.SpikeSourcePoisson(start=start, rate=rate, duration=duration)
    )
    trains = recorded(network, source, 2.0)
    counts = np.array([len(train) for train in trains])
    expected = rate * duration * 1e-3
    # Mean and variance within four standard errors.
    assert abs(counts.mean() - expected) < 4 * np.sqrt(expected / n)
    assert abs(counts.var(ddof=1) - expected) < 4 * expected * np.sqrt(2 / (n - 1))
    times = np.concatenate(trains)
    assert start <= times.min() and times.max() < start + duration
    uniform = stats.uniform(start, duration)
    assert stats.kstest(times, uniform.cdf).pvalue > 1e-3


def test_poisson_trains_are_drawn_once(network):
    np.random.seed(5)
    source = network.Population(2, network.cells.SpikeSourcePoisson(start=0, rate=1e4, duration=1))
    first = recorded(network, source, 1.0)
    network.reset()
    network.run(1.0)
    again = [t.magnitude for t in source.get_data().segments[-1].spiketrains]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    network.reset()
    source[0:1].set(rate=1.1e4)
    network.run(1.0)
    changed = [t.magnitude for t in source.get_data().segments[-1].spiketrains]
    assert not np.array_equal(changed[0], first[0])
    np.testing.assert_array_equal(changed[1], first[1])


def test_poisson_numbers_follow_the_vendors(network):
    # Number of whole expected spikes, then uniform times, from numpy's global generator.
    np.random.seed(6)
    n = np.random.poisson(int(2.5 * (1e4 / 1000)))
    expected = np.sort(0.5 + np.random.rand(n) * 2.5)
    np.random.seed(6)
    source = network.Population(
        1, network.cells.SpikeSourcePoisson(start=0.5, rate=1e4, duration=2.5)
    )
    (train,) = recorded(network, source, 3.0)
    np.testing.assert_allclose(train, expected, atol=1.6e-5)


# ---- Poisson, on the chip ----------------------------------------------------------------------


@pytest.mark.parametrize("rate", [2e4, 1e6])
def test_statistics_of_on_chip_sources(network, rate):
    runtime, n = 2e4 / rate * 1e3 / 4, 4
    source = network.Population(n, network.cells.SpikeSourcePoissonOnChip(rate=rate, seed=1234))
    trains = recorded(network, source, runtime)
    expected = rate * runtime * 1e-3
    # Rate registers of 8 and 16 bit meet the rate within half a period.
    period, probability, _ = source.celltype.generator()
    set_rate = 125e6 / period * probability / n
    assert set_rate == pytest.approx(rate, rel=0.5 / period + 1e-3)
    for train in trains:
        assert abs(len(train) - set_rate / rate * expected) < 4 * np.sqrt(expected)
        intervals = np.diff(train)
        # A period of the generator is too short to be seen: at most 2 % of the mean interval.
        assert period / 125e3 < 0.02 * intervals.mean()
        dithered = intervals + np.random.default_rng(1).uniform(0, period / 125e3, intervals.size)
        exponential = stats.expon(scale=n * period / 125e3 / probability)
        assert stats.kstest(dithered, exponential.cdf).pvalue > 1e-3


def test_on_chip_sources_follow_their_seed(network):
    def run(seed):
        network.setup()
        source = network.Population(2, network.cells.SpikeSourcePoissonOnChip(rate=1e5, seed=seed))
        return np.concatenate(recorded(network, source, 1.0))

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_on_chip_sources_go_on_in_the_next_snippet(network):
    source = network.Population(1, network.cells.SpikeSourcePoissonOnChip(rate=2e6, seed=1))
    source.record("spikes")
    expected = []
    for rate in (2e6, 5e5):
        source.set(rate=rate)
        network.run(1.0, network.RunCommand.APPEND)
        period, probability, _ = source.celltype.generator()
        expected.append(125e3 / period * probability)
    network.run(None)
    first, second = (t.magnitude for t in source.get_data().segments[-1].spiketrains)
    for train, n in zip((first, second), expected, strict=True):
        assert abs(len(train) - n) < 4 * np.sqrt(n)
    assert first.max() <= 1.0 and second.min() >= 1.0 and second.max() <= 2.0


def test_both_neurons_receive_the_same_events(pynn):
    pynn.setup(enable_neuron_bypass=True)
    first, second = (pynn.Population(1, pynn.cells.HXNeuron()) for _ in range(2))
    source = pynn.Population(2, pynn.cells.SpikeSourcePoissonOnChip(rate=2e4, seed=1234))
    for neurons in (first, second):
        neurons.record("spikes")
        pynn.Projection(source, neurons, pynn.OneToOneConnector(),
                        synapse_type=pynn.synapses.StaticSynapse(weight=63))  # fmt: skip
    pynn.run(100.0)
    trains = [n.get_data().segments[-1].spiketrains[0].magnitude for n in (first, second)]
    np.testing.assert_array_equal(*trains)
    assert abs(len(trains[0]) - 2000) < 5 * np.sqrt(2000)


def test_the_fastest_on_chip_source(network):
    source = network.Population(
        2, network.cells.SpikeSourcePoissonOnChip(rate=BACKGROUND_RATE_MAX_HZ / 2, seed=1)
    )
    trains = recorded(network, source, 0.1)
    # An event in each cycle, for one of two.
    assert sum(len(train) for train in trains) == 12500
    network.reset()
    source.set(rate=BACKGROUND_RATE_MAX_HZ / 2 * 1.01)
    with pytest.raises(RuntimeError, match="can not be realized"):
        network.run(0.1)


def test_on_chip_sources_of_a_population_are_alike(network):
    source = network.Population(2, network.cells.SpikeSourcePoissonOnChip(rate=[1e4, 2e4], seed=1))
    with pytest.raises(ValueError, match="share one generator"):
        network.run(0.1)
    source.set(rate=1e4, seed=[1, 2])
    with pytest.raises(ValueError, match="seed"):
        network.run(0.1)


def test_number_of_on_chip_sources(network):
    for seed in range(4):
        network.Population(3, network.cells.SpikeSourcePoissonOnChip(rate=1e4, seed=seed + 1))
    network.run(None, network.RunCommand.PREPARE)
    network.Population(3, network.cells.SpikeSourcePoissonOnChip(rate=1e4, seed=9))
    with pytest.raises(RuntimeError, match="Placement unsuccessful"):
        network.run(None, network.RunCommand.PREPARE)


# ---- loss --------------------------------------------------------------------------------------


def test_events_get_lost_on_the_link(pynn):
    pynn.configure(chip=1, spike_loss=0.1)
    pynn.setup(enable_neuron_bypass=True)
    n = 4000
    neurons = pynn.Population(1, pynn.cells.HXNeuron())
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=0.01 * np.arange(n)))
    pynn.Projection(source, neurons, pynn.AllToAllConnector(),
                    synapse_type=pynn.synapses.StaticSynapse(weight=63))  # fmt: skip
    neurons.record("spikes")
    pynn.run(0.01 * n)
    arrived = len(neurons.get_data().segments[-1].spiketrains[0])
    # On the way in, and on the way out.
    expected = 0.9**2
    assert abs(arrived / n - expected) < 4 * np.sqrt(expected * (1 - expected) / n)
