"""Initial values of populations, views and assemblies on NEST."""

import numpy as np
import pytest
from pyNN.random import NumpyRNG, RandomDistribution

import cosim.backends.nest as sim

H = 0.1


def potentials(cells):
    return np.atleast_1d(cells.node_collection.V_m)


def first_samples(cells):
    return cells.get_data().segments[-1].analogsignals[0].magnitude[0]


@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_random_initial_values_are_drawn_once():
    """Stock PyNN draws anew for the first sample and at each reset."""
    sim.setup(timestep=H, t_flush=100.0)
    cells = sim.Population(5, sim.IF_curr_exp_dAP())
    cells.initialize(v=RandomDistribution("uniform", low=1.0, high=9.0, rng=NumpyRNG(seed=3)))
    drawn = potentials(cells)
    assert len(set(drawn)) == 5
    cells[2:4].record("v")
    sim.run(10.0)
    np.testing.assert_array_equal(first_samples(cells), drawn[2:4])
    np.testing.assert_array_equal(cells.initial_values["v"].evaluate(), drawn)
    sim.reset()
    np.testing.assert_array_equal(potentials(cells), drawn)


@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_views_initialise_their_cells_only():
    """Stock PyNN cannot initialise views on NEST."""
    sim.setup(timestep=H, t_flush=100.0)
    cells = sim.Population(6, sim.IF_curr_exp_dAP(), initial_values={"v": 1.0, "i_dend": 0.01})
    cells.record(["v"])
    cells[1:3].initialize(v=2.0)
    cells[[0, 4, 5]][1:].initialize(v=[5.0, 6.0], i_dend=0.02)
    expected = [1.0, 2.0, 2.0, 1.0, 5.0, 6.0]
    np.testing.assert_array_equal(potentials(cells), expected)
    np.testing.assert_allclose(cells.node_collection.I_dend, [10.0] * 4 + [20.0] * 2)
    np.testing.assert_array_equal(cells[2:5].initial_values["v"].evaluate(), [2.0, 1.0, 5.0])
    sim.run(10.0)
    # in the middle of a run the other cells keep their state
    decayed = potentials(cells)
    cells[0].set_initial_value("v", 9.0)
    assert cells[0].get_initial_value("v") == 9.0
    np.testing.assert_array_equal(potentials(cells), [9.0, *decayed[1:]])
    sim.reset()
    np.testing.assert_array_equal(potentials(cells), [9.0, *expected[1:]])
    sim.run(1.0)
    np.testing.assert_array_equal(first_samples(cells), [9.0, *expected[1:]])


def test_assemblies_of_views_can_be_initialised():
    sim.setup(timestep=H)
    first, second = (sim.Population(2, sim.IF_cond_exp()) for _ in range(2))
    (first[1:2] + second).initialize(v=-60.0)
    np.testing.assert_array_equal(potentials(first), [-65.0, -60.0])
    np.testing.assert_array_equal(potentials(second), -60.0)


def test_an_array_of_initial_values_stays_the_users():
    sim.setup(timestep=H)
    given = np.array([1.0, 2.0, 3.0])
    cells = sim.Population(3, sim.IF_curr_exp_dAP(), initial_values={"v": given})
    cells[0:1].initialize(v=7.0)
    np.testing.assert_array_equal(given, [1.0, 2.0, 3.0])
    given[2] = 9.0
    np.testing.assert_array_equal(cells.initial_values["v"].evaluate(), [7.0, 2.0, 3.0])
