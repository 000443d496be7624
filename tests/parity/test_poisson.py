"""Poisson sources drawn on the host: statistics, and the same trains on every backend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cosim import backend
from cosim.backends.poisson import PoissonTrains, begin_setup
from tests.parity.networks import cell_parameters
from tests.parity.running import BRIAN2, H, assert_same_spikes, on_brian2, on_nest, spikes_of

FOREVER = 1e10


def trains_of(rate, start=0.0, duration=FOREVER, n=1, label="noise", seed=1, h=H):
    """Return new trains of `n` sources, the first of their label."""
    begin_setup("host")
    rate, start, duration, _ = np.broadcast_arrays(rate, start, duration, np.empty(n))
    parameters = {"rate": rate, "start": start, "duration": duration}
    return PoissonTrains(label, parameters, seed, h)


def by_source(spikes, n):
    return [spikes[spikes[:, 0] == k, 1] for k in range(n)]


# ---- statistics --------------------------------------------------------------------------------


def test_counts_have_mean_and_variance_of_a_poisson_process():
    n, seconds = 4000, 2.0
    rate = np.repeat([5.0, 40.0], n // 2)
    spikes = trains_of(rate).extend(round(seconds * 1000 / H), 0)
    counts = np.bincount(spikes[:, 0], minlength=n)
    for chosen, hz in ((slice(0, n // 2), 5.0), (slice(n // 2, n), 40.0)):
        mean, m = hz * seconds, n // 2
        # four standard errors
        assert abs(counts[chosen].mean() - mean) < 4 * np.sqrt(mean / m)
        assert abs(counts[chosen].var() - mean) < 4 * np.sqrt((mean + 2 * mean**2) / m)


def test_intervals_are_exponential():
    """On a grid so fine that it does not matter."""
    n, hz, h = 200, 50.0, 1e-3
    spikes = by_source(trains_of(hz, n=n, h=h).extend(round(1000.0 / h), 0), n)
    # The first 20 of each: what the end cuts off are long intervals rather than short ones.
    intervals = np.array([np.diff(train[:20], prepend=0) for train in spikes]) * h
    assert stats.kstest(intervals.ravel(), "expon", args=(0.0, 1000.0 / hz)).pvalue > 0.01
    correlation = np.corrcoef(intervals[:, :-1].ravel(), intervals[:, 1:].ravel())[0, 1]
    assert abs(correlation) < 4 / np.sqrt(19 * n)


def test_sources_populations_and_seeds_are_independent():
    """Counts in windows of 20 ms are uncorrelated."""
    n, windows, per_window = 40, 500, 200
    stop = windows * per_window
    runs = [
        trains_of(50.0, n=n, **other).extend(stop, segment)
        for other, segment in (({}, 0), ({"label": "other"}, 0), ({"seed": 2}, 0), ({}, 1))
    ]
    counts = np.zeros((len(runs) * n, windows))
    for k, spikes in enumerate(runs):
        np.add.at(counts, (k * n + spikes[:, 0], (spikes[:, 1] - 1) // per_window), 1)
    correlation = np.corrcoef(counts)[np.triu_indices(len(counts), 1)]
    # of standard normal numbers as many as here, the largest is below 5
    assert np.abs(correlation).max() < 5.5 / np.sqrt(windows)
    assert abs(correlation.std() * np.sqrt(windows) - 1) < 0.05


def test_a_source_spikes_once_per_step_and_loses_nothing():
    n, hz, seconds = 100, 4000.0, 1.0
    spikes = trains_of(hz, n=n).extend(round(seconds * 1000 / H), 0)
    for train in by_source(spikes, n):
        assert np.all(np.diff(train) >= 1)
    mean = hz * seconds
    assert abs(len(spikes) / n - mean) < 4 * np.sqrt(mean / n)


def test_start_and_duration():
    start, duration = np.array([0.0, 30.0, 55.55]), np.array([10.0, 20.0, FOREVER])
    trains = trains_of(2000.0, start, duration).extend(1000, 0)
    for k, train in enumerate(by_source(trains, 3)):
        end = min(start[k] + duration[k], 100.0)
        assert train[0] * H > start[k]
        # Spikes that found their step taken come later.
        assert train[-1] * H < end + 10 * H
        assert abs(len(train) - 2.0 * (end - start[k])) < 4 * np.sqrt(2.0 * (end - start[k]))


# ---- pieces ------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2000), max_size=8))
def test_pieces_make_up_the_whole(stops):
    parameters = {"rate": [0.0, 3.0, 100.0, 4000.0], "start": [0.0, 50.0, 20.0, 0.0]}
    whole = trains_of(**parameters).extend(2000, 0)
    trains = trains_of(**parameters)
    pieces = [trains.extend(stop, 0) for stop in (*sorted(stops), 2000)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    before = 0
    for stop, piece in zip((*sorted(stops), 2000), pieces, strict=True):
        assert np.all((piece[:, 1] > before) & (piece[:, 1] <= stop))
        before = stop


def test_a_changed_rate_counts_from_then_on():
    n = 50
    rate = np.full(n, 200.0)
    changed, same = trains_of(rate), trains_of(rate)
    np.testing.assert_array_equal(changed.extend(1000, 0), before := same.extend(1000, 0))
    assert len(before) > 800
    rate[:25] = 800.0
    changed.change(changed.parameters | {"rate": rate})
    after, unchanged = changed.extend(2000, 0), same.extend(2000, 0)
    assert after[:, 1].min() > 1000
    np.testing.assert_array_equal(after[after[:, 0] >= 25], unchanged[unchanged[:, 0] >= 25])
    assert abs((after[:, 0] < 25).sum() - 25 * 80) < 4 * np.sqrt(25 * 80)
    # The interval under way when the rate changed is not longer or shorter than others.
    first = np.array([after[after[:, 0] == k, 1][0] for k in range(25)]) * H - 100.0
    assert abs(first.mean() - 1.25) < 4 * 1.25 / 5 + H / 2


def test_before_the_first_run_a_changed_rate_gives_the_trains_of_that_rate():
    changed = trains_of(np.array([5.0, 5.0]))
    changed.change(changed.parameters | {"rate": np.array([5.0, 300.0])})
    expected = trains_of(np.array([5.0, 300.0])).extend(1000, 0)
    np.testing.assert_array_equal(changed.extend(1000, 0), expected)


def test_equal_labels_draw_different_numbers_in_a_fixed_order():
    def two():
        begin_setup("host")
        one = {"rate": np.array([300.0]), "start": np.zeros(1), "duration": np.full(1, FOREVER)}
        return [PoissonTrains("noise", one, 1, H).extend(1000, 0)[:, 1].tolist() for _ in range(2)]

    first, second = two()
    assert first != second
    assert [first, second] == two()


@pytest.mark.parametrize("rate", [-1.0, 5001.0, np.nan])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match=rf"'noise'.*rate={rate:g} Hz.*5000"):
        trains_of(np.array([1.0, rate]))


# ---- on the backends ---------------------------------------------------------------------------


def driven_cells(sim) -> dict[str, np.ndarray]:
    """Drive 50 cells by Poisson sources of different rates; the rates change between two runs.

    Sources of equal label, one without a label; the least delay is longer than a step.
    """
    rng = np.random.default_rng(29)
    sim.setup(timestep=H, rng_seed=10, poisson="host")
    cells = sim.Population(50, sim.IF_curr_exp(**cell_parameters("IF_curr_exp", 50, rng)))
    cells.initialize(v=-65.0)
    sources = [
        sim.Population(
            50,
            sim.SpikeSourcePoisson(
                rate=rng.uniform(0.0, 300.0, 50), start=rng.uniform(0.0, 50.0, 50), duration=350.0
            ),
            label=label,
        )
        for label in ("noise", "noise", None)
    ]  # fmt: skip
    for source in sources:
        sim.Projection(
            source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.3, delay=0.5),
            receptor_type="excitatory",
        )  # fmt: skip
        source.record("spikes")
    cells.record("spikes")
    if sim.capabilities.interactive:
        sim.run(150.0)
        sources[0].set(rate=100.0)
        sources[1][10:20].set(rate=rng.uniform(0.0, 500.0, 10), duration=200.0)
        assert sources[1][12:13].get("duration") == 200.0
        sim.run(50.0)
    sim.run_until(400.0)
    result = {f"source {k}": spikes_of(source) for k, source in enumerate(sources)}
    result["cells"] = spikes_of(cells)
    sim.end()
    return result


@pytest.mark.parametrize("way", BRIAN2[:2])
def test_the_same_trains_on_both_backends(way):
    expected, found = on_nest(driven_cells), on_brian2(driven_cells, way=way)
    for k in range(3):
        assert_same_spikes(found[f"source {k}"], expected[f"source {k}"], at_least=1500)
    assert_same_spikes(found["cells"], expected["cells"], at_least=500)


def one_run(sim) -> dict[str, np.ndarray]:
    """Run 50 sources."""
    sim.setup(timestep=H, rng_seed=10, poisson="host")
    source = sim.Population(50, sim.SpikeSourcePoisson(rate=100.0))
    source.record("spikes")
    sim.run(200.0)
    result = {"source": spikes_of(source)}
    sim.end()
    return result


@pytest.mark.parametrize("way", BRIAN2)
def test_the_same_trains_in_one_run(way):
    assert_same_spikes(on_brian2(one_run, way=way)["source"], on_nest(one_run)["source"], 900)


@pytest.mark.parametrize("name", ["nest", "brian2"])
@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_each_segment_has_other_trains(name):
    """Which are those of that segment, whenever the one before ended."""
    sim = backend(name)
    runs = []
    for first in (20.0, 50.0):
        sim.setup(timestep=H, rng_seed=10, poisson="host", t_flush=1.0)
        source = sim.Population(20, sim.SpikeSourcePoisson(rate=300.0), label="noise")
        source.record("spikes")
        for duration in (first, 50.0):
            sim.run(duration)
            if duration is first:
                sim.reset()
        runs.append([spikes_of(source, segment) for segment in range(2)])
    (short, second), (long, second_again) = runs
    np.testing.assert_array_equal(long[long[:, 0] <= 200], short)
    np.testing.assert_array_equal(second, second_again)
    assert len(second) > 200
    both = {*map(tuple, long.tolist())} & {*map(tuple, second.tolist())}
    assert len(both) < 0.1 * len(second)  # by chance, 3 %


@pytest.mark.parametrize("name", ["nest", "brian2"])
def test_an_unknown_option_is_refused(name):
    with pytest.raises(ValueError, match="poisson='hots', need 'native' .* or 'host'"):
        backend(name).setup(poisson="hots")
    backend(name).setup()


@pytest.mark.parametrize("name", ["nest", "brian2"])
def test_rates_are_checked_on_the_backends(name):
    sim = backend(name)
    sim.setup(timestep=H, poisson="host")
    source = sim.Population(3, sim.SpikeSourcePoisson(rate=4999.0), label="fast")
    with pytest.raises(sim.errors.InvalidParameterValueError, match="'fast': rate=6000 Hz"):
        source.set(rate=6000.0)
    np.testing.assert_array_equal(source.get("rate"), 4999.0)
