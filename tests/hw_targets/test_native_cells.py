"""Cell types and their parameters."""

import numpy as np
import pytest
from pyNN import parameters
from pyNN.random import NumpyRNG, RandomDistribution

from hw_targets.brainscales2.calibration import Target, calibrate
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.limits import N_CIRCUITS
from hw_targets.brainscales2.pynn.parameters import CIRCUIT_PARAMETERS


@pytest.fixture
def network(pynn):
    pynn.setup()
    return pynn


# ---- HXNeuron ----------------------------------------------------------------------------------


def test_seventy_parameters(network):
    defaults = network.cells.HXNeuron.default_parameters
    assert len(CIRCUIT_PARAMETERS) == 70
    assert set(defaults) - set(CIRCUIT_PARAMETERS) == {
        "plasticity_rule_readout_source", "plasticity_rule_enable_readout_source"
    }  # fmt: skip
    not_zero = {name: value for name, value in defaults.items() if value}
    assert not_zero == {
        "excitatory_input_enable_small_capacitance": True,
        "inhibitory_input_enable_small_capacitance": True,
        "refractory_period_reset_holdoff": 15,
        "bayesian_to_post_pulse": True,
    }


@pytest.mark.parametrize(
    "name",
    [
        "event_routing_analog_output", "event_routing_enable_digital",
        "leak_reset_i_bias_source_follower", "readout_enable_amplifier", "readout_source",
        "readout_enable_buffered_access", "readout_i_bias",
    ],
)  # fmt: skip
def test_what_is_not_configurable(network, name):
    with pytest.raises(network.errors.NonExistentParameterError):
        network.cells.HXNeuron(**{name: 0})


def test_reading_and_writing_parameters(network):
    neurons = network.Population(3, network.cells.HXNeuron(leak_i_bias=400))
    assert neurons.get("leak_i_bias") == 400
    neurons[0:2].set(leak_i_bias=150)
    np.testing.assert_array_equal(neurons.get("leak_i_bias"), [150, 150, 400])
    neurons[1].leak_i_bias = 350
    assert neurons[1].leak_i_bias == 350
    neurons.set(exponential_enable=True)
    neurons[1, 2].set(exponential_enable=False)
    np.testing.assert_array_equal(neurons.get("exponential_enable"), [True, False, False])
    neurons.set(leak_i_bias=[100, 200, 300], leak_v_leak=np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(
        neurons.get(["leak_i_bias", "leak_v_leak"]), [[100, 200, 300], [1, 2, 3]]
    )
    np.testing.assert_array_equal(neurons[1:][1:].get("leak_i_bias"), 300)


def test_populations_of_one_cell_type_object_are_independent(network):
    cell = network.cells.HXNeuron(leak_v_leak=5)
    first, second = network.Population(1, cell), network.Population(3, cell)
    first.set(leak_v_leak=7)
    assert (first.get("leak_v_leak"), second.get("leak_v_leak")) == (7, 5)


def test_parameters_can_be_drawn(network):
    uniform = RandomDistribution("uniform", low=100, high=200, rng=NumpyRNG(1))
    neurons = network.Population(50, network.cells.HXNeuron(leak_v_leak=uniform))
    drawn = neurons.get("leak_v_leak")
    assert drawn.min() >= 100 and drawn.max() <= 200 and len(np.unique(drawn)) == 50


@pytest.mark.parametrize(
    ("parameter", "error"),
    [
        ({"leak_v_leak": 1023}, OverflowError),
        ({"leak_v_leak": -1}, TypeError),
        ({"membrane_capacitance_capacitance": 64}, OverflowError),
        ({"refractory_period_refractory_time": 256}, OverflowError),
        ({"refractory_period_reset_holdoff": 16}, OverflowError),
    ],
)
def test_values_out_of_range_are_refused_before_the_run(network, parameter, error):
    neurons = network.Population(2, network.cells.HXNeuron(**parameter), label="mine")
    neurons.record("spikes")
    (name,) = parameter
    with pytest.raises(error, match=f"'mine': {name}=.*need an integer in 0"):
        network.run(0.1)
    assert network.simulator.state.snippets == []


def test_largest_values_are_accepted(network):
    largest = {name: p.maximum for name, p in CIRCUIT_PARAMETERS.items() if p.maximum > 1}
    network.Population(1, network.cells.HXNeuron(**largest))
    network.run(None, network.RunCommand.PREPARE)


def test_raw_settings_reach_the_circuits_they_are_placed_on(pynn):
    pynn.setup(neuronPermutation=[400, 3])
    pynn.Population(2, pynn.cells.HXNeuron(leak_v_leak=[123, 456], threshold_enable=True))
    pynn.run(None, pynn.RunCommand.PREPARE)
    settings = pynn.simulator.state.mapping.settings
    assert settings["leak_v_leak"][[400, 3]].tolist() == [123, 456]
    assert settings["leak_v_leak"].sum() == 123 + 456
    assert settings["threshold_enable"].sum() == 2
    assert settings.biases == "raw"


def test_hardware_entity(network):
    neuron = network.cells.HXNeuron.create_hw_entity({"threshold_v_threshold": 200})
    assert neuron.threshold.v_threshold == 200
    assert neuron == network.cells.HXNeuron.create_hw_entity({"threshold_v_threshold": 200})
    assert neuron != network.cells.HXNeuron.create_hw_entity({})


def test_initial_values_have_no_effect_and_say_so(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.warns(UserWarning, match="no effect"):
        neurons.initialize(v=3.0)


# ---- calibrated neurons ------------------------------------------------------------------------


def test_defaults_of_calibrated_neurons(network):
    cuba, coba = network.cells.CalibHXNeuronCuba, network.cells.CalibHXNeuronCoba
    readout = {"plasticity_rule_readout_source", "plasticity_rule_enable_readout_source"}
    common = {"tau_m": 10, "tau_syn_E": 10, "tau_syn_I": 10, "tau_refrac": 2, "cm": 63}
    expected = {"v_rest": 80, "v_reset": 70, "v_thresh": 125, "i_synin_gm_E": 500,
                "i_synin_gm_I": 500, "synapse_dac_bias": 600}  # fmt: skip
    found = {n: v for n, v in cuba.default_parameters.items() if n not in readout}
    assert found == common | expected
    expected = {"v_rest": 110, "v_reset": 100, "v_thresh": 160, "e_rev_E": 300, "e_rev_I": 30,
                "i_synin_gm_E": 180, "i_synin_gm_I": 250, "synapse_dac_bias": 400}  # fmt: skip
    found = {n: v for n, v in coba.default_parameters.items() if n not in readout}
    assert found == common | expected
    assert (cuba.conductance_based, coba.conductance_based) == (False, True)


def test_calibration_is_available_after_preparing(network):
    neurons = network.Population(3, network.cells.CalibHXNeuronCuba())
    for name in ("calib_target", "calib_hwparams", "actual_hwparams"):
        with pytest.raises(AttributeError, match="PREPARE"):
            getattr(neurons, name)
        with pytest.raises(AttributeError, match="only calibrated"):
            getattr(network.Population(1, network.cells.HXNeuron()), name)
    network.run(None, network.RunCommand.PREPARE)
    expected = calibrate(Chip.virtual(1), Target())
    for k, neuron in enumerate(neurons.calib_hwparams):
        assert neuron.leak.v_leak == expected["leak_v_leak"][k]
        assert neuron.excitatory_input.i_bias_gm == expected["excitatory_input_i_bias_gm"][k]
    np.testing.assert_array_equal(neurons.calib_target["tau_m"], 10.0)
    assert neurons.actual_hwparams == neurons.calib_hwparams


def test_changed_settings_are_used(network):
    neurons = network.Population(3, network.cells.CalibHXNeuronCuba())
    neurons.record("spikes")
    network.run(None, network.RunCommand.PREPARE)
    neurons[1:3].actual_hwparams[1].leak.v_leak = 1022
    assert neurons.actual_hwparams[2].leak.v_leak == 1022
    assert neurons.calib_hwparams[2].leak.v_leak != 1022
    network.run(1.0)
    trains = neurons.get_data().segments[-1].spiketrains
    assert [len(train) > 0 for train in trains] == [False, False, True]
    network.reset()
    # A new target discards what was changed by hand.
    neurons.set(v_thresh=126.0)
    network.run(1.0)
    trains = neurons.get_data().segments[-1].spiketrains
    assert [len(train) > 0 for train in trains] == [False, False, False]


@pytest.mark.parametrize("name", ["synapse_dac_bias", "i_synin_gm_E", "i_synin_gm_I"])
def test_what_all_calibrated_neurons_share(network, name):
    neurons = network.Population(3, network.cells.CalibHXNeuronCuba())
    neurons.set(**{name: [400, 500, 500]})
    with pytest.raises(AttributeError, match=f"{name} from 400 to 500"):
        network.run(0.1)
    neurons.set(**{name: 400})
    network.run(0.1)
    network.reset()
    network.Population(1, network.cells.CalibHXNeuronCuba())
    with pytest.raises(AttributeError, match=name):
        network.run(0.1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v_rest", 161.0), ("v_reset", 49.0), ("v_thresh", 221.0), ("tau_m", 0.4), ("tau_m", 61.0),
        ("tau_syn_E", 0.2), ("tau_syn_I", 31.0), ("cm", 64), ("tau_refrac", 33.0),
        ("i_synin_gm_E", 801), ("synapse_dac_bias", 20),
    ],
)  # fmt: skip
def test_targets_out_of_range_are_refused_before_the_run(network, name, value):
    network.Population(2, network.cells.CalibHXNeuronCuba(**{name: value}), label="mine")
    with pytest.raises(ValueError, match=f"'mine': {name}={value:g}, the calibration needs"):
        network.run(0.1)


def test_calibrated_neurons_are_silent_without_and_spike_with_input(network):
    for kind in (network.cells.CalibHXNeuronCuba, network.cells.CalibHXNeuronCoba):
        network.setup()
        neurons = network.Population(3, kind())
        neurons.record("spikes")
        network.run(10.0)
        assert [len(t) for t in neurons.get_data().segments[-1].spiketrains] == [0, 0, 0]
        network.reset()
        np.random.seed(3)
        source = network.Population(
            10, network.cells.SpikeSourcePoisson(rate=1e5, start=0, duration=10)
        )
        network.Projection(source, neurons, network.AllToAllConnector(),
                           synapse_type=network.synapses.StaticSynapse(weight=63),
                           receptor_type="excitatory")  # fmt: skip
        network.run(10.0)
        assert min(len(t) for t in neurons.get_data().segments[-1].spiketrains) > 0


def test_different_targets_on_one_chip(ideal):
    # Current- and conductance-based neurons that share what they have to.
    common = {"i_synin_gm_E": 300, "i_synin_gm_I": 300, "synapse_dac_bias": 500, "v_rest": 140.0,
              "v_thresh": 125.0, "v_reset": 70.0}  # fmt: skip
    kinds = [ideal.cells.CalibHXNeuronCuba(tau_refrac=[1.0, 20.0], **common),
             ideal.cells.CalibHXNeuronCoba(tau_refrac=5.0, **common)]  # fmt: skip
    populations = [ideal.Population(2, kind) for kind in kinds]
    for neurons in populations:
        neurons.record("spikes")
    ideal.run(3.0)
    rise = 10e-3 * np.log(70.0 / 15.0)
    trains = [t for n in populations for t in n.get_data().segments[-1].spiketrains]
    for train, refractory in zip(trains, (1e-3, 20e-3, 5e-3, 5e-3), strict=True):
        # Spikes are on the grid of 8 ns.
        np.testing.assert_allclose(np.diff(train.magnitude), rise + refractory, atol=1.7e-5)


def test_refractory_clocks_suit_all_neurons(network):
    network.configure(chip=1, noise=False)
    network.setup()
    common = {"i_synin_gm_E": 300, "i_synin_gm_I": 300, "synapse_dac_bias": 500}
    network.Population(1, network.cells.CalibHXNeuronCuba(tau_refrac=1.0, **common))
    network.Population(1, network.cells.CalibHXNeuronCoba(tau_refrac=20.0, **common))
    network.run(None, network.RunCommand.PREPARE)
    state = network.simulator.state
    physics = state.mapping.physics(state.configuration, 0)
    # calix quantises to about 3 %.
    times = physics.refractory_time + physics.holdoff_time
    np.testing.assert_allclose(times, [1.0, 20.0], rtol=0.03)


def test_targets_that_no_population_sets(pynn):
    target = pynn.SpikingCalibTarget(Target(holdoff_time=1.0, refractory_time=3.0))
    pynn.setup(injected_calib_target=target)
    pynn.Population(1, pynn.cells.CalibHXNeuronCuba(tau_refrac=3.0))
    pynn.run(None, pynn.RunCommand.PREPARE)
    state = pynn.simulator.state
    physics = state.mapping.physics(state.configuration, 0)
    np.testing.assert_allclose(physics.holdoff_time, 1.0, rtol=0.1)
    np.testing.assert_allclose(physics.refractory_time, 2.0, rtol=0.1)


# ---- sources -----------------------------------------------------------------------------------

TIMES = [0.01, 0.03, 0.05]


@pytest.mark.parametrize(
    "given",
    [TIMES, np.array(TIMES), parameters.Sequence(TIMES), [TIMES] * 2, [np.array(TIMES)] * 2],
)
def test_kinds_of_spike_times(network, given):
    source = network.Population(2, network.cells.SpikeSourceArray(spike_times=given))
    assert source.get("spike_times") == parameters.Sequence(TIMES)
    source.set(spike_times=[[0.02], [0.04, 0.06]])
    source.record("spikes")
    network.run(0.1)
    trains = source.get_data().segments[-1].spiketrains
    np.testing.assert_allclose(trains[0].magnitude, [0.02], atol=8e-6)
    np.testing.assert_allclose(trains[1].magnitude, [0.04, 0.06], atol=8e-6)


def test_sources_have_only_spikes(network):
    for source in (
        network.cells.SpikeSourceArray(),
        network.cells.SpikeSourcePoisson(start=0, rate=1e4, duration=1),
        network.cells.SpikeSourcePoissonOnChip(rate=1e4, seed=1),
    ):
        population = network.Population(1, source)
        assert population.celltype.recordable == ["spikes"]
        with pytest.raises(network.errors.RecordingError):
            population.record("v")


def test_off_chip_sources(network):
    with pytest.raises(ValueError, match="label must be provided"):
        network.cells.OffChipSource()
    network.Population(2, network.cells.OffChipSource(label=[1, 2]))
    with pytest.raises(NotImplementedError, match="OffChipSource"):
        network.run(0.1)


def test_parameters_of_poisson_sources_are_required(network):
    with pytest.raises(TypeError):
        network.cells.SpikeSourcePoisson(rate=1e4)
    with pytest.raises(TypeError):
        network.cells.SpikeSourcePoissonOnChip(rate=1e4)


# ---- size --------------------------------------------------------------------------------------


def test_as_many_neurons_as_circuits(network):
    network.Population(N_CIRCUITS, network.cells.HXNeuron())
    network.run(0.01)
    network.reset()
    network.Population(1, network.cells.HXNeuron())
    with pytest.raises(RuntimeError, match="Placement unsuccessful.*use fewer neurons"):
        network.run(0.01)


def test_a_short_permutation_has_fewer_places(pynn):
    pynn.setup(neuronPermutation=[5, 6])
    pynn.Population(3, pynn.cells.HXNeuron())
    with pytest.raises(RuntimeError, match="Placement unsuccessful"):
        pynn.run(None, pynn.RunCommand.PREPARE)


def test_populations_without_cells(network):
    with pytest.raises(ValueError, match="size=0"):
        network.Population(0, network.cells.HXNeuron())
