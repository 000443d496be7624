import dataclasses
import math

import numpy as np
import pytest

from devices import Memristor, UnknownParameterError, noise
from devices import crossbar as crossbar_module
from devices.crossbar import Crossbar
from devices.ir_drop import currents, effective_conductance
from devices.kernels.compiled import output_normals
from devices.mapping import MAPPINGS
from devices.noise import noise_key
from devices.programmed import program_weights
from devices.write_verify import WriteVerify

SIDE = 256
N = SIDE * SIDE
UNIFORM = np.random.default_rng(1).uniform(-1, 1, (SIDE, SIDE))
GAUSS = np.random.default_rng(2).normal(size=(SIDE, SIDE))
SIGMA = 0.02  # of the conductance, relative to g_max


def rms(error):
    return math.sqrt(np.mean(np.square(error)))


def error_of(mapping, weights, device):
    return Crossbar(weights, device, mapping=mapping).weights() - weights


# Predictions in closed form, and what CrossSim 3.2.0 yields for 256 x 256 uniform weights.
@pytest.mark.parametrize(
    ("mapping", "on_off_ratio", "predicted", "crosssim"),
    [
        ("two_sided", 10.0, math.sqrt(2) * SIGMA / 0.9, 0.03135),
        ("two_sided", 100.0, math.sqrt(2) * SIGMA / 0.99, 0.02849),
        ("two_sided", math.inf, math.sqrt(2) * SIGMA, 0.02806),
        # One of the pair is at 0 conductance, where the lower half of the noise is cut off.
        ("differential", math.inf, math.sqrt(1.5) * SIGMA, 0.02433),
        ("offset", 10.0, 2 * SIGMA / 0.9, 0.0445),
        ("offset", 100.0, 2 * SIGMA / 0.99, 0.0405),
        ("offset", math.inf, 2 * SIGMA, 0.0397),
    ],
)
def test_programming_error_of_each_mapping(mapping, on_off_ratio, predicted, crosssim):
    # The noise is relative to the range, SIGMA to the highest conductance.
    device = Memristor(on_off_ratio=on_off_ratio, sigma_write=SIGMA / (1 - 1 / on_off_ratio))
    found = rms(error_of(mapping, UNIFORM, device))
    # Four standard errors, and 2 % for the cut-off at 0 that predictions leave out.
    assert found == pytest.approx(predicted, rel=4 / math.sqrt(2 * N) + 0.02)
    assert found == pytest.approx(crosssim, rel=4 * math.sqrt(2) / math.sqrt(2 * N) + 0.02)


@pytest.mark.parametrize("on_off_ratio", [10.0, 100.0, math.inf])
@pytest.mark.parametrize("mapping", ["differential", "two_sided", "offset"])
def test_no_error_without_noise(mapping, on_off_ratio):
    error = error_of(mapping, UNIFORM, Memristor(on_off_ratio=on_off_ratio))
    assert np.abs(error).max() < 1e-14


@pytest.mark.parametrize(("bits", "crosssim"), [(2, 0.09576), (4, 0.019223), (6, 0.004589)])
def test_quantisation_error(bits, crosssim):
    step = 1 / (2**bits - 1)
    found = rms(error_of("differential", GAUSS, Memristor(n_levels=2**bits))) / abs(GAUSS).max()
    # Of a uniform error e in +-step/2: the relative standard error of the rms is sqrt(1/5)/sqrt(N).
    tolerance = 4 * math.sqrt(0.2 / N) + 0.02
    assert found == pytest.approx(step / math.sqrt(12), rel=tolerance)
    assert found == pytest.approx(crosssim, rel=tolerance)


def test_quantisation_error_of_binary_devices_is_not_uniform():
    w_max = abs(GAUSS).max()
    error = error_of("differential", GAUSS, Memristor(n_levels=2))
    magnitude = np.abs(GAUSS)
    expected = np.where(magnitude < w_max / 2, magnitude, w_max - magnitude)
    np.testing.assert_allclose(np.abs(error), expected, atol=1e-14)
    # Of a normal distribution nearly all are below half: the uniform law, 0.289, does not hold
    # (CrossSim: 0.238 for a smaller largest weight).
    below = math.sqrt(np.mean(np.minimum(magnitude, w_max - magnitude) ** 2)) / w_max
    assert rms(error) / w_max == pytest.approx(below) and below < 0.8 / math.sqrt(12)


def test_slices_add_bits():
    device = Memristor(n_levels=4)
    bar = Crossbar(GAUSS, device, n_slices=3)
    step = abs(GAUSS).max() / (4**3 - 1)
    assert rms(bar.weights() - GAUSS) == pytest.approx(
        step / math.sqrt(12), rel=4 * math.sqrt(0.2 / N)
    )
    assert bar.report().n_devices == 6 * N


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_devices_are_those_of_programmed_weights_in_row_major_order(mapping):
    device = Memristor(on_off_ratio=20.0, sigma_d2d_g_max=0.1, sigma_c2c=0.02, stuck_off=0.01)
    weights = UNIFORM[:30, :20]
    bar = Crossbar(weights, device, seed=4, label="layer", mapping=mapping)
    flat = program_weights(weights.reshape(-1), device, noise_key(4, "layer"), mapping=mapping)
    np.testing.assert_array_equal(bar.programmed.conductance, flat.conductance)
    np.testing.assert_array_equal(bar.weights(), flat.weights().reshape(30, 20))
    other = Crossbar(weights, device, seed=4, label="other", mapping=mapping)
    assert not np.array_equal(other.weights(), bar.weights())


def test_without_read_noise_it_is_the_product_with_the_weights():
    bar = Crossbar(UNIFORM, Memristor(on_off_ratio=10.0, sigma_c2c=0.05))
    x = np.random.default_rng(3).normal(size=(5, SIDE))
    np.testing.assert_allclose(bar.matvec(x), x @ bar.weights(), rtol=1e-14)
    np.testing.assert_allclose(bar.matvec(x[2]), x[2] @ bar.weights(), rtol=1e-12, atol=1e-12)
    assert bar.matvec(np.empty((0, SIDE))).shape == (0, SIDE)
    assert bar.n_reads == 6


# 0.2: at the outputs; 0.21: device by device.
@pytest.mark.parametrize("sigma_read", [0.2, 0.21])
@pytest.mark.parametrize("mapping", MAPPINGS)
def test_variance_of_read_noise(mapping, sigma_read):
    n, shape, r = 4000, (6, 3), 10.0
    rng = np.random.default_rng(6)
    weights, x = rng.uniform(-1, 1, shape), rng.normal(size=shape[0])
    device = Memristor(on_off_ratio=r, sigma_read=sigma_read)
    bar = Crossbar(weights, device, mapping=mapping, w_max=1.0)
    g = bar.programmed.conductance.reshape(*shape, -1)
    factor = {"single": 1.0, "offset": 2.0}.get(mapping, 1.0) / (
        1.0 if mapping == "single" else 1 - 1 / r
    )
    expected = (x**2) @ ((sigma_read * factor * g) ** 2).sum(axis=2)
    error = bar.matvec(np.tile(x, (n, 1))) - x @ bar.weights()
    assert (np.abs(error.mean(axis=0)) < 5 * np.sqrt(expected / n)).all()
    assert (np.abs(error.var(axis=0) / expected - 1) < 5 * math.sqrt(2 / n)).all()
    correlation = np.corrcoef(error.T)[np.triu_indices(shape[1], 1)]
    assert (np.abs(correlation) < 5 / math.sqrt(n)).all()


@pytest.mark.parametrize("sigma_read", [0.1, 0.3])
def test_noise_of_successive_reads_is_independent_and_averages_out(sigma_read):
    n, average = 400, 16
    bar = Crossbar(np.full((2, 1), 0.5), Memristor(sigma_read=sigma_read), mapping="single")
    error = bar.matvec(np.ones((n * average, 2)))[:, 0] - 1.0
    averaged = error.reshape(n, average).mean(axis=1)
    ratio = averaged.std() / error.std()
    assert ratio == pytest.approx(1 / math.sqrt(average), rel=5 / math.sqrt(2 * n))
    serial = np.corrcoef(error[:-1], error[1:])[0, 1]
    assert abs(serial) < 5 / math.sqrt(error.size)


def test_noise_depends_on_the_number_of_the_read_alone():
    x = np.random.default_rng(8).normal(size=(7, 32))
    weights = UNIFORM[:32, :9]
    device = Memristor(sigma_read=0.1)
    whole = Crossbar(weights, device).matvec(x)
    parts = Crossbar(weights, device)
    pieces = [parts.matvec(x[0]), *parts.matvec(x[1:4]), *parts.matvec(x[4:])]
    # The standard deviations are products in single precision.
    np.testing.assert_allclose(np.array(pieces), whole, rtol=0, atol=1e-6)
    skipped = Crossbar(weights, device)
    skipped.read()
    np.testing.assert_allclose(skipped.matvec(x[1]), whole[1], rtol=0, atol=1e-6)
    other = Crossbar(weights, device, seed=2).matvec(x)
    assert np.abs(other - whole).min() > 0


@pytest.mark.parametrize(
    "device", [Memristor(sigma_flicker=0.05), Memristor(sigma_read=0.5, sigma_flicker=0.1)]
)
def test_with_flicker_noise_every_device_is_read(device):
    x = np.random.default_rng(8).normal(size=(3, 32))
    one, other = (Crossbar(UNIFORM[:32, :9], device) for _ in range(2))
    expected = [v @ other.read() for v in x]
    np.testing.assert_allclose(one.matvec(x), expected, rtol=1e-12, atol=1e-14)
    assert one.n_reads == other.n_reads == 3


def test_noise_scales_with_input_and_weight_however_small_they_are():
    device = Memristor(sigma_read=0.1)
    x = np.random.default_rng(8).normal(size=(4, SIDE))
    plain = Crossbar(UNIFORM, device).matvec(x)
    tiny = Crossbar(UNIFORM * 1e-30, device).matvec(x * 1e-30)
    np.testing.assert_allclose(tiny * 1e60, plain, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(Crossbar(UNIFORM, device).matvec(np.zeros(SIDE)), 0.0)


def test_reads_differ_and_the_weights_do_not():
    bar = Crossbar(UNIFORM, Memristor(sigma_read=0.1), mapping="single")
    before = bar.weights()
    first, second = bar.read(), bar.read()
    np.testing.assert_array_equal(bar.weights(), before)
    for read in first, second:
        assert rms(read / before - 1) == pytest.approx(0.1, rel=5 / math.sqrt(2 * N))
    assert rms(first / before - second / before) == pytest.approx(
        0.1 * math.sqrt(2), rel=5 / math.sqrt(2 * N)
    )


def test_a_zero_weight_leaks_through_a_single_device_only():
    weights = np.zeros((4, 4))
    device = Memristor(on_off_ratio=20.0)
    for mapping in MAPPINGS:
        leak = Crossbar(weights, device, mapping=mapping, w_max=2.0).weights()
        np.testing.assert_allclose(leak, 0.1 if mapping == "single" else 0.0, atol=1e-15)


@pytest.mark.parametrize("mapping", ["single", "differential"])
def test_drift_is_a_power_law(mapping):
    nu = 0.06
    bar = Crossbar(UNIFORM, Memristor(drift_nu=nu, drift_t0_s=2.0), mapping=mapping)
    start = bar.weights()
    bar.age(2.0)
    np.testing.assert_array_equal(bar.weights(), start)
    times, weights = [], []
    for seconds in (18.0, 180.0, 1800.0):
        bar.age(seconds)
        times.append(bar.age_s)
        weights.append(bar.weights()[3, 4])
    slopes = np.diff(np.log(np.abs(weights))) / np.diff(np.log(times))
    np.testing.assert_allclose(slopes, -nu, rtol=1e-9)


def test_drift_composes_and_ends_with_programming():
    device = Memristor(drift_nu=0.06, sigma_drift_nu=0.02)
    one, other = (Crossbar(UNIFORM, device) for _ in range(2))
    fresh = one.weights()
    one.age(1000.0)
    other.age(300.0)
    other.matvec(np.ones(SIDE))
    other.age(700.0)
    np.testing.assert_array_equal(one.weights(), other.weights())
    assert not np.array_equal(one.weights(), fresh)
    one.program()
    assert one.age_s == 0.0
    np.testing.assert_array_equal(one.weights(), fresh)


def test_reads_are_of_drifted_devices():
    for effect in ({"sigma_read": 0.01}, {"sigma_flicker": 0.01}):
        bar = Crossbar(UNIFORM, Memristor(drift_nu=0.1, **effect), mapping="single")
        bar.age(1e5)
        assert rms(bar.read() / UNIFORM) == pytest.approx(1e5**-0.1, rel=0.01)
        x = np.ones(SIDE)
        np.testing.assert_allclose(bar.matvec(x), 1e5**-0.1 * x @ UNIFORM, atol=0.3)


def test_spread_of_drift():
    sigma, t = 0.02, 1e6
    device = Memristor(drift_nu=0.06, sigma_drift_nu=sigma)
    bar = Crossbar(np.ones((SIDE, SIDE)), device, mapping="single")
    bar.age(t)
    log = np.log(bar.weights())
    assert log.mean() == pytest.approx(-0.06 * math.log(t), abs=5 * sigma * math.log(t) / SIDE)
    assert log.std() == pytest.approx(sigma * math.log(t), rel=5 / math.sqrt(2 * N))


def test_error_of_stuck_devices():
    off, on = 0.05, 0.03
    weights = np.abs(UNIFORM)
    device = Memristor(stuck_off=off, stuck_on=on)
    bar = Crossbar(weights, device, mapping="single", w_max=1.0)
    per_weight = off * np.mean(weights**2) + on * np.mean((1 - weights) ** 2)
    squared = (bar.weights() - weights) ** 2
    spread = math.sqrt(off * np.mean(weights**4) + on * np.mean((1 - weights) ** 4))
    assert abs(squared.mean() - per_weight) < 5 * spread / math.sqrt(N)
    # Of random signs at the inputs, the errors of a column add up.
    signs = np.random.default_rng(9).choice([-1.0, 1.0], size=(500, SIDE))
    error = bar.matvec(signs) - signs @ weights
    assert np.mean(error**2) == pytest.approx(
        SIDE * squared.mean(), rel=5 * math.sqrt(2 / 500 / 16)
    )
    stuck = bar.weights()[squared > 0]
    assert np.isin(stuck, [0.0, 1.0]).all()
    before = bar.weights()
    bar.program(1 - weights)
    unmoved = bar.weights() == before
    assert bar.report().n_stuck == pytest.approx((off + on) * N, abs=5 * math.sqrt(0.08 * 0.92 * N))
    assert unmoved.sum() == bar.report().n_stuck


def test_programming_other_weights():
    bar = Crossbar(UNIFORM, Memristor(sigma_c2c=0.01), w_max=1.0)
    bar.program(-UNIFORM)
    assert rms(bar.weights() + UNIFORM) < 0.03
    assert bar.report().n_events == 4 * N
    bar.program()
    assert rms(bar.weights() + UNIFORM) < 0.03
    with pytest.raises(ValueError, match=r"weights of shape \(2, 2\), need \(256, 256\)"):
        bar.program(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="larger than w_max=1.0"):
        bar.program(2 * UNIFORM)


def test_the_caller_keeps_the_weights():
    weights = UNIFORM.copy()
    bar = Crossbar(weights, Memristor())
    weights[:] = 0
    bar.program()
    np.testing.assert_allclose(bar.weights(), UNIFORM, atol=1e-15)
    bar.weights()[:] = 0
    assert bar.weights().any()


G_MAX = 100.0  # µS


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_wires(mapping):
    weights, r_wire = UNIFORM[:12, :9], 20.0
    device = Memristor(g_max=G_MAX, on_off_ratio=10.0, sigma_c2c=0.02)
    dry = Crossbar(weights, device, mapping=mapping, w_max=2.0)
    wet = Crossbar(weights, device, mapping=mapping, w_max=2.0, wire_resistance=r_wire)
    x = np.random.default_rng(4).normal(size=(5, 12))
    devices = dry.programmed
    unit = 1e-6 * G_MAX / 2.0
    y = np.full((5, 9), devices.offset) * x.sum(axis=1, keepdims=True)
    for g, sign in zip(devices.conductance.T, devices.signs, strict=True):
        if mapping == "single":  # the sign is that of the weight: split by it
            seen = effective_conductance(g.reshape(12, 9) * unit, r_wire) / unit
            y += x @ (np.reshape(devices.scale, (12, 9)) * seen)
        else:
            y += devices.scale * sign * currents(g.reshape(12, 9) * unit, x, r_wire) / unit
    np.testing.assert_allclose(wet.matvec(x), y, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(x @ wet.weights(), y, rtol=1e-11, atol=1e-11)
    assert rms(wet.weights() - dry.weights()) > 1e-3
    tiny = Crossbar(weights, device, mapping=mapping, w_max=2.0, wire_resistance=1e-9)
    np.testing.assert_allclose(tiny.weights(), dry.weights(), atol=1e-9)
    none = Crossbar(weights, device, mapping=mapping, w_max=2.0, wire_resistance=0.0)
    np.testing.assert_allclose(none.weights(), dry.weights(), atol=1e-14)


def test_read_noise_seen_through_wires():
    device = Memristor(g_max=G_MAX, sigma_read=0.05)
    bar = Crossbar(UNIFORM[:8, :8], device, wire_resistance=50.0)
    reads = np.array([bar.read() for _ in range(400)])
    assert np.abs(reads.mean(axis=0) - bar.weights()).max() < 0.05 * 5 / 20
    x = np.ones((4000, 8))
    noise = bar.matvec(x).std(axis=0)
    exact = (x[0] @ reads).std(axis=0)
    # Taking the noise relative to the effective weights leaves out that wires damp it once more.
    assert (noise > exact * (1 - 5 / math.sqrt(800))).all()
    np.testing.assert_allclose(noise, exact, rtol=5 / math.sqrt(800) + 0.1)


def test_a_non_linear_device_depends_on_the_size_of_the_input():
    device = Memristor(iv_quadratic=0.3, iv_cubic=-0.25, v_read=0.2, on_off_ratio=10.0)
    bar = Crossbar(UNIFORM, device)
    x = np.random.default_rng(4).uniform(-1, 1, (5, SIDE))
    volts = 0.2 * x
    drive = (volts + 0.3 * volts * np.abs(volts) - 0.25 * volts**3) / 0.2
    np.testing.assert_allclose(bar.matvec(x), drive @ bar.weights(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("device", "options", "message"),
    [
        (Memristor(), {"wire_resistance": 1.0}, "g_max is unknown and needed for wires"),
        (Memristor(iv_cubic=0.1), {}, "v_read is unknown and needed for a non-linear read"),
        (Memristor(sigma_read=None), {}, "sigma_read"),
    ],
)
def test_what_is_needed_must_be_known(device, options, message):
    with pytest.raises(UnknownParameterError, match=message):
        Crossbar(UNIFORM, device, **options)


def test_wires_with_non_linear_devices_are_refused():
    device = Memristor(iv_cubic=0.1, v_read=0.2, g_max=10.0)
    with pytest.raises(ValueError, match="wire_resistance=1.0 with .*iv_cubic=0.1.*leave one"):
        Crossbar(UNIFORM, device, wire_resistance=1.0)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"Crossbar 'a': weights of shape \(3,\), need"):
        Crossbar([1.0, 2.0, 3.0], Memristor(), label="a")
    bar = Crossbar(UNIFORM[:3, :2], Memristor())
    for shape in (2,), (4, 2), (1, 1, 3), ():
        with pytest.raises(ValueError, match=r"need \(3,\) or \(batch, 3\)"):
            bar.matvec(np.ones(shape))
    for seconds in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="need a finite number >= 0"):
            bar.age(seconds)


def test_report_and_cost():
    device = Memristor(
        on_off_ratio=10.0, g_max=50.0, sigma_c2c=0.05, e_set_pj=2.0, e_reset_pj=3.0, v_read=0.2,
        t_set_ns=100.0, t_reset_ns=200.0, t_read_ns=10.0,
    )  # fmt: skip
    bar = Crossbar(UNIFORM[:20, :10], device, verify=WriteVerify(0.02, 5), w_max=1.0)
    bar.matvec(np.ones((7, 20)))
    report, cost = bar.report(), bar.cost()
    devices = bar.programmed
    assert report.n_devices == 400
    assert report.n_failed == devices.n_failed > 0
    assert report.n_events == devices.n_events.sum() > 400
    assert report.n_set + report.n_reset <= report.n_events
    assert report.n_reads == 7
    reads_pj = 7 * 0.2**2 * (devices.conductance * 50.0).sum() * 10.0 * 1e-3
    expected = 2.0 * report.n_set + 3.0 * report.n_reset + reads_pj
    assert cost.energy_pj == pytest.approx(expected)
    sequential = 100.0 * report.n_set + 200.0 * report.n_reset + 10.0 * 7 * 400
    assert cost.latency_ns_sequential == pytest.approx(sequential)
    parallel = (100.0 * devices.n_set + 200.0 * devices.n_reset).max() + 70.0
    assert cost.latency_ns_parallel == pytest.approx(parallel)
    with pytest.raises(UnknownParameterError, match="v_set"):
        Crossbar(UNIFORM, dataclasses.replace(device, e_set_pj=None)).cost()


@pytest.mark.parametrize("sigma_read", [0.0, 0.05, 0.5])
def test_single_precision_in_single_precision_out(sigma_read):
    device = Memristor(on_off_ratio=10.0, sigma_read=sigma_read)
    x = np.random.default_rng(3).normal(size=(4, UNIFORM.shape[0]))
    double = Crossbar(UNIFORM, device).matvec(x)
    single = Crossbar(UNIFORM, device).matvec(x.astype(np.float32))
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4 * np.abs(double).max())
    whole = Crossbar(UNIFORM, Memristor()).matvec(np.ones(UNIFORM.shape[0], dtype=int))
    np.testing.assert_allclose(whole, UNIFORM.sum(axis=0))


def test_read_noise_is_the_same_compiled_and_in_numpy(monkeypatch):
    """To rounding; it follows from seed, label, column and number of the read."""
    x = np.random.default_rng(4).normal(size=(5, UNIFORM.shape[0]))
    device = Memristor(on_off_ratio=10.0, sigma_read=0.1)
    in_numpy = Crossbar(UNIFORM, device, seed=3).matvec(x)
    monkeypatch.setattr(crossbar_module, "_PLAIN_LIMIT", 0)
    compiled = Crossbar(UNIFORM, device, seed=3).matvec(x)
    np.testing.assert_allclose(compiled, in_numpy, rtol=1e-12, atol=1e-12)
    key = noise.noise_key(3, "crossbar")
    drawn = output_normals(1500, 7, 3, key)
    columns, reads = np.arange(1500), np.arange(7, 10)[:, None]
    expected = noise.normal(key, columns, reads, noise.Stream.OUTPUT)
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)
