"""Recording: devices, formats, and what of it the chip can't do."""

import neo
import numpy as np
import pytest

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.pynn import observables
from hw_targets.brainscales2.readout import MADC_PERIOD_US
from hw_targets.brainscales2.transfer import MADC_OFFSET, MADC_PER_CADC


@pytest.fixture
def network(pynn):
    pynn.setup()
    return pynn


def signals(population, variables="all"):
    return population.get_data(variables).segments[-1].irregularlysampledsignals


# ---- formats -----------------------------------------------------------------------------------


def test_format_of_analog_signals(network):
    neurons = network.Population(2, network.cells.CalibHXNeuronCuba(), label="mine")
    neurons[0:1].record(["v"])
    network.run(0.42)
    (signal,) = signals(neurons, "v")
    assert isinstance(signal, neo.IrregularlySampledSignal)
    assert signal.units.dimensionality.string == "dimensionless"
    assert signal.times.units.dimensionality.string == "ms"
    assert signal.name == "v"
    assert signal.annotations == {
        "device": "madc", "source_ids": [0], "source_locations": ["unlabeled"],
        "source_population": "mine", "source_compartments": [0],
    }  # fmt: skip
    assert signal.array_annotations["channel_index"].tolist() == [0]
    n = int(np.ceil(420.0 / MADC_PERIOD_US))
    assert signal.shape == (n, 1)
    values = signal.magnitude[:, 0]
    assert ((values >= 0) & (values <= limits.MADC_MAX) & (values == np.rint(values))).all()
    # At rest, 80 LSB of the CADC, within the calibration's errors (3 LSB).
    assert abs(values.mean() - (MADC_OFFSET + MADC_PER_CADC * 80)) < 4 * 3 * MADC_PER_CADC
    # Time stamps are on the grid of 8 ns.
    clock = signal.times.magnitude.astype(float) * 125e3
    assert np.abs(clock - np.rint(clock)).max() < 0.01
    np.testing.assert_allclose(np.mean(np.diff(clock)), MADC_PERIOD_US * 125, rtol=1e-3)
    assert len(signals(neurons[1:2], "v")) == 0


def test_format_of_spike_trains(network):
    neurons = network.Population(3, network.cells.HXNeuron(), label="mine")
    network.Population(1, network.cells.HXNeuron())
    neurons[1:].record("spikes")
    network.run(0.1, network.RunCommand.APPEND)
    network.run(0.2)
    trains = neurons.get_data().segments[0].spiketrains
    assert [train.annotations["source_id"] for train in trains] == [1, 2, 1, 2]
    assert [train.annotations["source_index"] for train in trains] == [1, 2, 1, 2]
    assert trains[0].annotations["source_population"] == "mine"
    assert trains[0].annotations["source_location"] == "unlabeled"
    assert trains[0].annotations["source_compartment"] == 0
    spans = [(float(train.t_start), float(train.t_stop)) for train in trains]
    np.testing.assert_allclose(spans, [(0.0, 0.1)] * 2 + [(0.1, 0.3)] * 2)


def test_only_recorded_neurons_have_trains(network):
    populations = [network.Population(4, network.cells.HXNeuron()) for _ in range(3)]
    populations[0].record(["spikes"])
    network.PopulationView(populations[1], [0]).record(["spikes"])
    network.run(0.1)
    found = [len(p.get_data().segments[0].spiketrains) for p in populations]
    assert found == [4, 1, 0]
    assert populations[0].get_spike_counts() == {0: 0, 1: 0, 2: 0, 3: 0}
    assert len(populations[0][:2].get_data().segments[0].spiketrains) == 2


def test_spike_counts(ideal):
    neurons = ideal.Population(2, ideal.cells.CalibHXNeuronCuba(v_rest=[80.0, 150.0]))
    neurons.record("spikes")
    ideal.run(0.1, ideal.RunCommand.APPEND)
    ideal.run(0.1)
    trains = neurons.get_data().segments[-1].spiketrains
    n = sum(len(t) for t in trains)
    assert n > 10
    assert neurons.get_spike_counts() == {0: 0, 1: n}
    assert neurons.mean_spike_count() == n / 2


def test_variables_can_be_chosen(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    neurons.record(["v", "spikes"])
    network.run(0.01)
    network.reset()
    network.run(0.01)
    for segment in neurons.get_data("v").segments:
        assert (len(segment.spiketrains), len(segment.irregularlysampledsignals)) == (0, 1)
    for segment in neurons.get_data("spikes").segments:
        assert (len(segment.spiketrains), len(segment.irregularlysampledsignals)) == (1, 0)
    for segment in neurons.get_data().segments:
        assert (len(segment.spiketrains), len(segment.irregularlysampledsignals)) == (1, 1)


def test_recordings_are_written_to_files(network, tmp_path):
    path = tmp_path / "recorded.pkl"
    neurons = network.Population(1, network.cells.HXNeuron())
    neurons.record("spikes", to_file=str(path))
    network.run(0.1)
    network.end()
    (block,) = neo.io.PickleIO(str(path)).read()
    assert len(block.segments[0].spiketrains) == 1


# ---- devices -----------------------------------------------------------------------------------


def test_two_neurons_of_different_parity(network):
    neurons = network.Population(3, network.cells.HXNeuron())
    neurons[0:1].record(["v"])
    neurons[1:2].record(["v"])
    network.run(0.1)
    assert len(signals(neurons)) == 2
    assert len(signals(neurons[1:2])) == 1
    assert len(signals(neurons[2:3])) == 0


def test_two_neurons_of_the_same_parity(pynn):
    pynn.setup(neuronPermutation=[4, 6, 7])
    neurons = pynn.Population(3, pynn.cells.HXNeuron())
    neurons[0:2].record("v")
    with pytest.raises(RuntimeError, match="circuits 4 and 6.*one channel for circuits of even"):
        pynn.run(0.1)
    assert pynn.simulator.state.snippets == []
    neurons.record(None)
    neurons[1:3].record("v")
    pynn.run(0.1)


def test_three_neurons(network):
    neurons = network.Population(3, network.cells.HXNeuron())
    with pytest.raises(ValueError, match="at most two neurons/locations via MADC"):
        neurons.record("v")
    neurons[:2].record("v")
    neurons[:1].record("v")
    with pytest.raises(ValueError, match="at most two neurons/locations via MADC"):
        neurons[2:].record("v")


def test_one_analog_variable_per_neuron(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.raises(ValueError, match="1 analog record type per neuron"):
        neurons.record(["v", "inh_synin"])
    neurons.record("v")
    for device in ("madc", "cadc", "pad_0"):
        with pytest.raises(ValueError, match="Only one source can be recorded per neuron"):
            neurons.record("inh_synin", device=device)
    neurons.record(None)
    for variable in ("v", "exc_synin", "inh_synin", "adaptation"):
        neurons.record(variable)
        neurons.record(None)


@pytest.mark.parametrize("device", ["oscilloscope", "pad_2", "pad", "pad_0_loud", "pad_0_"])
def test_unknown_devices(network, device):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.raises(ValueError, match="is not supported"):
        neurons.record("v", device=device)


def test_unknown_variables(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.raises(network.errors.RecordingError, match="undefined_variable"):
        neurons.record(["spikes", "undefined_variable"])
    assert neurons.recorder.recorded == {}


def test_sampling_intervals_are_fixed(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.raises(NotImplementedError, match="Sampling interval not implemented"):
        neurons.record("v", sampling_interval=0.1)


def test_locations_need_compartments(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.raises(RuntimeError, match="recording locations"):
        neurons.record("v", locations=["dendrite"])


def test_the_cadc_records_all_neurons_for_a_while(network):
    neurons = network.Population(limits.N_CIRCUITS, network.cells.CalibHXNeuronCuba())
    neurons.record("v", device="cadc")
    network.run(0.5)
    found = signals(neurons)
    assert len(found) == limits.N_CIRCUITS
    assert {signal.shape for signal in found} == {(limits.CADC_SAMPLES_MAX, 1)}
    assert {signal.annotations["device"] for signal in found} == {"cadc"}
    times = found[0].times.magnitude
    np.testing.assert_allclose(np.diff(times), limits.CADC_PERIOD_US * 1e-3, atol=8.1e-6)
    values = np.array([signal.magnitude.mean() for signal in found])
    assert abs(values.mean() - 80) < 1.0 and 0.5 < values.std() < 4.0
    assert values.max() <= limits.CADC_MAX


def test_cadc_channels_are_offset_unless_calibrated(network):
    chip = network.simulator.state.configuration.chip
    neurons = network.Population(
        50,
        network.cells.HXNeuron(
            leak_v_leak=629, leak_i_bias=158, membrane_capacitance_capacitance=63
        ),
    )
    neurons.record("v", device="cadc")
    network.run(0.05)
    state = network.simulator.state
    physics = state.mapping.physics(state.configuration, 0)
    found = np.array([signal.magnitude.mean() for signal in signals(neurons)])
    expected = physics.leak_potential + physics.current / physics.leak_rate + chip.cadc_offset[:50]
    inside = (expected > 5) & (expected < 250)
    assert inside.sum() > 20
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.51)


def test_both_converters_at_once(network):
    neurons = network.Population(1, network.cells.CalibHXNeuronCuba())
    neurons.record("v")
    neurons.record("v", device="cadc")
    network.run(0.1)
    madc, cadc = signals(neurons)
    assert (madc.annotations["device"], cadc.annotations["device"]) == ("madc", "cadc")
    np.testing.assert_allclose(
        madc.magnitude.mean(), MADC_OFFSET + MADC_PER_CADC * cadc.magnitude.mean(),
        # Offset of the calibrated channel, four standard deviations, and rounding.
        atol=MADC_PER_CADC * 4.5,
    )  # fmt: skip


def test_pads_record_nothing(network):
    neurons = network.Population(2, network.cells.HXNeuron())
    neurons[0:1].record("v", device="pad_0_buffered")
    neurons[1:2].record("v", device="pad_1_unbuffered")
    for device in ("pad_0", "pad_0_unbuffered"):
        with pytest.raises(ValueError, match="per pad"):
            neurons[1:2].record("v", device=device)
    with pytest.raises(ValueError, match="single neuron per pad"):
        neurons.record("v", device="pad_0")
    network.run(0.1)
    assert len(signals(neurons)) == 0


def test_recording_can_be_changed_between_runs(network):
    first, second, third = (network.Population(1, network.cells.HXNeuron()) for _ in range(3))
    first.record(["v"])
    second.record(["v"])
    network.run(0.01)
    assert [len(signals(p)) for p in (first, second, third)] == [1, 1, 0]
    first.record(None)
    third.record(["v"])
    assert [len(signals(p)) for p in (first, second, third)] == [0, 1, 0]
    network.reset()
    network.run(0.01)
    assert [len(signals(p)) for p in (first, second, third)] == [0, 1, 1]


def test_clearing_keeps_what_is_recorded(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    neurons.record(["v", "spikes"])
    network.run(0.01)
    assert len(neurons.get_data(clear=True).segments[0].spiketrains) == 1
    assert len(neurons.get_data().segments[0].spiketrains) == 0
    assert len(signals(neurons)) == 0
    network.reset()
    network.run(0.01)
    assert len(neurons.get_data().segments) == 1 and len(signals(neurons)) == 1


# ---- readings ----------------------------------------------------------------------------------


def test_noise_of_readings(pynn):
    pynn.configure(chip=1, noise=True)
    pynn.setup()
    neurons = pynn.Population(1, pynn.cells.CalibHXNeuronCuba())
    neurons.record("v")
    pynn.run(0.2, pynn.RunCommand.APPEND)
    pynn.run(0.2)
    first, second = (signal.magnitude[:, 0] for signal in signals(neurons))
    # Noise of the converter and of rounding.
    expected = np.hypot(1.5, np.sqrt(1 / 12))
    for values in (first, second):
        assert values.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * values.size))
    n = min(first.size, second.size)
    assert abs(np.corrcoef(first[:n], second[:n])[0, 1]) < 4 / np.sqrt(n)


def test_runs_differ_and_repeat(pynn):
    def run():
        pynn.configure(chip=1, noise=True)
        means = []
        pynn.setup()
        neurons = pynn.Population(1, pynn.cells.CalibHXNeuronCuba())
        neurons.record("v")
        for _ in range(3):
            pynn.run(0.05)
            means.append(signals(neurons)[0].magnitude[:, 0])
            pynn.reset()
        return np.array(means)

    first, again = run(), run()
    np.testing.assert_array_equal(first, again)
    assert np.std(first.mean(axis=1)) > 0.5


def test_synaptic_inputs(ideal):
    neurons = ideal.Population(2, ideal.cells.CalibHXNeuronCuba(tau_syn_E=5.0, tau_syn_I=8.0))
    source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=[0.02]))
    for receptor, weight in (("excitatory", 50), ("inhibitory", -50)):
        ideal.Projection(source, neurons, ideal.AllToAllConnector(), receptor_type=receptor,
                         synapse_type=ideal.synapses.StaticSynapse(weight=weight))  # fmt: skip
    neurons[0:1].record("exc_synin")
    neurons[1:2].record("inh_synin")
    ideal.run(0.1)
    for signal, tau in zip(signals(neurons), (5e-3, 8e-3), strict=True):
        cadc = (signal.magnitude[:, 0] - MADC_OFFSET) / MADC_PER_CADC
        times = signal.times.magnitude
        drop = 50 * observables.INPUT_PER_WEIGHT * np.exp(-(times - 0.02) / tau) * (times > 0.02)
        # Samples are taken at the nearest 4 ns.
        np.testing.assert_allclose(cadc, observables.INPUT_REST - drop, atol=3e-3)


def test_adaptation_follows_the_membrane(ideal):
    # At rest its current is a times the membrane's distance from v_leak, and its voltage as far
    # from v_ref as the current needs.
    a, v_leak, v_ref = 100, 300, 400
    neurons = ideal.Population(
        2,
        ideal.cells.HXNeuron(
            leak_v_leak=700, leak_i_bias=300, membrane_capacitance_capacitance=63,
            adaptation_enable=True, adaptation_i_bias_a=a, adaptation_i_bias_tau=1022,
            adaptation_v_leak=v_leak, adaptation_v_ref=v_ref,
        ),
    )  # fmt: skip
    neurons[0:1].record("v")
    neurons[1:2].record("adaptation")
    ideal.run(1.0)
    adaptation, membrane = (
        (signal.magnitude[-1, 0] - MADC_OFFSET) / MADC_PER_CADC for signal in signals(neurons)
    )
    current = transfer.leak_rate(np.array(a)) * (membrane - transfer.DIRECT(v_leak))
    expected = transfer.DIRECT(v_ref) + current / observables.ADAPTATION_CONDUCTANCE
    assert adaptation == pytest.approx(expected, abs=0.01)
