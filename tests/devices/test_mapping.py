import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.mapping import MAPPINGS, readout, wanted_states, weights_of


def conductances(states, w_max, on_off_ratio):
    """Of devices with the nominal range."""
    w_min = w_max / on_off_ratio
    return w_min + (w_max - w_min) * states


def realised(mapping, weights, w_max, on_off_ratio):
    weights = np.asarray(weights, dtype=float)
    states = wanted_states(mapping, weights, w_max, on_off_ratio)
    g = conductances(states, w_max, on_off_ratio)
    return weights_of(g, *readout(mapping, weights, w_max, on_off_ratio))


@pytest.mark.parametrize(
    ("mapping", "states"),
    [
        ("single", [[0.75], [0.0], [0.0], [0.375]]),
        ("differential", [[0.8, 0.0], [0.0, 0.1], [0.0, 0.0], [0.0, 0.5]]),
        ("two_sided", [[0.9, 0.1], [0.45, 0.55], [0.5, 0.5], [0.25, 0.75]]),
        ("offset", [[0.9], [0.45], [0.5], [0.25]]),
    ],
)
def test_states_of_each_mapping(mapping, states):
    weights = np.array([1.6, -0.2, 0.0, -1.0])
    np.testing.assert_allclose(wanted_states(mapping, weights, 2.0, 5.0), states, atol=1e-15)


@given(
    mapping=st.sampled_from([mapping for mapping in MAPPINGS if mapping != "single"]),
    relative=st.lists(st.floats(-1, 1), max_size=20),
    w_max=st.floats(1e-6, 1e6),
    on_off_ratio=st.floats(1.1, 1e6) | st.just(math.inf),
)
def test_ideal_devices_make_the_weights(mapping, relative, w_max, on_off_ratio):
    weights = np.array(relative) * w_max
    error = realised(mapping, weights, w_max, on_off_ratio) - weights
    rounding = 1e-14 * w_max / (1 - 1 / on_off_ratio)
    np.testing.assert_allclose(error, 0.0, atol=rounding)


@given(
    relative=st.lists(st.floats(-1, 1), max_size=20),
    on_off_ratio=st.floats(1.1, 1e6) | st.just(math.inf),
)
def test_a_single_device_makes_weights_down_to_its_lowest(relative, on_off_ratio):
    weights = np.array(relative)
    expected = np.maximum(np.abs(weights), 1 / on_off_ratio)
    made = realised("single", weights, 1.0, on_off_ratio)
    np.testing.assert_allclose(np.abs(made), expected, atol=1e-14)
    nonzero = weights != 0
    assert (np.sign(made)[nonzero] == np.sign(weights)[nonzero]).all()


@pytest.mark.parametrize(
    ("weights", "leaks"),
    [([0.0, 1.0], 0.1), ([0.0, -1.0], -0.1), ([0.0, 1.0, -1.0], 0.1), ([0.0], 0.1)],
)
def test_a_zero_weight_leaks_with_the_sign_of_the_others(weights, leaks):
    assert realised("single", weights, 1.0, 10.0)[0] == pytest.approx(leaks)
