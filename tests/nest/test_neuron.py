"""The neuron of the NEST extension, which sleeps; what it computes: tests/backends."""

import numpy as np
import pytest

import cosim.backends.nest as sim

H = 0.1
ARRIVAL = 50  # step at which the input of `drive` arrives


def drive(cell, *inputs, record=("v", "i_dend", "dAP", "spikes"), duration=200.0):
    """Run one cell with (receptor, weight, steps of arrival) inputs; return the cells."""
    sim.setup(timestep=H)
    cells = sim.Population(1, cell)
    for receptor, weight, arrivals in inputs:
        times = (np.array(arrivals) - 1) * H
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
        sim.Projection(
            source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=H),
            receptor_type=receptor,
        )  # fmt: skip
    cells.record(list(record))
    sim.run(duration)
    return cells


def trace(cells, name):
    """Return a recorded variable; its position is the step."""
    signals = cells.get_data(name).segments[0].analogsignals
    return signals[0].magnitude[:, 0]


def steps(times):
    return np.rint(np.asarray(times) / H).astype(int).tolist()


def spike_steps(cells):
    return steps(cells.get_data("spikes").segments[0].spiketrains[0].magnitude)


def onset_steps(cells):
    return steps(cells.get_data("dAP").segments[0].events[0].times.magnitude)


# ---- sleeping ----------------------------------------------------------------------------------


def random_inputs(rng, duration, rates):
    """Return sorted random arrival steps for each receptor."""
    return {
        receptor: np.flatnonzero(rng.random(round(duration / H) - 20) < rate * H / 1000) + 10
        for receptor, rate in rates.items()
    }


def run_cells(cell, weights, inputs, duration, *, stepped=False, record=()):
    """Run as many unconnected cells as there are inputs; return spikes and dAP onsets."""
    n = len(inputs)
    sim.setup(timestep=H)
    cells = sim.Population(n, cell)
    for receptor, weight in weights.items():
        trains = [(own[receptor] - 1) * H for own in inputs]
        sources = sim.Population(n, sim.SpikeSourceArray(spike_times=trains))
        sim.Projection(
            sources, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight, delay=H),
            receptor_type=receptor,
        )  # fmt: skip
    if stepped:
        # too small to change any digit, but a current makes the neuron compute every step
        sim.DCSource(amplitude=1e-250).inject_into(cells)
    cells.record(["spikes", "dAP", *record])
    sim.run(duration)
    segment = cells.get_data().segments[0]
    spikes = [steps(train.magnitude) for train in segment.spiketrains]
    (event,) = segment.events
    index = event.array_annotations["source_index"]
    return spikes, [steps(event.times.magnitude[index == i]) for i in range(n)]


DRIVES = {
    "quiet": ({"excitatory": 30.0, "inhibitory": 10.0, "dendritic": 60.0}, 1.0),
    "near threshold": ({"excitatory": 150.0, "inhibitory": 50.0, "dendritic": 200.0}, 0.6),
    "busy": ({"excitatory": 600.0, "inhibitory": 100.0, "dendritic": 400.0}, 0.5),
}


@pytest.mark.parametrize("name", DRIVES)
def test_sleeping_and_stepped_neurons_do_the_same(name):
    rates, scale = DRIVES[name]
    rng = np.random.default_rng(list(DRIVES).index(name))
    duration = 4000.0
    inputs = [random_inputs(rng, duration, rates) for _ in range(12)]
    weights = {"excitatory": 3.0 * scale, "inhibitory": -4.0 * scale, "dendritic": 0.05 * scale}
    assert sum(len(arrivals) for own in inputs for arrivals in own.values()) > 4000
    cell = sim.IF_curr_exp_dAP(tau_refrac=4.0, tau_dAP=30.0)
    sleeping = run_cells(cell, weights, inputs, duration)
    assert run_cells(cell, weights, inputs, duration, stepped=True) == sleeping
    assert run_cells(cell, weights, inputs, duration, record=["v", "i_dend"]) == sleeping
    n_spikes, n_onsets = (sum(map(len, found)) for found in sleeping)
    assert n_spikes > 100 and n_onsets > 50


@pytest.mark.parametrize("margin", [-1e-9, 1e-9, -1e-3, 1e-3])
@pytest.mark.parametrize("receptor", ["excitatory", "dendritic"])
def test_a_peak_close_to_a_threshold_is_not_overslept(receptor, margin):
    """The neuron must stay awake for a crossing that lasts a single step."""
    recorded = "v" if receptor == "excitatory" else "i_dend"
    free = sim.IF_curr_exp_dAP(v_thresh=1e3, theta_dAP=1e3)
    peak = trace(drive(free, (receptor, 1.0, [ARRIVAL])), recorded).max()
    threshold = {"excitatory": "v_thresh", "dendritic": "theta_dAP"}[receptor]
    limits = {"v_thresh": 1e3, "theta_dAP": 1e3, threshold: peak * (1 - margin)}
    cells = drive(
        sim.IF_curr_exp_dAP(**limits), (receptor, 1.0, [ARRIVAL]), record=["spikes", "dAP"]
    )
    assert len(spike_steps(cells) + onset_steps(cells)) == (margin > 0)


def test_potential_is_the_same_whether_or_not_it_is_recorded():
    """Two cells with the same input, of which one is recorded all the time, end up alike."""
    rng = np.random.default_rng(5)
    inputs = random_inputs(rng, 500.0, DRIVES["near threshold"][0])
    states = []
    for record in (["spikes"], ["v", "i_dend", "isyn_exc"]):
        cells = drive(
            sim.IF_curr_exp_dAP(v_thresh=30.0),
            ("excitatory", 2.0, inputs["excitatory"]), ("inhibitory", -2.0, inputs["inhibitory"]),
            ("dendritic", 0.02, inputs["dendritic"]), record=record, duration=500.0,
        )  # fmt: skip
        status = cells.node_collection.get(["V_m", "I_syn_ex", "I_syn_in", "I_dend", "dAP_trace"])
        states.append(status)
    assert states[0] == states[1]
    assert states[0]["V_m"] != 0


def test_potential_recorded_from_the_middle_of_a_sleep():
    sim.setup(timestep=0.1)
    cells = sim.Population(1, sim.IF_curr_exp_dAP())
    cells.initialize(v=-10.0)
    sim.run(20.0)
    cells.record("v")
    sim.run(5.0)
    (v,) = cells.get_data().segments[0].analogsignals
    assert v.magnitude[-1, 0] == pytest.approx(-10 * np.exp(-25 / 10), rel=1e-12)


# ---- refusals ----------------------------------------------------------------------------------


def test_spikes_between_time_steps_are_refused():
    sim.setup(timestep=H, spike_precision="off_grid")
    with pytest.raises(sim.errors.InvalidModelError, match="spike_precision='off_grid', need 'on"):
        sim.Population(1, sim.IF_curr_exp_dAP())


def test_cells_may_be_created_after_others():
    """NEST loads extensions only while there is no cell."""
    sim.setup(timestep=H)
    sim.Population(2, sim.IF_curr_exp())
    assert len(sim.Population(3, sim.IF_curr_exp_dAP())) == 3


def test_freezing_by_hand_is_refused():
    sim.setup(timestep=0.1)
    cells = sim.Population(1, sim.IF_curr_exp_dAP())
    with pytest.raises(sim.nest.NESTError, match="cannot be frozen"):
        cells.node_collection.set(frozen=True)
