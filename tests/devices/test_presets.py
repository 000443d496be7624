import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Memristor, UnknownParameterError, Update, effects
from devices.memristor import OFF
from devices.presets import (
    WeightScale,
    nonlinear_update,
    nonlinearity_to_a,
    polynomial_of_conductance,
    polynomial_of_fraction,
    preset,
    presets,
)
from devices.presets.others import SONOS_SPREAD
from devices.presets.provenance import set_fields

ROOT = Path(__file__).parents[2]

CONSTANT = WeightScale(dw_min=0.001, w_max=0.6, w_min=-0.6)
PCM = WeightScale(dw_min=0.01, w_max=2.0, w_min=0.0)
# Of aihwkit's devices, as it names them: the scale of the weights and our law. The first three
# are its devices with their default parameters.
AIHWKIT = {
    "ConstantStepDevice": (CONSTANT, CONSTANT.constant_step()),
    "LinearStepDevice": (CONSTANT, CONSTANT.linear_step(gamma_up=0.0, gamma_down=0.0)),
    "SoftBoundsDevice": (CONSTANT, CONSTANT.soft_bounds()),
    "ReRamESPresetDevice": (
        WeightScale(dw_min=0.00135, w_max=1.0, w_min=-1.0, up_down=0.259359),
        preset("gong2018").device.update,
    ),
    "EcRamPresetDevice": (
        WeightScale(dw_min=0.002, w_max=1.1724, w_min=-0.8276),
        preset("tang2018").device.update,
    ),
    "CapacitorPresetDevice": (
        WeightScale(dw_min=0.005, w_max=1.0, w_min=-1.0),
        preset("li2018").device.update,
    ),
    "PCMPresetDevice": (PCM, preset("nandakumar2020").device.update),
}


def trajectory(scale, update, n_up, n_down):
    """Return the weights from 0 on, after each pulse up and then down, without noise."""
    s = scale.state(0.0)
    weights = [scale.weight(s)]
    for up in [True] * n_up + [False] * n_down:
        step = update.step_up if up else -update.step_down
        s = min(max(s + step * float(effects.relative_step(update, s, up)), 0.0), 1.0)
        weights.append(scale.weight(s))
    return np.array(weights)


@pytest.mark.parametrize("name", presets())
class TestEveryPreset:
    def test_has_one_source_for_every_field_that_is_set(self, name):
        item = preset(name)
        covered = [field for source in item.sources for field in source.fields]
        assert sorted(covered) == sorted(set_fields(item.device))

    def test_says_where_from_and_how(self, name):
        for source in preset(name).sources:
            assert source.how in ("measured", "fitted", "assumed")
            assert re.search(r"\b(19|20)\d\d\b", source.citation)
            assert source.figure
            assert source.doi is None or re.fullmatch(r"10\.\d{4,}/\S+", source.doi)

    def test_numbers_that_came_through_a_tool_are_not_called_its_authors_measurements(self, name):
        for source in preset(name).sources:
            if source.how == "measured":
                assert "update" not in source.fields
                assert "c2c_polynomial" not in source.fields

    def test_unknown_effects_are_refused_by_name_and_can_be_switched_off(self, name):
        device = preset(name).device
        assert device.unknown
        with pytest.raises(UnknownParameterError) as caught:
            device.resolved()
        for effect in device.unknown:
            assert effect in str(caught.value)
        known = Memristor(**vars(device) | {"unknown_is_off": True}).resolved()
        assert not known.unknown
        assert all(getattr(known, effect) == OFF[effect] for effect in device.unknown)

    def test_is_found_by_the_class(self, name):
        assert Memristor.named(name) is preset(name).device

    def test_is_in_the_documentation(self, name):
        item, text = preset(name), (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        assert item.technology in row
        for doi in {source.doi for source in item.sources} - {None}:
            assert doi in row


def test_names_of_unknown_presets_are_refused_with_the_close_ones():
    with pytest.raises(ValueError, match="no device preset 'gong2019' .did you mean 'gong2018'"):
        Memristor.named("gong2019")


@pytest.mark.parametrize("name", AIHWKIT)
def test_trajectories_of_aihwkit(name, trajectories):
    reference = trajectories[name]
    n = (len(reference) - 1) // 2
    scale, update = AIHWKIT[name]
    # The reference is computed in single precision: 4000 sums of rounded numbers.
    assert np.abs(trajectory(scale, update, n, n) - reference).max() < 1e-5


def test_soft_bounds_have_the_closed_form_and_the_published_points():
    scale = WeightScale(dw_min=0.4622, w_max=1.0, w_min=-1.0)
    update = preset("gong_rasch2022_hfo2").device.update
    assert update == scale.soft_bounds()
    weights = trajectory(scale, update, 8, 4)
    np.testing.assert_allclose(weights[:9], 1.0 - (1.0 - 0.4622) ** np.arange(9), rtol=1e-14)
    # aihwkit 1.2.0, ReRamArrayHfO2PresetDevice.
    np.testing.assert_allclose(weights[4], 0.91635, atol=1e-5)
    np.testing.assert_allclose(weights[[8, 9, 12]], [0.99300, 0.07184, -0.83328], atol=1e-5)


weights = st.floats(-1.0, 1.0)


@given(
    w=weights,
    w_max=st.floats(0.1, 2.0),
    w_min=st.floats(-2.0, -0.1),
    up_down=st.floats(-0.9, 0.9),
    gamma=st.floats(0.0, 1.0),
)
def test_linear_step_is_that_of_the_weights(w, w_max, w_min, up_down, gamma):
    scale = WeightScale(dw_min=1e-3, w_max=w_max, w_min=w_min, up_down=up_down)
    w = min(max(w, w_min), w_max)
    update = scale.linear_step(gamma, 0.5 * gamma)
    up, down = steps(scale, update, w)
    dw_up, dw_down = 1e-3 * (1 + min(up_down, 0)), 1e-3 * (1 - max(up_down, 0))
    assert math.isclose(up, dw_up * (1 - gamma * w / w_max), rel_tol=1e-9, abs_tol=1e-15)
    assert math.isclose(down, dw_down * (1 - 0.5 * gamma * w / w_min), rel_tol=1e-9, abs_tol=1e-15)


@given(w=weights, a=st.floats(-2, 2), b=st.floats(-1, 1), gamma=st.floats(0, 3))
def test_exponential_step_is_that_of_the_weights(w, a, b, gamma):
    scale = WeightScale(dw_min=1e-3, w_max=1.5, w_min=-1.0)
    update = scale.exponential_step(a, b, gamma, 0.5 * gamma, A_up=-0.7, A_down=0.2)
    up, down = steps(scale, update, w)
    z = 2 * a * w / 2.5 + b
    assert math.isclose(up, 1e-3 * (1 + 0.7 * math.exp(gamma * z)), rel_tol=1e-9)
    expected = 1e-3 * max(1 - 0.2 * math.exp(-0.5 * gamma * z), 0)
    assert math.isclose(down, expected, rel_tol=1e-9, abs_tol=1e-14)


@given(w=weights)
def test_power_and_piecewise_step_are_those_of_the_weights(w):
    scale = WeightScale(dw_min=1e-3, w_max=1.5, w_min=-1.0)
    omega = (1.5 - w) / 2.5
    up, down = steps(scale, scale.power_step(2.0, pow_up_down=0.25), w)
    assert math.isclose(up, 1e-3 * omega**2, rel_tol=1e-9)
    assert math.isclose(down, 1e-3 * (1 - omega) ** 1.5, rel_tol=1e-9, abs_tol=1e-18)
    nodes = (1.0, 0.5, 2.0)
    up, down = steps(scale, scale.piecewise_step(nodes, nodes[::-1]), w)
    places = np.linspace(-1.0, 1.5, 3)
    assert math.isclose(up, 1e-3 * np.interp(w, places, nodes), rel_tol=1e-9)
    assert math.isclose(down, 1e-3 * np.interp(w, places, nodes[::-1]), rel_tol=1e-9)


def steps(scale, update, w):
    s = scale.state(w)
    return (
        update.step_up * float(effects.relative_step(update, s, True)) * scale.width,
        update.step_down * float(effects.relative_step(update, s, False)) * scale.width,
    )


def test_spreads_are_relative_to_the_conductances():
    scale = WeightScale(dw_min=0.1, w_max=1.5, w_min=-0.5)
    fields = scale.spreads(
        dw_min_dtod=0.2,
        dw_min_dtod_log_normal=True,
        up_down_dtod=0.05,
        w_max_dtod=0.1,
        w_min_dtod=0.2,
        dw_min_std=0.3,
        write_noise_std=2.0,
        on_off_ratio=10.0,
    )
    device = Memristor(update=scale.soft_bounds(), **fields)
    assert device.step_distribution == "log-normal"
    assert device.sigma_d2d_step == 0.2
    assert device.sigma_d2d_asymmetry == 0.05
    assert device.sigma_c2c_step == 0.3
    assert device.sigma_c2c == 0.0
    assert device.sigma_write == pytest.approx(2.0 * 0.1 / 2.0)
    # Of a range of 0.9 g_max, 0.15/2 and 0.1/2.
    assert device.sigma_d2d_g_max == pytest.approx(0.9 * 0.15 / 2.0)
    assert device.sigma_d2d_g_min * 0.1 == pytest.approx(0.9 * 0.1 / 2.0)


def test_additive_noise_is_in_units_of_the_step_without_its_law():
    scale = WeightScale(dw_min=0.1, w_max=1.5, w_min=-0.5)
    fields = scale.spreads(dw_min_std=0.3, mult_noise=False)
    assert fields["sigma_c2c_step"] == 0.0
    assert fields["sigma_c2c"] == pytest.approx(0.3 * 0.1 / 2.0)


@pytest.mark.parametrize("ratio", [None, 10.0])
def test_noise_proportional_to_the_weight(ratio):
    fields = PCM.spreads(
        dw_min_std=0.6, dw_min_std_add=0.042, dw_min_std_slope=0.108, on_off_ratio=ratio
    )
    r = ratio or math.inf
    s = 0.7
    x = 1 / r + (1 - 1 / r) * s
    noise = fields["sigma_c2c"] + np.polynomial.Polynomial(fields["c2c_polynomial"])(x) / (
        1 - 1 / r
    )
    assert noise == pytest.approx(0.6 * (0.042 + 0.108 * PCM.weight(s)) / 2.0)


def test_bounds_without_conductances_have_an_unknown_spread():
    assert CONSTANT.spreads(w_min_dtod=0.1)["sigma_d2d_g_min"] is None
    assert CONSTANT.spreads()["sigma_d2d_g_min"] == 0.0
    assert PCM.spreads(w_min_dtod=0.3)["sigma_d2d_g_min"] == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WeightScale(dw_min=0.0, w_max=1.0, w_min=0.0), "dw_min=0.0, need a finite"),
        (lambda: WeightScale(dw_min=0.1, w_max=0.0, w_min=0.0), "w_min < w_max"),
        (lambda: WeightScale(dw_min=0.1, w_max=1.0, w_min=0.0, up_down=1.0), "up_down=1.0"),
        (lambda: PCM.soft_bounds(), "need w_min < 0 < w_max"),
        (lambda: CONSTANT.spreads(dw_min_std_slope=0.1), "needs w_min=0"),
        (lambda: nonlinearity_to_a(0.0), "label=0.0"),
        (lambda: nonlinearity_to_a(9.5), "label=9.5"),
        (lambda: nonlinear_update(0, 10, 1.0, -1.0), "0 pulses"),
    ],
)
def test_refused_conversions(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("label", "a"),
    # Table of MLP+NeuroSim V3.0, six digits behind the point.
    [(0.01, 126.268958), (0.02, 63.134314), (0.1, 12.625807), (1.0, 1.251653), (9.0, 0.022810)],
)
def test_labels_of_neurosim(label, a):
    assert nonlinearity_to_a(label) == pytest.approx(a, rel=1e-5, abs=2e-6)
    assert nonlinearity_to_a(-label) == -nonlinearity_to_a(label)


@pytest.mark.parametrize(("label_up", "label_down"), [(2.4, -4.88), (0.105, 2.4), (0.0, 0.0)])
def test_pulses_of_neurosim_follow_its_curves(label_up, label_down):
    n = 97
    update = nonlinear_update(n, n, label_up, label_down)
    scale = WeightScale(dw_min=1.0, w_max=1.0, w_min=0.0)  # The state itself.
    states = trajectory(scale, update, n, n)

    def curve(label):
        p = np.arange(n + 1)
        if label == 0.0:
            return p / n
        a = nonlinearity_to_a(label) * n
        return (1 - np.exp(-p / a)) / (1 - np.exp(-n / a))

    np.testing.assert_allclose(states[: n + 1], curve(label_up), atol=1e-12)
    np.testing.assert_allclose(states[n:], curve(label_down)[::-1], atol=1e-12)


@given(st.floats(0.0, 225.0))
def test_polynomials_are_those_of_the_sources(g):
    x = g / 225.0
    polynomial = np.polynomial.Polynomial
    ours = polynomial(polynomial_of_conductance((4.782321, -0.009107, 1e-5), 225.0))
    assert 225.0 * ours(x) == pytest.approx(4.782321 - 0.009107 * g + 1e-5 * g * g)
    ours = polynomial(polynomial_of_fraction((0.26348, 1.9650, -1.1731), 25.0))
    assert 25.0 * ours(x) == pytest.approx(0.26348 + 1.9650 * x - 1.1731 * x * x)


def test_polynomial_of_sonos_is_its_saturating_exponential():
    x = np.linspace(0.0, 1.0, 1001)
    published = 19.88665 * (1.0 - np.exp(-1600.0 * x / 176.3115)) / 1600.0
    ours = np.polynomial.Polynomial(SONOS_SPREAD)(x)
    # Coefficients are given to six digits.
    assert np.abs(ours - published).max() < 0.006 * published.max()


def test_a_preset_programs_with_the_published_noise():
    device = Memristor(**vars(preset("milo2021").device) | {"unknown_is_off": True}).resolved()
    n = 20000
    wanted = (137.5 - 50.0) / 175.0
    state = effects.write(
        device, np.zeros(n), np.full(n, wanted), 0.0, 1.0, 0, (1, 2), np.arange(n)
    ).state
    sigma = 4.782321 - 0.009107 * 137.5  # µS
    assert abs(175.0 * state.std() - sigma) < 4 * sigma / math.sqrt(2 * n)
    assert isinstance(device.update, Update)
