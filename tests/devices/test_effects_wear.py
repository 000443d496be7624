"""Levels, stuck devices, spread of the bounds, endurance: counts and distributions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from devices import Memristor, UnknownParameterError, Update
from devices.effects import (
    initial_state,
    level_means,
    life,
    perturb,
    program,
    sample_bounds,
)
from devices.noise import noise_key

KEY = noise_key(5, "wear")
N = 40_000
INDEX = np.arange(N)
# Kolmogorov-Smirnov: sqrt(n) * distance exceeds 2.3 with a probability below 1e-4.
KS = 2.3 / math.sqrt(N)


def test_geometric_levels_have_equal_ratios():
    device = Memristor(n_levels=6, on_off_ratio=32.0, level_spacing="geometric")
    g = 1 / 32 + (1 - 1 / 32) * level_means(device)
    np.testing.assert_allclose(g[1:] / g[:-1], 2.0, rtol=1e-12)
    assert level_means(device)[0] == 0.0 and level_means(device)[-1] == 1.0


TABLE = Memristor(level_means=(0.1, 0.2, 0.5, 0.9), level_sigmas=(0.01, 0.0, 0.02, 0.03))


@pytest.mark.parametrize(
    "device",
    [
        TABLE,
        Memristor(n_levels=5, on_off_ratio=10.0, level_spacing="geometric"),
        Memristor(n_levels=5),
    ],
)
def test_initial_states_are_rounded_to_the_nearest_level(device):
    given = np.linspace(0, 20, 2001)
    found = initial_state(device, given, 20.0)
    levels = 20.0 * level_means(device)
    nearest = np.abs(given[:, None] - levels).min(axis=1)
    np.testing.assert_allclose(np.abs(found - given), nearest, atol=1e-9)


def test_rounding_between_levels_of_a_table_is_unbiased():
    device = Memristor(level_means=(0.1, 0.2, 0.5, 0.9))
    found = program(device, 0.2, 0.3, 0.0, 1.0, 0, KEY, INDEX).state
    assert set(np.unique(found)) == {0.2, 0.5}
    assert abs((found == 0.5).mean() - 1 / 3) < 5 * math.sqrt(2 / 9 / N)


@pytest.mark.parametrize(("wanted", "level"), [(0.0, 0.1), (1.0, 0.9)])
def test_beyond_the_table_is_its_end(wanted, level):
    device = Memristor(level_means=(0.1, 0.2, 0.5, 0.9))
    assert (program(device, 0.5, wanted, 0.0, 1.0, 0, KEY, INDEX[:100]).state == level).all()


def test_each_level_has_its_spread():
    for level, sigma in zip(TABLE.level_means, TABLE.level_sigmas, strict=True):
        found = program(TABLE, 0.3, level, 0.0, 1.0, 0, KEY, INDEX).state
        assert abs(found.mean() - level) <= 5 * sigma / math.sqrt(N) + 1e-15
        assert abs(found.std() - sigma) <= 5 * sigma / math.sqrt(2 * N) + 1e-15


def test_a_device_has_no_more_states_than_levels():
    device = Memristor(n_levels=7, sigma_c2c=0.01)
    found = program(device, 0.5, np.linspace(0, 1, N), 0.0, 1.0, 0, KEY, INDEX).state
    np.testing.assert_allclose(np.unique(found), np.arange(7) / 6, atol=1e-12)


# ---- stuck devices ------------------------------------------------------------------------------


def test_stuck_devices_are_disjoint_and_as_many_as_asked_for():
    device = Memristor(on_off_ratio=4.0, stuck_on=0.1, stuck_off=0.2, stuck_random=0.3)
    bounds = sample_bounds(device, 8.0, N, KEY)
    kinds = (bounds.stuck_on, bounds.stuck_off, bounds.stuck_random)
    for kind, p in zip(kinds, (0.1, 0.2, 0.3), strict=True):
        assert abs(kind.sum() - N * p) < 4 * math.sqrt(N * p * (1 - p))
    assert sum(kind.sum() for kind in kinds) == bounds.stuck.sum()
    assert (bounds.w_min[bounds.stuck] == bounds.w_max[bounds.stuck]).all()
    random = bounds.w_max[bounds.stuck_random]
    uniform = stats.uniform(2.0, 6.0)
    assert stats.kstest(random, uniform.cdf).statistic < 2.3 / math.sqrt(random.size)


# ---- spread of the bounds -----------------------------------------------------------------------


def test_log_normal_bounds_have_the_nominal_value_as_median():
    device = Memristor(
        on_off_ratio=1e3, sigma_d2d_g_min=0.5, g_min_distribution="log-normal",
        sigma_d2d_g_max=0.05,
    )  # fmt: skip
    bounds = sample_bounds(device, 100.0, N, KEY)
    expected = stats.lognorm(0.5, scale=0.1)
    assert stats.kstest(bounds.w_min, expected.cdf).statistic < KS
    assert stats.kstest(bounds.w_max, stats.norm(100.0, 5.0).cdf).statistic < KS


def test_truncated_bounds():
    device = Memristor(sigma_d2d_g_max=0.2, d2d_truncation=1.5)
    bounds = sample_bounds(device, 1.0, N, KEY)
    expected = stats.truncnorm(-1.5, 1.5, loc=1.0, scale=0.2)
    assert stats.kstest(bounds.w_max, expected.cdf).statistic < KS
    p = 2 * stats.norm.sf(1.5)
    assert abs(bounds.redraws - N * p / (1 - p)) < 5 * math.sqrt(N * p) / (1 - p)


def test_the_gain_keeps_the_on_off_ratio():
    bounds = sample_bounds(Memristor(on_off_ratio=8.0, sigma_d2d_gain=0.2), 4.0, N, KEY)
    np.testing.assert_allclose(bounds.w_max / bounds.w_min, 8.0, rtol=1e-12)
    assert abs(bounds.w_max.std() - 0.8) < 5 * 0.8 / math.sqrt(2 * N)


# ---- endurance ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [1.0, 2.5])
def test_lives_are_weibull_distributed(shape):
    device = Memristor(endurance=1e6, endurance_shape=shape)
    expected = stats.weibull_min(shape, scale=1e6)
    assert stats.kstest(life(device, KEY, INDEX), expected.cdf).statistic < KS


@pytest.mark.parametrize("pulses", [False, True])
def test_a_worn_out_device_is_stuck(pulses):
    """As many writes as the device's life, rounded up; then nothing changes or counts."""
    update = Update(law="linear", step_up=1 / 64, step_down=1 / 64) if pulses else Update()
    device = Memristor(endurance=40.0, update=update)
    n = 300
    index, state, writes = INDEX[:n], np.full(n, 0.5), np.zeros(n, np.int64)
    events = np.zeros(n, np.int64)
    for cycle in range(100):
        wanted = 0.5 + (1 if cycle % 2 else -1) * 4 / 64
        before = state
        state, programmed, more = program(
            device, state, wanted, 0.0, 1.0, events, KEY, index, writes
        )
        dead = writes >= life(device, KEY, index)
        assert not programmed[dead].any() and not more[dead].any()
        np.testing.assert_array_equal(state[dead], before[dead])
        events, writes = events + programmed, writes + more
    worn = np.ceil(life(device, KEY, index)) <= 100
    assert worn.any()
    np.testing.assert_array_equal(writes[worn], np.ceil(life(device, KEY, index[worn])))


def test_a_worn_out_device_is_not_perturbed():
    device = Memristor(endurance=10.0, sigma_c2c=0.1, c2c_event="pre_spike")
    alive = life(device, KEY, INDEX) > 8
    found = perturb(device, 0.5, 0.0, 1.0, 0, KEY, INDEX, 8)
    np.testing.assert_array_equal(found.programmed, alive)
    assert (found.state[~alive] == 0.5).all() and not found.n_writes.any()


def test_writes_are_changes_of_the_state():
    device = Memristor(n_levels=3)
    found = program(device, 0.5, 0.6, 0.0, 1.0, 0, KEY, INDEX)
    np.testing.assert_array_equal(found.n_writes, found.state != 0.5)
    assert abs(found.n_writes.mean() - 0.2) < 5 * math.sqrt(0.16 / N)


# ---- parameters ---------------------------------------------------------------------------------


def test_unknown_strengths_are_refused_where_they_are_needed():
    device = Memristor(sigma_read=None, endurance=None)
    assert device.unknown == ("sigma_read", "endurance") and not device.ideal
    with pytest.raises(UnknownParameterError, match="unknown for this device: sigma_read, end"):
        device.resolved()
    assert device.resolved(but=["sigma_read", "endurance"]).ideal
    with pytest.raises(UnknownParameterError, match="sigma_read"):
        device.resolved(but=["endurance"])
    off = Memristor(sigma_read=None, endurance=None, unknown_is_off=True).resolved()
    assert off.unknown == () and off.sigma_read == 0.0 and off.endurance == math.inf


def test_a_known_device_is_resolved_as_it_is():
    device = Memristor(sigma_read=0.1)
    assert device.resolved() is device


def test_electrical_quantities_raise_when_they_are_needed():
    with pytest.raises(UnknownParameterError, match="v_read is unknown and needed for a read"):
        Memristor().known("v_read", "a read's energy")
    assert Memristor(v_read=0.2).known("v_read", "a read's energy") == 0.2


@pytest.mark.parametrize(
    ("g_min", "g_max"), [(10.0, 10.0), (20.0, 10.0), (-1.0, 2.0), (1.0, math.inf), (math.nan, 1.0)]
)
def test_exchanged_bounds_are_refused(g_min, g_max):
    with pytest.raises(ValueError, match="g_min=.*need 0 <= g_min < g_max=.*exchanged"):
        Memristor.from_range(g_min, g_max)


def test_a_device_from_its_range():
    device = Memristor.from_range(5.0, 50.0, n_levels=4)
    assert (device.g_max, device.on_off_ratio, device.n_levels) == (50.0, 10.0, 4)
    assert Memristor.from_range(0.0, 50.0).on_off_ratio == math.inf


def test_more_levels_than_a_write_resolves_are_warned_of():
    with pytest.warns(UserWarning, match=r"n_levels=64.*sigma_c2c=0\.01.*resolves 26"):
        Memristor(n_levels=64, sigma_c2c=0.01)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"stuck_random": -0.1}, "stuck_random=-0.1, need a fraction"),
        ({"stuck_random": 0.6, "stuck_on": 0.6}, "stuck_random = 1.2, need <= 1"),
        ({"level_means": (0.5, 0.2)}, "level_means=.*ascending"),
        ({"level_means": (0.5,)}, "level_means=.*at least two"),
        ({"level_means": (0.1, 0.2), "n_levels": 3}, "n_levels=3, need None or 2"),
        ({"level_means": (0.1, 0.2), "level_sigmas": (0.1,)}, "level_sigmas=.*as many"),
        ({"level_spacing": "geometric"}, "level_spacing='geometric', need n_levels, a finite"),
        ({"level_spacing": "cubic"}, "level_spacing='cubic'"),
        ({"g_min_distribution": "uniform"}, "g_min_distribution='uniform', need 'normal' or"),
        ({"endurance": 0.0}, "endurance=0.0, need a number of writes > 0"),
        ({"drift_t0_s": 0.0}, "drift_t0_s=0.0, need a finite number > 0"),
        ({"d2d_truncation": 0.5}, "d2d_truncation=0.5, need at least 1"),
        ({"c2c_polynomial": (1.0, math.nan)}, "c2c_polynomial=.*finite"),
        ({"v_read": -1.0}, "v_read=-1.0, need a finite number > 0, or None"),
        ({"update": "linear"}, "update='linear', need a devices.Update"),
    ],
)
def test_impossible_parameters_are_refused(parameters, text):
    with pytest.raises(ValueError, match=text):
        Memristor(**parameters)


@given(
    means=st.lists(st.floats(0, 1), min_size=2, max_size=8, unique=True).map(sorted),
    wanted=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_rounding_goes_to_a_neighbour(means, wanted):
    device = Memristor(level_means=tuple(means))
    found = program(device, -1.0, wanted, 0.0, 1.0, 0, KEY, np.arange(20)).state
    inside = float(np.clip(wanted, means[0], means[-1]))
    below = max(m for m in means if m <= inside)
    above = min(m for m in means if m >= inside)
    assert set(found) <= {below, above}
