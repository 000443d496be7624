"""The description uses PyNN as it is: built on PyNN's mock backend, which simulates nothing."""

from types import SimpleNamespace

import neo
import numpy as np
import pyNN.mock
import pytest
from pyNN.standardmodels import StandardCellType, StandardSynapseType, build_translations

from devices import Memristor
from models.sequence_learning import Connectivity, Parameters, Plasticity, Task, build, simulate
from models.sequence_learning.network import assemble
from models.sequence_learning.recording import Events
from models.sequence_learning.replay import (
    Replay,
    ReplayProtocol,
    cues,
    replay,
    replay_durations,
)
from models.sequence_learning.stimulus import Stimulus, training_stimulus

N_E, RHO = 10, 4


class NeuronWithDAP(StandardCellType):
    default_parameters = dict.fromkeys(
        "v_rest v_reset v_thresh cm tau_m tau_refrac tau_syn_E tau_syn_I tau_syn_D i_offset "
        "i_dAP theta_dAP tau_dAP tau_h".split(),
        0.0,
    )
    default_initial_values = {"v": -65.0}
    units = {"v": "mV"}
    recordable = ["spikes", "dAP"]
    receptor_types = ("excitatory", "inhibitory", "dendritic")
    conductance_based = False
    translations = build_translations(*((name, name) for name in default_parameters))


class PlasticSynapse(StandardSynapseType):
    counts_writes = False
    default_parameters = {
        "weight": 0.0,
        "delay": None,
        "permanence": 0.0,
        **dict.fromkeys(
            "w_max lambda_plus lambda_minus lambda_h z_target tau_plus dt_min dt_max".split(), 0.0
        ),
    }
    translations = build_translations(*((name, name) for name in default_parameters))

    def __init__(self, *, device, pre_trace, **parameters):
        super().__init__(**parameters)
        self.device, self.pre_trace = device, pre_trace

    def _get_minimum_delay(self):
        return 0.1


class StructuralSynapse(PlasticSynapse):
    default_parameters = PlasticSynapse.default_parameters | {"theta_p": 0.0, "p_max": 0.0}
    translations = build_translations(*((name, name) for name in default_parameters))


class MockPopulation(pyNN.mock.Population):
    """Records at no neuron: two spikes per cell, and dAPs of cell 3 of subpopulation 0."""

    def get_data(self):
        segment = neo.Segment()
        ids = self.first_id + np.arange(self.size)
        segment.spiketrains = neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
            np.concatenate([np.ones(self.size), 400.0 + np.arange(self.size)]),
            np.tile(ids, 2),
            ids,
            units="ms",
            t_start=0.0,
            t_stop=1e6,
        )
        segment.events.append(
            neo.Event(
                np.array([5.0, 405.0]),
                units="ms",
                name="dAP",
                array_annotations={"source_index": np.array([3, 3])},
            )
        )
        return SimpleNamespace(segments=[segment])


@pytest.fixture
def sim():
    """PyNN's mock backend with the types that PyNN lacks."""
    names = {name: getattr(pyNN.mock, name) for name in dir(pyNN.mock)}
    pyNN.mock.setup(timestep=0.1, min_delay=0.1)
    return SimpleNamespace(
        **names
        | {
            "Population": MockPopulation,
            "IF_curr_exp_dAP": NeuronWithDAP,
            "MemristiveSTDP": PlasticSynapse,
            "MemristiveStructuralSTDP": StructuralSynapse,
        }
    )


def small(rule="permanence", **changes):
    return Parameters(
        task=Task(episodes=2, **changes),
        connectivity=Connectivity(n_e=N_E, rho=RHO),
        plasticity=Plasticity(rule=rule),
        device=Memristor(on_off_ratio=20.0),
    )


def pairs(projection):
    return {(c.presynaptic_index, c.postsynaptic_index) for c in projection.connections}


def the_only(projection, name):
    """Return the native parameter, WEIGHT or DELAY, that all connections of the mock share."""
    (value,) = {getattr(connection, name) for connection in projection.connections}
    return value


@pytest.fixture
def network(sim):
    parameters = small()
    return build(sim, parameters, training_stimulus(parameters.task))


def test_populations(network):
    assert (network.excitatory.size, network.inhibitory.size, network.external.size) == (60, 6, 6)
    assert network.primer is None
    assert network.excitatory.get("tau_h") == 440
    assert network.excitatory.get("theta_dAP") == 0.059
    assert network.inhibitory.get("v_thresh") == 15
    times = [list(sequence.value) for sequence in network.external.get("spike_times")]
    assert times[0] == [30, 470]
    assert times[3] == [70, 290, 510, 730]


def test_membranes_start_at_rest(network):
    for population in (network.excitatory, network.inhibitory):
        assert population.initial_values["v"].evaluate(simplify=True) == 0


def test_recorded_variables(network):
    recorded = {variable.name for variable in network.excitatory.recorder.recorded}
    assert recorded == {"spikes", "dAP"}


def test_plastic_projection_has_the_indegree_and_no_autapses(network):
    post = [c.postsynaptic_index for c in network.ee.connections]
    np.testing.assert_array_equal(np.bincount(post), np.full(60, 12))
    assert len(pairs(network.ee)) == 60 * 12
    assert all(pre != post for pre, post in pairs(network.ee))
    assert (network.ee.label, network.ee.receptor_type) == ("EE", "dendritic")
    permanence = np.array([c.permanence for c in network.ee.connections])
    assert 0 <= permanence.min() < 1 and 7 < permanence.max() <= 8


def test_fixed_projections_connect_each_symbol_with_its_own_subpopulation(network):
    own = {(neuron // N_E, neuron) for neuron in range(60)}
    assert pairs(network.ex) == own
    assert pairs(network.ei) == own
    assert pairs(network.ie) == {(neuron, symbol) for symbol, neuron in own}
    receptors = [p.receptor_type for p in (network.ex, network.ei, network.ie)]
    assert receptors == ["excitatory", "inhibitory", "excitatory"]


def test_fixed_weights_and_delays(network):
    for projection, weight in (
        (network.ex, 4.112209),
        (network.ei, -12.915497),
        (network.ie, 0.581197 * 20 / RHO),
    ):
        assert the_only(projection, "DELAY") == 0.1
        assert the_only(projection, "WEIGHT") == pytest.approx(weight, abs=5e-6)


@pytest.mark.parametrize(
    ("rule", "synapse", "pre_trace", "dt_max"),
    [
        ("permanence", StructuralSynapse, True, 80),
        ("binary", StructuralSynapse, False, 50),
        ("analog", PlasticSynapse, False, 50),
    ],
)
def test_each_rule_has_its_synapse_type(sim, rule, synapse, pre_trace, dt_max):
    parameters = small(rule)
    found = build(sim, parameters, training_stimulus(parameters.task)).ee.synapse_type
    assert type(found) is synapse
    assert found.pre_trace is pre_trace
    assert found.device == Memristor(on_off_ratio=20.0)
    values = {name: found.parameter_space[name].base_value for name in ("w_max", "dt_max", "delay")}
    assert values == {"w_max": pytest.approx(0.01298), "dt_max": dt_max, "delay": 2.0}


def test_primer_reaches_some_neurons_of_each_subpopulation(sim, monkeypatch):
    made = []

    class Projection(pyNN.mock.Projection):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(sim, "Projection", Projection)
    parameters = small(sequence_set="III")
    network = build(sim, parameters, training_stimulus(parameters.task))
    (primer,) = [projection for projection in made if projection.pre is network.primer]
    assert primer.receptor_type == "dendritic"
    expected = {(symbol, symbol * N_E + n) for symbol in range(14) for n in range(RHO + 1)}
    assert pairs(primer) == expected
    assert the_only(primer, "WEIGHT") == pytest.approx(0.0826)


def test_stimulus_is_what_is_shown(sim):
    stimulus = Stimulus(tuple(np.array([float(10 * k)]) for k in range(6)))
    network = build(sim, small(), stimulus)
    times = [list(sequence.value) for sequence in network.external.get("spike_times")]
    assert times == [[0], [10], [20], [30], [40], [50]]


@pytest.mark.parametrize("record_all", [False, True])
def test_simulate_returns_metrics_and_arrays(sim, record_all):
    parameters = Parameters(
        task=Task(episodes=45),
        connectivity=Connectivity(n_e=N_E, rho=RHO),
        record_all=record_all,
    )
    fractions = []
    metrics, arrays = simulate(sim, parameters, seed=1, progress=fractions.append)

    assert sim.get_current_time() == pytest.approx(30 + 45 * 440)
    assert fractions == sorted(fractions) and fractions[-1] == 1 and len(fractions) == 20
    assert set(metrics) == {
        "prediction_error",
        "prediction_error_mean_last_10",
        "false_positives",
        "false_negatives",
        "episodes_to_solution",
        "first_error_free_episode",
        "relative_active_neurons",
        "mature_fraction",
    }
    # Nothing is predictive at the end, and no permanence starts above the threshold.
    assert metrics["prediction_error"] == 1 and metrics["mature_fraction"] == 0
    for name in (
        "prediction_error",
        "false_positives",
        "false_negatives",
        "relative_active_neurons",
    ):
        assert arrays[name].shape == (45,)
    if record_all:
        order = arrays["ee_pre"] * 60 + arrays["ee_post"]
        assert (np.diff(order) > 0).all() and len(order) == 720
        assert arrays["ee_permanence"].dtype == arrays["ee_weight"].dtype == np.float64
    else:
        assert not any(name.startswith("ee_") for name in arrays)
    assert len(arrays["spike_times"]) == len(arrays["spike_senders"]) == 120 * record_all
    assert list(arrays["dap_senders"]) == [3, 3] * record_all


def test_last_episode_is_what_is_kept(sim):
    parameters = Parameters(
        task=Task(episodes=1, t_start=400.0 + 5), connectivity=Connectivity(n_e=N_E, rho=RHO)
    )
    _, arrays = simulate(sim, parameters, seed=1, progress=lambda fraction: None)
    np.testing.assert_array_equal(arrays["spike_times"], 405.0 + np.arange(55))
    np.testing.assert_array_equal(arrays["spike_senders"], np.arange(5, 60))
    np.testing.assert_array_equal(arrays["dap_times"], [405.0])


def test_missing_dap_recording_is_an_error(sim, monkeypatch):
    empty = SimpleNamespace(segments=[neo.Segment(name="s")])
    monkeypatch.setattr(MockPopulation, "get_data", lambda self: empty)
    with pytest.raises(ValueError, match="'s': 0 event series named 'dAP', need 1"):
        simulate(sim, small(), seed=1, progress=lambda fraction: None)


LEARNED = {
    "ee_pre": np.array([0, 1, 2], dtype=np.int32),
    "ee_post": np.array([10, 11, 12], dtype=np.int32),
    "ee_weight": np.array([0.0, 0.001, 0.01298], dtype=np.float32),
}


def test_replay_loads_learned_weights_and_changes_thresholds(sim, monkeypatch):
    networks = []

    def spy(*args, **kwargs):
        networks.append(assemble(*args, **kwargs))
        return networks[-1]

    monkeypatch.setattr("models.sequence_learning.replay.assemble", spy)
    result = replay(sim, small(), LEARNED)

    (network,) = networks
    assert network.excitatory.get("v_thresh") == 5
    assert network.excitatory.get("theta_dAP") == pytest.approx(0.0413)
    assert type(network.ee.synapse_type) is pyNN.mock.StaticSynapse
    weights = {
        (c.presynaptic_index, c.postsynaptic_index): c.WEIGHT for c in network.ee.connections
    }
    assert weights == {
        (0, 10): 0,
        (1, 11): pytest.approx(0.001),
        (2, 12): pytest.approx(0.01298),
    }
    assert the_only(network.ee, "DELAY") == 2
    assert the_only(network.ei, "DELAY") == 0.2
    assert the_only(network.ie, "WEIGHT") == pytest.approx(0.077493 * 150 / N_E, abs=5e-6)
    # The drive is that of training: it does not shrink with the threshold.
    assert the_only(network.ex, "WEIGHT") == pytest.approx(4.112209, abs=5e-6)
    times = [list(sequence.value) for sequence in network.external.get("spike_times")]
    assert times == [[30], [], [], [], [], [110]]
    assert sim.get_current_time() == pytest.approx(190)
    assert len(result.spikes.times) == 120


def test_cues_repeat_all_sequences_in_turn():
    onset, sequence = cues(small(), ReplayProtocol(delta_t_cue=250.0, repetitions=2))
    np.testing.assert_array_equal(onset, [30, 280, 530, 780])
    np.testing.assert_array_equal(sequence, [0, 1, 0, 1])


def test_replay_duration_is_between_mean_firing_times():
    spikes = Events(
        times=np.array([31.0, 33.0, 60.0, 70.0, 74.0, 111.0]),
        senders=np.array([0, 1, 35, 40, 41, 50]),  # A A D E E, then F
    )
    nothing = Events(np.empty(0), np.empty(0, dtype=np.int64))
    result = Replay(np.array([30.0, 110.0]), np.array([0, 1]), spikes, nothing)
    np.testing.assert_array_equal(replay_durations(small(), result), [40.0, np.nan])


def test_replay_protocol_is_checked():
    with pytest.raises(ValueError, match="ReplayProtocol: delta_t_cue=0.0, need"):
        ReplayProtocol(delta_t_cue=0.0)
