# ruff: noqa: I001  (pyNN.nest is noisy unless cosim imports it first)
"""Projections do what stock PyNN's do: same connections, same spikes, same plastic weights."""

import numpy as np
import pytest
from pyNN.core import IndexBasedExpression
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D, Space

import cosim.backends.nest as sim
import pyNN.nest

N_PRE, N_POST = 12, 9
DURATION = 300.0


@pytest.fixture(autouse=True)
def _setup():
    sim.setup(timestep=0.1, rng_seed=4)


def trains(n, rate, seed):
    """Return random spike times on the time grid, one array per cell."""
    rng = np.random.default_rng(seed)
    return [np.flatnonzero(rng.random(2900) < rate * 1e-4) * 0.1 + 0.1 for _ in range(n)]


def sources():
    return sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=trains(N_PRE, 120.0, 1)))


CELLS = {
    "current": (lambda: sim.IF_curr_exp(tau_m=10.0, tau_syn_E=2.0, tau_syn_I=3.0), 4.0),
    "conductance": (lambda: sim.IF_cond_exp(tau_m=10.0, tau_syn_E=2.0, tau_syn_I=3.0), 0.06),
    "Izhikevich": (sim.Izhikevich, 5.0),
}


def rows_of(connections):
    return sorted((int(i), int(j), *rest) for i, j, *rest in connections)


def simulate(cell, project, receptor="excitatory"):
    """Run sources on plastic and static synapses; return spikes and final weights."""
    sim.setup(timestep=0.1, rng_seed=4)
    make, unit = CELLS[cell]
    post = sim.Population(N_POST, make())
    projection = project(sources(), post)
    if receptor == "inhibitory":  # something to inhibit
        drive = sim.Population(N_POST, sim.SpikeSourceArray(spike_times=trains(N_POST, 400.0, 2)))
        sim.Projection(drive, post, sim.OneToOneConnector(), sim.StaticSynapse(weight=4 * unit))
    post.record("spikes")
    sim.run(DURATION)
    found = post.get_data().segments[0].spiketrains
    spikes = [np.round(train.magnitude, 4).tolist() for train in found]
    return spikes, rows_of(projection.get(["weight", "delay"], "list"))


def assert_alike(ours, theirs):
    assert ours[0] == theirs[0]
    assert sum(map(len, ours[0])) > 10
    assert [row[:2] for row in ours[1]] == [row[:2] for row in theirs[1]]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-12)


def random_rows(unit, seed=3):
    """Return random connections with weights and delays."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(N_PRE) for j in range(N_POST) if rng.random() < 0.6]
    return [
        (i, j, float(unit * (0.5 + rng.random())), round(0.5 + 0.1 * int(rng.integers(20)), 1))
        for i, j in pairs
    ]


# ---- synapse types -----------------------------------------------------------------------------


def stdp(dependence, unit):
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=15.0, tau_minus=25.0, A_plus=0.01, A_minus=0.012
        ),
        weight_dependence=dependence(w_max=2.0 * unit),
        weight=unit,  # of the sign of w_max for stock PyNN, which sets both as defaults
    )


SYNAPSES = {
    "static": lambda unit: sim.StaticSynapse(),
    "additive": lambda unit: stdp(sim.AdditiveWeightDependence, unit),
    "multiplicative": lambda unit: stdp(sim.MultiplicativeWeightDependence, unit),
    "mixed": lambda unit: stdp(sim.AdditivePotentiationMultiplicativeDepression, unit),
    "Guetig": lambda unit: stdp(sim.GutigWeightDependence, unit),
    "Tsodyks-Markram": lambda unit: sim.TsodyksMarkramSynapse(U=0.4, tau_rec=20.0, tau_facil=20.0),
    "stochastic": lambda unit: sim.SimpleStochasticSynapse(p=1.0),
}
PLASTIC = {"additive", "multiplicative", "mixed", "Guetig"}
# On Izhikevich cells PyNN scales the weight, but not w_max, and NEST has no tau_psc.
CASES = [
    (cell, synapse, receptor)
    for cell in CELLS
    for synapse in SYNAPSES
    for receptor in ("excitatory", "inhibitory")
    if not (cell == "Izhikevich" and synapse not in ("static", "stochastic"))
]


@pytest.mark.parametrize(("cell", "synapse", "receptor"), CASES)
def test_synapse_types_act_as_in_stock_pynn(cell, synapse, receptor):
    unit = CELLS[cell][1]
    negative = receptor == "inhibitory" and cell != "conductance"
    rows = random_rows(-unit if negative else unit)
    results = []
    for projection_class in (sim.Projection, pyNN.nest.Projection):

        def project(pre, post, projection_class=projection_class):
            return projection_class(
                pre, post, sim.FromListConnector(rows, column_names=["weight", "delay"]),
                SYNAPSES[synapse](-unit if negative else unit), receptor_type=receptor,
            )  # fmt: skip

        results.append(simulate(cell, project, receptor))
    if cell == "Izhikevich":
        # PyNN gives back a weight other than the one that was set
        (_, ours), (_, theirs) = results
        np.testing.assert_allclose([row[2] for row in ours], [row[2] for row in rows], rtol=1e-12)
        np.testing.assert_allclose(
            [row[2] for row in theirs], [1e-3 * row[2] for row in rows], rtol=1e-12
        )
        assert results[0][0] == results[1][0]
        return
    assert_alike(*results)
    changed = sum(
        a[2] != pytest.approx(b[2], rel=1e-9) for a, b in zip(results[0][1], rows, strict=True)
    )
    assert (changed > len(rows) / 3) == (synapse in PLASTIC)


def test_stochastic_synapses_draw_the_same_numbers():
    """One connection per cell, so that the random numbers are drawn in the same order."""
    results = []
    for projection_class in (sim.Projection, pyNN.nest.Projection):
        results.append(
            simulate(
                "current",
                lambda pre, post, projection_class=projection_class: projection_class(
                    pre,
                    post,
                    sim.OneToOneConnector(),
                    sim.SimpleStochasticSynapse(p=0.4, weight=40.0, delay=1.0),
                ),
            )  # fmt: skip
        )
    assert_alike(*results)


# ---- connectors --------------------------------------------------------------------------------


class EveryThird(IndexBasedExpression):
    def __call__(self, i, j):
        return 1.0 * ((i + j) % 3 == 0)


MASK = np.random.default_rng(5).random((N_PRE, N_POST)) < 0.4
CONNECTORS = {
    "all to all": sim.AllToAllConnector(),
    "one to one": sim.OneToOneConnector(),
    "array": sim.ArrayConnector(MASK),
    "index based": sim.IndexBasedProbabilityConnector(EveryThird()),
    "distance": sim.DistanceDependentProbabilityConnector("d < 3"),
    "fixed probability": sim.FixedProbabilityConnector(0.3),
    "fixed number pre": sim.FixedNumberPreConnector(4),
    "fixed number post": sim.FixedNumberPostConnector(4),
    "fixed number pre, repeated": sim.FixedNumberPreConnector(7, with_replacement=True),
    "fixed total number": sim.FixedTotalNumberConnector(40, with_replacement=True),
}
STOCK_IS_DETERMINISTIC = {"all to all", "one to one", "array", "index based", "distance"}


def structured(n):
    return {"structure": Grid2D(aspect_ratio=n / 3 / 3)}


def connect(projection_class, connector, weight=0.3, delay=1.0, label="p", **options):
    pre = sim.Population(N_PRE, sim.IF_curr_exp(), **structured(N_PRE))
    post = sim.Population(N_POST, sim.IF_curr_exp(), **structured(N_POST))
    return projection_class(
        pre, post, connector, sim.StaticSynapse(weight=weight, delay=delay),
        receptor_type="excitatory", label=label, **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", CONNECTORS)
def test_connectors_connect_as_in_stock_pynn(name):
    ours = connect(sim.Projection, CONNECTORS[name], space=Space(axes="xy"))
    rows = ours.get(["weight", "delay"], "list")
    assert len(rows) == len(ours) > 5
    assert rows == sorted(rows)
    assert {row[2:] for row in rows} == {(0.3, 1.0)}
    if name in STOCK_IS_DETERMINISTIC:
        theirs = connect(pyNN.nest.Projection, CONNECTORS[name], space=Space(axes="xy"))
    else:
        # what NEST holds is what stock PyNN makes of the same list
        theirs = connect(pyNN.nest.Projection, sim.FromListConnector([row[:2] for row in rows]))
    assert rows_of(theirs.get(["weight", "delay"], "list")) == rows


def test_clone_of_a_projection():
    first = connect(sim.Projection, sim.FixedProbabilityConnector(0.3))
    clone = sim.Projection(
        first.pre, first.post, sim.CloneConnector(first), sim.StaticSynapse(weight=0.7),
        receptor_type="excitatory",
    )  # fmt: skip
    rows = first.get("weight", "list")
    assert [row[:2] for row in clone.get("weight", "list")] == [row[:2] for row in rows]
    assert 0 < len(rows) < N_PRE * N_POST


def test_connections_from_a_file(tmp_path):
    saved = connect(sim.Projection, sim.FixedProbabilityConnector(0.3), weight=0.25, delay=1.5)
    saved.save(["weight", "delay"], str(tmp_path / "connections.txt"))
    read = connect(sim.Projection, sim.FromFileConnector(str(tmp_path / "connections.txt")))
    expected = saved.get(["weight", "delay"], "list")
    assert read.get(["weight", "delay"], "list") == expected
    assert {row[2:] for row in expected} == {(0.25, 1.5)}


def test_random_connectivity_depends_on_run_seed_and_label_alone():
    def rows(seed, label):
        sim.setup(timestep=0.1, rng_seed=seed)
        connect(sim.Projection, sim.FixedProbabilityConnector(0.3), label="other")
        connector = sim.FixedProbabilityConnector(0.3)
        return connect(sim.Projection, connector, label=label).get("weight", "list")

    first = rows(1, "p")
    assert rows(1, "p") == first
    assert rows(2, "p") != first
    assert rows(1, "q") != first


def test_views_and_assemblies_as_both_ends():
    cells = [sim.Population(n, sim.IF_curr_exp(), label=f"c{n}") for n in (4, 6)]
    ends = {
        "view": cells[0][1:4],
        "strided view": cells[1][::2],
        "assembly": cells[0] + cells[1],
        "assembly of views": cells[1][3:5] + cells[0][0:2],
    }
    for pre in ends.values():
        for post in ends.values():
            ours, theirs = (
                kind(
                    pre,
                    post,
                    sim.AllToAllConnector(),
                    sim.StaticSynapse(weight=0.5, delay=1.0),
                    receptor_type="excitatory",
                )
                for kind in (sim.Projection, pyNN.nest.Projection)
            )
            assert len(ours) == pre.size * post.size
            nest_pairs = []
            for projection in (ours, theirs):
                found = sim.nest.GetConnections(
                    synapse_model=projection.nest_synapse_model,
                    synapse_label=projection.nest_synapse_label,
                )
                nest_pairs.append(sorted(zip(found.sources(), found.targets(), strict=True)))
            assert nest_pairs[0] == nest_pairs[1]
            assert rows_of(ours.get("weight", "list")) == rows_of(theirs.get("weight", "list"))


def test_receptor_is_guessed_from_the_sign_of_the_weight_for_assemblies_too():
    """The order of an assembly's receptors is that of a Python set."""
    populations = [sim.Population(2, sim.IF_curr_exp()) for _ in range(2)]
    both = populations[0] + populations[1]
    for weight, receptor in ((0.5, "excitatory"), (-0.5, "inhibitory")):
        p = sim.Projection(both, both, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight))
        assert p.receptor_type == receptor


def test_delay_of_a_synapse_without_one_is_the_smallest_possible():
    """And not the smallest one in use at the moment, as in stock PyNN."""
    for min_delay, expected in (("auto", 0.1), (0.5, 0.5)):
        sim.setup(timestep=0.1, min_delay=min_delay)
        cells = sim.Population(2, sim.IF_curr_exp())
        for delay in (2.0, None):
            synapse = sim.StaticSynapse(weight=0.1, delay=delay)
            p = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
            assert set(p.get("delay", "list", with_address=False)) == {delay or expected}


def test_assembly_of_different_cell_types_as_target():
    """Receptors have other numbers in cells with a dendrite."""
    plain = sim.Population(2, sim.IF_curr_exp(v_rest=0.0, v_reset=0.0, v_thresh=10.0))
    dendritic = sim.Population(3, sim.IF_curr_exp_dAP(tau_syn_E=1.0, tau_syn_I=1.0))
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    both = plain + dendritic
    for receptor, weight in (("excitatory", 2.0), ("inhibitory", -3.0)):
        sim.Projection(
            source, both, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0),
            receptor_type=receptor,
        )  # fmt: skip
    dendritic.record(["isyn_exc", "isyn_inh"])
    sim.run(10.0)
    signals = dendritic.get_data().segments[0].analogsignals
    extremes = {s.name: (float(s.magnitude.min()), float(s.magnitude.max())) for s in signals}
    assert extremes == {"isyn_exc": (0.0, 2.0), "isyn_inh": (-3.0, 0.0)}
    ports = sim.nest.GetConnections(target=plain.node_collection).get("receptor")
    assert set(ports) == {0}


def test_dendritic_and_memristive_projections_onto_an_assembly():
    populations = [sim.Population(2, sim.IF_curr_exp_dAP()) for _ in range(2)]
    both = populations[0] + populations[1]
    ee = sim.Projection(both, both, sim.AllToAllConnector(), sim.MemristiveSTDP(permanence=0.5))
    assert ee.receptor_type == "dendritic"
    assert len(ee) == 16
    np.testing.assert_allclose(ee.get("permanence", "array"), 0.5)


# ---- parameter values --------------------------------------------------------------------------


def test_parameters_of_every_kind():
    weights = np.arange(N_PRE * N_POST).reshape(N_PRE, N_POST) / 8.0
    uniform = RandomDistribution("uniform", low=0.5, high=2.0, rng=NumpyRNG(3))
    array = connect(sim.Projection, sim.AllToAllConnector(), weight=weights, delay=uniform)
    found = array.get(["weight", "delay"], "array")
    np.testing.assert_allclose(found[0], weights, rtol=1e-14)
    delays = np.unique(found[1])
    assert delays.size > 10 and 0.5 <= delays.min() and delays.max() <= 2.0
    np.testing.assert_allclose(delays, np.round(delays, 1), rtol=1e-12)

    distance = connect(
        sim.Projection, sim.AllToAllConnector(), weight="0.1 + 0.01*d", space=Space(axes="x")
    )
    stock = connect(
        pyNN.nest.Projection, sim.AllToAllConnector(), weight="0.1 + 0.01*d", space=Space(axes="x")
    )
    np.testing.assert_allclose(
        distance.get("weight", "array"), stock.get("weight", "array"), rtol=1e-12
    )
    assert np.ptp(distance.get("weight", "array")) > 0


def test_time_constants_of_each_synapse():
    pre, post = sources(), sim.Population(N_POST, sim.IF_curr_exp(tau_syn_E=np.arange(1.0, 10.0)))
    tau_rec = RandomDistribution("uniform", low=10.0, high=20.0, rng=NumpyRNG(3))
    p = sim.Projection(
        pre, post, sim.AllToAllConnector(), sim.TsodyksMarkramSynapse(weight=1.0, tau_rec=tau_rec)
    )
    found = p.get("tau_rec", "array")
    assert np.unique(found).size == found.size
    # NEST's synapse wants to know the time constant of its target's current
    status = sim.nest.GetConnections(synapse_model=p.nest_synapse_model)
    tau_psc = dict(zip(status.targets(), status.get("tau_psc"), strict=True))
    assert list(tau_psc.values()) == list(range(1, 10))


def test_weights_and_limits_that_differ_between_plastic_synapses():
    """NEST wants both of one sign at any time; stock PyNN fails on some of these."""

    def draw(low):
        return RandomDistribution("uniform", low=low, high=2 * low, rng=NumpyRNG(3))

    pre, post = sources(), sim.Population(N_POST, sim.IF_cond_exp())
    for receptor in ("inhibitory", "excitatory", "inhibitory"):
        synapse = sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(),
            weight_dependence=sim.AdditiveWeightDependence(w_max=draw(0.1)),
            weight=draw(0.01),
        )
        p = sim.Projection(pre, post, sim.AllToAllConnector(), synapse, receptor_type=receptor)
        weight, w_max = p.get(["weight", "w_max"], "array")
        assert ((weight > 0.01) & (weight < 0.02)).all()
        assert ((w_max > 0.1) & (w_max < 0.2)).all()


def test_native_synapse_types():
    static = sim.native_synapse_type("static_synapse")
    pre, post = sources(), sim.Population(N_POST, sim.IF_curr_exp())
    ours, theirs = (
        kind(pre, post, sim.AllToAllConnector(), static(weight=500.0, delay=2.0))
        for kind in (sim.Projection, pyNN.nest.Projection)
    )
    for projection in (ours, theirs):
        assert set(projection.get(["weight", "delay"], "list", with_address=False)) == {(0.5, 2.0)}


# ---- refusals ----------------------------------------------------------------------------------


def test_tau_minus_must_be_the_same_for_a_projection():
    synapse = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_minus=RandomDistribution("uniform", low=10.0, high=20.0, rng=NumpyRNG(3))
        ),
        weight_dependence=sim.AdditiveWeightDependence(w_max=1.0),
        weight=0.1,
    )
    pre, post = sources(), sim.Population(N_POST, sim.IF_curr_exp())
    with pytest.raises(ValueError, match="'ee': tau_minus belongs to the postsynaptic cells"):
        sim.Projection(pre, post, sim.AllToAllConnector(), synapse, label="ee")


@pytest.mark.parametrize(("receptor", "weight"), [("excitatory", -0.1), ("inhibitory", 0.1)])
def test_sign_of_weights(receptor, weight):
    pre, post = sources(), sim.Population(N_POST, sim.IF_curr_exp())
    with pytest.raises(sim.errors.ConnectionError, match=f"'ee', receptor '{receptor}': Weights"):
        sim.Projection(
            pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight),
            receptor_type=receptor, label="ee",
        )  # fmt: skip


def test_unknown_receptor():
    pre, post = sources(), sim.Population(N_POST, sim.IF_curr_exp())
    with pytest.raises(sim.errors.ConnectionError, match="dendritic"):
        sim.Projection(
            pre, post, sim.AllToAllConnector(), sim.StaticSynapse(), receptor_type="dendritic"
        )


def test_weight_and_limit_of_opposite_sign_name_the_projection():
    synapse = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(),
        weight_dependence=sim.AdditiveWeightDependence(w_max=1.0),
        weight=-0.1,
    )
    pre, post = sources(), sim.Population(N_POST, sim.IF_curr_exp())
    with pytest.raises(sim.errors.ConnectionError, match="'ie': .*same sign"):
        sim.Projection(
            pre, post, sim.AllToAllConnector(), synapse, receptor_type="inhibitory", label="ie"
        )


def test_delay_below_the_minimal_delay_names_the_projection():
    sim.setup(timestep=0.1, min_delay=1.0)
    with pytest.raises(sim.errors.ConnectionError, match="'p': .*[dD]elay"):
        connect(sim.Projection, sim.AllToAllConnector(), delay=0.5)
