"""Memristive plasticity: the same spikes, dendritic action potentials and device states.

Noise is a function of device and event, so that noisy devices agree as well as ideal ones.
"""

import numpy as np
import pytest

from tests.parity.memristive_networks import DEVICES, sequences
from tests.parity.running import assert_same_spikes, on_brian2, on_nest

#: Both types, with and without the presynaptic trace.
RULES = [("MemristiveSTDP", False), ("MemristiveStructuralSTDP", True)]

#: How Brian2 runs the network, and for how long (ms); the numpy target is slow.
WAYS = [
    pytest.param("numpy", 600.0),
    pytest.param("cython", 1000.0, marks=pytest.mark.slow),
    pytest.param("standalone", 1000.0, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("synapse_type", "pre_trace"), RULES)
@pytest.mark.parametrize(("way", "duration"), WAYS)
def test_every_device_effect(synapse_type, pre_trace, way, duration):
    case = (sequences, synapse_type, pre_trace, duration)
    expected, found = on_nest(*case), on_brian2(*case, way=way)
    assert_same_spikes(found["spikes"], expected["spikes"], at_least=duration / 2)
    assert_same_spikes(found["dAPs"], expected["dAPs"], at_least=duration / 4)
    for name in ("v", "i_dend", "dAP_trace"):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-11)
    for name in DEVICES:
        assert expected[f"{name}: n_events"].mean() > 1
        for counter in ("n_events", "n_spikes"):
            np.testing.assert_array_equal(
                found[f"{name}: {counter}"], expected[f"{name}: {counter}"], err_msg=name
            )
        for variable, atol in (("permanence", 1e-12 * 20), ("weight", 1e-14)):
            np.testing.assert_allclose(
                found[f"{name}: {variable}"], expected[f"{name}: {variable}"], rtol=0, atol=atol,
                err_msg=name,
            )  # fmt: skip
