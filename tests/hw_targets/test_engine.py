"""The engine against closed forms, scipy's solve_ivp and NEST."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.philox import philox4x32
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine import Engine, Probe, Synapses, kernel
from tests.hw_targets.circuit_reference import TICK, solve

TAU = 6.0
EMULATED = {
    "leak_rate": 1.0 / TAU,
    "syn_rate_exc": 1.0 / TAU,
    "syn_rate_inh": 1.0 / TAU,
    "gain_exc": 0.06,
    "gain_inh": 0.06,
    "reset_rate": 2.0,
}
SATURATED = {"leak_saturation": 25.0, "saturation_exc": 8.0, "saturation_inh": 4.0}
COBA = {"coba_exc": True, "coba_inh": True}
ADAPTATION = {"adaptation_a": 0.05, "adaptation_b": 1.0, "adaptation_rate": 0.02}
ADEX = ADAPTATION | {"exp_slope": 5.0, "exp_threshold": 100.0, "exp_rate": 1.0 / TAU}


def to_grid(times):
    return np.round(np.asarray(times) / TICK) * TICK


def one_synapse(n_inputs=1, weight=1.0, inhibitory=False):
    """Inputs 0 ... n_inputs - 1 to circuit 0."""
    return Synapses(
        n_inputs=n_inputs,
        source=np.arange(n_inputs),
        target=np.zeros(n_inputs, dtype=int),
        weight=np.broadcast_to(weight, n_inputs),
        inhibitory=inhibitory,
    )


def random_events(rng, duration, n_exc=60, n_inh=30):
    """Excitatory and inhibitory events (time, weight), and the same for an engine."""
    exc, inh = (
        list(zip(to_grid(rng.uniform(0, duration, n)), rng.integers(1, 64, n), strict=True))
        for n in (n_exc, n_inh)
    )
    times = [t for t, _ in exc + inh]
    sources = [w - 1 for _, w in exc] + [62 + w for _, w in inh]
    return exc, inh, times, sources


def synapse_per_weight():
    """Sources w - 1 excite, sources 62 + w inhibit circuit 0 with weight w in 1 ... 63."""
    return one_synapse(126, np.tile(np.arange(1, 64), 2), np.arange(126) >= 63)


def recurrent_network(rng, n=40, n_inputs=20, p=0.2, weight=20):
    """Random network; every fifth source inhibits."""
    source, target = np.nonzero(rng.random((n_inputs + n, n)) < p)
    return Synapses(
        n_inputs=n_inputs,
        source=source,
        target=target,
        weight=rng.integers(1, 2 * weight, source.size),
        inhibitory=source % 5 == 0,
    )


# Closed forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau_syn", [0.3, 3.0, 10.0, 10.0 + 1e-7, 30.0])
@pytest.mark.parametrize("dt_us", [0.1, 1.0])
def test_psp_is_exact(tau_syn, dt_us):
    tau, gain, at = 10.0, 0.07, 3.008
    circuits = Circuits.ideal(1, syn_rate_exc=1 / tau_syn, gain_exc=gain, can_spike=False)
    engine = Engine(circuits, one_synapse(weight=63.0), dt_us=dt_us, seed=1)
    times = np.arange(0.0, 40.0, 0.252)
    v = engine.advance(40.0, [at], [0], [Probe(times_us=times, circuits=[0])]).samples[0][:, 0]
    t = np.maximum(times - at, 0.0)
    if tau_syn == tau:
        psp = t * np.exp(-t / tau)
    else:
        x = 1 / tau_syn - 1 / tau
        psp = np.exp(-t / tau) * -np.expm1(-x * t) / x
    np.testing.assert_allclose(v, 80.0 + 63 * gain * psp, rtol=0, atol=1e-9)


def test_inhibition_has_the_opposite_sign():
    circuits = Circuits.ideal(2, gain_exc=0.07, gain_inh=0.07, can_spike=False)
    synapses = Synapses(n_inputs=1, source=[0, 0], target=[0, 1], weight=9, inhibitory=[0, 1])
    engine = Engine(circuits, synapses, seed=1)
    v = engine.advance(9.0, [0.0], [0], [Probe(times_us=[9.0], circuits=[0, 1])]).samples[0][0]
    assert v[0] > 81
    assert v[0] - 80 == pytest.approx(80 - v[1], abs=1e-12)


@given(st.floats(130.0, 300.0), st.floats(20.0, 110.0), st.floats(1.0, 30.0), st.integers(0, 4000))
@settings(max_examples=30, deadline=None)
def test_f_i_curve(leak_potential, reset, tau, refractory_ticks):
    refractory = refractory_ticks * TICK
    circuits = Circuits.ideal(
        1,
        leak_potential=leak_potential,
        reset_potential=reset,
        leak_rate=1 / tau,
        refractory_time=refractory,
    )
    engine = Engine(circuits, Synapses.none(), seed=1)
    engine.set_potentials(reset)
    rise = tau * math.log((leak_potential - reset) / (leak_potential - 125.0))
    spikes = engine.advance(to_grid(4 * (rise + refractory)) + 0.2).spike_times_us
    period = math.ceil(rise / TICK - 1e-7) * TICK
    expected = period + (period + refractory) * np.arange(spikes.size)
    assert spikes.size >= 3
    np.testing.assert_allclose(spikes, expected, rtol=0, atol=1e-9)


def test_constant_current_and_no_leak():
    circuits = Circuits.ideal(1, leak_rate=0.0, current=0.5, can_spike=False)
    engine = Engine(circuits, Synapses.none(), seed=1)
    v = engine.advance(10.0, probes=[Probe(times_us=[10.0], circuits=[0])]).samples[0]
    assert v[0, 0] == pytest.approx(85.0, abs=1e-10)


def test_reset_is_exponential_and_lasts_for_the_refractory_time():
    circuits = Circuits.ideal(
        1, leak_potential=200.0, reset_potential=50.0, reset_rate=1 / 1.8, refractory_time=2.04
    )
    engine = Engine(circuits, Synapses.none(), seed=1)
    engine.set_potentials(100.0)
    (spike,) = engine.advance(10.0).spike_times_us[:1]
    # The first tick on or after the crossing.
    top = 200.0 - 100.0 * math.exp(-spike / 10.0)
    assert 125.0 <= top < 125.0 + TICK * 75.0 / 10.0
    engine = Engine(circuits, Synapses.none(), seed=1)
    engine.set_potentials(100.0)
    times = spike + np.arange(0.1, 3.5, 0.1)
    probe = Probe(times_us=times, circuits=[0])
    v = engine.advance(20.0, probes=[probe]).samples[0][:, 0]
    t = np.round(times * 250) / 250 - spike
    bottom = 50.0 + (top - 50.0) * math.exp(-2.04 / 1.8)
    expected = np.where(
        t <= 2.04,
        50.0 + (top - 50.0) * np.exp(-t / 1.8),
        200 + (bottom - 200) * np.exp((2.04 - t) / 10),
    )
    np.testing.assert_allclose(v, expected, rtol=0, atol=1e-9)


def test_a_reset_begins_where_the_potential_is():
    # Still far above the threshold when it can spike again, which it does at once.
    circuits = Circuits.ideal(
        1, leak_rate=0.0, reset_potential=50.0, reset_rate=0.1, refractory_time=0.4
    )
    engine = Engine(circuits, Synapses.none(), seed=1)
    engine.set_potentials(200.0)
    probe = Probe(times_us=[0.4, 0.8, 1.2], circuits=[0])
    activity = engine.advance(1.2, probes=[probe])
    assert activity.spike_times_us.size >= 3
    held = 0.4 * np.arange(1, 4)
    # Between resets the potential rests for the tick until the next spike.
    v = activity.samples[0][:, 0]
    assert (v >= 50.0 + 150.0 * np.exp(-0.1 * held) - 1e-9).all()
    assert (v <= 50.0 + 150.0 * np.exp(-0.1 * (held - 3 * TICK)) + 1e-9).all()


@pytest.mark.parametrize("coupled", [False, True])
def test_potentials_stop_at_their_limits(coupled):
    circuits = Circuits.ideal(
        3, leak_potential=[500.0, -500.0, 80.0], leak_rate=1.0, can_spike=False, lowest=-13.0,
        highest=253.0,
    )  # fmt: skip
    links = [(0, 2, 0.1)] if coupled else []
    engine = Engine(circuits, Synapses.none(), seed=1, inter_compartment=links)
    engine.set_potentials([100.0, 100.0, 100.0])
    times = np.arange(0.1, 5.0, 0.1)
    v = engine.advance(5.0, probes=[Probe(times_us=times, circuits=[0, 1, 2])]).samples[0]
    assert v.max() <= 253.0
    assert v.min() == -13.0
    # What flows to the other compartment within half a step of up to 0.1 us.
    flows = 0.05 * 0.1 * (253.0 - 80.0) if coupled else 0.0
    assert (v[times > 1.0, 0] >= 253.0 - flows).all()
    assert (v[times > 1.0, 1] == -13.0).all()
    # It moves on at once when the drive changes its sign.
    falling = Circuits.ideal(3, leak_potential=80.0, leak_rate=1.0, can_spike=False)
    later = Engine(falling, Synapses.none(), seed=1)
    later.restore(engine.save())
    end = later.advance(6.0, probes=[Probe(times_us=[6.0], circuits=[0])]).samples[0][0, 0]
    assert end == pytest.approx(80.0 + 173.0 * math.exp(-1.0), abs=flows + 1e-6)


def test_holdoff_delays_the_next_spike():
    fast = {"leak_potential": 500.0, "leak_rate": 1.0, "refractory_time": 1.0}
    engine = Engine(Circuits.ideal(1, **fast, holdoff_time=3.0), Synapses.none(), seed=1)
    spikes = engine.advance(20.0).spike_times_us
    # The potential is at the threshold long before: a spike at the first tick that may have one.
    np.testing.assert_allclose(np.diff(spikes), 4.0 + TICK, atol=1e-9)


def test_without_threshold_no_spikes():
    engine = Engine(
        Circuits.ideal(2, leak_potential=200.0, can_spike=[True, False]), Synapses.none(), seed=1
    )
    assert set(engine.advance(50.0).spike_circuits) == {0}


# scipy's solve_ivp -------------------------------------------------------------------------------

CASES = {
    "linear": ({}, 1e-6),
    "saturating synapses": ({"saturation_exc": 8.0, "saturation_inh": 4.0}, 4e-3),
    "saturating leak": ({"leak_saturation": 25.0}, 2e-2),
    "all saturating": (SATURATED, 1e-2),
    "conductance-based": (COBA, 2e-3),
    "conductance-based, all saturating": (COBA | SATURATED, 4e-3),
    "adaptation": (ADAPTATION, 1e-3),
    "all": (COBA | SATURATED | ADAPTATION, 4e-3),
}
TIMES = np.arange(0.0, 60.0, 0.5)


def error(parameters, dt_us, seed=2):
    """Largest error of the potential over 60 us with 90 events, and the potential's range."""
    circuits = Circuits.ideal(1, **EMULATED | parameters, can_spike=False)
    exc, inh, times, sources = random_events(np.random.default_rng(seed), 60.0)
    reference, _ = solve(circuits, 60.0, TIMES, exc, inh)
    engine = Engine(circuits, synapse_per_weight(), dt_us=dt_us, seed=1)
    v = engine.advance(60.0, times, sources, [Probe(times_us=TIMES, circuits=[0])]).samples[0]
    return np.abs(v[:, 0] - reference).max(), np.ptp(reference)


@pytest.mark.parametrize("case", CASES)
def test_potential_is_that_of_solve_ivp(case):
    parameters, accuracy = CASES[case]
    largest, swing = error(parameters, 0.1)
    assert swing > 15
    assert largest < accuracy


@pytest.mark.parametrize("case", [case for case in CASES if case != "linear"])
def test_second_order(case):
    # Without events, whose times shorten steps.
    parameters = CASES[case][0] | {"current": 6.0, "adaptation_potential": 70.0}
    circuits = Circuits.ideal(1, **EMULATED | parameters, can_spike=False)
    exc, inh = [(0.0, 63.0)] * 3, [(0.0, 40.0)]
    reference, _ = solve(circuits, 16.0, TIMES[:33], exc, inh)
    errors = []
    for dt_us in (0.8, 0.4, 0.2):
        engine = Engine(circuits, synapse_per_weight(), dt_us=dt_us, seed=1)
        probe = Probe(times_us=TIMES[:33], circuits=[0])
        v = engine.advance(16.0, [0.0] * 4, [62, 62, 62, 102], [probe]).samples[0][:, 0]
        on_steps = np.isclose(TIMES[:33] / 0.8 % 1, 0)
        errors.append(np.abs(v - reference)[on_steps].max())
    ratios = np.array(errors[:-1]) / errors[1:]
    assert (ratios > 3.4).all(), errors


@pytest.mark.parametrize(
    ("parameters", "accuracy"),
    [
        ({}, 0.0),
        (SATURATED, 2 * TICK),
        (COBA, TICK),
        (ADAPTATION, TICK),
        # An interval's error of a few ns adds up over 20 spikes.
        (ADEX, 0.1),
        (ADEX | SATURATED | COBA, 0.1),
    ],
)
def test_spike_times_are_those_of_solve_ivp(parameters, accuracy):
    parameters = EMULATED | {"leak_potential": 115.0, "threshold": 118.0} | parameters
    circuits = Circuits.ideal(1, **parameters)
    exc, inh, times, sources = random_events(np.random.default_rng(5), 100.0, 200, 20)
    _, expected = solve(circuits, 100.0, np.array([]), exc, inh)
    engine = Engine(circuits, synapse_per_weight(), seed=1)
    spikes = engine.advance(100.0, times, sources).spike_times_us
    assert spikes.size == expected.size >= 5
    np.testing.assert_allclose(spikes, expected, rtol=0, atol=accuracy + 1e-9)


def test_exponential_current_ends_in_a_spike_however_long_the_step():
    adex = EMULATED | ADEX | {"leak_potential": 130.0, "threshold": 130.0}
    circuits = Circuits.ideal(1, **adex)
    _, expected = solve(circuits, 40.0, np.array([]))
    for dt_us, accuracy in ((0.1, TICK), (1.0, 0.1)):
        spikes = Engine(circuits, Synapses.none(), dt_us=dt_us, seed=1).advance(40.0).spike_times_us
        assert spikes.size == expected.size >= 2
        assert np.abs(spikes - expected).max() < accuracy + 1e-9


def test_tanh():
    x = np.linspace(-20.0, 20.0, 400_001)
    values = [p / q for p, q in map(kernel._tanh.py_func, x)]
    np.testing.assert_allclose(values, np.tanh(x), rtol=0, atol=4.2e-9)


# NEST --------------------------------------------------------------------------------------------


def test_recurrent_network_is_that_of_nest():
    nest = pytest.importorskip("nest")
    rng = np.random.default_rng(3)
    n, n_inputs, duration = 200, 50, 50.0
    circuits = Circuits.ideal(
        n,
        leak_rate=1.0 / rng.uniform(8, 12, n),
        syn_rate_exc=1.0 / rng.uniform(4, 6, n),
        syn_rate_inh=1.0 / rng.uniform(4, 12, n),
        threshold=rng.uniform(120, 130, n),
    )
    synapses = recurrent_network(rng, n, n_inputs, p=0.1, weight=24)
    # A step's accuracy is lost after many hops of a network that amplifies small differences.
    recurrent = synapses.source >= n_inputs
    synapses = dataclasses.replace(
        synapses, weight=np.where(recurrent, 0.25, 1.0) * synapses.weight
    )
    ticks = [2 + np.sort(rng.choice(6_000, 20, replace=False)) for _ in range(n_inputs)]
    times, sources = np.concatenate(ticks) * TICK, np.repeat(np.arange(n_inputs), 20)
    ours = Engine(circuits, synapses, seed=1).advance(duration, times, sources)
    alone = Engine(circuits, synapses, seed=1)
    alone.set_weights(np.where(recurrent, 0.0, synapses.weight))
    alone = alone.advance(duration, times, sources)
    assert abs(alone.spike_times_us.size - ours.spike_times_us.size) > n

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    # 1 us of hardware time is 1 ms there. Each hop takes a step longer, so that its steps are half
    # of our ticks: rounding and delay are 6 ns on average, our rounding is 4 ns.
    step = TICK / 2
    nest.set(resolution=step, min_delay=step, max_delay=step)
    neurons = nest.Create(
        "iaf_psc_exp",
        n,
        {
            "C_m": 1.0,
            "E_L": 80.0,
            "V_m": 80.0,
            "V_reset": 70.0,
            "t_ref": 2.0,
            "V_th": circuits.threshold,
            "tau_m": 1 / circuits.leak_rate,
            "tau_syn_ex": 1 / circuits.syn_rate_exc,
            "tau_syn_in": 1 / circuits.syn_rate_inh,
        },
    )
    generators = nest.Create("spike_generator", n_inputs)
    for generator, own in zip(generators, ticks, strict=True):
        generator.set(spike_times=np.round(own * TICK - step, 3))
    ids = np.concatenate([generators.tolist(), neurons.tolist()])
    gain = np.where(synapses.inhibitory, -circuits.gain_inh[0], circuits.gain_exc[0])
    nest.Connect(
        ids[synapses.source],
        np.array(neurons.tolist())[synapses.target],
        "one_to_one",
        {"weight": synapses.weight * gain, "delay": np.full(len(synapses), step)},
    )
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, "all_to_all", {"delay": step})
    nest.Simulate(duration + 1.0)
    events = recorder.events

    assert ours.spike_times_us.size > 5 * n
    for i in range(n):
        theirs = events["times"][events["senders"] == neurons[i].global_id]
        mine = ours.spike_times_us[ours.spike_circuits == i]
        assert mine.size in (np.sum(theirs <= duration), np.sum(theirs <= duration + 0.1))
        np.testing.assert_allclose(mine, theirs[: mine.size], rtol=0, atol=0.1)


# Events and spikes -------------------------------------------------------------------------------


@given(st.integers(0, 200), st.floats(1.0, 63.0))
@settings(max_examples=30, deadline=None)
def test_recurrent_spikes_arrive_at_once(tick, weight):
    # A chain; the second circuit's potential from the time of the first one's spike.
    circuits = Circuits.ideal(2, leak_potential=[200.0, 80.0], gain_exc=0.07)
    engine = Engine(
        circuits,
        Synapses(n_inputs=0, source=[0], target=[1], weight=weight, inhibitory=False),
        seed=1,
    )
    engine.set_potentials([120.0 - 0.05 * tick, 80.0])
    times = np.arange(0.0, 8.0, 0.1)
    activity = engine.advance(8.0, probes=[Probe(times_us=times, circuits=[1])])
    spike = activity.spike_times_us[0]
    t = np.maximum(times - spike, 0.0)
    expected = 80.0 + weight * 0.07 * t * np.exp(-0.1 * t)
    np.testing.assert_allclose(activity.samples[0][:, 0], expected, rtol=0, atol=1e-9)


def test_events_of_one_tick_add_up():
    circuits = Circuits.ideal(1, gain_exc=0.07, can_spike=False)
    currents = Probe(times_us=[5.0], circuits=[0], variable="exc_synin")
    engine = Engine(circuits, one_synapse(2, [3.0, 5.0]), seed=1)
    before = engine.advance(5.0, [5.0, 5.0, 5.0], [0, 1, 1], [currents]).samples[0]
    after = engine.advance(5.0, probes=[currents]).samples[0]
    assert before[0, 0] == 0
    assert after[0, 0] == pytest.approx(13 * 0.07)


def test_samples_of_many_circuits_are_those_of_each():
    rng = np.random.default_rng(1)
    circuits = Circuits.ideal(30, **EMULATED | SATURATED | {"leak_rate": rng.uniform(0.1, 0.2, 30)})
    synapses = recurrent_network(rng, 30)
    times = to_grid(rng.uniform(0, 50, 300))
    sources = rng.integers(0, 20, 300)
    at = np.sort(rng.uniform(0, 50, 100))
    probes = [Probe(times_us=at, circuits=np.arange(30))]
    probes += [Probe(times_us=at[::3], circuits=[7, 4])]
    together, few = Engine(circuits, synapses, seed=1).advance(50.0, times, sources, probes).samples
    assert few.shape == (34, 2)
    np.testing.assert_allclose(few, together[::3][:, [7, 4]], rtol=0, atol=1e-10)


def test_weights_change_between_advances():
    circuits = Circuits.ideal(1, gain_exc=0.07, can_spike=False)
    currents = Probe(times_us=[1.0], circuits=[0], variable="exc_synin")
    engine = Engine(circuits, one_synapse(2, [3.0, 5.0]), seed=1)
    engine.set_weights([10.0, 20.0])
    engine.advance(1.0, [1.0], [1])
    current = engine.advance(1.0, probes=[currents]).samples[0]
    assert current[0, 0] == pytest.approx(20 * 0.07)


def test_quiet_inputs_change_nothing():
    """Events without effect only shorten steps: what is linear stays as it is."""
    circuits = Circuits.ideal(3, leak_potential=[150.0, 160.0, 170.0])
    quiet = Synapses(n_inputs=1, source=[0], target=[0], weight=0.0, inhibitory=False)
    alone = Engine(circuits, quiet, seed=1).advance(100.0)
    times = np.arange(0.0, 100.0, TICK * 3)
    events = Engine(circuits, quiet, seed=1).advance(100.0, times, np.zeros(times.size, dtype=int))
    np.testing.assert_array_equal(alone.spike_times_us, events.spike_times_us)


# Determinism and continuation --------------------------------------------------------------------


def noisy_engine(seed=1, **changes):
    rng = np.random.default_rng(7)
    parameters = EMULATED | SATURATED | {"threshold_noise": 0.3, "membrane_noise": 1.0} | changes
    circuits = Circuits.ideal(40, **parameters | {"threshold": rng.uniform(90, 95, 40)})
    engine = Engine(circuits, recurrent_network(rng), seed=seed)
    return engine, to_grid(rng.uniform(0, 60, 600)), rng.integers(0, 20, 600)


def run_in_parts(parts, **changes):
    engine, times, sources = noisy_engine(**changes)
    spikes, begin = [], -1.0
    for end in parts:
        now = (times > begin) & (times <= end)
        activity = engine.advance(end, times[now], sources[now])
        spikes += zip(activity.spike_times_us, activity.spike_circuits, strict=True)
        begin = end
    return spikes, engine.save().arrays[0]


def test_same_seed_same_spikes():
    spikes, state = run_in_parts([60.0])
    again, state_again = run_in_parts([60.0])
    other, _ = run_in_parts([60.0], seed=2)
    assert len(spikes) > 40
    assert spikes == again and (state == state_again).all()
    assert spikes != other


def test_parts_at_steps_are_the_whole_to_the_last_bit():
    whole, state = run_in_parts([60.0])
    parts, state_of_parts = run_in_parts([0.0, 0.4, 13.2, 13.2, 52.4, 60.0])
    assert whole == parts
    assert (state == state_of_parts).all()


def test_parts_anywhere_are_the_whole_within_a_tick():
    whole, _ = run_in_parts([60.0], membrane_noise=0.0)
    parts, _ = run_in_parts([0.008, 13.248, 41.872, 60.0], membrane_noise=0.0)
    times, circuits = zip(*sorted(whole, key=lambda s: (s[1], s[0])), strict=True)
    times_of_parts, circuits_of_parts = zip(*sorted(parts, key=lambda s: (s[1], s[0])), strict=True)
    assert circuits == circuits_of_parts
    np.testing.assert_allclose(times, times_of_parts, rtol=0, atol=TICK + 1e-9)


def test_restored_state_continues():
    engine, times, sources = noisy_engine()
    early = times <= 30.0
    engine.advance(30.0, times[early], sources[early])
    state = engine.save()
    first = engine.advance(60.0, times[~early], sources[~early])
    engine.restore(state)
    second = engine.advance(60.0, times[~early], sources[~early])
    assert engine.now_us == 60.0
    np.testing.assert_array_equal(first.spike_times_us, second.spike_times_us)


def test_state_continues_with_other_parameters():
    circuits = Circuits.ideal(2, leak_potential=[200.0, 120.0], threshold_noise=0.5)
    engine = Engine(circuits, Synapses.none(), seed=1)
    assert engine.advance(1.0).spike_times_us.tolist() == [TICK]
    changed = dataclasses.replace(circuits, threshold=np.array([90.0, 110.0]))
    other = Engine(changed, Synapses.none(), seed=1)
    other.restore(engine.save())
    activity = other.advance(5.0)
    # Circuit 1 is above its new threshold, circuit 0 reaches its own after its reset.
    assert activity.spike_circuits.tolist()[:2] == [1, 0]
    assert activity.spike_times_us[0] == pytest.approx(1.0 + TICK)
    rise = 10 * math.log(130 / 110)
    assert activity.spike_times_us[1] == pytest.approx(TICK + 2.0 + rise, abs=0.25)


def test_more_spikes_than_room_for_them():
    circuits = Circuits.ideal(50, leak_potential=500.0, refractory_time=0.04, reset_potential=120.0)
    spikes = Engine(circuits, Synapses.none(), seed=1).advance(400.0)
    one = Engine(circuits[[0]], Synapses.none(), seed=1).advance(400.0)
    assert spikes.spike_times_us.size == 50 * one.spike_times_us.size > 2 * 4096
    np.testing.assert_array_equal(
        spikes.spike_times_us[spikes.spike_circuits == 49], one.spike_times_us
    )


# Noise -------------------------------------------------------------------------------------------


def test_random_numbers_are_philox():
    counters = np.array([[0, 1, 2**32 - 1], [5, 2**31, 7], [1, 0, 1], [0, 3, 2**20]])
    key = (0xDEADBEEF, 0x12345678)
    expected = np.array(philox4x32(*counters, key))
    got = [[int(w) for w in kernel._philox(*counter, *key)] for counter in counters.T]
    np.testing.assert_array_equal(np.array(got).T, expected)


def test_membrane_noise_has_its_standard_deviation():
    n, sigma, tau = 400, 2.0, 5.0
    circuits = Circuits.ideal(n, membrane_noise=sigma, leak_rate=1 / tau, can_spike=False)
    # Samples 4 time constants apart are independent but for 2 %.
    times = np.arange(1, 11) * 4 * tau
    engine = Engine(circuits, Synapses.none(), seed=3)
    v = engine.advance(times[-1], probes=[Probe(times_us=times, circuits=np.arange(n))]).samples[0]
    expected = sigma * math.sqrt(tau / 2)
    # Standard errors of mean and deviation of 4000 numbers; 4 of them.
    assert np.mean(v) == pytest.approx(80.0, abs=4 * expected / math.sqrt(v.size))
    assert np.std(v) == pytest.approx(expected, rel=4 / math.sqrt(2 * v.size))
    z = (v - 80) / expected
    assert np.mean(z**4) == pytest.approx(3.0, abs=4 * math.sqrt(96 / v.size))


def test_threshold_noise_has_its_standard_deviation():
    # The potential rises almost linearly, 1 LSB per us.
    circuits = Circuits.ideal(
        200, leak_potential=1100.0, leak_rate=1e-3, threshold=100.0, reset_potential=80.0,
        refractory_time=0.0, threshold_noise=0.5,
    )  # fmt: skip
    activity = Engine(circuits, Synapses.none(), seed=4).advance(400.0)
    order = np.lexsort((activity.spike_times_us, activity.spike_circuits))
    times, circuit = activity.spike_times_us[order], activity.spike_circuits[order]
    intervals = np.diff(times)[np.diff(circuit) == 0]
    thresholds = 1100.0 - 1020.0 * np.exp(-1e-3 * intervals)
    n = thresholds.size
    assert n > 3000
    assert np.std(thresholds) == pytest.approx(0.5, rel=4 / math.sqrt(2 * n))
    assert np.mean(thresholds) == pytest.approx(100.0, abs=0.01 + 4 * 0.5 / math.sqrt(n))


# Compartments ------------------------------------------------------------------------------------


def chain(n, rate):
    return [(i, i + 1, rate) for i in range(n - 1)]


@pytest.mark.parametrize("rate", [0.05, 1.0, 20.0])
def test_passive_chain(rate):
    """Stationary potentials of a chain with a current into one end."""
    n = 4
    capacitance = np.array([1.0, 0.5, 1.0, 2.0])
    circuits = Circuits.ideal(
        n, capacitance=capacitance, current=[2.0, 0.0, 0.0, 0.0], can_spike=False
    )
    engine = Engine(circuits, Synapses.none(), seed=1, inter_compartment=chain(n, rate), dt_us=0.1)
    v = engine.advance(200.0, probes=[Probe(times_us=[200.0], circuits=range(n))]).samples[0][0]
    matrix = np.diag(0.1 * capacitance)
    for i, j, g in chain(n, rate):
        matrix[[i, j], [i, j]] += g
        matrix[[i, j], [j, i]] -= g
    expected = 80 + np.linalg.solve(matrix, [2.0, 0, 0, 0])
    # Splitting shifts it by second order in the step times the rates.
    np.testing.assert_allclose(v, expected, rtol=0, atol=0.02)
    assert (np.diff(v) < 0).all()


def test_without_leak_compartments_keep_their_charge():
    capacitance = np.array([1.0, 0.3, 2.0])
    circuits = Circuits.ideal(3, leak_rate=0.0, capacitance=capacitance, can_spike=False)
    engine = Engine(circuits, Synapses.none(), seed=1, inter_compartment=[(2, 0, 0.5), (1, 2, 3.0)])
    engine.set_potentials([100.0, 60.0, 90.0])
    v = engine.advance(100.0, probes=[Probe(times_us=[100.0], circuits=[0, 1, 2])]).samples[0][0]
    np.testing.assert_allclose(v, capacitance @ [100.0, 60.0, 90.0] / capacitance.sum(), atol=1e-9)


def test_spike_times_of_compartments_do_not_depend_on_others():
    """Crossings inside a step are found for the whole component, wherever its members are."""
    circuits = Circuits.ideal(6, leak_potential=[250.0, 160.0, 170.0, 80.0, 90.0, 120.0])
    together = Engine(
        circuits, Synapses.none(), seed=1, inter_compartment=[(0, 5, 0.2), (5, 3, 0.3)]
    )
    alone = Engine(
        circuits[[5, 0, 3]], Synapses.none(), seed=1, inter_compartment=[(0, 1, 0.2), (0, 2, 0.3)]
    )
    together.set_potentials(70.0)
    alone.set_potentials(70.0)
    together, alone = together.advance(100.0), alone.advance(100.0)
    of_0 = together.spike_times_us[together.spike_circuits == 0]
    assert of_0.size > 2
    np.testing.assert_allclose(of_0, alone.spike_times_us[alone.spike_circuits == 1], atol=0.1)


def test_an_input_that_is_off_does_not_slow_that_of_a_merged_circuit():
    parts = Circuits.ideal(2, syn_rate_exc=[0.2, 0.0], gain_exc=[0.07, 0.0])
    (rate,) = parts.merged([[0, 1]]).syn_rate_exc
    assert rate == 0.2
    none = Circuits.ideal(2, syn_rate_exc=[0.2, 0.1], gain_exc=0.0)
    assert none.merged([[0, 1]]).syn_rate_exc == pytest.approx(0.15)


def test_merged_circuits_are_compartments_with_a_large_conductance():
    parts = Circuits.ideal(
        2, leak_potential=[80.0, 100.0], leak_rate=[0.1, 0.2], capacitance=[1.0, 0.5],
        current=[1.0, 0.0], can_spike=False,
    )  # fmt: skip
    times = np.arange(0.0, 30.0, 1.0)
    linked = Engine(parts, one_synapse(weight=63.0), seed=1, inter_compartment=[(0, 1, 500.0)])
    merged = Engine(parts.merged([[0, 1]]), one_synapse(weight=63.0), seed=1)
    linked.set_potentials(85.0)
    merged.set_potentials(85.0)
    # An event reaches circuit 0 with its own gain: half of its capacitance-weighted mean counts.
    charge = parts.gain_exc[0] * parts.capacitance[0] / parts.capacitance.sum()
    merged.set_weights(63.0 * charge / parts.merged([[0, 1]]).gain_exc[0])
    v = [
        engine.advance(30.0, [4.0], [0], [Probe(times_us=times, circuits=[0])]).samples[0][:, 0]
        for engine in (linked, merged)
    ]
    assert np.ptp(v[1]) > 5
    np.testing.assert_allclose(v[0], v[1], rtol=0, atol=0.02)


# Errors ------------------------------------------------------------------------------------------


def test_errors_name_what_is_wrong():
    circuits = Circuits.ideal(2)
    engine = Engine(circuits, one_synapse(), seed=1)
    with pytest.raises(ValueError, match="until_us: 1.001 us is no multiple of 8 ns"):
        engine.advance(1.001)
    with pytest.raises(ValueError, match="event_times_us: 0.004 us"):
        engine.advance(1.0, [0.004], [0])
    with pytest.raises(ValueError, match="events at 2 ... 2 us, need them from 0 to 1 us"):
        engine.advance(1.0, [2.0], [0])
    with pytest.raises(ValueError, match="event_sources 1, need 0 ... 0"):
        engine.advance(1.0, [0.0], [1])
    with pytest.raises(ValueError, match="1 event_times_us and 2 event_sources"):
        engine.advance(1.0, [0.0], [0, 0])
    with pytest.raises(ValueError, match="circuit 2, need one of 0 ... 1"):
        engine.advance(1.0, probes=[Probe(times_us=[0.0], circuits=[2])])
    with pytest.raises(ValueError, match="samples at 0 ... 2 us"):
        engine.advance(1.0, probes=[Probe(times_us=[0.0, 2.0], circuits=[0])])
    engine.advance(1.0)
    with pytest.raises(ValueError, match="need at least 1, the time reached"):
        engine.advance(0.5 * 0.8)
    with pytest.raises(ValueError, match="dt_us: 0.0015 us is no multiple of 4 ns"):
        Engine(circuits, one_synapse(), dt_us=0.0015, seed=1)
    with pytest.raises(ValueError, match="target 2, need 0 ... 1"):
        Engine(
            circuits,
            Synapses(n_inputs=1, source=[0], target=[2], weight=1, inhibitory=False),
            seed=1,
        )
    with pytest.raises(ValueError, match="merge the circuits"):
        Engine(circuits, one_synapse(), seed=1, inter_compartment=[(0, 1, math.inf)])
    with pytest.raises(ValueError, match="weight -1, need finite weights >= 0"):
        engine.set_weights(-1.0)
    with pytest.raises(ValueError, match="variable='u'"):
        Probe(times_us=[0.0], circuits=[0], variable="u")


def test_circuits_refuse_what_has_no_meaning():
    with pytest.raises(ValueError, match="leak_rate=-1 of circuit 0, need >= 0"):
        Circuits.ideal(2, leak_rate=-1.0)
    with pytest.raises(ValueError, match=r"shape \(2,\), need one number or 3"):
        Circuits.ideal(2, threshold=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="coba_reference_exc of circuit 1"):
        Circuits.ideal(2, coba_exc=[False, True], coba_reference_exc=300.0)


def test_circuits_are_selected_and_concatenated():
    circuits = Circuits.ideal(4, threshold=[1.0, 2.0, 3.0, 4.0])
    both = Circuits.concatenate([circuits[[3, 0]], circuits[1:2]])
    assert both.threshold.tolist() == [4.0, 1.0, 2.0]
    assert len(both) == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        both.threshold = 1.0
