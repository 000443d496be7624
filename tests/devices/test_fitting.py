import dataclasses
import math

import numpy as np
import pytest

from devices import Memristor, UnknownParameterError, Update, effects, noise
from devices.array import DeviceArray
from devices.fitting import fit
from devices.fitting.series import series_of
from devices.fitting.spread import distribution_of, spread_of
from devices.measurements import Pulses, read_pulses

# Half width of a 90 % interval in standard errors.
REACH = 1.6449

LAWS = {
    "linear": Update(law="linear", step_up=0.04, step_down=0.06, slope_up=0.6, slope_down=0.9),
    "power": Update(law="power", step_up=0.08, step_down=0.06, exponent_up=1.5, exponent_down=0.5),
    "exponential": Update(
        law="exponential",
        step_up=0.02,
        step_down=0.06,
        amplitude_up=-4.0,
        rate_up=-6.0,
        amplitude_down=0.05,
        rate_down=3.0,
    ),
    "piecewise": Update(
        law="piecewise",
        step_up=0.06,
        step_down=0.05,
        nodes_up=(0.3, 0.7, 1.0, 0.6, 0.2),
        nodes_down=(0.1, 0.4, 0.5, 0.8, 1.0),
    ),
}
SPREAD = {"sigma_d2d_g_max": 0.1, "sigma_d2d_g_min": 0.1, "sigma_d2d_step": 0.15,
          "sigma_d2d_asymmetry": 0.05}  # fmt: skip


def measure(device, n, n_pulses, cycles=2, reads=1, seed=1):
    """Measure devices: pulses up, as many down, and again; returns the devices too."""
    array = DeviceArray(device, n, seed=seed)
    directions = [0, *([1] * n_pulses + [-1] * n_pulses) * cycles]
    shape = n, len(directions), reads
    conductance = np.empty(shape)
    for k, direction in enumerate(directions):
        if direction:
            array.pulse(direction)
        for r in range(reads):
            conductance[:, k, r] = array.read()
    index, pulse, read = np.indices(shape).reshape(3, -1)
    pulses = Pulses(
        names=tuple(map(str, range(n))),
        device=index,
        pulse=pulse,
        direction=np.array(directions)[pulse],
        conductance=conductance.reshape(-1),
        read=read,
    )
    return pulses, array


def error_of(parameter):
    return (parameter.high - parameter.low) / (2.0 * REACH)


def truth(device, name):
    if name == "g_min":
        return device.g_max / device.on_off_ratio
    base, _, index = name.partition("[")
    owner = device.update if hasattr(device.update, base) else device
    value = getattr(owner, base)
    return value[int(index[:-1])] if index else value


@pytest.mark.parametrize(
    "law",
    [
        "linear",
        pytest.param("power", marks=pytest.mark.slow),
        pytest.param("exponential", marks=pytest.mark.slow),
        "piecewise",
    ],
)
def test_without_noise_everything_is_recovered_exactly(law):
    update = LAWS[law]
    device = Memristor.from_range(2, 20, update=update, sigma_d2d_g_max=0.1, sigma_d2d_step=0.15)
    pulses, array = measure(device, 3, 80)
    found = fit(pulses)
    assert found.device.update.law == law
    np.testing.assert_allclose(found.g_min, array.bounds.w_min, rtol=1e-5)
    np.testing.assert_allclose(found.g_max, array.bounds.w_max, rtol=1e-5)
    up, down = effects.step_factors(device, noise.noise_key(1, "array"), np.arange(3))
    np.testing.assert_allclose(found.step_up, update.step_up * up, rtol=1e-5)
    np.testing.assert_allclose(found.step_down, update.step_down * down, rtol=1e-5)
    for name in ("slope", "exponent", "amplitude", "rate", "nodes"):
        for way in ("up", "down"):
            expected = getattr(update, f"{name}_{way}")
            np.testing.assert_allclose(
                getattr(found.device.update, f"{name}_{way}"), expected, rtol=1e-5, atol=1e-6
            )
    for name in ("sigma_c2c", "sigma_c2c_step", "sigma_write"):
        assert getattr(found.device, name) == 0.0
    assert found.device.sigma_read is None
    assert found.r2_path == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("law", "n", "n_pulses", "reads"),
    [
        ("linear", 12, 60, 1),
        pytest.param("linear", 40, 100, 2, marks=pytest.mark.slow),
        pytest.param("power", 12, 100, 1, marks=pytest.mark.slow),
        ("exponential", 12, 60, 2),
        pytest.param("piecewise", 20, 100, 1, marks=pytest.mark.slow),
    ],
)
def test_known_devices_are_recovered_within_five_standard_errors(law, n, n_pulses, reads):
    device = Memristor.from_range(
        2,
        20,
        update=LAWS[law],
        sigma_c2c=0.002,
        sigma_write=0.01,
        sigma_read=0.01 if reads > 1 else 0.0,
        **SPREAD,
    )
    pulses, _ = measure(device, n, n_pulses, reads=reads)
    found = fit(pulses)
    assert found.device.update.law == law
    known = [p for p in found.parameters if p.low is not None and "stuck" not in p.name]
    assert {"g_max", "step_up", "sigma_c2c", "sigma_write", "sigma_d2d_g_max"} <= {
        p.name for p in known
    }
    for parameter in known:
        deviation = abs(parameter.value - truth(device, parameter.name))
        assert deviation <= 5.0 * error_of(parameter), parameter
    # The errors are those of the sample: n devices, and n times 4 n_pulses changes.
    assert error_of(found["sigma_d2d_g_max"]) == pytest.approx(0.1 / math.sqrt(2 * n), rel=0.8)
    least = 0.01 / math.sqrt(2.0 * n * 4 * n_pulses)
    assert least < error_of(found["sigma_write"]) < 6.0 * least
    assert abs(found.autocorrelation) < 5.0 / math.sqrt(n * 4 * n_pulses)
    assert np.nanstd(found.residuals) == pytest.approx(1.0, abs=0.02)


def test_noise_that_stays_and_noise_that_does_not_are_told_apart():
    """Each alone gives changes of the same variance; only the correlation differs."""
    update = LAWS["linear"]
    sigma = 0.02
    for name, other in (("sigma_c2c", "sigma_write"), ("sigma_write", "sigma_c2c")):
        strength = sigma if name == "sigma_c2c" else sigma / math.sqrt(2.0)
        device = Memristor.from_range(2, 20, update=update, **{name: strength})
        found = fit(measure(device, 6, 60)[0], laws=["linear"])
        assert found[name].value == pytest.approx(strength, rel=0.1)
        assert found[other].low < 0.1 * sigma


def test_read_noise_needs_repeated_readings():
    device = Memristor.from_range(2, 20, update=LAWS["linear"], sigma_c2c=0.005, sigma_write=0.01,
                                  sigma_read=0.03)  # fmt: skip
    once = fit(measure(device, 4, 50)[0], laws=["linear"])
    assert once.device.sigma_read is None
    assert "sigma_write" in once["sigma_read"].note
    pulses, _ = measure(device, 4, 50, reads=3)
    thrice = fit(pulses, laws=["linear"])
    freedom = 2 * 4 * 201
    assert thrice.device.sigma_read == pytest.approx(0.03, rel=4 / math.sqrt(2 * freedom))
    assert thrice["sigma_write"].value == pytest.approx(
        0.01, abs=5 * error_of(thrice["sigma_write"])
    )
    assert once["sigma_write"].value > 1.3 * thrice["sigma_write"].value


def test_one_device_tells_nothing_of_others():
    device = Memristor.from_range(2, 20, update=LAWS["linear"], sigma_c2c=0.005, sigma_write=0.01)
    found = fit(measure(device, 1, 100)[0], laws=["linear"])
    unknown = {"sigma_d2d_g_max", "sigma_d2d_g_min", "sigma_d2d_gain", "sigma_d2d_step",
               "sigma_d2d_asymmetry", "stuck_on", "stuck_off", "stuck_random"}  # fmt: skip
    assert unknown <= set(found.device.unknown)
    assert all(found[name].value is None for name in unknown)
    assert found["g_max"].value == pytest.approx(20.0, abs=5 * error_of(found["g_max"]))


def test_stuck_devices_are_counted_and_left_out():
    device = Memristor.from_range(2, 20, update=LAWS["linear"], stuck_on=0.2, stuck_off=0.2,
                                  sigma_c2c=0.003, sigma_write=0.005)  # fmt: skip
    pulses, array = measure(device, 20, 50)
    found = fit(pulses, laws=["linear"])
    np.testing.assert_array_equal(found.stuck, array.bounds.stuck)
    assert found.device.stuck_on == array.bounds.stuck_on.mean() > 0.0
    assert found.device.stuck_off == array.bounds.stuck_off.mean() > 0.0
    assert found.device.stuck_random == 0.0
    assert np.isnan(found.g_max[found.stuck]).all()
    assert found["slope_up"].value == pytest.approx(0.6, abs=5 * error_of(found["slope_up"]))


def test_bounds_that_are_not_reached_are_the_extremes_of_the_series():
    """A linear law far from its bounds: any range fits, with other coefficients."""
    device = Memristor.from_range(2, 20, update=Update(law="linear", step_up=0.01, step_down=0.01))
    array = DeviceArray(device, 1, initial=0.3)
    directions = np.array([0, *([1] * 25 + [-1] * 25) * 3])
    readings = []
    for direction in directions:
        array.pulse(direction)
        readings.append(array.read()[0])
    zeros = np.zeros(directions.size, dtype=int)
    pulses = Pulses(
        ("a",), zeros, np.arange(directions.size), directions, np.array(readings), zeros
    )
    found = fit(pulses, laws=["linear"])
    assert found["g_max"].value == pytest.approx(max(readings), rel=1e-5)
    assert found["g_min"].value == pytest.approx(min(readings), rel=1e-5)
    assert found.r2_path == pytest.approx(1.0, abs=1e-6)


@pytest.fixture(scope="module")
def noisy_fit():
    device = Memristor.from_range(2, 20, update=LAWS["linear"], sigma_c2c=0.006, sigma_write=0.01,
                                  sigma_d2d_g_max=0.1)  # fmt: skip
    return fit(measure(device, 6, 60)[0], laws=["linear"])


def test_a_fitted_device_runs(noisy_fit):
    device = noisy_fit.device.resolved()
    key = noise.noise_key(1, "ee")
    index = np.arange(4000)
    step = device.update.step_up
    result = effects.program(device, 0.0, 0.5 * step, 0.0, 1.0, 0, key, index)
    # Half a step is wanted: one pulse with probability 1/2.
    assert result.n_writes.mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(4000))
    with pytest.raises(UnknownParameterError, match="endurance"):
        dataclasses.replace(noisy_fit.device, unknown_is_off=False).resolved()


def test_the_fitted_device_repeats_the_measurement(noisy_fit):
    pulses = noisy_fit.predicted(copies=30, seed=3)
    assert pulses.n_devices == 180
    assert len(set(pulses.names)) == 180
    measured, simulated = series_of(noisy_fit.pulses).y, series_of(pulses).y
    error = measured.std(axis=0, ddof=1) / math.sqrt(6)
    deviation = np.abs(measured.mean(axis=0) - simulated.mean(axis=0))
    assert np.median(deviation / error) < 2.0
    np.testing.assert_array_equal(
        noisy_fit.predicted(seed=3).conductance, noisy_fit.predicted(seed=3).conductance
    )


def test_report_and_table_name_every_parameter(noisy_fit):
    report = noisy_fit.report()
    for row in noisy_fit.table():
        assert row["name"] in report
    assert noisy_fit.table()[0].keys() == {"name", "value", "low", "high", "unit", "note"}
    assert "linear, sigma_c2c" in report
    assert "counted as absent" in report
    assert "drift_nu" in report
    with pytest.raises(KeyError, match="no parameter 'size'"):
        noisy_fit["size"]


def test_laws_that_are_none_are_refused(noisy_fit):
    with pytest.raises(ValueError, match="law 'cubic', need some of linear, power"):
        fit(noisy_fit.pulses, laws=["linear", "cubic"])
    with pytest.raises(ValueError, match="need some of linear"):
        fit(noisy_fit.pulses, laws=[])


def test_trajectories_of_another_simulator(tmp_path, trajectories):
    """ExpStep of aihwkit 1.2.0 (Gong et al. 2018) without noise, through a CSV file."""
    w = trajectories["ReRamESPresetDevice"]
    n = (len(w) - 1) // 2
    at_limit = 5  # pulses at a bound change nothing: few of them are enough
    up = [k for k in range(1, n + 1) if w[k - 1] != w[k]]
    up += range(up[-1] + 1, up[-1] + 1 + at_limit)
    down = [k for k in range(n + 1, 2 * n + 1) if w[k - 1] != w[k]]
    w = w[[0, *up, *down]]
    directions = ["none"] + ["up"] * len(up) + ["down"] * len(down)
    g = 10.0 + 5.0 * w
    lines = ["device,pulse,direction,conductance_us"]
    lines += [f"0,{k},{directions[k]},{float(g[k])!r}" for k in range(w.size)]
    file = tmp_path / "trains.csv"
    file.write_text("\n".join(lines))
    found = fit(read_pulses(file), laws=["linear", "exponential"])
    assert found.device.update.law == "exponential"
    low, high = found.g_min[0], found.g_max[0]
    array = DeviceArray(found.device, 1, initial=(g[0] - low) / (high - low))
    repeated = [array.read()[0]]
    for direction in directions[1:]:
        array.pulse(1 if direction == "up" else -1)
        repeated.append(array.read()[0])
    np.testing.assert_allclose((np.array(repeated) - 10.0) / 5.0, w, atol=1e-4)


def test_spread_is_separated_from_errors():
    rng = np.random.default_rng(1)
    n = 4000
    errors = rng.uniform(0.01, 0.3, n)
    values = 2.0 + 0.1 * rng.standard_normal(n) + errors * rng.standard_normal(n)
    found = spread_of(values, errors)
    assert found.mean == pytest.approx(2.0, abs=4 * found.mean_error)
    assert found.sigma == pytest.approx(0.1, abs=5 * np.ptp(found.interval) / (2 * REACH))
    assert found.interval[0] < found.sigma < found.interval[1]
    assert spread_of(2.0 + errors * rng.standard_normal(n), errors).interval[0] == 0.0


def test_distributions_are_told_apart():
    rng = np.random.default_rng(2)
    assert distribution_of(rng.lognormal(0.0, 0.7, 100)) == "log-normal"
    assert distribution_of(rng.normal(5.0, 1.0, 100)) == "normal"
    assert distribution_of(np.array([1.0, 2.0, 4.0])) == "normal"
