"""Spike sources."""

import numpy as np
import pytest
from pyNN import errors

from cosim.testing.backend.base import Contract, Simulator, source, spikes

# The first step, decimals that are no binary fractions, and late times.
_TIMES = [0.1, 0.2, 0.3, 1.0, 1.1, 2.0, 5.7, 61.3, 69.9]


class SpikeSourceContract(Contract):
    """`SpikeSourceArray`, Poisson and gamma processes."""

    def test_given_times(self, sim: Simulator) -> None:
        """Each source has its own; times between steps count at the next one."""
        sim.setup()
        sources = source(sim, [_TIMES, [], [1.03, 2.0, 3.0999]], 3)
        sources.record("spikes")
        sim.run(70.0)
        assert spikes(sources) == [[1, 2, 3, 10, 11, 20, 57, 613, 699], [], [11, 20, 31]]

    def test_given_times_can_be_changed_between_runs(self, sim: Simulator) -> None:
        """Only of some sources, too."""
        sim.need("interactive")
        sim.setup()
        sources = source(sim, [[1.0, 30.0], [2.0]], 2)
        sources.record("spikes")
        found = [np.ravel(times.value).tolist() for times in sources.get("spike_times")]
        assert found == [[1.0, 30.0], [2.0]]
        sim.run(10.0)
        sources[1:2].set(spike_times=[15.0])
        sim.run(10.0)
        sources.set(spike_times=[22.0, 25.0])
        sim.run(10.0)
        assert spikes(sources) == [[10, 220, 250], [20, 150, 220, 250]]

    def test_unsorted_times_are_refused(self, sim: Simulator) -> None:
        """When the population is made."""
        sim.setup()
        with pytest.raises(errors.InvalidParameterValueError, match="order"):
            source(sim, [2.0, 1.0])

    def test_poisson_rate(self, sim: Simulator) -> None:
        """Mean and variance of the counts, for a rate of each source's own, from start to stop."""
        sim.setup(min_delay=0.1, rng_seed=11)
        n, duration, start = 400, 150.0, 50.0
        rate = np.repeat([20.0, 80.0], n // 2)
        sources = sim.Population(
            n, sim.SpikeSourcePoisson(rate=rate, start=start, duration=duration)
        )
        sources.record("spikes")
        sim.run(250.0)
        found = spikes(sources)
        every = np.concatenate(found)
        assert every.min() > start / 0.1
        # a simulator may draw a spike one step after it happens
        assert every.max() <= (start + duration) / 0.1 + 2
        counts = np.array([len(train) for train in found])
        for chosen, hz in ((slice(0, n // 2), 20.0), (slice(n // 2, n), 80.0)):
            mean = hz * duration / 1000
            # five standard errors of a Poisson distribution's mean and variance
            assert abs(counts[chosen].mean() - mean) < 5 * np.sqrt(mean / (n / 2))
            error = np.sqrt((mean + 2 * mean**2) / (n / 2))
            assert abs(counts[chosen].var() - mean) < 5 * error

    def test_poisson_sources_are_independent(self, sim: Simulator) -> None:
        """Of each other, in one population and between populations."""
        sim.setup(rng_seed=12)
        sources = [sim.Population(10, sim.SpikeSourcePoisson(rate=100.0)) for _ in range(2)]
        for population in sources:
            population.record("spikes")
        sim.run(200.0)
        trains = [tuple(train) for population in sources for train in spikes(population)]
        assert len(set(trains)) == 20

    @pytest.mark.parametrize(
        ("cell_type", "parameters", "mean", "cv"),
        [
            ("SpikeSourcePoissonRefractory", {"rate": 100.0, "tau_refrac": 5.0}, 10.0, 0.5),
            ("SpikeSourceGamma", {"alpha": 4.0, "beta": 400.0}, 10.0, 0.5),
        ],
    )
    def test_intervals_of_renewal_processes(
        self, sim: Simulator, cell_type: str, parameters: dict[str, float], mean: float, cv: float
    ) -> None:
        """Mean and coefficient of variation of the intervals."""
        sim.setup(rng_seed=13)
        sources = sim.Population(30, getattr(sim, cell_type)(**parameters))
        sources.record("spikes")
        sim.run(1000.0)
        intervals = 0.1 * np.concatenate([np.diff(train) for train in spikes(sources)])
        n = len(intervals)
        assert n > 2000
        # five standard errors; that of the deviation is at most that of an exponential's
        assert abs(intervals.mean() - mean) < 5 * cv * mean / np.sqrt(n) + 0.1
        assert abs(intervals.std() / intervals.mean() - cv) < 5 * np.sqrt(2 / n)
