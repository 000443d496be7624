"""Memristive synapses: increments, devices, reading and writing of states, refusals."""

from math import exp

import numpy as np
import pytest
from pyNN import errors

from devices import Memristor, effects, noise

H = 0.1
DELAY = 2.0
KICK = 100.0  # nA: the neuron spikes one step after its arrival


def pair(sim, synapse, pre, post, *, min_delay="auto", z=0.0, **cell):
    """Connect a spike source to neurons, one for each list of spike times in `post`.

    Parameters
    ----------
    post : list of float, or list of lists of float
        Times at which a neuron is made to spike; a simple list is that of the only neuron.
    """
    sim.setup(timestep=H, min_delay=min_delay)
    arrive = H if min_delay == "auto" else min_delay
    trains = post if len(post) and np.ndim(post[0]) else [post]
    cell = {"tau_syn_E": 0.1, "tau_refrac": 1.0, "tau_h": 1e15} | cell
    neurons = sim.Population(
        len(trains), sim.IF_curr_exp_dAP(**cell), initial_values={"dAP_trace": z}
    )
    neurons.record("spikes")
    # the refractory period outlasts the current of a kick, so that one kick makes one spike
    times = [np.asarray(train, float) - arrive - H for train in trains]
    kicks = sim.Population(len(trains), sim.SpikeSourceArray(spike_times=times))
    sim.Projection(
        kicks, neurons, sim.OneToOneConnector(), sim.StaticSynapse(weight=KICK, delay=arrive),
        receptor_type="excitatory",
    )  # fmt: skip
    stimulus = sim.Population(1, sim.SpikeSourceArray(spike_times=pre))
    synapses = sim.Projection(stimulus, neurons, sim.AllToAllConnector(), synapse, label="s")
    return neurons, synapses


def spikes(neurons):
    trains = neurons.get_data("spikes").segments[0].spiketrains
    return [np.round(train.magnitude, 6).tolist() for train in trains]


def values(synapses, name):
    return synapses.read(name)[0]


def value(synapses, name):
    (only,) = values(synapses, name)
    return float(only)


# ---- increments --------------------------------------------------------------------------------


def test_increment_per_pairing_with_clamped_trace(sim):
    """Experiment 2 of the tutorial to Bouhadjar et al. 2022: post 40 ms after pre, every 200 ms."""
    first = np.arange(20.0, 800.0, 200.0)
    z = np.array([0.0, 1.0, 2.0])
    neurons, synapses = pair(
        sim, sim.MemristiveStructuralSTDP(delay=DELAY), first, [(first + 40.0).tolist()] * 3, z=z
    )
    synapses.set(permanence=8.0)  # above the floor, so that it can fall
    found = [np.full(3, 8.0)]
    for t in first:
        sim.run_until(t + 100.0)
        found.append(values(synapses, "permanence"))
    assert spikes(neurons) == [np.round(first + 40.0, 6).tolist()] * 3
    x = np.array([sum(exp(-200.0 * k / 20.0) for k in range(n)) for n in range(1, 5)])[:, None]
    increments = 20 * (0.08 * x * exp(-42.0 / 20.0) + 0.014 * (1 - z) - 0.0015)
    np.testing.assert_allclose(np.diff(found, axis=0), increments, rtol=1e-10)
    np.testing.assert_allclose(increments[0], [0.446, 0.166, -0.114], atol=5e-4)


def test_both_ends_of_the_window_are_excluded(sim):
    intervals = np.array([4.0, 4.1, 42.0, 79.9, 80.0])
    post = np.round(20.0 + intervals - DELAY, 6)[:, None].tolist()
    synapse = sim.MemristiveStructuralSTDP(delay=DELAY, lambda_minus=0.0)
    neurons, synapses = pair(sim, synapse, [20.0], post)
    sim.run(110.0)
    assert spikes(neurons) == post
    potentiated = [False, True, True, True, False]
    assert (values(synapses, "permanence") > 0).tolist() == potentiated
    assert (values(synapses, "n_events") == 1).tolist() == potentiated


@pytest.mark.parametrize("pre_trace", [True, False])
def test_analog_weight_follows_the_state(sim, pre_trace):
    device = Memristor(on_off_ratio=10.0)
    synapse = sim.MemristiveSTDP(
        device=device, delay=DELAY, permanence=0.25, pre_trace=pre_trace, w_max=0.02
    )
    _, synapses = pair(sim, synapse, [20.0], [40.0])
    assert value(synapses, "weight") == pytest.approx(0.002 + 0.018 * 0.25, rel=1e-14)
    sim.run(50.0)
    # nothing to depress at the floor
    state = 0.25 + 0.02 * (exp(-22.0 / 20.0) if pre_trace else 1.0) + 0.014
    assert value(synapses, "permanence") == pytest.approx(state, rel=1e-14)
    assert value(synapses, "weight") == pytest.approx(0.002 + 0.018 * state, rel=1e-14)
    assert value(synapses, "permanence_min") == 0.25


def test_binary_weight_switches_above_theta_p(sim):
    synapse = sim.MemristiveStructuralSTDP(
        device=Memristor(on_off_ratio=10.0), permanence=np.array([[10.0, 10.0001]])
    )
    _, synapses = pair(sim, synapse, [], [[], []])
    np.testing.assert_allclose(values(synapses, "weight"), [0.001298, 0.01298], rtol=1e-14)


def test_transmitted_weight_arrives_one_delay_later(sim):
    synapse = sim.MemristiveSTDP(delay=DELAY, permanence=1.0, w_max=0.05)
    neurons, _ = pair(sim, synapse, [20.0], [])
    neurons.record("i_dend")
    sim.run(40.0)
    current = neurons.get_data("i_dend").segments[0].analogsignals[0].magnitude[:, 0]
    assert np.flatnonzero(current)[0] == 221
    assert current.argmax() == 220 + 50
    assert current.max() == pytest.approx(0.05, rel=1e-13)


# ---- reading -----------------------------------------------------------------------------------


def test_reading_changes_nothing(sim):
    pre, post = np.arange(20.0, 300.0, 25.0), np.arange(35.0, 300.0, 25.0)
    ends = []
    for readings in ([300.0], np.arange(5.0, 301.0, 5.0)):
        synapse = sim.MemristiveSTDP(
            device=Memristor(n_levels=32, sigma_c2c=0.05), delay=DELAY, permanence=0.3
        )
        _, synapses = pair(sim, synapse, pre, post)
        for t in readings:
            sim.run_until(t)
            synapses.get(["permanence", "weight", "n_events"], "list")
        ends.append(synapses.get(["permanence", "n_events", "n_spikes"], "list"))
    assert ends[0] == ends[1]
    assert ends[0][0][3] > 5


def test_a_postsynaptic_spike_counts_from_when_it_reaches_the_synapse(sim):
    """Also where neurons are computed one minimal delay ahead, of which nothing must be seen."""
    synapse = sim.MemristiveSTDP(delay=DELAY, permanence=0.3, pre_trace=False, lambda_h=0.0)
    neurons, synapses = pair(sim, synapse, [20.0], [30.5], min_delay=1.0)
    seen = []
    for t in np.arange(29.0, 36.0, 1.0):
        sim.run_until(t)
        seen.append((t, value(synapses, "n_events")))
    assert spikes(neurons) == [[30.5]]
    assert [t for t, n in seen if n == 1] == [33.0, 34.0, 35.0]


# ---- writing -----------------------------------------------------------------------------------


def test_set_moves_the_state_and_initialize_the_floor_too(sim):
    _, synapses = pair(sim, sim.MemristiveSTDP(permanence=0.2), [], [])
    synapses.set(permanence=0.6)
    assert (value(synapses, "permanence"), value(synapses, "permanence_min")) == (0.6, 0.2)
    synapses.initialize(permanence=0.4)
    assert (value(synapses, "permanence"), value(synapses, "permanence_min")) == (0.4, 0.4)
    synapses[0].permanence = 0.5
    assert (value(synapses, "permanence"), value(synapses, "permanence_min")) == (0.5, 0.4)


def test_what_was_read_can_be_written_back(sim):
    """A spike that is part of the state read must not count again."""
    ends = []
    for write in (False, True):
        synapse = sim.MemristiveSTDP(delay=DELAY, permanence=0.3, lambda_plus=0.1)
        _, synapses = pair(sim, synapse, [20.0, 90.0], [40.0, 60.0])
        sim.run_until(50.0)
        if write:
            (state,) = synapses.read("permanence")
            synapses.set(permanence=state)
            assert value(synapses, "permanence") == state[0]
        sim.run_until(100.0)
        ends.append(synapses.get(["permanence", "n_events"], "list"))
    assert ends[0] == ends[1]
    assert ends[0][0][3] == 3


def test_states_of_many_synapses_are_written_to_the_right_ones(sim):
    sim.setup(timestep=H, **({"threads": 2} if sim.capabilities.threads else {}))
    cells = sim.Population(30, sim.IF_curr_exp_dAP())
    projections = [
        sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.4), sim.MemristiveSTDP())
        for _ in range(2)
    ]
    sim.run(1.0)  # NEST sorts its synapses, Brian2 makes them
    wanted = [np.random.default_rng(k).random(len(p)) for k, p in enumerate(projections)]
    for projection, states in zip(projections, wanted, strict=True):
        projection.set(permanence=states)
    for projection, states in zip(projections, wanted, strict=True):
        np.testing.assert_array_equal(values(projection, "permanence"), states)
        np.testing.assert_array_equal(values(projection, "device"), np.arange(len(projection)))


def test_states_are_rounded_to_the_levels_of_the_device(sim):
    device = Memristor(n_levels=5)
    _, synapses = pair(sim, sim.MemristiveSTDP(device=device, permanence=0.3), [], [])
    assert value(synapses, "permanence") == value(synapses, "permanence_min") == 0.25
    synapses.set(permanence=0.625)
    assert value(synapses, "permanence") == 0.75


def test_delay_can_be_set(sim):
    _, synapses = pair(sim, sim.MemristiveSTDP(delay=DELAY), [], [])
    synapses.set(delay=3.0)
    assert value(synapses, "delay") == 3.0


# ---- devices -----------------------------------------------------------------------------------


def test_bounds_of_the_devices_are_those_of_the_device_package(sim):
    device = Memristor(on_off_ratio=8.0, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.1, stuck_on=0.1)
    sim.setup(timestep=H, rng_seed=11)
    cells = sim.Population(40, sim.IF_curr_exp_dAP())
    synapse = sim.MemristiveStructuralSTDP(device=device, w_max=0.02, permanence=0.0)
    low = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse, label="ee")
    expected = effects.sample_bounds(device, 20.0, 1600, noise.noise_key(11, "ee"))
    np.testing.assert_allclose(values(low, "weight"), expected.w_min / 1000, rtol=1e-14)
    low.set(permanence=20.0)
    np.testing.assert_allclose(values(low, "weight"), expected.w_max / 1000, rtol=1e-14)
    assert low.bounds.stuck_on.sum() == expected.stuck_on.sum() > 100


def test_equal_labels_get_different_noise_and_say_so_in_nothing_else(sim):
    sim.setup(timestep=H, rng_seed=11)
    cells = sim.Population(40, sim.IF_curr_exp_dAP())
    synapse = sim.MemristiveSTDP(device=Memristor(sigma_d2d_g_max=0.2), permanence=1.0)
    first, second = (
        sim.Projection(cells, cells, sim.AllToAllConnector(), synapse, label="ee") for _ in range(2)
    )
    assert np.mean(values(first, "weight") == values(second, "weight")) < 0.01
    assert first.label == second.label


# ---- refusals ----------------------------------------------------------------------------------


def population(sim, cell=None):
    sim.setup(timestep=H)
    return sim.Population(4, cell or sim.IF_curr_exp_dAP(), label="cells")


def connect(sim, cells, synapse, **options):
    return sim.Projection(cells, cells, sim.AllToAllConnector(), synapse, label="ee", **options)


def test_targets_must_have_the_dendrite(sim):
    cells = population(sim, sim.IF_curr_exp())
    for receptor in (None, "excitatory"):
        with pytest.raises(
            errors.ConnectionError,
            match=r"'ee': .* are IF_curr_exp; on \w+ .* needs IF_curr_exp_dAP",
        ):
            connect(sim, cells, sim.MemristiveSTDP(), receptor_type=receptor)


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
def test_receptor_must_be_the_dendrite(sim, receptor):
    cells = population(sim)
    with pytest.raises(
        errors.ConnectionError, match=f"'ee': receptor_type='{receptor}', need 'dendritic'"
    ):
        connect(sim, cells, sim.MemristiveSTDP(), receptor_type=receptor)


@pytest.mark.parametrize(
    ("kind", "value", "limit"),
    [
        ("MemristiveSTDP", 1.01, 1.0),
        ("MemristiveSTDP", -0.01, 1.0),
        ("MemristiveSTDP", np.nan, 1.0),
        ("MemristiveStructuralSTDP", 20.5, 20.0),
    ],
)
def test_permanence_out_of_range(sim, kind, value, limit):
    cells = population(sim)
    message = rf"'ee': permanence={value}, need values in 0.0 \.\.\. {limit}"
    with pytest.raises(errors.InvalidParameterValueError, match=message):
        connect(sim, cells, getattr(sim, kind)(permanence=value))


def test_permanence_cannot_be_set_outside_floor_and_maximum(sim):
    ee = connect(sim, population(sim), sim.MemristiveSTDP(permanence=0.3))
    for wrong in (0.2, 1.5):
        with pytest.raises(
            errors.InvalidParameterValueError, match=rf"={wrong}, need .* 0.3 \.\.\. 1"
        ):
            ee.set(permanence=wrong)
    with pytest.raises(errors.InvalidParameterValueError, match="permanence=1.5, need"):
        ee[3].permanence = 1.5
    with pytest.raises(
        errors.InvalidParameterValueError, match="permanence=-1.0, need values in 0"
    ):
        ee.initialize(permanence=-1.0)
    assert set(values(ee, "permanence")) == {0.3}


@pytest.mark.parametrize("name", ["w_max", "lambda_plus", "tau_plus"])
def test_common_parameters_cannot_be_set(sim, name):
    ee = connect(sim, population(sim), sim.MemristiveSTDP())
    before = ee.get(name, "list", with_address=False)
    with pytest.raises(errors.InvalidParameterValueError, match=f"'ee': {name} cannot be changed"):
        ee.set(**{name: 0.5})
    assert ee.get(name, "list", with_address=False) == before


@pytest.mark.parametrize("name", ["weight", "n_events", "device", "permanence_min"])
def test_state_that_follows_cannot_be_set(sim, name):
    ee = connect(sim, population(sim), sim.MemristiveSTDP())
    with pytest.raises(errors.NonExistentParameterError, match=name):
        ee.set(**{name: 0.5})
    with pytest.raises((errors.NonExistentParameterError, errors.InvalidParameterValueError)):
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
def test_parameters_out_of_range(sim, parameters, message):
    with pytest.raises(ValueError, match=message):
        sim.MemristiveSTDP(**parameters)


def test_unknown_parameters_and_devices(sim):
    with pytest.raises(errors.NonExistentParameterError, match="lambda_pluss"):
        sim.MemristiveSTDP(lambda_pluss=1.0)
    with pytest.raises(errors.NonExistentParameterError, match="theta_p"):
        sim.MemristiveSTDP(theta_p=1.0)
    with pytest.raises(TypeError, match=r"device='ReRAM', need a devices\.Memristor"):
        sim.MemristiveSTDP(device="ReRAM")
    with pytest.raises(ValueError, match="n_levels=1, need"):
        sim.MemristiveSTDP(device=Memristor(n_levels=1))
