"""Synapse parameters that NEST keeps once for all synapses of a model."""

import nest
import numpy as np
import pytest

import cosim.backends.nest as sim

H = 0.1
PAIRS = [(0, 0), (0, 1), (2, 1)]


def connect(w_max, receptor_type="excitatory", model="stdp_synapse_hom"):
    sim.setup(timestep=H)
    pre, post = (sim.Population(3, sim.IF_cond_exp()) for _ in range(2))
    rows = [(*pair, w) for pair, w in zip(PAIRS, w_max, strict=True)]
    return sim.Projection(
        pre, post, sim.FromListConnector(rows, column_names=["Wmax"]),
        sim.native_synapse_type(model)(), receptor_type=receptor_type, label="plastic",
    )  # fmt: skip


@pytest.mark.parametrize("receptor_type, sign", [("excitatory", 1.0), ("inhibitory", -1.0)])
def test_one_value_for_all_reaches_nest(receptor_type, sign):
    plastic = connect([150.0] * 3, receptor_type)
    assert nest.GetDefaults(plastic.nest_synapse_model)["Wmax"] == sign * 150.0
    assert plastic.get("Wmax", format="list", with_address=False) == [150.0] * 3
    plastic.set(Wmax=170.0)
    assert nest.GetDefaults(plastic.nest_synapse_model)["Wmax"] == sign * 170.0
    assert plastic[1].Wmax == 170.0
    np.testing.assert_array_equal(plastic.read("lambda")[0], 0.01)


def test_other_values_for_some_connections_are_refused():
    """NEST ignores them, stock PyNN takes the first when they are set later."""
    with pytest.raises(ValueError, match="'plastic': Wmax"):
        connect([150.0, 160.0, 150.0])
    plastic = connect([150.0] * 3)
    for change in (
        lambda: plastic.set(Wmax=[150.0, 160.0, 150.0]),
        lambda: setattr(plastic[1], "Wmax", 160.0),
    ):
        with pytest.raises(ValueError, match="'plastic': Wmax"):
            change()
        assert plastic.get("Wmax", format="list", with_address=False) == [150.0] * 3


def test_values_may_differ_where_each_synapse_has_its_own():
    plastic = connect([150.0, 160.0, 170.0], model="stdp_synapse")
    assert plastic.get("Wmax", format="list", with_address=False) == [150.0, 160.0, 170.0]
