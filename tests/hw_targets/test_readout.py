import numpy as np
import pytest

from devices.noise import noise_key
from hw_targets.brainscales2.readout import (
    CADC_NOISE,
    MADC_NOISE,
    MADC_PERIOD_US,
    cadc,
    cadc_times,
    madc,
    madc_times,
)

KEY = noise_key(1, "readout")
TIMES = np.linspace(0.0, 1000.0, 11)


def flat(*levels):
    return np.multiply.outer(np.array(levels, dtype=float), np.ones(TIMES.size))


def test_madc_samples_every_34_ns():
    times = madc_times(10.0, 11.0)
    assert MADC_PERIOD_US == pytest.approx(0.034, rel=1e-12)
    np.testing.assert_allclose(np.diff(times), 0.034)
    assert times[0] == 10.0
    assert times.size == 30  # 29.4 MS/s


@pytest.mark.parametrize("times", [madc_times, cadc_times])
def test_end_of_recording_is_left_out(times):
    period = np.diff(times(0.0, 10.0))[0]
    assert times(0.0, 3 * period).size == 3
    assert times(0.0, 3.1 * period).size == 4
    assert times(5.0, 5.0).size == 0
    with pytest.raises(ValueError, match="from 2 us to 1 us"):
        times(2.0, 1.0)


def test_cadc_recording_ends_after_100_samples():
    times = cadc_times(0.0, 1000.0)
    assert times.size == 100
    assert times[-1] == pytest.approx(99 * 1.7)


def test_readings_of_known_potentials():
    samples = np.array([1.0, 500.0])
    # 304 LSB of the MADC go with 80 of the CADC, and 3 with each more.
    np.testing.assert_array_equal(
        madc(TIMES, flat(80.0, 125.0), samples, None), [[304, 304], [439, 439]]
    )
    np.testing.assert_array_equal(
        cadc(TIMES, flat(80.0, 125.4), samples, None), [[80, 80], [125, 125]]
    )


def test_readings_between_points_of_the_trace():
    times = np.array([0.0, 1.0, 3.0])
    trace = np.array([10.0, 20.0, 60.0])
    readings = cadc(times, trace, np.array([0.0, 0.5, 1.0, 2.0, 3.0]), None)
    np.testing.assert_array_equal(readings, [10, 15, 20, 40, 60])
    assert cadc(times[:1], trace[:1], np.array([0.0]), None).tolist() == [10]


def test_range_of_the_converters():
    samples = np.array([0.0])
    assert madc(TIMES, flat(-100.0, 1000.0), samples, None).ravel().tolist() == [0, 1023]
    assert cadc(TIMES, flat(-100.0, 1000.0), samples, None).ravel().tolist() == [0, 255]


def test_cadc_offsets():
    samples = np.array([0.0, 1.0])
    readings = cadc(TIMES, flat(80.0, 80.0), samples, None, offset=np.array([-7.0, 12.0]))
    np.testing.assert_array_equal(readings, [[73, 73], [92, 92]])


@pytest.mark.parametrize(
    ("convert", "noise", "scale"), [(madc, MADC_NOISE, 3.0), (cadc, CADC_NOISE, 1.0)]
)
def test_noise(convert, noise, scale):
    samples = np.linspace(0.0, 999.0, 20000)
    readings = convert(TIMES, flat(80.0), samples, KEY)[0]
    n = samples.size
    expected = np.sqrt(noise**2 + 1 / 12)  # rounding
    assert readings.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * n))
    assert readings.mean() - convert(TIMES, flat(80.0), samples, None).mean() == pytest.approx(
        0.0, abs=4 * expected / np.sqrt(n)
    )


@pytest.mark.parametrize("convert", [madc, cadc])
def test_noise_depends_on_key_channel_and_trial_alone(convert):
    samples = np.linspace(0.0, 999.0, 300)
    both = convert(TIMES, flat(80.0, 80.0), samples, KEY, [3, 4])
    np.testing.assert_array_equal(both[1], convert(TIMES, flat(80.0), samples, KEY, [4])[0])
    np.testing.assert_array_equal(both[:, :100], convert(
        TIMES, flat(80.0, 80.0), samples[:100], KEY, [3, 4]
    ))  # fmt: skip
    assert (both[0] != both[1]).any()
    assert (both != convert(TIMES, flat(80.0, 80.0), samples, KEY, [3, 4], trial=1)).any()
    assert (
        both != convert(TIMES, flat(80.0, 80.0), samples, noise_key(2, "readout"), [3, 4])
    ).any()


def test_converters_do_not_share_noise():
    samples = np.linspace(0.0, 999.0, 2000)
    traces, channels = np.full((4, TIMES.size), 80.0), np.arange(4)
    fast = madc(TIMES, traces, samples, KEY, channels)
    slow = cadc(TIMES, traces, samples, KEY, channels)
    found = np.corrcoef(fast, slow) - np.eye(8)
    assert abs(found).max() < 4.5 / np.sqrt(samples.size)


@pytest.mark.parametrize("convert", [madc, cadc])
def test_samples_outside_the_trace(convert):
    with pytest.raises(ValueError, match="samples from 990 us to 1001 us.*0 us to 1000 us"):
        convert(TIMES, flat(80.0), np.array([990.0, 1001.0]), None)
