"""Short-term plasticity and pair STDP: the same spikes, weights equal to rounding."""

import numpy as np
import pytest

from tests.parity.plastic_networks import WEIGHT_DEPENDENCES, pair_stdp, short_term_plasticity
from tests.parity.running import BRIAN2_AND_DURATION, assert_same_spikes, on_brian2, on_nest


@pytest.mark.parametrize(("way", "duration"), BRIAN2_AND_DURATION)
def test_pair_stdp(way, duration):
    expected, found = on_nest(pair_stdp, duration), on_brian2(pair_stdp, duration, way=way)
    assert_same_spikes(found["exc"], expected["exc"], at_least=8 * duration)
    for name in WEIGHT_DEPENDENCES:
        before, after = expected[name]
        assert np.mean(np.abs(after - before) > 1e-3) > 0.5
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(("way", "duration"), BRIAN2_AND_DURATION)
def test_tsodyks_markram_synapses(way, duration):
    expected = on_nest(short_term_plasticity, duration)
    found = on_brian2(short_term_plasticity, duration, way=way)
    assert_same_spikes(found["exc"], expected["exc"], at_least=5 * duration)
    assert_same_spikes(found["inh"], expected["inh"], at_least=duration)
    np.testing.assert_allclose(found["v"], expected["v"], rtol=0, atol=1e-9)
