"""What scripts in the style of the vendor's demos do besides the main road."""

import importlib

import numpy as np
import pytest

from hw_targets.brainscales2 import transfer
from hw_targets.brainscales2.pynn.morphology import (
    Compartment,
    SharedLineConnection,
    create_mc_neuron,
)
from hw_targets.brainscales2.pynn.switches import CONDUCTANCE, LINE_RIGHT, RIGHT, TO_LINE, VERTICAL
from hw_targets.brainscales2.pynn.switches import join as join_switches
from hw_targets.brainscales2.routing import PlacedSynapse
from hw_targets.brainscales2.vendor import hal, halco, lola, sta

PASSIVE = {
    "leak_v_leak": 600, "leak_i_bias": 150, "membrane_capacitance_capacitance": 63,
    "excitatory_input_enable": True, "excitatory_input_i_bias_tau": 80,
    "excitatory_input_i_bias_gm": 500, "excitatory_input_i_shift_reference": 300,
}  # fmt: skip
LEAK_OVER_THRESHOLD = {
    "leak_v_leak": 1000, "leak_i_bias": 200, "membrane_capacitance_capacitance": 63,
    "threshold_enable": True, "threshold_v_threshold": 400, "reset_v_reset": 400,
    "reset_i_bias": 1022, "reset_enable_multiplication": True,
    "refractory_period_refractory_time": 255,
}  # fmt: skip
READOUT = {"membrane_capacitance_capacitance": 0, "leak_i_bias": 0, "leak_enable_division": True}


def trace(recorded):
    return recorded.get_data("v").segments[-1].irregularlysampledsignals[0].magnitude.ravel()


def spike_times(recorded):
    return np.array(recorded.get_data("spikes").segments[-1].spiketrains[0])


# ---- membranes that switches connect ------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "groups"),
    [
        ({0: {RIGHT}, 1: set()}, [(0, 1)]),
        ({0: set(), 1: {RIGHT}}, []),
        ({3: {RIGHT}, 4: {RIGHT}, 5: set()}, [(3, 4, 5)]),
        ({2: {VERTICAL}, 258: set(), 3: set()}, [(2, 258)]),
        ({2: set(), 258: {VERTICAL}}, [(2, 258)]),
        ({255: {RIGHT}, 256: set()}, []),
        ({0: {TO_LINE, LINE_RIGHT}, 1: {LINE_RIGHT}, 2: {TO_LINE}}, [(0, 2)]),
        ({0: {TO_LINE}, 1: {TO_LINE}}, []),
        ({255: {TO_LINE, LINE_RIGHT}, 256: {TO_LINE}}, []),
    ],
)
def test_groups_of_membranes(closed, groups):
    assert sorted(set(join_switches(closed).groups.values())) == groups


def test_ends_of_lines():
    chain = {
        0: {RIGHT}, 1: {CONDUCTANCE, LINE_RIGHT}, 2: {TO_LINE, RIGHT},
        3: {CONDUCTANCE, LINE_RIGHT}, 4: {CONDUCTANCE}, 9: {CONDUCTANCE},
    }  # fmt: skip
    found = {line.resistive: line.direct for line in join_switches(chain).lines}
    assert found == {((0, 1),): 2, ((2, 3), (4, 4)): None, ((9, 9),): None}


def test_readout_through_a_neighbour(ideal):
    pair = ideal.Population(2, ideal.cells.HXNeuron(**LEAK_OVER_THRESHOLD))
    pair[1:2].set(threshold_enable=False, **READOUT)
    pair.record(["spikes"])
    pair.record(["v"])
    traces, counts = {}, {}
    for connected in (False, True):
        pair[0:1].set(multicompartment_connect_right=connected)
        ideal.run(0.05)
        traces[connected] = [trace(pair[k : k + 1]) for k in range(2)]
        counts[connected] = [spike_times(pair[k : k + 1]).size for k in range(2)]
        ideal.reset()
    own, other = traces[False]
    assert np.abs(own - other).max() > 50
    np.testing.assert_array_equal(*traces[True])
    assert counts[True][0] >= 5
    # The neighbour hasn't a threshold, so it doesn't spike, though its membrane is that of one
    # which does.
    assert counts[True][1] == counts[False][1] == 0


def test_neuron_without_threshold_sends_nothing_on(ideal):
    pair = ideal.Population(2, ideal.cells.HXNeuron(**LEAK_OVER_THRESHOLD))
    pair[1:2].set(threshold_enable=False, **READOUT)
    pair[0:1].set(multicompartment_connect_right=True)
    post = ideal.Population(1, ideal.cells.HXNeuron(**PASSIVE))
    post.record(["v"])
    synapse = ideal.synapses.StaticSynapse(weight=63)
    peaks = []
    for pre in range(2):
        projection = ideal.Projection(pair[pre : pre + 1], post, ideal.AllToAllConnector(), synapse)
        ideal.run(0.05)
        peaks.append(np.ptp(trace(post)))
        projection.set(weight=0)
        ideal.reset()
    assert peaks[0] > 10
    assert peaks[1] < 1e-6


def test_switch_towards_a_circuit_without_neuron_has_no_effect(ideal):
    pair = ideal.Population(1, ideal.cells.HXNeuron(**LEAK_OVER_THRESHOLD))
    pair.record(["v"])
    ideal.run(0.02)
    before = trace(pair)
    ideal.reset()
    pair.set(multicompartment_connect_right=True)
    ideal.run(0.02)
    np.testing.assert_array_equal(trace(pair), before)


def attenuated(pynn, population, stimulated, recorded):
    """Heights of the potential at each recorded place after an event at the stimulated one."""
    source = pynn.Population(5, pynn.cells.SpikeSourceArray(spike_times=[0.05]))
    pynn.Projection(source, stimulated[0], stimulated[1], pynn.synapses.StaticSynapse(weight=40))
    heights = []
    for cells, locations in recorded:
        cells.record(["v"], locations=locations)
        pynn.run(0.1)
        found = trace(cells)
        heights.append(found.max() - found[:100].mean())
        population.record(None)
        pynn.reset()
    return heights


def test_chain_by_switches_is_the_chain_by_compartments(ideal):
    """Two circuits per compartment; the second one's conductance leads to the next compartment."""
    length, bias = 3, 400
    circuits = ideal.Population(2 * length, ideal.cells.HXNeuron(**PASSIVE))
    second = slice(1, None, 2)
    circuits[0::2].set(multicompartment_connect_right=True)
    circuits[2::2].set(multicompartment_connect_soma=True)
    circuits[1:-1:2].set(
        multicompartment_enable_conductance=True, multicompartment_connect_soma_right=True,
        multicompartment_i_bias_nmda=bias,
    )  # fmt: skip
    by_switches = attenuated(
        ideal,
        circuits,
        (circuits[1:2], ideal.AllToAllConnector()),
        [(circuits[k : k + 1], None) for k in range(2 * length)[second]],
    )
    ideal.setup()
    compartments = [
        Compartment(
            positions=[2 * k, 2 * k + 1],
            label=str(k),
            connect_shared_line=[2 * k] if k else None,
            connect_conductance=[(2 * k + 1, bias)] if k < length - 1 else None,
        )
        for k in range(length)
    ]
    lines = [
        SharedLineConnection(start=2 * k + 1, stop=2 * k + 2, row=0) for k in range(length - 1)
    ]
    neuron = ideal.Population(1, create_mc_neuron("Chain", compartments, lines)(**PASSIVE))
    by_compartments = attenuated(
        ideal,
        neuron,
        (neuron, ideal.AllToAllConnector(location_selector="0")),
        [(neuron, [str(k)]) for k in range(length)],
    )
    np.testing.assert_allclose(by_switches, by_compartments, rtol=1e-9)
    assert by_switches[0] > 2 * by_switches[1] > 0
    assert by_switches[1] > 1.5 * by_switches[2] > 0


def joined_pair(pynn, **second):
    """Two neurons on circuits 31 and 32, whose membranes are connected."""
    pynn.setup(neuronPermutation=[31, 32, 40])
    pair = pynn.Population(2, pynn.cells.HXNeuron(**PASSIVE))
    pair[0:1].set(multicompartment_connect_right=True)
    pair[1:2].set(**second)
    return pair


def test_synapses_of_joined_neurons_are_those_of_their_own_circuits(ideal):
    pair = joined_pair(ideal)
    source = ideal.Population(4, ideal.cells.SpikeSourceArray())
    projections = [
        ideal.Projection(source, pair[k : k + 1], ideal.AllToAllConnector()) for k in range(2)
    ]
    ideal.run(None, ideal.RunCommand.PREPARE)
    for projection, circuit in zip(projections, (31, 32), strict=True):
        columns = [synapses[0].column for synapses in projection.placed_connections]
        assert columns == [circuit] * 4


def test_events_act_through_the_input_of_their_own_circuit(ideal):
    """The same current into the same capacitance, whatever the other circuit's input does."""
    heights = {}
    for gm in (500, 250, 0):
        for target in range(2):
            pair = joined_pair(ideal, excitatory_input_i_bias_gm=gm)
            source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=[0.05]))
            synapse = ideal.synapses.StaticSynapse(weight=5)
            connector = ideal.AllToAllConnector()
            ideal.Projection(source, pair[target : target + 1], connector, synapse)
            pair[0:1].record("v")
            ideal.run(0.1)
            found = trace(pair[0:1])
            heights[gm, target] = found.max() - found[:100].mean()
    # The limit of the whole input, 2 % above an event of this size, shrinks with gm.
    assert heights[500, 0] == pytest.approx(heights[500, 1], rel=1e-6)
    assert heights[250, 0] == pytest.approx(heights[500, 0], rel=0.02)
    assert heights[0, 0] == pytest.approx(heights[500, 0], rel=0.02)
    assert heights[250, 1] == pytest.approx(0.5 * heights[500, 0], rel=0.02)
    assert heights[0, 1] == pytest.approx(0.0, abs=1e-3)


def test_joined_neurons_send_on_the_bus_of_their_own_circuit(ideal):
    pair = joined_pair(ideal, threshold_enable=True, threshold_v_threshold=300)
    post = ideal.Population(1, ideal.cells.HXNeuron())
    projection = ideal.Projection(pair[1:2], post, ideal.AllToAllConnector())
    ideal.run(None, ideal.RunCommand.PREPARE)
    assert projection.placed_connections[0][0].row // 64 == 1


def test_joined_neurons_are_read_through_their_own_channels(pynn):
    pair = joined_pair(pynn)
    pair.record("v", device="cadc")
    pynn.run(0.1)
    first, second = (
        signal.magnitude.mean()
        for signal in pair.get_data("v").segments[-1].irregularlysampledsignals
    )
    offset = pynn.configure(chip=1).chip.cadc_offset
    # Both are rounded to whole LSB.
    assert second - first == pytest.approx(offset[32] - offset[31], abs=1.0)
    assert abs(offset[32] - offset[31]) > 1.0


def test_rules_see_no_spikes_of_a_neuron_without_threshold(ideal):
    seen = []

    class Rule(ideal.PlasticityRule):
        def emulate(self, synapses, neurons, recording):
            seen.append(neurons[0].spike_counts.tolist())
            synapses[0].weights[:] = 63

    rule = Rule(ideal.Timer(start=0.05, period=1.0, num_periods=1))
    pair = ideal.Population(2, ideal.cells.HXNeuron(rule, **LEAK_OVER_THRESHOLD))
    pair[1:2].set(threshold_enable=False, **READOUT)
    pair[0:1].set(multicompartment_connect_right=True)
    post = ideal.Population(1, ideal.cells.HXNeuron(**PASSIVE))
    synapse = ideal.synapses.PlasticSynapse(weight=20, plasticity_rule=rule)
    projection = ideal.Projection(pair[1:2], post, ideal.AllToAllConnector(), synapse)
    post.record("v")
    ideal.run(0.1)
    ((own, other),) = seen
    assert own >= 5
    assert other == 0
    assert np.ptp(trace(post)) < 1e-6
    assert projection.get("weight", format="list") == [(0, 0, 20)]


def test_switches_are_the_same_throughout_a_run(ideal):
    ideal.setup(neuronPermutation=[0, 1, 2])
    three = ideal.Population(3, ideal.cells.HXNeuron(**PASSIVE))
    closed = {"multicompartment_connect_soma": True, "multicompartment_connect_soma_right": True}
    three[0:1].set(**closed)
    three[1:2].set(multicompartment_connect_soma_right=True)
    three[2:3].set(multicompartment_connect_soma=True)
    ideal.run(0.1, ideal.RunCommand.APPEND)
    three.set(**dict.fromkeys(closed, False))
    three[1:2].set(multicompartment_connect_right=True)
    with pytest.raises(RuntimeError, match="membranes"):
        ideal.run(0.1)


# ---- adaptation --------------------------------------------------------------------------------


def test_adaptation_of_spikes_alone_can_be_read(ideal):
    reference = 500
    neuron = ideal.Population(
        1,
        ideal.cells.HXNeuron(
            **LEAK_OVER_THRESHOLD, adaptation_enable=True, adaptation_enable_pulse=True,
            adaptation_i_bias_b=20, adaptation_i_bias_tau=100, adaptation_v_ref=reference,
        ),
    )  # fmt: skip
    neuron.record(["adaptation", "spikes"], device="cadc")
    ideal.run(0.1)
    signal = neuron.get_data("adaptation").segments[-1].irregularlysampledsignals[0]
    times, values = np.array(signal.times), signal.magnitude.ravel()
    spikes = spike_times(neuron)
    assert spikes.size >= 5
    # Pulled towards the reference potential until a spike raises it.
    np.testing.assert_allclose(values[times < spikes[0]], transfer.DIRECT(reference), rtol=1e-6)
    steps = [values[times > t][0] - values[times < t][-1] for t in spikes[:5]]
    assert min(steps) > 0


# ---- an initial configuration that is the same everywhere ----------------------------------------


def test_equal_initial_configuration_is_known_before_placement(installed):
    scope: dict = {}
    exec("import pylola_vx_v3 as lola\nfrom dlens_vx_v3 import lola as again\n", scope)
    assert scope["lola"] is scope["again"]
    config = scope["lola"].Chip().changed(leak_v_leak=640)
    installed.setup(initial_config=config)
    pair = installed.Population(2, installed.cells.HXNeuron(leak_i_bias=30))
    assert pair.get("leak_v_leak") == 640
    assert pair.get("leak_i_bias") == 30
    pair[1].threshold_v_threshold = 123
    pair[0:1].set(leak_v_leak=500)
    installed.run(None, installed.RunCommand.PREPARE)
    np.testing.assert_array_equal(pair.get("leak_v_leak"), [500, 640])
    np.testing.assert_array_equal(pair.get("threshold_v_threshold"), [0, 123])
    assert pair.get("leak_i_bias") == 30


def test_different_initial_configuration_is_not_known_before_placement(pynn):
    lola = importlib.import_module("hw_targets.brainscales2.vendor.lola")
    pynn.setup(initial_config=lola.Chip().changed([7], leak_v_leak=640))
    neuron = pynn.Population(1, pynn.cells.HXNeuron())
    with pytest.raises(RuntimeError, match="PREPARE"):
        neuron.set(leak_v_leak=500)


# ---- the MADC and a voltage from outside ---------------------------------------------------------


def test_madc_is_linear_in_a_voltage_from_outside(installed):
    installed.configure(chip=1, noise=True)
    scope: dict = {}
    exec(
        "from _static.common.measure_voltage import measure_voltage\n"
        "from dlens_vx_v3 import hxcomm\n",
        scope,
    )
    voltages = np.arange(0.25, 1.0, 0.05)
    with scope["hxcomm"].ManagedConnection() as connection:
        samples = [scope["measure_voltage"](connection, voltage) for voltage in voltages]
        again = scope["measure_voltage"](connection, voltages[0])
    assert not np.array_equal(samples[0]["value"], again["value"])
    assert {s.shape for s in samples} == {(300,)}
    assert samples[0].dtype.names[0] == "value"
    means = np.array([s["value"].mean() for s in samples])
    slope, offset = np.polyfit(means, voltages, 1)
    # 4.5 mV per LSB of the CADC, which is 3 LSB of the MADC; 0.15 V are 20 LSB of the CADC. Of a
    # mean of 300 samples with a deviation of 1.5 LSB and rounding the error is 0.09 LSB.
    assert slope == pytest.approx(1.5e-3, rel=2e-3)
    assert np.polyval([slope, offset], 64 + 3 * 20) == pytest.approx(0.15, abs=1e-3)
    spread = np.array([s["value"].std() for s in samples])
    assert spread == pytest.approx(np.full(voltages.size, np.hypot(1.5, 12**-0.5)), rel=0.2)


def test_readings_of_outside_voltages_end_where_the_madc_ends(pynn):
    measure = importlib.import_module("hw_targets.brainscales2.vendor.measure_voltage")
    assert (measure.measure_voltage(None, 3.0)["value"] == 1023).all()
    assert (measure.measure_voltage(None, -1.0)["value"] == 0).all()


# ---- weights that a program writes during a run --------------------------------------------------


def written(column_weights, time_ms, place):
    """Arguments that write one row of weights, {column: weight}, where a synapse is."""
    row = lola.SynapseWeightRow()
    for column, weight in column_weights.items():
        row.values[column] = weight
    coordinate = halco.SynapseRowOnDLS(
        place.toSynapseOnSynram().toSynapseRowOnSynram(), place.toSynramOnDLS()
    )
    return hal.Timer.Value(int(time_ms * 125000)), coordinate.toSynapseWeightRowOnDLS(), row


@pytest.fixture
def program(pynn):
    """A builder whose writes act in a network of two neurons that forward events."""
    builder = sta.AbsoluteTimePlaybackProgramBuilder()
    configuration = pynn.InjectedConfiguration()
    configuration.inside_realtime = builder
    pynn.setup(enable_neuron_bypass=True, injected_config=configuration)
    return builder


def forwarding(pynn, end_ms=4.0):
    source = pynn.Population(
        2, pynn.cells.SpikeSourceArray(spike_times=np.arange(0.05, end_ms, 0.1))
    )
    neurons = pynn.Population(2, pynn.cells.HXNeuron())
    neurons.record(["spikes"])
    projection = pynn.Projection(
        source, neurons, pynn.OneToOneConnector(), pynn.synapses.StaticSynapse(weight=0)
    )
    pynn.run(None, pynn.RunCommand.PREPARE)
    places = [synapses[0] for synapses in projection.placed_connections]
    assert places[0].row == places[1].row
    return neurons, projection, places


def test_written_weights_act_from_their_time_on(pynn, program):
    neurons, _, places = forwarding(pynn)
    columns = [place.toSynapseOnSynapseRow() for place in places]
    program.write(*written({columns[0]: 63}, 1.0, places[0]))
    program.write(*written({columns[0]: 20, columns[1]: 63}, 2.0, places[0]))
    program.write(*written({columns[1]: 63}, 3.0, places[0]))
    for _ in range(2):
        pynn.run(4.0)
        trains = [np.array(t) for t in neurons.get_data("spikes").segments[-1].spiketrains]
        np.testing.assert_allclose(trains[0], np.arange(1.05, 3.0, 0.1), atol=1e-4)
        np.testing.assert_allclose(trains[1], np.arange(2.05, 4.0, 0.1), atol=1e-4)
        pynn.reset()


def test_written_weights_last_over_snippets(pynn, program):
    neurons, _, places = forwarding(pynn)
    program.write(*written({places[1].column: 63}, 1.5, places[0]))
    for _ in range(4):
        pynn.run(1.0, pynn.RunCommand.APPEND)
    pynn.run(None)
    trains = neurons.get_data("spikes").segments[-1].spiketrains
    of_second = [t for t in trains if t.annotations["source_index"] == 1]
    assert [len(t) for t in of_second] == [0, 5, 10, 10]


def test_a_row_is_written_where_it_is(pynn, program):
    """Another row has other synapses."""
    neurons, _, places = forwarding(pynn)
    elsewhere = places[0]._replace(row=places[0].row + 1)
    program.write(*written({0: 63, 1: 63}, 0.0, elsewhere))
    pynn.run(4.0)
    assert [len(t) for t in neurons.get_data("spikes").segments[-1].spiketrains] == [0, 0]


def test_a_row_is_as_it_was_when_written(pynn, program):
    neurons, _, places = forwarding(pynn)
    arguments = written({0: 63}, 0.0, places[0])
    program.write(*arguments)
    arguments[2].values[1] = 63
    pynn.run(4.0)
    assert [len(t) for t in neurons.get_data("spikes").segments[-1].spiketrains] == [40, 0]


def test_a_write_that_is_added_later_acts_in_what_is_scheduled_later(pynn, program):
    neurons, _, places = forwarding(pynn)
    program.write(*written({0: 63}, 0.0, places[0]))
    pynn.run(2.0, pynn.RunCommand.APPEND)
    program.write(*written({1: 63}, 0.0, places[0]))
    pynn.run(None)
    assert [len(t) for t in neurons.get_data("spikes").segments[-1].spiketrains] == [20, 0]


def test_other_writes_are_refused(pynn, program):
    with pytest.raises(NotImplementedError, match="write"):
        program.write(hal.Timer.Value(3), halco.TimerOnDLS(), 7)
    assert program.empty()
    configuration = pynn.InjectedConfiguration()
    configuration.inside_realtime_begin = program
    pynn.setup(injected_config=configuration)
    place = PlacedSynapse(array=1, row=255, column=255)
    program.write(*written({255: 1}, 0.0, place))
    with pytest.raises(NotImplementedError, match="inside_realtime_begin"):
        pynn.setup(injected_config=configuration)
