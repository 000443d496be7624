"""`IF_curr_exp_dAP` on NEST: closed forms, sleeping against stepping, and PyNN's IF_curr_exp."""

from math import e, exp, log

import numpy as np
import pytest
from scipy.linalg import expm

import cosim.backends.nest as sim

H = 0.1
ARRIVAL = 50  # step at which the input of `drive` arrives
KICK = 100.0  # nA: V crosses the threshold in the first step after its arrival
# Bouhadjar et al. 2022, doi:10.1371/journal.pcbi.1010233, are the cell's defaults.
TAU_M, CM, TAU_REFRAC, TAU_DAP, THETA, I_DAP = 10.0, 0.25, 10.0, 60.0, 0.059, 0.2


def drive(cell, *inputs, record=("v", "i_dend", "dAP", "spikes"), initial=(), duration=200.0):
    """Run one cell with (receptor, weight, steps of arrival) inputs; return the cells."""
    sim.setup(timestep=H)
    cells = sim.Population(1, cell, initial_values=dict(initial))
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


# ---- closed forms ------------------------------------------------------------------------------


def psp(t, tau_s, weight=1.0, tau_m=TAU_M):
    """Potential (mV) a time t after an exponential current of the given peak (nA) began."""
    if tau_s == tau_m:
        return weight / CM * t * np.exp(-t / tau_m)
    return weight / CM / (1 / tau_s - 1 / tau_m) * (np.exp(-t / tau_m) - np.exp(-t / tau_s))


@pytest.mark.parametrize(
    ("receptor", "weight", "tau_s", "peak"),
    [("excitatory", 4.112209, 2.0, 22.0), ("inhibitory", -12.915497, 1.0, -40.0)],
)
def test_amplitude_and_sign_of_a_postsynaptic_potential(receptor, weight, tau_s, peak):
    v = trace(drive(sim.IF_curr_exp_dAP(v_thresh=100.0), (receptor, weight, [ARRIVAL])), "v")
    t = H * (np.arange(v.size) - ARRIVAL).clip(0)
    np.testing.assert_allclose(v, psp(t, tau_s, weight), rtol=1e-12, atol=1e-12)
    found = v[np.abs(v).argmax()]
    # the peak may fall half a step beside the grid: second-order loss
    t_peak = log(TAU_M / tau_s) * TAU_M * tau_s / (TAU_M - tau_s)
    bending = weight / CM / tau_s * exp(-t_peak / tau_s)
    assert found == pytest.approx(peak, abs=1e-4 + abs(bending) * (H / 2) ** 2 / 2)


@pytest.mark.parametrize("offset", [0.0, 1e-13, -1e-9, 1e-6, -1e-3, 0.3])
@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory", "dendritic"])
def test_equal_time_constants_are_no_special_case(receptor, offset):
    """The usual propagator has the difference of the time constants in its denominator."""
    tau_s = TAU_M * (1 + offset)
    name = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I", "dendritic": "tau_syn_D"}
    cell = sim.IF_curr_exp_dAP(v_thresh=100.0, theta_dAP=1e3, **{name[receptor]: tau_s})
    weight = -1.0 if receptor == "inhibitory" else 1.0
    v = trace(drive(cell, (receptor, weight, [ARRIVAL])), "v")
    # I, V and what drives I, in an order in which the matrix is not triangular: for such a matrix
    # scipy has no trouble with equal eigenvalues
    current, potential, driver = range(3)
    system = np.diag([-1 / tau_s, -1 / TAU_M, -1 / tau_s])
    system[potential, current], system[current, driver] = 1 / CM, 1.0
    start = [0.0, 0.0, weight * e / tau_s] if receptor == "dendritic" else [weight, 0.0, 0.0]
    for step in (ARRIVAL + 1, ARRIVAL + 10, ARRIVAL + 200, 2000):
        expected = expm(system * (step - ARRIVAL) * H) @ start
        assert v[step] == pytest.approx(expected[potential], rel=1e-11)


def test_alpha_current_peaks_at_the_weight_after_tau_syn_D():
    current = trace(drive(sim.IF_curr_exp_dAP(), ("dendritic", 0.05, [ARRIVAL])), "i_dend")
    assert current.argmax() == ARRIVAL + 50
    assert current.max() == pytest.approx(0.05, rel=1e-13)
    t = H * (np.arange(current.size) - ARRIVAL).clip(0)
    np.testing.assert_allclose(current, 0.05 * e * t / 5 * np.exp(-t / 5), atol=1e-15)


def test_potential_of_an_alpha_current():
    v = trace(drive(sim.IF_curr_exp_dAP(), ("dendritic", 0.05, [ARRIVAL])), "v")
    t = H * (np.arange(v.size) - ARRIVAL).clip(0)
    a = 1 / 5.0 - 1 / TAU_M
    expected = 0.05 * e / 5 / CM / a**2 * (np.exp(-t / TAU_M) - np.exp(-t / 5) * (1 + a * t))
    np.testing.assert_allclose(v, expected, atol=1e-12)


def test_plateau_is_8_mV_and_lasts_exactly_tau_dAP():
    cells = drive(sim.IF_curr_exp_dAP(), ("dendritic", 0.12, [ARRIVAL]))
    (onset,) = onset_steps(cells)
    current, v = trace(cells, "i_dend"), trace(cells, "v")
    t = H * (onset - ARRIVAL)
    alpha = 0.12 * e * np.array([t - H, t]) / 5 * np.exp(-np.array([t - H, t]) / 5)
    assert alpha[0] <= THETA < alpha[1]
    last = onset + round(TAU_DAP / H)
    np.testing.assert_allclose(current[onset:last], I_DAP, rtol=1e-15)
    assert not current[last:].any()
    # the clamp acts on V in the interval (onset, last]
    since = H * np.arange(last - onset + 1)
    decay = np.exp(-since / TAU_M)
    expected = v[onset] * decay + I_DAP / CM * TAU_M * (1 - decay)
    np.testing.assert_allclose(v[onset : last + 1], expected, rtol=1e-12)
    assert v[last] == pytest.approx(I_DAP * TAU_M / CM, abs=0.02) == v.max()
    assert v[last + 1] < v[last]


def test_dendritic_input_is_lost_up_to_the_last_step_of_a_dendritic_action_potential():
    first = 80  # of the input at ARRIVAL
    for late, onsets in ((599, 1), (600, 1), (601, 2)):
        (onset,) = onset_steps(drive(sim.IF_curr_exp_dAP(), ("dendritic", 0.12, [ARRIVAL])))
        assert onset < first
        found = onset_steps(
            drive(sim.IF_curr_exp_dAP(), ("dendritic", 0.12, [ARRIVAL, onset + late]))
        )
        assert len(found) == onsets
        if onsets == 2:
            # the remains of the first input do not count
            assert found[1] - (onset + late) == onset - ARRIVAL


def test_refractory_period_and_reset():
    cell = sim.IF_curr_exp_dAP(v_reset=-2.0, tau_syn_E=0.5)
    cells = drive(cell, ("excitatory", KICK, [ARRIVAL]), ("excitatory", 4.0, [ARRIVAL + 1]))
    (spike,) = spike_steps(cells)
    v = trace(cells, "v")
    assert spike == ARRIVAL + 1
    last = spike + round(TAU_REFRAC / H)
    assert (v[spike : last + 1] == -2.0).all()
    assert v[last + 1] > -2.0


def test_somatic_spike_ends_a_dendritic_action_potential_and_loses_dendritic_input():
    kick = ARRIVAL + 200
    cells = drive(
        sim.IF_curr_exp_dAP(tau_syn_E=0.5),
        ("dendritic", 0.12, [ARRIVAL, kick + 50, kick + 101]),
        ("excitatory", KICK, [kick]),
    )
    (spike,) = spike_steps(cells)
    current = trace(cells, "i_dend")
    assert current[spike - 1] == pytest.approx(I_DAP)
    # the input within the refractory period, its last step included, is lost
    assert not current[spike : spike + 101].any()
    assert len(onset_steps(cells)) == 1


def test_dAP_trace():
    cells = drive(
        sim.IF_curr_exp_dAP(), ("dendritic", 0.12, [ARRIVAL, ARRIVAL + 800]),
        record=["dAP_trace", "dAP"], initial={"dAP_trace": 0.5},
    )  # fmt: skip
    n = np.arange(2001)
    expected = 0.5 * np.exp(-n * H / 440.0)
    for onset in onset_steps(cells):
        expected += np.where(n >= onset, np.exp(-(n - onset) * H / 440.0), 0.0)
    np.testing.assert_allclose(trace(cells, "dAP_trace"), expected, rtol=1e-12)


def test_constant_currents():
    cells = drive(sim.IF_curr_exp_dAP(i_offset=0.25, v_rest=-60.0, v_thresh=0.0, v_reset=-70.0),
                  initial={"v": -60.0})  # fmt: skip
    t = H * np.arange(2001)
    expected = -60.0 + 0.25 / CM * TAU_M * (1 - np.exp(-t / TAU_M))
    np.testing.assert_allclose(trace(cells, "v"), expected, rtol=1e-12)


# ---- sleeping ----------------------------------------------------------------------------------


def random_inputs(rng, duration, rates):
    """Return sorted random arrival steps for each receptor."""
    return {
        receptor: np.flatnonzero(rng.random(round(duration / H) - 20) < rate * H / 1000) + 10
        for receptor, rate in rates.items()
    }


def run_cells(cell, weights, inputs, duration, *, stepped=False, record=()):
    """Run as many unconnected cells as there are weights; return spikes and dAP onsets."""
    n = len(inputs)
    sim.setup(timestep=H)
    v_rest = cell.parameter_space["v_rest"].base_value
    cells = sim.Population(n, cell, initial_values={"v": v_rest})
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
    variables = ["spikes", "dAP", *record] if isinstance(cell, sim.IF_curr_exp_dAP) else ["spikes"]
    cells.record(variables)
    sim.run(duration)
    segment = cells.get_data().segments[0]
    spikes = [steps(train.magnitude) for train in segment.spiketrains]
    if not segment.events:
        return spikes, None
    event = segment.events[0]
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


def test_state_can_be_set_between_two_runs_also_within_a_slice():
    """A run may end within the interval that NEST simulates at once, here 1 ms."""
    traces = []
    for cell in (
        sim.IF_curr_exp_dAP(),
        sim.IF_curr_exp(v_rest=0.0, cm=CM, tau_m=TAU_M, v_reset=0.0, v_thresh=20.0),
    ):
        sim.setup(timestep=H, min_delay=1.0)
        cells = sim.Population(1, cell, initial_values={"v": 0.0})
        cells.record("v")
        sim.run(10.5)
        cells.initialize(v=10.0)
        sim.run(3.0)
        traces.append(trace(cells, "v"))
    assert traces[1].max() > 9
    np.testing.assert_allclose(traces[0], traces[1], rtol=1e-12)


# ---- the soma alone is PyNN's IF_curr_exp ------------------------------------------------------


@pytest.mark.parametrize("name", DRIVES)
def test_soma_equals_IF_curr_exp(name):
    rates, scale = DRIVES[name]
    rng = np.random.default_rng(10 + list(DRIVES).index(name))
    duration = 4000.0
    inputs = [random_inputs(rng, duration, rates) for _ in range(12)]
    # no exact binary fractions: a potential does not hit the threshold exactly
    weights = {"excitatory": 3.1 * scale, "inhibitory": -3.7 * scale}
    soma = dict(
        v_rest=-65.3, cm=0.21, tau_m=9.7, tau_refrac=2.3, tau_syn_E=1.9, tau_syn_I=3.1,
        i_offset=0.13, v_reset=-67.1, v_thresh=-51.7,
    )  # fmt: skip
    ours, _ = run_cells(sim.IF_curr_exp_dAP(**soma), weights, inputs, duration)
    theirs, _ = run_cells(sim.IF_curr_exp(**soma), weights, inputs, duration)
    assert ours == theirs
    assert sum(map(len, ours)) > 100


@pytest.mark.parametrize(
    "source",
    [
        lambda: sim.DCSource(amplitude=0.4, start=20.0, stop=80.0),
        lambda: sim.StepCurrentSource(times=[10.0, 50.0, 90.0], amplitudes=[0.7, -0.2, 0.55]),
        lambda: sim.ACSource(start=5.0, stop=150.0, amplitude=0.9, frequency=20.0),
    ],
    ids=["DC", "step", "AC"],
)
def test_injected_currents_act_as_on_IF_curr_exp(source):
    traces = []
    soma = dict(v_rest=0.0, cm=CM, tau_m=TAU_M, v_reset=0.0, v_thresh=15.0, tau_refrac=2.0)
    for cell in (sim.IF_curr_exp_dAP(**soma), sim.IF_curr_exp(**soma)):
        sim.setup(timestep=H)
        cells = sim.Population(1, cell, initial_values={"v": 0.0})
        source().inject_into(cells)
        cells.record(["v", "spikes"])
        sim.run(200.0)
        traces.append((trace(cells, "v"), spike_steps(cells)))
    assert traces[0][1] == traces[1][1]
    assert len(traces[0][1]) > 1
    np.testing.assert_allclose(traces[0][0], traces[1][0], rtol=1e-12, atol=1e-12)


# ---- refusals ----------------------------------------------------------------------------------


def test_spikes_between_time_steps_are_refused():
    sim.setup(timestep=H, spike_precision="off_grid")
    with pytest.raises(sim.errors.InvalidModelError, match="spike_precision='off_grid', need 'on"):
        sim.Population(1, sim.IF_curr_exp_dAP())


@pytest.mark.parametrize(
    "parameters",
    [{"tau_m": 0.0}, {"cm": -1.0}, {"v_reset": 20.0}, {"tau_dAP": 0.0}, {"theta_dAP": 0.0}],
    ids=str,
)
def test_impossible_parameters_are_refused(parameters):
    sim.setup(timestep=H)
    with pytest.raises(sim.nest.NESTError, match="must be"):
        sim.Population(1, sim.IF_curr_exp_dAP(**parameters))


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


def test_potential_recorded_from_the_middle_of_a_sleep():
    sim.setup(timestep=0.1)
    cells = sim.Population(1, sim.IF_curr_exp_dAP())
    cells.initialize(v=-10.0)
    sim.run(20.0)
    cells.record("v")
    sim.run(5.0)
    (v,) = cells.get_data().segments[0].analogsignals
    assert v.magnitude[-1, 0] == pytest.approx(-10 * np.exp(-25 / 10), rel=1e-12)
