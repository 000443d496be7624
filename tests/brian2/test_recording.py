"""Recording on Brian2: which samples and events, and that they are those of NEST."""

import numpy as np
import pytest
import quantities as pq

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest

H = 0.1
BACKENDS = [nest, sim]


def spiking_cells(backend, n=4, **kwargs):
    backend.setup(timestep=H, **kwargs)
    return backend.Population(n, backend.IF_curr_exp(i_offset=np.linspace(1.0, 2.0, n)), label="c")


def signal(population, name="v", segment=-1):
    (found,) = population.get_data(name).segments[segment].analogsignals
    return found


def times(found):
    return np.round(found.times.rescale("ms").magnitude, 6).tolist()


def spikes(population, segment=-1):
    return [t.magnitude for t in population.get_data("spikes").segments[segment].spiketrains]


@pytest.mark.parametrize(("duration", "interval"), [(10.0, None), (10.0, 1.0), (9.9, 0.3)])
def test_samples_are_those_of_nest(duration, interval):
    signals = []
    for backend in BACKENDS:
        cells = spiking_cells(backend)
        cells.record("v", sampling_interval=interval)
        backend.run(duration)
        signals.append(signal(cells))
    on_nest, on_brian2 = signals
    assert on_brian2.shape == on_nest.shape
    np.testing.assert_allclose(on_brian2.magnitude, on_nest.magnitude, atol=1e-11)
    assert times(on_brian2) == times(on_nest)
    assert on_brian2.t_start == 0 * pq.ms
    assert on_brian2.sampling_period == on_nest.sampling_period
    assert on_brian2.units == on_nest.units and on_brian2.name == on_nest.name
    assert on_brian2.annotations["source_population"] == "c"
    assert on_brian2.array_annotations["channel_index"].tolist() == [0, 1, 2, 3]


def test_samples_of_several_runs_with_the_data_cleared_in_between():
    blocks = []
    for backend in BACKENDS:
        cells = spiking_cells(backend)
        cells.record(["v", "spikes"])
        found = []
        for duration, clear in ((30.0, False), (20.0, True), (25.0, True), (10.0, False)):
            backend.run(duration)
            found.append(cells.get_data(clear=clear).segments[0])
        blocks.append(found)
    for on_nest, on_brian2 in zip(*blocks, strict=True):
        ours, theirs = on_brian2.analogsignals[0], on_nest.analogsignals[0]
        assert ours.t_start == theirs.t_start
        np.testing.assert_allclose(ours.magnitude, theirs.magnitude, atol=1e-10)
        for train, other in zip(on_brian2.spiketrains, on_nest.spiketrains, strict=True):
            np.testing.assert_allclose(train.magnitude, other.magnitude, atol=1e-9)
            assert (train.t_start, train.t_stop) == (other.t_start, other.t_stop)
            assert train.annotations == other.annotations | {
                "channel_id": train.annotations["channel_id"]
            }


def test_segments_after_resets():
    cells = spiking_cells(sim)
    cells.record(["v", "spikes"])
    for i_offset in (1.0, 2.0):
        cells.set(i_offset=i_offset)
        sim.run(40.0)
        sim.reset()
    sim.run(20.0)
    block = cells.get_data()
    assert [len(segment.analogsignals[0]) for segment in block.segments] == [401, 401, 201]
    counts = [len(segment.spiketrains[0]) for segment in block.segments]
    assert counts[1] > counts[0] > 0
    for _ in range(2):  # reading must not change what is kept
        chosen = cells.get_data("spikes").segments
        assert [len(segment.spiketrains[0]) for segment in chosen] == counts
        assert not any(segment.analogsignals for segment in chosen)
    second, third = (segment.analogsignals[0].magnitude for segment in block.segments[1:])
    np.testing.assert_array_equal(second[:201], third)
    assert all(s.analogsignals[0].t_start == 0 * pq.ms for s in block.segments)


def test_any_variable_of_some_cells():
    cells = spiking_cells(sim)
    cells[[3, 1]].record("v")
    cells[2:].record("isyn_exc")
    cells[0:1].record("spikes")
    sim.run(30.0)
    segment = cells.get_data().segments[0]
    signals = {s.name: s for s in segment.analogsignals}
    assert signals["v"].array_annotations["channel_index"].tolist() == [1, 3]
    assert signals["isyn_exc"].array_annotations["channel_index"].tolist() == [2, 3]
    assert [train.annotations["source_index"] for train in segment.spiketrains] == [0]
    # views see what is recorded of their cells
    part = cells[2:4].get_data().segments[0]
    assert [s.shape[1] for s in part.analogsignals] == [1, 2]
    assert len(part.spiketrains) == 0
    everything = spiking_cells(sim)
    everything.record("v")
    sim.run(30.0)
    np.testing.assert_array_equal(signal(everything).magnitude[:, [1, 3]], signals["v"].magnitude)


def test_each_variable_has_its_own_sampling_interval():
    cells = spiking_cells(sim)
    cells.record("v", sampling_interval=0.5)
    cells.record("isyn_exc")
    cells.record("spikes")
    sim.run(10.0)
    v, current = signal(cells), signal(cells, "isyn_exc")
    assert (len(v), len(current)) == (21, 101)
    assert (v.sampling_period, current.sampling_period) == (0.5 * pq.ms, H * pq.ms)
    with pytest.raises(ValueError, match=r"'c': sampling_interval=0.2 ms, but v is recorded every"):
        cells[0:1].record("v", sampling_interval=0.2)
    with pytest.raises(ValueError, match="0.25 ms, need a multiple of the time step of 0.1 ms"):
        cells.record("isyn_inh", sampling_interval=0.25)


def test_recording_begins_when_asked_for():
    cells = spiking_cells(sim)
    cells[0:2].record(["v", "spikes"])
    sim.run(30.0)
    cells.record(["v", "spikes"])
    sim.run(30.0)
    early, late = cells.get_data("v").segments[0].analogsignals
    assert early.array_annotations["channel_index"].tolist() == [0, 1]
    assert late.array_annotations["channel_index"].tolist() == [2, 3]
    assert (early.t_start, late.t_start) == (0 * pq.ms, 30 * pq.ms)
    assert (len(early), len(late)) == (601, 301)
    assert all(train.min() < 30 for train in spikes(cells)[:2])
    assert all(train.min() > 30 for train in spikes(cells)[2:])


def test_recording_can_be_stopped_and_begun_again():
    cells = spiking_cells(sim)
    cells.record(["v", "spikes"])
    sim.run(10.0)
    cells.record(None)
    sim.run(10.0)
    assert not cells.get_data().segments[0].analogsignals
    cells.record("v")
    sim.run(10.0)
    assert signal(cells).t_start == 20 * pq.ms


def test_spikes_are_sorted_by_cell_and_counted():
    cells = spiking_cells(sim)
    cells.record("spikes")
    sim.run(100.0)
    found = spikes(cells)
    assert all((np.diff(train) > 0).all() for train in found)
    assert [len(train) for train in found] == list(cells.get_spike_counts().values())
    assert list(cells.get_spike_counts()) == [int(cell) for cell in cells]
    assert list(cells[1:3].get_spike_counts().values()) == [len(t) for t in found[1:3]]
    assert cells.mean_spike_count() == np.mean([len(train) for train in found])
    assert len(found[3]) > len(found[0]) > 0


def test_data_of_an_assembly():
    cells = spiking_cells(sim)
    others = sim.Population(2, sim.IF_cond_exp(i_offset=1.0))
    assembly = cells[1:3] + others
    assembly.record(["spikes", "v"])
    sim.run(50.0)
    segment = assembly.get_data().segments[0]
    assert sum(s.shape[1] for s in segment.analogsignals) == 4
    assert len(segment.spiketrains) == 4
    assert len(assembly.get_spike_counts()) == 4


def test_dendritic_action_potentials_are_events():
    found = []
    for backend in BACKENDS:
        backend.setup(timestep=H)
        cells = backend.Population(3, backend.IF_curr_exp_dAP(), label="dendrites")
        times = [backend.Sequence(t) for t in ([10.0, 90.0], [30.0], [])]
        source = backend.Population(3, backend.SpikeSourceArray(spike_times=times))
        backend.Projection(
            source, cells, backend.OneToOneConnector(),
            backend.StaticSynapse(weight=0.12, delay=1.0), receptor_type="dendritic",
        )  # fmt: skip
        cells[0:2].record(["dAP", "spikes"])
        backend.run(50.0)
        cells.get_data(clear=True)
        backend.run(100.0)
        backend_events = cells.get_data("dAP").segments[0].events
        found.append(backend_events)
        assert not cells.get_data("spikes").segments[0].events
    (on_nest,), (on_brian2,) = found
    assert on_brian2.name == "dAP"
    np.testing.assert_allclose(on_brian2.times.magnitude, on_nest.times.magnitude, atol=1e-9)
    assert len(on_brian2.times) == 1
    for key in ("source_index", "source_population"):
        assert (on_brian2.array_annotations[key] == on_nest.array_annotations[key]).all()


def test_data_are_written_to_a_file(tmp_path):
    cells = spiking_cells(sim)
    cells.record("v", to_file=str(tmp_path / "v.pkl"))
    sim.run(5.0)
    sim.end()
    assert (tmp_path / "v.pkl").stat().st_size > 0
