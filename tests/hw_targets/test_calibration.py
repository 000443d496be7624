import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.calibration import (
    RANGES,
    Target,
    calibrate,
    calibrate_leak_over_threshold,
    ideal_circuits,
)
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.mismatch import RESIDUAL
from hw_targets.brainscales2.settings import PARAMETERS, Settings
from tests.hw_targets.integration import simulate
from tests.hw_targets.virtual_chips import CUBE_66, N_CHIPS

UNCALIBRATED = Settings(
    parameters={
        "membrane_capacitance_capacitance": 63,
        "excitatory_input_enable": 1,
        "excitatory_input_i_bias_tau": 84,
        "excitatory_input_i_bias_gm": 487,
        "excitatory_input_i_shift_reference": 314,
        "inhibitory_input_enable": 1,
        "inhibitory_input_i_bias_tau": 78,
        "inhibitory_input_i_bias_gm": 539,
        "inhibitory_input_i_shift_reference": 294,
        "leak_v_leak": 629,
        "leak_i_bias": 158,
        "reset_v_reset": 625,
        "threshold_v_threshold": 389,
    },
    biases="calibrated",
)


def same(a, b):
    return (
        all((a[name] == b[name]).all() for name in PARAMETERS)
        and (a.synapse_dac_bias == b.synapse_dac_bias).all()
        and (a.success == b.success).all()
        and (a.clock_scale_fast, a.clock_scale_slow, a.biases)
        == (b.clock_scale_fast, b.clock_scale_slow, b.biases)
    )


# Targets


def test_defaults_are_those_of_calix():
    target = Target()
    assert (target.leak, target.reset, target.threshold) == (80, 70, 125)
    assert (target.tau_mem, target.tau_syn_exc, target.tau_syn_inh) == (10, 10, 10)
    assert (target.i_synin_gm_exc, target.i_synin_gm_inh) == (500, 500)
    assert (target.membrane_capacitance, target.synapse_dac_bias) == (63, 600)
    assert (target.refractory_time, target.holdoff_time, target.tau_icc) == (2, 0, None)


@pytest.mark.parametrize("name", RANGES)
def test_range_of_each_target(name):
    low, high = RANGES[name]
    step = 1 if isinstance(low, int) else 1e-3
    # A hold-off is part of the refractory time.
    base = {"refractory_time": 32.0} if name == "holdoff_time" else {}
    for value in (low, high):
        Target(**base | {name: value})
    for value in (low - step, high + step):
        with pytest.raises(
            ValueError, match=rf"Target: {name}={value:g}.*need {low:g} ... {high:g}"
        ):
            Target(**base | {name: value})
        if name != "synapse_dac_bias":
            values = np.full(512, high)
            values[77] = value
            with pytest.raises(ValueError, match=rf"Target: {name}={value:g}"):
                Target(**base | {name: values})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leak": "80"}, "Target: leak of type"),
        ({"leak": np.nan}, "Target: leak=nan, need 50"),
        ({"leak": np.full(511, 80.0)}, r"Target: leak .*shape \(511,\), need numbers"),
        ({"tau_mem": None}, "Target: tau_mem of type"),
        ({"membrane_capacitance": 63.0}, "membrane_capacitance of type float64.*need integers"),
        ({"synapse_dac_bias": np.full(512, 600)}, "Target: synapse_dac_bias .*need integers"),
        ({"tau_mem": 100.0}, "Target: tau_mem=100 us, need 0.5 ... 60 us"),
        ({"holdoff_time": 3.0}, "holdoff_time=3 us, need at most the refractory_time=2 us"),
    ],
)
def test_targets_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Target(**change)


# What a calibrated chip does


def test_calibrated_circuits_meet_the_targets():
    errors, success = {name: [] for name in RESIDUAL}, []
    for seed in range(N_CHIPS):
        chip = Chip.virtual(seed)
        settings = calibrate(chip, Target())
        success.append(settings.success.mean())
        circuits = chip.circuits(settings, np.flatnonzero(settings.success))
        resting = circuits.leak_potential + circuits.current / circuits.leak_rate
        errors["leak"].append(resting - 80)
        errors["reset"].append(circuits.reset_potential - 70)
        errors["threshold"].append(circuits.threshold - 125)
        errors["tau_mem"].append(circuits.leak_rate * 10 - 1)
        gain = transfer.GAIN
        for receptor in ("exc", "inh"):
            errors["tau_syn"].append(getattr(circuits, f"syn_rate_{receptor}") * 10 - 1)
            errors["gain"].append(getattr(circuits, f"gain_{receptor}") / gain - 1)
    # A quadrant of weak synapses may need more than the largest bias, as gm in 1 of 100 circuits.
    assert np.mean(success) > 0.99
    errors.pop("shift")  # part of the resting potential
    # Rounding to integers adds little to the calibration's errors, most to the slow circuits'
    # time constants: 1 / 50 / sqrt(12) beside 3 %.
    for name, values in errors.items():
        found = np.concatenate(values)
        assert found.std() == pytest.approx(RESIDUAL[name], rel=4 / np.sqrt(2 * found.size) + 0.05)
        assert abs(found.mean()) < 4 * found.std() / np.sqrt(found.size) + 0.03 * RESIDUAL[name]


def trimmed_std(values):
    """Standard deviation without the lowest and highest 5 %, as calix's tests take it."""
    low, high = np.quantile(values, [0.05, 0.95])
    return values[(values >= low) & (values <= high)].std()


@pytest.mark.parametrize("seed", range(N_CHIPS))
def test_calibration_equalises_as_calix_demands(seed):
    """Bounds of calix, test_neuron_distribution.py and test_neuron_spiking.py."""
    chip = Chip.virtual(seed)
    before, after = chip.circuits(UNCALIBRATED), chip.circuits(calibrate(chip, CUBE_66))
    bounds = {
        "leak_potential": 0.30,
        "reset_potential": 0.20,
        "threshold": 0.35,
        "leak_rate": 0.45,
        "syn_rate_exc": 0.20,
        "syn_rate_inh": 0.20,
    }
    for name, bound in bounds.items():
        power = -1.0 if "rate" in name else 1.0  # time constants
        ratio = trimmed_std(getattr(after, name) ** power) / trimmed_std(
            getattr(before, name) ** power
        )
        assert ratio < bound, name


@pytest.mark.parametrize("seed", range(5))
def test_leak_over_threshold_at_100_khz(seed):
    """Bounds of calix, test_neuron_spiking.py."""
    chip = Chip.virtual(seed)
    settings = calibrate(chip, Target(leak=140, reset=70, threshold=110))
    settings = calibrate_leak_over_threshold(chip, settings, 100.0)
    assert settings.success.all()
    circuits = chip.circuits(settings, trial=seed)
    _, spikes = simulate(circuits, np.array([200.0]), seed=seed)
    rates = np.array([1e3 / np.diff(times[1:]).mean() for times in spikes])
    assert (rates > 90.0).mean() >= 0.9
    assert (rates < 115.0).mean() >= 0.9
    assert rates.mean() == pytest.approx(100.0, abs=1.0)


def test_leak_over_threshold_at_many_rates():
    chip = Chip.virtual(1)
    wanted = np.linspace(20.0, 100.0, 512)
    settings = calibrate(chip, Target(leak=140, reset=70, threshold=110))
    settings = calibrate_leak_over_threshold(chip, settings, wanted)
    circuits = chip.circuits(settings, trial=0)
    _, spikes = simulate(circuits, np.array([300.0]))
    rates = np.array([1e3 / np.diff(t[1:]).mean() if t.size > 2 else 0.0 for t in spikes])
    # calix: 85 % within 8 kHz.
    assert (abs(rates - wanted) < 8.0).mean() >= 0.85


def test_leak_over_threshold_refused():
    chip = Chip.virtual(1)
    settings = calibrate(chip, Target(leak=140))
    with pytest.raises(ValueError, match="rate_khz=0"):
        calibrate_leak_over_threshold(chip, settings, 0.0)
    # 1 MHz leaves no time beside a refractory period of 2 us.
    assert not calibrate_leak_over_threshold(chip, settings, 1000.0).success.any()


# Settings found


def test_settings_are_reproducible_integers():
    chip = Chip.virtual(2)
    settings = calibrate(chip, Target())
    assert same(settings, calibrate(chip, Target()))
    assert not same(settings, calibrate(Chip.virtual(3), Target()))
    for name, parameter in PARAMETERS.items():
        assert settings[name].dtype == np.int64 and settings[name].shape == (512,)
        assert settings[name].min() >= 0 and settings[name].max() <= parameter.maximum
    assert settings.biases == "calibrated"


def test_equal_settings_are_dithered():
    values = calibrate(Chip.virtual(2), Target())["reset_i_bias"]
    assert set(values) == set(range(1010, 1021))
    assert values.std() == pytest.approx(np.sqrt((11**2 - 1) / 12), rel=0.1)


def test_targets_of_single_circuits():
    chip = Chip.ideal()
    tau = np.linspace(5.0, 20.0, 512)
    capacitance = np.arange(512) % 32 + 32
    circuits = chip.circuits(calibrate(chip, Target(tau_mem=tau, membrane_capacitance=capacitance)))
    np.testing.assert_allclose(1 / circuits.leak_rate, tau, rtol=0.02)


@given(
    tau_mem=st.floats(0.5, 60.0),
    tau_syn=st.floats(0.3, 30.0),
    gm=st.integers(30, 800),
    leak=st.floats(50.0, 160.0),
)
def test_whole_range_is_in_reach_of_a_nominal_chip(tau_mem, tau_syn, gm, leak):
    chip = Chip.ideal()
    target = Target(
        tau_mem=tau_mem,
        tau_syn_exc=tau_syn,
        tau_syn_inh=tau_syn,
        i_synin_gm_exc=gm,
        i_synin_gm_inh=gm,
        leak=leak,
    )
    settings = calibrate(chip, target)
    # The shortest synaptic time constants need more than the largest bias: 0.48 us.
    assert settings.success.all() == (tau_syn > 0.4925)
    circuits = chip.circuits(settings)
    # Half an LSB of the least bias that occurs.
    np.testing.assert_allclose(1 / circuits.leak_rate, tau_mem, rtol=0.01)
    if tau_syn > 0.4925:
        np.testing.assert_allclose(1 / circuits.syn_rate_exc, tau_syn, rtol=0.025)
    resting = circuits.leak_potential + circuits.current / circuits.leak_rate
    np.testing.assert_allclose(resting, leak, atol=0.2)


def test_circuits_that_miss_the_target_are_told():
    chip = Chip.virtual(6)
    settings = calibrate(chip, Target(i_synin_gm_exc=800))
    assert 0 < settings.success.mean() < 1
    gain = chip.circuits(settings).gain_exc / (transfer.GAIN * 1.6)
    assert (gain[~settings.success] < 1).all()
    assert (settings["excitatory_input_i_bias_gm"][~settings.success] == 1022).all()


@given(times=st.lists(st.floats(0.04, 32.0), min_size=1, max_size=4), holdoff=st.floats(0.0, 1.0))
def test_refractory_times(times, holdoff):
    chip = Chip.ideal()
    wanted = np.resize(times, 512)
    holdoff = holdoff * min(4.0, wanted.min())
    settings = calibrate(chip, Target(refractory_time=wanted, holdoff_time=holdoff))
    assert settings.success.all()
    circuits = chip.circuits(settings)
    clock = np.where(
        settings["refractory_period_input_clock"],
        settings.clock_scale_fast,
        settings.clock_scale_slow,
    )
    cycle = 2.0**clock / 125
    # Rounded to cycles; one more is hold-off in any case, and hold-offs are odd numbers of them.
    found = circuits.refractory_time + circuits.holdoff_time
    assert (abs(found - cycle - wanted) <= 0.5001 * cycle).all()
    assert (abs(circuits.holdoff_time - np.maximum(holdoff, cycle)) <= 1.0001 * cycle).all()


def test_refractory_clock_is_as_fast_as_possible():
    def cycles(time):
        return calibrate(Chip.ideal(), Target(refractory_time=time))[
            "refractory_period_refractory_time"
        ][0]

    assert cycles(2.0) == 251
    # Quantisation of 1 % or, where the fastest clock is too slow, of one cycle of 8 ns.
    for time in (0.5, 1.0, 2.1, 5.0, 31.9):
        assert cycles(time) > min(100, 124 * time)


def test_two_groups_of_refractory_times():
    settings = calibrate(
        Chip.ideal(), Target(refractory_time=np.where(np.arange(512) < 256, 1.0, 20.0))
    )
    assert settings["refractory_period_input_clock"].tolist() == [1] * 256 + [0] * 256
    assert settings.clock_scale_fast < settings.clock_scale_slow


def test_conductance_based_target():
    chip = Chip.virtual(1)
    target = Target(
        leak=110,
        threshold=160,
        e_coba_reversal_exc=300,
        e_coba_reversal_inh=30,
        i_synin_gm_exc=180,
        i_synin_gm_inh=250,
        synapse_dac_bias=400,
    )
    circuits = chip.circuits(calibrate(chip, target))
    assert circuits.coba_exc.all() and circuits.coba_inh.all()
    np.testing.assert_allclose(circuits.reversal_exc, 300, atol=0.2)
    np.testing.assert_allclose(circuits.reversal_inh, 30, atol=0.2)
    np.testing.assert_allclose(circuits.coba_reference_exc, 135, atol=0.5)
    np.testing.assert_allclose(circuits.coba_reference_inh, 135, atol=0.5)
    other = chip.circuits(calibrate(chip, replace(target, e_coba_reference=100.0)))
    np.testing.assert_allclose(other.coba_reference_exc, 100, atol=0.5)
    # A reference at the reversal potential asks for an infinite conductance.
    assert not calibrate(chip, replace(target, e_coba_reversal_exc=135.0)).success.any()


@pytest.mark.parametrize("tau", [0.2, 1.0, 10.0, 30.0])
def test_compartment_conductance(tau):
    settings = calibrate(Chip.ideal(), Target(tau_icc=tau))
    assert settings.success.all()
    np.testing.assert_allclose(1 / transfer.compartment_rate(settings.parameters), tau, rtol=0.01)
    off = calibrate(Chip.ideal(), Target())
    assert (transfer.compartment_rate(off.parameters) == 0).all()


def test_compartment_conductance_out_of_reach():
    settings = calibrate(Chip.ideal(), Target(tau_icc=0.1))
    assert not settings.success.any()
    assert (settings["multicompartment_i_bias_nmda"] == limits.CAPMEM_MAX).all()


ADEX = {"adaptation_a": -0.2, "adaptation_b": 3.0, "tau_adaptation": 50.0,
        "exp_threshold": 150.0, "exp_rate": 0.1}  # fmt: skip


def test_adaptation_and_exponential_current_are_off_unless_asked_for():
    chip = Chip.virtual(1)
    names = [name for name in PARAMETERS if name.startswith(("adaptation_", "exponential_"))]
    without, with_ = calibrate(chip, Target()), calibrate(chip, Target(**ADEX))
    assert all((without[name] == PARAMETERS[name].default).all() for name in names)
    # What they add changes no other setting.
    others = [name for name in PARAMETERS if name not in names]
    assert all((without[name] == with_[name]).all() for name in others)
    some = np.arange(512) < 100
    partly = {name: np.where(some, ADEX[name], 0.0) for name in ("adaptation_b", "exp_rate")}
    circuits = chip.circuits(calibrate(chip, Target(**partly)))
    assert ((circuits.adaptation_b != 0) == some).all()
    assert ((circuits.exp_slope > 0) == some).all()


def test_adaptation_and_exponential_current_of_calibrated_circuits():
    errors = {name: [] for name in ADEX}
    for seed in range(N_CHIPS):
        chip = Chip.virtual(seed)
        settings = calibrate(chip, Target(**ADEX))
        circuits = chip.circuits(settings, np.flatnonzero(settings.success))
        errors["adaptation_a"].append(circuits.adaptation_a / -0.2 - 1)
        errors["adaptation_b"].append(circuits.adaptation_b / 3.0 - 1)
        errors["tau_adaptation"].append(circuits.adaptation_rate * 50.0 - 1)
        errors["exp_threshold"].append(circuits.exp_threshold - 150.0)
        errors["exp_rate"].append(circuits.exp_rate / 0.1 - 1)
        np.testing.assert_allclose(circuits.adaptation_potential.mean(), 80.0, atol=0.4)
        assert (circuits.exp_slope == transfer.EXPONENTIAL_SLOPE).all()
    # Assumed to be left: what is left of the leak and of the spike threshold.
    found = {name: np.concatenate(values) for name, values in errors.items()}
    for name, values in found.items():
        left = RESIDUAL["threshold" if name == "exp_threshold" else "tau_mem"]
        assert values.std() == pytest.approx(left, rel=4 / np.sqrt(2 * values.size) + 0.05), name
        assert abs(values.mean()) < 4 * left / np.sqrt(values.size) + 0.05 * left, name
    correlation = np.corrcoef(list(found.values())) - np.eye(len(found))
    assert np.abs(correlation).max() < 5 / np.sqrt(found["exp_rate"].size)


@given(
    a=st.floats(-1, 1), b=st.floats(-10, 10), tau=st.floats(20, 1000),
    threshold=st.floats(25, 355), rate=st.floats(0, 1),
)  # fmt: skip
def test_whole_range_of_adaptation_and_exponential_current_is_in_reach(a, b, tau, threshold, rate):
    chip = Chip.ideal()
    target = Target(
        adaptation_a=a, adaptation_b=b, tau_adaptation=tau, exp_threshold=threshold, exp_rate=rate
    )
    settings = calibrate(chip, target)
    assert settings.success.all()
    circuits = chip.circuits(settings)
    # Half an LSB of each setting.
    lsb = transfer.leak_rate(np.ones(1))[0]
    np.testing.assert_allclose(circuits.adaptation_a, a, rtol=0, atol=0.5001 * lsb)
    np.testing.assert_allclose(circuits.adaptation_b, b, rtol=0, atol=0.5001 * 10 / 1022)
    np.testing.assert_allclose(circuits.exp_rate, rate, rtol=0, atol=0.5001 * lsb)
    if a or b:
        np.testing.assert_allclose(1 / circuits.adaptation_rate, tau, rtol=0.025)
        np.testing.assert_allclose(circuits.adaptation_potential, 80.0, atol=0.2)
    if rate:
        np.testing.assert_allclose(circuits.exp_threshold, threshold, atol=0.2)


def test_adaptation_of_small_capacitances():
    target = Target(**ADEX, membrane_capacitance=10)
    circuits = Chip.ideal().circuits(calibrate(Chip.ideal(), target))
    np.testing.assert_allclose(circuits.adaptation_a, -0.2, rtol=0.02)
    np.testing.assert_allclose(circuits.adaptation_b, 3.0, rtol=0.02)
    np.testing.assert_allclose(circuits.exp_rate, 0.1, rtol=0.03)


def test_ideal_adaptation_and_exponential_current_are_exact():
    circuits = ideal_circuits(Target(**ADEX, leak=83.3))
    assert (circuits.adaptation_a == -0.2).all() and (circuits.adaptation_b == 3.0).all()
    assert (circuits.adaptation_rate == 1 / 50).all()
    assert (circuits.adaptation_potential == 83.3).all()
    assert (circuits.exp_threshold == 150).all() and (circuits.exp_rate == 0.1).all()
    assert (circuits.exp_slope == transfer.EXPONENTIAL_SLOPE).all()
    without = ideal_circuits(Target())
    assert not (without.adaptation_a.any() or without.adaptation_b.any() or without.exp_slope.any())


def test_ideal_circuits_meet_targets_exactly():
    target = Target(
        leak=81.3,
        reset=72.2,
        threshold=130.1,
        tau_mem=7.7,
        tau_syn_exc=3.3,
        tau_syn_inh=23.0,
        refractory_time=1.234,
        holdoff_time=0.234,
        e_coba_reversal_exc=300.0,
    )
    circuits = ideal_circuits(target)
    assert (circuits.leak_potential == 81.3).all()
    assert (circuits.reset_potential == 72.2).all()
    assert (circuits.threshold == 130.1).all()
    assert (circuits.leak_rate == 1 / 7.7).all()
    assert (circuits.syn_rate_exc == 1 / 3.3).all()
    assert (circuits.syn_rate_inh == 1 / 23.0).all()
    assert (circuits.refractory_time == 1.0).all()
    assert (circuits.holdoff_time == 0.234).all()
    assert (circuits.reversal_exc == 300).all() and circuits.coba_exc.all()
    assert not circuits.coba_inh.any()
    np.testing.assert_allclose(circuits.gain_exc, transfer.GAIN)
    for name in ("leak_saturation", "saturation_exc", "saturation_inh", "reset_rate"):
        assert np.isinf(getattr(circuits, name)).all()


def test_rounding_of_an_ideal_chip_is_small():
    rounded = Chip.ideal().circuits(calibrate(Chip.ideal(), Target()))
    exact = ideal_circuits(Target())
    for name, tolerance in (("leak_potential", 0.3), ("threshold", 0.2), ("reset_potential", 0.2)):
        np.testing.assert_allclose(getattr(rounded, name), getattr(exact, name), atol=tolerance)
    for name in ("leak_rate", "syn_rate_exc", "syn_rate_inh", "gain_exc", "gain_inh"):
        np.testing.assert_allclose(getattr(rounded, name), getattr(exact, name), rtol=0.011)


# Settings


def test_saved_settings(tmp_path):
    settings = calibrate(Chip.virtual(4), Target(i_synin_gm_exc=800, refractory_time=5.0))
    settings.save(tmp_path / "settings.json")
    assert same(settings, Settings.load(tmp_path / "settings.json"))


def test_settings_files_refused(tmp_path):
    path = tmp_path / "settings.json"
    Settings().save(path)
    document = json.loads(path.read_text())
    document["parameters"]["leak_v_leak"][3] = 1023
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="leak_v_leak=1023, need an integer in 0 ... 1022"):
        Settings.load(path)
    path.write_text(json.dumps(document | {"version": 99}))
    with pytest.raises(ValueError, match="write the file anew"):
        Settings.load(path)


@pytest.mark.parametrize("name", PARAMETERS)
def test_range_of_each_setting(name):
    maximum = PARAMETERS[name].maximum
    assert (Settings(parameters={name: maximum})[name] == maximum).all()
    for value in (-1, maximum + 1):
        with pytest.raises(ValueError, match=rf"Settings: {name}={value}, need .* 0 ... {maximum}"):
            Settings(parameters={name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {"leak_v_leek": 1}}, "unknown parameter 'leak_v_leek'"),
        ({"parameters": {"leak_v_leak": 1.5}}, "leak_v_leak of type float64"),
        ({"parameters": {"leak_v_leak": [1, 2]}}, r"shape \(2,\), need one integer or 512"),
        ({"synapse_dac_bias": 1023}, "synapse_dac_bias=1023, need an integer in 0 ... 1022"),
        ({"clock_scale_fast": 16}, "clock_scale_fast=16, need an integer in 0 ... 15"),
        ({"biases": "warm"}, "biases='warm', need one of"),
    ],
)
def test_settings_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Settings(**change)


def test_changed_settings():
    before = calibrate(Chip.virtual(1), Target())
    after = before.changed([3, 5], leak_v_leak=[700, 800], leak_i_bias=9)
    assert after["leak_v_leak"][[3, 5]].tolist() == [700, 800]
    assert after["leak_i_bias"][[3, 5]].tolist() == [9, 9]
    others = np.setdiff1d(np.arange(512), [3, 5])
    for name in PARAMETERS:
        np.testing.assert_array_equal(after[name][others], before[name][others])
    assert after.biases == "calibrated"
    with pytest.raises(ValueError, match="unknown parameter 'v_leak'"):
        before.changed(v_leak=3)
    with pytest.raises(ValueError, match="leak_v_leak=1023"):
        before.changed([3], leak_v_leak=1023)
    with pytest.raises(ValueError, match="read-only"):
        after["leak_v_leak"][0] = 1


def test_defaults_are_those_of_an_uncalibrated_cell():
    settings = Settings()
    assert (settings["excitatory_input_enable_small_capacitance"] == 1).all()
    assert (settings["refractory_period_reset_holdoff"] == 15).all()
    assert (settings["leak_v_leak"] == 0).all()
    assert settings.biases == "raw"
