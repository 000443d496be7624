import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequence_learning import Task, training_stimulus
from models.sequence_learning.stimulus import schedule

sequences = st.lists(
    st.text("ABCDEF", min_size=2, max_size=6), min_size=1, max_size=4, unique=True
).map(tuple)


def test_onsets_of_set_one():
    shown = schedule(Task(episodes=3))
    expected = np.array([30, 70, 110, 150, 250, 290, 330, 370])
    np.testing.assert_array_equal(shown.onset, [expected, expected + 440, expected + 880])
    np.testing.assert_array_equal(shown.symbol, [0, 3, 1, 4, 5, 3, 1, 2])
    np.testing.assert_array_equal(shown.first, [0, 4])
    np.testing.assert_array_equal(shown.last, [3, 7])


def test_source_of_each_symbol_fires_when_the_symbol_is_shown():
    external = training_stimulus(Task(episodes=2)).external
    assert [list(times) for times in external] == [
        [30, 470],  # A
        [110, 330, 550, 770],  # B
        [370, 810],  # C
        [70, 290, 510, 730],  # D
        [150, 590],  # E
        [250, 690],  # F
    ]


def test_first_elements_of_set_three_are_primed_20_ms_earlier():
    stimulus = training_stimulus(Task(sequence_set="III", episodes=1))
    firsts = dict(zip("ELGFBA", 10 + 260 * np.arange(6), strict=True))
    for letter, times in zip("ABCDEFGHIJKLMN", stimulus.primer, strict=True):
        assert list(times) == ([firsts[letter]] if letter in firsts else [])


def test_priming_is_only_the_default_of_set_three():
    assert training_stimulus(Task(sequence_set="II")).primer is None
    assert training_stimulus(Task(sequence_set="III", sparse_first_char=False)).primer is None
    assert training_stimulus(Task(sparse_first_char=True)).primer is not None


def test_repeated_symbol_in_a_sequence():
    external = training_stimulus(Task(sequence_set=("ABAB",), episodes=1)).external
    assert [list(times) for times in external] == [[30, 110], [70, 150]]


def test_onsets_stay_on_the_grid():
    task = Task(delta_t=40.1, delta_t_seq=100.3, t_start=30.1, episodes=400)
    steps = schedule(task).onset / 0.1
    assert np.abs(steps - np.rint(steps)).max() < 1e-6
    # The decimal number itself, not one that 400 additions have moved.
    assert schedule(task).onset[-1, 0] == round(30.1 + 399 * task.episode_duration, 9)


@given(sequences, st.integers(1, 5), st.integers(20, 80), st.integers(80, 200))
def test_schedule_properties(sequence_set, episodes, delta_t, delta_t_seq):
    task = Task(
        sequence_set=sequence_set, episodes=episodes, delta_t=delta_t, delta_t_seq=delta_t_seq
    )
    shown = schedule(task)
    intervals = np.diff(shown.onset.ravel())
    within = np.tile(np.isin(np.arange(len(shown.symbol)), shown.first), episodes)[1:]
    np.testing.assert_allclose(intervals, np.where(within, delta_t_seq, delta_t))
    np.testing.assert_allclose(np.diff(shown.onset[:, 0]), task.episode_duration)

    letters = "".join(task.symbols[index] for index in shown.symbol)
    assert letters == "".join(sequence_set)
    assert [letters[a : b + 1] for a, b in zip(shown.first, shown.last, strict=True)] == list(
        sequence_set
    )

    external = training_stimulus(task).external
    np.testing.assert_array_equal(np.sort(np.concatenate(external)), shown.onset.ravel())


@pytest.mark.parametrize(("sequence_set", "duration"), [("I", 440), ("II", 1560), ("III", 1560)])
def test_episode_duration(sequence_set, duration):
    task = Task(sequence_set=sequence_set)
    assert task.episode_duration == duration
    assert schedule(task).onset[1, 0] - schedule(task).onset[0, 0] == duration
