"""Connecting: which cells, with which weights and delays, in which order."""

from typing import Any

import numpy as np
import pytest
from pyNN import errors
from pyNN.core import IndexBasedExpression
from pyNN.random import RandomDistribution
from pyNN.space import Line

from cosim.backends.connectivity import realise
from cosim.testing.backend.base import (
    Contract,
    H,
    Simulator,
    connect,
    jumping,
    signal,
    source,
    spikes,
    values,
)

_SEED = 17
_LIST = [(0, 0, 0.5, 1.0), (2, 3, 0.25, 2.0), (1, 3, 0.75, 0.5), (0, 2, 1.0, 3.1)]


class _Near(IndexBasedExpression):
    """Probability of a connection between cells by their indices."""

    def __call__(self, i: Any, j: Any) -> Any:
        return np.where(abs(i - j) < 3, 0.7, 0.0)


_CONNECTORS: dict[str, Any] = {
    "AllToAll": lambda sim: sim.AllToAllConnector(),
    "AllToAll without self-connections": lambda sim: sim.AllToAllConnector(
        allow_self_connections=False
    ),
    "OneToOne": lambda sim: sim.OneToOneConnector(),
    "FixedProbability": lambda sim: sim.FixedProbabilityConnector(0.4),
    "FixedNumberPre": lambda sim: sim.FixedNumberPreConnector(3),
    "FixedNumberPre with replacement": lambda sim: sim.FixedNumberPreConnector(
        8, with_replacement=True
    ),
    "FixedNumberPost": lambda sim: sim.FixedNumberPostConnector(3),
    "FixedNumberPost with replacement": lambda sim: sim.FixedNumberPostConnector(
        8, with_replacement=True
    ),
    "FixedTotalNumber": lambda sim: sim.FixedTotalNumberConnector(17),
    "DistanceDependentProbability": lambda sim: sim.DistanceDependentProbabilityConnector(
        "exp(-d/2)"
    ),
    "IndexBasedProbability": lambda sim: sim.IndexBasedProbabilityConnector(_Near()),
    "DisplacementDependentProbability": lambda sim: sim.DisplacementDependentProbabilityConnector(
        lambda displacement: np.where(np.abs(displacement[0]) < 3, 0.7, 0.0)
    ),
    "Array": lambda sim: sim.ArrayConnector(np.eye(6, dtype=bool)[::-1]),
    "FromList": lambda sim: sim.FromListConnector(_LIST, column_names=["weight", "delay"]),
}


class ConnectionContract(Contract):
    """Every backend has the connections of `realise`, for every connector."""

    @pytest.mark.parametrize("name", _CONNECTORS)
    def test_connector(self, sim: Simulator, name: str) -> None:
        """Connections, random weights and random delays are those realised once for all."""
        sim.setup(rng_seed=_SEED)
        pre = sim.Population(6, sim.IF_curr_exp(), label="pre")
        weight = RandomDistribution("uniform", low=0.1, high=0.9)
        delay = RandomDistribution("uniform", low=0.3, high=5.0)
        given = name == "FromList"
        synapse = sim.StaticSynapse() if given else sim.StaticSynapse(weight=weight, delay=delay)
        made = sim.Projection(pre, pre, _CONNECTORS[name](sim), synapse, label=name)
        expected = realise(made, _SEED)
        found = np.array(made.get(["weight", "delay"], format="list"))
        assert len(made) == made.size() == len(found) == len(expected.pre)
        np.testing.assert_array_equal(found[:, 0], expected.pre)
        np.testing.assert_array_equal(found[:, 1], expected.post)
        np.testing.assert_allclose(found[:, 2], expected.parameters["weight"], rtol=1e-12)
        # delays are multiples of the time step
        np.testing.assert_allclose(
            found[:, 3], expected.parameters["delay"], rtol=0, atol=H / 2 + 1e-9
        )
        np.testing.assert_allclose(np.rint(found[:, 3] / H) * H, found[:, 3], rtol=1e-9)

    def test_a_cloned_connection(self, sim: Simulator) -> None:
        """`CloneConnector` repeats the pairs of another projection."""
        sim.setup(rng_seed=_SEED)
        cells = sim.Population(6, sim.IF_curr_exp())
        first = connect(sim, cells, cells, 0.1, connector=sim.FixedProbabilityConnector(0.3))
        second = connect(sim, cells, cells, 0.2, connector=sim.CloneConnector(first))
        for name, one, two in zip(
            ("pre", "post", "weight"),
            np.array(first.get("weight", format="list")).T,
            np.array(second.get("weight", format="list")).T,
            strict=True,
        ):
            np.testing.assert_allclose(two, one * (2 if name == "weight" else 1))

    def test_connections_from_a_file(self, sim: Simulator, tmp_path: Any) -> None:
        """`FromFileConnector` reads what `Projection.save` wrote."""
        sim.setup(rng_seed=_SEED)
        cells = sim.Population(6, sim.IF_curr_exp())
        weight = RandomDistribution("uniform", low=0.1, high=0.9)
        first = connect(sim, cells, cells, weight, connector=sim.FixedProbabilityConnector(0.3))
        path = str(tmp_path / "connections.txt")
        first.save("connections", path)
        second = sim.Projection(cells, cells, sim.FromFileConnector(path), sim.StaticSynapse())
        np.testing.assert_allclose(
            np.array(second.get(["weight", "delay"], format="list")),
            np.array(first.get(["weight", "delay"], format="list")),
            rtol=1e-6,
        )

    def test_numbers_of_connections(self, sim: Simulator) -> None:
        """Fixed numbers are kept, by cell."""
        sim.setup(rng_seed=_SEED)
        pre, post = sim.Population(10, sim.IF_curr_exp()), sim.Population(7, sim.IF_curr_exp())
        for connector, axis, size in (
            (sim.FixedNumberPreConnector(4), 1, 7), (sim.FixedNumberPostConnector(4), 0, 10),
        ):  # fmt: skip
            made = connect(sim, pre, post, 0.1, connector=connector)
            found = np.array(made.get("weight", format="list"))
            assert np.bincount(found[:, axis].astype(int), minlength=size).tolist() == [4] * size

    def test_labels_and_order_do_not_disturb(self, sim: Simulator) -> None:
        """A projection's random numbers depend on the seed and its own label only."""
        found = []
        for other_first in (False, True):
            sim.setup(rng_seed=_SEED)
            cells = sim.Population(10, sim.IF_curr_exp())
            for label in ("other", "mine") if other_first else ("mine", "other"):
                made = connect(
                    sim, cells, cells, RandomDistribution("uniform", low=0.1, high=0.9),
                    connector=sim.FixedProbabilityConnector(0.3), label=label,
                )  # fmt: skip
                if label == "mine":
                    found.append(made.get("weight", format="list"))
        assert found[0] == found[1]

    def test_a_new_projection_leaves_others_alone(self, sim: Simulator) -> None:
        """Values of existing connections stay."""
        sim.setup()
        cells = sim.Population(4, sim.IF_curr_exp())
        first = connect(sim, cells, cells, lambda d: 0.1 * d)
        before = first.get(["weight", "delay"], format="list")
        connect(sim, cells, cells, 0.7, delay=2.0)
        assert first.get(["weight", "delay"], format="list") == before

    def test_views_and_assemblies(self, sim: Simulator) -> None:
        """Indices are those of what was connected; input reaches the right cells."""
        sim.setup()
        cells = [jumping(sim, n) for n in (3, 2)]
        both = cells[0] + cells[1]
        inputs = source(sim, [[1.0], [2.0], [3.0]], 3)
        made = connect(
            sim, inputs[1:3], both[1:4], 1.0,
            connector=sim.FromListConnector(
                [(0, 0, 0.5, 1.0), (0, 2, 1.5, 1.0), (1, 1, 2.5, 1.0)],
                column_names=["weight", "delay"],
            ),
        )  # fmt: skip
        assert np.array(made.get("weight", format="list"))[:, :2].tolist() == [
            [0, 0],
            [0, 2],
            [1, 1],
        ]
        sim.run(6.0)
        v = np.hstack([signal(population) for population in cells])
        assert np.flatnonzero(np.abs(v).max(axis=0)).tolist() == [1, 2, 3]
        assert [int(np.flatnonzero(v[:, k])[0]) for k in (1, 2, 3)] == [30, 40, 30]
        np.testing.assert_allclose([v[30, 1], v[40, 2], v[30, 3]], [0.5, 2.5, 1.5], rtol=1e-12)

    def test_several_connections_of_one_pair_add_up(self, sim: Simulator) -> None:
        """Each has its own weight and delay."""
        sim.setup()
        cells = jumping(sim, tau_m=1e9)
        rows = [(0, 0, 1.0, 1.0), (0, 0, 2.0, 1.0), (0, 0, 4.0, 2.0)]
        connector = sim.FromListConnector(rows, column_names=["weight", "delay"])
        made = connect(sim, source(sim, [1.0]), cells, 1.0, connector=connector)
        assert len(made) == 3
        sim.run(5.0)
        v = signal(cells)[:, 0]
        np.testing.assert_allclose(v[[19, 20, 29, 30, 50]], [0, 3, 3, 7, 7], atol=1e-5)

    def test_every_delay_is_kept(self, sim: Simulator) -> None:
        """One source, one cell for each delay, from the time step on."""
        sim.setup()
        delay = H * np.arange(1, 61)
        cells = jumping(sim, 60)
        connect(sim, source(sim, [0.7]), cells, 1.0, delay=delay[np.newaxis])
        sim.run(8.0)
        arrivals = [int(np.flatnonzero(column)[0]) for column in signal(cells).T]
        assert arrivals == list(range(8, 68))

    def test_cells_of_a_population_excite_each_other(self, sim: Simulator) -> None:
        """A chain: each spike makes the next cell spike one delay later."""
        sim.setup()
        cells = jumping(sim, 5, v_thresh=1.0)
        chain = sim.FromListConnector([(k, k + 1) for k in range(4)], column_names=[])
        connect(sim, source(sim, [1.0]), cells[0:1], 2.0, delay=0.5)
        connect(sim, cells, cells, 2.0, delay=1.3, connector=chain)
        sim.run(10.0)
        assert spikes(cells) == [[15], [28], [41], [54], [67]]

    @pytest.mark.parametrize(
        ("cell_type", "receptor", "weight"),
        [
            ("IF_curr_exp", "excitatory", -0.1),
            ("IF_curr_exp", "inhibitory", 0.1),
            ("IF_cond_exp", "excitatory", -0.1),
            ("IF_cond_exp", "inhibitory", -0.1),
        ],
    )
    def test_weights_of_the_wrong_sign_are_refused(
        self, sim: Simulator, cell_type: str, receptor: str, weight: float
    ) -> None:
        """By PyNN's rule for currents and conductances."""
        sim.setup()
        cells = sim.Population(2, getattr(sim, cell_type)())
        with pytest.raises(errors.ConnectionError):
            connect(sim, cells, cells, weight, receptor=receptor)

    def test_unknown_receptors_are_refused(self, sim: Simulator) -> None:
        """The error names the receptor."""
        sim.setup()
        cells = sim.Population(2, sim.IF_curr_exp())
        with pytest.raises(errors.ConnectionError, match="dendritic"):
            connect(sim, cells, cells, 0.1, receptor="dendritic")

    def test_indices_out_of_range_are_refused(self, sim: Simulator) -> None:
        """In a list of connections."""
        sim.setup()
        cells = sim.Population(2, sim.IF_curr_exp())
        connector = sim.FromListConnector([(0, 2, 0.1, 1.0)])
        with pytest.raises((errors.ConnectionError, IndexError)):
            connect(sim, cells, cells, 0.1, connector=connector)

    @pytest.mark.parametrize("delay", [0.0, 0.5])
    def test_too_short_delays_are_refused(self, sim: Simulator, delay: float) -> None:
        """Shorter than ``min_delay``."""
        sim.setup(min_delay=1.0)
        cells = sim.Population(2, sim.IF_curr_exp())
        with pytest.raises((errors.ConnectionError, ValueError)):
            connect(sim, cells, cells, 0.1, delay=delay)

    def test_spike_sources_cannot_be_targets(self, sim: Simulator) -> None:
        """They have no receptors."""
        sim.setup()
        sources = source(sim, [1.0])
        with pytest.raises(errors.ConnectionError):
            sim.Projection(sources, sources, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))

    def test_spatial_weights(self, sim: Simulator) -> None:
        """Weights as a function of the distance."""
        sim.setup()
        first, second = [sim.Population(n, sim.IF_curr_exp(), structure=Line()) for n in (3, 4)]
        made = connect(sim, first, second, lambda d: 0.1 * d, delay="0.5 + 0.1*d")
        distance = np.abs(np.subtract.outer(np.arange(3), np.arange(4))).ravel()
        found = values(made, "weight", "delay")
        np.testing.assert_allclose(found[:, 0], 0.1 * distance, atol=1e-12)
        np.testing.assert_allclose(found[:, 1], 0.5 + 0.1 * distance, rtol=1e-9)
