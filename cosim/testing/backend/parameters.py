"""Parameters and initial values of cells."""

import numpy as np
import pytest
from pyNN import errors
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution

from cosim.testing.backend.base import Contract, H, Simulator, resting, signal
from cosim.testing.backend.reference import step_response


class ParameterContract(Contract):
    """`get`, `set` and `initialize` of populations, views, assemblies and single cells."""

    def test_every_kind_of_value(self, sim: Simulator) -> None:
        """A number, a list, an array, a function of the index, a random distribution."""
        sim.setup()
        uniform = RandomDistribution("uniform", low=1.0, high=2.0, rng=NumpyRNG(seed=5))
        cells = sim.Population(
            4,
            sim.IF_curr_exp(
                tau_m=12.5, cm=[0.1, 0.2, 0.3, 0.4], tau_syn_E=np.array([1.0, 2.0, 3.0, 4.0]),
                i_offset=lambda i: 0.1 * i, tau_refrac=uniform,
            ),
        )  # fmt: skip
        assert cells.get("tau_m") == pytest.approx(12.5)
        np.testing.assert_allclose(cells.get("cm"), [0.1, 0.2, 0.3, 0.4])
        np.testing.assert_allclose(cells.get("tau_syn_E"), [1.0, 2.0, 3.0, 4.0])
        np.testing.assert_allclose(cells.get("i_offset"), [0.0, 0.1, 0.2, 0.3], atol=1e-15)
        refractory = np.asarray(cells.get("tau_refrac"))
        assert len(set(refractory)) == 4
        assert ((refractory > 1.0) & (refractory < 2.0)).all()

    def test_several_at_once(self, sim: Simulator) -> None:
        """In the order of the names; ``simplify=False`` gives an array for each."""
        sim.setup()
        cells = sim.Population(3, sim.IF_curr_exp(cm=0.5, tau_m=[10.0, 11.0, 12.0]))
        tau_m, cm = cells.get(["tau_m", "cm"])
        np.testing.assert_allclose(tau_m, [10.0, 11.0, 12.0])
        assert cm == pytest.approx(0.5)
        np.testing.assert_allclose(cells.get("cm", simplify=False), [0.5, 0.5, 0.5])

    def test_views_set_their_own_cells(self, sim: Simulator) -> None:
        """By slices, index lists and masks, and views of views."""
        sim.setup()
        cells = sim.Population(6, sim.IF_curr_exp(tau_m=10.0))
        cells[1:3].set(tau_m=11.0)
        cells[np.array([0, 5])].set(tau_m=[13.0, 12.0])
        cells[2:6][1:2].set(tau_m=14.0)
        expected = [13.0, 11.0, 11.0, 14.0, 10.0, 12.0]
        np.testing.assert_allclose(cells.get("tau_m"), expected)
        np.testing.assert_allclose(cells[np.array([0, 5])].get("tau_m"), [13.0, 12.0])
        mask = np.array([False, True, False, True, False, False])
        np.testing.assert_allclose(cells[mask].get("tau_m"), [11.0, 14.0])

    def test_single_cells(self, sim: Simulator) -> None:
        """A cell's parameters are its attributes."""
        sim.setup()
        cells = sim.Population(3, sim.IF_curr_exp(cm=0.5))
        cells[1].cm = 0.75
        np.testing.assert_allclose(cells.get("cm"), [0.5, 0.75, 0.5])
        assert cells[1].cm == pytest.approx(0.75)
        cells[2].set_parameters(cm=0.25, tau_m=7.0)
        assert cells[2].get_parameters()["tau_m"] == pytest.approx(7.0)
        assert cells.id_to_index(cells[2]) == 2

    def test_assemblies(self, sim: Simulator) -> None:
        """`get` joins the populations, `set` sets all that have the parameter."""
        sim.setup()
        both = sim.Population(2, sim.IF_curr_exp(cm=0.5)) + sim.Population(3, sim.IF_curr_alpha())
        np.testing.assert_allclose(both.get("cm"), [0.5, 0.5, 1.0, 1.0, 1.0])
        both.set(cm=0.7)
        assert [p.get("cm") for p in both.populations] == pytest.approx([0.7, 0.7])
        both[1:3].set(cm=0.9)
        np.testing.assert_allclose(both.get("cm"), [0.7, 0.9, 0.9, 0.7, 0.7])

    def test_sequences(self, sim: Simulator) -> None:
        """Spike times: one list for all, or one for each."""
        sim.setup()
        sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
        found = sources.get("spike_times", simplify=False)
        assert [np.ravel(times.value).tolist() for times in found] == [[1.0, 2.0]] * 2
        sources.set(spike_times=[Sequence([3.0]), Sequence([4.0, 5.0])])
        found = sources.get("spike_times")
        assert [np.ravel(times.value).tolist() for times in found] == [[3.0], [4.0, 5.0]]

    def test_lists_of_one(self, sim: Simulator) -> None:
        """For a population of one cell."""
        sim.setup()
        one = sim.Population(1, sim.SpikeSourcePoisson(rate=[5.0], start=[1000.0], duration=1234.0))
        assert one.get(["rate", "start", "duration"]) == pytest.approx([5.0, 1000.0, 1234.0])

    def test_unknown_parameters_are_refused(self, sim: Simulator) -> None:
        """When a cell type is made, and by `set` and `get`."""
        sim.setup()
        with pytest.raises(errors.NonExistentParameterError):
            sim.IF_curr_exp(tau_mm=10.0)
        cells = sim.Population(2, sim.IF_curr_exp())
        with pytest.raises(errors.NonExistentParameterError):
            cells.set(tau_mm=10.0)

    def test_arrays_of_the_wrong_length_are_refused(self, sim: Simulator) -> None:
        """At the latest when the population is made."""
        sim.setup()
        with pytest.raises((errors.InvalidDimensionsError, ValueError)):
            sim.Population(3, sim.IF_curr_exp(cm=[0.5, 0.6])).get("cm")

    def test_changes_between_runs_act(self, sim: Simulator) -> None:
        """From the next step on, or at most one minimal delay later; the state stays."""
        sim.need("interactive")
        sim.setup(min_delay=H)
        cells = resting(sim, 2)
        sim.run(5.0)
        cells[1:2].set(i_offset=0.2)
        sim.run(5.0)
        v = signal(cells)
        assert not v[:, 0].any()
        onset = int(np.flatnonzero(v[:, 1])[0]) - 1
        assert 50 <= onset <= 51
        expected = step_response(H * (np.arange(101) - onset), 0.2, 0.5, 20.0)
        np.testing.assert_allclose(v[:, 1], expected, rtol=1e-9)

    def test_initial_values(self, sim: Simulator) -> None:
        """A number, a list, a random distribution; of views, too; given with the population."""
        sim.setup()
        cells = sim.Population(4, sim.IF_curr_exp(), initial_values={"v": -60.0})
        cells.record("v")
        cells[1:3].initialize(v=[-61.0, -62.0])
        drawn = sim.Population(5, sim.IF_curr_exp())
        drawn.initialize(v=RandomDistribution("uniform", low=-70.0, high=-60.0))
        drawn.record("v")
        sim.run(0.1)
        np.testing.assert_array_equal(signal(cells)[0], [-60.0, -61.0, -62.0, -60.0])
        found = signal(drawn)[0]
        assert len(set(found)) == 5
        assert ((found > -70.0) & (found < -60.0)).all()

    def test_initial_synaptic_currents(self, sim: Simulator) -> None:
        """In nA, as everything of PyNN's; refused where a simulator cannot set them."""
        sim.setup()
        cells = resting(sim, tau_syn_E=4.0)
        try:
            cells.initialize(isyn_exc=0.5)
        except (errors.InvalidParameterValueError, ValueError) as refusal:
            assert "isyn_exc" in str(refusal)
            return
        sim.run(10.0)
        t = H * np.arange(101)
        expected = 0.5 / 0.5 * 5.0 * (np.exp(-t / 20.0) - np.exp(-t / 4.0))
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=1e-9, atol=1e-12)
