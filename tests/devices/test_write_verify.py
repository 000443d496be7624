import math

import numpy as np
import pytest
from scipy import stats

from devices import Memristor, Update
from devices.effects import sample_bounds
from devices.noise import noise_key
from devices.write_verify import WriteVerify, write_and_verify, write_once

KEY = noise_key(11, "array")
N = 20_000


def write(device, wanted, verify, n=N, state=0.0):
    device = device.resolved()
    bounds = sample_bounds(device, 1.0, n, KEY)
    wanted = np.full(n, wanted) if np.isscalar(wanted) else wanted
    state, n_events = np.full(n, state), np.zeros(n, dtype=np.int64)
    written = write_and_verify(device, wanted, state, n_events, KEY, bounds, 1.0, verify)
    return written, bounds


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("noise", ["sigma_c2c", "sigma_write"])
def test_attempts_are_geometric(ratio, noise):
    sigma = 0.02
    device = Memristor(**{noise: sigma})
    written, _ = write(device, 0.5, WriteVerify(ratio * sigma, 1000))
    p = math.erf(ratio / math.sqrt(2))
    assert not written.failed.any()
    assert written.n_events.min() == 1
    assert abs(written.n_events.mean() - 1 / p) < 5 * math.sqrt((1 - p) / p**2 / N)
    for k in (1, 2, 3):
        share = p * (1 - p) ** (k - 1)
        error = (written.n_events == k).mean() - share
        assert abs(error) < 5 * math.sqrt(share * (1 - share) / N)


def test_accepted_errors_are_truncated_normal():
    sigma, tolerance = 0.03, 0.02
    written, _ = write(Memristor(sigma_c2c=sigma), 0.5, WriteVerify(tolerance, 1000))
    error = (written.state - 0.5) / sigma
    expected = stats.truncnorm(-tolerance / sigma, tolerance / sigma)
    assert stats.kstest(error, expected.cdf).pvalue > 1e-4
    assert np.abs(error).max() <= tolerance / sigma


@pytest.mark.parametrize("most", [1, 2, 5])
def test_with_few_attempts_some_fail(most):
    sigma, tolerance = 0.03, 0.02
    written, _ = write(Memristor(sigma_c2c=sigma), 0.5, WriteVerify(tolerance, most))
    p = math.erf(tolerance / (sigma * math.sqrt(2)))
    share = (1 - p) ** most
    assert abs(written.failed.mean() - share) < 5 * math.sqrt(share * (1 - share) / N)
    assert (written.n_events[written.failed] == most).all()
    # What has failed is kept as it is.
    assert (np.abs(written.state - 0.5) > tolerance).tolist() == written.failed.tolist()


def test_incremental_pulses_are_as_many_as_steps():
    step = 0.01
    device = Memristor(update=Update(law="linear", step_up=step, step_down=step))
    wanted = np.linspace(0.0, 1.0, N)
    written, _ = write(device, wanted, WriteVerify(step, 20))
    assert not written.failed.any()
    assert np.abs(written.n_set - wanted / step).max() <= 1 + 1e-9
    assert not written.n_reset.any()
    written, _ = write(device, wanted, WriteVerify(step, 20), state=1.0)
    assert np.abs(written.n_reset - (1 - wanted) / step).max() <= 1 + 1e-9
    assert not written.n_set.any()


def test_verification_makes_up_for_a_non_linear_update():
    soft = Update(law="linear", step_up=0.05, step_down=0.05, slope_up=1.0, slope_down=1.0)
    device = Memristor(update=soft).resolved()
    wanted = np.full(N, 0.7)
    once = write_once(device, wanted, np.zeros(N), np.zeros(N, dtype=np.int64), KEY)
    # Soft bounds: n steps of 0.05 come to 1 - 0.95^n only.
    np.testing.assert_allclose(once.state, 1 - 0.95**14, atol=1e-12)
    assert (once.n_set == 14).all()
    written, _ = write(device, 0.7, WriteVerify(0.02, 100))
    assert np.abs(written.state - 0.7).max() <= 0.02
    assert (written.n_set >= math.log(0.32) / math.log(0.95)).all()
    assert (written.n_events > 1).all()


def test_each_device_is_written_to_the_nominal_conductance_if_it_reaches_it():
    device = Memristor(on_off_ratio=10.0, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.2)
    written, bounds = write(device, 0.8, WriteVerify(0.01, 3))
    g = bounds.w_min + (bounds.w_max - bounds.w_min) * written.state
    target = 0.1 + 0.9 * 0.8
    beyond = bounds.w_max < target
    np.testing.assert_allclose(g[~beyond], target, atol=1e-14)
    np.testing.assert_array_equal(written.state[beyond], 1.0)
    np.testing.assert_array_equal(written.failed, bounds.w_max < target - 0.009)
    assert (written.n_events == np.where(written.failed, 3, 1)).all()


def test_stuck_devices_are_not_written_and_fail_if_they_are_too_far_off():
    device = Memristor(on_off_ratio=10.0, stuck_on=0.1, stuck_off=0.2, stuck_random=0.3)
    written, bounds = write(device, 1.0, WriteVerify(0.05))
    assert not written.n_events[bounds.stuck].any()
    assert not written.failed[bounds.stuck_on].any()
    assert written.failed[bounds.stuck_off].all()
    np.testing.assert_array_equal(
        written.failed[bounds.stuck_random], bounds.w_max[bounds.stuck_random] < 0.955
    )
    assert not written.failed[~bounds.stuck].any()


def test_levels_between_are_not_asked_for():
    written, _ = write(Memristor(n_levels=5), 0.6, WriteVerify(0.01, 4))
    assert not written.failed.any()
    assert set(written.state) == {0.5}
    assert (written.n_events == 1).all()


def test_of_the_own_levels_of_a_device_the_nearest_is_written():
    device = Memristor(on_off_ratio=10.0, n_levels=8, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.1)
    written, bounds = write(device, 3 / 7, WriteVerify(0.03, 1))
    levels = bounds.w_min[:, None] + (bounds.w_max - bounds.w_min)[:, None] * np.arange(8) / 7
    g = bounds.w_min + (bounds.w_max - bounds.w_min) * written.state
    target = 0.1 + 0.9 * 3 / 7
    nearest = np.abs(levels - target).min(axis=1)
    np.testing.assert_allclose(np.abs(g - target), nearest, atol=1e-14)
    np.testing.assert_array_equal(written.failed, nearest > 0.03 * 0.9)


@pytest.mark.parametrize(
    "parameters",
    [
        {"tolerance": 0.0},
        {"tolerance": -0.1},
        {"tolerance": math.nan},
        {"tolerance": "0.1"},
        {"max_pulses": 0},
        {"max_pulses": 2.5},
        {"max_pulses": True},
    ],
)
def test_bad_parameters_are_refused(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"WriteVerify: {name}=.*, need"):
        WriteVerify(**parameters)
