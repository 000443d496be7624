# ruff: noqa: I001  (pyNN.nest is noisy unless cosim imports it first)
"""Projections: the connections of NEST's adapter, in bulk, read and written in PyNN units."""

import time

import brian2
import numpy as np
import pytest
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D, Space

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest_sim

N_PRE, N_POST = 6, 5
# Sorted, with pairs that have one, two and three connections.
PAIRS = [(0, 0), (0, 0), (0, 3), (1, 1), (1, 1), (1, 1), (2, 4), (4, 0), (5, 2), (5, 2)]
ROWS = [(i, j, 0.125 * (k + 1), 0.5 + 0.1 * k) for k, (i, j) in enumerate(PAIRS)]
SINGLE = [row for row in ROWS if PAIRS.count(row[:2]) == 1]


@pytest.fixture(autouse=True)
def _setup():
    sim.setup(timestep=0.1, rng_seed=4)


def projection(rows=ROWS, synapse=None, cell=None, receptor="excitatory", backend=sim):
    pre = backend.Population(N_PRE, backend.SpikeSourceArray(spike_times=[1.0, 2.0, 3.0]))
    post = backend.Population(N_POST, cell or backend.IF_curr_exp())
    return backend.Projection(
        pre, post, backend.FromListConnector(rows, column_names=["weight", "delay"]),
        synapse or backend.StaticSynapse(), receptor_type=receptor, label="p",
    )  # fmt: skip


def stdp(sign=1.0, **weight_limits):
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=15.0, tau_minus=25.0, A_plus=0.01, A_minus=0.012
        ),
        weight_dependence=sim.GutigWeightDependence(
            **{"w_max": 2.0 * sign, "mu_plus": 0.25, **weight_limits}
        ),
        weight=sign,
    )


SYNAPSES = {"static": sim.StaticSynapse, "STDP": stdp, "Tsodyks-Markram": sim.TsodyksMarkramSynapse}


def approx(rows):
    return [pytest.approx(row, rel=1e-12) for row in rows]


def currents(cells, receptor="exc"):
    """Return the largest synaptic current or conductance that each cell has had."""
    (signal,) = cells.get_data().segments[0].analogsignals
    return np.abs(signal.magnitude).max(axis=0)


# ---- connecting --------------------------------------------------------------------------------


CONNECTORS = {
    "all to all": lambda sim: sim.AllToAllConnector(),
    "one to one": lambda sim: sim.OneToOneConnector(),
    "fixed probability": lambda sim: sim.FixedProbabilityConnector(0.4),
    "fixed number pre": lambda sim: sim.FixedNumberPreConnector(4),
    "fixed number post, repeated": lambda sim: sim.FixedNumberPostConnector(7, with_replacement=1),
    "distance": lambda sim: sim.DistanceDependentProbabilityConnector("d < 3"),
}


def connect(backend, connector, weight=0.3, delay=1.0, **options):
    pre, post = (
        backend.Population(n, backend.IF_curr_exp(), structure=Grid2D(aspect_ratio=n / 9))
        for n in (12, 9)
    )
    return backend.Projection(
        pre, post, connector, backend.StaticSynapse(weight=weight, delay=delay),
        receptor_type="excitatory", space=Space(axes="xy"), **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", CONNECTORS)
def test_same_connections_as_on_nest(name):
    found = []
    for backend in (sim, nest_sim):
        backend.setup(timestep=0.1, rng_seed=7)
        uniform = RandomDistribution("uniform", low=0.5, high=2.0)
        connect(backend, CONNECTORS[name](backend), label="same label")
        p = connect(backend, CONNECTORS[name](backend), uniform, uniform, label="same label")
        found.append(p.get(["weight", "delay"], "list"))
    assert len(found[0]) > 5
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


def test_weights_and_delays_arrive_where_they_should():
    """Each cell of the target gets each spike of its sources with its own weight and delay."""
    rng = np.random.default_rng(3)
    pre = sim.Population(5, sim.SpikeSourceArray(spike_times=[[10.0 * (i + 1)] for i in range(5)]))
    post = sim.Population(4, sim.IF_curr_exp(tau_syn_E=0.1, v_thresh=1e6, tau_m=0.1, cm=1e-3))
    rows = [
        (i, j, float(rng.integers(1, 9)), round(0.1 * int(rng.integers(1, 60)), 1))
        for i in range(5)
        for j in range(4)
        for _ in range(rng.integers(0, 3))
    ]
    p = sim.Projection(
        pre, post, sim.FromListConnector(rows, column_names=["weight", "delay"]),
        sim.StaticSynapse(), receptor_type="excitatory",
    )  # fmt: skip
    post.record("isyn_exc")
    sim.run(70.0)
    current = post.get_data().segments[0].analogsignals[0].magnitude
    jumps = current[1:] - current[:-1] * np.exp(-1.0)
    expected = np.zeros_like(current)
    for i, j, weight, delay in p.get(["weight", "delay"], "list"):
        expected[round((10.0 * (i + 1) + delay) * 10), j] += weight
    np.testing.assert_allclose(jumps, expected[1:], rtol=1e-9, atol=1e-9)


def test_views_and_assemblies_as_both_ends():
    times = [[1.0 + i] for i in range(10)]
    sources = [
        sim.Population(4, sim.SpikeSourceArray(spike_times=times[:4])),
        sim.Population(6, sim.SpikeSourceArray(spike_times=times[4:])),
    ]
    cells = [sim.Population(n, sim.IF_curr_exp(v_thresh=1e6, tau_syn_E=1e6)) for n in (4, 6)]

    def ends(a, b):
        return [a[1:4], b[::2], a + b, b[3:5] + a[0:2], b[4:][1:]]

    expected = np.zeros(10)
    for k, pre in enumerate(ends(*sources)):
        for post in ends(*cells):
            weight = 1.0 + k
            p = sim.Projection(
                pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0),
                receptor_type="excitatory",
            )  # fmt: skip
            assert len(p) == pre.size * post.size
            assert p.get("weight", "list") == [
                (i, j, weight) for i in range(pre.size) for j in range(post.size)
            ]
            for cell in post.all_cells:
                expected[int(cell) - int(cells[0].all_cells[0])] += weight * pre.size
    for population in cells:
        population.record("isyn_exc")
    sim.run(20.0)
    found = np.concatenate([currents(population) for population in cells])
    np.testing.assert_allclose(found, expected, rtol=1e-4)  # the currents decay a little


def test_values_of_assemblies_before_and_after_a_run():
    sources = [sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0])) for _ in range(2)]
    cells = [sim.Population(3, sim.IF_curr_exp()) for _ in range(2)]
    p = sim.Projection(
        sources[0] + sources[1], cells[1] + cells[0], sim.AllToAllConnector(), stdp(),
        receptor_type="excitatory",
    )  # fmt: skip
    weights = np.arange(1.0, 25.0).reshape(4, 6) / 16
    for _ in range(2):
        p.set(weight=weights, delay=2.0)
        np.testing.assert_allclose(p.get("weight", "array"), weights, rtol=1e-12)
        assert set(p.get("delay", "list", with_address=False)) == {2.0}
        sim.run(0.5)
        weights = weights[::-1]


def test_assembly_of_cells_with_different_receptors():
    plain = sim.Population(2, sim.IF_curr_exp(v_thresh=1e6))
    alpha = sim.Population(3, sim.IF_curr_alpha(v_thresh=1e6))
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    p = sim.Projection(
        source, plain + alpha, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=1.0),
        receptor_type="excitatory",
    )  # fmt: skip
    for cells in (plain, alpha):
        cells.record("isyn_exc")
    sim.run(30.0)
    for cells in (plain, alpha):  # the weight is the peak of both
        np.testing.assert_allclose(currents(cells), 0.5, rtol=1e-2)
    assert len(p) == 5


def test_conductances_and_currents_do_not_mix():
    both = sim.Population(2, sim.IF_curr_exp()) + sim.Population(2, sim.IF_cond_exp())
    with pytest.raises(sim.errors.ConnectionError, match="homogeneous"):
        sim.Projection(both, both, sim.AllToAllConnector(), sim.StaticSynapse())


@pytest.mark.parametrize("synapse", SYNAPSES)
def test_without_connections(synapse):
    p = projection([], synapse=SYNAPSES[synapse]())
    assert len(p) == 0 and list(p) == []
    for _ in range(2):
        assert p.get("weight", "list") == []
        assert np.isnan(p.get("weight", "array")).all()
        p.set(weight=2.0)
        sim.run(1.0)


def test_names_of_brian2_objects_are_those_of_the_last_simulation():
    """So that compiled code is found again."""
    names = []
    for _ in range(2):
        sim.setup(timestep=0.1)
        for synapse in SYNAPSES.values():
            projection(synapse=synapse())
        sim.run(0.1)
        network = sim.simulator.state.network
        names.append([thing.name for thing in network.sorted_objects])
    assert names[0] == names[1]
    assert [n for n in names[0] if "projection" in n]
    assert not any(name.startswith(("synapses", "neurongroup")) for name in names[0])


def test_building_is_as_fast_as_brian2_alone():
    """Stock PyNN takes more than a second for 1000 synapses."""
    n = 1000
    a, b = (sim.Population(n, sim.IF_curr_exp()) for _ in range(2))
    weight = RandomDistribution("uniform", low=0.1, high=0.2)
    start = time.perf_counter()
    p = sim.Projection(
        a, b, sim.FixedProbabilityConnector(0.2), sim.StaticSynapse(weight=weight, delay=1.0)
    )
    p._before_run(0.1)
    ours = time.perf_counter() - start
    group = brian2.NeuronGroup(n, "v : 1", threshold="v > 1")
    start = time.perf_counter()
    synapses = brian2.Synapses(group, group, "w : 1", on_pre="v_post += w")
    synapses.connect(i=p.addresses()[0], j=p.addresses()[1])
    synapses.w = np.ones(len(p))
    theirs = time.perf_counter() - start
    assert len(p) > 190_000
    assert ours < 5 * theirs + 0.5


# ---- delays ------------------------------------------------------------------------------------


def test_delays_are_rounded_to_time_steps_as_on_nest():
    rows = [(i, j, 1.0, 0.1 + 0.017 * (5 * i + j)) for i in range(N_PRE) for j in range(N_POST)]
    rows.append((0, 0, 1.0, 0.15))
    nest_sim.setup(timestep=0.1)
    ours, theirs = (
        projection(rows, backend=backend).get("delay", "list") for backend in (sim, nest_sim)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_delay_of_a_synapse_without_one():
    for min_delay, expected in (("auto", 0.1), (0.5, 0.5)):
        sim.setup(timestep=0.1, min_delay=min_delay)
        cells = sim.Population(2, sim.IF_curr_exp())
        for delay in (2.0, None):
            synapse = sim.StaticSynapse(weight=0.1, delay=delay)
            p = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
            assert set(p.get("delay", "list", with_address=False)) == {delay or expected}


@pytest.mark.parametrize(
    ("limits", "delay", "message"),
    [
        ({}, 0.04, "'p': delay=0.04 ms, need at least 0.1 ms"),
        ({"min_delay": 1.0}, 0.5, "'p': delay=0.5 ms, need at least 1.0 ms"),
        ({"max_delay": 2.0}, 2.1, "'p': delay=2.1 ms, need at most 2.0 ms"),
        ({}, float("nan"), "'p': delay=nan ms, need at least 0.1 ms"),
    ],
)
def test_delays_that_are_refused(limits, delay, message):
    sim.setup(timestep=0.1, **limits)
    rows = [*ROWS[:1], (3, 3, 0.1, delay)]
    rows[0] = (0, 0, 0.1, 1.5)
    with pytest.raises(sim.errors.ConnectionError, match=message):
        projection(rows)
    p = projection(rows[:1])
    with pytest.raises(sim.errors.ConnectionError, match=message):
        p.set(delay=delay)
    assert p.get("delay", "list") == [(0, 0, 1.5)]


def test_delays_that_change_between_runs():
    pre = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 30.0, 50.0, 70.0]))
    post = sim.Population(2, sim.IF_curr_exp(v_thresh=1e6, tau_syn_E=0.5))
    p = sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
    post.record("isyn_exc")
    sim.run(20.0)
    for stop, delay in ((40.0, 5.0), (60.0, np.array([[2.0, 3.0]])), (80.0, 1.5)):
        p.set(delay=delay)
        sim.run_until(stop)
    current = post.get_data().segments[0].analogsignals[0].magnitude
    arrivals = [np.flatnonzero(np.diff(c) > 0.5) + 1 for c in current.T]
    assert arrivals[0].tolist() == [110, 350, 520, 715]
    assert arrivals[1].tolist() == [110, 350, 530, 715]


# ---- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after_run", [False, True])
@pytest.mark.parametrize("how", ["sum", "min", "max", "first", "last"])
def test_arrays_of_repeated_pairs(how, after_run):
    p = projection()
    if after_run:
        sim.run(0.5)
    values = {}
    for i, j, weight, _ in ROWS:
        values.setdefault((i, j), []).append(weight)
    choose = {"sum": sum, "min": min, "max": max, "first": lambda v: v[0], "last": lambda v: v[-1]}
    expected = np.full((N_PRE, N_POST), np.nan)
    for pair, weights in values.items():
        expected[pair] = choose[how](weights)
    np.testing.assert_allclose(
        p.get("weight", "array", multiple_synapses=how), expected, rtol=1e-12
    )


@pytest.mark.parametrize("after_run", [False, True])
def test_parameters_come_back_as_they_were_given(after_run):
    p = projection(SINGLE, synapse=stdp())
    if after_run:
        sim.run(0.5)
    given = {
        "tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.01, "A_minus": 0.012, "w_max": 2.0,
        "w_min": 0.0, "mu_plus": 0.25, "mu_minus": 0.5, "dendritic_delay_fraction": 1.0,
    }  # fmt: skip
    for name, value in given.items():
        assert p.get(name, "list", with_address=False) == [value] * len(SINGLE), name
        assert np.nanmax(p.get(name, "array")) == value, name
    assert p.get(["weight", "delay"], "list") == approx(SINGLE)
    assert p.get("weight", "list", with_address=False) == approx([row[2] for row in SINGLE])


def test_parts_of_two_mechanisms_do_not_mix():
    """PyNN 0.13 keeps the translations of all mechanisms in one dictionary."""
    assert "mu_plus" in stdp().translations
    plain = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence())
    assert "mu_plus" not in plain.translations


def test_save_all_parameters(tmp_path):
    for name, synapse in SYNAPSES.items():
        p = projection(SINGLE, synapse=synapse())
        p.save("all", str(tmp_path / name))
        table = np.loadtxt(tmp_path / name)
        assert table.shape == (len(p), 2 + len(p.synapse_type.get_parameter_names()))
        assert np.isfinite(table).all()


def test_connections_in_the_order_of_get():
    p = projection()
    rows = p.get(["weight", "delay"], "list")
    names = "presynaptic_index", "postsynaptic_index", "weight", "delay"
    assert [c.as_tuple(*names) for c in p] == rows == approx(ROWS)
    assert p[-1].weight == rows[-1][2]
    assert p[3].source == p.pre[1]
    with pytest.raises(IndexError, match="'p': connection 10 of 10"):
        p[10]
    with pytest.raises(AttributeError, match="'p' has no 'wieght'"):
        print(p[0].wieght)


# ---- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after_run", [False, True])
@pytest.mark.parametrize("synapse", SYNAPSES)
def test_set(synapse, after_run):
    p = projection(SINGLE, synapse=SYNAPSES[synapse]())
    if after_run:
        sim.run(0.5)
    array = np.arange(1.0, N_PRE * N_POST + 1).reshape(N_PRE, N_POST) / 16
    for value in (0.75, array, 0.5):
        p.set(weight=value, delay=1.5)
        weight, delay = p.get(["weight", "delay"], "array")
        np.testing.assert_allclose(weight, np.where(np.isnan(weight), np.nan, value), rtol=1e-12)
        assert np.nanmin(delay) == np.nanmax(delay) == 1.5
    wanted = [0.25 * (k + 1) for k in range(len(SINGLE))]
    p.set(weight=wanted)
    assert p.get("weight", "list", with_address=False) == approx(wanted)
    p[1].weight = 0.3
    p[1].delay = 0.7
    wanted[1] = 0.3
    assert p.get("weight", "list", with_address=False) == approx(wanted)
    assert p[1].delay == pytest.approx(0.7) and p[0].delay == 1.5
    p.set(weight=RandomDistribution("uniform", low=1.0, high=2.0, rng=NumpyRNG(7)))
    assert len(set(p.get("weight", "list", with_address=False))) == len(SINGLE)
    sim.run(0.5)


def test_new_weights_act():
    pre = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 21.0]))
    post = sim.Population(3, sim.IF_curr_exp(v_thresh=1e6))
    p = sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=9.0, delay=1.0))
    weights = np.arange(6.0).reshape(2, 3)
    post.record("isyn_exc")
    for factor in (1.0, 10.0):
        p.set(weight=weights * factor)
        sim.run(20.0)
    current = post.get_data().segments[0].analogsignals[0].magnitude
    np.testing.assert_allclose(current[20], weights.sum(axis=0), rtol=1e-9)
    np.testing.assert_allclose(current[220], 10 * weights.sum(axis=0), rtol=1e-2)


def test_set_synapse_parameters_before_and_after_a_run():
    p = projection(SINGLE, synapse=stdp())
    for value in (30.0, 40.0):
        p.set(tau_minus=value, w_max=value)
        assert set(p.get("tau_minus", "list", with_address=False)) == {value}
        assert set(p.get("w_max", "list", with_address=False)) == {value}
        sim.run(0.5)
        (block,) = p._blocks
        assert block.synapses.variables["tau_minus"].get_value().item() == value / 1e3
    with pytest.raises(sim.errors.InvalidParameterValueError, match="'p': tau_minus differs .*run"):
        p.set(tau_minus=np.arange(30.0).reshape(N_PRE, N_POST) + 1)
    assert set(p.get("tau_minus", "list", with_address=False)) == {40.0}


def test_values_that_cannot_be_set():
    p = projection(SINGLE, synapse=stdp())
    with pytest.raises(sim.errors.NonExistentParameterError, match="wieght"):
        p.set(wieght=1.0)
    with pytest.raises(sim.errors.ConnectionError, match="'p': weight=-1, .*same sign"):
        p.set(weight=-1.0)
    with pytest.raises(sim.errors.ConnectionError, match="'p': dendritic_delay_fraction=0.5"):
        p.set(dendritic_delay_fraction=0.5)
    with pytest.raises(sim.errors.ConnectionError, match="'p': delay=0.01 ms"):
        p.set(weight=1.5, delay=0.01)
    with pytest.raises(sim.errors.InvalidDimensionsError, match="'p': weight is a list of 2 val"):
        p.set(weight=[1.0, 2.0])
    assert p.get("weight", "list") == [row[:3] for row in SINGLE]


@pytest.mark.parametrize(
    ("cell", "receptor", "unit"),
    [
        ("IF_cond_exp", "inhibitory", "siemens"),
        ("IF_curr_exp", "excitatory", "amp"),
        ("IF_curr_delta", "excitatory", "volt"),
    ],
)
def test_units_of_weights(cell, receptor, unit):
    p = projection(SINGLE, synapse=stdp(), cell=getattr(sim, cell)(), receptor=receptor)
    sim.run(0.5)
    assert p.get("weight", "list") == approx([row[:3] for row in SINGLE])
    p.set(weight=0.75, w_max=4.0)
    assert p.get("weight", "list", with_address=False) == approx([0.75] * len(SINGLE))
    (block,) = p._blocks
    assert brian2.have_same_dimensions(block.synapses.w_max, getattr(brian2, unit))


def test_reset_brings_back_the_weights_that_were_set_last():
    p = projection(SINGLE, synapse=stdp(), cell=sim.IF_curr_exp(v_thresh=-64.9))

    def learn():
        before = p.get("weight", "list", with_address=False)
        sim.run(8.0)
        after = p.get("weight", "list", with_address=False)
        assert not np.allclose(before, after, rtol=1e-6)
        return after

    first = learn()
    sim.reset()
    assert p.get("weight", "list") == approx([row[:3] for row in SINGLE])
    assert learn() == approx(first)
    p.set(weight=1.5)
    sim.reset()
    assert p.get("weight", "list", with_address=False) == approx([1.5] * len(SINGLE))
    learn()


# ---- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("receptor", "weight"), [("excitatory", -0.1), ("inhibitory", 0.1)])
def test_sign_of_weights(receptor, weight):
    cells = sim.Population(2, sim.IF_curr_exp())
    with pytest.raises(sim.errors.ConnectionError, match=f"'ee', receptor '{receptor}': Weights"):
        sim.Projection(
            cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight),
            receptor_type=receptor, label="ee",
        )  # fmt: skip


def test_receptors_that_do_not_exist():
    cells = sim.Population(2, sim.IF_curr_exp())
    with pytest.raises(sim.errors.ConnectionError, match="dendritic"):
        sim.Projection(
            cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(), receptor_type="dendritic"
        )
    sources = sim.Population(2, sim.SpikeSourceArray())
    with pytest.raises(sim.errors.ConnectionError, match="'p': SpikeSourceArray has no receptors"):
        sim.Projection(cells, sources, sim.AllToAllConnector(), sim.StaticSynapse(), label="p")


def test_more_spikes_under_way_than_at_the_first_run():
    pre = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 3.0]))
    post = sim.Population(1, sim.IF_curr_exp())
    p = sim.Projection(pre, post, sim.AllToAllConnector(), stdp(), label="p")
    sim.run(5.0)
    p.set(delay=1.9)
    sim.run(1.0)
    p.set(delay=2.1)
    with pytest.raises(ValueError, match="'p': 2 spikes of one cell .* first run it was 1"):
        sim.run(1.0)
