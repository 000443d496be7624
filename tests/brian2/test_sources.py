"""Spike sources on Brian2: when they spike, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import Sequence
from scipy.stats import chi2

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest
from cosim.backends.brian2.sources import steps_of

H = 0.1


def trains(population, segment=-1):
    block = population.get_data("spikes")
    return [train.magnitude.tolist() for train in block.segments[segment].spiketrains]


def emitted(backend, times, duration=5.0):
    backend.setup(timestep=H)
    sources = backend.Population(2, backend.SpikeSourceArray(spike_times=times))
    sources.record("spikes")
    backend.run(duration)
    return trains(sources)


@pytest.mark.parametrize(
    "times",
    [
        [0.1, 0.2, 1.0, 4.9, 5.0],
        [0.05, 1.0],
        [1.001, 1.15, 1.25],  # between steps
        [1.0000001, 2.0004],  # NEST's unit of time is 0.001 ms
        [-1.0, 1.0],
        [4.95, 5.05, 6.0],  # the last two after the end
        [],
    ],
)
def test_spike_times_are_those_of_nest(times):
    found = emitted(sim, times)
    np.testing.assert_allclose(found, emitted(nest, times), atol=1e-12)
    assert found == [np.round(train, 9).tolist() for train in found]  # no 0.30000000000000004


@given(st.lists(st.integers(1, 99_999), unique=True), st.sampled_from([0.1, 0.25, 0.05, 0.001]))
@settings(max_examples=50)
def test_a_time_on_the_grid_is_its_own_step(steps, h):
    assert steps_of(np.array(steps) * h, h).tolist() == steps


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([2.0, 1.0], "increasing order: source 0 of population 'in'"),
        ([0.0, 1.0], "'in': spike_times of source 0 contain 0 ms; the first possible .* 0.1 ms"),
        ([1.01, 1.09], "source 0 have more than one spike in the time step that ends at 1.1 ms"),
    ],
)
def test_impossible_spike_times_are_refused(times, message):
    sim.setup(timestep=H)
    with pytest.raises(InvalidParameterValueError, match=message):
        sim.Population(1, sim.SpikeSourceArray(spike_times=times), label="in")
    sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[3.0]), label="in")
    with pytest.raises(InvalidParameterValueError, match=message):
        sources.set(spike_times=times)
    sources.record("spikes")
    sim.run(5.0)
    assert trains(sources) == [[3.0]]


def test_spike_times_set_between_runs():
    sim.setup(timestep=H)
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0, 6.0]))
    sources.record("spikes")
    sim.run(5.0)
    sources[1:].set(spike_times=[Sequence([4.0, 5.0, 5.1, 7.0]), Sequence([])])
    sim.run(5.0)
    # what is not later than the present never takes place
    assert trains(sources) == [[1.0, 6.0], [1.0, 5.1, 7.0], [1.0]]
    times = [sequence.value.tolist() for sequence in sources.get("spike_times")]
    assert times == [[1.0, 6.0], [4.0, 5.0, 5.1, 7.0], []]


def test_all_spikes_come_again_after_a_reset():
    sim.setup(timestep=H)
    sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 6.0]))
    sources.record("spikes")
    sim.run(5.0)
    sources.set(spike_times=[2.0, 3.0, 8.0])
    sim.reset()
    sim.run(4.0)
    sim.run(6.0)
    assert trains(sources, 0) == [[1.0]]
    assert trains(sources, 1) == [[2.0, 3.0, 8.0]]


def test_sources_made_during_a_simulation():
    sim.setup(timestep=H)
    early = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 6.0]))
    early.record("spikes")
    sim.run(5.0)
    late = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 6.0]))
    late.record("spikes")
    sim.run(5.0)
    assert trains(early) == [[1.0, 6.0]]
    assert trains(late) == [[6.0]]


# ---- Poisson -----------------------------------------------------------------------------------


def poisson(seed=1, duration=2000.0, **parameters):
    sim.setup(timestep=H, rng_seed=seed)
    sources = sim.Population(50, sim.SpikeSourcePoisson(**parameters))
    sources.record("spikes")
    sim.run(duration)
    return trains(sources)


def test_poisson_rates():
    rates = np.repeat([5.0, 50.0, 200.0], [10, 20, 20])
    counts = np.array([len(train) for train in poisson(rate=rates)])
    for rate in np.unique(rates):
        mean = rate * 2.0
        several = counts[rates == rate]
        # one spike per step at most: the variance is that of a binomial distribution
        dispersion = np.sum((several - mean) ** 2) / (mean * (1 - rate * H / 1000))
        assert chi2.sf(dispersion, several.size) > 1e-4
        assert chi2.cdf(dispersion, several.size) > 1e-4


def test_poisson_sources_are_active_from_start_for_their_duration():
    start, duration = np.linspace(0.0, 49.0, 50), np.linspace(1.0, 50.0, 50)
    sim.setup(timestep=H)
    sources = sim.Population(
        50, sim.SpikeSourcePoisson(rate=1000.0, start=start, duration=duration)
    )
    sources.record("spikes")
    sim.run(200.0)
    found = trains(sources)
    for train, first, length in zip(found, start, duration, strict=True):
        # the first spike may come at the end of the step that begins at `start`
        assert not train or first < min(train) and max(train) <= first + length + 1e-9
    first_steps = [min(t) - s for t, s in zip(found, start, strict=True) if t]
    assert np.min(first_steps) == pytest.approx(H)


def test_poisson_spikes_follow_from_the_seed():
    assert poisson(seed=1, rate=100.0) == poisson(seed=1, rate=100.0)
    assert poisson(seed=1, rate=100.0) != poisson(seed=2, rate=100.0)


def test_poisson_parameters_set_between_runs():
    sim.setup(timestep=H)
    sources = sim.Population(4, sim.SpikeSourcePoisson(rate=0.0))
    sources.record("spikes")
    sim.run(50.0)
    sources[2:].set(rate=500.0)
    sim.run(200.0)
    assert sources.get("rate").tolist() == [0.0, 0.0, 500.0, 500.0]
    counts = [len(train) for train in trains(sources)]
    assert counts[:2] == [0, 0] and min(counts[2:]) > 50
    assert min(trains(sources)[2]) > 50.0


def test_a_rate_that_needs_several_spikes_per_step_is_refused():
    sim.setup(timestep=H)
    with pytest.raises(InvalidParameterValueError, match="rate=2000 of cell 0, need at most 1000 "):
        sim.Population(1, sim.SpikeSourcePoisson(rate=2000.0))
    sim.setup(timestep=0.01)
    sim.Population(1, sim.SpikeSourcePoisson(rate=2000.0))
