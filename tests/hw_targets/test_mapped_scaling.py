"""The maps between biological units and those of the chip."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_targets.brainscales2 import transfer
from hw_targets.brainscales2.calibration import RANGES
from hw_targets.brainscales2.mapped import scaling


def potentials(**values):
    given_values = {"v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0} | values
    return {name: np.atleast_1d(np.asarray(value, float)) for name, value in given_values.items()}


def test_rest_and_threshold_are_the_nightly_targets():
    found = scaling.voltage_map(potentials())
    assert found.lsb(-65.0) == pytest.approx(80.0)
    assert found.lsb(-50.0) == pytest.approx(150.0)


def test_a_deep_reset_moves_the_offset_first():
    found = scaling.voltage_map(potentials(v_reset=-75.0))
    assert found.scale == pytest.approx(70 / 15)
    assert found.lsb(-75.0) == pytest.approx(50.0)  # 33 LSB with rest at 80
    assert found.lsb(-50.0) == pytest.approx(50.0 + 25 * 70 / 15)


def test_the_scale_shrinks_where_no_offset_fits():
    # 110 LSB from the lowest reset to the highest rest, 170 to the highest threshold.
    found = scaling.voltage_map(potentials(v_reset=-100.0))
    assert found.scale == pytest.approx(min((160 - 50) / 35, (220 - 50) / 50))


def test_rest_above_threshold():
    found = scaling.voltage_map(potentials(v_rest=-45.0))
    assert found.scale == pytest.approx(70 / 15)
    assert 50 <= found.lsb(-65.0) < found.lsb(-50.0) < found.lsb(-45.0) <= 160


@given(
    rest=st.floats(-100, 0),
    up=st.floats(-50, 200),
    above_reset=st.floats(0.1, 200),
    reversals=st.tuples(st.floats(-200, 0), st.floats(0.1, 200)),
)
def test_all_potentials_are_in_range(rest, up, above_reset, reversals):
    values = potentials(
        v_rest=[rest, rest + 1.0], v_thresh=rest + up, v_reset=rest + up - above_reset,
        e_rev_I=reversals[0], e_rev_E=reversals[0] + reversals[1],
    )  # fmt: skip
    found = scaling.voltage_map(values)
    assert found.scale > 0
    for name, mv in values.items():
        low, high = RANGES[scaling.POTENTIALS[name]]
        assert low - 1e-6 <= found.lsb(mv).min() <= found.lsb(mv).max() <= high + 1e-6
    np.testing.assert_allclose(found.mv(found.lsb(rest)), rest, rtol=0, atol=1e-9)


@given(
    largest=st.floats(1e-6, 1e3), share=st.floats(1e-3, 1), merge=st.sampled_from([1, 2, 4]),
    rows=st.integers(1, 4),
)  # fmt: skip
def test_the_largest_weight_fits_if_it_can(largest, share, merge, rows):
    dac = scaling.choose_dac(largest, merge, rows)
    gm = scaling.choose_gm(share * largest, dac, merge, rows)
    assert 30 <= dac <= 1022
    assert 30 <= gm <= 500
    weight = share * largest / scaling.gain(gm, dac, merge)
    at_full = largest / scaling.gain(500, 1022, merge)
    if at_full <= 63 * rows:
        assert weight <= 63 * rows * (1 + 1e-6)
    if 30 < gm < 500:  # one less would be too little
        assert share * largest / scaling.gain(gm - 1, dac, merge) > 63 * rows


def test_the_calibrated_potential_of_a_weight():
    # 0.26 LSB per LSB of weight with 10 us, at gm 500 and synapse_dac_bias 600.
    current = scaling.gain(500, 600, 1)
    assert current * 10.0 / np.e == pytest.approx(transfer.PSP_PEAK)
    assert scaling.gain(250, 300, 2) == pytest.approx(current / 8)


def test_weights_are_rounded_and_clipped():
    wanted = np.array([0.0, 0.49, 0.51, 62.6, 63.4, 70.0, 200.0])
    found = scaling.hardware_weights(wanted, 1, is_ideal=False)
    assert found.tolist() == [0, 0, 1, 63, 63, 63, 63]
    assert scaling.hardware_weights(wanted, 2, is_ideal=False).tolist()[-2:] == [70, 126]
    assert scaling.hardware_weights(wanted, 1, is_ideal=True).tolist()[:5] == [
        0.0, 0.49, 0.51, 62.6, 63.0,
    ]  # fmt: skip


def test_the_reference_keeps_its_distance():
    low = scaling.COBA_DISTANCE
    for exc, inh in ((300.0, 60.0), (300.0, 105.0), (150.0, 30.0)):
        reference = scaling.coba_reference(
            {
                "leak": np.array([80.0]), "threshold": np.array([150.0]),
                "e_coba_reversal_exc": np.array([exc]), "e_coba_reversal_inh": np.array([inh]),
            }
        )  # fmt: skip
        assert inh + low - 1e-9 <= reference[0] <= exc - low + 1e-9
        assert 60 <= reference[0] <= 160
    nowhere = scaling.coba_reference(
        {
            "leak": np.array([80.0]), "threshold": np.array([150.0]),
            "e_coba_reversal_exc": np.array([140.0]), "e_coba_reversal_inh": np.array([120.0]),
        }
    )  # fmt: skip
    assert np.isnan(nowhere).all()
