"""Plasticity rules and correlation sensors."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_targets.brainscales2.correlation import (
    AMPLITUDE,
    AMPLITUDE_SPREAD,
    TAU_SPREAD,
    TAU_US,
    CorrelationSensors,
    SensorParameters,
)

SCRIPTS = Path(__file__).parent / "scripts"
N = 4000


# ---- sensors -----------------------------------------------------------------------------------


def test_a_pair():
    sensors = CorrelationSensors(
        SensorParameters.ideal(1), np.array([0]), np.array([0]), n_inputs=1, n_circuits=1
    )
    # Event, spike 3 us later, event 4 us after that.
    sensors.advance(np.array([10.0, 13.0, 17.0]), np.array([0, 1, 0]))
    assert sensors.state[0, 0] == pytest.approx(AMPLITUDE * np.exp(-3.0 / TAU_US))
    assert sensors.state[1, 0] == pytest.approx(AMPLITUDE * np.exp(-4.0 / TAU_US))
    sensors.reset()
    assert not sensors.state[:2].any()
    # Times of the last event and spike are kept.
    sensors.advance(np.array([19.0]), np.array([1]))
    assert sensors.state[0, 0] == pytest.approx(AMPLITUDE * np.exp(-2.0 / TAU_US))


@given(
    times=st.lists(st.integers(0, 500), min_size=1, max_size=40),
    sources=st.lists(st.integers(0, 3), min_size=40, max_size=40),
    split=st.integers(0, 40),
)
@settings(max_examples=100, deadline=None)
def test_sensors_see_nearest_neighbours(times, sources, split):
    """Two inputs and two circuits; synapses also between the circuits."""
    times = np.sort(np.array(times)) * 0.25
    sources = np.array(sources[: times.size])
    source, target = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    sensors = CorrelationSensors(SensorParameters.ideal(4), source, target, 2, 2)
    sensors.advance(times[:split], sources[:split])
    sensors.advance(times[split:], sources[split:])
    for k in range(4):
        causal = acausal = 0.0
        for i, (time, which) in enumerate(zip(times, sources, strict=True)):
            events = times[:i][sources[:i] == source[k]]
            spikes = times[:i][sources[:i] == 2 + target[k]]
            if which == 2 + target[k] and events.size:
                causal += AMPLITUDE * np.exp(-(time - events[-1]) / TAU_US)
            if which == source[k] and spikes.size:
                acausal += AMPLITUDE * np.exp(-(time - spikes[-1]) / TAU_US)
        assert sensors.state[0, k] == pytest.approx(causal)
        assert sensors.state[1, k] == pytest.approx(acausal)


def test_sensors_of_a_chip_differ():
    found = SensorParameters.virtual(3, np.arange(N))
    for values, target, spread in (
        (found.amplitude, AMPLITUDE, AMPLITUDE_SPREAD), (found.tau_us, TAU_US, TAU_SPREAD)
    ):  # fmt: skip
        log = np.log(values / target)
        # Five standard errors of mean and standard deviation.
        assert abs(log.mean()) < 5 * spread / np.sqrt(log.size)
        assert abs(log.std() / spread - 1.0) < 5 / np.sqrt(2 * log.size)
        assert abs(np.corrcoef(log)[0, 1]) < 5 / np.sqrt(N)
        # calix accepts percentiles 30, 50 and 70 within a factor of two.
        assert np.all(np.abs(np.log(np.percentile(values, [30, 50, 70]) / target)) < np.log(2))


def test_a_synapse_of_a_chip_is_always_the_same():
    all_, some = SensorParameters.virtual(3, np.arange(N)), np.array([7, 3999, 0])
    chosen = SensorParameters.virtual(3, some)
    np.testing.assert_array_equal(chosen.amplitude, all_.amplitude[:, some])
    np.testing.assert_array_equal(chosen.tau_us, all_.tau_us[:, some])
    other = SensorParameters.virtual(4, some)
    assert (other.amplitude != chosen.amplitude).all()


def test_readings_are_those_of_an_8_bit_converter():
    sensors = CorrelationSensors(SensorParameters.ideal(3), np.arange(3), np.zeros(3, int), 3, 1)
    sensors.state[0] = [0.4, 7.6, 300.0]
    np.testing.assert_array_equal(sensors.reading(0, exact=False), [0, 8, 255])
    np.testing.assert_array_equal(sensors.reading(0, exact=True), [0.4, 7.6, 300.0])


# ---- networks ----------------------------------------------------------------------------------


@pytest.fixture
def network(ideal):
    return ideal


def make_rule(pynn, emulate, timer, **observables):
    kind = type("Rule", (pynn.PlasticityRule,), {"emulate": emulate})
    return kind(pynn.Timer(**timer), observables)


def connect(pynn, rule, weight=0, times=(0.01,), n=2):
    """`n` neurons that see a rule, and one source."""
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=list(times)))
    neurons = pynn.Population(n, pynn.cells.CalibHXNeuronCuba(plasticity_rule=rule))
    projection = pynn.Projection(
        source, neurons, pynn.AllToAllConnector(),
        synapse_type=pynn.synapses.PlasticSynapse(weight=weight, plasticity_rule=rule),
    )  # fmt: skip
    return neurons, projection


TIMER = {"start": 0.02, "period": 0.05, "num_periods": 3}


@pytest.mark.parametrize(
    "change", [{"start": -1.0}, {"period": 0.0}, {"num_periods": -1}, {"start": float("nan")}]
)
def test_timers_check_their_values(pynn, change):
    with pytest.raises(ValueError, match="Timer"):
        pynn.Timer(**{**TIMER, **change})


def test_when_rules_are_executed(network):
    times = []
    rule = make_rule(network, lambda self, s, n, r: times.append(r.time), TIMER)
    connect(network, rule)
    network.run(1.0)
    np.testing.assert_allclose(times, [0.02, 0.07, 0.12])
    network.reset()
    times.clear()
    # An execution at the end of a snippet is in the next, one at the end of the run in none.
    network.run(0.07, network.RunCommand.APPEND)
    network.run(0.05)
    np.testing.assert_allclose(times, [0.02, 0.07])


def test_rules_are_executed_in_their_order(network):
    order = []
    rules = [
        make_rule(network, lambda self, s, n, r: order.append((self.number, r.time)),
                  {"start": start, "period": 0.04, "num_periods": 2})
        for start in (0.01, 0.05)
    ]  # fmt: skip
    for number, rule in enumerate(rules):
        rule.number = number
        connect(network, rule)
    network.run(0.2)
    assert [number for number, _ in order] == [0, 0, 1, 1]
    np.testing.assert_allclose([time for _, time in order], [0.01, 0.05, 0.05, 0.09])


def test_weights_act_at_once(network):
    """A rule sets weights between two events, as does a user between two snippets."""
    events = [0.01, 0.05, 0.05 + 8e-6, 0.09]

    def trace(rule_weight):
        network.setup()
        rule = None
        if rule_weight is not None:

            def emulate(self, synapses, neurons, recording):
                synapses[0].weights[:] = rule_weight

            rule = make_rule(network, emulate, {"start": 0.05, "period": 1.0, "num_periods": 1})
        neurons, projection = connect(network, rule, 20, events)
        neurons[[0]].record("v")
        if rule is None:
            network.run(0.05, network.RunCommand.APPEND)
            projection.set(weight=60)
            network.run(0.07)
        else:
            network.run(0.12)
        signals = neurons.get_data("v").segments[-1].irregularlysampledsignals
        found = np.concatenate([np.asarray(signal)[:, 0] for signal in signals])
        # Each snippet begins to sample anew.
        times = np.concatenate([np.asarray(signal.times) for signal in signals])
        return np.interp(np.arange(0.0, 0.12, 1e-4), times, found)

    by_rule, by_user, unchanged = trace(60), trace(None), trace(20)
    # Slopes change at events, by less than 40 LSB/us; a sample is 34 ns from the next.
    np.testing.assert_allclose(by_rule, by_user, atol=40 * 0.034 / 2)
    assert np.max(by_rule - unchanged) > 50


def test_executions_do_not_disturb_the_network(pynn):
    """A rule that does nothing changes nothing: to the last bit, with noise, samples and spikes."""
    found = []
    for with_rule in (False, True):
        pynn.configure(chip=1, noise=True)
        pynn.setup()
        rule = None
        if with_rule:
            # Executions at multiples of the time step.
            timer = {"start": 0.0, "period": 0.013, "num_periods": 20}
            rule = make_rule(pynn, lambda *_: None, timer)
        events = np.arange(0.002, 0.2, 0.003)
        neurons, _ = connect(pynn, rule, 63, events)
        neurons.record("spikes")
        neurons[[0]].record("v")
        pynn.run(0.2)
        segment = neurons.get_data().segments[-1]
        signal = segment.irregularlysampledsignals[0]
        found.append(
            [np.asarray(signal), np.asarray(signal.times), *map(np.asarray, segment.spiketrains)]
        )
    assert sum(train.size for train in found[0][2:]) > 0
    for without, with_ in zip(*found, strict=True):
        np.testing.assert_array_equal(without, with_)


def test_weights_are_those_of_6_bit_synapses(network):
    seen = []

    def emulate(self, synapses, neurons, recording):
        seen.append(synapses[0].weights.tolist())
        synapses[0].weights = np.array([-5.0, 17.4, 99.0])

    rule = make_rule(network, emulate, TIMER)
    _, projection = connect(network, rule, 30, n=3)
    network.run(0.1)
    assert seen == [[30, 30, 30], [0, 17, 63]]
    # The weights that a run begins with stay as they were set.
    assert projection.get("weight", format="list", with_address=False) == [30, 30, 30]


def test_weights_of_wrong_shape(network):
    def emulate(self, synapses, neurons, recording):
        synapses[0].weights = np.zeros(3)

    connect(network, make_rule(network, emulate, TIMER))
    with pytest.raises(ValueError, match=r"weights of shape \(3,\), need 2"):
        network.run(0.1)


def test_plastic_synapses_are_single(network):
    connect(network, make_rule(network, lambda *_: None, TIMER), 64)
    with pytest.raises(ValueError, match="weight 64 of .* need at most 63"):
        network.run(0.1)


def test_weights_continue_in_the_next_snippet(network):
    def emulate(self, synapses, neurons, recording):
        synapses[0].weights += 1
        synapses[0].record("w", synapses[0].weights)

    rule = make_rule(network, emulate, {"start": 0.01, "period": 0.02, "num_periods": 100},
                     w=network.PlasticityRule.ObservablePerSynapse())  # fmt: skip
    _, projection = connect(network, rule, 10, n=1)
    network.run(0.04, network.RunCommand.APPEND)
    network.run(0.04, network.RunCommand.APPEND)
    projection.set(weight=40)
    network.run(0.04)
    weights = [[int(entry.data[0]) for entry in part] for part in projection.get_data("w")]
    assert weights == [[11, 12], [13, 14], [41, 42]]
    network.reset()
    network.run(0.04)
    assert [entry.data.tolist() for entry in projection.get_data("w")[0]] == [[41], [42]]


def test_spike_counts(network):
    counts, rates = [], []

    def emulate(self, synapses, neurons, recording):
        counts.append(neurons[0].spike_counts)
        rates.append(neurons[0].rates)

    rule = make_rule(network, emulate, {"start": 0.0, "period": 0.1, "num_periods": 4})
    neurons, _ = connect(network, rule, 63)
    strong = pynn_source(network, np.arange(0.0, 0.3, 0.002))
    network.Projection(strong, neurons[[1]], network.AllToAllConnector(),
                       synapse_type=network.synapses.StaticSynapse(weight=63))  # fmt: skip
    neurons.record("spikes")
    network.run(0.4)
    trains = neurons.get_data("spikes").segments[-1].spiketrains
    expected = [np.histogram(np.asarray(t), [0, 0.1, 0.2, 0.3])[0] for t in trains]
    assert expected[1].min() > 5 and not expected[0].any()
    np.testing.assert_array_equal(counts[0], [0, 0])
    np.testing.assert_array_equal(counts[1:], np.transpose(expected))
    np.testing.assert_allclose(rates[1:], np.transpose(expected) / 0.1)


def test_cells_of_connections(network):
    """Their indices are those of spike counts, also where a view is connected."""
    seen = []
    rule = make_rule(network, lambda self, s, n, r: seen.append((s[0].pre, s[0].post)), TIMER)
    neurons = network.Population(5, network.cells.HXNeuron(plasticity_rule=rule))
    network.Projection(
        neurons[1:3], neurons[[0, 4]], network.AllToAllConnector(),
        synapse_type=network.synapses.PlasticSynapse(plasticity_rule=rule),
    )  # fmt: skip
    network.run(0.03)
    ((pre, post),) = seen
    assert list(zip(pre, post, strict=True)) == [(1, 0), (1, 4), (2, 0), (2, 4)]


def pynn_source(pynn, times):
    return pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=times))


def test_correlations(network):
    readings = []

    def emulate(self, synapses, neurons, recording):
        readings.append((synapses[0].correlation_causal, synapses[0].correlation_acausal))
        if recording.time > 0.25:
            synapses[0].reset_correlation()

    rule = make_rule(network, emulate, {"start": 0.2, "period": 0.1, "num_periods": 3})
    events = np.arange(0.01, 0.19, 0.02)
    neurons, _ = connect(network, rule, 1, events, n=1)
    strong = pynn_source(network, events + 0.003)
    network.Projection(strong, neurons, network.AllToAllConnector(),
                       synapse_type=network.synapses.StaticSynapse(weight=1000))  # fmt: skip
    neurons.record("spikes")
    network.run(0.5)
    spikes = np.asarray(neurons.get_data("spikes").segments[-1].spiketrains[0]) * 1e3
    events = events * 1e3
    assert spikes.size >= events.size
    causal = sum(
        AMPLITUDE * np.exp(-(spike - events[events <= spike][-1]) / TAU_US) for spike in spikes
    )
    acausal = sum(
        AMPLITUDE * np.exp(-(event - spikes[spikes <= event][-1]) / TAU_US)
        for event in events
        if (spikes <= event).any()
    )
    for reading in readings[:2]:
        np.testing.assert_allclose(np.ravel(reading), [causal, acausal], rtol=2e-3)
    np.testing.assert_array_equal(np.ravel(readings[2]), [0, 0])


def test_readings_differ_from_synapse_to_synapse(pynn):
    pynn.setup()
    readings = []

    def emulate(self, synapses, neurons, recording):
        readings.append(synapses[0].correlation_causal)

    rule = make_rule(pynn, emulate, {"start": 1.0, "period": 1.0, "num_periods": 1})
    events = np.arange(0.01, 0.9, 0.008)
    neurons, _ = connect(pynn, rule, 1, events, n=30)
    strong = pynn_source(pynn, events + 0.0008)
    pynn.Projection(strong, neurons, pynn.AllToAllConnector(),
                    synapse_type=pynn.synapses.StaticSynapse(weight=1000))  # fmt: skip
    pynn.run(1.1)
    values = readings[0]
    np.testing.assert_array_equal(values, np.rint(values))
    assert 0.15 < np.std(np.log(values)) < 0.6


# ---- observables -------------------------------------------------------------------------------


def test_observables(network):
    rule_type = network.PlasticityRule

    def emulate(self, synapses, neurons, recording):
        synapses[0].record("w", [3, 4])
        neurons[0].record("n", [-1, 300])
        recording.record("a", [1.2, 2, 3])

    rule = make_rule(
        network, emulate, TIMER,
        w=rule_type.ObservablePerSynapse(rule_type.ObservablePerSynapse.Type.uint8,
                                         rule_type.ObservablePerSynapse.LayoutPerRow.complete_rows),
        n=rule_type.ObservablePerNeuron(rule_type.ObservablePerNeuron.Type.int16),
        a=rule_type.ObservableArray(rule_type.ObservableArray.Type.uint16, 3),
    )  # fmt: skip
    neurons, projection = connect(network, rule)
    network.run(0.1)
    (entries,) = projection.get_data("w")
    assert [entry.time.value() for entry in entries] == [2500, 8750]
    assert [entry.data.tolist() for entry in entries] == [[3, 4], [3, 4]]
    assert entries[0].data.dtype == np.uint8
    assert neurons.get_plasticity_data("n")[0][1].data.tolist() == [-1, 300]
    assert rule.get_observable_array("a")[0][0].data.tolist() == [1, 2, 3]
    for get in (projection.get_data, neurons.get_plasticity_data, rule.get_observable_array):
        with pytest.raises(RuntimeError, match="doesn't have requested observable 'x'"):
            get("x")
    with pytest.raises(TypeError, match="not an ObservableArray"):
        rule.get_observable_array("w")


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        (lambda s, n, r: s.record("x", [1, 2]), RuntimeError, "'x'"),
        (lambda s, n, r: n.record("w", [1, 2]), TypeError, "need ObservablePerNeuron"),
        (lambda s, n, r: s.record("w", [1, 2, 3]), ValueError, r"need \(2,\)"),
        (lambda s, n, r: s.record("w", [1, 256]), OverflowError, "0 ... 255"),
        (lambda s, n, r: s.record("w", [1, np.nan]), OverflowError, "0 ... 255"),
    ],
)
def test_wrong_records(network, record, error, message):
    rule = make_rule(network, lambda self, s, n, r: record(s[0], n[0], r), TIMER,
                     w=network.PlasticityRule.ObservablePerSynapse())  # fmt: skip
    connect(network, rule)
    with pytest.raises(error, match=message):
        network.run(0.1)


def test_static_recording_synapses(network):
    timer = network.Timer(start=0.05, period=1.0, num_periods=1)
    synapse = network.synapses.StaticRecordingSynapse(
        timer=timer, weight=63, observables={"weights", "correlation_causal"}
    )
    source = pynn_source(network, [0.01])
    neurons = network.Population(1, network.cells.HXNeuron())
    projection = network.Projection(
        source, neurons, network.AllToAllConnector(), synapse_type=synapse
    )
    network.run(0.1)
    (entry,) = projection.get_data("weights")[0]
    assert entry.data.tolist() == [63] and entry.time.value() == 6250
    assert projection.get_data("correlation_causal")[0][0].data.tolist() == [0]
    with pytest.raises(RuntimeError):
        projection.get_data("correlation_acausal")
    with pytest.raises(ValueError, match="'currents'"):
        network.synapses.StaticRecordingSynapse(timer, 3, {"currents"})


# ---- rules for the chip ------------------------------------------------------------------------


def test_code_for_the_chip_is_ignored(network):
    kernel = {"generate_kernel": lambda self: "void PLASTICITY_RULE_KERNEL() {}"}
    timer = network.Timer(**TIMER)
    for_chip = type("ForChip", (network.PlasticityRule,), kernel)
    with pytest.warns(UserWarning, match=r"ForChip.*emulate\(self"):
        rule = for_chip(timer)
    _, projection = connect(network, rule, 5)
    network.run(0.1)
    both = type("ForBoth", (network.PlasticityRule,), kernel | {"emulate": lambda *_: None})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both(timer)
        network.PlasticityRule(timer)


def test_populations_share_their_rule(network):
    rule = make_rule(network, lambda *_: None, TIMER)
    neurons = network.Population(2, network.cells.HXNeuron(plasticity_rule=rule))
    assert neurons.celltype.plasticity_rule is rule


def test_analog_readings_are_refused(network):
    rule = make_rule(network, lambda *_: None, TIMER)
    network.Population(
        2,
        network.cells.HXNeuron(plasticity_rule=rule, plasticity_rule_enable_readout_source=True),
    )
    with pytest.raises(NotImplementedError, match="analog readings"):
        network.run(0.1)


def test_rules_belong_to_their_network(network):
    rule = make_rule(network, lambda *_: None, TIMER)
    network.setup()
    connect(network, rule)
    with pytest.raises(RuntimeError, match="make it after pynn.setup"):
        network.run(0.1)


def test_neurons_without_a_rule_have_no_observables(network):
    with pytest.raises(RuntimeError, match="does not hold a plasticity rule"):
        network.Population(1, network.cells.HXNeuron()).get_plasticity_data("w")


# ---- homeostasis -------------------------------------------------------------------------------


@pytest.mark.parametrize("neurons", [24, pytest.param(512, marks=pytest.mark.slow)])
def test_homeostasis(installed, monkeypatch, neurons):
    """The tutorial's neurons reach 6 kHz after 300 ms, within 1 kHz."""
    monkeypatch.setenv("HOMEOSTASIS_NEURONS", str(neurons))
    installed.configure(chip=1, noise=True)
    found = runpy.run_path(str(SCRIPTS / "homeostasis.py"))
    rates, weights = found["rates"], found["weight_values"]
    assert rates.shape == (neurons, 7)
    assert not rates[:, 0].any()
    final = rates[:, 6]
    assert abs(final.mean() / 6.0 - 1.0) < 0.1
    low, high = np.percentile(final, [5, 95])
    assert 5.0 < low and high < 7.0
    # One step per execution, whatever the neuron does.
    assert weights.shape == (35, neurons)
    assert np.abs(np.diff(weights.astype(int), axis=0)).max() == 1
    np.testing.assert_array_equal(weights[0], 1)
    # The chip's mismatch asks for different weights.
    assert len(np.unique(weights[-1])) > 3
