"""Write noise of the conductance, drift, read noise and non-linearity, against closed forms."""

import math

import numpy as np
import pytest
from scipy import signal

from devices import Memristor
from devices.effects import FLICKER_OCTAVES, conductance, current, drift_exponent, read_factor
from devices.noise import noise_key

KEY = noise_key(11, "reading")
N = 40_000
INDEX = np.arange(N)


def assert_mean_and_std(sample, mean, std):
    assert abs(sample.mean() - mean) < 5 * std / math.sqrt(sample.size)
    assert abs(sample.std() - std) < 5 * std / math.sqrt(2 * sample.size)


def test_an_ideal_device_conducts_what_its_state_says():
    np.testing.assert_array_equal(
        conductance(Memristor(), [0.0, 2.0], 3.0, 0, KEY, [0, 1], 1e9), [0.0, 2.0]
    )


def test_write_noise_belongs_to_the_event():
    device = Memristor(sigma_write=0.05)
    first = conductance(device, 1.0, 2.0, 0, KEY, INDEX)
    assert_mean_and_std(first, 1.0, 0.1)
    np.testing.assert_array_equal(first, conductance(device, 1.0, 2.0, 0, KEY, INDEX))
    second = conductance(device, 1.0, 2.0, 1, KEY, INDEX)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(N)


def test_write_noise_makes_no_conductance_negative():
    found = conductance(Memristor(sigma_write=0.1), 0.0, 1.0, 0, KEY, INDEX)
    assert (found >= 0).all()
    # half a normal distribution
    assert abs(found.mean() - 0.1 / math.sqrt(2 * math.pi)) < 5 * 0.1 / math.sqrt(N)


def test_drift_is_a_power_law():
    device = Memristor(drift_nu=0.07, drift_t0_s=20.0)
    t = np.geomspace(20.0, 1e8, 50)
    g = conductance(device, 1.0, 1.0, 0, KEY, 0, t)
    np.testing.assert_allclose(np.diff(np.log(g)) / np.diff(np.log(t)), -0.07, rtol=1e-10)


def test_nothing_drifts_before_t0():
    device = Memristor(drift_nu=0.1, sigma_drift_nu=0.02, drift_t0_s=5.0)
    for age in (0.0, 1.0, 5.0):
        assert (conductance(device, 0.7, 1.0, 0, KEY, INDEX, age) == 0.7).all()


def test_spread_of_the_drift():
    device = Memristor(drift_nu=0.05, sigma_drift_nu=0.01, drift_t0_s=2.0)
    age = 2e6
    g = conductance(device, 3.0, 1.0, 0, KEY, INDEX, age)
    log = math.log(age / 2.0)
    assert_mean_and_std(np.log(g / 3.0), -0.05 * log, 0.01 * log)
    assert_mean_and_std(drift_exponent(device, KEY, INDEX), 0.05, 0.01)


def test_read_noise_differs_between_reads():
    device = Memristor(sigma_read=0.1)
    first, second = (read_factor(device, n, KEY, INDEX) for n in (0, 1))
    assert_mean_and_std(first, 1.0, 0.1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(N)


def test_the_mean_of_reads_gets_better_with_their_root():
    reads = read_factor(Memristor(sigma_read=0.1), np.arange(25)[:, None], KEY, INDEX[:8000])
    assert_mean_and_std(reads.mean(axis=0), 1.0, 0.1 / 5)


def test_flicker_noise_has_its_variance():
    found = read_factor(Memristor(sigma_flicker=0.1), 12345, KEY, INDEX)
    assert_mean_and_std(found, 1.0, 0.1)


def test_flicker_noise_correlates_as_its_octaves():
    """Reads n and m share the octaves in which both numbers fall into one interval."""
    device = Memristor(sigma_flicker=0.1)
    first = read_factor(device, 0, KEY, INDEX)
    for n in (1, 5, 300):
        shared = sum(n >> octave == 0 for octave in range(FLICKER_OCTAVES))
        expected = shared / FLICKER_OCTAVES
        found = np.corrcoef(first, read_factor(device, n, KEY, INDEX))[0, 1]
        assert abs(found - expected) < 5 * (1 - expected**2) / math.sqrt(N)


def test_flicker_noise_has_a_spectrum_of_1_over_f():
    n = 2**14
    device = Memristor(sigma_flicker=0.1)
    reads = np.array([read_factor(device, np.arange(n), KEY, device_) for device_ in range(24)])
    frequency, power = signal.periodogram(reads - 1.0, axis=1)
    band = (frequency > 4 / n) & (frequency < 0.05)
    edges = np.geomspace(4 / n, 0.05, 13)
    centres, means = [], []
    for low, high in zip(edges, edges[1:], strict=False):
        inside = band & (frequency >= low) & (frequency < high)
        centres.append(np.log(frequency[inside]).mean())
        means.append(np.log(power.mean(axis=0)[inside].mean()))
    slope = np.polyfit(centres, means, 1)[0]
    # Steps of octaves make the spectrum wavy; 24 series leave 0.05 of statistical error.
    assert abs(slope + 1.0) < 0.15
    white = read_factor(Memristor(sigma_read=0.1), np.arange(n), KEY, 0)
    _, flat = signal.periodogram(white - 1.0)
    assert abs(np.polyfit(np.log(frequency[band]), np.log(flat[band]), 1)[0]) < 0.15


def test_white_and_flicker_noise_add():
    device = Memristor(sigma_read=0.06, sigma_flicker=0.08)
    assert_mean_and_std(read_factor(device, 7, KEY, INDEX), 1.0, 0.1)


@pytest.mark.parametrize("v", [-0.4, 0.0, 0.2])
def test_current(v):
    linear = current(Memristor(), 50.0, v)
    assert linear == 50.0 * v
    cubic = current(Memristor(iv_cubic=-0.25), 50.0, v)
    assert cubic == pytest.approx(50.0 * (v - 0.25 * v**3))  # as CrossSim's CubicDevice
    both = Memristor(iv_quadratic=0.5, iv_cubic=2.0)
    assert current(both, 50.0, v) == pytest.approx(-current(both, 50.0, -v))


def test_conductances_have_the_broadcast_shape():
    for device in (Memristor(), Memristor(drift_nu=0.1), Memristor(sigma_write=0.1)):
        ages = np.geomspace(1, 1e6, 7)[:, None]
        assert conductance(device, 1.0, 1.0, 0, KEY, INDEX[:5], ages).shape == (7, 5)
