"""Populations, views and assemblies on Brian2: parameters, initial values, running on."""

import numpy as np
import pytest
from pyNN.random import NumpyRNG, RandomDistribution

import cosim.backends.brian2 as sim

H = 0.1


@pytest.fixture(autouse=True)
def _simulation():
    sim.setup(timestep=H)


def v_of(population, segment=-1):
    return population.get_data("v").segments[segment].analogsignals[0].magnitude


STANDARD = [
    "IF_curr_exp", "IF_curr_alpha", "IF_curr_delta", "IF_cond_exp", "IF_cond_alpha",
    "IF_cond_exp_gsfa_grr", "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "HH_cond_exp",
    "Izhikevich", "SpikeSourcePoisson", "IF_curr_exp_dAP",
]  # fmt: skip


@pytest.mark.parametrize("name", STANDARD)
def test_all_parameters_of_all_cells_can_differ(name):
    celltype = getattr(sim, name)
    defaults = celltype.default_parameters
    cells = sim.Population(3, celltype())
    for parameter, default in defaults.items():
        assert cells.get(parameter) == pytest.approx(default, rel=1e-14, abs=0)
        values = [default, default * 1.01 + 1e-3, default]
        cells.set(**{parameter: values})
        assert cells.get(parameter) == pytest.approx(values, rel=1e-14)
        cells[2:].set(**{parameter: values[1]})
        assert cells[1:].get(parameter) == pytest.approx(values[1], rel=1e-14)
        cells.set(**{parameter: default})
    for variable, value in celltype.default_initial_values.items():
        if variable in celltype.state_variable_translations:
            assert cells.initial_values[variable][0] == value


@pytest.mark.parametrize("name", STANDARD)
def test_all_variables_of_all_cells_can_be_recorded(name):
    celltype = getattr(sim, name)
    cells = sim.Population(2, celltype())
    cells.record(list(celltype.recordable))
    sim.run(1.0)
    segment = cells.get_data().segments[0]
    found = {signal.name for signal in segment.analogsignals}
    assert found == set(celltype.recordable) - {"spikes", "dAP"}
    for signal in segment.analogsignals:
        initial = celltype.default_initial_values[signal.name]
        np.testing.assert_allclose(signal.magnitude[0], initial, rtol=1e-14)
        assert np.isfinite(signal.magnitude).all()


def test_values_given_in_all_of_pynns_ways():
    rng = NumpyRNG(seed=3)
    tau_m = RandomDistribution("uniform", (10, 20), rng=rng)
    cells = sim.Population(4, sim.IF_curr_exp(tau_m=tau_m))
    drawn = cells.get("tau_m")
    assert len(set(drawn)) == 4 and (drawn > 10).all() and (drawn < 20).all()
    np.testing.assert_array_equal(cells.get("tau_m"), drawn)
    cells.set(cm=lambda i: 1.0 + i, v_thresh=np.array([-50.0, -51, -52, -53]), tau_refrac=2.0)
    assert cells.get("cm").tolist() == [1, 2, 3, 4]
    assert cells.get(["v_thresh", "tau_refrac"])[1] == 2.0
    cells[0].i_offset = 0.5
    assert cells[0].i_offset == 0.5 and cells[1].i_offset == 0.0
    view = cells[[1, 3]][1:]  # a view of a view
    view.set(i_offset=0.25, cm=RandomDistribution("uniform", (7, 8), rng=rng))
    assert cells.get("i_offset").tolist() == [0.5, 0.0, 0.0, 0.25]
    assert 7 < cells.get("cm")[3] < 8
    (cells[0:1] + cells[2:3]).set(v_rest=-60.0)
    assert cells.get("v_rest").tolist() == [-60, -65, -60, -65]


def test_a_parameter_set_between_runs_counts_from_then_on():
    later = {"tau_m": [10.0, 5.0], "i_offset": [0.8, 1.2], "tau_refrac": [1.0, 2.0],
             "v_thresh": -60.0, "v_reset": [-70.0, -71.0], "tau_syn_E": 3.0}  # fmt: skip
    cells = sim.Population(3, sim.IF_curr_exp(i_offset=0.5))
    cells.record("v")
    cells.initialize(isyn_exc=1.0)
    sim.run(20.0)
    current = cells.brian2_group.variables["i_e"].get_value()[1:] * 1e9
    cells[1:].set(**later)
    sim.run(20.0)
    found = v_of(cells)
    sim.setup(timestep=H)
    fresh = sim.Population(2, sim.IF_curr_exp(**later))
    fresh.initialize(v=found[200, 1:], isyn_exc=current)
    fresh.record("v")
    sim.run(20.0)
    np.testing.assert_allclose(v_of(fresh), found[200:, 1:], atol=1e-12)
    assert found[:, 0].max() > -60.0  # the first cell has its old threshold


# ---- initial values ----------------------------------------------------------------------------


def test_initial_values():
    cells = sim.Population(3, sim.IF_curr_exp(), initial_values={"v": [-60, -61, -62]})
    cells.record(["v", "isyn_exc"])
    cells[1:].initialize(isyn_exc=0.5)
    cells[2].set_initial_value("v", -63.0)
    assert [cell.get_initial_value("v") for cell in cells] == [-60, -61, -63]
    assert cells[1:].initial_values["v"].evaluate().tolist() == [-61, -63]
    sim.run(1.0)
    np.testing.assert_allclose(v_of(cells)[0], [-60, -61, -63])
    current = cells.get_data("isyn_exc").segments[0].analogsignals[0].magnitude
    np.testing.assert_allclose(current[0], [0, 0.5, 0.5])
    np.testing.assert_allclose(current[1], np.exp(-H / 5) * current[0])


def test_random_initial_values_are_drawn_once():
    rng = NumpyRNG(seed=5)
    cells = sim.Population(5, sim.IF_cond_exp())
    cells.initialize(v=RandomDistribution("uniform", (-65, -55), rng=rng))
    drawn = [cell.get_initial_value("v") for cell in cells]
    cells.record("v")
    sim.run(2.0)
    sim.reset()
    sim.run(2.0)
    for segment in (0, 1):
        np.testing.assert_allclose(v_of(cells, segment)[0], drawn)


def test_initialize_during_a_simulation_changes_the_chosen_cells_alone():
    cells = sim.Population(3, sim.IF_curr_exp(), initial_values={"v": [-60.0, -61.0, -62.0]})
    cells.record("v")
    sim.run(5.0)
    before = v_of(cells)[-1]
    cells[1:2].initialize(v=-55.0)
    sim.run(5.0)
    np.testing.assert_allclose(v_of(cells)[50], [before[0], -55.0, before[2]])
    sim.reset()
    sim.run(1.0)
    np.testing.assert_allclose(v_of(cells)[0], [-60.0, -55.0, -62.0])


def test_reset_takes_everything_back_but_parameters():
    cells = sim.Population(2, sim.EIF_cond_exp_isfa_ista(i_offset=1.0))
    cells.record(["v", "w", "spikes"])
    sim.run(50.0)
    sim.reset()
    sim.run(50.0)
    cells.set(i_offset=0.0)
    sim.reset()
    sim.run(50.0)
    first, second, third = cells.get_data().segments
    assert len(first.spiketrains[0]) > 1 and not len(third.spiketrains[0])
    for one, other in zip(first.analogsignals, second.analogsignals, strict=True):
        np.testing.assert_array_equal(one.magnitude, other.magnitude)
    np.testing.assert_array_equal(first.spiketrains[1].magnitude, second.spiketrains[1].magnitude)


def test_unknown_variable():
    cells = sim.Population(2, sim.IF_curr_delta(), label="cells")
    with pytest.raises(KeyError, match="'cells' has no state variable 'w'; it has v"):
        cells.initialize(w=1.0)


# ---- ids ---------------------------------------------------------------------------------------


def test_ids_are_consecutive_and_know_their_population():
    first, second = sim.Population(3, sim.IF_curr_exp()), sim.Population(2, sim.IF_cond_exp())
    assert [int(cell) for cell in [*first, *second]] == [0, 1, 2, 3, 4]
    assert second.id_to_index(second[1]) == 1
    assert second[0].parent is second and second[0].celltype is second.celltype
    assert (first + second).size == 5
    assert first[1:].index_in_grandparent([0, 1]).tolist() == [1, 2]
