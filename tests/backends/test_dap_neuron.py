"""`IF_curr_exp_dAP`: closed forms, PyNN's IF_curr_exp, and what is refused."""

from math import e, exp, log

import numpy as np
import pytest
from pyNN.errors import InvalidParameterValueError
from pyNN.random import RandomDistribution
from scipy.linalg import expm

H = 0.1
ARRIVAL = 50  # step at which the input of `drive` arrives
KICK = 100.0  # nA: V crosses the threshold in the first step after its arrival
# Bouhadjar et al. 2022, doi:10.1371/journal.pcbi.1010233, are the cell's defaults.
TAU_M, CM, TAU_REFRAC, TAU_DAP, THETA, I_DAP = 10.0, 0.25, 10.0, 60.0, 0.059, 0.2


def drive(sim, parameters, *inputs, record=("v", "i_dend", "dAP", "spikes"), initial=(),
          duration=100.0, n=1):  # fmt: skip
    """Run `n` cells with inputs (receptor, weight, steps of arrival or one list per cell)."""
    sim.setup(timestep=H)
    cells = sim.Population(n, sim.IF_curr_exp_dAP(**parameters), initial_values=dict(initial))
    for receptor, weight, arrivals in inputs:
        trains = arrivals if np.ndim(arrivals[0]) else [arrivals] * n
        times = [(np.array(train) - 1) * H for train in trains]
        source = sim.Population(n, sim.SpikeSourceArray(spike_times=times))
        sim.Projection(
            source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight, delay=H),
            receptor_type=receptor,
        )  # fmt: skip
    cells.record(list(record))
    sim.run(duration)
    return cells


def traces(cells, name):
    """Return the samples of all cells; the row is the step."""
    return cells.get_data(name).segments[0].analogsignals[0].magnitude


def trace(cells, name):
    """Return the samples of the only cell; the position is the step."""
    return traces(cells, name)[:, 0]


def steps(times):
    return np.rint(np.asarray(times) / H).astype(int).tolist()


def spike_steps(cells):
    """Return the steps of the spikes of each cell."""
    return [steps(train.magnitude) for train in cells.get_data("spikes").segments[0].spiketrains]


def onset_steps(cells):
    """Return the steps at which each cell's dendritic action potentials start."""
    event = cells.get_data("dAP").segments[0].events[0]
    times, index = event.times.magnitude, event.array_annotations["source_index"]
    return [steps(times[index == cell]) for cell in range(cells.size)]


# ---- postsynaptic potentials -------------------------------------------------------------------


def psp(t, tau_s, weight=1.0, tau_m=TAU_M):
    """Potential (mV) a time t after an exponential current of the given peak (nA) began."""
    return weight / CM / (1 / tau_s - 1 / tau_m) * (np.exp(-t / tau_m) - np.exp(-t / tau_s))


@pytest.mark.parametrize(
    ("receptor", "weight", "tau_s", "peak"),
    [("excitatory", 4.112209, 2.0, 22.0), ("inhibitory", -12.915497, 1.0, -40.0)],
)
def test_amplitude_and_sign_of_a_postsynaptic_potential(sim, receptor, weight, tau_s, peak):
    v = trace(drive(sim, {"v_thresh": 100.0}, (receptor, weight, [ARRIVAL])), "v")
    t = H * (np.arange(v.size) - ARRIVAL).clip(0)
    np.testing.assert_allclose(v, psp(t, tau_s, weight), rtol=1e-12, atol=1e-12)
    found = v[np.abs(v).argmax()]
    # the peak may fall half a step beside the grid: second-order loss
    t_peak = log(TAU_M / tau_s) * TAU_M * tau_s / (TAU_M - tau_s)
    bending = weight / CM / tau_s * exp(-t_peak / tau_s)
    assert found == pytest.approx(peak, abs=1e-4 + abs(bending) * (H / 2) ** 2 / 2)


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory", "dendritic"])
def test_equal_time_constants_are_no_special_case(sim, receptor):
    """The usual propagator has the difference of the time constants in its denominator."""
    tau_s = TAU_M * (1 + np.array([0.0, 1e-13, -1e-9, 1e-6, -1e-3, 0.3]))
    name = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I", "dendritic": "tau_syn_D"}
    weight = -1.0 if receptor == "inhibitory" else 1.0
    v = traces(
        drive(
            sim, {"v_thresh": 100.0, "theta_dAP": 1e3, name[receptor]: tau_s},
            (receptor, weight, [ARRIVAL]), n=tau_s.size,
        ),
        "v",
    )  # fmt: skip
    # I, V and what drives I, in an order in which the matrix is not triangular: for such a matrix
    # scipy has no trouble with equal eigenvalues
    current, potential, driver = range(3)
    for cell, tau in enumerate(tau_s):
        system = np.diag([-1 / tau, -1 / TAU_M, -1 / tau])
        system[potential, current], system[current, driver] = 1 / CM, 1.0
        start = [0.0, 0.0, weight * e / tau] if receptor == "dendritic" else [weight, 0.0, 0.0]
        for step in (ARRIVAL + 1, ARRIVAL + 10, ARRIVAL + 200, 1000):
            expected = expm(system * (step - ARRIVAL) * H) @ start
            assert v[step, cell] == pytest.approx(expected[potential], rel=1e-11)


def test_alpha_current_peaks_at_the_weight_after_tau_syn_D(sim):
    cells = drive(sim, {}, ("dendritic", 0.05, [ARRIVAL]))
    current, v = trace(cells, "i_dend"), trace(cells, "v")
    assert current.argmax() == ARRIVAL + 50
    assert current.max() == pytest.approx(0.05, rel=1e-13)
    t = H * (np.arange(current.size) - ARRIVAL).clip(0)
    np.testing.assert_allclose(current, 0.05 * e * t / 5 * np.exp(-t / 5), atol=1e-15)
    a = 1 / 5.0 - 1 / TAU_M
    expected = 0.05 * e / 5 / CM / a**2 * (np.exp(-t / TAU_M) - np.exp(-t / 5) * (1 + a * t))
    np.testing.assert_allclose(v, expected, atol=1e-12)


def test_constant_currents(sim):
    parameters = {"i_offset": 0.25, "v_rest": -60.0, "v_thresh": 0.0, "v_reset": -70.0}
    v = trace(drive(sim, parameters, initial={"v": -60.0}), "v")
    expected = -60.0 + 0.25 / CM * TAU_M * (1 - np.exp(-H * np.arange(1001) / TAU_M))
    np.testing.assert_allclose(v, expected, rtol=1e-12)


# ---- dendritic action potentials ---------------------------------------------------------------


def test_plateau_is_8_mV_and_lasts_exactly_tau_dAP(sim):
    cells = drive(sim, {}, ("dendritic", 0.12, [ARRIVAL]))
    ((onset,),) = onset_steps(cells)
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


def test_dendritic_input_is_lost_up_to_the_last_step_of_a_dendritic_action_potential(sim):
    ((onset,),) = onset_steps(drive(sim, {}, ("dendritic", 0.12, [ARRIVAL]), duration=10.0))
    late = onset + np.array([[599], [600], [601]])
    arrivals = np.hstack([np.full_like(late, ARRIVAL), late]).tolist()
    first, second, third = onset_steps(drive(sim, {}, ("dendritic", 0.12, arrivals), n=3))
    assert first == second == [onset]
    # the remains of the first input do not count
    assert third == [onset, late[2, 0] + onset - ARRIVAL]


def test_refractory_period_and_reset(sim):
    cells = drive(
        sim, {"v_reset": -2.0, "tau_syn_E": 0.5},
        ("excitatory", KICK, [ARRIVAL]), ("excitatory", 4.0, [ARRIVAL + 1]), duration=20.0,
    )  # fmt: skip
    ((spike,),) = spike_steps(cells)
    v = trace(cells, "v")
    assert spike == ARRIVAL + 1
    last = spike + round(TAU_REFRAC / H)
    assert (v[spike : last + 1] == -2.0).all()
    assert v[last + 1] > -2.0


def test_durations_between_time_steps_last_to_the_next_one(sim):
    cells = drive(
        sim, {"tau_refrac": [0.31, 0.39, 0.4, 0.0], "tau_dAP": [0.31, 0.39, 0.4, 0.01]},
        ("dendritic", 0.12, [ARRIVAL]), ("excitatory", KICK, [3 * ARRIVAL]), n=4, duration=17.0,
    )  # fmt: skip
    onsets = [own[0] for own in onset_steps(cells)]
    clamped = traces(cells, "i_dend")[onsets[0] : onsets[0] + 10] == I_DAP
    assert clamped.sum(axis=0).tolist() == [4, 4, 4, 1]
    # the current lasts, so that each spikes again in the first step in which it can
    assert [own[:2] for own in spike_steps(cells)] == [[151, 156]] * 3 + [[151, 152]]


def test_somatic_spike_ends_a_dendritic_action_potential_and_loses_dendritic_input(sim):
    kick = ARRIVAL + 200
    cells = drive(
        sim, {"tau_syn_E": 0.5}, ("dendritic", 0.12, [ARRIVAL, kick + 50, kick + 101]),
        ("excitatory", KICK, [kick]), duration=50.0,
    )  # fmt: skip
    ((spike,),) = spike_steps(cells)
    current = trace(cells, "i_dend")
    assert current[spike - 1] == pytest.approx(I_DAP)
    # the input within the refractory period, its last step included, is lost
    assert not current[spike : spike + 101].any()
    assert len(onset_steps(cells)[0]) == 1


def test_dAP_trace(sim):
    cells = drive(
        sim, {}, ("dendritic", 0.12, [ARRIVAL, ARRIVAL + 800]), record=["dAP_trace", "dAP"],
        initial={"dAP_trace": 0.5},
    )  # fmt: skip
    n = np.arange(1001)
    expected = 0.5 * np.exp(-n * H / 440.0)
    (onsets,) = onset_steps(cells)
    assert len(onsets) == 2
    for onset in onsets:
        expected += np.where(n >= onset, np.exp(-(n - onset) * H / 440.0), 0.0)
    np.testing.assert_allclose(trace(cells, "dAP_trace"), expected, rtol=1e-12)


# ---- the soma alone is PyNN's IF_curr_exp ------------------------------------------------------


@pytest.mark.parametrize("rates", [(30.0, 10.0), (600.0, 100.0)], ids=["quiet", "busy"])
def test_soma_equals_IF_curr_exp(sim, rates):
    rng = np.random.default_rng(10)
    n, duration = 120, 300.0
    scale = 1.0 if rates[0] < 100 else 0.5
    inputs = [
        # no exact binary fractions: a potential does not hit the threshold exactly
        (receptor, weight * scale, [
            (np.flatnonzero(rng.random(round(duration / H) - 10) < rate * H / 1000) + 1) * H
            for _ in range(n)
        ])
        for receptor, weight, rate in zip(
            ("excitatory", "inhibitory"), (3.1, -3.7), rates, strict=True
        )
    ]  # fmt: skip
    soma = dict(
        v_rest=-65.3, cm=0.21, tau_m=9.7, tau_refrac=2.3, tau_syn_E=1.9, tau_syn_I=3.1,
        i_offset=0.13, v_reset=-67.1, v_thresh=-51.7,
    )  # fmt: skip
    sim.setup(timestep=H)
    both = [
        sim.Population(n, cell, initial_values={"v": -65.3})
        for cell in (sim.IF_curr_exp_dAP(**soma), sim.IF_curr_exp(**soma))
    ]
    for receptor, weight, times in inputs:
        sources = sim.Population(n, sim.SpikeSourceArray(spike_times=times))
        for cells in both:
            sim.Projection(
                sources, cells, sim.OneToOneConnector(),
                sim.StaticSynapse(weight=weight, delay=H), receptor_type=receptor,
            )  # fmt: skip
    for cells in both:
        cells.record("spikes")
    sim.run(duration)
    ours, theirs = map(spike_steps, both)
    assert ours == theirs
    assert sum(map(len, ours)) > 100


@pytest.mark.parametrize(
    "source",
    [
        lambda sim: sim.DCSource(amplitude=0.4, start=20.0, stop=80.0),
        lambda sim: sim.StepCurrentSource(times=[10.0, 50.0, 90.0], amplitudes=[0.7, -0.2, 0.55]),
        lambda sim: sim.ACSource(start=5.0, stop=95.0, amplitude=0.9, frequency=20.0),
    ],
    ids=["DC", "step", "AC"],
)
def test_injected_currents_act_as_on_IF_curr_exp(sim, source):
    sim.setup(timestep=H)
    soma = dict(v_rest=0.0, cm=CM, tau_m=TAU_M, v_reset=0.0, v_thresh=12.0, tau_refrac=2.0)
    both = [
        sim.Population(1, cell, initial_values={"v": 0.0})
        for cell in (sim.IF_curr_exp_dAP(**soma), sim.IF_curr_exp(**soma))
    ]
    current = source(sim)
    for cells in both:
        current.inject_into(cells)
        cells.record(["v", "spikes"])
    sim.run(120.0)
    ours, theirs = both
    assert spike_steps(ours) == spike_steps(theirs)
    assert len(spike_steps(ours)[0]) > 1
    np.testing.assert_allclose(trace(ours, "v"), trace(theirs, "v"), rtol=1e-12, atol=1e-12)


def test_state_can_be_set_between_two_runs(sim):
    """A run may end within the interval that NEST simulates at once, here 1 ms."""
    sim.setup(timestep=H, min_delay=1.0)
    soma = dict(v_rest=0.0, cm=CM, tau_m=TAU_M, v_reset=0.0, v_thresh=20.0)
    both = [
        sim.Population(1, cell, initial_values={"v": 0.0})
        for cell in (sim.IF_curr_exp_dAP(), sim.IF_curr_exp(**soma))
    ]
    for cells in both:
        cells.record("v")
    sim.run(10.5)
    for cells in both:
        cells.initialize(v=10.0)
    sim.run(3.0)
    ours, theirs = (trace(cells, "v") for cells in both)
    assert theirs.max() > 9
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


# ---- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tau_m": 0.0}, r"tau_m=0 of cell 0, need a value > 0"),
        ({"tau_syn_D": float("nan")}, r"tau_syn_D=nan of cell 0, need a value > 0"),
        ({"tau_h": [1.0, -1.0]}, r"tau_h=-1 of cell 1, need a value > 0"),
        ({"cm": -1.0}, r"cm=-1 of cell 0, need a value > 0"),
        ({"tau_refrac": -0.1}, r"tau_refrac=-0\.1 of cell 0, need a value >= 0"),
        ({"v_reset": 20.0}, r"v_reset=20 of cell 0, need a value below v_thresh"),
        ({"v_thresh": [20.0, -5.0]}, r"v_reset=0 of cell 1, need a value below v_thresh"),
        ({"tau_dAP": 0.0}, r"tau_dAP=0 of cell 0, need a value > 0"),
        ({"theta_dAP": 0.0}, r"theta_dAP=0 of cell 0, need a value > 0"),
    ],
    ids=str,
)
def test_impossible_parameters_are_refused(sim, parameters, message):
    sim.setup(timestep=H)
    message = f"Population 'cells': IF_curr_exp_dAP {message}"
    with pytest.raises(InvalidParameterValueError, match=message):
        sim.Population(2, sim.IF_curr_exp_dAP(**parameters), label="cells")
    cells = sim.Population(2, sim.IF_curr_exp_dAP(), label="cells")
    before = cells.get(list(parameters))
    with pytest.raises(InvalidParameterValueError, match=message):
        cells.set(**parameters)
    assert cells.get(list(parameters)) == before


def test_random_parameters_are_drawn_once(sim):
    """They are checked, too, which must not draw others."""
    found = []
    for lowest in (1.0, -10.0):
        sim.setup(timestep=H)
        tau_m = RandomDistribution("uniform", [lowest, 20.0], rng=sim.NumpyRNG(seed=3))
        cell = sim.IF_curr_exp_dAP(tau_m=tau_m)
        if lowest < 0:
            with pytest.raises(InvalidParameterValueError, match="tau_m=-"):
                sim.Population(50, cell)
        else:
            found = sim.Population(50, cell).get("tau_m")
            expected = sim.NumpyRNG(seed=3).next(50, "uniform", {"low": lowest, "high": 20.0})
            np.testing.assert_allclose(found, expected, rtol=1e-14)
