"""Set-up and control of runs: every rule of the vendor's interface."""

import numpy as np
import pytest

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.calibration import Target, calibrate
from hw_targets.brainscales2.chip import Chip

NAMES = """
list_standard_models InjectedConfiguration InjectedReadout RunCommand setup end run run_for
run_until preprocess reset initialize get_current_time get_time_step get_min_delay get_max_delay
num_processes rank create connect set record get_post_realtime_read get_pre_realtime_read
get_post_realtime_read_ppu_symbols get_backend_statistics get_execution_instance_data Population
PopulationView Assembly Projection Timer PlasticityRule cells synapses standardmodels simulator
helper space errors common logger AllToAllConnector OneToOneConnector FixedProbabilityConnector
DistanceDependentProbabilityConnector DisplacementDependentProbabilityConnector
IndexBasedProbabilityConnector FromListConnector FromFileConnector FixedNumberPreConnector
FixedNumberPostConnector SmallWorldConnector CSAConnector CloneConnector ArrayConnector
FixedTotalNumberConnector SpikingCalibTarget SpikingCalibOptions
""".split()


@pytest.mark.parametrize("name", NAMES)
def test_has_the_vendors_names(pynn, name):
    assert hasattr(pynn, name)


@pytest.mark.parametrize(
    "name", ["NumpyRNG", "DCSource", "IF_curr_exp", "STDPMechanism", "record_v", "Network"]
)
def test_has_not_what_the_vendor_has_not(pynn, name):
    assert not hasattr(pynn, name)


def test_standard_models(pynn):
    names = [model.__name__ for model in pynn.list_standard_models()]
    assert names == ["HXNeuron", "CalibHXNeuronCuba", "CalibHXNeuronCoba"]


# ---- setup -------------------------------------------------------------------------------------


def test_unknown_options_are_refused(pynn):
    with pytest.raises(KeyError, match="unhandled extra_params.*chip"):
        pynn.setup(chip=3)


def test_known_options_are_taken(pynn):
    pynn.setup(
        max_delay=0, neuronPermutation=[3, 1], backgroundPermutation=[2], initial_config=None,
        enable_neuron_bypass=False, injected_config=pynn.InjectedConfiguration(),
        injected_readout=pynn.InjectedReadout(), connection=None, calibration_cache=None,
        injected_calib_target=pynn.SpikingCalibTarget(),
        injected_calib_options=pynn.SpikingCalibOptions(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("permutation", "error"),
    [
        ([8, 8], ValueError),
        ([512], OverflowError),
        (range(513), OverflowError),
        ([-1], TypeError),
        ([0.5], TypeError),
    ],
)
def test_invalid_permutations(pynn, permutation, error):
    with pytest.raises(error, match="neuronPermutation"):
        pynn.setup(neuronPermutation=permutation)


@pytest.mark.parametrize("permutation", [[0, 3, 6], range(512), list(range(511, -1, -1))])
def test_valid_permutations(pynn, permutation):
    pynn.setup(neuronPermutation=permutation)
    neurons = pynn.Population(3, pynn.cells.HXNeuron())
    pynn.run(None, pynn.RunCommand.PREPARE)
    placement = pynn.simulator.state.neuron_placement
    assert placement.id2first_circuit(neurons.all_cells) == list(permutation)[:3]


@pytest.mark.parametrize("permutation", [[1, 1], [4], [-1], [0, 1, 2, 3, 3]])
def test_invalid_background_permutations(pynn, permutation):
    with pytest.raises(ValueError, match="backgroundPermutation"):
        pynn.setup(backgroundPermutation=permutation)


def test_delays_and_time_step(pynn):
    pynn.setup()
    assert (pynn.get_min_delay(), pynn.get_max_delay()) == (0, 0)
    assert pynn.get_time_step() == 3.4e-5
    assert pynn.simulator.state.record_sample_times is True
    assert (pynn.num_processes(), pynn.rank()) == (1, 0)


def test_injecting_raw_configuration_is_refused(pynn):
    with pytest.raises(NotImplementedError, match="pre_realtime"):
        pynn.setup(injected_config=pynn.InjectedConfiguration(pre_realtime={"coordinate": 1}))
    with pytest.raises(NotImplementedError, match="ppu_symbols"):
        pynn.setup(injected_readout=pynn.InjectedReadout(ppu_symbols={"symbol"}))


def test_nothing_works_before_setup_and_after_end(pynn):
    with pytest.raises(RuntimeError, match="setup"):
        pynn.Population(1, pynn.cells.HXNeuron())
    pynn.setup()
    pynn.end()
    with pytest.raises(RuntimeError, match="setup"):
        pynn.run(1.0)


def test_setup_forgets_the_network(pynn):
    pynn.setup()
    pynn.Population(3, pynn.cells.HXNeuron())
    pynn.setup()
    assert pynn.simulator.state.populations == []
    assert int(pynn.Population(1, pynn.cells.HXNeuron()).first_id) == 0


# ---- run ---------------------------------------------------------------------------------------


def test_append_needs_a_time(pynn):
    pynn.setup()
    with pytest.raises(ValueError, match="Appending a configuration that is executed for"):
        pynn.run(None, pynn.RunCommand.APPEND)


def test_execute_needs_something_scheduled(pynn):
    pynn.setup()
    with pytest.raises(ValueError, match="No experiment scheduled"):
        pynn.run(None, pynn.RunCommand.EXECUTE)
    with pytest.raises(ValueError, match="No experiment scheduled"):
        pynn.run(None)


def test_runs_are_not_stacked(pynn):
    pynn.setup()
    pynn.Population(1, pynn.cells.HXNeuron())
    pynn.run(0.1)
    with pytest.raises(RuntimeError, match=r"Call `pynn.reset\(\)` before calling `pynn.run\(\)`"):
        pynn.run(0.1)
    assert pynn.get_current_time() == 0.1
    pynn.reset()
    assert pynn.get_current_time() == 0.0
    pynn.run(0.2)
    assert pynn.get_current_time() == 0.2


def test_neurons_start_at_rest(pynn):
    # With synaptic inputs whose offsets the raw settings don't cancel.
    pynn.setup()
    neurons = pynn.Population(
        100,
        pynn.cells.HXNeuron(
            leak_v_leak=629, leak_i_bias=300, membrane_capacitance_capacitance=63,
            excitatory_input_enable=True, excitatory_input_i_bias_gm=300,
            excitatory_input_i_shift_reference=310,
        ),
    )  # fmt: skip
    neurons.record("v", device="cadc")
    pynn.run(0.1)
    signals = neurons.get_data().segments[-1].irregularlysampledsignals
    values = np.array([signal.magnitude[:, 0] for signal in signals])
    assert np.ptp(values, axis=1).max() <= 1
    assert values[:, 0].std() > 10


def test_spiking_neurons_start_anywhere_in_their_cycle(pynn):
    pynn.configure(chip=1, noise=True)
    pynn.setup()
    neurons = pynn.Population(200, pynn.cells.CalibHXNeuronCuba(v_rest=150.0, v_thresh=110.0))
    neurons.record("spikes")
    pynn.run(0.2)
    trains = [t.magnitude for t in neurons.get_data().segments[-1].spiketrains]
    share = np.array([train[0] / np.diff(train).mean() for train in trains])
    # Uniform potentials between reset and threshold: not all at once, none later than a cycle.
    assert share.max() < 1.0 and np.ptp(share) > 0.6


def test_procedural_functions(pynn):
    pynn.setup()
    with pytest.warns(DeprecationWarning):
        source = pynn.create(pynn.cells.SpikeSourceArray, {"spike_times": [0.01]}, n=2)
    with pytest.warns(DeprecationWarning):
        neurons = pynn.create(pynn.cells.CalibHXNeuronCuba, {"tau_m": 5.0}, n=3)
    with pytest.warns(DeprecationWarning):
        projection = pynn.connect(source, neurons, weight=3.0)
    with pytest.warns(DeprecationWarning):
        pynn.set(neurons, tau_m=6.0)
    assert neurons.get("tau_m") == 6.0
    assert projection.get("weight", format="list") == [
        (i, j, 3) for i in range(2) for j in range(3)
    ]
    pynn.run(0.1)


@pytest.mark.parametrize("name", ["grenade", "grenade_common"])
def test_registers_are_not_emulated(pynn, name):
    with pytest.raises(AttributeError, match="no registers"):
        getattr(pynn, name)


def test_invalid_commands(pynn):
    pynn.setup()
    with pytest.raises(ValueError, match="Passed command is invalid"):
        pynn.run(1.0, "execute")


@pytest.mark.parametrize("time", [-0.1, float("nan")])
def test_invalid_times(pynn, time):
    pynn.setup()
    with pytest.raises(ValueError, match="time >= 0"):
        pynn.run(time)


def test_the_longest_run(pynn):
    pynn.setup()
    longest = limits.RUN_TIME_MAX_S * 1e3
    pynn.run(longest / 2, pynn.RunCommand.APPEND)
    with pytest.raises(OverflowError, match="34359.7 ms"):
        pynn.run(longest / 2 + 0.001, pynn.RunCommand.APPEND)


@pytest.mark.parametrize(
    "name",
    ["get_post_realtime_read", "get_pre_realtime_read", "get_post_realtime_read_ppu_symbols"],
)
def test_realtime_reads_need_a_run(pynn, name):
    read = getattr(pynn, name)
    with pytest.raises(RuntimeError):
        read()
    pynn.setup()
    with pytest.raises(RuntimeError):
        read()
    pynn.run(0.01)
    assert read() == {}


def test_statistics_need_a_run(pynn):
    pynn.setup()
    for name in ("get_backend_statistics", "get_execution_instance_data"):
        with pytest.raises(RuntimeError):
            getattr(pynn, name)()
    pynn.Population(1, pynn.cells.HXNeuron())
    pynn.run(0.25)
    assert pynn.get_backend_statistics().num_populations == 1
    assert pynn.get_execution_instance_data().realtime_duration_s == pytest.approx(0.25e-3)


def test_prepare_only_prepares(pynn):
    pynn.setup()
    neurons = pynn.Population(2, pynn.cells.CalibHXNeuronCuba())
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert pynn.get_current_time() == 0.0
    assert len(neurons.actual_hwparams) == 2
    pynn.reset()
    with pytest.warns(DeprecationWarning):
        pynn.preprocess()


def test_run_until(pynn):
    pynn.setup()
    pynn.run(0.1, pynn.RunCommand.APPEND)
    with pytest.raises(ValueError, match="past"):
        pynn.run_until(0.05)
    pynn.run_until(0.3)
    assert pynn.get_current_time() == pytest.approx(0.3)
    assert pynn.simulator.state.runtimes == pytest.approx([0.1, 0.2])


def test_preparing_with_an_error_schedules_nothing(pynn):
    pynn.setup()
    neurons = pynn.Population(1, pynn.cells.HXNeuron(leak_v_leak=1023))
    with pytest.raises(OverflowError):
        pynn.run(0.1, pynn.RunCommand.APPEND)
    neurons.set(leak_v_leak=1022)
    pynn.run(0.2)
    assert pynn.get_current_time() == 0.2


# ---- snippets ----------------------------------------------------------------------------------


def test_weights_change_from_snippet_to_snippet(ideal):
    neuron = ideal.Population(1, ideal.cells.CalibHXNeuronCuba())
    source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=[0.0, 0.2, 0.4]))
    projection = ideal.Projection(source, neuron, ideal.AllToAllConnector())
    neuron.record("v")
    for weight in (10, 30, 20):
        projection.set(weight=weight)
        ideal.run(0.2, ideal.RunCommand.APPEND)
    ideal.run(None, ideal.RunCommand.EXECUTE)
    signals = neuron.get_data().segments[0].irregularlysampledsignals
    rest = 64 + 3 * 80
    peaks = [float(signal.magnitude.max()) - rest for signal in signals]
    assert len(signals) == 3
    np.testing.assert_allclose(np.array(peaks) / peaks[0], [1, 3, 2], rtol=1e-3)
    for k, signal in enumerate(signals):
        # Between samples and in single precision.
        assert 0.2 * k - 1e-7 <= float(signal.times[0]) < 0.2 * k + 4e-5
        assert float(signal.times[-1]) < 0.2 * (k + 1)


def test_potentials_continue_from_snippet_to_snippet(ideal):
    # One neuron that is charged by an event right before the second snippet.
    neuron = ideal.Population(1, ideal.cells.CalibHXNeuronCuba())
    source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=[0.09]))
    ideal.Projection(source, neuron, ideal.AllToAllConnector(),
                     synapse_type=ideal.synapses.StaticSynapse(weight=60))  # fmt: skip
    neuron.record("v")
    ideal.run(0.2)
    whole = neuron.get_data().segments[-1].irregularlysampledsignals[0]
    ideal.reset()
    ideal.run(0.1, ideal.RunCommand.APPEND)
    ideal.run(0.1)
    parts = neuron.get_data().segments[-1].irregularlysampledsignals
    times = np.concatenate([part.times.magnitude for part in parts])
    values = np.concatenate([part.magnitude[:, 0] for part in parts])
    expected = np.interp(times, whole.times.magnitude, whole.magnitude[:, 0])
    # Interpolated over 34 ns of a course that bends by 3 * 0.3 LSB/us^2 at most.
    np.testing.assert_allclose(values, expected, atol=0.02)


def test_parameters_change_from_snippet_to_snippet(ideal):
    neuron = ideal.Population(1, ideal.cells.CalibHXNeuronCuba(v_rest=100.0))
    neuron.record("spikes")
    ideal.run(0.1, ideal.RunCommand.APPEND)
    neuron.set(v_thresh=95.0)
    ideal.run(0.1, ideal.RunCommand.APPEND)
    neuron.set(v_thresh=150.0)
    ideal.run(0.1)
    trains = neuron.get_data().segments[-1].spiketrains
    # At once, and then after each refractory period and rise from 70 to 95 towards 100.
    interval = 2e-3 + 10e-3 * np.log(30.0 / 5.0)
    assert [len(train) for train in trains] == [0, 1 + int(0.1 / interval), 0]
    assert float(trains[1][0]) == pytest.approx(0.1, abs=2e-5)
    assert [float(train.t_start) for train in trains] == pytest.approx([0.0, 0.1, 0.2])


def test_a_refractory_period_lasts_into_the_next_snippet(ideal):
    neuron = ideal.Population(
        1, ideal.cells.CalibHXNeuronCuba(v_rest=140.0, v_thresh=125.0, tau_refrac=30.0)
    )
    neuron.record("spikes")
    ideal.run(0.2)
    (whole,) = neuron.get_data().segments[-1].spiketrains
    ideal.reset()
    first = float(whole[0])
    ideal.run(first + 0.004, ideal.RunCommand.APPEND)
    ideal.run(0.2 - first - 0.004)
    parts = neuron.get_data().segments[-1].spiketrains
    joined = np.concatenate([part.magnitude for part in parts])
    # Snippets begin on the grid of 8 ns.
    np.testing.assert_allclose(joined, whole.magnitude, atol=2.4e-5)


def test_the_network_stays_the_same_within_a_run(pynn):
    pynn.setup()
    pynn.Population(1, pynn.cells.HXNeuron())
    pynn.run(0.1, pynn.RunCommand.APPEND)
    pynn.Population(1, pynn.cells.HXNeuron())
    with pytest.raises(RuntimeError, match="other neurons"):
        pynn.run(0.1)


# ---- segments ----------------------------------------------------------------------------------


def test_one_segment_per_reset(pynn):
    pynn.setup()
    neurons = pynn.Population(2, pynn.cells.HXNeuron())
    neurons.record("spikes")
    for k in range(3):
        pynn.run(0.1)
        assert len(neurons.get_data().segments) == k + 1
        pynn.reset()
    segments = neurons.get_data().segments
    assert [segment.name for segment in segments] == ["segment000", "segment001", "segment002"]
    assert all(len(segment.spiketrains) == 2 for segment in segments)


def test_clearing_drops_segments(pynn):
    pynn.setup()
    neurons = pynn.Population(1, pynn.cells.HXNeuron())
    neurons.record("spikes")
    pynn.run(0.1)
    pynn.reset()
    pynn.run(0.1)
    assert len(neurons.get_data(clear=True).segments) == 2
    pynn.reset()
    pynn.run(0.1)
    assert len(neurons.get_data().segments) == 1


def test_no_segments_before_a_run(pynn):
    pynn.setup()
    assert len(pynn.Population(1, pynn.cells.HXNeuron()).get_data().segments) == 0


# ---- initial configuration ---------------------------------------------------------------------


@pytest.fixture
def calibrated():
    return calibrate(Chip.virtual(1), Target(threshold=150.0))


def test_initial_configuration_is_read_once_placed(pynn, calibrated):
    pynn.setup(initial_config=calibrated, neuronPermutation=[7, 300])
    neurons = pynn.Population(2, pynn.cells.HXNeuron(leak_v_leak=123))
    with pytest.raises(RuntimeError, match="PREPARE"):
        neurons.get("threshold_v_threshold")
    with pytest.raises(RuntimeError, match="PREPARE"):
        neurons.set(leak_v_leak=1)
    pynn.run(None, pynn.RunCommand.PREPARE)
    expected = calibrated["threshold_v_threshold"][[7, 300]]
    np.testing.assert_array_equal(neurons.get("threshold_v_threshold"), expected)
    # The user's parameters have precedence.
    assert neurons.get("leak_v_leak") == 123
    neurons.set(threshold_enable=False)
    assert not neurons.get("threshold_enable")


def test_initial_configuration_acts(pynn, calibrated):
    pynn.setup(initial_config=calibrated)
    spiking, silent = (
        pynn.Population(1, pynn.cells.HXNeuron(**parameters))
        for parameters in ({}, {"threshold_enable": False})
    )
    source = pynn.Population(10, pynn.cells.SpikeSourceArray(spike_times=[0.05]))
    for neurons in (spiking, silent):
        neurons.record("spikes")
        pynn.Projection(source, neurons, pynn.AllToAllConnector(),
                        synapse_type=pynn.synapses.StaticSynapse(weight=63))  # fmt: skip
    pynn.run(0.1)
    assert len(spiking.get_data().segments[-1].spiketrains[0]) > 0
    assert len(silent.get_data().segments[-1].spiketrains[0]) == 0


def test_initial_configuration_of_another_kind(pynn):
    with pytest.raises(TypeError, match="initial_config"):
        pynn.setup(initial_config={"leak": 1})


def test_nightly_calibration(pynn, tmp_path, monkeypatch):
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path))
    path = pynn.helper.nightly_calib_path()
    assert pynn.helper.get_unique_identifier() in path.name
    from_file, direct = pynn.helper.chip_from_file(path), pynn.helper.chip_from_nightly()
    np.testing.assert_array_equal(from_file["leak_v_leak"], direct["leak_v_leak"])
    pynn.setup(initial_config=from_file)


# ---- bypass ------------------------------------------------------------------------------------


def test_bypassed_neurons_forward_each_event(pynn):
    pynn.setup(enable_neuron_bypass=True)
    times = np.arange(0.1, 5.0, 0.0371)
    first = pynn.Population(1, pynn.cells.HXNeuron())
    second = pynn.Population(1, pynn.cells.HXNeuron())
    third = pynn.Population(1, pynn.cells.HXNeuron())
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=times))
    synapse = pynn.synapses.StaticSynapse
    pynn.Projection(source, first, pynn.AllToAllConnector(), synapse_type=synapse(weight=1))
    pynn.Projection(first, second, pynn.AllToAllConnector(), synapse_type=synapse(weight=-63),
                    receptor_type="inhibitory")  # fmt: skip
    pynn.Projection(source, third, pynn.AllToAllConnector(), synapse_type=synapse(weight=0))
    for neurons in (first, second, third):
        neurons.record("spikes")
    pynn.run(5.0)
    trains = [n.get_data().segments[-1].spiketrains[0].magnitude for n in (first, second, third)]
    grid = np.array([int(t * 1000 * 125) for t in times]) / 125e3
    np.testing.assert_allclose(trains[0], grid + 8e-6, atol=1e-9)
    np.testing.assert_allclose(trains[1], grid + 16e-6, atol=1e-9)
    assert trains[2].size == 0
