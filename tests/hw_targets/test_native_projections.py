"""Projections: weights, signs, delays, and the rows of synapses they take."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.core import IndexBasedExpression
from pyNN.errors import ConnectionError

from hw_targets.brainscales2.routing import (
    ANY_BUS,
    UnsuccessfulRouting,
    bus_of_circuit,
    n_synapses,
    route,
)


class _Diagonal(IndexBasedExpression):
    def __call__(self, i, j):
        return 1.0 * (i == j)


@pytest.fixture
def network(pynn):
    pynn.setup()
    return pynn


def connect(network, pre, post, weight, receptor="excitatory", connector=None, **parameters):
    return network.Projection(
        pre, post, connector or network.AllToAllConnector(), receptor_type=receptor,
        synapse_type=network.synapses.StaticSynapse(weight=weight, **parameters),
    )  # fmt: skip


# ---- weights -----------------------------------------------------------------------------------


def test_connections_are_sorted_by_row(network):
    pre, post = (network.Population(n, network.cells.HXNeuron()) for n in (2, 3))
    projection = connect(network, pre, post, 32)
    expected = [(i, j, 32) for i in range(2) for j in range(3)]
    assert projection.get("weight", format="list") == expected
    addresses = [(c.presynaptic_index, c.postsynaptic_index) for c in projection.connections]
    assert addresses == [(i, j) for i in range(2) for j in range(3)]
    assert len(projection) == 6 and projection[4].weight == 32 and projection[-1].delay == 0


def test_weights_are_rounded(network):
    pre, post = (network.Population(1, network.cells.HXNeuron()) for _ in range(2))
    projection = connect(network, pre, post, 32.4)
    assert projection.get("weight", format="array").tolist() == [[32]]
    for given_weight, rounded in ((42.5, 42), (43.5, 44), (43, 43), (0.2, 0)):
        projection.set(weight=given_weight)
        assert projection.get("weight", format="list") == [(0, 0, rounded)]
    projection[0].weight = 7.8
    assert projection[0].weight == 8


def test_default_weight_and_delay(network):
    pre, post = (network.Population(1, network.cells.HXNeuron()) for _ in range(2))
    projection = network.Projection(pre, post, network.AllToAllConnector())
    assert projection.get(["weight", "delay"], format="list") == [(0, 0, 0, 0)]


def test_signs_on_construction(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    connect(network, neurons, neurons, 32)
    connect(network, neurons, neurons, -32, "inhibitory")
    for weight, receptor in ((-32, "excitatory"), (32, "inhibitory")):
        with pytest.raises(ConnectionError, match="Weights must be"):
            connect(network, neurons, neurons, weight, receptor)
        with pytest.raises(ConnectionError, match="Weights must be positive for conductance-based"):
            connect(network, neurons, neurons, weight, receptor,
                    network.AllToAllConnector(safe=False))  # fmt: skip
    assert len(network.simulator.state.projections) == 2


def test_signs_on_change(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    excitatory = connect(network, neurons, neurons, 32)
    inhibitory = connect(network, neurons, neurons, -32, "inhibitory")
    for projection, wrong in ((excitatory, -32), (inhibitory, 32)):
        with pytest.raises(ConnectionError, match="Weights must be positive for conductance-based"):
            projection.set(weight=wrong)
        assert projection.get("weight", format="list") == [(0, 0, -wrong)]


def test_conductance_based_weights_are_positive(network):
    neurons = network.Population(1, network.cells.CalibHXNeuronCoba())
    for receptor in ("excitatory", "inhibitory"):
        connect(network, neurons, neurons, 32, receptor)
        with pytest.raises(ConnectionError):
            connect(network, neurons, neurons, -32, receptor)


def test_receptor_follows_the_sign(network):
    pre, post = (network.Population(2, network.cells.HXNeuron()) for _ in range(2))
    assert connect(network, pre, post, 5, receptor=None).receptor_type == "excitatory"
    assert connect(network, pre, post, -5, receptor=None).receptor_type == "inhibitory"


@pytest.mark.parametrize("weight", [np.nan, np.inf])
def test_weights_are_numbers(network, weight):
    neurons = network.Population(1, network.cells.HXNeuron())
    projection = connect(network, neurons, neurons, 3)
    with pytest.raises(ConnectionError):
        projection.set(weight=weight)


def test_there_are_no_delays(network):
    pre, post = (network.Population(1, network.cells.HXNeuron()) for _ in range(2))
    with pytest.raises(ValueError, match="Setting the delay unequal 0 is not supported"):
        connect(network, pre, post, 3, delay=1.0)
    projection = connect(network, pre, post, 3, delay=0)
    projection.set(delay=0)
    with pytest.raises(ValueError, match="Setting the delay unequal 0 is not supported"):
        projection.set(delay=0.1)


def test_weights_of_different_connections(network):
    pre, post = (network.Population(n, network.cells.HXNeuron()) for n in (2, 3))
    weights = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    projection = connect(network, pre, post, weights)
    np.testing.assert_array_equal(projection.get("weight", format="array"), weights)
    projection.set(weight=2 * weights)
    np.testing.assert_array_equal(projection.get("weight", format="array"), 2 * weights)
    projection.set(weight=[1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(projection.get("weight", format="array"), weights)
    listed = network.FromListConnector([(1, 0, 7.0), (0, 2, 9.0)], column_names=["weight"])
    projection = connect(network, pre, post, 0, connector=listed)
    assert projection.get("weight", format="list") == [(0, 2, 9), (1, 0, 7)]


def test_connectors_draw_as_pynns(network):
    from pyNN import mock

    def connections(sim, cell, synapse):
        pre, post = sim.Population(20, cell), sim.Population(30, cell)
        connector = sim.FixedProbabilityConnector(0.3)
        projection = sim.Projection(pre, post, connector, synapse_type=synapse)
        return sorted((c.presynaptic_index, c.postsynaptic_index) for c in projection.connections)

    mock.setup()
    expected = connections(mock, mock.IF_curr_exp(), mock.StaticSynapse(weight=1.0))
    found = connections(network, network.cells.HXNeuron(), network.synapses.StaticSynapse(weight=1))
    assert found == expected and 100 < len(found) < 260


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("OneToOneConnector", ()), ("FixedNumberPreConnector", (2,)),
        ("FixedNumberPostConnector", (2,)), ("FixedTotalNumberConnector", (7,)),
        ("ArrayConnector", (np.eye(4, dtype=bool),)),
        ("DistanceDependentProbabilityConnector", ("d < 1.5",)),
        ("IndexBasedProbabilityConnector", (_Diagonal(),)),
    ],
)  # fmt: skip
def test_connectors(network, name, arguments):
    neurons = network.Population(4, network.cells.HXNeuron())
    projection = connect(network, neurons, neurons, 3, connector=getattr(network, name)(*arguments))
    assert len(projection) > 0
    network.run(0.01)


def test_locations_need_their_names(network):
    connector = network.AllToAllConnector(True, False)
    assert (connector.allow_self_connections, connector.safe) == (True, False)
    assert connector.location_selector is None and connector.source_location_selector is None
    neurons = network.Population(1, network.cells.HXNeuron())
    for name in ("location_selector", "source_location_selector"):
        with pytest.raises(ValueError, match=name):
            connect(network, neurons, neurons, 3,
                    connector=network.AllToAllConnector(**{name: "dendrite"}))  # fmt: skip


def test_views(network):
    pre, post = (network.Population(n, network.cells.HXNeuron()) for n in (3, 4))
    projection = connect(network, pre[1:3], post[[0, 3]], 32)
    assert projection.get("weight", format="list") == [
        (0, 0, 32), (0, 1, 32), (1, 0, 32), (1, 1, 32)
    ]  # fmt: skip
    pairs = [(c.pop_pre_index, c.pop_post_index) for c in projection.connections]
    assert pairs == [(1, 0), (1, 3), (2, 0), (2, 3)]


def test_assemblies_are_not_supported(network):
    first, second = (network.Population(1, network.cells.HXNeuron()) for _ in range(2))
    for pre, post in ((first + second, first), (first, first + second)):
        with pytest.raises(NotImplementedError, match="Assemblies"):
            network.Projection(pre, post, network.AllToAllConnector())


def test_sources_have_no_receptors(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    source = network.Population(1, network.cells.SpikeSourceArray())
    for receptor in (None, "excitatory"):
        with pytest.raises(ConnectionError):
            network.Projection(neurons, source, network.AllToAllConnector(),
                               receptor_type=receptor)  # fmt: skip


def test_observables_need_a_plasticity_rule(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    with pytest.raises(RuntimeError, match="can't have observables"):
        connect(network, neurons, neurons, 3).get_data("weights")


# ---- routing -----------------------------------------------------------------------------------


def test_placed_connections(pynn):
    pynn.setup(neuronPermutation=[300, 5])
    neurons = pynn.Population(2, pynn.cells.HXNeuron())
    source = pynn.Population(2, pynn.cells.SpikeSourceArray())
    projection = connect(pynn, source, neurons, 64)
    with pytest.raises(RuntimeError, match="requires a previous routing run"):
        projection.placed_connections  # noqa: B018
    pynn.run(None, pynn.RunCommand.PREPARE)
    placed = projection.placed_connections
    assert [len(synapses) for synapses in placed] == [2, 2, 2, 2]
    for (_, post, _), synapses in zip(projection.get("weight", "list"), placed, strict=True):
        circuit = [300, 5][int(post)]
        assert {(s.array, s.column) for s in synapses} == {divmod(circuit, 256)}
    assert len({s for synapses in placed for s in synapses}) == 8


def test_fan_in(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    sources = network.Population(257, network.cells.SpikeSourceArray())
    projection = connect(network, sources[:256], neurons, 63)
    network.run(None, network.RunCommand.PREPARE)
    with pytest.raises(
        UnsuccessfulRouting,
        match=r"Neuron\(s\) with in-degree larger than the number of synapse rows exist.*257",
    ):
        connect(network, sources[256:], neurons, 1)
        network.run(0.1)
    network.simulator.state.projections.pop()
    # Weights beyond 63 count more than once.
    projection.set(weight=[64] + [63] * 255)
    with pytest.raises(UnsuccessfulRouting, match="needs 257 synapses"):
        network.run(0.1)


def test_fan_in_counts_both_signs(network):
    neurons = network.Population(1, network.cells.HXNeuron())
    sources = network.Population(129, network.cells.SpikeSourceArray())
    connect(network, sources, neurons, 3)
    connect(network, sources, neurons, -3, "inhibitory")
    with pytest.raises(UnsuccessfulRouting, match="needs 258"):
        network.run(0.1)


def test_rows_have_one_sign_for_all_neurons(pynn):
    pynn.setup(neuronPermutation=[0, 1, 256])
    first, second, below = (pynn.Population(1, pynn.cells.HXNeuron()) for _ in range(3))
    sources = pynn.Population(200, pynn.cells.SpikeSourceArray())
    connect(pynn, sources, first, 3)
    # The lower half of the chip has rows of its own.
    connect(pynn, sources, below, -3, "inhibitory")
    pynn.run(None, pynn.RunCommand.PREPARE)
    connect(pynn, sources, second, -3, "inhibitory")
    with pytest.raises(UnsuccessfulRouting, match="each of which has one sign"):
        pynn.run(0.1)


def test_events_of_neurons_share_a_bus(pynn):
    # Circuits of columns 0 ... 31 and 128 ... 159 feed the same bus, which has 64 rows.
    pynn.setup(neuronPermutation=[*range(32), *range(128, 160), *range(256, 288)])
    neurons = pynn.Population(65, pynn.cells.HXNeuron())
    target = pynn.Population(1, pynn.cells.HXNeuron())
    connect(pynn, neurons[:64], target, 1)
    pynn.run(None, pynn.RunCommand.PREPARE)
    connect(pynn, neurons[64:], target, 1)
    with pytest.raises(UnsuccessfulRouting, match="64 rows"):
        pynn.run(0.1)


def test_all_to_all_of_a_row_of_neurons(network):
    neurons = network.Population(256, network.cells.HXNeuron())
    projection = connect(network, neurons, neurons, 1)
    network.run(None, network.RunCommand.PREPARE)
    placed = {synapses[0] for synapses in projection.placed_connections}
    assert len(placed) == 256 * 256


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2, 255, 256, 511]), st.integers(-1, 3), st.booleans(),
            st.integers(0, 200),
        ),
        max_size=60,
    )
)  # fmt: skip
@settings(max_examples=200)
def test_routing_gives_each_synapse_its_own_place(connections):
    target, bus, inhibitory, weight = (
        np.array(column)
        for column in zip(*connections, strict=True)
    ) if connections else (np.empty(0, np.int64),) * 4  # fmt: skip
    inhibitory = inhibitory.astype(bool)
    circuits = [np.array([circuit]) for circuit in range(512)]
    routing = route(target.astype(np.int64), bus.astype(np.int64), inhibitory, weight, circuits)
    places = set()
    signs = {}
    for k in range(len(connections)):
        synapses = routing.of(k)
        assert len(synapses) == max(1, -(-int(weight[k]) // 63)) == n_synapses(weight[k])
        for synapse in synapses:
            assert 0 <= synapse.row < 256
            assert (synapse.array, synapse.column) == divmod(int(target[k]), 256)
            if bus[k] != ANY_BUS:
                assert synapse.row // 64 == bus[k]
            assert synapse not in places
            places.add(synapse)
            assert signs.setdefault((synapse.array, synapse.row), inhibitory[k]) == inhibitory[k]


def test_buses_of_circuits():
    assert [bus_of_circuit(c) for c in (0, 31, 32, 127, 128, 255, 256, 300)] == [
        0, 0, 1, 3, 0, 3, 0, 1
    ]  # fmt: skip


# ---- action ------------------------------------------------------------------------------------


def test_parallel_synapses_act_as_their_sum(ideal):
    neurons = ideal.Population(2, ideal.cells.CalibHXNeuronCuba())
    source = ideal.Population(2, ideal.cells.SpikeSourceArray(spike_times=[0.02]))
    connect(ideal, source[:1], neurons[:1], 130)
    connect(ideal, source[:1], neurons[1:], 63)
    connect(ideal, source[1:], neurons[1:], 63)
    connect(ideal, source[1:], neurons[1:], 4)
    neurons.record("v")
    ideal.run(0.1)
    first, second = neurons.get_data().segments[-1].irregularlysampledsignals
    assert float(first.magnitude.max()) > 64 + 3 * 100
    np.testing.assert_allclose(first.magnitude, second.magnitude, atol=1e-4)


def test_recurrent_connections_have_no_delay(ideal):
    neurons = ideal.Population(3, ideal.cells.CalibHXNeuronCuba())
    source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=[0.01]))
    connect(ideal, source, neurons[:1], 600)
    connect(ideal, neurons[:2], neurons[1:], 600, connector=ideal.OneToOneConnector())
    neurons.record("spikes")
    ideal.run(0.1)
    times = [float(t[0]) for t in neurons.get_data().segments[-1].spiketrains]
    # The same input at 0.01 and at each spike gives the same latency.
    latency = times[0] - 0.01
    np.testing.assert_allclose(np.diff(times), latency, atol=1.7e-5)
