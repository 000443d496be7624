import csv
import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from devices.noise import noise_key
from hw_targets.brainscales2 import readout, transfer
from hw_targets.brainscales2.calibration import Target, calibrate
from hw_targets.brainscales2.chip import CADC_OFFSET, CADC_RESIDUAL, Chip
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.mismatch import CORRELATIONS, RESIDUAL, SPREADS
from hw_targets.brainscales2.settings import Settings
from hw_targets.brainscales2.transfer import MADC_OFFSET, MADC_PER_CADC
from tests.hw_targets.integration import DT, integrate, simulate
from tests.hw_targets.virtual_chips import (
    CUBE_66,
    N_CHIPS,
    SETTINGS,
    by_quadrant,
    cube_66_table,
)

#: Leak over threshold as in brainscales2-demos, ts_00-single_neuron.rst.
RAW = Settings(
    parameters={
        "leak_v_leak": 1000,
        "leak_i_bias": 200,
        "threshold_v_threshold": 500,
        "reset_v_reset": 400,
        "membrane_capacitance_capacitance": 63,
        "refractory_period_refractory_time": 255,
        "threshold_enable": 1,
        "reset_i_bias": 1022,
        "reset_enable_multiplication": 1,
    }
)


@pytest.fixture(scope="module")
def needed():
    """Settings that 20 virtual chips need to meet the targets of cube 66: (20, 4, 128) each."""
    found = [calibrate(Chip.virtual(seed), CUBE_66) for seed in range(N_CHIPS)]
    return {
        name: np.concatenate([by_quadrant(settings[SETTINGS[name]]) for settings in found])
        for name in SPREADS
    }


def within(needed, name):
    """Deviations from the quadrant's mean in units of the measured spread, (20 * 4, 128)."""
    values = needed[name].reshape(-1, 128)
    centre = values.mean(axis=1, keepdims=True)
    scale = centre / np.mean(SPREADS[name].quadrants) if SPREADS[name].relative[1] else 1.0
    return (values - centre) / (SPREADS[name].std * scale)


def arrays(record):
    """All arrays of a dataclass, those of dataclasses in it too."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            yield from arrays(value)
        elif isinstance(value, np.ndarray):
            yield value


# Distribution over chips, against cube 66


@pytest.mark.parametrize("name", SPREADS)
def test_mean_setting_over_chips(needed, name):
    values = needed[name].mean(axis=2)
    # Of factors, only the mean of their logarithms is the same on all chips.
    error = SPREADS[name].std / np.sqrt(needed[name].size)
    if SPREADS[name].relative[0]:
        variance = np.log(SPREADS[name].quadrants).var(ddof=1)
        error += values.mean() * variance / np.sqrt(2 * 3 * N_CHIPS)
    assert values.mean() == pytest.approx(np.mean(SPREADS[name].quadrants), abs=4 * error)


@pytest.mark.parametrize("name", SPREADS)
def test_spread_within_quadrants(needed, name):
    deviations = within(needed, name)
    spread = np.sqrt((deviations**2).sum() / (deviations.shape[0] * 127))
    # Settings are rounded and, rarely, clipped: 1 %.
    assert spread == pytest.approx(1.0, rel=4 / np.sqrt(2 * deviations.size) + 0.01)


@pytest.mark.parametrize("name", SPREADS)
def test_spread_between_quadrants(needed, name):
    found, measured = needed[name].mean(axis=2), np.array(SPREADS[name].quadrants)
    # Quadrants differ by factors or sums; the means of 128 circuits add their own error.
    error = SPREADS[name].std / np.sqrt(128)
    if SPREADS[name].relative[0]:
        found, measured = np.log(found), np.log(measured)
        error = error / np.mean(SPREADS[name].quadrants)
    expected = np.hypot(measured.std(ddof=1), error)
    # Three degrees of freedom a chip.
    spread = np.sqrt(found.var(axis=1, ddof=1).mean())
    assert spread == pytest.approx(expected, rel=4 / np.sqrt(2 * 3 * N_CHIPS))


def test_correlations_within_quadrants(needed):
    names = list(SPREADS)
    found = np.corrcoef([within(needed, name).ravel() for name in names])
    n = N_CHIPS * 512
    for i, a in enumerate(names):
        for j, b in enumerate(names[:i]):
            expected = CORRELATIONS.get((a, b), CORRELATIONS.get((b, a), 0.0))
            # 45 pairs; clipping lowers a correlation by less than 1 %.
            assert found[i, j] == pytest.approx(expected, abs=4 / np.sqrt(n) + 0.01), (a, b)


def test_quadrants_that_are_fast_are_strong(needed):
    # Of cube 66's quadrants the third has the least settings for time constants and gains.
    tau = needed["exc_i_bias_tau"].mean(axis=2).ravel()
    gm = needed["exc_i_bias_gm"].mean(axis=2).ravel()
    measured = np.corrcoef(
        np.log(SPREADS["exc_i_bias_tau"].quadrants), np.log(SPREADS["exc_i_bias_gm"].quadrants)
    )[0, 1]
    # Standard error of Fisher's transform of a correlation with three degrees of freedom a chip.
    found = np.corrcoef(np.log(tau), np.log(gm))[0, 1]
    error = 1 / np.sqrt(3 * N_CHIPS - 2)
    assert np.arctanh(found) == pytest.approx(np.arctanh(measured), abs=4 * error)


@pytest.mark.parametrize("name", SPREADS)
def test_circuits_of_a_chip_are_gaussian(needed, name):
    deviations = within(needed, name).reshape(N_CHIPS, -1)
    p = [stats.kstest(chip / chip.std(), "norm").pvalue for chip in deviations]
    # 200 tests in all; rounding to integers costs little at 512 circuits.
    assert min(p) > 1e-5
    assert abs(stats.skew(deviations, axis=None)) < 0.15


@pytest.mark.parametrize("name", SPREADS)
def test_neighbours_are_uncorrelated(needed, name):
    deviations = within(needed, name)
    found = np.corrcoef(deviations[:, :-1].ravel(), deviations[:, 1:].ravel())[0, 1]
    assert abs(found) < 4 / np.sqrt(deviations.size) + 1 / 127  # the quadrant's own mean


def test_spreads_are_those_of_the_table():
    with open(cube_66_table(), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = {name: by_quadrant([int(row[name]) for row in rows])[0] for name in SPREADS}
    centred = {name: v - v.mean(axis=1, keepdims=True) for name, v in table.items()}
    for name, spread in SPREADS.items():
        np.testing.assert_allclose(table[name].mean(axis=1), spread.quadrants, atol=0.051)
        assert centred[name].std() == pytest.approx(spread.std, abs=0.15)
        assert table[name].min() >= spread.lowest
    found = np.corrcoef([centred[name].ravel() for name in SPREADS])
    names = list(SPREADS)
    for i, a in enumerate(names):
        for j, b in enumerate(names[:i]):
            expected = CORRELATIONS.get((a, b), CORRELATIONS.get((b, a), 0.0))
            assert found[i, j] == pytest.approx(expected, abs=0.005 if expected else 0.12), (a, b)


def test_cadc_offsets():
    offsets = np.array([Chip.virtual(seed).cadc_offset for seed in range(N_CHIPS)])
    residuals = np.array([Chip.virtual(seed).cadc_residual for seed in range(N_CHIPS)])
    tolerance = 4 / np.sqrt(2 * offsets.size)
    assert offsets.std() == pytest.approx(CADC_OFFSET, rel=tolerance)
    assert residuals.std() == pytest.approx(CADC_RESIDUAL, rel=tolerance)
    chip = Chip.virtual(0)
    for other in [chip.cadc_residual, *arrays(chip.mismatch)]:
        assert abs(np.corrcoef(chip.cadc_offset, other)[0, 1]) < 4.5 / np.sqrt(512)


# Chips of a given calibration


def test_chip_of_the_calibration_needs_it():
    path = cube_66_table()
    found = calibrate(Chip.from_calibration(path), CUBE_66)
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name, parameter in SETTINGS.items():
        given = np.array([int(row[name]) for row in rows])
        # Relative errors are those of the circuit's setting, not of the mean.
        spread = SPREADS[name]
        scale = given / given.mean() if spread.relative[0] else 1.0
        error = (found[parameter] - given) / scale
        expected = np.hypot(spread.residual, np.sqrt(1 / 12))
        # The leak also makes up for what the synaptic inputs' references leave.
        tolerance = 4 / np.sqrt(2 * 512) + (0.1 if name == "leak_v_leak" else 0.03)
        assert error.std() == pytest.approx(expected, rel=tolerance), name
        assert abs(error.mean()) < 4 * expected / np.sqrt(512) + 0.1, name


def table(path, change):
    rows = [
        {"atomic_neuron": k} | {name: round(np.mean(s.quadrants)) for name, s in SPREADS.items()}
        for k in range(512)
    ]
    change(rows)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_chip_of_a_calibration_that_equals_the_means(tmp_path):
    chip = Chip.from_calibration(table(tmp_path / "flat.csv", lambda rows: None), seed=3)
    assert chip.name == "flat"
    np.testing.assert_allclose(chip.mismatch.leak_offset, 0.0, atol=0.2)
    np.testing.assert_allclose(chip.mismatch.tau_exc, 1.0, atol=0.01)
    np.testing.assert_array_equal(
        chip.mismatch.reset_conductance, Chip.virtual(3).mismatch.reset_conductance
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.pop(), "511 rows, need a column atomic_neuron with 0 ... 511"),
        (lambda rows: rows.reverse(), "512 rows, need a column atomic_neuron"),
        (lambda rows: [row.pop("leak_v_leak") for row in rows], "column leak_v_leak"),
        (lambda rows: rows[3].update(leak_v_leak="x"), "column leak_v_leak: .*need integers"),
        (lambda rows: rows[3].update(leak_i_bias=0), "column leak_i_bias from 0 to 158, need 1"),
        (lambda rows: rows[3].update(leak_i_bias=1023), "to 1023, need 1 ... 1022"),
    ],
)
def test_tables_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        Chip.from_calibration(table(tmp_path / "bad.csv", change))


# Identity of a chip


def test_seed_is_the_chip():
    a, b, other = Chip.virtual(5), Chip.virtual(5), Chip.virtual(6)
    for x, y in zip(arrays(a), arrays(b), strict=True):
        np.testing.assert_array_equal(x, y)
    for x, y in zip(arrays(a), arrays(other), strict=True):
        assert np.unique(x == y).tolist() == [False]
        assert abs(np.corrcoef(x, y)[0, 1]) < 0.9  # quadrants may be alike


def test_circuits_do_not_depend_on_which_are_asked_for():
    chip = Chip.virtual(5)
    all_circuits, some = chip.circuits(RAW, trial=2), chip.circuits(RAW, [300, 7], trial=2)
    for whole, part in zip(arrays(all_circuits), arrays(some), strict=True):
        np.testing.assert_array_equal(whole[[300, 7]], part)


def test_saved_chip_is_the_same_to_the_last_bit(tmp_path):
    chip = Chip.virtual(5)
    chip.save(tmp_path / "chip.json")
    loaded = Chip.load(tmp_path / "chip.json")
    for x, y in zip(arrays(chip), arrays(loaded), strict=True):
        np.testing.assert_array_equal(x, y)
        assert x.dtype == y.dtype
    assert (loaded.name, loaded.seed, loaded.is_ideal) == ("virtual 5", 5, False)
    for x, y in zip(
        arrays(chip.circuits(RAW, trial=1)), arrays(loaded.circuits(RAW, trial=1)), strict=True
    ):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=2), "format and version .*write the file anew"),
        (lambda d: d.update(format="x"), "format and version"),
        (lambda d: d.pop("seed"), "keys .*need"),
        (lambda d: d.update(extra=1), "keys .*need"),
        (lambda d: d["mismatch"].pop("tau_exc"), "mismatch of"),
        (lambda d: d["cadc_offset"].pop(), r"shape \(511,\), need \(512,\)"),
        (lambda d: d["mismatch"]["tau_exc"].pop(), r"shape \(511,\), need \(512,\)"),
    ],
)
def test_files_refused(tmp_path, change, message):
    path = tmp_path / "chip.json"
    Chip.virtual(5).save(path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=message):
        Chip.load(path)


def test_files_with_what_json_lacks_refused(tmp_path):
    path = tmp_path / "chip.json"
    for text, message in [
        ('{"seed": NaN}', "NaN, which is not in JSON"),
        ('{"seed": 1, "seed": 2}', "a key occurs twice"),
        ("[]", "a list, need an object"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            Chip.load(path)
    broken = dataclasses.replace(Chip.virtual(5), cadc_offset=np.full(512, np.nan))
    with pytest.raises(ValueError):
        broken.save(tmp_path / "broken.json")
    assert not (tmp_path / "broken.json").exists()


def test_trials_shift_threshold_and_leak():
    chip = Chip.virtual(5)
    mean = chip.circuits(RAW)
    trials = [chip.circuits(RAW, trial=k) for k in range(40)]
    for name in ("threshold", "leak_potential"):
        shifts = np.array([getattr(c, name) - getattr(mean, name) for c in trials])
        assert shifts.std() == pytest.approx(1.0, rel=4 / np.sqrt(2 * shifts.size))
        assert abs(shifts.mean()) < 4 / np.sqrt(shifts.size)
        assert abs(np.corrcoef(shifts[0], shifts[1])[0, 1]) < 4 / np.sqrt(512)
    shifts = trials[0].threshold - mean.threshold, trials[0].leak_potential - mean.leak_potential
    assert abs(np.corrcoef(*shifts)[0, 1]) < 4 / np.sqrt(512)
    np.testing.assert_array_equal(trials[3].threshold, chip.circuits(RAW, trial=3).threshold)
    np.testing.assert_array_equal(trials[3].leak_rate, mean.leak_rate)


def test_ideal_chip():
    circuits = Chip.ideal().circuits(calibrate(Chip.ideal(), Target()), trial=1)
    for name in ("leak_saturation", "saturation_exc", "saturation_inh", "reset_rate"):
        assert np.isinf(getattr(circuits, name)).all()
    assert (circuits.threshold_noise == 0).all()
    for array in arrays(circuits):
        assert (array == array[0]).all()


# Transfer functions


def nominal(**parameters):
    """Physics of a nominal circuit that saturates."""
    chip = dataclasses.replace(Chip.ideal(), is_ideal=False)
    biases = parameters.pop("biases", "calibrated")
    dac_bias = parameters.pop("synapse_dac_bias", 600)
    given = {"membrane_capacitance_capacitance": 63} | parameters
    settings = Settings(parameters=given, biases=biases, synapse_dac_bias=dac_bias)
    return chip.circuits(settings, [0])


def test_membrane_time_constant():
    # 948 us over the bias: 6 us at 158 (cube 66).
    assert 1 / nominal(leak_i_bias=158).leak_rate == pytest.approx(948 / 158, rel=0.001)
    ten = nominal(leak_i_bias=100).leak_rate
    assert nominal(leak_i_bias=100, leak_enable_multiplication=1).leak_rate == pytest.approx(
        8 * ten
    )
    assert nominal(leak_i_bias=100, leak_enable_division=1).leak_rate == pytest.approx(ten / 8)
    both = nominal(leak_i_bias=100, leak_enable_division=1, leak_enable_multiplication=1)
    assert both.leak_rate == pytest.approx(ten)
    small = nominal(leak_i_bias=100, membrane_capacitance_capacitance=0)
    assert small.leak_rate * small.capacitance == pytest.approx(ten)


def test_least_capacitance():
    """Within what calix expects of its own measurement (test_capacitance_measurement.py)."""
    full, least = (nominal(membrane_capacitance_capacitance=c).capacitance for c in (63, 0))
    # Five circuits of the least make the time constant of a sixth, full one 24 % longer at least,
    # which can give up as much of its own.
    assert 0.24 < 5 * least / full < 63 / (63 + 63 / 5)


def test_degeneration_widens_the_linear_range():
    plain = nominal(leak_i_bias=100)
    degenerate = nominal(leak_i_bias=100, leak_enable_degeneration=1)
    assert degenerate.leak_rate < plain.leak_rate
    assert degenerate.leak_rate * degenerate.leak_saturation == pytest.approx(
        plain.leak_rate * plain.leak_saturation
    )


def test_synaptic_time_constants():
    # About 490 us over the bias.
    fast = nominal(excitatory_input_i_bias_tau=100, inhibitory_input_i_bias_tau=100)
    assert 1 / fast.syn_rate_exc == pytest.approx(4.9, rel=0.05)
    assert 1 / fast.syn_rate_inh == pytest.approx(4.9, rel=0.05)
    slow = nominal(excitatory_input_i_bias_tau=1022, excitatory_input_enable_high_resistance=1)
    assert 1 / slow.syn_rate_exc == pytest.approx(20.0)


def test_potentials():
    # fp_calibration.rst prints lines of one neuron: they meet the mean one within its spread.
    spread = {"leak": 34.3 * 0.79 / 3, "reset": 32.5 * 0.88 / 3}
    for name, slope, offset in (("leak", 0.79, -180.0), ("reset", 0.88, -250.0)):
        line = transfer.LINES["calibrated"][name]
        for setting in (500, 600, 700):
            printed = (slope * setting + offset - MADC_OFFSET) / MADC_PER_CADC
            assert line(np.array(setting)) == pytest.approx(printed, abs=spread[name])
    raw = nominal(biases="raw", threshold_v_threshold=500, reset_v_reset=400)
    assert MADC_OFFSET + MADC_PER_CADC * raw.threshold == pytest.approx(408.6)
    assert MADC_OFFSET + MADC_PER_CADC * raw.reset_potential == pytest.approx(143.0)


def test_refractory_time():
    circuits = nominal(refractory_period_refractory_time=255)
    assert circuits.refractory_time + circuits.holdoff_time == pytest.approx(255 / 125)
    assert circuits.holdoff_time == pytest.approx(0.008)
    held_off = nominal(refractory_period_refractory_time=255, refractory_period_reset_holdoff=0)
    assert held_off.holdoff_time == pytest.approx(31 * 0.008)
    none = nominal(refractory_period_refractory_time=0)
    assert none.refractory_time == none.holdoff_time == 0.0


@pytest.mark.parametrize(
    ("biases", "setting", "tau"), [("raw", 1022, 1.79), ("calibrated", 1015, 0.5)]
)
def test_reset_time_constant(biases, setting, tau):
    circuits = nominal(biases=biases, reset_i_bias=setting, reset_enable_multiplication=1)
    assert 1 / circuits.reset_rate == pytest.approx(tau)


SYNAPSE = {
    "leak_v_leak": 629,
    "leak_i_bias": 95,
    "excitatory_input_enable": 1,
    "excitatory_input_i_bias_tau": 50,
    "excitatory_input_i_bias_gm": 487,
    "excitatory_input_i_shift_reference": 314,
}


def test_peak_of_a_small_postsynaptic_potential():
    circuits = nominal(**SYNAPSE)
    trace, _ = integrate(circuits, 40.0, [(0.0, "exc", 10.0)])
    # 0.26 LSB per LSB of weight, 0.784 of the MADC.
    assert (trace.max() - circuits.leak_potential) / 10 == pytest.approx(0.26, rel=0.02)


def test_strength_is_proportional_to_its_biases():
    one = nominal(**SYNAPSE)
    assert nominal(**SYNAPSE, synapse_dac_bias=300).gain_exc == pytest.approx(one.gain_exc / 2)
    half = nominal(**SYNAPSE | {"excitatory_input_i_bias_gm": 974})
    assert half.gain_exc == pytest.approx(2 * one.gain_exc)
    assert half.saturation_exc == pytest.approx(2 * one.saturation_exc)
    assert nominal(**SYNAPSE | {"excitatory_input_enable": 0}).gain_exc == 0


def test_synapse_dac_bias_of_each_quadrant():
    settings = Settings(
        parameters={"excitatory_input_enable": 1, "excitatory_input_i_bias_gm": 487},
        synapse_dac_bias=[100, 200, 300, 400],
    )
    gain = Chip.ideal().circuits(settings, [0, 127, 128, 255, 256, 383, 384, 511]).gain_exc
    np.testing.assert_allclose(gain / gain[0], [1, 1, 2, 2, 3, 3, 4, 4])


def test_shifted_reference_is_a_constant_current():
    shifted = {"excitatory_input_i_shift_reference": 414, "inhibitory_input_i_shift_reference": 414}
    assert nominal(**SYNAPSE).current == pytest.approx(0.0, abs=0.01)
    assert nominal(**SYNAPSE | shifted).current > 0.5
    inhibitory = {n.replace("excitatory", "inhibitory"): value for n, value in SYNAPSE.items()}
    assert nominal(**inhibitory | shifted).current < -0.5


def test_constant_current():
    source = nominal(constant_current_enable=1, constant_current_i_offset=1022)
    # 500 LSB: 100 LSB of the MADC on a membrane whose leak_i_bias is 500, and 6 us go with 158.
    tau = 6.0 * 158.09 / 500.0
    assert source.current == pytest.approx(1022 / 500 * 100.0 / 3.0 / tau)
    # Less than 1 uA on 2.2 pF in LSB of 4.5 mV.
    assert source.current < 1e-6 / 2.2e-12 * 1e-6 / 4.5e-3
    sink = nominal(
        constant_current_enable=1, constant_current_i_offset=1022, constant_current_type=1
    )
    assert sink.current == -source.current
    assert nominal(constant_current_i_offset=1022).current == 0


def test_conductance_based_input():
    setting = round(transfer.DIRECT.setting_of(np.array(300.0)).item())
    circuits = nominal(
        excitatory_input_enable_coba_mode=1,
        excitatory_input_i_bias_coba=300,
        excitatory_input_v_rev_coba=setting,
        inhibitory_input_i_bias_coba=300,
        inhibitory_input_v_rev_coba=26,
    )
    assert circuits.coba_exc and not circuits.coba_inh
    assert circuits.reversal_exc == pytest.approx(300, abs=0.2)
    assert circuits.coba_reference_exc == pytest.approx(135, abs=0.2)
    assert circuits.reversal_inh < circuits.coba_reference_inh


def test_adaptation_and_exponential_terms():
    on = nominal(
        adaptation_enable=1,
        adaptation_enable_pulse=1,
        adaptation_i_bias_a=100,
        adaptation_i_bias_b=100,
        adaptation_i_bias_tau=200,
        exponential_enable=1,
        exponential_i_bias=100,
    )
    assert on.adaptation_a > 0 and on.adaptation_b > 0 and on.exp_slope > 0 and on.exp_rate > 0
    assert 1 / on.adaptation_rate == pytest.approx(100.0)
    off = nominal(adaptation_i_bias_a=100, adaptation_i_bias_b=100)
    assert off.adaptation_a == off.adaptation_b == off.exp_slope == 0
    inverted = nominal(
        adaptation_enable=1, adaptation_i_bias_a=100, adaptation_invert_a=1, adaptation_i_bias_b=100
    )
    assert inverted.adaptation_a == -on.adaptation_a
    assert inverted.adaptation_b == 0  # its pulse is off


# Against traces of real chips


def test_raw_leak_over_threshold():
    """Fixed pattern of ts_00: ten circuits with interspike intervals of 6.02 us, CV 13 %."""
    # In one go: the engine takes circuits of many chips as readily as of one.
    circuits = Circuits.concatenate(
        [Chip.virtual(seed).circuits(RAW, np.arange(10)) for seed in range(N_CHIPS)]
    )
    times = np.arange(20.0, 60.0, 0.02)
    trace, spikes = simulate(circuits, times)
    intervals = [np.diff(train[1:]) for train in spikes]
    mean = np.array([train.mean() for train in intervals]).reshape(N_CHIPS, 10)
    cv = mean.std(axis=1, ddof=1) / mean.mean(axis=1)
    assert 0.08 < mean.std() / mean.mean() < 0.20
    assert 0.08 < cv.mean() < 0.20
    # Ten measured circuits: the mean of ours must lie within their spread.
    assert mean.mean() == pytest.approx(6.02, abs=0.79)
    # Measured: 0.4 %, single circuits up to 0.6 %.
    assert 0.002 < np.mean([train.std() / train.mean() for train in intervals]) < 0.006
    madc = MADC_OFFSET + MADC_PER_CADC * trace
    peaks, troughs = madc.max(axis=0), madc.min(axis=0)
    assert peaks.mean() == pytest.approx(408.6, abs=10.2)
    assert troughs.mean() == pytest.approx(229.7, abs=9.9)
    middle = 0.5 * (peaks + troughs)
    rises = (madc[:-1] < middle) & (madc[1:] >= middle)
    slopes = np.where(rises, np.diff(madc, axis=0), 0.0).sum(axis=0) / rises.sum(axis=0) / 0.02
    assert slopes.mean() == pytest.approx(52.3, abs=6.1)
    assert 0.08 < slopes.std() / slopes.mean() < 0.16  # measured: 0.117


def test_engine_agrees_with_plain_integration():
    circuits = Chip.virtual(1).circuits(RAW, np.arange(10))
    quiet = dataclasses.replace(circuits, threshold_noise=np.zeros(10))
    _, spikes = simulate(quiet, np.array([60.0]))
    _, plain = integrate(quiet, 60.0)
    for a, b in zip(spikes, plain, strict=True):
        # The plain method rounds spikes and ends of resets to its step, the engine to 8 ns.
        assert np.diff(a[1:]).mean() == pytest.approx(np.diff(b[1:]).mean(), abs=2 * DT + 0.008)


#: Extremes of the membrane in LSB of the MADC over the weight: ts_06-dynamic_range.rst.
WEIGHTS = np.arange(0, 289, 32)
EXCITATORY = np.array([261.9, 285.6, 309.3, 335.0, 360.3, 385.1, 411.0, 433.9, 460.4, 488.6])
INHIBITORY = np.array([245.6, 231.5, 205.1, 181.0, 163.8, 147.6, 137.6, 127.9, 122.3, 116.9])


@pytest.mark.parametrize("seed", range(3))
def test_postsynaptic_potentials_over_the_weight(seed):
    chip = Chip.virtual(seed)
    settings = calibrate(chip, Target()).changed(threshold_enable=0)
    which = np.repeat(np.arange(0, 512, 64), WEIGHTS.size)
    times = readout.madc_times(0.0, 60.0)
    extremes = {}
    for receptor in ("exc", "inh"):
        trace, _ = simulate(
            chip.circuits(settings, which), times, np.tile(WEIGHTS, 8), receptor, at_us=20.0
        )
        samples = readout.madc(times, trace.T, times, noise_key(seed, receptor), np.arange(80))
        largest = samples.max(axis=1) if receptor == "exc" else samples.min(axis=1)
        extremes[receptor] = largest.reshape(8, -1)
    excitatory = extremes["exc"].mean(axis=0)
    assert np.polyfit(WEIGHTS, excitatory, 1)[0] == pytest.approx(0.78, abs=0.1)
    np.testing.assert_allclose(excitatory - excitatory[0], EXCITATORY - EXCITATORY[0], atol=10)
    inhibitory = extremes["inh"].mean(axis=0)
    np.testing.assert_allclose(inhibitory - inhibitory[0], INHIBITORY - INHIBITORY[0], atol=10)
    # Measured: 3.5-8 and 5.6-9.3 between circuits; 8 circuits give it within a factor of 2.
    for spread in extremes.values():
        assert (spread.std(axis=0, ddof=1) < 2 * 9.3).all()
        assert spread.std(axis=0, ddof=1).mean() > 0.5 * 3.5


def test_residuals_are_within_the_spread():
    for name, spread in SPREADS.items():
        assert 0 < spread.residual < spread.std, name
    assert RESIDUAL["gain"] > 0
