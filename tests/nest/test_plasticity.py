"""The memristive synapse of the NEST extension; what it computes: tests/backends."""

import cosim.backends.nest as sim


def test_a_synapse_takes_one_cache_line():
    """Memory and speed of large networks depend on it."""
    sim.setup()
    cells = sim.Population(1, sim.IF_curr_exp_dAP())
    synapses = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.MemristiveSTDP())
    status = sim.nest.GetConnections(synapse_model=synapses.nest_synapse_model).get()
    assert status["sizeof"] <= 64
