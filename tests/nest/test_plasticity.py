"""Memristive synapses on NEST: increments, reading and writing of states, refusals."""

from math import exp

import numpy as np
import pytest

import cosim.backends.nest as sim
from devices import Memristor, effects, noise

H = 0.1
DELAY = 2.0
KICK = 100.0  # nA: the neuron spikes one step after its arrival
ERRORS = sim.errors


def pair(synapse, pre, post, *, min_delay="auto", z=0.0, **cell):
    """Connect one spike source to one neuron that is made to spike at the times `post`."""
    sim.setup(timestep=H, min_delay=min_delay)
    arrive = H if min_delay == "auto" else min_delay
    cell = {"tau_syn_E": 0.1, "tau_refrac": 1.0, "tau_h": 1e15} | cell
    neuron = sim.Population(1, sim.IF_curr_exp_dAP(**cell), initial_values={"dAP_trace": z})
    neuron.record("spikes")
    # the refractory period outlasts the current of a kick, so that one kick makes one spike
    kicks = sim.Population(1, sim.SpikeSourceArray(spike_times=np.asarray(post) - arrive - H))
    sim.Projection(
        kicks, neuron, sim.AllToAllConnector(), sim.StaticSynapse(weight=KICK, delay=arrive),
        receptor_type="excitatory",
    )  # fmt: skip
    stimulus = sim.Population(1, sim.SpikeSourceArray(spike_times=pre))
    synapses = sim.Projection(stimulus, neuron, sim.AllToAllConnector(), synapse, label="s")
    return neuron, synapses


def spikes(neuron):
    return np.round(neuron.get_data("spikes").segments[0].spiketrains[0].magnitude, 6).tolist()


def value(synapses, name):
    return float(synapses.read(name)[0][0])


# ---- increments --------------------------------------------------------------------------------


@pytest.mark.parametrize(("z", "expected"), [(0.0, 0.446), (1.0, 0.166), (2.0, -0.114)])
def test_increment_per_pairing_with_clamped_trace(z, expected):
    """Experiment 2 of the tutorial to Bouhadjar et al. 2022: post 40 ms after pre, every 200 ms."""
    first = np.arange(20.0, 2000.0, 200.0)
    synapse = sim.MemristiveStructuralSTDP(delay=DELAY)
    neuron, synapses = pair(synapse, first, first + 40.0, z=z)
    synapses.set(permanence=8.0)  # above the floor, so that it can fall
    found = [8.0]
    for t in first:
        sim.run_until(t + 100.0)
        found.append(value(synapses, "permanence"))
    assert spikes(neuron) == np.round(first + 40.0, 6).tolist()
    x = np.array([sum(exp(-200.0 * k / 20.0) for k in range(n)) for n in range(1, 11)])
    increments = 20 * (0.08 * x * exp(-42.0 / 20.0) + 0.014 * (1 - z) - 0.0015)
    np.testing.assert_allclose(np.diff(found), increments, rtol=1e-10)
    assert increments[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("dt", "potentiated"),
    [(4.0, False), (4.1, True), (42.0, True), (79.9, True), (80.0, False)],
)
def test_both_ends_of_the_window_are_excluded(dt, potentiated):
    synapse = sim.MemristiveStructuralSTDP(delay=DELAY, lambda_minus=0.0)
    neuron, synapses = pair(synapse, [20.0], [20.0 + dt - DELAY])
    sim.run(150.0)
    assert spikes(neuron) == [round(20.0 + dt - DELAY, 6)]
    assert (value(synapses, "permanence") > 0) == potentiated == (value(synapses, "n_events") == 1)


@pytest.mark.parametrize("pre_trace", [True, False])
def test_analog_weight_follows_the_state(pre_trace):
    device = Memristor(on_off_ratio=10.0)
    synapse = sim.MemristiveSTDP(
        device=device, delay=DELAY, permanence=0.25, pre_trace=pre_trace, w_max=0.02
    )
    _, synapses = pair(synapse, [20.0], [40.0])
    assert value(synapses, "weight") == pytest.approx(0.002 + 0.018 * 0.25, rel=1e-14)
    sim.run(100.0)
    # nothing to depress at the floor
    state = 0.25 + 0.02 * (exp(-22.0 / 20.0) if pre_trace else 1.0) + 0.014
    assert value(synapses, "permanence") == pytest.approx(state, rel=1e-14)
    assert value(synapses, "weight") == pytest.approx(0.002 + 0.018 * state, rel=1e-14)
    assert value(synapses, "permanence_min") == 0.25


def test_binary_weight_switches_above_theta_p():
    device = Memristor(on_off_ratio=10.0)
    for permanence, expected in ((10.0, 0.001298), (10.0001, 0.01298)):
        synapse = sim.MemristiveStructuralSTDP(device=device, permanence=permanence)
        _, synapses = pair(synapse, [], [])
        assert value(synapses, "weight") == pytest.approx(expected, rel=1e-14)


def test_transmitted_weight_arrives_one_delay_later():
    synapse = sim.MemristiveSTDP(delay=DELAY, permanence=1.0, w_max=0.05)
    neuron, _ = pair(synapse, [20.0], [])
    neuron.record("i_dend")
    sim.run(50.0)
    current = neuron.get_data("i_dend").segments[0].analogsignals[0].magnitude[:, 0]
    assert np.flatnonzero(current)[0] == 221
    assert current.argmax() == 220 + 50
    assert current.max() == pytest.approx(0.05, rel=1e-13)


def test_a_synapse_takes_one_cache_line():
    """Memory and speed of large networks depend on it."""
    _, synapses = pair(sim.MemristiveSTDP(), [], [])
    status = sim.nest.GetConnections(synapse_model=synapses.nest_synapse_model).get()
    assert status["sizeof"] <= 64


# ---- reading -----------------------------------------------------------------------------------


def test_reading_changes_nothing():
    synapse = sim.MemristiveSTDP(
        device=Memristor(n_levels=32, sigma_c2c=0.05), delay=DELAY, permanence=0.3
    )
    pre, post = np.arange(20.0, 900.0, 50.0), np.arange(35.0, 900.0, 50.0)
    ends = []
    for readings in ([1000.0], np.arange(5.0, 1001.0, 5.0)):
        _, synapses = pair(synapse, pre, post)
        for t in readings:
            sim.run_until(t)
            synapses.get(["permanence", "weight", "n_events"], "list")
        ends.append(synapses.get(["permanence", "n_events", "n_spikes"], "list"))
    assert ends[0] == ends[1]
    assert ends[0][0][3] > 5


def test_a_postsynaptic_spike_counts_from_when_it_reaches_the_synapse():
    """NEST's neurons are one minimal delay ahead, of which nothing must be seen."""
    synapse = sim.MemristiveSTDP(delay=DELAY, permanence=0.3, pre_trace=False, lambda_h=0.0)
    neuron, synapses = pair(synapse, [20.0], [30.5], min_delay=1.0)
    seen = []
    for t in np.arange(29.0, 36.0, 1.0):
        sim.run_until(t)
        seen.append((t, value(synapses, "n_events")))
    assert spikes(neuron) == [30.5]
    assert [t for t, n in seen if n == 1] == [33.0, 34.0, 35.0]


# ---- writing -----------------------------------------------------------------------------------


def test_set_moves_the_state_and_initialize_the_floor_too():
    _, synapses = pair(sim.MemristiveSTDP(permanence=0.2), [], [])
    synapses.set(permanence=0.6)
    assert (value(synapses, "permanence"), value(synapses, "permanence_min")) == (0.6, 0.2)
    synapses.initialize(permanence=0.4)
    assert (value(synapses, "permanence"), value(synapses, "permanence_min")) == (0.4, 0.4)
    synapses[0].permanence = 0.5
    assert (value(synapses, "permanence"), value(synapses, "permanence_min")) == (0.5, 0.4)


def test_what_was_read_can_be_written_back():
    """A spike that is part of the state read must not count again."""
    ends = []
    for write in (False, True):
        synapse = sim.MemristiveSTDP(delay=DELAY, permanence=0.3, lambda_plus=0.1)
        _, synapses = pair(synapse, [20.0, 90.0], [40.0, 60.0])
        sim.run_until(50.0)
        if write:
            (state,) = synapses.read("permanence")
            synapses.set(permanence=state)
            assert value(synapses, "permanence") == state[0]
        sim.run_until(150.0)
        ends.append(synapses.get(["permanence", "n_events"], "list"))
    assert ends[0] == ends[1]
    assert ends[0][0][3] == 3


def test_states_of_many_synapses_are_written_to_the_right_ones():
    sim.setup(timestep=H, threads=2)
    cells = sim.Population(30, sim.IF_curr_exp_dAP())
    projections = [
        sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.4), sim.MemristiveSTDP())
        for _ in range(2)
    ]
    sim.run(1.0)  # NEST sorts its synapses
    wanted = [np.random.default_rng(k).random(len(p)) for k, p in enumerate(projections)]
    for projection, values in zip(projections, wanted, strict=True):
        projection.set(permanence=values)
    for projection, values in zip(projections, wanted, strict=True):
        np.testing.assert_array_equal(projection.read("permanence")[0], values)
        np.testing.assert_array_equal(projection.read("device")[0], np.arange(len(projection)))


def test_states_are_rounded_to_the_levels_of_the_device():
    device = Memristor(n_levels=5)
    _, synapses = pair(sim.MemristiveSTDP(device=device, permanence=0.3), [], [])
    assert value(synapses, "permanence") == value(synapses, "permanence_min") == 0.25
    synapses.set(permanence=0.625)
    assert value(synapses, "permanence") == 0.75


def test_delay_can_be_set():
    _, synapses = pair(sim.MemristiveSTDP(delay=DELAY), [], [])
    synapses.set(delay=3.0)
    assert value(synapses, "delay") == 3.0


# ---- devices -----------------------------------------------------------------------------------


def test_bounds_of_the_devices_are_those_of_the_device_package():
    device = Memristor(on_off_ratio=8.0, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.1, stuck_on=0.1)
    sim.setup(timestep=H, rng_seed=11)
    cells = sim.Population(40, sim.IF_curr_exp_dAP())
    synapse = sim.MemristiveStructuralSTDP(device=device, w_max=0.02, permanence=0.0)
    low = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse, label="ee")
    expected = effects.sample_bounds(device, 20.0, 1600, noise.noise_key(11, "ee"))
    np.testing.assert_allclose(low.read("weight")[0], expected.w_min / 1000, rtol=1e-14)
    low.set(permanence=20.0)
    np.testing.assert_allclose(low.read("weight")[0], expected.w_max / 1000, rtol=1e-14)
    assert low.bounds.stuck_on.sum() == expected.stuck_on.sum() > 100


def test_equal_labels_get_different_noise_and_say_so_in_nothing_else():
    sim.setup(timestep=H, rng_seed=11)
    cells = sim.Population(40, sim.IF_curr_exp_dAP())
    synapse = sim.MemristiveSTDP(device=Memristor(sigma_d2d_g_max=0.2), permanence=1.0)
    first, second = (
        sim.Projection(cells, cells, sim.AllToAllConnector(), synapse, label="ee") for _ in range(2)
    )
    assert np.mean(first.read("weight")[0] == second.read("weight")[0]) < 0.01
    assert first.label == second.label


# ---- refusals ----------------------------------------------------------------------------------


def population(cell=None):
    sim.setup(timestep=H)
    return sim.Population(4, cell or sim.IF_curr_exp_dAP(), label="cells")


def test_targets_must_have_the_dendrite():
    cells = population(sim.IF_curr_exp())
    with pytest.raises(ERRORS.ConnectionError, match="must be one of: 'excitatory', 'inhibitory'"):
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP())
    with pytest.raises(ERRORS.ConnectionError, match="IF_curr_exp; on NEST .* IF_curr_exp_dAP"):
        sim.Projection(
            cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(), receptor_type="excitatory"
        )


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
def test_receptor_must_be_the_dendrite(receptor):
    cells = population()
    with pytest.raises(
        ERRORS.ConnectionError, match=f"'ee': receptor_type='{receptor}', need 'dendritic'"
    ):
        sim.Projection(
            cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(), receptor_type=receptor,
            label="ee",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("synapse", "value", "limit"),
    [
        (sim.MemristiveSTDP, 1.01, 1.0),
        (sim.MemristiveSTDP, -0.01, 1.0),
        (sim.MemristiveSTDP, np.nan, 1.0),
        (sim.MemristiveStructuralSTDP, 20.5, 20.0),
    ],
)
def test_permanence_out_of_range(synapse, value, limit):
    cells = population()
    message = rf"'ee': permanence={value}, need values in 0.0 \.\.\. {limit}"
    with pytest.raises(ERRORS.InvalidParameterValueError, match=message):
        sim.Projection(cells, cells, sim.AllToAllConnector(), synapse(permanence=value), label="ee")


def test_permanence_cannot_be_set_outside_floor_and_maximum():
    cells = population()
    ee = sim.Projection(
        cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(permanence=0.3), label="ee"
    )
    for wrong in (0.2, 1.5):
        with pytest.raises(
            ERRORS.InvalidParameterValueError, match=rf"={wrong}, need .* 0.3 \.\.\. 1"
        ):
            ee.set(permanence=wrong)
    with pytest.raises(ERRORS.InvalidParameterValueError, match="permanence=1.5, need"):
        ee[3].permanence = 1.5
    with pytest.raises(
        ERRORS.InvalidParameterValueError, match="permanence=-1.0, need values in 0"
    ):
        ee.initialize(permanence=-1.0)
    assert set(ee.read("permanence")[0]) == {0.3}


@pytest.mark.parametrize("name", ["w_max", "lambda_plus", "tau_plus"])
def test_common_parameters_cannot_be_set(name):
    cells = population()
    ee = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(), label="ee")
    before = ee.get(name, "list", with_address=False)
    with pytest.raises(ERRORS.InvalidParameterValueError, match=f"'ee': {name} cannot be changed"):
        ee.set(**{name: 0.5})
    assert ee.get(name, "list", with_address=False) == before


@pytest.mark.parametrize("name", ["weight", "n_events", "device", "permanence_min"])
def test_state_that_follows_cannot_be_set(name):
    cells = population()
    ee = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(), label="ee")
    with pytest.raises(ERRORS.NonExistentParameterError, match=name):
        ee.set(**{name: 0.5})
    with pytest.raises((ERRORS.NonExistentParameterError, ERRORS.InvalidParameterValueError)):
        ee.initialize(**{name: 0.5})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weight": 0.1}, r"MemristiveSTDP: weight=0\.1 cannot be set, it follows"),
        ({"w_max": 0.0}, r"w_max=0\.0, need a value > 0"),
        ({"lambda_plus": -0.1}, r"lambda_plus=-0\.1, need a value >= 0"),
        ({"tau_plus": float("nan")}, "tau_plus=nan, need one finite number"),
        ({"w_max": np.ones(3)}, "w_max=.*need one finite number for the whole projection"),
        ({"dt_max": 4.0}, r"dt_max=4\.0 ms, need more than dt_min=4\.0 ms"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        sim.MemristiveSTDP(**parameters)


def test_unknown_parameters_and_devices():
    with pytest.raises(ERRORS.NonExistentParameterError, match="lambda_pluss"):
        sim.MemristiveSTDP(lambda_pluss=1.0)
    with pytest.raises(ERRORS.NonExistentParameterError, match="theta_p"):
        sim.MemristiveSTDP(theta_p=1.0)
    with pytest.raises(TypeError, match=r"device='ReRAM', need a devices\.Memristor"):
        sim.MemristiveSTDP(device="ReRAM")
    with pytest.raises(ValueError, match="n_levels=1, need"):
        sim.MemristiveSTDP(device=Memristor(n_levels=1))
