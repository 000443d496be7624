"""Going back to time 0."""

from typing import Any

import numpy as np
import pytest

from cosim.testing.backend.base import (
    Contract,
    Simulator,
    connect,
    jumping,
    resting,
    signal,
    source,
    spikes,
    values,
)
from devices import Memristor


class ResetContract(Contract):
    """`reset`: time, potentials and plastic weights go back, a new segment begins.

    Network structure, parameters and what is recorded stay. A weight or a permanence that was
    set is from then on the one to go back to.
    """

    def test_a_constant_current_in_several_segments(self, sim: Simulator) -> None:
        """Each segment is recorded from time 0, and all are alike."""
        sim.need("interactive")
        sim.setup()
        cells = sim.Population(2, sim.IF_curr_exp(i_offset=[0.1, 0.2]))
        cells.initialize(v=[-65.0, -60.0])
        cells.record("v")
        for _ in range(3):
            sim.run(10.0)
            assert sim.get_current_time() == pytest.approx(10.0)
            sim.reset()
            assert sim.get_current_time() == 0.0
        assert len(cells.get_data().segments) == 3
        first = signal(cells, segment=0)
        assert first.shape == (101, 2)
        for segment in (1, 2):
            np.testing.assert_allclose(signal(cells, segment=segment), first, rtol=1e-10)

    def test_sampling_intervals_in_several_segments(self, sim: Simulator) -> None:
        """Samples are those at the multiples of the interval in each segment."""
        sim.need("interactive")
        sim.setup()
        cells = sim.Population(1, sim.IF_curr_exp(i_offset=0.1))
        cells.record("v", sampling_interval=0.7)
        for _ in range(2):
            sim.run(10.0)
            sim.reset()
        first, second = (signal(cells, segment=segment) for segment in (0, 1))
        assert len(first) == 15
        np.testing.assert_allclose(second, first, rtol=1e-10)

    def test_data_cleared_before_a_reset(self, sim: Simulator) -> None:
        """Segments that were taken away do not come back."""
        sim.need("interactive")
        sim.setup()
        cells = sim.Population(1, sim.IF_curr_exp(i_offset=0.1))
        cells.record("v")
        blocks = []
        for _ in range(3):
            sim.run(10.0)
            blocks.append(cells.get_data(clear=True))
            sim.reset()
        assert [len(block.segments) for block in blocks] == [1, 1, 1]
        found = [np.asarray(block.segments[0].analogsignals[0].magnitude) for block in blocks]
        for samples in found[1:]:
            np.testing.assert_allclose(samples, found[0], rtol=1e-10)

    def test_spikes_in_several_segments(self, sim: Simulator) -> None:
        """Sources spike again; nothing under way survives."""
        sim.need("interactive")
        sim.setup()
        inputs = source(sim, [[1.2, 3.8, 9.2, 19.9], [1.5, 1.9, 2.7, 4.8, 6.8]], 2)
        cells = sim.Population(3, sim.IF_curr_exp(tau_refrac=1.0))
        connect(sim, inputs, cells, np.array([[4.0, 5.0, 6.0], [6.0, 5.0, 4.0]]), delay=2.5)
        connect(sim, cells, cells, 1.0, delay=1.0)
        inputs.record("spikes")
        cells.record(["v", "spikes"])
        for _ in range(2):
            sim.run(20.0)
            sim.reset()
        sim.run(20.0)
        assert min(map(len, spikes(cells, 0))) > 0
        for segment in (1, 2):
            assert spikes(inputs, segment) == spikes(inputs, 0)
            assert spikes(cells, segment) == spikes(cells, 0)
            np.testing.assert_allclose(
                signal(cells, segment=segment), signal(cells, segment=0), rtol=1e-8
            )

    def test_regular_spiking_in_several_segments(self, sim: Simulator) -> None:
        """A refractory period that was under way is over."""
        sim.need("interactive")
        sim.setup()
        cells = sim.Population(4, sim.IF_curr_exp(i_offset=[1.0, 1.3, 1.7, 2.9], tau_refrac=7.0))
        cells.record(["v", "spikes"])
        sim.run(40.0)
        sim.reset()
        sim.run(40.0)
        assert spikes(cells, 1) == spikes(cells, 0)
        np.testing.assert_allclose(signal(cells, segment=1), signal(cells, segment=0), rtol=1e-8)

    def test_injected_currents_start_again(self, sim: Simulator) -> None:
        """At the times that they were given."""
        sim.need("interactive")
        sim.setup()
        cells = sim.Population(2, sim.IF_curr_exp())
        cells[0:1].inject(sim.DCSource(amplitude=0.3, start=2.0, stop=6.0))
        cells[1:2].inject(sim.StepCurrentSource(times=[3.0, 5.0], amplitudes=[0.2, 0.0]))
        cells.record("v")
        sim.run(10.0)
        sim.reset()
        sim.run(10.0)
        assert np.ptp(signal(cells, segment=0), axis=0).min() > 0.1
        np.testing.assert_allclose(signal(cells, segment=1), signal(cells, segment=0), rtol=1e-8)

    def test_parameters_stay(self, sim: Simulator) -> None:
        """Those of cells and static synapses are what they were last set to."""
        sim.need("interactive")
        sim.setup()
        cells = jumping(sim, 2)
        made = connect(sim, source(sim, [1.0]), cells, 1.0)
        sim.run(5.0)
        cells.set(tau_m=12.0)
        made.set(weight=3.0)
        sim.reset()
        assert cells.get("tau_m") == pytest.approx(12.0)
        np.testing.assert_allclose(values(made, "weight"), 3.0)
        sim.run(5.0)
        np.testing.assert_allclose(signal(cells)[[20, 50], 0], [3.0, 3.0 * np.exp(-3.0 / 12.0)])

    def test_random_sources_start_again(self, sim: Simulator) -> None:
        """Spikes lie between their start and their stop in each segment."""
        sim.need("interactive")
        sim.setup()
        noise = sim.Population(20, sim.SpikeSourcePoisson(rate=200.0, start=10.0, duration=10.0))
        noise.record("spikes")
        for _ in range(2):
            sim.run(30.0)
            sim.reset()
        for segment in (0, 1):
            found = np.concatenate(spikes(noise, segment))
            assert len(found) > 10
            assert found.min() > 100
            assert found.max() <= 202

    def test_resources_of_synapses_recover(self, sim: Simulator) -> None:
        """Short-term plasticity begins anew."""
        sim.need("interactive")
        sim.setup()
        cells = resting(sim)
        synapse = sim.TsodyksMarkramSynapse(U=0.5, tau_rec=5000.0, tau_facil=1000.0, weight=0.5)
        sim.Projection(
            source(sim, [1.0, 3.0, 6.0]), cells, sim.AllToAllConnector(), synapse,
            receptor_type="excitatory",
        )  # fmt: skip
        for _ in range(2):
            sim.run(10.0)
            sim.reset()
        np.testing.assert_allclose(signal(cells, segment=1), signal(cells, segment=0), atol=1e-9)

    @staticmethod
    def _stdp(sim: Simulator) -> Any:
        return sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(A_plus=0.05, A_minus=0.02),
            weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=2.0),
            weight=1.0, delay=1.0,
        )  # fmt: skip

    def _plastic_network(self, sim: Simulator, post: list[float]) -> tuple[Any, Any]:
        sim.setup()
        cells = jumping(sim, v_thresh=50.0)
        connect(sim, source(sim, post), cells, 1000.0)
        made = sim.Projection(
            source(sim, [10.0, 20.0, 30.0]), cells, sim.AllToAllConnector(), self._stdp(sim),
            receptor_type="excitatory",
        )  # fmt: skip
        return cells, made

    def test_plastic_weights_go_back(self, sim: Simulator) -> None:
        """And change again as they did the first time."""
        sim.need("interactive")
        _, made = self._plastic_network(sim, [12.0, 24.0])
        found = []
        for _ in range(2):
            np.testing.assert_allclose(values(made, "weight"), 1.0, rtol=1e-12)
            sim.run(35.0)
            found.append(values(made, "weight")[0, 0])
            sim.reset()
        np.testing.assert_allclose(values(made, "weight"), 1.0, rtol=1e-12)
        assert found[0] > 1.05
        np.testing.assert_allclose(found[1], found[0], rtol=1e-6)

    def test_pairs_do_not_reach_across_a_reset(self, sim: Simulator) -> None:
        """A postsynaptic spike at the very end has no effect on the next segment."""
        sim.need("interactive")
        _, made = self._plastic_network(sim, [12.0, 24.0, 34.0])
        found = []
        for _ in range(2):
            sim.run_until(31.0)
            found.append(values(made, "weight")[0, 0])
            sim.run_until(40.0)
            sim.reset()
        np.testing.assert_allclose(found[1], found[0], rtol=1e-6)

    def test_weights_that_were_set_are_the_new_initial_ones(self, sim: Simulator) -> None:
        """Of plastic synapses, too."""
        sim.need("interactive")
        _, made = self._plastic_network(sim, [12.0, 24.0])
        sim.run(25.0)
        made.set(weight=0.5)
        sim.run(10.0)
        sim.reset()
        np.testing.assert_allclose(values(made, "weight"), 0.5, rtol=1e-12)

    @pytest.mark.parametrize("name", ["MemristiveSTDP", "MemristiveStructuralSTDP"])
    def test_memristive_states_go_back(self, sim: Simulator, name: str) -> None:
        """Permanence, weight and the numbers of the device's events: its noise repeats itself."""
        sim.need("interactive")
        sim.setup(rng_seed=3)
        cells = sim.Population(1, sim.IF_curr_exp_dAP(tau_syn_E=0.1, tau_refrac=1.0))
        connect(sim, source(sim, [15.0, 35.0, 55.0]), cells, 100.0)
        device = Memristor(sigma_c2c=0.01, n_levels=200, sigma_read=0.1)
        kind = getattr(sim, name)
        made = sim.Projection(
            source(sim, [[10.0, 30.0, 50.0], [5.0, 20.0, 40.0]], 2), cells,
            sim.AllToAllConnector(), kind(device=device, permanence=0.3, delay=1.0),
        )  # fmt: skip
        cells.record(["v", "i_dend", "spikes"])
        initial, found = values(made, "permanence", "weight"), []
        for _ in range(2):
            sim.run(70.0)
            found.append(values(made, "permanence", "weight"))
            sim.reset()
            np.testing.assert_allclose(values(made, "permanence", "weight"), initial, rtol=1e-12)
        assert (found[0][:, 0] != initial[:, 0]).all()
        np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
        assert spikes(cells, 1) == spikes(cells, 0)
        currents = [signal(cells, "i_dend", segment) for segment in (0, 1)]
        np.testing.assert_allclose(currents[1], currents[0], rtol=1e-6, atol=1e-12)
