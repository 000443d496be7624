import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.agreement import compare_events

H = 0.1
events = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=40)


def as_run(pairs):
    steps, neurons = np.array(pairs, dtype=int).reshape(-1, 2).T
    return steps * H, neurons


def test_shifted_event_counts_twice():
    one = as_run([(10, 0), (20, 1), (20, 2), (45, 0)])
    other = as_run([(10, 0), (21, 1), (20, 2)])
    differing, total = compare_events(one, other, H, [0.0, 2.0, 4.0, 6.0])
    assert list(differing) == [0, 2, 1]
    assert list(total) == [1, 3, 1]


def test_event_on_a_bound_belongs_to_the_later_period():
    # 3 * 0.1 is not 0.3 in floating point.
    run = [3 * 0.1, 0.6], [0, 0]
    assert list(compare_events(run, run, H, [0.0, 0.3, 0.6])[1]) == [0, 1]


@given(events)
def test_equal_runs_agree_in_any_order(pairs):
    rounding = 1 + 1e-12
    times, neurons = as_run(pairs[::-1])
    differing, total = compare_events(as_run(pairs), (times * rounding, neurons), H, [0.0, 6.1])
    assert list(differing) == [0] and list(total) == [len(pairs)]


@given(events, events)
def test_counts_are_those_of_sets(first, second):
    first, second = set(first), set(second)
    edges = np.array([0.0, 1.5, 3.0, 6.1])
    differing, total = compare_events(as_run([*first]), as_run([*second]), H, edges)
    for i, (low, high) in enumerate([(0, 15), (15, 30), (30, 61)]):
        one, other = ({e for e in run if low <= e[0] < high} for run in (first, second))
        assert differing[i] == len(one ^ other)
        assert total[i] == len(one | other)


def test_same_event_twice_is_not_once():
    differing, total = compare_events(as_run([(5, 1), (5, 1)]), as_run([(5, 1)]), H, [0.0, 1.0])
    assert (list(differing), list(total)) == ([1], [2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((([], []), ([], []), 0.0, [0, 1]), "timestep=0.0, need > 0"),
        ((([], []), ([], []), 0.1, [1, 0]), "need ascending times"),
        ((([1.0], []), ([], []), 0.1, [0, 1]), "first has 1 times and 0 neurons"),
        ((([], []), ([], [3]), 0.1, [0, 1]), "second has 0 times and 1 neurons"),
    ],
)
def test_refuses_what_cannot_be_compared(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare_events(*arguments)
