# ruff: noqa: I001  (pyNN.nest is noisy unless cosim imports it first)
"""Synapse types: the same weights and the same currents as on NEST."""

import numpy as np
import pytest
from pyNN.random import NumpyRNG, RandomDistribution

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest_sim

N_PRE, N_POST = 8, 6
DURATION = 200.0


def trains(n, rate, seed):
    """Return random spike times on the time grid, one array per cell, and one at the end."""
    rng = np.random.default_rng(seed)
    steps = [np.flatnonzero(rng.random(int(DURATION * 10) - 1) < rate * 1e-4) + 1 for _ in range(n)]
    return [np.append(s, int(DURATION * 10)) * 0.1 for s in steps]


def rows(unit, seed=3):
    """Return random connections, some of them repeated, with weights and delays."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(N_PRE) for j in range(N_POST) if rng.random() < 0.6]
    pairs += pairs[::7]
    return [
        (i, j, float(unit * (0.5 + rng.random())), round(0.1 * int(rng.integers(1, 35)), 1))
        for i, j in pairs
    ]


def simulate(sim, synapse, unit=4.0, receptor="excitatory", rates=(120.0, 300.0)):
    """Run sources on the synapses under test; return spikes, potentials and final weights."""
    sim.setup(timestep=0.1, rng_seed=4)
    pre = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=trains(N_PRE, rates[0], 1)))
    drive = sim.Population(N_POST, sim.SpikeSourceArray(spike_times=trains(N_POST, rates[1], 2)))
    post = sim.Population(
        N_POST, sim.IF_curr_exp(tau_m=10.0, tau_syn_E=2.0, tau_syn_I=3.0, tau_refrac=1.0)
    )
    projection = sim.Projection(
        pre, post, sim.FromListConnector(rows(unit), column_names=["weight", "delay"]),
        synapse(sim), receptor_type=receptor, label="p",
    )  # fmt: skip
    sim.Projection(drive, post, sim.OneToOneConnector(), sim.StaticSynapse(weight=8.0, delay=1.0))
    post.record(["spikes", "v"])
    sim.run(DURATION)
    segment = post.get_data().segments[0]
    spikes = [np.round(train.magnitude, 6).tolist() for train in segment.spiketrains]
    return spikes, segment.analogsignals[0].magnitude, projection.get(["weight", "delay"], "list")


def assert_equal_to_nest(synapse, **options):
    ours, nest = simulate(sim, synapse, **options), simulate(nest_sim, synapse, **options)
    assert ours[0] == nest[0]
    assert sum(map(len, ours[0])) > 20
    np.testing.assert_allclose(ours[1], nest[1], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours[2], nest[2], rtol=1e-12)
    return np.array(ours[2])


def stdp(rule, sign=1.0, limits=None, **timing):
    def make(sim):
        parameters = {"tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.01, "A_minus": 0.012}
        return sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(**{**parameters, **timing}),
            weight_dependence=getattr(sim, rule)(**(limits or {"w_max": 8.0 * sign})),
            weight=4.0 * sign,
        )

    return make


RULES = [
    "AdditiveWeightDependence",
    "MultiplicativeWeightDependence",
    "AdditivePotentiationMultiplicativeDepression",
    "GutigWeightDependence",
]


def test_static_synapses_as_on_nest():
    assert_equal_to_nest(lambda sim: sim.StaticSynapse())


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
@pytest.mark.parametrize("rule", RULES)
def test_stdp_as_on_nest(rule, receptor):
    sign = 1.0 if receptor == "excitatory" else -1.0
    rates = (120.0, 300.0 if sign > 0 else 600.0)
    final = assert_equal_to_nest(stdp(rule, sign), unit=4.0 * sign, receptor=receptor, rates=rates)
    start = np.array(sorted(rows(4.0 * sign), key=lambda row: row[:2]))
    assert (np.abs(final[:, 2] - start[:, 2]) > 1e-3).mean() > 0.9


def test_exponents_of_the_weight_dependence():
    limits = {"w_max": 8.0, "mu_plus": 0.3, "mu_minus": 0.7}
    assert_equal_to_nest(stdp("GutigWeightDependence", limits=limits))


@pytest.mark.parametrize(("a_plus", "a_minus", "limit"), [(0.5, 0.0, 8.0), (0.1, 0.5, 0.0)])
def test_weights_that_reach_their_limits(a_plus, a_minus, limit):
    final = assert_equal_to_nest(stdp("AdditiveWeightDependence", A_plus=a_plus, A_minus=a_minus))
    assert np.isclose(final[:, 2], limit, rtol=1e-12, atol=0).sum() > 3


def test_spikes_of_both_sides_at_the_same_time():
    """Every pair of intervals from -4 to 4 steps, the same time as seen by the synapse among them.

    The weight of the drive makes the neuron spike one delay after each of its spikes.
    """
    results = []
    for backend in (sim, nest_sim):
        backend.setup(timestep=0.1)
        times = np.arange(20.0, 400.0, 40.0)
        pre = backend.Population(9, backend.SpikeSourceArray(
            spike_times=[np.append(times + 0.1 * shift, 400.0) for shift in range(-4, 5)]
        ))  # fmt: skip
        drive = backend.Population(1, backend.SpikeSourceArray(spike_times=times - 1.8))
        post = backend.Population(1, backend.IF_curr_exp(tau_m=2.0, tau_syn_E=0.3, tau_refrac=5.0))
        backend.Projection(
            drive, post, backend.AllToAllConnector(), backend.StaticSynapse(weight=500.0, delay=0.5)
        )
        p = backend.Projection(
            pre, post, backend.AllToAllConnector(),
            backend.STDPMechanism(
                timing_dependence=backend.SpikePairRule(A_plus=0.01, A_minus=0.03),
                weight_dependence=backend.MultiplicativeWeightDependence(w_max=1e-3),
                weight=5e-4, delay=1.0,
            ),
        )  # fmt: skip
        post.record("spikes")
        backend.run(400.0)
        spikes = post.get_data().segments[0].spiketrains[0].magnitude
        seen = np.round(spikes[None] + 1.0 - times[: len(spikes), None], 6)
        assert -0.4 <= seen[0, 0] <= 0.4
        results.append((spikes.round(6).tolist(), p.get("weight", "list", with_address=False)))
    assert results[0][0] == results[1][0]
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-12)
    assert np.ptp(results[0][1]) > 1e-5


@pytest.mark.parametrize(
    "parameters",
    [
        {"U": 0.4, "tau_rec": 20.0, "tau_facil": 30.0},
        {"U": 0.5, "tau_rec": 100.0, "tau_facil": 0.0},
        {"U": 0.05, "tau_rec": 1.5, "tau_facil": 200.0},
    ],
    ids=["both", "depression", "facilitation"],
)
@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
def test_tsodyks_markram_as_on_nest(parameters, receptor):
    sign = 1.0 if receptor == "excitatory" else -1.0
    assert_equal_to_nest(
        lambda sim: sim.TsodyksMarkramSynapse(**parameters),
        unit=sign * 15.0, receptor=receptor, rates=(120.0, 300.0 if sign > 0 else 1000.0),
    )  # fmt: skip


def test_tsodyks_markram_recovers_as_fast_as_the_current_decays():
    """NEST has no solution for equal time constants; it lies between those of unequal ones."""

    def peaks(tau_rec):
        sim.setup(timestep=0.1)
        pre = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 3.0, 8.0]))
        post = sim.Population(1, sim.IF_curr_exp(tau_syn_E=5.0, v_thresh=1e6))
        synapse = sim.TsodyksMarkramSynapse(weight=1.0, U=0.6, tau_rec=tau_rec, tau_facil=10.0)
        sim.Projection(pre, post, sim.AllToAllConnector(), synapse)
        post.record("v")
        sim.run(30.0)
        return post.get_data().segments[0].analogsignals[0].magnitude

    below, equal, above = peaks(5.0 - 1e-4), peaks(5.0), peaks(5.0 + 1e-4)
    np.testing.assert_allclose(equal, (below + above) / 2, rtol=1e-9)
    assert not np.array_equal(below, above)


def test_tsodyks_markram_initial_state():
    def make(sim):
        return sim.TsodyksMarkramSynapse(weight=30.0, U=0.3, tau_rec=50.0, tau_facil=100.0)

    results = []
    for backend in (sim, nest_sim):
        backend.setup(timestep=0.1)
        pre = backend.Population(1, backend.SpikeSourceArray(spike_times=[5.0, 9.0]))
        post = backend.Population(2, backend.IF_curr_exp(v_thresh=1e6))
        p = backend.Projection(pre, post, backend.AllToAllConnector(), make(backend))
        p.initialize(u=np.array([[0.0, 0.8]]))
        post.record("v")
        backend.run(30.0)
        results.append(post.get_data().segments[0].analogsignals[0].magnitude)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-10)
    assert results[0][-1, 1] > results[0][-1, 0]


def test_tau_minus_may_differ_between_synapses():
    """On NEST it belongs to the neuron."""
    sim.setup(timestep=0.1, rng_seed=4)
    tau_minus = RandomDistribution("uniform", low=10.0, high=40.0, rng=NumpyRNG(3))
    pre = sim.Population(3, sim.SpikeSourceArray(spike_times=[30.0]))
    drive = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    post = sim.Population(1, sim.IF_curr_exp(tau_m=2.0, tau_syn_E=0.3, tau_refrac=5.0))
    sim.Projection(drive, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=500.0, delay=1.0))
    p = sim.Projection(
        pre, post, sim.AllToAllConnector(),
        sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(tau_minus=tau_minus, A_minus=0.1),
            weight_dependence=sim.AdditiveWeightDependence(w_max=1.0), weight=0.5, delay=1.0,
        ),
    )  # fmt: skip
    post.record("spikes")
    sim.run(31.0)
    (spike,) = post.get_data().segments[0].spiketrains[0].magnitude
    taus = p.get("tau_minus", "array")[:, 0]
    assert np.ptp(taus) > 1.0
    expected = 0.5 - 0.1 * np.exp(-(30.0 - spike - 1.0) / taus)
    np.testing.assert_allclose(p.get("weight", "array")[:, 0], expected, rtol=1e-12)


def test_lower_limit_of_the_weight():
    """NEST has none but 0. A multiplicative change is one of the distance to the limit."""
    sim.setup(timestep=0.1)
    pre = sim.Population(1, sim.SpikeSourceArray(spike_times=[30.0]))
    drive = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    post = sim.Population(1, sim.IF_curr_exp(tau_m=2.0, tau_syn_E=0.3, tau_refrac=5.0))
    sim.Projection(drive, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=500.0, delay=1.0))
    plastic = {
        rule: sim.Projection(
            pre, post, sim.AllToAllConnector(),
            sim.STDPMechanism(
                timing_dependence=sim.SpikePairRule(A_minus=0.5),
                weight_dependence=getattr(sim, rule)(w_min=0.2, w_max=1.0),
                weight=0.3, delay=1.0,
            ),
        )
        for rule in RULES
    }  # fmt: skip
    post.record("spikes")
    sim.run(31.0)
    (spike,) = post.get_data().segments[0].spiketrains[0].magnitude
    change = 0.5 * np.exp(-(30.0 - spike - 1.0) / 20.0)
    expected = {
        "AdditiveWeightDependence": max(0.3 - change * 1.0, 0.2),
        "MultiplicativeWeightDependence": 0.3 - change * 0.1,
        "AdditivePotentiationMultiplicativeDepression": 0.3 - change * 0.1,
        "GutigWeightDependence": max(0.3 - change * 0.8 * (0.1 / 0.8) ** 0.5, 0.2),
    }
    for rule, p in plastic.items():
        assert p.get("weight", "list")[0][2] == pytest.approx(expected[rule], rel=1e-12), rule


def test_inhibitory_conductances_are_positive_and_learn():
    sim.setup(timestep=0.1)
    pre = sim.Population(1, sim.SpikeSourceArray(spike_times=[30.0]))
    drive = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    post = sim.Population(1, sim.IF_cond_exp(tau_refrac=20.0))
    sim.Projection(drive, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
    p = sim.Projection(
        pre, post, sim.AllToAllConnector(),
        sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(A_minus=0.1),
            weight_dependence=sim.MultiplicativeWeightDependence(w_max=0.02),
            weight=0.01, delay=1.0,
        ),
        receptor_type="inhibitory",
    )  # fmt: skip
    post.record(["spikes", "gsyn_inh"])
    sim.run(32.0)
    segment = post.get_data().segments[0]
    (spike,) = segment.spiketrains[0].magnitude
    weight = 0.01 * (1 - 0.1 * np.exp(-(30.0 - spike - 1.0) / 20.0))
    assert p.get("weight", "list")[0][2] == pytest.approx(weight, rel=1e-12)
    assert segment.analogsignals[0].magnitude.max() == pytest.approx(weight, rel=1e-9)


def test_what_is_sent_is_evaluated_at_the_spike():
    """Three spikes are under way while the weight is changed."""

    def potential(sim, weight):
        sim.setup(timestep=0.1)
        pre = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 12.0, 14.0, 30.0]))
        post = sim.Population(1, sim.IF_curr_exp(v_thresh=1e6))
        synapse = sim.TsodyksMarkramSynapse(U=0.5, weight=1.0, delay=10.0)
        p = sim.Projection(pre, post, sim.AllToAllConnector(), synapse)
        post.record("v")
        sim.run(19.0)
        p.set(weight=weight)
        sim.run(41.0)
        return post.get_data().segments[0].analogsignals[0].magnitude[:, 0]

    same, more, nest = potential(sim, 1.0), potential(sim, 3.0), potential(nest_sim, 3.0)
    np.testing.assert_array_equal(same[:401], more[:401])
    assert same[300] > same[0] and more[410] > same[410]
    np.testing.assert_allclose(more, nest, rtol=1e-12)


@pytest.mark.parametrize(
    ("synapse", "message"),
    [
        (lambda: sim.TsodyksMarkramSynapse(U=1.5), "'p': U=1.5, need values in 0 ... 1"),
        (lambda: sim.TsodyksMarkramSynapse(tau_rec=0.0), "'p': tau_rec=0, need values > 0 ms"),
        (lambda: stdp(RULES[0], tau_plus=0.0)(sim), "'p': tau_plus=0, need values > 0 ms"),
        (lambda: stdp(RULES[0], limits={"w_max": -1.0})(sim), "'p': weight=4, .*same sign"),
        (lambda: stdp(RULES[0], limits={"w_max": 0.0})(sim), "'p': w_max=0, need .* from w_min"),
    ],
)
def test_values_that_are_refused(synapse, message):
    sim.setup(timestep=0.1)
    pre = sim.Population(1, sim.SpikeSourceArray())
    post = sim.Population(2, sim.IF_curr_exp())
    with pytest.raises(sim.errors.ConnectionError, match=message):
        sim.Projection(pre, post, sim.AllToAllConnector(), synapse(), receptor_type="excitatory",
                       label="p")  # fmt: skip


def test_what_brian2_has_no_model_for():
    sim.setup(timestep=0.1)
    with pytest.raises(ValueError, match="dendritic_delay_fraction=0.5, need 1"):
        sim.STDPMechanism(
            sim.SpikePairRule(), sim.AdditiveWeightDependence(), dendritic_delay_fraction=0.5
        )
    with pytest.raises(sim.errors.NoModelAvailableError, match="NoneType"):
        sim.STDPMechanism(sim.SpikePairRule())
    cells = sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(sim.errors.NoModelAvailableError, match="'p': .*nest.*StaticSynapse"):
        sim.Projection(cells, cells, sim.AllToAllConnector(), nest_sim.StaticSynapse(), label="p")
    delta = sim.Population(1, sim.IF_curr_delta())
    with pytest.raises(sim.errors.ConnectionError, match="IF_curr_delta .*time constant"):
        sim.Projection(cells, delta, sim.AllToAllConnector(), sim.TsodyksMarkramSynapse())
