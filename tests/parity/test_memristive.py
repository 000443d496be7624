"""Memristive plasticity: the same spikes, dendritic action potentials and device states.

Noise is a function of device and event, so that noisy devices agree as well as ideal ones.
"""

import numpy as np
import pytest

from tests.parity.devices import ALL, FEW
from tests.parity.memristive_networks import WRITES, sequences
from tests.parity.running import assert_same_spikes, on_brian2, on_nest

#: Both types, with and without the presynaptic trace.
RULES = [("MemristiveSTDP", False), ("MemristiveStructuralSTDP", True)]

#: How Brian2 runs the network, for how long (ms) and with which devices: numpy is slow, and each
#: device takes long to compile.
WAYS = [
    pytest.param("numpy", 600.0, FEW),
    pytest.param("numpy", 600.0, ALL, marks=pytest.mark.slow),
    pytest.param("cython", 1000.0, FEW, marks=pytest.mark.slow),
    pytest.param("standalone", 1000.0, FEW, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("synapse_type", "pre_trace"), RULES)
@pytest.mark.parametrize(("way", "duration", "devices"), WAYS)
def test_every_device_effect(synapse_type, pre_trace, way, duration, devices):
    case = (sequences, synapse_type, pre_trace, duration, devices)
    expected, found = on_nest(*case), on_brian2(*case, way=way)
    assert_same_spikes(found["spikes"], expected["spikes"], at_least=duration / 2)
    assert_same_spikes(found["dAPs"], expected["dAPs"], at_least=duration / 4)
    for name in ("v", "i_dend", "dAP_trace"):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-11)
    for name in devices:
        assert expected[f"{name}: n_events"].mean() > 1
        for counter in ("n_events", "n_spikes", *WRITES):
            if f"{name}: {counter}" in expected:
                np.testing.assert_array_equal(
                    found[f"{name}: {counter}"], expected[f"{name}: {counter}"], err_msg=name
                )
        for variable in ("permanence", "weight"):
            np.testing.assert_allclose(
                found[f"{name}: {variable}"], expected[f"{name}: {variable}"], rtol=1e-12,
                atol=1e-16, err_msg=name,
            )  # fmt: skip
