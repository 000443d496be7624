import dataclasses
import math

import numpy as np
import pytest

from devices import Memristor, UnknownParameterError
from devices.array import DeviceArray
from devices.mapping import MAPPINGS, wanted_states
from devices.noise import noise_key
from devices.programmed import program_weights
from devices.write_verify import WriteVerify

KEY = noise_key(3, "w")
WEIGHTS = np.random.default_rng(5).uniform(-1, 1, 4000)
MESSY = Memristor(
    on_off_ratio=10.0,
    sigma_d2d_g_max=0.1,
    sigma_d2d_g_min=0.1,
    sigma_c2c=0.02,
    sigma_write=0.01,
    stuck_on=0.01,
    drift_nu=0.05,
    sigma_drift_nu=0.01,
)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_numbers_are_those_of_a_device_array(mapping):
    made = program_weights(WEIGHTS, MESSY, KEY, w_max=2.0, mapping=mapping)
    array = DeviceArray(MESSY, made.state.shape, seed=3, label="w", w_max=2.0)
    array.program(wanted_states(mapping, WEIGHTS, 2.0, 10.0))
    np.testing.assert_array_equal(made.state, array.state)
    np.testing.assert_array_equal(made.conductance, array.conductances())
    np.testing.assert_array_equal(made.n_set, array.n_set)
    np.testing.assert_array_equal(made.n_reset, array.n_reset)
    array.age(1e4)
    np.testing.assert_array_equal(made.conductances(1e4), array.conductances())
    np.testing.assert_array_equal(made.device_index.reshape(-1), np.arange(made.state.size))


def test_programming_takes_one_event_also_where_nothing_is_wanted():
    made = program_weights([0.0, 1.0], Memristor(sigma_write=0.05), KEY)
    assert made.n_events.tolist() == [[1], [1]]
    assert made.n_set.tolist() == [[0], [1]]
    assert made.conductance[1, 0] != 1.0


@pytest.mark.parametrize("n_levels", [2, 3, 16])
def test_without_noise_the_nearest_level_is_programmed(n_levels):
    made = program_weights(WEIGHTS, Memristor(n_levels=n_levels), KEY, mapping="offset", w_max=1.0)
    steps = n_levels - 1
    nearest = np.floor((1 + WEIGHTS) / 2 * steps + 0.5) / steps
    np.testing.assert_allclose(made.state[:, 0], nearest, atol=1e-15)


def test_without_noise_the_nearest_of_geometric_levels_is_programmed():
    device = Memristor(on_off_ratio=100.0, n_levels=5, level_spacing="geometric")
    made = program_weights(np.abs(WEIGHTS), device, KEY, w_max=1.0)
    levels = 100.0 ** -np.linspace(1, 0, 5)
    best = np.abs(np.abs(WEIGHTS)[:, None] - levels).min(axis=1)
    np.testing.assert_allclose(np.abs(made.weights() - np.abs(WEIGHTS)), best, atol=1e-14)


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize(("n_levels", "n_slices"), [(2, 8), (4, 3), (10, 2)])
def test_slices_are_the_digits_of_a_finer_level(mapping, n_levels, n_slices):
    device = Memristor(n_levels=n_levels)
    made = program_weights(WEIGHTS, device, KEY, w_max=1.0, mapping=mapping, n_slices=n_slices)
    fine = Memristor(n_levels=n_levels**n_slices)
    whole = program_weights(WEIGHTS, fine, KEY, w_max=1.0, mapping=mapping)
    np.testing.assert_allclose(made.weights(), whole.weights(), atol=1e-13)
    d = whole.state.shape[1]
    assert made.state.shape == (WEIGHTS.size, d * n_slices)
    # The least significant digit comes first.
    digit = np.rint(made.state[:, :d] * (n_levels - 1))
    number = np.rint(whole.state * (n_levels**n_slices - 1))
    np.testing.assert_array_equal(digit, number % n_levels)


def test_errors_of_slices_weigh_as_much_as_their_digits():
    sigma, base, n_slices, n = 0.01, 4, 3, 50_000
    device = Memristor(n_levels=base, sigma_write=sigma)
    made = program_weights(np.full(n, 0.5), device, KEY, w_max=1.0, n_slices=n_slices)
    error = made.weights() - np.rint(0.5 * 63) / 63
    places = base ** np.arange(n_slices) * 3 / 63
    # No device is near a conductance of 0, where the noise would be cut off: the digits of 32 are
    # 2, 0, 0 and 0 is cut off at half.
    assert made.state[0].tolist() == pytest.approx([0.0, 0.0, 2 / 3])
    mean = sigma / math.sqrt(2 * math.pi) * places[:2].sum()
    variance = sigma**2 * (places[2] ** 2 + (places[:2] ** 2).sum() * (1 / 2 - 1 / (2 * math.pi)))
    assert abs(error.mean() - mean) < 5 * math.sqrt(variance / n)
    assert abs(error.var() / variance - 1) < 5 * math.sqrt(2 / n)


def test_programming_again_goes_on_from_where_the_devices_are():
    device = Memristor(sigma_c2c=0.02, sigma_d2d_g_max=0.1)
    first = program_weights(np.abs(WEIGHTS), device, KEY, w_max=1.0)
    second = program_weights(np.abs(WEIGHTS) / 2, device, KEY, w_max=1.0, after=first)
    assert second.bounds is first.bounds
    assert (second.n_events == 2).all()
    assert (second.n_set + second.n_reset <= 2).all()
    # What is lowered is a reset.
    assert (second.n_reset == 1)[first.state > np.abs(WEIGHTS)[:, None] / 2].all()
    assert not np.allclose(2 * second.weights(), first.weights(), atol=1e-3)
    again = program_weights(np.abs(WEIGHTS), device, KEY, w_max=1.0)
    np.testing.assert_array_equal(again.weights(), first.weights())


def test_the_largest_weight_is_w_max_by_default():
    assert program_weights([0.5, -3.0], Memristor(), KEY).w_max == 3.0
    assert program_weights([], Memristor(), KEY).weights().shape == (0,)


def test_clipped_weights_are_counted():
    device = Memristor(on_off_ratio=10.0)
    assert program_weights([0.0, 0.05, -0.09, 0.1, 1.0], device, KEY).n_clipped == 3
    assert program_weights([0.0, 0.05, 1.0], device, KEY, mapping="offset").n_clipped == 0


def test_endurance_plays_no_role():
    made = program_weights(WEIGHTS, Memristor(endurance=0.01), KEY, mapping="differential")
    np.testing.assert_allclose(made.weights(), WEIGHTS, atol=1e-14)
    program_weights(WEIGHTS, Memristor(endurance=None), KEY)


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ([1.0, math.nan, math.inf], {}, r"2 of 3 weights are not finite.*weights\[1\]=nan"),
        ([[1.0]], {}, r"weights of shape \(1, 1\), need \(n,\)"),
        ([0.0, 0.0], {}, "w_max=None, but all weights are 0.*give w_max"),
        ([0.1, -3.0], {"w_max": 2}, r"larger than w_max=2, .*weights\[1\]=-3.0.*raise w_max to.*3"),
        ([0.1], {"w_max": 0.0}, "w_max=0.0, need a finite number > 0"),
        ([0.1], {"w_max": math.inf}, "w_max=inf, need a finite number > 0"),
        ([0.1], {"w_max": True}, "w_max=True, need a finite number > 0"),
        ([0.1], {"mapping": "pair"}, "mapping='pair', need one of single, differential"),
        ([0.1], {"n_slices": 0}, "n_slices=0, need an integer >= 1"),
        ([0.1], {"n_slices": 2}, "n_slices=2, need a device with uniform levels.*set n_levels"),
    ],
)
def test_bad_arguments_are_refused(weights, options, message):
    with pytest.raises(ValueError, match=f"program_weights: .*{message}"):
        program_weights(weights, Memristor(), KEY, **options)


def test_too_many_slices_are_refused():
    with pytest.raises(ValueError, match="n_slices=14 with n_levels=16 is more than the 53 bits"):
        program_weights([0.1], Memristor(n_levels=16), KEY, n_slices=14)


def test_unknown_effects_are_refused():
    with pytest.raises(UnknownParameterError, match="sigma_c2c"):
        program_weights([0.1], Memristor(sigma_c2c=None), KEY)


def test_noise_at_presynaptic_spikes_is_refused():
    device = Memristor(sigma_c2c=0.1, c2c_event="pre_spike")
    with pytest.raises(ValueError, match="set c2c_event='write'"):
        program_weights([0.1], device, KEY)


def test_write_and_verify_meets_its_tolerance_with_messy_devices():
    device = dataclasses.replace(MESSY, stuck_on=0.0)
    made = program_weights(
        WEIGHTS, device, KEY, mapping="two_sided", w_max=1.2, verify=WriteVerify(0.02, 200)
    )
    nominal = 0.12 + 1.08 * wanted_states("two_sided", WEIGHTS, 1.2, 10.0)
    good = ~made.failed
    assert made.n_failed == made.failed.sum() < 0.02 * made.failed.size
    assert np.abs(made.conductance - nominal)[good].max() <= 0.02 * 1.08
    assert np.abs(made.conductance - nominal)[~good].min() > 0.02 * 1.08
