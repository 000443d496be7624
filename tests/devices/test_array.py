"""Arrays of devices: what they count and remember, and the moments of their pulses."""

import dataclasses
import math

import numpy as np
import pytest

import devices.array
from devices import Memristor, UnknownParameterError, Update, effects
from devices.array import DeviceArray
from devices.noise import Stream, noise_key, normal

N = 512 * 512

SOFT = Update(law="linear", step_up=0.1, step_down=0.1, slope_up=1.0, slope_down=1.0)
# Steps that differ from device to device and from cycle to cycle, levels, wear, drift.
EVERYTHING = Memristor(
    on_off_ratio=20.0, update=SOFT, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.1, sigma_d2d_step=0.2,
    sigma_d2d_asymmetry=0.1, sigma_c2c=0.01, sigma_c2c_step=0.3, sigma_write=0.02, sigma_read=0.05,
    sigma_flicker=0.03, stuck_on=0.05, stuck_off=0.05, drift_nu=0.05, sigma_drift_nu=0.01,
    endurance=8.0, n_levels=21,
)  # fmt: skip


@pytest.fixture(params=["numpy", "compiled"])
def either_way(request, monkeypatch):
    limit = math.inf if request.param == "numpy" else 0
    monkeypatch.setattr(devices.array, "_PLAIN_LIMIT", limit)


def use(array):
    """Use an array in all ways, and return everything that can be seen of it."""
    random = np.random.default_rng(3)
    seen = []
    for step in range(6):
        array.pulse(random.integers(-1, 2, array.shape), n=2)
        array.age(10.0 * step)
        seen += [array.read(), array.conductances()]
        array.program(random.random(array.shape))
        array.pulse(1)
        seen += [array.read(), array.state, array.n_events, array.n_set, array.n_reset]
    return seen


def test_a_new_array_is_at_its_initial_state(either_way):
    array = DeviceArray(Memristor(g_max=50.0, on_off_ratio=10.0), (3, 4))
    assert array.shape == array.state.shape == (3, 4)
    assert array.state.dtype == np.float64
    assert (array.state == 0).all()
    np.testing.assert_allclose(array.conductances(), 5.0)
    array = DeviceArray(Memristor(on_off_ratio=10.0), 7, w_max=3.0)
    np.testing.assert_array_equal(array.bounds.w_max, np.full(7, 3.0))

    array = DeviceArray(Memristor(n_levels=3), (2, 2), initial=[[0.1, 0.3], [0.8, 1.0]])
    np.testing.assert_array_equal(array.conductances(), [[0.0, 0.5], [1.0, 1.0]])


def test_soft_bounds_are_approached_geometrically(either_way):
    array = DeviceArray(Memristor(update=SOFT), 3)
    array.pulse(1, n=7)
    np.testing.assert_allclose(array.state, 1 - 0.9**7)
    array.pulse(-1, n=4)
    np.testing.assert_allclose(array.state, (1 - 0.9**7) * 0.9**4)


def test_each_device_is_pulsed_in_its_own_direction_and_counted(either_way):
    array = DeviceArray(Memristor(update=SOFT), (2, 2), initial=0.5)
    array.pulse([[1, -1], [0, 1]])
    array.pulse(-1, n=2)
    array.pulse(1, n=0)
    up, down = 0.55 * 0.9**2, 0.45 * 0.9**2
    np.testing.assert_allclose(array.state, [[up, down], [0.5 * 0.9**2, up]])
    assert array.n_events.tolist() == [[3, 3], [2, 3]]
    assert array.n_set.tolist() == [[1, 0], [0, 1]]
    assert array.n_reset.tolist() == [[2, 3], [2, 2]]


def test_pulses_stay_in_the_range(either_way):
    update = Update(law="linear", step_up=0.3, step_down=0.3)
    array = DeviceArray(Memristor(update=update, sigma_c2c=0.5), 1000)
    for direction in (1, -1):
        array.pulse(direction, n=20)
        assert array.state.min() == 0.0
        assert array.state.max() == 1.0


@pytest.mark.parametrize("endurance", [EVERYTHING.endurance, math.inf])
def test_numpy_and_compiled_code_agree_in_whatever_is_done(monkeypatch, endurance):
    device = dataclasses.replace(EVERYTHING, endurance=endurance)
    seen = {}
    for limit in (math.inf, 0, 20_000):
        monkeypatch.setattr(devices.array, "_PLAIN_LIMIT", limit)
        seen[limit] = use(DeviceArray(device, (40, 50)))
    for by_numpy, compiled, changing in zip(*seen.values(), strict=True):
        np.testing.assert_allclose(compiled, by_numpy, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(changing, by_numpy, rtol=1e-12, atol=1e-14)


def test_seed_and_label_give_the_noise(either_way):
    first, again, *others = (
        use(DeviceArray(EVERYTHING, (20, 30), seed=seed, label=label))
        for seed, label in [(5, "a"), (5, "a"), (6, "a"), (5, "b")]
    )
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for other in others:
        assert (first[0] != other[0]).mean() > 0.5


def test_the_noise_of_a_device_depends_on_its_position_in_c_order(either_way):
    device = Memristor(update=SOFT, sigma_c2c=0.1, sigma_write=0.1)
    flat, shaped = DeviceArray(device, 60), DeviceArray(device, (3, 4, 5))
    for array in (flat, shaped):
        array.pulse(1, n=3)
    np.testing.assert_array_equal(flat.state, shaped.state.reshape(-1))
    np.testing.assert_array_equal(flat.conductances(), shaped.conductances().reshape(-1))


def test_a_pulse_is_an_event_with_its_own_noise(either_way):
    update = Update(law="linear", step_up=0.01, step_down=0.01)
    array = DeviceArray(Memristor(update=update, sigma_c2c=0.02), 100, seed=2, initial=0.5)
    array.pulse(1, n=2)
    array.program(array.state)  # the third event, of no pulse
    array.pulse(-1)
    xi = normal(noise_key(2, "array"), np.arange(100)[:, None], [0, 1, 3], Stream.WRITE)
    np.testing.assert_allclose(array.state, 0.5 + 0.01 + 0.02 * xi.sum(axis=1), rtol=1e-12)
    assert (array.n_events == 4).all()
    assert (array.n_set + array.n_reset == 3).all()


def test_write_noise_stays_until_the_next_event(either_way):
    array = DeviceArray(Memristor(update=SOFT, sigma_write=0.1), 1000, initial=0.5)
    before = array.conductances()
    np.testing.assert_array_equal(array.conductances(), before)
    array.pulse(np.arange(1000) % 2)
    changed = array.conductances() != before
    np.testing.assert_array_equal(changed, np.arange(1000) % 2 == 1)


def test_reads_differ_and_leave_the_device_alone(either_way):
    array = DeviceArray(Memristor(sigma_read=0.1, sigma_flicker=0.1), N, initial=0.5)
    reads = [array.read(), array.read()]
    assert array.n_reads == 2
    assert (reads[0] != reads[1]).mean() > 0.99
    np.testing.assert_array_equal(array.conductances(), 0.5)
    # Relative, from two independent sources; standard error of a standard deviation.
    sigma = math.hypot(0.1, 0.1)
    for read in reads:
        assert read.mean() == pytest.approx(0.5, abs=5 * 0.5 * sigma / math.sqrt(N))
        assert read.std() == pytest.approx(0.5 * sigma, rel=5 / math.sqrt(2 * N))


def test_worn_out_devices_ignore_pulses(either_way):
    device = Memristor(update=SOFT, endurance=5.0, endurance_shape=2.0)
    array = DeviceArray(device, 2000, seed=4)
    life = effects.life(device, noise_key(4, "array"), np.arange(2000))
    array.pulse(1, n=3)
    array.pulse(-1, n=4)
    survived = np.minimum(np.ceil(life), 7)
    assert 0 < (survived < 7).mean() < 1
    np.testing.assert_array_equal(array.n_events, survived)
    np.testing.assert_array_equal(array.n_set, np.minimum(survived, 3))
    np.testing.assert_array_equal(array.n_reset, survived - np.minimum(survived, 3))
    ups, downs = array.n_set, array.n_reset
    np.testing.assert_allclose(array.state, (1 - 0.9**ups) * 0.9**downs)


def test_stuck_devices_keep_their_conductance(either_way):
    array = DeviceArray(Memristor(update=SOFT, stuck_on=0.2, stuck_off=0.2, stuck_random=0.2), 2000)
    before = array.conductances()
    array.pulse(1, n=5)
    after = array.conductances()
    np.testing.assert_array_equal(after != before, ~array.bounds.stuck)


def test_conductances_decay_from_the_last_write(either_way):
    device = Memristor(update=SOFT, drift_nu=0.1, drift_t0_s=2.0, endurance=1.0, endurance_shape=50)
    array = DeviceArray(device, 1000, initial=1.0)
    array.age(1.0)
    np.testing.assert_array_equal(array.conductances(), 1.0)  # until drift_t0_s
    array.age(15.0)
    array.pulse(np.arange(1000) % 2)
    array.age(48.0)
    once = array.conductances()
    np.testing.assert_allclose(once[0::2], 32.0**-0.1)
    np.testing.assert_allclose(once[1::2], 24.0**-0.1)
    # A device that is worn out is not written by a pulse: it goes on decaying.
    worn = array.n_events >= effects.life(device, noise_key(1, "array"), np.arange(1000))
    array.pulse(1)
    array.age(48.0)
    assert 0.1 < worn[1::2].mean() < 0.9
    ages = np.where(worn, 96.0, 48.0)[1::2]
    np.testing.assert_allclose(array.conductances()[1::2], (ages / 2.0) ** -0.1)


def test_states_are_programmed_in_one_event():
    array = DeviceArray(Memristor(sigma_c2c=0.02), (100, 100))
    array.program(0.5)
    array.program(np.full((100, 100), 0.5))
    assert (array.n_events == 2).all()
    assert (array.n_set + array.n_reset == 2).all()
    assert array.state.std() == pytest.approx(0.02, rel=5 / math.sqrt(2 * 10_000))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda array: array.pulse(2), "direction=2, need 1"),
        (lambda array: array.pulse([1, 0.5, -1]), "direction=0.5, need 1"),
        (lambda array: array.pulse(1, n=-1), "n=-1, need an integer >= 0"),
        (lambda array: array.pulse(1, n=1.5), "n=1.5, need an integer >= 0"),
        (lambda array: array.pulse(1, n=2**32), "4294967296 more events after 0, at most"),
        (lambda array: array.program(1.1), r"state 1.1, need fractions of the range in \[0, 1\]"),
        (lambda array: array.program(np.nan), "state nan, need"),
        (lambda array: array.age(-1), "seconds=-1, need a finite number >= 0"),
        (lambda array: array.age(math.nan), "seconds=nan, need"),
    ],
)
def test_what_cannot_be_done_is_refused(call, message):
    array = DeviceArray(Memristor(update=SOFT), 3)
    with pytest.raises(ValueError, match=message):
        call(array)
    assert (array.n_events == 0).all()


def test_devices_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="law='direct', need a law with pulses"):
        DeviceArray(Memristor(), 3).pulse(1)
    with pytest.raises(UnknownParameterError, match="sigma_read"):
        DeviceArray(Memristor(sigma_read=None), 3)
    with pytest.raises(ValueError, match="c2c_event='pre_spike', but"):
        DeviceArray(Memristor(sigma_c2c=0.1, c2c_event="pre_spike"), 3)


# Moments of pulses -------------------------------------------------------------------------------
#
# The standard deviation after one pulse up from weight 0, in units of the mean step there, for
# devices of aihwkit's presets (Rasch et al. 2021, doi:10.1109/AICAS51828.2021.9458494), whose
# weights from w_min to w_max are states from 0 to 1 here. The step of device i is (1 + d_i + a_i)
# steps, d and a its spread and asymmetry, and has noise of sigma_c2c_step steps. The numbers
# called aihwkit's are from one simulation of 512 x 512 devices with its version 1.2.0.

W_RANGE = 2.0
SCALES = {"gokmen_vlasov": 0.0016, "ecram": 0.002, "reram_es": 0.00135, "reram_sb": 0.002}


def linear(step, low, high, slope_up, slope_down):
    """Aihwkit's LinearStep: ``step*(1 - slope*w/bound)`` of a weight from `low` to `high`."""
    up, down = 1 - slope_up * low / high, 1 - slope_down * high / low
    return Update(
        law="linear",
        step_up=step / (high - low) * up,
        step_down=step / (high - low) * down,
        slope_up=slope_up * (high - low) / high / up,
        slope_down=slope_down * (high - low) / -low / down,
    )


#: ``dw*(1 + 1.18445*exp(-5*s))`` up, ``0.740641*dw*(1 + 0.081404*exp(5*s))`` down.
RERAM_ES = Update(
    law="exponential", step_up=0.00135 / 2, step_down=0.00135 / 2 * (1 - 0.259359),
    amplitude_up=-1.18445, rate_up=-5.0, amplitude_down=-0.081404 * math.exp(5), rate_down=-5.0,
)  # fmt: skip
CONSTANT = linear(0.0016, -1.0, 1.0, 0.0, 0.0)
ECRAM = linear(0.002, -0.8276, 1.1724, 0.1153, 0.5085)
RERAM_SB = linear(0.002, -0.75, 1.25, 1.0, 1.0)


def spread_of_a_pulse(device, zero, step):
    """Return the deviations of states and conductances, in steps, after one pulse."""
    array = DeviceArray(device, (512, 512), initial=zero)
    array.pulse(1)
    return array.state.std() / step, array.conductances().std() / step


@pytest.mark.parametrize(
    "name, update, zero, d2d, asymmetry, c2c, write, aihwkit",
    [
        ("gokmen_vlasov", CONSTANT, 0.5, 0.3, 0.01, 0.3, 0.0, 0.4343),
        ("ecram", ECRAM, 0.4138, 0.1, 0.01, 0.3, 0.0, 0.3178),
        ("reram_es", RERAM_ES, 0.5, 0.2, 0.05, 5.0, 75.0, (5.570, 74.87)),
        ("reram_sb", RERAM_SB, 0.375, 0.3, 0.01, 3.75, 56.0, (None, 55.93)),
    ],
)
def test_spread_after_one_pulse(name, update, zero, d2d, asymmetry, c2c, write, aihwkit):
    step = SCALES[name] / W_RANGE
    device = Memristor(
        update=update,
        sigma_d2d_step=d2d,
        sigma_d2d_asymmetry=asymmetry,
        sigma_c2c_step=c2c,
        sigma_write=write * step,
    )
    persistent, apparent = spread_of_a_pulse(device, zero, step)

    relative = 1 + 1.18445 * math.exp(-2.5) if name == "reram_es" else 1.0
    square = 1 + d2d**2 + asymmetry**2
    predicted = relative * math.sqrt(square * (1 + c2c**2) - 1)
    # Twice the error of a normal distribution: products of normal numbers have a kurtosis below 10.
    tolerance = 4 * 2 / math.sqrt(2 * N)
    assert persistent == pytest.approx(predicted, rel=tolerance)
    assert apparent == pytest.approx(math.hypot(predicted, write), rel=tolerance)
    for ours, theirs in zip((persistent, apparent), np.atleast_1d(aihwkit), strict=False):
        if theirs is not None:
            assert ours == pytest.approx(theirs, rel=0.01)


def test_mean_of_log_normal_steps():
    """ReRAM array of Gong and Rasch (2022): spread of the logarithm 0.7125, step 0.4622."""
    scale = 1e-3  # so that no device reaches its bound
    update = Update(law="linear", step_up=0.4622 * scale, step_down=0.4622 * scale)
    device = Memristor(
        update=update, sigma_d2d_step=0.7125, step_distribution="log-normal", sigma_c2c_step=0.2174
    )
    array = DeviceArray(device, (512, 512), initial=0.5)
    array.pulse(1)
    mean = (array.state - 0.5).mean() / scale
    predicted = 0.4622 * math.exp(0.7125**2 / 2)
    deviation = predicted * math.sqrt(math.exp(0.7125**2) * (1 + 0.2174**2) - 1)
    assert mean == pytest.approx(predicted, abs=4 * deviation / math.sqrt(N))
    assert mean == pytest.approx(0.5956, rel=0.01)


def test_spread_between_devices_grows_with_the_pulses_noise_with_their_root(either_way):
    """Variance of the change by n pulses: step² (n² d2d² + n c2c² (1 + d2d²))."""
    step, d2d, c2c, n = 1e-4, 0.2, 0.5, 16
    update = Update(law="linear", step_up=step, step_down=step)
    device = Memristor(update=update, sigma_d2d_step=d2d, sigma_c2c_step=c2c)
    array = DeviceArray(device, N // 4, initial=0.5)
    array.pulse(1, n=n)
    half = array.state
    array.pulse(1, n=n)
    first, second = half - 0.5, array.state - half

    def variance(pulses):
        return step**2 * (pulses**2 * d2d**2 + pulses * c2c**2 * (1 + d2d**2))

    of_mean, of_variance = 1 / math.sqrt(N // 4), math.sqrt(2 / (N // 4))
    for change, pulses in ((first, n), (second, n), (first + second, 2 * n)):
        deviation = math.sqrt(variance(pulses))
        assert change.mean() == pytest.approx(pulses * step, abs=4 * deviation * of_mean)
        assert change.var() == pytest.approx(variance(pulses), rel=4 * of_variance)
    # What two trains of one device have in common is the device.
    covariance = np.cov(first, second)[0, 1]
    shared = (n * step * d2d) ** 2
    assert covariance == pytest.approx(shared, abs=4 * variance(n) * of_variance)


@pytest.mark.parametrize(
    "update, low, zero_up, after_up, after_down",
    [
        # Pulses, weights after 1, 10, 100, 1000 and 2000 up, then as many down, by aihwkit 1.2.0.
        (
            linear(0.001, -0.6, 0.6, 1.0, 1.0), -0.6, 0.5,
            (0.00100, 0.00993, 0.09218, 0.48683, 0.57866),
            (0.57669, 0.55916, 0.39757, -0.37769, -0.55807),
        ),
        (
            RERAM_ES, -1.0, 0.5,
            (0.00148, 0.01479, 0.14601, 1.0, 1.0),
            (0.98692, 0.88425, 0.37738, -0.99815, -1.0),
        ),
        (
            ECRAM, -0.8276, 0.4138,
            (0.00200, 0.01998, 0.19807, 1.1724, 1.1724),
            (1.16896, 1.13818, 0.84844, -0.80881, -0.8276),
        ),
        (
            linear(0.005, -1.0, 1.0, 0.05, 0.05), -1.0, 0.5,
            (0.005, 0.04994, 0.49386, 1.0, 1.0),
            (0.99475, 0.94756, 0.48144, -1.0, -1.0),
        ),
    ],
    ids=["soft_bounds", "reram_es", "ecram", "capacitor"],
)  # fmt: skip
def test_noise_free_pulses_take_the_way_of_aihwkit(update, low, zero_up, after_up, after_down):
    array = DeviceArray(Memristor(update=update), 1, initial=zero_up)
    w_range = 1.2 if low == -0.6 else W_RANGE
    for direction, expected in ((1, after_up), (-1, after_down)):
        done = 0
        for pulses, weight in zip((1, 10, 100, 1000, 2000), expected, strict=True):
            array.pulse(direction, n=pulses - done)
            done = pulses
            # It computes in single precision and has 5 digits here.
            assert low + w_range * array.state[0] == pytest.approx(weight, abs=1.5e-5)
