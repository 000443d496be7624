import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.ir_drop import approximate_currents, currents, effective_conductance


def nodal(g, voltages, r):
    """Currents by Kirchhoff's law written down node by node, and solved as one dense system."""
    n_rows, n_cols = g.shape
    word = np.arange(g.size).reshape(g.shape)
    bit = word + g.size
    matrix, injected = np.zeros((2 * g.size, 2 * g.size)), np.zeros(2 * g.size)

    def connect(a, b, conductance):
        for here, there in (a, b), (b, a):
            matrix[here, here] += conductance
            matrix[here, there] -= conductance

    for i in range(n_rows):
        for j in range(n_cols):
            connect(word[i, j], bit[i, j], g[i, j])
            if j + 1 < n_cols:
                connect(word[i, j], word[i, j + 1], 1 / r)
            if i + 1 < n_rows:
                connect(bit[i, j], bit[i + 1, j], 1 / r)
        matrix[word[i, 0], word[i, 0]] += 1 / r
        injected[word[i, 0]] += voltages[i] / r
    for j in range(n_cols):
        matrix[bit[-1, j], bit[-1, j]] += 1 / r
    return np.linalg.solve(matrix, injected)[bit[-1]] / r


def seeded(n, wanted):
    """Conductances of the reference arrays: drawn for sides of 16, 64 and 128 in turn."""
    draw = np.random.RandomState(0)
    for side in (16, 64, 128):
        g = 1 / draw.uniform(1e3, 1e5, (side, side))
        if side == wanted:
            return g
    raise AssertionError(n)


def test_one_device_is_in_series_with_two_wires():
    assert currents([[1 / 100]], [1.0], 1.0)[0] == pytest.approx(1 / 102)
    assert approximate_currents([[1 / 100]], [1.0], 1.0, 10)[0] == pytest.approx(1 / 102)


# Mean relative errors of the currents that badcrossbar yields, to the digits given.
@pytest.mark.parametrize(
    ("side", "loss", "digits"), [(16, -0.92, 0.005), (64, -11.8, 0.05), (128, -34.5, 0.05)]
)
def test_loss_in_the_reference_arrays(side, loss, digits):
    g = seeded(side, side)
    voltages = np.full(side, 0.2)
    relative = currents(g, voltages, 1.0) / (voltages @ g) - 1
    assert 100 * relative.mean() == pytest.approx(loss, abs=digits)


@settings(max_examples=30, deadline=None)
@given(
    n_rows=st.integers(1, 7),
    n_cols=st.integers(1, 7),
    seed=st.integers(0, 1000),
    r=st.floats(1e-3, 1e5),
)
def test_currents_obey_kirchhoff(n_rows, n_cols, seed, r):
    rng = np.random.default_rng(seed)
    g = 10 ** rng.uniform(-6, -3, (n_rows, n_cols)) * (rng.uniform(size=(n_rows, n_cols)) > 0.2)
    voltages = rng.normal(size=n_rows)
    expected = nodal(g, voltages, r)
    scale = np.abs(voltages) @ g + 1e-12
    np.testing.assert_allclose(currents(g, voltages, r) / scale, expected / scale, atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 33), (33, 20), (1, 5), (5, 1)])
def test_more_rows_than_are_solved_at_a_time_and_any_shape(shape):
    rng = np.random.default_rng(2)
    g, voltages = rng.uniform(1e-5, 1e-3, shape), rng.normal(size=shape[0])
    np.testing.assert_allclose(currents(g, voltages, 7.0), nodal(g, voltages, 7.0), rtol=1e-9)


def test_a_batch_is_its_rows_and_currents_are_linear():
    rng = np.random.default_rng(1)
    g, voltages = rng.uniform(1e-5, 1e-3, (6, 4)), rng.normal(size=(3, 6))
    batch = currents(g, voltages, 10.0)
    assert batch.shape == (3, 4)
    for v, row in zip(voltages, batch, strict=True):
        np.testing.assert_allclose(currents(g, v, 10.0), row, rtol=1e-12)
    np.testing.assert_allclose(voltages @ effective_conductance(g, 10.0), batch, rtol=1e-12)
    np.testing.assert_allclose(
        approximate_currents(g, voltages, 10.0, 20), batch, rtol=1e-9, atol=1e-15
    )


@pytest.mark.parametrize("solve", [currents, approximate_currents])
def test_without_resistance_it_is_a_product(solve):
    rng = np.random.default_rng(1)
    g, voltages = rng.uniform(1e-5, 1e-3, (6, 4)), rng.normal(size=(3, 6))
    np.testing.assert_array_equal(solve(g, voltages, 0.0), voltages @ g)
    # The loss is of first order in the resistance.
    losses = [np.abs(solve(g, voltages, r) - voltages @ g).max() for r in (1e-3, 1e-4)]
    assert losses[0] / losses[1] == pytest.approx(10, rel=1e-3)


def test_more_resistance_less_current():
    g = seeded(16, 16)
    total = [currents(g, np.ones(16), r).sum() for r in (0.0, 0.1, 1.0, 10.0, 100.0)]
    assert total == sorted(total, reverse=True)


# The range of validity that the docstring of approximate_currents states.
@pytest.mark.parametrize(
    ("side", "loss", "error"), [(16, 0.01, 1e-12), (64, 0.13, 1e-6), (128, 0.38, 5e-4)]
)
def test_error_of_the_approximation(side, loss, error):
    g, voltages = seeded(side, side), np.full(side, 0.2)
    exact = currents(g, voltages, 1.0)
    assert 1 - exact.sum() / (voltages @ g).sum() < loss
    found = np.abs(approximate_currents(g, voltages, 1.0) / exact - 1).max()
    assert found < error


def test_sweeps_of_the_approximation_converge():
    g, voltages = seeded(64, 64), np.full(64, 0.2)
    exact = currents(g, voltages, 20.0)
    errors = [
        np.abs(approximate_currents(g, voltages, 20.0, n) / exact - 1).max() for n in (1, 10, 200)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6


@pytest.mark.parametrize("solve", [currents, approximate_currents])
@pytest.mark.parametrize(
    ("g", "voltages", "r", "message"),
    [
        ([1.0], [1.0], 1.0, r"conductance of shape \(1,\), need"),
        (np.empty((0, 3)), [], 1.0, r"conductance of shape \(0, 3\), need"),
        ([[1.0]], [1.0, 2.0], 1.0, r"voltages of shape \(2,\), need \(1,\)"),
        ([[1.0, -2.0]], [1.0], 1.0, r"conductance\[0, 1\]=-2.0, need finite numbers >= 0"),
        ([[math.nan]], [1.0], 1.0, r"conductance\[0, 0\]=nan"),
        ([[1.0]], [1.0], -1.0, "wire_resistance=-1.0, need a finite number >= 0"),
        ([[1.0]], [1.0], math.inf, "wire_resistance=inf"),
    ],
)
def test_bad_arguments_are_refused(solve, g, voltages, r, message):
    with pytest.raises(ValueError, match=message):
        solve(g, voltages, r)


def test_no_sweep_is_refused():
    with pytest.raises(ValueError, match="n_sweeps=0, need an integer >= 1"):
        approximate_currents([[1.0]], [1.0], 1.0, 0)
