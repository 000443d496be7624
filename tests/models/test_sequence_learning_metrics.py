import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.sequence_learning import Connectivity, Parameters, Task
from models.sequence_learning.metrics import (
    Performance,
    count_predictive,
    count_spikes,
    performance,
    prediction_error,
)
from models.sequence_learning.recording import Events
from models.sequence_learning.simulation import summarise

N_E, RHO = 10, 4  # two predictive neurons make a prediction
B, C, E = 1, 2, 4


def parameters(episodes=1, sequence_set=("ADBE", "FDBC")):
    return Parameters(
        task=Task(sequence_set=sequence_set, episodes=episodes),
        connectivity=Connectivity(n_e=N_E, rho=RHO),
    )


def events(*pairs):
    times, senders = np.array(pairs, dtype=float).reshape(-1, 2).T
    return Events(times, senders.astype(np.int64))


def group(symbol, time, n=RHO):
    """Return `n` neurons of a subpopulation, all at one time."""
    return [(time, symbol * N_E + neuron) for neuron in range(n)]


NOTHING = events()
# Second-last elements (B) are shown at 110 and 330 ms, predictions read at 118 and 338 ms.
PERFECT = group(E, 115) + group(C, 335)


def test_perfect_prediction():
    result = performance(parameters(), NOTHING, events(*PERFECT))
    assert (result.error, result.false_positives, result.false_negatives) == (0, 0, 0)


def test_nothing_predicted():
    result = performance(parameters(), NOTHING, NOTHING)
    assert (result.error, result.false_positives, result.false_negatives) == (1, 0, 1)


def test_missing_prediction_counts_in_one_of_two_sequences():
    result = performance(parameters(), NOTHING, events(*group(E, 115)))
    assert (result.error, result.false_positives, result.false_negatives) == (0.5, 0, 0.5)


def test_extra_prediction_is_a_false_positive():
    result = performance(parameters(), NOTHING, events(*PERFECT, *group(C, 115)))
    assert (result.error, result.false_positives, result.false_negatives) == (0.5, 0.5, 0)


def test_swapped_predictions():
    result = performance(parameters(), NOTHING, events(*group(C, 115), *group(E, 335)))
    assert result.error == pytest.approx(math.sqrt(2))
    assert (result.false_positives, result.false_negatives) == (1, 1)


@pytest.mark.parametrize(("n", "error"), [(1, 1), (2, 0.5)])
def test_half_of_rho_predictive_neurons_make_a_prediction(n, error):
    assert performance(parameters(), NOTHING, events(*group(E, 115, n))).error == error


@pytest.mark.parametrize(
    ("onset", "predictive"),
    [(57.9, False), (58.0, False), (58.1, True), (118.0, True), (118.1, False)],
)
def test_dap_counts_from_its_onset_for_its_duration(onset, predictive):
    count = count_predictive(parameters(), np.array([118.0]), NOTHING, events((onset, 0)))
    assert count[0, 0] == predictive


@pytest.mark.parametrize(
    ("spike", "predictive"),
    [(114.9, True), (115.0, False), (116.0, False), (118.0, False), (118.1, True)],
)
def test_somatic_spike_ends_the_dap(spike, predictive):
    count = count_predictive(
        parameters(), np.array([118.0]), events((spike, 0)), events((115.0, 0))
    )
    assert count[0, 0] == predictive


def test_spike_of_another_neuron_does_not_end_the_dap():
    count = count_predictive(parameters(), np.array([118.0]), events((116, 1)), events((115, 0)))
    assert count[0, 0] == 1


def test_new_dap_after_an_aborted_one_counts_once():
    count = count_predictive(
        parameters(), np.array([118.0]), events((100, 0)), events((99, 0), (112, 0))
    )
    assert count.sum() == 1


def test_one_dap_may_cover_several_probes():
    count = count_predictive(
        parameters(), np.array([100.0, 120.0, 159.9, 160.0]), NOTHING, events((100, 25))
    )
    np.testing.assert_array_equal(count[:, 2], [1, 1, 1, 0])
    assert count.sum() == 3


def test_rounding_of_times_does_not_matter():
    onset = np.nextafter(118.0, np.inf)
    count = count_predictive(parameters(), np.array([118.0]), NOTHING, events((onset, 0)))
    assert count.sum() == 1


def test_episodes_are_evaluated_separately():
    second = [(time + 440, sender) for time, sender in PERFECT]
    result = performance(parameters(episodes=3), NOTHING, events(*second))
    np.testing.assert_array_equal(result.error, [1, 0, 1])


def test_relative_activity_counts_the_last_subpopulation_after_its_stimulus():
    # Last elements are shown at 150 (E) and 370 ms (C); the windows end 40 ms later.
    inside = group(E, 152, 4) + group(C, 389.9, 2)
    outside = group(E, 150) + group(E, 190) + group(C, 152) + group(B, 372) + group(E, 372)
    result = performance(parameters(), events(*inside, *outside), NOTHING)
    assert result.active == pytest.approx((0.4 + 0.2) / 2)


@given(
    hnp.arrays(bool, st.tuples(st.integers(1, 4), st.just(3), st.just(5))),
    hnp.arrays(np.int64, 3, elements=st.integers(0, 4)),
)
def test_error_is_the_distance_to_the_one_hot_target(predicted, target):
    error, false_positives, false_negatives = prediction_error(predicted, target)
    difference = predicted.astype(float) - np.eye(5)[target]
    np.testing.assert_allclose(error, np.linalg.norm(difference, axis=-1))
    np.testing.assert_allclose(error**2, false_positives + false_negatives)
    np.testing.assert_array_equal(false_positives, (difference > 0).sum(axis=-1))
    np.testing.assert_array_equal(false_negatives, (difference < 0).sum(axis=-1))


@st.composite
def dap_histories(draw):
    """Spikes and possible dAPs: of one neuron they never overlap, a spike ends one."""
    neurons = draw(st.lists(st.integers(0, 3 * N_E - 1), min_size=1, max_size=4, unique=True))
    daps, spikes = [], []
    for neuron in neurons:
        steps = draw(st.lists(st.integers(0, 3000), max_size=12, unique=True))
        spikes += [(step / 10, neuron) for step in steps]
        free = 0
        for step in sorted(draw(st.lists(st.integers(0, 3000), max_size=12, unique=True))):
            if step >= free:
                daps.append((step / 10, neuron))
                free = min([step + 600, *(s for s in steps if s >= step)]) + 1
    return events(*spikes), events(*daps)


@given(dap_histories(), st.lists(st.integers(0, 3500), min_size=1, max_size=5, unique=True))
def test_predictive_neurons_match_the_definition(history, probe_steps):
    spikes, daps = history
    probe = np.sort(probe_steps) / 10
    expected = np.zeros((len(probe), 3), dtype=int)
    for row, t in enumerate(probe):
        for onset, neuron in zip(daps.times, daps.senders, strict=True):
            own = spikes.times[spikes.senders == neuron]
            running = onset - 1e-6 < t < onset + 60 - 1e-6
            if running and not np.any((own > onset - 1e-6) & (own < t + 1e-6)):
                expected[row, neuron // N_E] += 1
    count = count_predictive(parameters(sequence_set=("ABC",)), probe, spikes, daps)
    np.testing.assert_array_equal(count, expected)


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 3 * N_E - 1)), max_size=40),
    st.lists(
        st.tuples(st.integers(0, 1100), st.integers(0, 500), st.integers(0, 2)),
        min_size=1,
        max_size=5,
    ),
)
def test_spike_counts_match_the_definition(spikes, windows):
    start, length, subpopulation = np.array(windows).T
    counts = count_spikes(
        parameters(sequence_set=("ABC",)),
        start=start / 10,
        stop=(start + length) / 10,
        subpopulation=subpopulation,
        spikes=events(*((step / 10, sender) for step, sender in spikes)),
    )
    expected = [
        sum(a < step < a + b and sender // N_E == k for step, sender in spikes)
        for a, b, k in windows
    ]
    np.testing.assert_array_equal(counts, expected)


def curves(error):
    error = np.array(error, dtype=float)
    return Performance(error, error, np.zeros_like(error), np.linspace(1, 0, len(error)))


@pytest.mark.parametrize(
    ("error", "first", "solution"),
    [
        ([1, 0, 0.5, 0, 0], 1, 3),
        ([0, 0, 0], 0, 0),
        ([1, 1, 0], 2, 2),
        ([1, 0, 0.5], 1, math.inf),
        ([1, 1], math.inf, math.inf),
    ],
)
def test_episodes_to_solution(error, first, solution):
    metrics = summarise(curves(error))
    assert metrics["first_error_free_episode"] == first
    assert metrics["episodes_to_solution"] == solution


def test_summary_of_the_last_episodes():
    metrics = summarise(curves([5] * 5 + [1] * 9 + [2]))
    assert metrics["prediction_error"] == metrics["false_positives"] == 2
    assert metrics["false_negatives"] == 0
    assert metrics["prediction_error_mean_last_10"] == pytest.approx(1.1)
    assert metrics["relative_active_neurons"] == pytest.approx(np.linspace(1, 0, 15)[-10:].mean())
