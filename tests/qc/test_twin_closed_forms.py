"""The twin alone, against closed forms."""

from dataclasses import replace
from math import e, exp, log, sqrt

import numpy as np
import pytest

from devices import noise
from tests.qc import twin_noise
from tests.qc.twin import (
    DAPNeurons,
    IFCurrExp,
    Plasticity,
    PlasticProjection,
    Population,
    SpikeSource,
    StaticProjection,
    simulate,
)

H = 0.1
# Bouhadjar et al. 2022, doi:10.1371/journal.pcbi.1010233
NEURON = {
    "v_rest": 0.0, "cm": 0.25, "tau_m": 10.0, "tau_refrac": 10.0, "tau_syn_E": 2.0,
    "tau_syn_I": 1.0, "tau_syn_D": 5.0, "v_reset": 0.0, "v_thresh": 20.0, "i_offset": 0.0,
    "i_dAP": 0.2, "theta_dAP": 0.059, "tau_dAP": 60.0, "tau_h": 440.0,
}  # fmt: skip
INHIBITORY = {
    "v_rest": 0.0, "cm": 0.25, "tau_m": 5.0, "tau_refrac": 2.0, "tau_syn_E": 0.5,
    "tau_syn_I": 1.65, "v_reset": 0.0, "v_thresh": 15.0, "i_offset": 0.0,
}  # fmt: skip
RULE = Plasticity(
    switching="binary", lambda_plus=0.08, lambda_minus=0.0015, lambda_h=0.014, z_target=1.0,
    tau_plus=20.0, dt_min=4.0, dt_max=80.0, p_max=20.0, theta_p=10.0,
)  # fmt: skip
ARRIVAL = 50  # step at which the input of `drive` arrives
KICK = 100.0  # nA: V crosses the threshold in the first step after its arrival


def drive(
    neuron: Population, *inputs: tuple[str, float, list[int]], duration: float = 200.0
) -> None:
    """Run one neuron with (receptor, weight, steps of arrival) inputs."""
    sources = [SpikeSource([[(n - 1) * H for n in arrivals]], H) for _, _, arrivals in inputs]
    projections = [
        StaticProjection(source, neuron, [0], [0], weight, H, receptor)
        for source, (receptor, weight, _) in zip(sources, inputs, strict=True)
    ]
    simulate([neuron, *sources], projections, duration)


def psp_per_psc(tau_s: float, tau_m: float, cm: float) -> float:
    """Peak of the potential per peak of an exponential current (mV/nA)."""
    ratio = tau_m / tau_s
    difference = ratio ** (-tau_m / (tau_m - tau_s)) - ratio ** (-tau_s / (tau_m - tau_s))
    return tau_m / cm * tau_s / (tau_s - tau_m) * difference


def test_noise_is_philox4x32_10():
    # known answers of the reference implementation (Random123, kat_vectors)
    assert twin_noise.philox4x32((0, 0, 0, 0), (0, 0)) == (
        0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8,
    )  # fmt: skip
    assert twin_noise.philox4x32(
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    ) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def test_noise_equals_the_packages():
    key = noise.noise_key(7, "ee")
    for stream in (noise.Stream.WRITE, noise.Stream.LEVEL, noise.Stream.READ):
        events = np.arange(200)
        mine = [twin_noise.uniform(key, 3, k, stream) for k in range(200)]
        np.testing.assert_array_equal(mine, noise.uniform(key, 3, events, stream))
        mine = [twin_noise.normal(key, 3, k, stream) for k in range(200)]
        np.testing.assert_allclose(mine, noise.normal(key, 3, events, stream), rtol=1e-14)


@pytest.mark.parametrize(
    ("receptor", "weight", "tau_s", "peak"),
    [("excitatory", 4.112209, 2.0, 22.0), ("inhibitory", -12.915497, 1.0, -40.0)],
)
def test_amplitude_of_a_postsynaptic_potential(receptor, weight, tau_s, peak):
    neuron = DAPNeurons(1, H, **NEURON | {"v_thresh": 100.0})
    drive(neuron, (receptor, weight, [ARRIVAL]))
    v = np.array(neuron.recorded_v)[:, 0]
    found = v[np.abs(v).argmax()]
    assert weight * psp_per_psc(tau_s, 10.0, 0.25) == pytest.approx(peak, abs=1e-4)
    # the peak may fall half a step beside the grid: second-order loss
    t_peak = log(10.0 / tau_s) * 10.0 * tau_s / (10.0 - tau_s)
    bending = weight / 0.25 / tau_s * exp(-t_peak / tau_s)
    assert found == pytest.approx(peak, abs=1e-4 + abs(bending) * (H / 2) ** 2 / 2)


def test_potential_equals_the_closed_form_at_every_step():
    neuron = DAPNeurons(1, H, **NEURON | {"v_thresh": 100.0})
    drive(neuron, ("excitatory", 4.0, [ARRIVAL]))
    # recorded_v[0] is step 1
    t = H * (np.arange(1, len(neuron.recorded_v) + 1) - ARRIVAL).clip(0)
    expected = 4.0 / 0.25 / (1 / 2 - 1 / 10) * (np.exp(-t / 10) - np.exp(-t / 2))
    np.testing.assert_allclose(np.array(neuron.recorded_v)[:, 0], expected, atol=1e-12)


def test_alpha_current_peaks_at_the_weight_after_tau_syn_D():
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("dendritic", 0.05, [ARRIVAL]))
    current = np.array(neuron.recorded_d)[:, 0]
    assert current.argmax() + 1 == ARRIVAL + 50
    assert current.max() == pytest.approx(0.05, rel=1e-13)
    t = H * (np.arange(1, current.size + 1) - ARRIVAL).clip(0)
    np.testing.assert_allclose(current, 0.05 * e * t / 5 * np.exp(-t / 5), atol=1e-15)


def test_plateau():
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("dendritic", 0.12, [ARRIVAL]))
    ((onset, _),) = neuron.dAPs
    t = H * (onset - ARRIVAL)
    # I_D exceeds theta_dAP for the first time
    assert 0.12 * e * t / 5 * exp(-t / 5) > 0.059
    assert 0.12 * e * (t - H) / 5 * exp(-(t - H) / 5) < 0.059

    v, current = np.array(neuron.recorded_v)[:, 0], np.array(neuron.recorded_d)[:, 0]
    end = onset + 600
    assert (current[onset - 1 : end - 1] == 0.2).all()
    assert (current[end - 1 :] == 0.0).all()
    before = v[onset - 1]
    expected = 8.0 * (1 - exp(-60 / 10)) + before * exp(-60 / 10)
    assert v[end - 1] == pytest.approx(expected, rel=1e-12)
    assert v.argmax() == end - 1
    # the reference value: R·i_dAP
    assert v[end - 1] == pytest.approx(8.0, abs=0.03)


def test_resting_potential_and_offset():
    neuron = DAPNeurons(1, H, **NEURON | {"v_rest": -60.0, "v_thresh": 0.0, "i_offset": 0.125})
    drive(neuron)
    t = H * np.arange(1, 2001)
    expected = -60 + 5 * (1 - np.exp(-t / 10))
    np.testing.assert_allclose(np.array(neuron.recorded_v)[:, 0], expected, rtol=1e-12)


def test_dendritic_input_is_lost_during_a_dendritic_action_potential():
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("dendritic", 10.0, [ARRIVAL]))
    ((onset, _),) = neuron.dAPs
    assert onset == ARRIVAL + 1
    last = onset + 600
    for arrival, onsets in ((last - 1, [onset]), (last, [onset]), (last + 1, [onset, last + 2])):
        neuron = DAPNeurons(1, H, **NEURON)
        drive(neuron, ("dendritic", 10.0, [ARRIVAL, arrival]))
        assert [n for n, _ in neuron.dAPs] == onsets


def test_spike_aborts_the_dendritic_action_potential():
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("dendritic", 10.0, [ARRIVAL]), ("excitatory", KICK, [300]))
    assert neuron.spikes == neuron.dAPs_aborted == [(301, 0)]
    v, current = np.array(neuron.recorded_v)[:, 0], np.array(neuron.recorded_d)[:, 0]
    assert current[299] == 0.2
    assert (current[300:] == 0.0).all()
    assert (v[300:401] == 0.0).all()
    assert v[401] != 0.0


def test_new_dendritic_action_potential_after_an_aborted_one():
    # without the spike the first one would have lasted to step 651
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("dendritic", 10.0, [ARRIVAL, 450]), ("excitatory", KICK, [300]))
    assert [n for n, _ in neuron.dAPs] == [51, 451]


@pytest.mark.parametrize("arrival", [350, 401, 402])
def test_dendritic_input_is_lost_while_refractory(arrival):
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("excitatory", KICK, [300]), ("dendritic", 10.0, [arrival]))
    assert neuron.spikes[0] == (301, 0)
    assert [n for n, _ in neuron.dAPs] == ([] if arrival <= 401 else [arrival + 1])


@pytest.mark.parametrize("strict", [True, False])
def test_refractory_period(strict):
    # a constant current strong enough to spike in every step that integrates
    cell = (
        DAPNeurons(1, H, **NEURON | {"i_offset": 100.0})
        if strict
        else IFCurrExp(1, H, **INHIBITORY | {"i_offset": 100.0})
    )
    drive(cell)
    refractory = 100 if strict else 20
    assert [n for n, _ in cell.spikes] == list(range(1, 2001, refractory + 1))


def test_threshold_is_strict_for_the_dAP_neuron_only():
    # v_rest = v_thresh is held exactly when nothing else acts on V
    at_threshold = {"v_rest": 0.0, "v_thresh": 0.0}
    neuron = DAPNeurons(1, H, **NEURON | at_threshold)
    drive(neuron, duration=1.0)
    assert neuron.spikes == []
    cell = IFCurrExp(1, H, **INHIBITORY | at_threshold)
    drive(cell, duration=1.0)
    assert cell.spikes[0] == (1, 0)


def test_inhibitory_cell_needs_20_spikes():
    weight = 15.0 * 1.2 / 20 / psp_per_psc(0.5, 5.0, 0.25)
    assert weight == pytest.approx(0.581197, abs=1e-6)
    for inputs, spikes in ((16, 0), (20, 1)):
        cell = IFCurrExp(1, H, **INHIBITORY)
        drive(cell, ("excitatory", inputs * weight, [ARRIVAL]))
        assert len(cell.spikes) == spikes


def test_dAP_trace():
    neuron = DAPNeurons(1, H, **NEURON)
    drive(neuron, ("dendritic", 10.0, [100, 1000]))
    assert [n for n, _ in neuron.dAPs] == [101, 1001]
    assert neuron.z(0, 1001) == pytest.approx(1 + exp(-90 / 440), rel=1e-13)


def pairings(
    pre: list[int], post: list[int], *, dendritic: list[int] | None = None, delay: float = 2.0,
    rule: Plasticity = RULE, permanence: float = 5.0, w_min: float = 0.0, w_max: float = 0.0,
) -> PlasticProjection:  # fmt: skip
    """Let one synapse see a presynaptic and a postsynaptic spike train (in steps)."""
    neuron = DAPNeurons(1, H, **NEURON | {"tau_h": 1e18})
    source = SpikeSource([[n * H for n in pre]], H)
    kick = SpikeSource([[(n - 2) * H for n in post]], H)
    burst = SpikeSource([[n * H for n in dendritic or []]], H)
    synapse = PlasticProjection(
        source, neuron, [0], [0], delay, "dendritic", rule=rule, permanence=permanence,
        w_min=w_min, w_max=w_max, key=(1, 2),
    )  # fmt: skip
    static = [
        StaticProjection(kick, neuron, [0], [0], KICK, H, "excitatory"),
        StaticProjection(burst, neuron, [0], [0], 10.0, H, "dendritic"),
    ]
    duration = (max(pre + post) + 100) * H
    simulate([neuron, source, kick, burst], [synapse, *static], duration)
    assert [n for n, _ in neuron.spikes] == post
    return synapse


def test_permanence_change_per_pairing():
    # 10 pairings with z = 0, 10 with z = 1, 10 with z = 2
    pre = [1000 + 2000 * k for k in range(30)]
    post = [n + 400 for n in pre]
    dendritic = [pre[10] - 900, pre[20] - 900]
    synapse = pairings(pre, post, dendritic=dendritic)
    after = [p for n, _, p in synapse.history if n in [m + 20 for m in post]]
    assert len(after) == 30
    change = np.diff(after)
    k = np.arange(1, 30)
    z = k // 10
    trace = exp(-42 / 20) * (1 - np.exp(-200 * (k + 1) / 20)) / (1 - exp(-200 / 20))
    expected = 20 * (0.08 * trace + 0.014 * (1 - z) - 0.0015)
    np.testing.assert_allclose(change, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(change, np.choose(z, [0.446, 0.166, -0.114]), atol=5e-4)
    # the first depression meets the floor, which is the initial state
    assert after[0] - 5.0 == pytest.approx(20 * (0.08 * exp(-42 / 20) + 0.014), abs=1e-13)


def test_constant_potentiation_without_trace():
    rule = replace(RULE, pre_trace=False)
    synapse = pairings([1000], [1400], rule=rule)
    assert synapse.P[0] == pytest.approx(5 + 20 * (0.08 + 0.014), rel=1e-14)


@pytest.mark.parametrize(
    ("distance", "potentiated"), [(19, False), (20, False), (21, True), (779, True), (780, False)]
)
def test_window_is_open_and_includes_the_delay(distance, potentiated):
    # steps; the delay adds 20: the window is open at 40 and at 800
    synapse = pairings([1000], [1000 + distance])
    assert (synapse.P[0] > 5.0) is potentiated


def test_postsynaptic_event_comes_before_the_presynaptic_spike_of_the_same_step():
    # t_i + d coincides with the second presynaptic spike: it pairs with the first one
    synapse = pairings([1000, 1420], [1400])
    potentiated = 5 + 20 * (0.08 * exp(-42 / 20) + 0.014)
    assert [n for n, _, _ in synapse.history] == [1000, 1420, 1420]
    assert synapse.history[1][2] == pytest.approx(potentiated, rel=1e-14)
    assert synapse.P[0] == pytest.approx(potentiated - 20 * 0.0015, rel=1e-14)


def test_no_potentiation_before_the_first_presynaptic_spike():
    synapse = pairings([2000], [1400])
    assert synapse.history == [(2000, 0, 5.0)]


def test_floor_is_the_initial_state_and_costs_no_event():
    synapse = pairings([1000, 3000, 5000], [])
    assert synapse.P == [5.0]
    assert synapse.event == [0]


def test_permanence_is_bounded_by_p_max():
    synapse = pairings([1000], [1400], rule=replace(RULE, lambda_plus=100.0))
    # homeostasis acts on the bounded value; the result is bounded again
    assert synapse.P == [20.0]
    synapse = pairings([1000], [1400], dendritic=[100, 800], rule=replace(RULE, lambda_plus=100.0))
    assert synapse.P[0] == pytest.approx(20 * (1 - 0.014), rel=1e-14)


def test_state_after_the_latest_presynaptic_spike():
    synapse = pairings([1000, 3000], [1400, 3400])
    history = {n: p for n, _, p in synapse.history}
    assert synapse.P_at_last_pre == [history[3000]]
    assert synapse.P == [history[3420]]


def test_finite_levels_round_stochastically_without_bias():
    # many devices in one state: each depression is a fraction 0.3 of one level
    size, levels = 4000, 21
    rule = replace(RULE, n_levels=levels, lambda_minus=0.3 / 20)
    source, neuron = SpikeSource([[1.0]], H), DAPNeurons(1, H, **NEURON)
    target = np.zeros(size, dtype=int)
    synapses = PlasticProjection(
        source, neuron, target, target, H, "dendritic", rule=rule, permanence=12.2, w_min=0.0,
        w_max=0.0, key=(1, 2),
    )  # fmt: skip
    assert set(synapses.P) == {12.0}
    synapses.P_min = [0.0] * size
    simulate([neuron, source], [synapses], 2.0)
    assert set(synapses.P) == {11.0, 12.0}
    assert synapses.event == [1] * size
    switched = np.mean(np.array(synapses.P) == 11.0)
    assert switched == pytest.approx(0.3, abs=4 * sqrt(0.3 * 0.7 / size))


def test_write_noise_at_each_event():
    pre = [1000, 3000]
    clean = pairings(pre, [1400]).history
    noisy = pairings(pre, [1400], rule=replace(RULE, sigma_c2c=0.01)).history
    xi = [twin_noise.normal((1, 2), 0, k, twin_noise.WRITE) for k in range(2)]
    # the first presynaptic spike meets the floor: no event
    assert noisy[0] == clean[0]
    assert noisy[1][2] == pytest.approx(clean[1][2] + 0.2 * xi[0], rel=1e-13)
    assert noisy[2][2] == pytest.approx(noisy[1][2] - 0.03 + 0.2 * xi[1], rel=1e-13)


def test_write_noise_at_each_presynaptic_spike():
    rule = replace(RULE, sigma_c2c=0.01, c2c_event="pre_spike")
    synapse = pairings([1000, 3000], [1400], rule=rule)
    xi = [twin_noise.normal((1, 2), 0, k, twin_noise.WRITE) for k in range(4)]
    first, second, third = (p for _, _, p in synapse.history)
    assert first == pytest.approx(max(5 + 0.2 * xi[0], 5.0), rel=1e-13)
    # event 1 is the noiseless potentiation, event 2 the noiseless depression
    assert second == pytest.approx(first + 20 * (0.08 * exp(-2.1) + 0.014), rel=1e-13)
    assert third == pytest.approx(max(second - 0.03 + 0.2 * xi[3], 5.0), rel=1e-13)
    assert synapse.event == [4]


def test_write_noise_stays_within_the_bounds_of_the_state():
    rule = replace(RULE, sigma_c2c=10.0, c2c_event="pre_spike")
    synapse = pairings(list(range(1000, 21000, 1000)), [], rule=rule)
    assert {p for _, _, p in synapse.history} == {5.0, 20.0}


def test_read_noise_scales_the_weight_and_never_its_sign():
    rule = replace(RULE, sigma_read=1.5)
    pre = list(range(1000, 41000, 2000))
    xi = np.array([twin_noise.normal((1, 2), 0, s, twin_noise.READ) for s in range(len(pre))])
    factor = np.maximum(0, 1 + 1.5 * xi)
    assert (factor == 0).any()

    neuron = DAPNeurons(1, H, **NEURON | {"theta_dAP": 100.0})
    source = SpikeSource([[n * H for n in pre]], H)
    synapse = PlasticProjection(
        source, neuron, [0], [0], 2.0, "dendritic", rule=rule, permanence=12.0, w_min=0.25,
        w_max=0.5, key=(1, 2),
    )  # fmt: skip
    simulate([neuron, source], [synapse], 4200.0)
    peaks = [neuron.recorded_d[n + 20 + 50 - 1][0] for n in pre]
    # 200 ms are 40 time constants: nothing remains of the current before
    np.testing.assert_allclose(peaks, 0.5 * factor, atol=1e-12)


def test_weight_of_both_switching_kinds():
    for permanence, weight in ((10.0, 0.25), (10.5, 0.5)):
        synapse = pairings([1000], [], permanence=permanence, w_min=0.25, w_max=0.5)
        assert synapse.weight(0) == weight
    analog = replace(RULE, switching="analog", p_max=1.0, theta_p=None)
    synapse = pairings([1000], [], rule=analog, permanence=0.25, w_min=0.25, w_max=0.5)
    assert synapse.weight(0) == 0.3125
