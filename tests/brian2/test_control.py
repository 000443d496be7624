"""Time, going back, names, and when Brian2 generates code."""

import gc

import brian2
import numpy as np
import pytest
from pyNN.errors import ConnectionError as PyNNConnectionError

import cosim.backends.brian2 as sim
from devices import Memristor

H = 0.1


def spikes(cells, segment=-1):
    trains = cells.get_data("spikes").segments[segment].spiketrains
    return [np.round(train.magnitude, 6).tolist() for train in trains]


def plastic_network(seed=3, label="ee"):
    """Sources that drive cells with dendrites through synapses that learn, noisily."""
    sim.setup(timestep=H, rng_seed=seed)
    sources = sim.Population(
        3, sim.SpikeSourceArray(spike_times=[[5.0, 25.0, 42.3], [6.0, 26.0], [7.0, 44.4]])
    )
    cells = sim.Population(2, sim.IF_curr_exp_dAP(tau_dAP=10.0, tau_refrac=2.0, tau_syn_E=0.5))
    sim.Projection(
        sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=15.0, delay=1.0),
        receptor_type="excitatory",
    )  # fmt: skip
    synapse = sim.MemristiveSTDP(
        device=Memristor(sigma_c2c=0.05, sigma_read=0.2, n_levels=64), delay=3.0, permanence=0.2,
        w_max=0.2,
    )  # fmt: skip
    learning = sim.Projection(sources, cells, sim.AllToAllConnector(), synapse, label=label)
    cells.initialize(v=1.0, dAP_trace=0.25)
    cells.record(["spikes", "v", "dAP", "dAP_trace"])
    return sources, cells, learning


def state(learning):
    return learning.get(["permanence", "weight", "n_events", "n_spikes"], "list")


@pytest.fixture
def generated(monkeypatch):
    """Return the list of runs for which Brian2 generated code."""
    runs = []
    before_run = brian2.Network.before_run

    def counted(network, namespace):
        runs.append(network.name)
        return before_run(network, namespace)

    monkeypatch.setattr(brian2.Network, "before_run", counted)
    return runs


# ---- time --------------------------------------------------------------------------------------


def test_time_goes_on_as_far_as_asked():
    sim.setup(timestep=H)
    cells = sim.Population(2, sim.IF_curr_exp())
    cells.record("v")
    for call, argument, expected in (
        (sim.run, 10.0, 10.0), (sim.run_until, 12.3, 12.3), (sim.run_until, 12.3, 12.3),
        (sim.run_for, 0.7, 13.0), (sim.run, 0.0, 13.0), (sim.run, 0.25, 13.3), (sim.run, 0.0, 13.3),
    ):  # fmt: skip
        assert call(argument) == sim.get_current_time() == expected
    signal = cells.get_data().segments[0].analogsignals[0]
    assert signal.shape == (134, 2)
    np.testing.assert_allclose(signal.times.magnitude, H * np.arange(134), rtol=1e-12)
    assert sim.get_time_step() == H


@pytest.mark.parametrize("timestep", [0.1, 1 / 3, 0.025])
def test_many_short_runs_end_where_one_long_run_does(timestep):
    ends = []
    for pieces in (1, 50):
        sim.setup(timestep=timestep)
        cells = sim.Population(1, sim.IF_curr_exp(i_offset=1.0))
        cells.record(["v", "spikes"])
        for _ in range(pieces):
            sim.run(1000 * timestep / pieces)
        (signal,) = cells.get_data().segments[0].analogsignals
        ends.append((sim.get_current_time(), spikes(cells), signal.magnitude.tolist()))
    assert ends[0] == ends[1]
    assert ends[0][0] == pytest.approx(1000 * timestep)
    assert len(ends[0][2]) == 1001


def test_time_does_not_go_back():
    sim.setup(timestep=H)
    sim.Population(1, sim.IF_curr_exp())
    sim.run(10.0)
    with pytest.raises(ValueError, match="in the past"):
        sim.run_until(5.0)
    assert sim.get_current_time() == 10.0


def test_callbacks():
    sim.setup(timestep=H)
    sim.Population(1, sim.IF_curr_exp())
    seen = []

    def callback(t):
        seen.append(t)
        return t + 2.5

    sim.run_until(10.0, callbacks=[callback])
    assert seen == [0.0, 2.5, 5.0, 7.5, 10.0]


def test_a_network_without_objects_has_time():
    sim.setup(timestep=H)
    assert sim.run(10.0) == 10.0
    assert sim.run(2.5) == sim.get_current_time() == 12.5
    sim.reset()
    assert sim.get_current_time() == 0.0


def test_objects_may_come_later():
    sim.setup(timestep=H)
    sim.run(10.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[12.0]))
    sim.run(1.0)
    cells = sim.Population(1, sim.IF_curr_exp_dAP(tau_syn_E=0.5))
    cells.record(["v", "spikes"])
    sim.Projection(
        source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=100.0, delay=1.0),
        receptor_type="excitatory",
    )  # fmt: skip
    sim.run(5.0)
    assert spikes(cells) == [[13.1]]
    (signal,) = cells.get_data().segments[0].analogsignals
    assert float(signal.t_start) == 11.0 and signal.shape == (51, 1)


# ---- going back --------------------------------------------------------------------------------


def test_segments_after_reset_are_alike():
    sources, cells, learning = plastic_network()
    before, ends = state(learning), []
    for _ in range(3):
        sim.run(60.0)
        ends.append(state(learning))
        sim.reset()
        assert sim.get_current_time() == 0.0
        assert state(learning) == before
    assert ends[0] == ends[1] == ends[2] != before
    first, *others = cells.get_data().segments[:3]
    assert min(map(len, spikes(cells, 0))) == 3
    assert len(first.events[0]) > 0
    for segment in others:
        np.testing.assert_array_equal(segment.events[0].times, first.events[0].times)
        for signal, expected in zip(segment.analogsignals, first.analogsignals, strict=True):
            assert signal.name == expected.name
            np.testing.assert_array_equal(signal.magnitude, expected.magnitude)
        for train, expected in zip(segment.spiketrains, first.spiketrains, strict=True):
            np.testing.assert_array_equal(train.magnitude, expected.magnitude)


def test_parameters_stay_when_time_goes_back():
    sources, cells, learning = plastic_network()
    sim.run(10.0)
    cells.set(tau_m=[12.0, 15.0], v_thresh=25.0)
    learning.set(delay=2.0)
    sim.reset()
    sim.run(5.0)
    assert cells.get("tau_m").tolist() == [12.0, 15.0]
    assert cells.get("v_thresh") == 25.0
    assert set(learning.get("delay", "list", with_address=False)) == {2.0}
    v = cells.get_data("v").segments[-1].analogsignals[0].magnitude
    np.testing.assert_allclose(v[50], np.exp(-5.0 / np.array([12.0, 15.0])), rtol=1e-12)


def test_state_set_before_a_run_is_what_a_reset_goes_back_to():
    _, cells, learning = plastic_network()
    sim.run(20.0)
    sim.reset()
    learning.initialize(permanence=0.5)
    cells.initialize(v=-3.0)
    sim.run(30.0)
    sim.reset()
    assert {row[2] for row in state(learning)} == {
        learning[0].permanence
    } == {np.round(0.5 * 63 + 1e-9) / 63}  # fmt: skip
    sim.run(1.0)
    v = cells.get_data("v").segments[-1].analogsignals[0].magnitude
    assert set(v[0]) == {-3.0}


# ---- setup -------------------------------------------------------------------------------------


def test_networks_in_one_process_do_not_depend_on_each_other():
    ends = []
    for k in range(2):
        _, cells, learning = plastic_network()
        sim.run(60.0)
        ends.append((state(learning), spikes(cells), learning.label, int(cells.all_cells[0])))
        if k == 0:
            sim.setup(timestep=0.5, min_delay=1.0, rng_seed=8)
            sim.Population(7, sim.IF_cond_exp())
            sim.run(5.0)
    assert ends[0] == ends[1]
    assert plastic_network(seed=4) and sim.run(60.0)


def test_names_are_the_same_in_every_network():
    """Compiled code is found by its text, which has the names in it."""
    names = []
    for _ in range(2):
        plastic_network()
        sim.run(1.0)
        names.append(sorted(thing.name for thing in sim.simulator.state.network.sorted_objects))
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0]) > 8


def test_seed_decides_the_noise():
    ends = []
    for seed, label in ((3, "ee"), (4, "ee"), (3, "other")):
        _, _, learning = plastic_network(seed, label)
        sim.run(60.0)
        ends.append(state(learning))
    assert ends[0] != ends[1] and ends[0] != ends[2]


def test_delays_between_the_limits():
    sim.setup(timestep=H, min_delay=0.5, max_delay=4.0)
    cells = sim.Population(2, sim.IF_curr_exp())
    assert (sim.get_min_delay(), sim.get_max_delay()) == (0.5, 4.0)
    default = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))
    assert set(default.get("delay", "list", with_address=False)) == {0.5}
    for delay, limit in ((0.4, r"at least 0\.5 ms"), (4.2, r"at most 4\.0 ms")):
        with pytest.raises(PyNNConnectionError, match=rf"delay={delay} ms, need {limit}"):
            sim.Projection(
                cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=delay)
            )


def test_delays_without_limits_are_those_in_use():
    sim.setup(timestep=H)
    cells = sim.Population(2, sim.IF_curr_exp())
    assert (sim.get_min_delay(), sim.get_max_delay()) == (H, H)
    for delay in (2.0, 0.7):
        sim.Projection(
            cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=delay)
        )
    assert (sim.get_min_delay(), sim.get_max_delay()) == (0.7, 2.0)


@pytest.mark.parametrize(("option", "value"), [("threads", 2), ("spike_precision", "off_grid")])
def test_what_brian2_cannot_do_is_refused(option, value):
    with pytest.raises(ValueError, match=f"setup: {option}={value!r}, need"):
        sim.setup(timestep=H, **{option: value})
    sim.setup(timestep=H, threads=1, spike_precision="on_grid", t_flush=100.0)


def test_no_such_poisson():
    with pytest.raises(ValueError, match="poisson"):
        sim.setup(timestep=H, poisson="elsewhere")


# ---- when code is generated --------------------------------------------------------------------


def test_code_is_generated_once(generated):
    sources, cells, learning = plastic_network()
    for _ in range(5):
        sim.run(1.0)
        state(learning)
        cells.get_data()
        cells.set(tau_m=[11.0, 12.0], i_offset=0.1)
        cells.initialize(v=2.0)
    assert len(generated) == 1


def test_what_brian2_compiles_in_takes_effect_when_set(generated):
    """Code is generated again, so that numbers that are part of it are the present ones."""
    sources, cells, learning = plastic_network()
    sim.run(1.0)
    n = len(generated)
    for change in (
        lambda: learning.set(delay=2.0),
        lambda: sources.set(spike_times=[[30.0], [31.0], [32.0]]),
        lambda: cells.record("i_dend"),
        sim.reset,
    ):
        change()
        sim.run(1.0)
        n += 1
        assert len(generated) == n
        sim.run(1.0)
        assert len(generated) == n


def test_a_common_parameter_of_synapses_takes_effect_when_set():
    changes = []
    for step in (0.01, 0.03):
        sim.setup(timestep=H)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 20.0]))
        cells = sim.Population(1, sim.IF_curr_exp(tau_refrac=1.0))
        other = sim.Population(1, sim.SpikeSourceArray(spike_times=[7.0, 22.0]))
        sim.Projection(
            other, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=500.0, delay=H)
        )
        stdp = sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(A_plus=0.01, A_minus=0.0),
            weight_dependence=sim.AdditiveWeightDependence(w_max=1.0),
            weight=0.1,
            delay=H,
        )
        learning = sim.Projection(source, cells, sim.AllToAllConnector(), stdp)
        sim.run(15.0)
        first = learning.get("weight", "list", with_address=False)[0]
        learning.set(A_plus=step)
        sim.run(15.0)
        changes.append(learning.get("weight", "list", with_address=False)[0] - first)
    assert first > 0.1
    assert changes[1] == pytest.approx(3 * changes[0], rel=1e-12)
    assert changes[0] > 0


def test_a_run_that_goes_on_does_not_search_everything_for_garbage(monkeypatch):
    """As Brian2 wants at each run: it takes longer than a short run."""
    plastic_network()
    sim.run(1.0)
    searched = []
    monkeypatch.setattr(gc, "collect", lambda: searched.append(len(gc.get_objects())))
    sim.run(1.0)
    assert searched[0] < 1000 < len(gc.get_objects())
    assert gc.get_freeze_count() == 0
