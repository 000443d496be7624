# ruff: noqa: I001  (pyNN.nest is noisy unless cosim imports it first)
"""Reading and writing synapses: as in stock PyNN, and each value belongs to its own synapse."""

import numpy as np
import pytest

import cosim.backends.nest as sim
import pyNN.nest
from pyNN.random import NumpyRNG, RandomDistribution

N_PRE, N_POST = 6, 5
# Sorted, with pairs that have one, two and three connections.
PAIRS = [(0, 0), (0, 0), (0, 3), (1, 1), (1, 1), (1, 1), (2, 4), (4, 0), (5, 2), (5, 2)]
ROWS = [(i, j, 0.125 * (k + 1), 0.5 + 0.1 * k) for k, (i, j) in enumerate(PAIRS)]
SINGLE = [row for row in ROWS if PAIRS.count(row[:2]) == 1]


@pytest.fixture(autouse=True)
def _setup():
    sim.setup(timestep=0.1, rng_seed=4)


def projection(rows=ROWS, kind=sim.Projection, synapse=None, cell=None, receptor="excitatory"):
    pre = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=[1.0, 2.0, 3.0]))
    post = sim.Population(N_POST, cell or sim.IF_curr_exp())
    return kind(
        pre, post, sim.FromListConnector(rows, column_names=["weight", "delay"]),
        synapse or sim.StaticSynapse(), receptor_type=receptor, label="p",
    )  # fmt: skip


def both(*args, **kwargs):
    return projection(*args, **kwargs), projection(*args, kind=pyNN.nest.Projection, **kwargs)


def approx(rows):
    return [pytest.approx(row, rel=1e-12) for row in rows]


# ---- get ---------------------------------------------------------------------------------------


def test_list_with_and_without_addresses():
    ours, theirs = both(SINGLE)
    rows = ours.get(["weight", "delay"], "list")
    assert rows == approx(SINGLE)
    assert sorted(theirs.get(["weight", "delay"], "list")) == approx(SINGLE)
    assert ours.get("weight", "list") == approx([row[:3] for row in SINGLE])
    values = ours.get(["delay", "weight"], "list", with_address=False)
    assert values == approx([row[:1:-1] for row in SINGLE])
    assert ours.get("weight", "list", with_address=False) == approx([row[2] for row in SINGLE])
    assert all(isinstance(i, int) and isinstance(w, float) for i, _, w, _ in rows)


@pytest.mark.parametrize("how", ["sum", "min", "max", "first", "last"])
def test_arrays_of_repeated_pairs(how):
    ours, _ = both()
    values = {}
    for i, j, weight, _ in ROWS:
        values.setdefault((i, j), []).append(weight)
    choose = {"sum": sum, "min": min, "max": max, "first": lambda v: v[0], "last": lambda v: v[-1]}
    expected = np.full((N_PRE, N_POST), np.nan)
    for pair, weights in values.items():
        expected[pair] = choose[how](weights)
    found = ours.get("weight", "array", multiple_synapses=how)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("how", ["sum", "min", "max"])
def test_arrays_equal_stock_pynn(how):
    ours, theirs = both()
    for name in ("weight", "delay"):
        np.testing.assert_allclose(
            ours.get(name, "array", multiple_synapses=how),
            theirs.get(name, "array", multiple_synapses=how),
            rtol=1e-12,
        )


def test_several_arrays_at_once():
    ours, theirs = both(SINGLE)
    found, expected = (p.get(["weight", "delay"], "array") for p in (ours, theirs))
    assert len(found) == 2
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def stdp(sign=1.0):
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=15.0, tau_minus=25.0, A_plus=0.01, A_minus=0.012
        ),
        weight_dependence=sim.GutigWeightDependence(w_max=2.0 * sign, mu_plus=0.25),
        weight=sign,
    )


def test_parameters_come_back_as_they_were_given():
    """Stock PyNN gives most of them in NEST's units, under the same names."""
    p = projection(SINGLE, synapse=stdp())
    given = {
        "tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.01, "A_minus": 0.012, "w_max": 2.0,
        "w_min": 0.0, "mu_plus": 0.25, "mu_minus": 0.5, "dendritic_delay_fraction": 1.0,
    }  # fmt: skip
    for name, value in given.items():
        assert p.get(name, "list", with_address=False) == approx([value] * len(SINGLE)), name
        assert np.nanmax(p.get(name, "array")) == pytest.approx(value), name


def test_inhibitory_conductances_are_positive():
    p = projection(SINGLE, cell=sim.IF_cond_exp(), receptor="inhibitory")
    assert p.get("weight", "list") == approx([row[:3] for row in SINGLE])
    native = sim.nest.GetConnections(synapse_model=p.nest_synapse_model).get("weight")
    assert max(native) < 0


def test_weights_of_cells_that_take_millivolts():
    synapse = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(),
        weight_dependence=sim.AdditiveWeightDependence(w_max=3.0),
        weight=1.0,
    )
    p = projection(SINGLE, synapse=synapse, cell=sim.Izhikevich())
    assert p.get("weight", "list") == approx([row[:3] for row in SINGLE])
    assert set(p.get("w_max", "list", with_address=False)) == {3.0}
    p.set(weight=0.5)
    assert set(p.get("weight", "list", with_address=False)) == {0.5}
    native = sim.nest.GetConnections(synapse_model=p.nest_synapse_model)
    assert set(native.get("weight")) == {0.5} and set(native.get("Wmax")) == {3.0}


def test_without_connections():
    for synapse in (sim.StaticSynapse(weight=1.0), stdp()):
        p = projection([], synapse=synapse)
        assert len(p) == 0 and list(p) == []
        assert p.get("weight", "list") == []
        assert np.isnan(p.get("weight", "array")).all()
        p.set(weight=2.0)
    sim.run(1.0)


# ---- set ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("plastic", [False, True], ids=["static", "STDP"])
@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
@pytest.mark.parametrize("cell", [sim.IF_curr_exp, sim.IF_cond_exp])
def test_set_as_in_stock_pynn(cell, receptor, plastic):
    sign = -1.0 if receptor == "inhibitory" and cell is sim.IF_curr_exp else 1.0
    rows = [(i, j, sign * weight, delay) for i, j, weight, delay in SINGLE]
    synapse = stdp(sign) if plastic else sim.StaticSynapse()
    pair = both(rows, cell=cell(), receptor=receptor, synapse=synapse)
    array = sign * np.arange(1.0, N_PRE * N_POST + 1).reshape(N_PRE, N_POST) / 16
    for value in (sign * 0.75, array):
        for p in pair:
            p.set(weight=value, delay=1.5)
        ours, theirs = (p.get(["weight", "delay"], "array") for p in pair)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        expected = np.where(np.isnan(ours[0]), np.nan, value)
        np.testing.assert_allclose(ours[0], expected, rtol=1e-12)


def test_set_from_a_distribution_a_list_and_a_function_of_distance():
    p = projection(SINGLE)
    p.set(weight=RandomDistribution("uniform", low=1.0, high=2.0, rng=NumpyRNG(7)))
    drawn = p.get("weight", "list", with_address=False)
    assert len(set(drawn)) == len(SINGLE) and 1.0 < min(drawn) and max(drawn) < 2.0
    wanted = [0.25 * k for k in range(len(SINGLE))]
    p.set(weight=wanted)
    assert p.get("weight", "list", with_address=False) == wanted
    p.set(weight=np.array(wanted) + 1)
    assert p.get("weight", "list", with_address=False) == [w + 1 for w in wanted]
    p.set(delay=lambda d: 1.0 + 0 * d)
    assert set(p.get("delay", "list", with_address=False)) == {1.0}


@pytest.mark.parametrize("rows", [SINGLE, ROWS])
def test_a_list_needs_one_value_per_connection(rows):
    p = projection(rows)
    n = len(rows) - (rows is SINGLE)
    with pytest.raises(
        sim.errors.InvalidDimensionsError, match=f"'p': weight is a list of {n} val"
    ):
        p.set(weight=[1.0] * n)


def test_set_synapse_parameters():
    p = projection(SINGLE, synapse=stdp())
    p.set(w_max=3.0, tau_minus=30.0, A_plus=0.02, A_minus=0.03)
    expected = {"w_max": 3.0, "tau_minus": 30.0, "A_plus": 0.02, "A_minus": 0.03, "tau_plus": 15.0}
    for name, value in expected.items():
        assert p.get(name, "list", with_address=False) == approx([value] * len(SINGLE)), name
    assert set(p.post.node_collection.get("tau_minus")) == {30.0}
    with pytest.raises(ValueError, match="'p': tau_minus belongs to the postsynaptic cells"):
        p.set(tau_minus=np.arange(30.0).reshape(N_PRE, N_POST))


def test_set_names_the_parameter_that_does_not_exist():
    with pytest.raises(sim.errors.NonExistentParameterError, match="wieght"):
        projection().set(wieght=1.0)


def test_initialize_state_variables():
    synapse = sim.TsodyksMarkramSynapse(weight=1.0, delay=1.0)
    p = projection(SINGLE, synapse=synapse)
    p.initialize(u=0.25)
    status = sim.nest.GetConnections(synapse_model=p.nest_synapse_model)
    assert set(status.get("u")) == {0.25}
    values = np.arange(30.0).reshape(N_PRE, N_POST) / 64
    p.initialize(u=values)
    status = sim.nest.GetConnections(synapse_model=p.nest_synapse_model)
    first = min(p.post.all_cells), min(p.pre.all_cells)
    found = {
        (int(i - first[1]), int(j - first[0])): u
        for i, j, u in zip(status.sources(), status.targets(), status.get("u"), strict=True)
    }
    assert found == {row[:2]: values[row[:2]] for row in SINGLE}


# ---- single connections ------------------------------------------------------------------------


def test_connections_in_the_order_of_get():
    p = projection()
    rows = p.get(["weight", "delay"], "list")
    names = "presynaptic_index", "postsynaptic_index", "weight", "delay"
    assert [c.as_tuple(*names) for c in p] == rows == approx(ROWS)
    assert [c.as_tuple(*names) for c in p.connections] == rows
    assert p[-1].weight == p[len(p) - 1].weight == rows[-1][2]
    assert [c.weight for c in p[2:7:2]] == [row[2] for row in rows[2:7:2]]
    assert p[np.int64(3)].weight == rows[3][2]
    assert p[3].presynaptic_cell == p[3].source == p.pre[1]
    assert p[3].postsynaptic_cell == p[3].target == p.post[1]


def test_one_connection_can_be_set_also_among_repeated_ones():
    p = projection()
    sim.run(1.0)
    p[4].weight = 9.0
    p[9].delay = 0.7
    expected = [list(row) for row in ROWS]
    expected[4][2], expected[9][3] = 9.0, 0.7
    assert p.get(["weight", "delay"], "list") == approx(expected)


@pytest.mark.parametrize(
    ("cell", "receptor"), [(sim.IF_cond_exp, "inhibitory"), (sim.Izhikevich, "excitatory")]
)
def test_one_connection_in_pynn_units(cell, receptor):
    p = projection(cell=cell(), receptor=receptor)
    p[3].weight = 0.75
    assert p[3].weight == pytest.approx(0.75)
    assert p.get("weight", "list")[3][2] == pytest.approx(0.75)


def test_connections_that_do_not_exist():
    p = projection()
    for index in (10, -11):
        with pytest.raises(IndexError, match=f"'p': connection {index} of 10"):
            p[index]
    with pytest.raises(AttributeError, match="'p' has no 'wieght'"):
        print(p[0].wieght)
    with pytest.raises(AttributeError, match="'p' has no 'wieght'"):
        p[0].wieght = 1.0


# ---- files -------------------------------------------------------------------------------------


def test_save_as_stock_pynn(tmp_path):
    tables = []
    for name, p in zip(("ours", "theirs"), both(SINGLE), strict=True):
        p.save(["weight", "delay"], str(tmp_path / name))
        header = (tmp_path / name).read_text().splitlines()[0]
        table = np.loadtxt(tmp_path / name)
        tables.append((header, table[np.lexsort(table[:, 1::-1].T)]))
        p.save("weight", str(tmp_path / f"{name} array"), format="array", with_address=False)
        tables[-1] += (np.loadtxt(tmp_path / f"{name} array"),)
    assert tables[0][0] == tables[1][0] == "# columns = ['i', 'j', 'weight', 'delay']"
    np.testing.assert_allclose(tables[0][1], tables[1][1], rtol=1e-12)
    np.testing.assert_allclose(tables[0][2], tables[1][2], rtol=1e-12)


@pytest.mark.parametrize("synapse", [sim.StaticSynapse, stdp, sim.MemristiveSTDP])
def test_save_all_parameters(tmp_path, synapse):
    if synapse is sim.MemristiveSTDP:
        cells = sim.Population(4, sim.IF_curr_exp_dAP())
        p = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse())
    else:
        p = projection(SINGLE, synapse=synapse())
    p.save("all", str(tmp_path / "all.txt"))
    table = np.loadtxt(tmp_path / "all.txt")
    assert table.shape == (len(p), 2 + len(p.synapse_type.get_parameter_names()))
    assert np.isfinite(table).all()


# ---- every value belongs to its own synapse ----------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_values_stay_with_their_synapses_when_nest_reorders_them(threads):
    """Unsorted lists with many repeated pairs, in projections that share a NEST model."""
    sim.setup(timestep=0.1, threads=threads)
    rng = np.random.default_rng(1)
    n, size = 3000, 40
    pre = sim.Population(size, sim.SpikeSourceArray(spike_times=[1.0]))
    dendritic = sim.Population(size, sim.IF_curr_exp_dAP(v_thresh=1e6, theta_dAP=1e6))
    plain = sim.Population(size, sim.IF_curr_exp(v_thresh=1e6))
    made = []
    for k in range(6):
        ends = rng.integers(0, size, (2, n))
        weight, delay = rng.random(n), 0.1 * rng.integers(10, 40, n)
        if k % 3 == 0:
            connector = sim.FromListConnector(
                list(zip(*ends, weight, delay, strict=True)), column_names=["weight", "delay"]
            )
            p = sim.Projection(
                pre, plain, connector, sim.StaticSynapse(), receptor_type="excitatory"
            )
            names = ["weight", "delay"]
        elif k % 3 == 1:
            connector = sim.FromListConnector(
                list(zip(*ends, weight, delay, strict=True)), column_names=["weight", "delay"]
            )
            synapse = sim.TsodyksMarkramSynapse()
            p = sim.Projection(pre, plain, connector, synapse, receptor_type="excitatory")
            names = ["weight", "delay"]
        else:
            connector = sim.FromListConnector(
                list(zip(*ends, weight, delay, strict=True)), column_names=["permanence", "delay"]
            )
            synapse = sim.MemristiveSTDP(w_max=0.5)
            p = sim.Projection(pre, dendritic, connector, synapse)
            names = ["permanence", "delay"]
        order = np.lexsort(ends[::-1])
        expected = np.array([ends[0], ends[1], weight, delay])[:, order]
        made.append((p, names, expected))

    def check():
        for p, names, expected in made:
            np.testing.assert_allclose(np.array(p.get(names, "list")).T, expected, rtol=1e-12)

    check()
    sim.run(0.5)  # sorts the synapses
    check()
    for p, names, expected in made:
        if names[0] == "weight":
            p[17].weight = expected[2, 17] = 2.0
    check()
    static = made[0][0]
    assert static._repeats().max() >= 3


def test_weights_that_arrive_are_those_that_are_read():
    """Each target adds up what its synapses send, after NEST has sorted them."""
    sim.setup(timestep=0.1, threads=2)
    rng = np.random.default_rng(1)
    pre = sim.Population(20, sim.SpikeSourceArray(spike_times=[5.0]))
    post = sim.Population(15, sim.IF_curr_exp_dAP(v_thresh=1e6, theta_dAP=1e6))
    rows = [(int(rng.integers(20)), int(rng.integers(15)), float(rng.random())) for _ in range(400)]
    connector = sim.FromListConnector(rows, column_names=["permanence"])
    p = sim.Projection(pre, post, connector, sim.MemristiveSTDP(delay=1.0, w_max=0.5))
    post.record("i_dend")
    sim.run(30.0)
    currents = post.get_data().segments[0].analogsignals[0].magnitude
    expected = np.nansum(p.get("weight", "array"), axis=0)
    np.testing.assert_allclose(currents.max(axis=0), expected, rtol=1e-12)
