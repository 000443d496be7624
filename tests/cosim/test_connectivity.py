"""Realised connectivity: stock PyNN where it is deterministic, the right law where it is random."""

import numpy as np
import pyNN.mock as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN import common, connectors, errors
from pyNN.core import IndexBasedExpression
from pyNN.parameters import LazyArray
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D, Space

from cosim.backends.connectivity import realise, sampling
from cosim.backends.connectivity.geometry import pair_distances
from cosim.backends.connectivity.streams import Streams


class UnconnectedProjection(common.Projection):
    """A projection that leaves the connecting to `realise`."""

    _simulator = sim.simulator
    _static_synapse_class = sim.StaticSynapse


@pytest.fixture(autouse=True)
def _setup():
    sim.setup(timestep=0.1, min_delay=0.5)


def cells(n, label="cells", model=sim.IF_curr_exp):
    return sim.Population(n, model(), label=label)


def project(pre, post, connector, label="pre_to_post", **kwargs):
    kwargs.setdefault("synapse_type", sim.StaticSynapse(weight=1.0))
    kwargs.setdefault("receptor_type", "excitatory")
    return UnconnectedProjection(pre, post, connector, label=label, **kwargs)


def draw(pre, post, connector, seed=1, **kwargs):
    return realise(project(pre, post, connector, **kwargs), seed)


def pairs(connectivity):
    return list(zip(connectivity.pre.tolist(), connectivity.post.tolist(), strict=True))


def stock(pre, post, connector, **kwargs):
    """Return the connections that stock PyNN makes, as sorted (pre, post, native parameters)."""
    kwargs.setdefault("synapse_type", sim.StaticSynapse(weight=1.0))
    kwargs.setdefault("receptor_type", "excitatory")
    connections = sim.Projection(pre, post, connector, **kwargs).connections
    found = [(int(c.presynaptic_index), int(c.postsynaptic_index), c) for c in connections]
    return sorted(found, key=lambda row: row[:2])


def stock_pairs(*args, **kwargs):
    return [(pre, post) for pre, post, _ in stock(*args, **kwargs)]


def assert_chi_square(counts, expected):
    """Accept counts whose chi-square statistic is within 5 standard deviations of its mean."""
    dof = counts.size - 1
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_square - dof) < 5 * np.sqrt(2 * dof)


class Column(IndexBasedExpression):
    """Connect to, or take the value of, every third postsynaptic cell only."""

    def __call__(self, i, j):
        return 1.0 * (j % 3 == 0) + 0 * i


# --- connectors without randomness -------------------------------------------------------------

MASK = np.random.default_rng(5).random((7, 9)) < 0.4

DETERMINISTIC = {
    "all to all": lambda: connectors.AllToAllConnector(),
    "one to one": lambda: connectors.OneToOneConnector(),
    "certain": lambda: connectors.FixedProbabilityConnector(1.0),
    "never": lambda: connectors.FixedProbabilityConnector(0.0),
    "array": lambda: connectors.ArrayConnector(MASK),
    "array function": lambda: connectors.ArrayConnector(lambda i, j: (i + j) % 2 == 0),
    "within distance": lambda: connectors.DistanceDependentProbabilityConnector("d < 3"),
    "by index": lambda: connectors.IndexBasedProbabilityConnector(Column()),
    "by displacement": lambda: connectors.DisplacementDependentProbabilityConnector(
        lambda d: 1.0 * (d[0] > 1)
    ),
    "list": lambda: connectors.FromListConnector([(3, 1), (0, 8), (6, 0), (0, 2)]),
    "empty list": lambda: connectors.FromListConnector([]),
    "full indegree": lambda: connectors.FixedNumberPreConnector(7),
    "full outdegree": lambda: connectors.FixedNumberPostConnector(18),
}


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_deterministic_connectors_equal_stock_pynn(name):
    pre, post = cells(7), cells(9)
    realised = draw(pre, post, DETERMINISTIC[name]())
    assert realised.pre.dtype == realised.post.dtype == np.int64
    assert pairs(realised) == stock_pairs(pre, post, DETERMINISTIC[name]())


@pytest.mark.parametrize(
    "make",
    [
        lambda: connectors.AllToAllConnector(allow_self_connections=False),
        lambda: connectors.FixedProbabilityConnector(1.0, allow_self_connections=False),
    ],
)
def test_self_connections_equal_stock_pynn_on_views_and_assemblies(make):
    parent, other = cells(10), cells(3)
    sides = [parent, parent[2:7], parent[[1, 4, 5, 8]], other + parent[3:9], other]
    for pre in sides:
        for post in sides:
            assert pairs(draw(pre, post, make())) == stock_pairs(pre, post, make())


def test_no_mutual_equals_stock_pynn():
    population = cells(8)

    def make():
        return connectors.FixedProbabilityConnector(1.0, allow_self_connections="NoMutual")

    assert pairs(draw(population, population, make())) == stock_pairs(
        population, population, make()
    )
    with pytest.raises(NotImplementedError, match="'NoMutual' needs a population"):
        draw(population, population[1:4], make())


def test_clone_copies_the_pattern_of_its_reference():
    pre, post = cells(6), cells(5)
    reference = sim.Projection(
        pre,
        post,
        connectors.FixedProbabilityConnector(0.4),
        sim.StaticSynapse(weight=1.0),
        receptor_type="excitatory",
    )
    expected = {(c.presynaptic_index, c.postsynaptic_index) for c in reference.connections}
    assert set(pairs(draw(pre, post, connectors.CloneConnector(reference)))) == expected
    with pytest.raises(errors.ConnectionError, match="must match"):
        draw(post, pre, connectors.CloneConnector(reference))


def test_unimplemented_connector_is_named():
    population = cells(4)
    with pytest.raises(NotImplementedError, match="'pre_to_post'.*SmallWorldConnector"):
        draw(population, population, connectors.SmallWorldConnector(2, 0.1))


def test_connection_set_algebra():
    csa = pytest.importorskip("csa")
    pre, post = cells(5), cells(4)
    assert pairs(draw(pre, post, connectors.CSAConnector(csa.oneToOne))) == [
        (i, i) for i in range(4)
    ]
    with_values = connectors.CSAConnector(csa.cset(csa.oneToOne, 0.25, 1.5))
    realised = draw(pre, post, with_values)
    assert pairs(realised) == [(i, i) for i in range(4)]
    np.testing.assert_array_equal(realised.parameters["weight"], np.full(4, 0.25))
    np.testing.assert_array_equal(realised.parameters["delay"], np.full(4, 1.5))


class BandConnector(connectors.MapConnector):
    """A user's own connector on PyNN's machinery."""

    def connect(self, projection):
        band = LazyArray(lambda i, j: abs(i - j) <= 1, shape=projection.shape)
        self._connect_with_map(projection, band)


class ReversedOneToOneConnector(connectors.OneToOneConnector):
    """A user's own `connect` in a subclass of a connector that has a fast path."""

    def connect(self, projection):
        last = projection.post.size - 1
        for i in range(projection.pre.size):
            projection._convergent_connect(np.array([i]), last - i, weight=float(i))


def test_users_own_connectors_run_their_own_code():
    population = cells(6)
    weights = np.arange(36.0).reshape(6, 6)
    synapse = sim.StaticSynapse(weight=weights)
    realised = draw(population, population, BandConnector(), synapse_type=synapse)
    assert pairs(realised) == [(i, j) for i in range(6) for j in range(6) if abs(i - j) <= 1]
    np.testing.assert_array_equal(
        realised.parameters["weight"], weights[realised.pre, realised.post]
    )
    realised = draw(population, population, ReversedOneToOneConnector())
    assert pairs(realised) == [(i, 5 - i) for i in range(6)]
    np.testing.assert_array_equal(realised.parameters["weight"], np.arange(6.0))


# --- lists and files ---------------------------------------------------------------------------

ROWS = [(3, 1, 0.4, 1.5), (0, 4, 0.1, 0.7), (3, 1, 0.2, 0.6), (3, 0, 0.3, 0.5)]


def assert_holds_rows(realised):
    assert pairs(realised) == [(0, 4), (3, 0), (3, 1), (3, 1)]
    # The two connections from 3 to 1 keep their order.
    np.testing.assert_array_equal(realised.parameters["weight"], [0.1, 0.3, 0.4, 0.2])
    np.testing.assert_array_equal(realised.parameters["delay"], [0.7, 0.5, 1.5, 0.6])


def test_list_columns_replace_the_parameters_of_the_synapse_type():
    pre, post = cells(4), cells(5)
    connector = connectors.FromListConnector(ROWS)
    given_rows = connector.conn_list.copy()
    assert_holds_rows(draw(pre, post, connector))
    np.testing.assert_array_equal(connector.conn_list, given_rows)
    only_weights = [(1, 1, 0.5), (0, 2, 0.25)]
    connector = connectors.FromListConnector(only_weights, column_names=["weight"])
    synapse = sim.StaticSynapse(weight=9.0, delay="0.5 + d")
    realised = draw(pre, post, connector, synapse_type=synapse)
    np.testing.assert_array_equal(realised.parameters["weight"], [0.25, 0.5])
    np.testing.assert_allclose(realised.parameters["delay"], [2.5, 0.5])


@pytest.mark.parametrize("columns", ['["i", "j", "weight", "delay"]', '("weight", "delay")'])
def test_file_can_be_realised_twice(tmp_path, columns):
    path = tmp_path / "connections.txt"
    lines = [f"# columns = {columns}"] + [" ".join(map(str, row)) for row in ROWS]
    path.write_text("\n".join(lines) + "\n")
    projection = project(cells(4), cells(5), connectors.FromFileConnector(str(path)))
    assert_holds_rows(realise(projection, 1))
    assert_holds_rows(realise(projection, 2))


def test_file_with_one_connection(tmp_path):
    path = tmp_path / "connections.txt"
    path.write_text("2 1 0.5 0.8\n")
    realised = draw(cells(3), cells(3), connectors.FromFileConnector(str(path)))
    assert pairs(realised) == [(2, 1)]
    np.testing.assert_array_equal(realised.parameters["delay"], [0.8])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((4, 0), "presynaptic index 4 .* from 0 to 3"),
        ((0, 5), "postsynaptic index 5 .* from 0 to 4"),
        ((-1, 0), "presynaptic index -1"),
        ((0.5, 0), "presynaptic index 0.5"),
    ],
)
def test_list_with_wrong_index_is_refused(row, message):
    with pytest.raises(errors.ConnectionError, match=message):
        draw(cells(4), cells(5), connectors.FromListConnector([(0, 0), row]))


def test_list_with_unknown_parameter_is_refused():
    connector = connectors.FromListConnector([(0, 0, 1.0)], column_names=["w_max"])
    with pytest.raises(ValueError, match="gives w_max, but StaticSynapse has only weight, delay"):
        draw(cells(2), cells(2), connector)


@pytest.mark.parametrize("array", [np.ones((2, 3), dtype=bool), np.ones((3, 2), dtype=int)])
def test_array_connector_needs_a_boolean_array_of_the_right_shape(array):
    with pytest.raises((errors.ConnectionError), match=r"boolean array of shape .* \(3, 2\)"):
        draw(cells(3), cells(2), connectors.ArrayConnector(array))


# --- random connectors -------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    n_pre=st.integers(1, 60),
    n_post=st.integers(1, 60),
    p=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_fixed_probability(n_pre, n_post, p, seed):
    pre, post = cells(n_pre), cells(n_post)
    realised = draw(pre, post, connectors.FixedProbabilityConnector(p), seed)
    keys = realised.pre * n_post + realised.post
    assert (np.diff(keys) > 0).all()  # sorted, no multapses
    assert realised.pre.max(initial=0) < n_pre
    mean, deviation = n_pre * n_post * p, np.sqrt(n_pre * n_post * p * (1 - p))
    # 6 sd plus the discreteness of very rare events.
    assert abs(keys.size - mean) <= 6 * deviation + 6


@pytest.mark.parametrize("p", [0.01, 0.3, 0.34, 0.9])
def test_fixed_probability_connects_every_pair_equally_often(p):
    n, repeats = 12, 2000
    pre, post = cells(n), cells(n)
    projection = project(pre, post, connectors.FixedProbabilityConnector(p))
    counts = np.zeros((n, n))
    sizes = []
    for seed in range(repeats):
        realised = realise(projection, seed)
        counts[realised.pre, realised.post] += 1
        sizes.append(realised.pre.size)
    # The counts are independent binomials: scale the statistic by their variance.
    variance = repeats * p * (1 - p)
    chi_square = ((counts - repeats * p) ** 2 / variance).sum()
    assert abs(chi_square - n * n) < 5 * np.sqrt(2 * n * n)
    # The variance of the total is that of independent pairs, too.
    expected = n * n * p * (1 - p)
    kurtosis = 3 + (1 - 6 * p * (1 - p)) / expected  # of the binomial distribution
    assert abs(np.var(sizes) / expected - 1) < 5 * np.sqrt((kurtosis - 1) / repeats)


def test_bernoulli_goes_on_when_the_first_block_falls_short():
    class Short:
        """Gaps of one: every trial succeeds, far more often than p foretells."""

        def geometric(self, p, size):
            return np.ones(size, dtype=np.int64)

    np.testing.assert_array_equal(sampling.bernoulli(Short(), 1e-6, 100), np.arange(100))


def test_bernoulli_with_gaps_at_the_integer_limit():
    assert sampling.bernoulli(np.random.default_rng(1), 1e-300, 10**12).size == 0


def test_distance_dependent_probability_has_the_given_probability_at_each_distance():
    pre, post = cells(400), cells(300)
    realised = draw(pre, post, connectors.DistanceDependentProbabilityConnector("0.8*exp(-d/50)"))
    distances = np.abs(np.arange(400)[:, None] - np.arange(300))
    p = 0.8 * np.exp(-distances / 50)
    connected = np.zeros((400, 300))
    connected[realised.pre, realised.post] = 1
    for low in range(0, 300, 30):
        ring = (distances >= low) & (distances < low + 30)
        deviation = np.sqrt((p * (1 - p))[ring].sum())
        assert abs(connected[ring].sum() - p[ring].sum()) < 5 * deviation


def test_blocks_of_pairs_do_not_change_the_connections(monkeypatch):
    projection = project(
        cells(30), cells(40), connectors.DistanceDependentProbabilityConnector("exp(-d/10)")
    )
    whole = pairs(realise(projection, 3))
    monkeypatch.setattr("cosim.backends.connectivity.topology._PAIRS_PER_BLOCK", 77)
    assert pairs(realise(projection, 3)) == whole


@settings(max_examples=80, deadline=None)
@given(
    n_pre=st.integers(2, 40),
    n_post=st.integers(2, 40),
    n=st.integers(0, 100),
    kind=st.sampled_from(["pre", "post"]),
    recurrent=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_fixed_degree_is_exact_and_even(n_pre, n_post, n, kind, recurrent, seed):
    pre = cells(n_pre)
    post = pre if recurrent else cells(n_post)
    make = {
        "pre": connectors.FixedNumberPreConnector,
        "post": connectors.FixedNumberPostConnector,
    }[kind]
    realised = draw(pre, post, make(n, allow_self_connections=False), seed)
    keys = realised.pre * post.size + realised.post
    assert (np.diff(keys) >= 0).all()
    owner, owners, choices = (
        (realised.post, post.size, pre.size)
        if kind == "pre"
        else (realised.pre, pre.size, post.size)
    )
    assert (np.bincount(owner, minlength=owners) == n).all()
    if recurrent:
        assert (realised.pre != realised.post).all()
        choices -= 1
    # Every choice is taken n // choices times, and some once more.
    multiplicity = np.unique(keys, return_counts=True)[1]
    assert multiplicity.max(initial=0) <= -(-n // choices)
    assert n < choices or multiplicity.size == owners * choices
    assert multiplicity.min(initial=n) >= n // choices


@pytest.mark.parametrize("with_replacement", [False, True])
@pytest.mark.parametrize("n", [3, 13])  # drawn directly, and as the complement
@pytest.mark.parametrize("kind", ["Pre", "Post"])
def test_fixed_degree_takes_every_choice_equally_often(kind, n, with_replacement):
    size, repeats = 16, 1500
    population = cells(size)
    connector = getattr(connectors, f"FixedNumber{kind}Connector")(
        n, allow_self_connections=False, with_replacement=with_replacement
    )
    projection = project(population, population, connector)
    counts = np.zeros((size, size))
    for seed in range(repeats):
        realised = realise(projection, seed)
        np.add.at(counts, (realised.pre, realised.post), 1)
    assert (np.diag(counts) == 0).all()
    off_diagonal = counts[~np.eye(size, dtype=bool)]
    p = n / (size - 1)
    mean = repeats * p
    # Per count: hypergeometric-like without, binomial with replacement. The counts of one cell
    # sum to a constant, which takes one degree of freedom from each of the `size` cells.
    variance = mean * (1 - 1 / (size - 1)) if with_replacement else mean * (1 - p)
    dof = size * (size - 2)
    scale = variance * (size - 1) / (size - 2)
    chi_square = ((off_diagonal - mean) ** 2).sum() / scale
    assert abs(chi_square - dof) < 5 * np.sqrt(2 * dof)


def test_all_subsets_are_equally_likely():
    rng = np.random.default_rng(11)
    rows = 60_000
    for count in (2, 3):  # the subset and the complement of five
        row, value = sampling.without_replacement(rng, np.full(rows, count), np.full(rows, 5))
        code = np.zeros(rows, dtype=int)
        np.add.at(code, row, 2**value)
        counts = np.unique(code, return_counts=True)[1]
        assert counts.size == 10
        assert_chi_square(counts, rows / 10)


def test_with_replacement_makes_multapses_but_no_self_connections():
    population = cells(5)
    connector = connectors.FixedNumberPreConnector(
        50, with_replacement=True, allow_self_connections=False
    )
    realised = draw(population, population, connector)
    assert (np.bincount(realised.post) == 50).all()
    assert (realised.pre != realised.post).all()


@pytest.mark.parametrize("kind", ["Pre", "Post"])
def test_fixed_degree_knows_the_cells_that_overlapping_views_share(kind):
    parent = cells(9)
    pre, post = parent[0:6], parent[3:9]
    connector = getattr(connectors, f"FixedNumber{kind}Connector")(5, allow_self_connections=False)
    realised = draw(pre, post, connector)
    assert (pre.all_cells[realised.pre] != post.all_cells[realised.post]).all()
    owner = realised.post if kind == "Pre" else realised.pre
    assert (np.bincount(owner) == 5).all()


def test_degree_from_a_distribution():
    n = RandomDistribution("uniform_int", low=2, high=6)
    realised = draw(cells(50), cells(300), connectors.FixedNumberPreConnector(n))
    indegree = np.bincount(realised.post, minlength=300)
    assert set(indegree) == {2, 3, 4, 5}
    assert_chi_square(np.bincount(indegree)[2:], 300 / 4)
    assert np.unique(realised.pre * 300 + realised.post).size == realised.pre.size


def test_degree_from_a_continuous_distribution_is_refused():
    n = RandomDistribution("uniform", low=2, high=6)
    with pytest.raises(errors.ConnectionError, match="'uniform' for n .* need integers"):
        draw(cells(50), cells(3), connectors.FixedNumberPreConnector(n))


def test_degree_without_any_choice_is_refused():
    single = cells(1)
    connector = connectors.FixedNumberPreConnector(1, allow_self_connections=False)
    with pytest.raises(errors.ConnectionError, match="no cell is left"):
        draw(single, single, connector)


def test_no_mutual_is_refused_where_pynn_ignores_it():
    population = cells(4)
    connector = connectors.FixedNumberPreConnector(1, allow_self_connections="NoMutual")
    with pytest.raises(NotImplementedError, match="FixedNumberPreConnector has no"):
        draw(population, population, connector)


@pytest.mark.parametrize("with_replacement", [False, True])
def test_fixed_total_number(with_replacement):
    size, n, repeats = 8, 20, 2000
    population = cells(size)
    connector = connectors.FixedTotalNumberConnector(
        n, allow_self_connections=False, with_replacement=with_replacement
    )
    projection = project(population, population, connector)
    counts = np.zeros((size, size))
    for seed in range(repeats):
        realised = realise(projection, seed)
        keys = realised.pre * size + realised.post
        assert keys.size == n
        assert (np.diff(keys) >= 0).all()
        if not with_replacement:
            assert (np.diff(keys) > 0).all()
        np.add.at(counts, (realised.pre, realised.post), 1)
    assert (np.diag(counts) == 0).all()
    off_diagonal = counts[~np.eye(size, dtype=bool)]
    mean = n * repeats / off_diagonal.size
    # Without replacement the counts vary less, by the finite-population factor.
    factor = 1 if with_replacement else (off_diagonal.size - n) / (off_diagonal.size - 1)
    assert_chi_square(mean + (off_diagonal - mean) / np.sqrt(factor), mean)


# --- seeds -------------------------------------------------------------------------------------

RANDOM = {
    "probability": lambda **rng: connectors.FixedProbabilityConnector(0.3, **rng),
    "indegree": lambda **rng: connectors.FixedNumberPreConnector(8, **rng),
    "outdegree": lambda **rng: connectors.FixedNumberPostConnector(8, **rng),
    "total": lambda **rng: connectors.FixedTotalNumberConnector(150, **rng),
    "distance": lambda **rng: connectors.DistanceDependentProbabilityConnector("exp(-d/10)", **rng),
}


@pytest.mark.parametrize("name", RANDOM)
def test_connections_depend_on_seed_and_label_alone(name):
    pre, post = cells(20), cells(25)

    def connect(seed, label, **rng):
        return pairs(draw(pre, post, RANDOM[name](**rng), seed, label=label))

    reference = connect(1, "a")
    np.random.seed(0)
    assert connect(1, "a") == reference
    assert connect(2, "a") != reference
    assert connect(1, "b") != reference

    def user_rng(seed, used=0):
        rng = NumpyRNG(seed=seed)
        rng.next(used)
        return rng

    chosen = connect(1, "a", rng=user_rng(7))
    assert chosen != reference
    assert connect(2, "a", rng=user_rng(7, used=5)) == chosen  # neither run seed nor rng state
    assert connect(1, "a", rng=user_rng(8)) != chosen
    assert connect(1, "b", rng=user_rng(7)) != chosen  # a shared rng doesn't repeat itself
    assert connect(1, "a", rng=NumpyRNG()) == reference


def test_streams_are_pinned():
    """A recorded point must stay reproducible: these numbers may not change."""
    words = Streams(1, "E→I").generator("topology").bit_generator.random_raw(2)
    assert words.tolist() == [17703668253090754166, 10021004457747291303]


def test_global_random_state_is_left_alone():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    weight = RandomDistribution("normal_clipped", mu=1.0, sigma=0.5, low=0.0, high=2.0)
    for make in RANDOM.values():
        draw(cells(9), cells(9), make(), synapse_type=sim.StaticSynapse(weight=weight))
    draw(cells(3), cells(3), connectors.FixedProbabilityConnector(0.0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_streams_of_labels_are_uncorrelated():
    n = 100_000
    first, second, third = (
        Streams(seed, label).generator("topology").random(n) - 0.5
        for seed, label in ((1, "a"), (1, "b"), (2, "a"))
    )
    for other in (second, third):
        assert abs(12 * np.mean(first * other)) < 5 / np.sqrt(n)


def test_connector_replayed_through_pynn_is_seeded_like_the_others():
    class Random(connectors.MapConnector):
        def __init__(self, rng):
            super().__init__()
            self.rng = rng

        def connect(self, projection):
            uniform = RandomDistribution("uniform", (0, 1), rng=self.rng)
            self._connect_with_map(projection, LazyArray(uniform, projection.shape) < 0.4)

    pre, post = cells(20), cells(20)
    connector = Random(NumpyRNG(seed=5))
    reference = pairs(draw(pre, post, connector, label="a"))
    assert 80 < len(reference) < 240
    assert pairs(draw(pre, post, connector, label="a")) == reference
    assert pairs(draw(pre, post, connector, label="b")) != reference
    assert pairs(draw(pre, post, Random(NumpyRNG(seed=6)), label="a")) != reference


# --- parameters --------------------------------------------------------------------------------


def test_homogeneous_parameters_stay_scalars_in_pynn_units():
    stdp = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(tau_plus=18.0, A_plus=0.02),
        weight_dependence=sim.AdditiveWeightDependence(w_max=0.5),
        weight=0.25,
    )
    realised = draw(cells(3), cells(4), connectors.AllToAllConnector(), synapse_type=stdp)
    assert realised.parameters["weight"] == 0.25
    assert realised.parameters["tau_plus"] == 18.0
    assert realised.parameters["w_max"] == 0.5
    assert realised.parameters["delay"] == 0.5  # None: the minimum delay of the simulator
    assert all(np.ndim(value) == 0 for value in realised.parameters.values())


@pytest.mark.parametrize("name", RANDOM)
def test_arrays_are_addressed_by_pre_and_post(name):
    weights = np.arange(20 * 25.0).reshape(20, 25)
    synapse = sim.StaticSynapse(weight=weights, delay=weights + 0.5)
    realised = draw(cells(20), cells(25), RANDOM[name](), synapse_type=synapse)
    expected = 25.0 * realised.pre + realised.post
    np.testing.assert_array_equal(realised.parameters["weight"], expected)
    np.testing.assert_array_equal(realised.parameters["delay"], expected + 0.5)


@pytest.mark.parametrize(
    "weight",
    [
        0.5,
        "0.1 + d**2 / 3",
        lambda d: 0.2 * d,
        Column(),
        2 * LazyArray("1 + d") + 1,
        np.random.default_rng(2).random((7, 9)),
    ],
    ids=["scalar", "string", "function", "indices", "arithmetic", "array"],
)
def test_parameter_values_equal_stock_pynn(weight):
    pre, post = cells(7), cells(9)
    pre.positions = np.random.default_rng(3).normal(size=(3, 7))
    kwargs = {
        "synapse_type": sim.StaticSynapse(weight=weight),
        "space": Space(axes="xy", scale_factor=1.5, offset=0.2),
    }
    realised = draw(pre, post, connectors.ArrayConnector(MASK), **kwargs)
    expected = [c.WEIGHT for *_, c in stock(pre, post, connectors.ArrayConnector(MASK), **kwargs)]
    values = np.broadcast_to(realised.parameters["weight"], len(expected))
    np.testing.assert_allclose(values, expected, rtol=1e-14)


def test_array_of_wrong_shape_is_refused():
    synapse = sim.StaticSynapse(weight=np.ones(5), delay=1.0)
    with pytest.raises(errors.InvalidDimensionsError, match=r"'weight' has the shape \(5,\)"):
        draw(cells(3), cells(5), connectors.AllToAllConnector(), synapse_type=synapse)


@pytest.mark.parametrize(
    "space",
    [
        Space(),
        Space(axes="xz"),
        Space(scale_factor=0.5, offset=2.0),
        Space(periodic_boundaries=((0.0, 3.0), None, (0.0, 4.0))),
    ],
    ids=["plain", "axes", "scaled", "periodic"],
)
def test_pair_distances_equal_the_distance_matrix(space):
    rng = np.random.default_rng(4)
    a, b = rng.uniform(0, 3, (3, 6)), rng.uniform(0, 3, (3, 8))
    pre, post = np.divmod(np.arange(48), 8)
    np.testing.assert_allclose(
        pair_distances(space, a, b, pre, post), space.distances(a.T, b.T), rtol=1e-14
    )


def test_distances_of_views_and_assemblies_use_their_own_cells():
    grid = sim.Population(9, sim.IF_curr_exp(), structure=Grid2D())
    line = cells(2)
    view, assembly = grid[[1, 5, 7]], grid + line
    synapse = sim.StaticSynapse(weight=lambda d: d)
    realised = draw(view, assembly, connectors.AllToAllConnector(), synapse_type=synapse)
    a = grid.positions[:, [1, 5, 7]]
    b = np.hstack([grid.positions, line.positions])
    expected = np.linalg.norm(a[:, realised.pre] - b[:, realised.post], axis=0)
    np.testing.assert_allclose(realised.parameters["weight"], expected)


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation", "low", "high"),
    [
        (RandomDistribution("normal", mu=5.0, sigma=0.5), 5.0, 0.5, -np.inf, np.inf),
        (RandomDistribution("uniform", low=1.0, high=3.0), 2.0, 12**-0.5 * 2, 1.0, 3.0),
        (RandomDistribution("uniform_int", low=1, high=4), 2.0, (2 / 3) ** 0.5, 1, 3),
        (RandomDistribution("gamma", k=4.0, theta=0.5), 2.0, 1.0, 0.0, np.inf),
        (
            RandomDistribution("normal_clipped", mu=1.0, sigma=0.5, low=0.5, high=1.5),
            1.0,
            0.5 * 0.5395,  # of a normal variable truncated at one standard deviation
            0.5,
            1.5,
        ),
        (
            RandomDistribution("normal_clipped_to_boundary", mu=1.0, sigma=0.5, low=0.5, high=1.5),
            1.0,
            0.5 * 0.7185,  # the same, with the tails at the boundaries
            0.5,
            1.5,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, RandomDistribution) else "",
)
def test_random_parameters_have_their_distribution(distribution, mean, deviation, low, high):
    synapse = sim.StaticSynapse(weight=distribution, delay=distribution)
    realised = draw(cells(200), cells(200), connectors.AllToAllConnector(), synapse_type=synapse)
    weights, delays = realised.parameters["weight"], realised.parameters["delay"]
    n = 200 * 200
    assert weights.shape == (n,)
    assert low <= weights.min() and weights.max() <= high
    assert abs(weights.mean() - mean) < 5 * deviation / np.sqrt(n)
    # 5 standard errors of a standard deviation, for kurtosis up to that of this gamma (4.5).
    assert abs(weights.std() / deviation - 1) < 5 * np.sqrt((4.5 - 1) / (4 * n))
    # The same distribution object gives different numbers to different parameters.
    assert abs(np.corrcoef(weights, delays)[0, 1]) < 5 / np.sqrt(n)


def test_random_parameters_depend_on_seed_and_label_alone():
    pre, post = cells(6), cells(6)

    def weights(seed, label, rng=None):
        distribution = RandomDistribution("uniform", (0.0, 1.0), rng=rng)
        projection = project(
            pre,
            post,
            connectors.AllToAllConnector(),
            label=label,
            synapse_type=sim.StaticSynapse(weight=distribution),
        )
        return realise(projection, seed).parameters["weight"].tolist()

    assert weights(1, "a") == weights(1, "a")
    assert weights(1, "a") != weights(2, "a")
    assert weights(1, "a") != weights(1, "b")
    assert weights(1, "a", NumpyRNG(seed=4)) == weights(2, "a", NumpyRNG(seed=4))
    assert weights(1, "a", NumpyRNG(seed=4)) != weights(1, "a", NumpyRNG(seed=5))


def test_operands_of_arithmetic_draw_independently():
    pre, post = cells(100), cells(100)

    def uniform():
        return LazyArray(RandomDistribution("uniform", (0.0, 1.0)), shape=(100, 100))

    synapse = sim.StaticSynapse(weight=uniform() + uniform())
    weights = draw(pre, post, connectors.AllToAllConnector(), synapse_type=synapse).parameters[
        "weight"
    ]
    # The sum of two independent numbers has half the variance of twice the same one; the
    # kurtosis of the triangular distribution is 2.4.
    assert abs(weights.var() * 6 - 1) < 5 * np.sqrt(1.4 / weights.size)


# --- checks and options ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("receptor", "weight", "model"),
    [
        ("excitatory", -0.1, sim.IF_curr_exp),
        ("inhibitory", 0.1, sim.IF_curr_exp),
        ("inhibitory", -0.1, sim.IF_cond_exp),
        ("excitatory", RandomDistribution("normal", mu=0.0, sigma=1.0), sim.IF_curr_exp),
    ],
)
@pytest.mark.parametrize("safe", [True, False])
def test_weights_of_the_wrong_sign(receptor, weight, model, safe):
    projection = project(
        cells(4),
        cells(4, model=model),
        connectors.AllToAllConnector(safe=safe),
        receptor_type=receptor,
        synapse_type=sim.StaticSynapse(weight=weight),
    )
    if safe:
        with pytest.raises(errors.ConnectionError, match="'pre_to_post'.*Weights must be"):
            realise(projection, 1)
    else:
        assert realise(projection, 1).pre.size == 16


def test_weights_of_a_list_are_checked_too():
    connector = connectors.FromListConnector([(0, 0, -1.0, 1.0), (0, 1, 1.0, 1.0)])
    with pytest.raises(errors.ConnectionError, match="weight runs from -1 to 1"):
        draw(cells(2), cells(2), connector)


def test_callback_is_told_when_all_is_done():
    progress = []
    draw(cells(3), cells(3), connectors.AllToAllConnector(callback=progress.append))
    assert progress == [1.0]


def test_location_selector_is_refused():
    connector = connectors.AllToAllConnector(location_selector="soma")
    with pytest.raises(NotImplementedError, match="location_selector"):
        draw(cells(3), cells(3), connector)


def test_realising_changes_nothing_in_the_projection():
    weight = RandomDistribution("uniform", (0.0, 1.0))
    synapse = sim.StaticSynapse(weight=weight, delay="0.5 + d")
    projection = project(
        cells(5), cells(5), connectors.FixedProbabilityConnector(0.5), synapse_type=synapse
    )
    first, second = realise(projection, 1), realise(projection, 1)
    assert pairs(first) == pairs(second)
    for name, values in first.parameters.items():
        np.testing.assert_array_equal(values, second.parameters[name])
    assert synapse.parameter_space.shape is None
    assert synapse.parameter_space["weight"].base_value is weight
