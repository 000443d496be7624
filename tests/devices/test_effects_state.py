import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from devices import Memristor
from devices.effects import initial_state, perturb, program, read_factor
from devices.noise import Stream, noise_key, normal, uniform

KEY = noise_key(7, "ee")
N = 100_000
INDEX = np.arange(N)
P_MAX = 20.0


def assert_mean_and_std(sample, mean, std):
    """Within five standard errors; that of the standard deviation from the fourth moment."""
    n = sample.size
    assert abs(sample.mean() - mean) < 5 * std / math.sqrt(n)
    fourth = np.mean((sample - sample.mean()) ** 4)
    assert abs(sample.var() - std**2) < 5 * math.sqrt((fourth - std**4) / n)


def write(device, state, wanted, floor=0.0, p_max=P_MAX, event=0, index=INDEX):
    new, programmed, _ = program(device, state, wanted, floor, p_max, event, KEY, index)
    return new, programmed


def test_an_ideal_device_takes_the_wanted_state():
    new, programmed = write(Memristor(), [1.0, 2.0, 3.0], [1.5, 2.0, 0.5], index=np.arange(3))
    assert new.tolist() == [1.5, 2.0, 0.5]
    assert programmed.tolist() == [True, False, True]


def test_nothing_happens_where_the_wanted_state_is_the_present_one():
    device = Memristor(sigma_c2c=0.3, n_levels=5)
    state = np.linspace(0, P_MAX, N)
    new, programmed = write(device, state, state)
    np.testing.assert_array_equal(new, state)
    assert not programmed.any()


def test_inputs_are_left_alone():
    state, wanted = np.array([1.0, 2.0]), np.array([2.0, 2.0])
    new, programmed = write(Memristor(), state, wanted, index=np.arange(2))
    new[:] = -1
    programmed[:] = False
    assert state.tolist() == [1.0, 2.0]
    assert wanted.tolist() == [2.0, 2.0]


def test_write_noise_is_normal_in_units_of_the_full_range():
    device = Memristor(sigma_c2c=0.02)
    new, programmed = write(device, 9.0, 10.0)  # 25 standard deviations off either bound
    assert programmed.all()
    assert_mean_and_std(new - 10.0, 0.0, 0.02 * P_MAX)
    np.testing.assert_array_equal(new, 10.0 + 0.02 * P_MAX * normal(KEY, INDEX, 0, Stream.WRITE))


def test_write_noise_of_successive_events_is_independent():
    device = Memristor(sigma_c2c=0.02)
    first, _ = write(device, 9.0, 10.0, event=0)
    second, _ = write(device, 9.0, 10.0, event=1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(N)


def test_write_noise_is_clipped_to_floor_and_p_max():
    device = Memristor(sigma_c2c=0.5)
    new, _ = write(device, 9.0, 12.0, floor=4.0)
    for bound, fraction in ((4.0, stats.norm.cdf(-8 / 10)), (P_MAX, stats.norm.cdf(-8 / 10))):
        assert abs((new == bound).mean() - fraction) < 5 * math.sqrt(fraction * (1 - fraction) / N)
    assert new.min() == 4.0
    assert new.max() == P_MAX


@pytest.mark.parametrize("n_levels", [2, 3, 5, 16])
def test_levels_are_exactly_on_the_grid_and_all_reached(n_levels):
    step = P_MAX / (n_levels - 1)
    wanted = np.linspace(0, P_MAX, N)
    new, _ = write(Memristor(n_levels=n_levels), P_MAX - wanted, wanted)
    levels = [P_MAX * (level / (n_levels - 1)) for level in range(n_levels)]
    assert np.unique(new).tolist() == levels and levels[-1] == P_MAX
    assert np.abs(new - wanted).max() < step


@pytest.mark.parametrize(("start", "wanted"), [(4.0, 4.6), (4.0, 3.9), (8.0, 15.0), (0.0, 0.1)])
def test_stochastic_rounding_is_unbiased(start, wanted):
    device = Memristor(n_levels=6)  # one level is 4
    new, _ = write(device, start, wanted)
    fraction = wanted / 4 % 1
    assert set(np.unique(new)) == {4 * math.floor(wanted / 4), 4 * math.ceil(wanted / 4)}
    assert_mean_and_std(new - start, wanted - start, 4 * math.sqrt(fraction * (1 - fraction)))


def test_small_updates_add_up_in_the_mean():
    device = Memristor(n_levels=11)  # one level is 2
    state = np.full(N, 10.0)
    for event in range(20):
        state, _ = write(device, state, state + 0.1, event=event)
    # Twenty independent steps of 2 with the probability 0.05 each.
    assert_mean_and_std(state, 12.0, 2 * math.sqrt(20 * 0.05 * 0.95))


def test_write_noise_comes_before_rounding():
    device = Memristor(sigma_c2c=0.02, n_levels=11)
    noisy = 10.5 + 0.02 * P_MAX * normal(KEY, INDEX, 3, Stream.WRITE)
    expected = 2.0 * np.floor(noisy / 2.0 + uniform(KEY, INDEX, 3, Stream.LEVEL))
    np.testing.assert_array_equal(write(device, 10.0, 10.5, event=3)[0], expected)


def test_rounding_does_not_go_below_the_floor():
    new, _ = write(Memristor(n_levels=6), 8.0, 5.0, floor=4.0)
    assert new.min() == 4.0
    new, _ = write(Memristor(n_levels=6), 8.0, 3.0, floor=4.0)
    assert (new == 4.0).all()
    new, _ = write(Memristor(n_levels=6), 8.0, 5.5, floor=5.0)  # a floor between two levels
    assert np.unique(new).tolist() == [5.0, 8.0]


def test_noise_of_the_presynaptic_spike_leaves_updates_exact():
    device = Memristor(sigma_c2c=0.02, c2c_event="pre_spike")
    new, programmed = write(device, 9.0, 10.0)
    assert programmed.all()
    assert (new == 10.0).all()
    new, programmed, _ = perturb(device, new, 0.0, P_MAX, 1, KEY, INDEX)
    assert programmed.all()
    assert_mean_and_std(new - 10.0, 0.0, 0.02 * P_MAX)


def test_perturbation_is_clipped_and_rounded():
    device = Memristor(sigma_c2c=0.5, c2c_event="pre_spike", n_levels=6)
    new, _, _ = perturb(device, np.full(N, 8.0), 4.0, P_MAX, 0, KEY, INDEX)
    assert np.unique(new).tolist() == [4.0, 8.0, 12.0, 16.0, 20.0]


@pytest.mark.parametrize(
    "device",
    [
        Memristor(),
        Memristor(sigma_c2c=0.1),
        Memristor(c2c_event="pre_spike", n_levels=4),
    ],
)
def test_no_perturbation_without_noise_on_presynaptic_spikes(device):
    state = np.array([1.0, 2.5])
    new, perturbed, _ = perturb(device, state, 0.0, P_MAX, 0, KEY, np.arange(2))
    assert new.tolist() == [1.0, 2.5]
    assert perturbed.tolist() == [False, False]


def test_initial_state_is_rounded_to_the_nearest_level():
    state = [0.0, 1.9, 2.0, 2.1, 18.0, 17.9, 20.0]
    rounded = initial_state(Memristor(n_levels=6), state, P_MAX)
    assert rounded.tolist() == [0.0, 0.0, 4.0, 4.0, 20.0, 16.0, 20.0]
    assert initial_state(Memristor(), state, P_MAX).tolist() == state


@pytest.mark.parametrize("n_levels", [2, 3, 4, 10, 50, 64, 100, 256])
def test_a_level_is_its_own_nearest_level(n_levels):
    device = Memristor(n_levels=n_levels)
    levels = initial_state(device, np.linspace(0, 1, 1000), 1.0)
    assert 0 <= levels.min() <= levels.max() <= 1
    assert np.unique(levels).size == n_levels
    np.testing.assert_array_equal(initial_state(device, levels, 1.0), levels)


@pytest.mark.parametrize("state", [-0.1, 20.1, math.nan, [1.0, math.inf]])
def test_initial_state_outside_the_range_is_refused(state):
    with pytest.raises(
        ValueError, match=r"initial_state: state=.*, need states in 0 \.\.\. p_max=20"
    ):
        initial_state(Memristor(), state, P_MAX)


@pytest.mark.parametrize("p_max", [0.0, -1.0, math.nan, math.inf])
def test_bad_p_max_is_refused(p_max):
    with pytest.raises(ValueError, match=r"initial_state: p_max=.*, need a finite number > 0"):
        initial_state(Memristor(), 0.0, p_max)


def test_read_noise_moments():
    factor = read_factor(Memristor(sigma_read=0.1), 4, KEY, INDEX)
    assert_mean_and_std(factor, 1.0, 0.1)
    np.testing.assert_array_equal(factor, 1 + 0.1 * normal(KEY, INDEX, 4, Stream.READ))


def test_read_noise_never_changes_the_sign():
    sigma = 0.8
    factor = read_factor(Memristor(sigma_read=sigma), INDEX, KEY, 5)
    assert factor.min() == 0.0
    zero = stats.norm.cdf(-1 / sigma)
    assert abs((factor == 0).mean() - zero) < 5 * math.sqrt(zero * (1 - zero) / N)
    # Rectified normal distribution.
    mean = stats.norm.cdf(1 / sigma) + sigma * stats.norm.pdf(1 / sigma)
    second = (1 + sigma**2) * stats.norm.cdf(1 / sigma) + sigma * stats.norm.pdf(1 / sigma)
    assert_mean_and_std(factor, mean, math.sqrt(second - mean**2))


def test_read_noise_differs_from_spike_to_spike():
    device = Memristor(sigma_read=0.1)
    first = read_factor(device, 0, KEY, INDEX)
    second = read_factor(device, 1, KEY, INDEX)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(N)


def test_no_read_noise():
    factor = read_factor(Memristor(), np.zeros((2, 1), dtype=int), KEY, np.arange(3))
    assert factor.tolist() == [[1.0] * 3] * 2


devices_ = st.builds(
    Memristor,
    n_levels=st.none() | st.integers(2, 300),
    sigma_c2c=st.just(0.0) | st.floats(0, 2),
    c2c_event=st.sampled_from(["write", "pre_spike"]),
)
unit = st.floats(0, 1)


@settings(max_examples=60, deadline=None)
@given(
    device=devices_,
    p_max=st.floats(1e-3, 1e3),
    fractions=st.lists(st.tuples(unit, unit, unit), min_size=1, max_size=20),
    event=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_states_stay_in_range_whatever_the_order(device, p_max, fractions, event, data):
    low, high, goal = np.array(fractions).T
    floor = initial_state(device, low * p_max, p_max)
    state = np.maximum(initial_state(device, high * p_max, p_max), floor)
    wanted = np.maximum(goal * p_max, floor)
    n = state.size
    index = np.arange(n)

    def step(part):
        written, counted, _ = program(
            device, state[part], wanted[part], floor[part], p_max, event, KEY, index[part]
        )
        perturbed, recounted, _ = perturb(
            device, written, floor[part], p_max, event, KEY, index[part]
        )
        return np.stack([written, counted, perturbed, recounted])

    whole = step(index)
    for states in whole[0], whole[2]:
        assert (states >= floor).all()
        assert (states <= p_max).all()
    np.testing.assert_array_equal(whole[1], state != wanted)
    if device.n_levels is not None:
        for states in whole[0], whole[2]:
            np.testing.assert_array_equal(initial_state(device, states, p_max), states)
    order = np.array(data.draw(st.permutations(range(n))))
    cut = data.draw(st.integers(0, n))
    parts = np.concatenate([step(order[:cut]), step(order[cut:])], axis=1)
    np.testing.assert_array_equal(parts, whole[:, order])
