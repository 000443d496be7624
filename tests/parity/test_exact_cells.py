"""Cells that both simulators integrate exactly: the same spikes, to the time step."""

import numpy as np
import pytest

from tests.parity.networks import current_based
from tests.parity.running import BRIAN2, assert_same_spikes, on_brian2, on_nest


@pytest.mark.parametrize("way", BRIAN2)
@pytest.mark.parametrize("cell_type", ["IF_curr_exp", "IF_curr_alpha", "IF_curr_delta"])
def test_a_recurrent_network_of_1000_cells(cell_type, way):
    """1 s; a potential at 1e-12 mV from the threshold would be needed for another spike."""
    expected = on_nest(current_based, cell_type)
    found = on_brian2(current_based, cell_type, way=way)
    assert_same_spikes(found["exc"], expected["exc"], at_least=18_000)
    assert_same_spikes(found["inh"], expected["inh"], at_least=4_000)
    np.testing.assert_allclose(found["v"], expected["v"], rtol=0, atol=1e-9)
