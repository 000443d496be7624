"""Reading and writing weights, delays and other synapse parameters."""

from typing import Any

import numpy as np
import pytest
from pyNN import common, errors
from pyNN.random import RandomDistribution

from cosim.testing.backend.base import Contract, Simulator, connect, jumping, signal, source, values

_NAN = np.nan
# Pairs of a 4 x 2 projection, in the order in which they are given.
_PAIRS = {
    "full": [(i, j) for i in range(4) for j in range(2)],
    "partial": [(0, 0), (3, 0), (1, 1), (1, 0), (2, 1)],
    "multiple": [(0, 0), (1, 0), (3, 0), (1, 1), (1, 0), (2, 1)],
}


def _projection(sim: Simulator, pairs: str) -> Any:
    sim.setup()
    pre, post = sim.Population(4, sim.IF_cond_exp()), sim.Population(2, sim.IF_cond_exp())
    synapse = sim.TsodyksMarkramSynapse(U=0.5, weight=0.123, delay=0.2)
    connector = sim.FromListConnector(_PAIRS[pairs], column_names=[])
    return sim.Projection(pre, post, connector, synapse)


class WeightContract(Contract):
    """`Projection.get` and `set` in every format; connections are sorted by (pre, post)."""

    @pytest.mark.parametrize("pairs", _PAIRS)
    def test_lists(self, sim: Simulator, pairs: str) -> None:
        """Sorted rows, with and without addresses; the order of names is that asked for."""
        made = _projection(sim, pairs)
        rows = [(*pair, 0.123, 0.2, 0.5) for pair in sorted(_PAIRS[pairs])]
        found = made.get(["weight", "delay", "U"], format="list")
        np.testing.assert_allclose(found, rows, rtol=1e-12)
        swapped = made.get(["U", "weight"], format="list", with_address=False)
        np.testing.assert_allclose(swapped, [(0.5, 0.123)] * len(rows), rtol=1e-12)
        single = made.get("weight", format="list", with_address=False)
        np.testing.assert_allclose(single, [0.123] * len(rows), rtol=1e-12)

    @pytest.mark.parametrize("pairs", _PAIRS)
    def test_an_array_of_pairs(self, sim: Simulator, pairs: str) -> None:
        """Entries of pairs without a connection are ignored, and NaN when read."""
        made = _projection(sim, pairs)
        weights = np.arange(8.0).reshape(4, 2)
        made.set(weight=weights)
        expected = [weights[pair] for pair in sorted(_PAIRS[pairs])]
        np.testing.assert_allclose(values(made, "weight")[:, 0], expected, rtol=1e-12)
        array = made.get("weight", format="array", multiple_synapses="first")
        connected = np.zeros((4, 2), bool)
        connected[tuple(np.transpose(_PAIRS[pairs]))] = True
        np.testing.assert_allclose(array[connected], weights[connected], rtol=1e-12)
        assert np.isnan(array[~connected]).all()

    @pytest.mark.parametrize("pairs", ["full", "partial"])
    def test_a_list_of_values(self, sim: Simulator, pairs: str) -> None:
        """One value for each connection, in the order of `get`; for every parameter."""
        made = _projection(sim, pairs)
        given = np.linspace(0.2, 0.9, len(made))
        made.set(U=given.tolist(), weight=(2 * given).tolist())
        np.testing.assert_allclose(
            values(made, "U", "weight"), np.transpose([given, 2 * given]), rtol=1e-12
        )

    @pytest.mark.parametrize("pairs", _PAIRS)
    def test_a_function_of_the_distance(self, sim: Simulator, pairs: str) -> None:
        """As a callable and as a string."""
        made = _projection(sim, pairs)
        distance = np.array([abs(i - j) for i, j in sorted(_PAIRS[pairs])])
        made.set(delay=lambda d: 0.5 + d)
        np.testing.assert_allclose(values(made, "delay")[:, 0], 0.5 + distance, rtol=1e-9)
        made.set(weight="0.1*(1 + d)")
        np.testing.assert_allclose(values(made, "weight")[:, 0], 0.1 * (1 + distance), rtol=1e-9)

    def test_a_number_and_a_distribution(self, sim: Simulator) -> None:
        """One for all, or drawn for each."""
        made = _projection(sim, "partial")
        made.set(weight=0.25)
        np.testing.assert_allclose(values(made, "weight"), 0.25, rtol=1e-12)
        made.set(weight=RandomDistribution("uniform", low=0.1, high=0.2))
        found = values(made, "weight")[:, 0]
        assert len(set(found)) == 5
        assert ((found > 0.1) & (found < 0.2)).all()

    @pytest.mark.parametrize(
        ("combine", "expected"),
        [("sum", 5.0), ("min", 1.0), ("max", 4.0), ("first", 1.0), ("last", 4.0)],
    )
    def test_several_connections_of_one_pair(
        self, sim: Simulator, combine: str, expected: float
    ) -> None:
        """They are told apart in lists, and combined in arrays as asked for."""
        sim.setup()
        cells = sim.Population(2, sim.IF_curr_exp())
        rows = [(0, 1, 1.0, 1.0), (0, 0, 2.0, 1.0), (0, 1, 4.0, 1.0)]
        connector = sim.FromListConnector(rows, column_names=["weight", "delay"])
        made = connect(sim, cells, cells, 1.0, connector=connector)
        assert np.array(made.get("weight", "list")).tolist() == [[0, 0, 2], [0, 1, 1], [0, 1, 4]]
        array = made.get("weight", format="array", multiple_synapses=combine)
        np.testing.assert_allclose(array, [[2.0, expected], [_NAN, _NAN]])

    def test_connections_as_objects(self, sim: Simulator) -> None:
        """Attributes are read and written in PyNN's units."""
        sim.setup()
        pre, post = source(sim, [1.0], 4), sim.Population(3, sim.IF_cond_exp())
        connector = sim.FixedProbabilityConnector(0.8)
        made = connect(sim, pre, post, 0.05, delay=0.5, connector=connector)
        connections = list(made.connections)
        assert len(connections) == len(made)
        assert isinstance(connections[0], common.Connection)
        connections[2].weight = 0.0123
        connections[2].delay = 1.0
        expected = np.tile([0.05, 0.5], (len(made), 1))
        expected[2] = [0.0123, 1.0]
        np.testing.assert_allclose(values(made, "weight", "delay"), expected, rtol=1e-9)
        assert connections[2].weight == pytest.approx(0.0123, rel=1e-9)
        pairs = [(c.presynaptic_index, c.postsynaptic_index) for c in connections]
        assert pairs == [tuple(row[:2]) for row in made.get("weight", format="list")]
        assert connections[0].presynaptic_cell == pre[pairs[0][0]]

    def test_inhibitory_weights_keep_their_sign(self, sim: Simulator) -> None:
        """Conductances are positive, currents negative."""
        sim.setup()
        for cell_type, weight in ((sim.IF_cond_exp, 0.1), (sim.IF_curr_exp, -0.1)):
            cells = sim.Population(2, cell_type())
            made = connect(sim, cells, cells, weight, receptor="inhibitory")
            np.testing.assert_allclose(values(made, "weight"), weight, rtol=1e-12)
            made.set(weight=2 * weight)
            np.testing.assert_allclose(values(made, "weight"), 2 * weight, rtol=1e-12)

    def test_what_is_written_between_runs_acts(self, sim: Simulator) -> None:
        """New weights and delays hold for spikes from then on."""
        sim.need("interactive")
        sim.setup(min_delay=1.0, max_delay=3.0)
        cells = jumping(sim, tau_m=1e9)
        made = connect(sim, source(sim, [1.0, 6.0, 11.0]), cells, 1.0, delay=1.0)
        sim.run(5.0)
        made.set(weight=2.0)
        sim.run(5.0)
        made.set(delay=2.0)
        sim.run(5.0)
        v = signal(cells)[:, 0]
        np.testing.assert_allclose(v[[19, 20, 69, 70, 129, 130]], [0, 1, 1, 3, 3, 5], atol=1e-5)

    def test_unknown_synapse_parameters_are_refused(self, sim: Simulator) -> None:
        """By `set`, and when the synapse type is made."""
        made = _projection(sim, "partial")
        with pytest.raises((errors.NonExistentParameterError, ValueError, KeyError)):
            made.set(permanence=1.0)
        with pytest.raises(errors.NonExistentParameterError):
            sim.StaticSynapse(wieght=1.0)

    def test_lists_of_the_wrong_length_are_refused(self, sim: Simulator) -> None:
        """Instead of being cut or repeated."""
        made = _projection(sim, "partial")
        with pytest.raises((errors.InvalidDimensionsError, ValueError)):
            made.set(weight=[0.1, 0.2])
