"""Backends and the twin simulate the same network alike; so do one and two threads of NEST."""

from dataclasses import fields

import brian2
import numpy as np
import pytest

from cosim import backend
from devices import Memristor
from tests.qc.pynn_run import run_pynn
from tests.qc.small_network import run_twin, small_network, with_noisy_devices


def network_of(switching, c2c_event):
    network = small_network(switching)
    return network if c2c_event is None else with_noisy_devices(network, c2c_event)


def check_against_twin(name, switching, c2c_event):
    network = network_of(switching, c2c_event)
    run, twin = run_pynn(name, network), run_twin(network)
    assert run.spikes == sorted(twin.exc.spikes)
    assert run.inhibitory_spikes == sorted(twin.inh.spikes)
    assert run.onsets == sorted(twin.exc.dAPs)
    np.testing.assert_allclose(run.permanence, twin.ee.P, rtol=1e-12)
    np.testing.assert_array_equal(run.n_events, twin.ee.event)
    expected = [twin.ee.weight(k) for k in range(len(twin.ee.P))]
    np.testing.assert_allclose(run.weight, expected, rtol=1e-12)


@pytest.mark.parametrize("c2c_event", [None, "write", "pre_spike"])
@pytest.mark.parametrize("switching", ["binary", "analog"])
def test_nest_equals_the_twin(switching, c2c_event):
    check_against_twin("nest", switching, c2c_event)


@pytest.mark.slow
@pytest.mark.parametrize("c2c_event", [None, "write", "pre_spike"])
@pytest.mark.parametrize("switching", ["binary", "analog"])
def test_brian2_equals_the_twin(switching, c2c_event, monkeypatch):
    monkeypatch.setitem(brian2.prefs, "codegen.target", "numpy")
    check_against_twin("brian2", switching, c2c_event)


@pytest.mark.slow
@pytest.mark.parametrize("c2c_event", [None, "write", "pre_spike"])
@pytest.mark.parametrize("switching", ["binary", "analog"])
def test_two_threads_equal_one(switching, c2c_event):
    network = network_of(switching, c2c_event)
    one, two = (run_pynn("nest", network, threads) for threads in (1, 2))
    for field in fields(one):
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(two, field.name), err_msg=field.name
        )


GROUPS, GROUP_SIZE, IN_DEGREE = 6, 20, 24


def run_with_all_device_effects(threads: int, binary: bool, c2c_event: str) -> dict:
    """Run 120 neurons, driven group by group in ever the same order, with imperfect devices."""
    sim = backend("nest")
    sim.setup(timestep=0.1, rng_seed=7, threads=threads)
    size = GROUPS * GROUP_SIZE
    exc = sim.Population(size, sim.IF_curr_exp_dAP(tau_h=350.0), label="exc")
    inh = sim.Population(
        GROUPS,
        sim.IF_curr_exp(
            v_rest=0.0, cm=0.25, tau_m=5.0, tau_refrac=2.0, tau_syn_E=0.5, tau_syn_I=1.65,
            v_reset=0.0, v_thresh=15.0, i_offset=0.0,
        ),
        label="inh",
    )  # fmt: skip
    inh.initialize(v=0.0)
    trains = [np.arange(20.0 + 40.0 * g, 2500.0, 40.0 * GROUPS) for g in range(GROUPS)]
    stimulus = sim.Population(GROUPS, sim.SpikeSourceArray(spike_times=trains), label="stimulus")
    own_group = [(i // GROUP_SIZE, i) for i in range(size)]
    rng = np.random.default_rng(3)
    rows = [(g, i, 4.2 + rng.random()) for g, i in own_group]
    sim.Projection(
        stimulus, exc, sim.FromListConnector(rows, column_names=["weight"]),
        sim.StaticSynapse(delay=1.0), receptor_type="excitatory",
    )  # fmt: skip
    sim.Projection(
        exc, inh, sim.FromListConnector([(i, g) for g, i in own_group]),
        sim.StaticSynapse(weight=1.2, delay=1.0), receptor_type="excitatory",
    )  # fmt: skip
    sim.Projection(
        inh, exc, sim.FromListConnector(own_group), sim.StaticSynapse(weight=-12.9, delay=1.0),
        receptor_type="inhibitory",
    )  # fmt: skip
    device = Memristor(
        on_off_ratio=12.0, n_levels=64, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.2, sigma_c2c=0.01,
        c2c_event=c2c_event, sigma_read=0.1, stuck_on=0.02, stuck_off=0.03,
    )  # fmt: skip
    common = {"device": device, "delay": 2.0, "w_max": 0.02}
    ee = sim.Projection(
        exc, exc, sim.FixedNumberPreConnector(IN_DEGREE, allow_self_connections=False),
        sim.MemristiveStructuralSTDP(lambda_plus=1.5, permanence=4.0, **common)
        if binary else sim.MemristiveSTDP(lambda_plus=0.8, permanence=0.1, **common),
        label="ee",
    )  # fmt: skip
    exc.record(["spikes", "dAP"])
    inh.record("spikes")
    sim.run(2500.0)

    segment = exc.get_data().segments[0]
    event = segment.events[0]
    result = {name: ee.read(name)[0] for name in ("permanence", "weight", "n_events", "n_spikes")}
    result["spikes"] = np.concatenate([train.magnitude for train in segment.spiketrains])
    result["spikes of each"] = np.array([len(train) for train in segment.spiketrains])
    result["onsets"] = event.times.magnitude
    result["onsets of"] = event.array_annotations["source_index"]
    result["inhibitory spikes"] = np.concatenate(
        [train.magnitude for train in inh.get_data().segments[0].spiketrains]
    )
    result["stuck"] = ee.bounds.stuck_on | ee.bounds.stuck_off
    sim.end()
    return result


@pytest.mark.parametrize("c2c_event", ["write", "pre_spike"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "analog"])
def test_two_threads_equal_one_with_every_device_effect(binary, c2c_event):
    one = run_with_all_device_effects(1, binary, c2c_event)
    assert 20 < one["stuck"].sum() < 250
    assert one["onsets"].size > 100
    assert 0 < np.mean(one["weight"] > 0.01) < 1
    assert one["n_events"].mean() > 2
    # some spikes are inhibited, because their neighbours were predictive
    assert one["spikes"].size < GROUPS * GROUP_SIZE * len(np.arange(20.0, 2500.0, 240.0))
    two = run_with_all_device_effects(2, binary, c2c_event)
    for name, values in one.items():
        np.testing.assert_array_equal(values, two[name], err_msg=name)
