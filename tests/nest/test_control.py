# ruff: noqa: I001  (pyNN.nest is noisy unless cosim imports it first)
"""Running, resetting, spike sources and recording on NEST."""

import numpy as np
import pytest

import cosim.backends.nest as sim
import pyNN.nest

H = 0.1
STRONG = 100.0  # nA: a dendritic or somatic threshold is crossed within a step or two


def times_of(events):
    return np.round(events.times.magnitude, 6).tolist()


def spikes(cells, segment=-1):
    return [
        np.round(t.magnitude, 6).tolist() for t in cells.get_data().segments[segment].spiketrains
    ]


# ---- spike sources -----------------------------------------------------------------------------

# The first step, decimals that are no binary fractions, and late times.
TIMES = [0.1, 0.2, 0.3, 1.0, 1.1, 2.0, 2.1, 5.7, 61.3, 204.9, 1209.4, 1209.5]


@pytest.mark.parametrize("delay", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("min_delay", ["auto", 0.1, 1.0])
def test_input_arrives_exactly_one_delay_after_the_spike(min_delay, delay):
    if min_delay == 1.0 and delay == 0.1:
        delay = 1.5
    sim.setup(timestep=H, min_delay=min_delay)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=TIMES))
    cells = sim.Population(1, sim.IF_curr_exp_dAP(v_thresh=1e6, tau_syn_E=0.05))
    sim.Projection(
        source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=delay),
        receptor_type="excitatory",
    )  # fmt: skip
    source.record("spikes")
    cells.record("isyn_exc")
    sim.run(1215.0)
    assert spikes(source) == [TIMES]
    current = cells.get_data().segments[0].analogsignals[0].magnitude[:, 0]
    arrivals = np.round(H * np.flatnonzero(current > 0.9), 6)
    np.testing.assert_array_equal(arrivals, np.round(np.add(TIMES, delay), 6))
    assert sim.get_min_delay() == (delay if min_delay == "auto" else min_delay)


def test_spikes_on_every_step_for_a_long_time():
    """No decimal number is taken for the next time step."""
    sim.setup(timestep=H)
    steps = np.arange(1, 60_000)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=steps * H))
    source.record("spikes")
    sim.run(6000.0)
    found = source.get_data().segments[0].spiketrains[0].magnitude
    np.testing.assert_array_equal(np.rint(found / H), steps)


def test_spike_times_between_time_steps_count_at_the_next_one():
    sim.setup(timestep=H)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.03, 2.0, 3.0999]))
    source.record("spikes")
    sim.run(5.0)
    assert spikes(source) == [[1.1, 2.0, 3.1]]


def test_spike_times_can_be_read_and_set_between_runs():
    sim.setup(timestep=H)
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[[1.0, 30.0], [2.0]]))
    sources.record("spikes")
    found = [np.ravel(times.value).tolist() for times in sources.get("spike_times")]
    assert found == [[1.0, 30.0], [2.0]]
    sim.run(10.0)
    sources[1:2].set(spike_times=[15.0])
    sim.run(40.0)
    assert spikes(sources) == [[1.0, 30.0], [2.0, 15.0]]


def test_unsorted_spike_times_are_refused():
    sim.setup(timestep=H)
    with pytest.raises(sim.errors.InvalidParameterValueError, match="increasing order"):
        sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0, 1.0]))


# ---- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("min_delay", ["auto", 0.1, 1.0])
def test_time_goes_on_as_far_as_asked(min_delay):
    """Also where the smallest delay of the network is known only when it is complete."""
    sim.setup(timestep=H, min_delay=min_delay)
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.5))
    cells.record("v")
    for call, argument, expected in (
        (sim.run, 10.0, 10.0), (sim.run_until, 12.3, 12.3), (sim.run_until, 12.3, 12.3),
        (sim.run_for, 0.7, 13.0), (sim.run, 0.0, 13.0),
    ):  # fmt: skip
        assert call(argument) == pytest.approx(expected, abs=1e-9)
        assert sim.get_current_time() == pytest.approx(expected, abs=1e-9)
    signal = cells.get_data().segments[0].analogsignals[0]
    assert signal.shape == (131, 2)
    assert float(signal.t_stop) == pytest.approx(13.1)
    assert sim.get_time_step() == H


def test_callbacks():
    sim.setup(timestep=H)
    sim.Population(1, sim.IF_curr_exp())
    seen = []

    def callback(t):
        seen.append(round(t, 6))
        return t + 2.5

    sim.run_until(10.0, callbacks=[callback])
    assert seen == [0.0, 2.5, 5.0, 7.5, 10.0]


def test_setup_starts_anew():
    for _ in range(2):
        sim.setup(timestep=H)
        cells = sim.Population(1, sim.IF_curr_exp_dAP(i_offset=1.0))
        cells.record("spikes")
        sim.run(50.0)
        assert int(cells.all_cells[0]) == 1
        assert len(spikes(cells)[0]) == 3


# ---- initial values ----------------------------------------------------------------------------


def test_initial_values_are_in_pynn_units():
    """Stock PyNN hands nA to NEST as pA."""
    sim.setup(timestep=H)
    cells = sim.Population(3, sim.IF_curr_exp_dAP())
    cells.initialize(v=-1.5, isyn_exc=0.5, i_dend=[0.01, 0.02, 0.03], dAP_trace=0.25)
    cells.record(["v", "isyn_exc", "i_dend", "dAP_trace"])
    adapting = sim.Population(1, sim.EIF_cond_exp_isfa_ista())
    adapting.initialize(w=0.1)
    adapting.record("w")
    sim.run(0.2)
    signals = {s.name: s.magnitude for s in cells.get_data().segments[0].analogsignals}
    for name, initial, tau in (("isyn_exc", 0.5, 2.0), ("dAP_trace", 0.25, 440.0)):
        expected = initial * np.exp(-H * np.arange(3) / tau)[:, None]
        np.testing.assert_allclose(signals[name], np.tile(expected, 3), rtol=1e-12)
    np.testing.assert_allclose(signals["i_dend"][0], [0.01, 0.02, 0.03])
    np.testing.assert_allclose(signals["i_dend"][1] / signals["i_dend"][0], np.exp(-H / 5.0))
    assert set(signals["v"][0]) == {-1.5}
    w = adapting.get_data().segments[0].analogsignals[0].magnitude[:, 0]
    np.testing.assert_allclose(w, 0.1, rtol=2e-3)


# ---- reset -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Full reset functionality")
@pytest.mark.parametrize("min_delay", ["auto", 1.0])
def test_segments_after_reset_are_alike(min_delay):
    sim.setup(timestep=H, min_delay=min_delay, t_flush=200.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 30.0, 44.4]))
    cells = sim.Population(2, sim.IF_curr_exp_dAP(tau_dAP=10.0, tau_refrac=2.0, tau_syn_E=0.5))
    for receptor, weight in (("excitatory", 5.0), ("dendritic", 0.5)):
        sim.Projection(
            source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0),
            receptor_type=receptor,
        )  # fmt: skip
    cells.initialize(v=1.0, dAP_trace=0.25)
    source.record("spikes")
    cells.record(["spikes", "v", "dAP", "dAP_trace"])
    for _ in range(2):
        sim.run(60.0)
        assert sim.get_current_time() == pytest.approx(60.0)
        sim.reset()
    sim.run(60.0)
    segments = cells.get_data().segments
    assert len(segments) == 3
    for segment in segments:
        assert times_of(segment.events[0]) == times_of(segments[0].events[0])
        for signal, first in zip(segment.analogsignals, segments[0].analogsignals, strict=True):
            assert signal.name == first.name
            np.testing.assert_allclose(signal.magnitude, first.magnitude, rtol=1e-12)
        for train, first in zip(segment.spiketrains, segments[0].spiketrains, strict=True):
            np.testing.assert_allclose(train.magnitude, first.magnitude, rtol=1e-12)
    assert len(segments[0].events[0].times) == 6
    for segment in range(3):
        assert spikes(source, segment) == [[5.0, 30.0, 44.4]]
    found = [np.ravel(times.value) for times in [source.get("spike_times")]]
    np.testing.assert_allclose(found, [[5.0, 30.0, 44.4]])


@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_spike_times_set_after_a_reset_count_from_there():
    sim.setup(timestep=H, t_flush=100.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    source.record("spikes")
    sim.run(20.0)
    sim.reset()
    source.set(spike_times=[7.0, 12.3])
    sim.run(10.0)
    sim.reset()
    sim.run(20.0)
    assert [spikes(source, k) for k in range(3)] == [[[5.0]], [[7.0]], [[7.0, 12.3]]]


def test_reset_without_t_flush_is_refused():
    sim.setup(timestep=H)
    sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)
    with pytest.raises(ValueError, match="t_flush"):
        sim.reset()


# ---- dendritic action potentials as events -----------------------------------------------------


def dendritic_cells(*sizes, times=(5.0, 30.0, 60.0), **options):
    """Return populations whose dendrites cross their threshold 0.2 ms after the spike times."""
    sim.setup(timestep=H, **options)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
    made = []
    for size in sizes:
        cells = sim.Population(
            size, sim.IF_curr_exp_dAP(tau_dAP=5.0, v_thresh=1e6), label=f"{size} cells"
        )
        sim.Projection(
            source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=STRONG, delay=1.0),
            receptor_type="dendritic",
        )  # fmt: skip
        made.append(cells)
    return made


def onsets(data):
    """Return (time, index) pairs of each segment."""
    return [
        list(zip(times_of(event), event.array_annotations["source_index"].tolist(), strict=True))
        for segment in data.segments
        for event in segment.events
    ]


def test_events_of_views():
    (cells,) = dendritic_cells(6)
    cells[1:4].record("dAP")
    cells[5:6].record("spikes")
    sim.run(40.0)
    expected = [(t, i) for t in (6.1, 31.1) for i in (1, 2, 3)]
    assert onsets(cells.get_data()) == [expected]
    assert onsets(cells.get_data("dAP")) == [expected]
    assert onsets(cells[2:6].get_data("dAP")) == [[pair for pair in expected if pair[1] > 1]]
    assert onsets(cells.get_data("spikes")) == []
    assert onsets(cells[4:6].get_data("dAP")) == [[]]


def test_events_of_an_assembly_say_where_they_come_from():
    first, second = dendritic_cells(2, 3)
    both = first + second
    both.record("dAP")
    sim.run(20.0)
    (event,) = both.get_data("dAP").segments[0].events
    found = zip(
        event.array_annotations["source_population"], event.array_annotations["source_index"],
        strict=True,
    )  # fmt: skip
    assert sorted(found) == [(f"{n} cells", i) for n in (2, 3) for i in range(n)]


@pytest.mark.parametrize("min_delay", [0.1, 1.0])
def test_clearing_the_data_loses_and_repeats_nothing(min_delay):
    """NEST is one minimal delay ahead, so it has recorded what PyNN is not to see yet."""
    (cells,) = dendritic_cells(2, min_delay=min_delay)
    cells.record(["dAP", "v"])
    found = []
    for t in np.arange(5.0, 70.0, 0.3):
        sim.run_until(t)
        found += onsets(cells.get_data(clear=True))[0]
    assert found == [(t, i) for t in (6.1, 31.1, 61.1) for i in (0, 1)]


@pytest.mark.parametrize("min_delay", [0.1, 1.0])
def test_pieces_of_recordings_make_up_the_whole(min_delay):
    """Stock PyNN mixes up variables, loses samples or fails here."""
    runs = []
    for stops in ([60.0], [20.0, 20.3, 31.4, 31.5, 45.0, 60.0]):
        sim.setup(timestep=H, min_delay=min_delay, threads=2)
        cells = sim.Population(
            4, sim.IF_curr_exp_dAP(i_offset=[0.4, 0.6, 0.8, 1.0], tau_refrac=2.0)
        )
        cells[1:4].record(["v", "i_dend", "spikes"])
        cells[0:2].record("isyn_exc")
        cells.initialize(isyn_exc=1.0, i_dend=0.03)
        pieces = []
        for stop in stops:
            sim.run_until(stop)
            pieces.append(cells.get_data(clear=True).segments[0])
        whole = {}
        for piece in pieces:
            for signal in piece.analogsignals:
                # every piece begins with the last sample of the one before
                begin = 1 if signal.name in whole else 0
                if begin:
                    np.testing.assert_array_equal(signal.magnitude[0], whole[signal.name][-1][-1])
                whole.setdefault(signal.name, []).append(signal.magnitude[begin:])
        signals = {name: np.concatenate(parts) for name, parts in whole.items()}
        trains = [np.concatenate([p.spiketrains[k].magnitude for p in pieces]) for k in range(3)]
        runs.append((signals, trains))
    (whole, whole_trains), (pieced, pieced_trains) = runs
    assert {name: signal.shape for name, signal in whole.items()} == {
        "v": (601, 3), "i_dend": (601, 3), "isyn_exc": (601, 2)
    }  # fmt: skip
    for name, signal in whole.items():
        np.testing.assert_array_equal(pieced[name], signal)
    for ours, theirs in zip(pieced_trains, whole_trains, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert min(map(len, whole_trains)) >= 3


def test_recordings_equal_stock_pynn():
    runs = []
    for stock in (False, True):
        sim.setup(timestep=H)
        kind = pyNN.nest.Population if stock else sim.Population
        cells = kind(3, sim.IF_cond_exp(i_offset=[0.5, 0.9, 1.3]), initial_values={"v": -64.0})
        cells.record(["v", "gsyn_exc", "spikes"])
        sim.run(100.0)
        assert cells.mean_spike_count() > 1
        assert kind(2, sim.IF_cond_exp()).get_spike_counts() == {}
        data = cells.get_data().segments[0]
        runs.append((data, cells.get_spike_counts()))
    (ours, our_counts), (theirs, their_counts) = runs
    assert list(our_counts.values()) == list(their_counts.values())
    assert list(our_counts) == [1, 2, 3]
    for train, other in zip(ours.spiketrains, theirs.spiketrains, strict=True):
        np.testing.assert_array_equal(train.magnitude, other.magnitude)
        assert train.annotations["source_index"] == other.annotations["source_index"]
    by_name = {signal.name: signal for signal in theirs.analogsignals}
    for signal in ours.analogsignals:
        np.testing.assert_array_equal(signal.magnitude, by_name[signal.name].magnitude)
        assert signal.units == by_name[signal.name].units
        assert signal.sampling_period == by_name[signal.name].sampling_period


def test_sampling_interval():
    sim.setup(timestep=H)
    cells = sim.Population(2, sim.IF_curr_exp_dAP(i_offset=0.3))
    cells.record("v", sampling_interval=0.5)
    sim.run(10.0)
    signal = cells.get_data().segments[0].analogsignals[0]
    assert signal.shape == (21, 2)
    assert float(signal.sampling_period) == 0.5
    t = 0.5 * np.arange(21)
    expected = 0.3 / 0.25 * 10.0 * (1 - np.exp(-t / 10.0))
    np.testing.assert_allclose(signal.magnitude[:, 0], expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_events_of_segments():
    (cells,) = dendritic_cells(3, t_flush=50.0)
    cells.record("dAP")
    cells[0:1].record("spikes")
    sim.run(40.0)
    sim.reset()
    sim.run(10.0)
    expected = [[(t, i) for t in (6.1, 31.1) for i in range(3)], [(6.1, i) for i in range(3)]]
    assert onsets(cells.get_data()) == expected
    assert onsets(cells.get_data("dAP")) == expected
    assert onsets(cells.get_data("spikes")) == []
    cells.get_data("dAP", clear=True)
    sim.run(30.0)
    assert onsets(cells.get_data("dAP")) == [[(31.1, i) for i in range(3)]]


def test_a_cell_that_is_not_recorded_keeps_no_events():
    (cells,) = dendritic_cells(2)
    cells[0:1].record("dAP")
    sim.run(10.0)
    kept = cells.node_collection.get("dAP_times")
    assert [len(times) for times in kept] == [1, 0]
