import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from devices import Memristor
from devices.effects import MAX_DRAWS, sample_bounds
from devices.noise import Stream, noise_key, normal

KEY = noise_key(7, "ee")
N = 100_000


def assert_mean_and_std(sample, mean, std):
    """Within five standard errors of a normal sample."""
    assert abs(sample.mean() - mean) < 5 * std / math.sqrt(sample.size)
    assert abs(sample.std() - std) < 5 * std / math.sqrt(2 * sample.size)


def test_an_ideal_device_spans_zero_to_the_nominal_weight():
    bounds = sample_bounds(Memristor(), 3.5, 4, KEY)
    assert bounds.w_max.tolist() == [3.5] * 4
    assert bounds.w_min.tolist() == [0.0] * 4
    assert not bounds.stuck_on.any()
    assert not bounds.stuck_off.any()
    assert bounds.redraws == 0


def test_on_off_ratio_is_w_max_over_w_min():
    bounds = sample_bounds(Memristor(on_off_ratio=8.0), 2.0, 3, KEY)
    assert bounds.w_min.tolist() == [0.25] * 3


def test_no_devices():
    device = Memristor(sigma_d2d_g_max=0.1, stuck_on=0.1)
    bounds = sample_bounds(device, 1.0, 0, KEY)
    assert bounds.w_min.shape == bounds.w_max.shape == bounds.stuck_on.shape == (0,)


def test_moments_of_the_spread():
    # Nine standard deviations between the bounds: truncation is beyond the sample.
    device = Memristor(on_off_ratio=10.0, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.1)
    bounds = sample_bounds(device, 50.0, N, KEY)
    assert bounds.redraws == 0
    assert_mean_and_std(bounds.w_max, 50.0, 5.0)
    assert_mean_and_std(bounds.w_min, 5.0, 0.5)
    assert abs(np.corrcoef(bounds.w_max, bounds.w_min)[0, 1]) < 5 / math.sqrt(N)


def test_spread_beyond_zero_is_the_truncated_normal_distribution():
    sigma = 0.5
    bounds = sample_bounds(Memristor(sigma_d2d_g_max=sigma), 1.0, N, KEY)
    expected = stats.truncnorm(-1 / sigma, np.inf, loc=1.0, scale=sigma)
    # Kolmogorov-Smirnov: sqrt(n) * distance exceeds 2.3 with a probability below 1e-4.
    assert stats.kstest(bounds.w_max, expected.cdf).statistic < 2.3 / math.sqrt(N)
    # The number of redraws per device is geometric: mean p/(1-p), variance p/(1-p)^2.
    p = stats.norm.cdf(-1 / sigma)
    assert abs(bounds.redraws - N * p / (1 - p)) < 5 * math.sqrt(N * p) / (1 - p)


def test_both_bounds_are_redrawn_together_with_the_next_draw_number():
    device = Memristor(on_off_ratio=1.5, sigma_d2d_g_max=0.3, sigma_d2d_g_min=0.4)
    bounds = sample_bounds(device, 2.0, 200, KEY)
    redraws = 0
    for index in range(200):
        draw = 0
        while True:
            high = 2.0 * (1 + 0.3 * float(normal(KEY, index, draw, Stream.D2D_MAX)))
            low = 2.0 / 1.5 * (1 + 0.4 * float(normal(KEY, index, draw, Stream.D2D_MIN)))
            if 0 <= low < high:
                break
            draw += 1
        redraws += draw
        assert bounds.w_max[index] == high
        assert bounds.w_min[index] == low
    assert bounds.redraws == redraws > 20


def test_a_hopeless_spread_is_refused():
    device = Memristor(on_off_ratio=1.001, sigma_d2d_g_min=1e6)
    with pytest.raises(
        ValueError, match=rf"after {MAX_DRAWS} draws .*lower .*sigma_d2d_g_min=1000000"
    ):
        sample_bounds(device, 1.0, 10, KEY)


@pytest.mark.parametrize("w_max", [0.0, -1.0, math.nan, math.inf])
def test_bad_nominal_weight_is_refused(w_max):
    with pytest.raises(ValueError, match=r"sample_bounds: w_max=.*, need a finite number > 0"):
        sample_bounds(Memristor(), w_max, 3, KEY)


def test_fractions_of_stuck_devices():
    device = Memristor(on_off_ratio=4.0, sigma_d2d_g_max=0.1, stuck_on=0.2, stuck_off=0.05)
    free = sample_bounds(Memristor(on_off_ratio=4.0, sigma_d2d_g_max=0.1), 1.0, N, KEY)
    bounds = sample_bounds(device, 1.0, N, KEY)
    for mask, fraction in ((bounds.stuck_on, 0.2), (bounds.stuck_off, 0.05)):
        assert abs(mask.mean() - fraction) < 5 * math.sqrt(fraction * (1 - fraction) / N)
    on, off = bounds.stuck_on, bounds.stuck_off
    assert not (on & off).any()
    # A stuck device keeps its own bound; the others are untouched.
    np.testing.assert_array_equal(bounds.w_max[~off], free.w_max[~off])
    np.testing.assert_array_equal(bounds.w_min[~on], free.w_min[~on])
    np.testing.assert_array_equal(bounds.w_min[on], free.w_max[on])
    np.testing.assert_array_equal(bounds.w_max[off], free.w_min[off])


def test_the_same_devices_are_stuck_and_more_as_the_fraction_grows():
    few = sample_bounds(Memristor(stuck_on=0.1, stuck_off=0.1), 1.0, 1000, KEY)
    many = sample_bounds(Memristor(stuck_on=0.2, stuck_off=0.3), 1.0, 1000, KEY)
    assert not (few.stuck_on & ~many.stuck_on).any()
    assert not (few.stuck_off & ~many.stuck_off).any()


@pytest.mark.parametrize("stuck_on", [0.0, 0.3, 0.9, 1.0])
def test_fractions_that_add_up_to_one_leave_no_device_free(stuck_on):
    device = Memristor(stuck_on=stuck_on, stuck_off=1.0 - stuck_on)
    bounds = sample_bounds(device, 1.0, 10_000, KEY)
    assert (bounds.stuck_on ^ bounds.stuck_off).all()
    np.testing.assert_array_equal(bounds.w_min, bounds.w_max)


@settings(max_examples=40, deadline=None)
@given(
    on_off_ratio=st.floats(1.05, 1e6) | st.just(math.inf),
    sigma_max=st.floats(0, 1),
    sigma_min=st.floats(0, 1),
    stuck_on=st.floats(0, 0.5),
    stuck_off=st.floats(0, 0.5),
    w_max=st.floats(1e-6, 1e6),
    n=st.integers(1, 60),
)
def test_bounds_are_ordered_and_do_not_depend_on_the_number_of_devices(
    on_off_ratio, sigma_max, sigma_min, stuck_on, stuck_off, w_max, n
):
    device = Memristor(
        on_off_ratio=on_off_ratio,
        sigma_d2d_g_max=sigma_max,
        sigma_d2d_g_min=sigma_min,
        stuck_on=stuck_on,
        stuck_off=stuck_off,
    )
    bounds = sample_bounds(device, w_max, n, KEY)
    stuck = bounds.stuck_on | bounds.stuck_off
    assert (bounds.w_min >= 0).all()
    assert (bounds.w_min[~stuck] < bounds.w_max[~stuck]).all()
    assert (bounds.w_min[stuck] == bounds.w_max[stuck]).all()
    more = sample_bounds(device, w_max, n + 17, KEY)
    np.testing.assert_array_equal(more.w_min[:n], bounds.w_min)
    np.testing.assert_array_equal(more.w_max[:n], bounds.w_max)
