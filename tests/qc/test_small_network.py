"""The small network does what it is for: all mechanisms occur, and no decision is a near tie."""

import numpy as np
import pytest

from tests.qc.small_network import (
    NEURONS_PER_SYMBOL,
    SmallNetwork,
    TwinRun,
    run_twin,
    small_network,
    with_noisy_devices,
)


@pytest.fixture(
    scope="module",
    params=[(s, c) for s in ("binary", "analog") for c in (None, "write", "pre_spike")],
    ids=lambda p: f"{p[0]}-{p[1] or 'ideal'}",
)
def run(request) -> tuple[SmallNetwork, TwinRun]:
    switching, c2c_event = request.param
    network = small_network(switching)
    if c2c_event is not None:
        network = with_noisy_devices(network, c2c_event)
    return network, run_twin(network)


def test_every_mechanism_occurs(run):
    network, result = run
    exc, inh, ee = result.exc, result.inh, result.ee
    stimuli = sum(len(times) for times in network.stimulus)
    assert stimuli >= 40
    # the first stimulus, unpredicted, excites nearly the whole subpopulation ...
    assert len({i for n, i in exc.spikes if n * network.h < 40}) >= NEURONS_PER_SYMBOL - 4
    # ... and inhibition silences neurons later
    assert len(exc.spikes) < 0.95 * stimuli * NEURONS_PER_SYMBOL
    assert len(inh.spikes) >= 0.9 * stimuli
    assert len(exc.dAPs) >= 50
    assert len(exc.dAPs_aborted) >= 30
    assert len(exc.dAPs) - len(exc.dAPs_aborted) >= 10
    # homeostasis acts in both directions
    assert max(exc.z(i, n) for n, i in exc.spikes) > 1 > min(exc.z(i, n) for n, i in exc.spikes)

    middle = network.plasticity.p_max / 2
    assert np.mean(np.array(ee.P_min) < middle) == 1
    assert 0.1 < np.mean(np.array(ee.P) > middle) < 0.6
    assert not np.array_equal(ee.P, ee.P_at_last_pre)
    # pairings inside and outside the window
    assert len({n for n, _, _ in ee.history}) > len({n for n, _ in exc.spikes})


def test_no_decision_is_a_near_tie(run):
    # mV, nA; other orders of the same arithmetic differ by about 1e-13 of a value
    network, result = run
    assert result.exc.margin_v > 1e-5
    assert result.inh.margin_v > 1e-5
    assert result.exc.margin_d > 1e-6 * network.exc["theta_dAP"]
    assert result.ee.margin_theta > 1e-6
    assert result.ee.margin_window > network.h / 2
    assert result.ee.margin_level > 1e-6


def test_devices_are_sorted_and_unique():
    ee = small_network().ee
    pairs = list(zip(ee.source.tolist(), ee.target.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert all(j != i for j, i in pairs)
