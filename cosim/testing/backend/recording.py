"""Recording: what, of which cells, how often, in which order."""

from typing import Any

import numpy as np
import pytest
import quantities as pq
from pyNN import errors

from cosim.testing.backend.base import (
    Contract,
    H,
    Simulator,
    connect,
    signal,
    source,
    spikes,
    steps,
)


class RecordingContract(Contract):
    """Variables, subsets, sampling intervals, views, assemblies, segments."""

    @staticmethod
    def _cells(sim: Simulator, size: int = 5) -> Any:
        """Return cells whose potentials differ, so that mixing them up shows."""
        return sim.Population(
            size, sim.IF_curr_exp(i_offset=0.01 * np.arange(1, size + 1), cm=0.5, v_rest=-65.0)
        )

    def test_samples_begin_at_time_zero(self, sim: Simulator) -> None:
        """With the initial value; the last one is that at the end of the run."""
        sim.setup()
        cells = self._cells(sim)
        cells.initialize(v=[-65.0, -64.0, -63.0, -62.0, -61.0])
        cells.record("v")
        sim.run(10.0)
        (found,) = cells.get_data().segments[0].analogsignals
        assert found.shape == (101, 5)
        assert found.units == pq.mV
        assert float(found.t_start.rescale("ms")) == 0.0
        assert float(found.sampling_period.rescale("ms")) == pytest.approx(H)
        np.testing.assert_array_equal(found.magnitude[0], [-65.0, -64.0, -63.0, -62.0, -61.0])
        decay = np.exp(-10.0 / 20.0)
        rest = -65.0 + 0.01 * np.arange(1, 6) * 20.0 / 0.5
        np.testing.assert_allclose(
            found.magnitude[-1], rest + (found.magnitude[0] - rest) * decay, rtol=1e-10
        )

    def test_of_some_cells(self, sim: Simulator) -> None:
        """Each variable has its own set of cells; annotations say which they are."""
        sim.setup()
        cells = self._cells(sim)
        cells.record("v")
        some = self._cells(sim)
        some[1:4].record("v")
        some[np.array([0, 3])].record("spikes")
        sim.run(5.0)
        data = some.get_data().segments[0]
        (found,) = data.filter(name="v")
        np.testing.assert_array_equal(found.magnitude, signal(cells)[:, 1:4])
        np.testing.assert_array_equal(found.array_annotations["channel_index"], [1, 2, 3])
        assert [train.annotations["source_index"] for train in data.spiketrains] == [0, 3]
        assert signal(some[2:5]).shape == (51, 2)

    def test_only_what_is_asked_for_is_returned(self, sim: Simulator) -> None:
        """`get_data` of one variable returns no other."""
        sim.setup()
        cells = self._cells(sim)
        cells.record(["v", "spikes"])
        sim.run(2.0)
        assert len(cells.get_data("v").segments[0].spiketrains) == 0
        assert len(cells.get_data("spikes").segments[0].analogsignals) == 0
        segment = cells.get_data().segments[0]
        assert (len(segment.analogsignals), len(segment.spiketrains)) == (1, 5)

    @pytest.mark.parametrize("interval", [0.1, 0.5, 1.0, 3.0])
    def test_sampling_interval(self, sim: Simulator, interval: float) -> None:
        """Samples are those at the multiples of the interval, whatever the run's length."""
        sim.setup()
        sparse, dense = self._cells(sim), self._cells(sim)
        sparse.record("v", sampling_interval=interval)
        dense.record("v")
        sim.run(10.0)
        (found,) = sparse.get_data().segments[0].analogsignals
        assert float(found.sampling_period.rescale("ms")) == pytest.approx(interval)
        np.testing.assert_array_equal(found.magnitude, signal(dense)[:: round(interval / H)])

    def test_populations_may_differ_in_their_sampling_interval(self, sim: Simulator) -> None:
        """Each population has its own."""
        sim.setup()
        first, second = self._cells(sim, 3), self._cells(sim, 4)
        first.record("v", sampling_interval=1.0)
        second.record("v", sampling_interval=0.5)
        sim.run(10.0)
        assert signal(first).shape == (11, 3)
        assert signal(second).shape == (21, 4)

    def test_conductances(self, sim: Simulator) -> None:
        """In uS; they jump by the weight one delay after the spike."""
        sim.setup()
        cells = sim.Population(2, sim.IF_cond_exp(tau_syn_E=2.0, tau_syn_I=4.0))
        for receptor, weight in (("excitatory", 0.01), ("inhibitory", 0.03)):
            connect(sim, source(sim, [1.0]), cells, weight, 0.5, receptor)
        cells.record(["gsyn_exc", "gsyn_inh"])
        sim.run(5.0)
        t = H * np.arange(51) - 1.5
        for name, weight, tau in (("gsyn_exc", 0.01, 2.0), ("gsyn_inh", 0.03, 4.0)):
            expected = np.where(t > -H / 2, weight * np.exp(-np.maximum(t, 0) / tau), 0.0)
            # simulators that integrate conductances numerically do so to about a thousandth
            np.testing.assert_allclose(signal(cells, name)[:, 0], expected, atol=1e-3 * weight)

    def test_spike_counts(self, sim: Simulator) -> None:
        """`get_spike_counts` by cell, `mean_spike_count` over all."""
        sim.setup()
        sources = source(sim, [[1.0, 2.0, 3.0], [], [4.0]], 3)
        sources.record("spikes")
        sim.run(10.0)
        counts = sources.get_spike_counts()
        assert [counts[cell] for cell in sources] == [3, 0, 1]
        assert sources.mean_spike_count() == pytest.approx(4 / 3)

    def test_an_assembly_joins_its_populations(self, sim: Simulator) -> None:
        """In their order, cell by cell."""
        sim.setup()
        first, second = self._cells(sim, 2), self._cells(sim, 4)
        both = first + second
        both.record("v")
        both[1:4].record("spikes")
        sim.run(5.0)
        data = both.get_data().segments[0]
        joined = np.concatenate([np.asarray(s.magnitude) for s in data.filter(name="v")], axis=1)
        np.testing.assert_array_equal(joined, np.hstack([signal(first), signal(second)]))
        assert len(data.spiketrains) == 3

    def test_clearing_loses_and_repeats_nothing(self, sim: Simulator) -> None:
        """Pieces taken with ``clear=True`` make up what one run records."""
        sim.need("interactive")
        found = []
        for stops in ([30.0], [5.0, 5.1, 17.3, 30.0]):
            sim.setup()
            cells = sim.Population(3, sim.IF_curr_exp(i_offset=[1.0, 1.5, 2.0]))
            cells.record(["v", "spikes"])
            pieces, trains = [], []
            for stop in stops:
                sim.run_until(stop)
                (segment,) = cells.get_data(clear=True).segments
                (v,) = segment.analogsignals
                start = round(float(v.t_start.rescale("ms")) / H)
                pieces.append((start, np.asarray(v.magnitude)))
                trains += [(steps(t), k) for k, t in enumerate(segment.spiketrains)]
            whole = np.full((301, 3), np.nan)
            for start, samples in pieces:
                whole[start : start + len(samples)] = samples
            found.append((whole, sorted((n, k) for stamps, k in trains for n in stamps)))
        (whole, whole_spikes), (joined, joined_spikes) = found
        np.testing.assert_allclose(joined, whole, rtol=1e-13)
        assert joined_spikes == whole_spikes
        assert len(whole_spikes) >= 3

    def test_recording_can_be_stopped(self, sim: Simulator) -> None:
        """``record(None)`` forgets what was to be recorded; earlier segments stay."""
        sim.need("interactive")
        sim.setup()
        cells = self._cells(sim)
        cells[3:4].record("v")
        sim.run(10.0)
        sim.reset()
        cells.record(None)
        cells[4:5].record("v")
        sim.run(10.0)
        segments = cells.get_data().segments
        found = [segment.analogsignals[0] for segment in segments]
        assert [s.array_annotations["channel_index"].tolist() for s in found] == [[3], [4]]
        assert [s.shape for s in found] == [(101, 1), (101, 1)]
        assert (found[0].magnitude[1:] < found[1].magnitude[1:]).all()

    def test_a_variable_that_a_cell_does_not_have_is_refused(self, sim: Simulator) -> None:
        """When recording is asked for."""
        sim.setup()
        with pytest.raises(errors.RecordingError):
            self._cells(sim).record("gsyn_exc")

    def test_spikes_of_views(self, sim: Simulator) -> None:
        """A view returns the spikes of its own cells only."""
        sim.setup()
        sources = source(sim, [[1.0], [2.0], [3.0], [4.0]], 4)
        sources.record("spikes")
        sim.run(5.0)
        assert spikes(sources[1:3]) == [[20], [30]]
        assert spikes(sources[2:4][0:1]) == [[30]]
