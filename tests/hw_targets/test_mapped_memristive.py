"""Memristive synapses: their periodic rule on exact and on emulated chips."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.backends import backend
from devices import Memristor, Update
from devices.noise import noise_key
from hw_targets.brainscales2.correlation import SensorParameters
from hw_targets.brainscales2.mapped.memristive import Observed, PlasticDevices
from hw_targets.brainscales2.mapped.processor import AMPLITUDE
from tests.hw_targets.periodic_rule import Sensor, simulate

sim = backend("hw_targets.brainscales2.mapped")

GRID = 0.008
SEED = 42
CELL = {
    "v_rest": -60.0, "cm": 0.25, "tau_m": 10.0, "tau_refrac": 5.0, "tau_syn_E": 2.0,
    "tau_syn_I": 1.0, "tau_syn_D": 4.0, "v_reset": -60.0, "v_thresh": -40.0, "i_dAP": 0.25,
    "theta_dAP": 0.125, "tau_dAP": 20.0,
}  # fmt: skip
TAU_H = [60.0, 440.0]
PERIOD = 100.0
UNTIL = 500.0
N_PRE, N_POST = 4, 2
N = N_PRE * N_POST
RULE = {
    "lambda_plus": 0.12, "lambda_minus": 0.004, "lambda_h": 0.04, "tau_plus": 15.0, "dt_min": 2.0,
    "dt_max": 60.0, "z_target": 0.7,
}  # fmt: skip
ANALOG = RULE | {"w_max": 0.004}
BINARY = RULE | {"w_max": 0.004, "theta_p": 5.0, "p_max": 12.0}
LABEL = "plastic"


def begin(**options):
    sim.setup(
        **{"fidelity": "ideal", "quiet": True, "plasticity_period": PERIOD, "rng_seed": SEED}
        | options
    )


def trains(rng, n, count, until=UNTIL, at=(), gap=1.0):
    """Times on the grid, some of them exactly `at` what is given."""
    found = []
    for _ in range(n):
        times = np.rint(rng.uniform(1.0, until - 1.0, count) / GRID) * GRID
        times = np.unique(np.round(np.concatenate([times, at]), 6))
        found.append(times[np.diff(times, prepend=-np.inf) > gap].tolist())
    return found


@dataclasses.dataclass
class Network:
    pre: object
    cells: object
    plastic: object


def network(synapse, pre_times=None, order=None, post_times=None, w_drive=9.0, n_pre=N_PRE,
            w_dap=0.4):  # fmt: skip
    """Plastic synapses, all to all; cells spike and have dAPs by other input."""
    rng = np.random.default_rng(5)
    ends = np.arange(1, 4) * PERIOD
    # Spikes at a period's end, and at time 0.
    pre_times = pre_times or trains(rng, n_pre, 14, at=[0.0, *ends])
    pre = sim.Population(len(pre_times), sim.SpikeSourceArray(spike_times=pre_times), label="pre")
    cells = sim.Population(N_POST, sim.IF_curr_exp_dAP(**CELL, tau_h=TAU_H), label="cells")
    cells.initialize(v=CELL["v_rest"])
    cells.record(["spikes", "dAP"])
    if order is None:
        connector = sim.AllToAllConnector()
    else:
        pairs = [(i, j) for i in range(len(pre_times)) for j in range(N_POST)]
        connector = sim.FromListConnector([pairs[k] for k in order])
    plastic = sim.Projection(pre, cells, connector, synapse, label=LABEL)
    for receptor, weight, times in (
        ("excitatory", w_drive, post_times or trains(rng, N_POST, 18, gap=6.0)),
        ("dendritic", w_dap, trains(rng, N_POST, 7, gap=30.0)),
    ):
        if not weight:
            continue
        source = sim.Population(N_POST, sim.SpikeSourceArray(spike_times=times))
        sim.Projection(
            source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight),
            receptor_type=receptor,
        )  # fmt: skip
    return Network(pre, cells, plastic)


def recorded(net):
    """Spikes and onsets of dAPs of each cell."""
    segment = net.cells.get_data().segments[-1]
    spikes = [train.magnitude.tolist() for train in segment.spiketrains]
    (events,) = segment.events
    index, times = events.array_annotations["source_index"], events.times.magnitude
    return spikes, [times[index == k].tolist() for k in range(N_POST)]


def used_lsb():
    """Weights of the first projection that the engine uses now."""
    state = sim.simulator.state
    engine, mapping = state._engine, state.mapping
    charge = np.empty(engine._order.size)
    charge[engine._order] = engine._network.charge
    lsb = charge / mapping.circuits.gain_exc[mapping.synapses.target]
    return lsb[: len(state.projections[0])]


def used_weights():
    """The same in nA."""
    low, high = sim.check().projections[0].lsb_per_unit
    assert low == high
    return used_lsb() / low


def twins(net, synapse, until=UNTIL, permanence=0.0, sensors=None, jumps=(), **options):
    """One result for each synapse, from the recorded spikes.

    `jumps`: what is set between runs, (time, values of all synapses, with the floor).
    """
    spikes, daps = recorded(net)
    pre_times = [list(np.asarray(t.value)) for t in net.pre.get("spike_times", simplify=False)]
    pre, post = net.plastic.addresses()
    permanence = np.broadcast_to(permanence, len(pre))
    found = []
    for k, (i, j) in enumerate(zip(pre, post, strict=True)):
        found.append(simulate(
            synapse, [t for t in pre_times[i] if t <= until], spikes[j], daps[j], tau_h=TAU_H[j],
            key=noise_key(SEED, LABEL), index=k, n=len(pre), permanence=float(permanence[k]),
            until=until, sensor=sensors[k] if sensors else None,
            jumps=[(time, float(values[k]), floor) for time, values, floor in jumps],
            **{"period": PERIOD} | options,
        ))  # fmt: skip
    return found


def assert_equal(net, expected, used=True):
    devices = net.plastic.devices
    for name in ("permanence", "weight", "n_events", "n_spikes"):
        (values,) = net.plastic.read(name)
        exact = [getattr(result, name) for result in expected]
        np.testing.assert_allclose(values, exact, rtol=1e-9, atol=1e-9, err_msg=name)
    for name in ("n_set", "n_reset"):
        assert getattr(devices, name).tolist() == [getattr(result, name) for result in expected]
    if used:
        exact = [result.used_weight for result in expected]
        np.testing.assert_allclose(used_weights(), exact, rtol=1e-9, atol=1e-12)


@pytest.fixture
def observed(monkeypatch):
    """All that devices were told."""
    told = []
    update = PlasticDevices.update

    def note(self, what, now_ms):
        told.append(what)
        update(self, what, now_ms)

    monkeypatch.setattr(PlasticDevices, "update", note)
    return told


# ---- exact chips: a twin in plain Python -------------------------------------------------------

DEVICES = {
    "ideal": Memristor(),
    "on_off": Memristor(on_off_ratio=8.0),
    "spread": Memristor(on_off_ratio=8.0, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.2,
                        sigma_d2d_gain=0.1),
    "levels": Memristor(n_levels=16),
    "write noise": Memristor(sigma_c2c=0.03, on_off_ratio=10.0),
    "apparent": Memristor(sigma_write=0.01),
    "pre_spike": Memristor(sigma_c2c=0.01, c2c_event="pre_spike"),
    "read noise": Memristor(sigma_read=0.02, sigma_flicker=0.02, on_off_ratio=4.0),
    "drift": Memristor(drift_nu=0.1, sigma_drift_nu=0.02, drift_t0_s=0.05),
    "endurance": Memristor(endurance=2.0, endurance_shape=1.5),
    "pulses": Memristor(update=Update(law="linear", step_up=0.02, step_down=0.01, slope_up=0.7),
                        sigma_c2c_step=0.3, sigma_d2d_step=0.2, sigma_d2d_asymmetry=0.1),
    "worn pulses": Memristor(update=Update(law="power", step_up=0.05, step_down=0.05,
                                           exponent_up=1.5), endurance=8.0),
    "stuck": Memristor(on_off_ratio=5.0, stuck_on=0.2, stuck_off=0.2, stuck_random=0.2),
    "all": Memristor(on_off_ratio=6.0, n_levels=12, sigma_c2c=0.02, sigma_d2d_g_max=0.1,
                     sigma_write=0.01, sigma_read=0.02, drift_nu=0.05, c2c_event="pre_spike",
                     endurance=40.0),
}  # fmt: skip


def initial(synapse):
    """Permanences, half of them 0, and on levels."""
    values = np.where(np.arange(N) % 2, 0.0, np.linspace(0.1, 0.6, N))
    steps = (synapse.device.n_levels or 1001) - 1
    return np.round(values * steps) / steps * synapse.p_max


@pytest.mark.parametrize("pre_trace", [True, False])
@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@pytest.mark.parametrize("kind", ["analog", "binary"])
def test_twin(kind, device, pre_trace):
    begin()
    make, rule = {
        "analog": (sim.MemristiveSTDP, ANALOG), "binary": (sim.MemristiveStructuralSTDP, BINARY),
    }[kind]  # fmt: skip
    synapse = make(**rule, device=device, pre_trace=pre_trace)
    permanence = initial(synapse)
    net = network(synapse)
    net.plastic.initialize(permanence=permanence.tolist())
    sim.run(UNTIL)
    expected = twins(net, synapse, permanence=permanence)
    assert_equal(net, expected)
    changed = [result.n_events for result in expected]
    assert sum(changed) > (N if device.endurance == np.inf else 0)
    assert len({round(result.permanence, 6) for result in expected}) > 1


def test_merged_circuits():
    begin(merge=2)
    synapse = sim.MemristiveSTDP(**ANALOG, device=DEVICES["spread"])
    net = network(synapse)
    sim.run(UNTIL)
    assert_equal(net, twins(net, synapse))


def test_the_twin_sees_all_branches():
    """Potentiation, depression, both clips, pairs in and out of the window."""
    begin()
    synapse = sim.MemristiveSTDP(**ANALOG)
    net = network(synapse)
    history = []
    for _ in range(5):
        sim.run(PERIOD)
        history.append(net.plastic.read("permanence")[0])
    steps = np.diff(history, axis=0)
    assert (steps > 0).any() and (steps < 0).any() and (np.array(history) == 0.0).any()


@pytest.mark.parametrize("pieces", [
    [500.0],
    [100.0] * 5,
    [250.0, 250.0],
    [33.3, 66.7, 99.9, 0.1, 120.0, 180.0],
    [499.9, 0.1],
])  # fmt: skip
def test_pieces(pieces):
    begin()
    device = Memristor(sigma_read=0.02, sigma_flicker=0.02, drift_nu=0.1, drift_t0_s=0.05)
    synapse = sim.MemristiveSTDP(**ANALOG, device=device)
    net = network(synapse)
    for piece in pieces:
        sim.run(piece)
    assert sim.get_current_time() == pytest.approx(UNTIL)
    assert_equal(net, twins(net, synapse))


def test_a_run_that_ends_on_an_execution_executes_once():
    found = []
    for pieces in ([200.0], [199.9, 0.1], [200.1]):
        begin()
        net = network(sim.MemristiveSTDP(**ANALOG, device=Memristor(sigma_read=0.02)))
        for piece in pieces:
            sim.run(piece)
        processor = sim.simulator.state._processor
        found.append((processor._z.tolist(), net.plastic.devices._n_reads, used_weights().tolist()))
    assert found[0] == found[1] == found[2]
    assert found[0][1] == 2


def test_no_execution_before_the_first_period():
    begin()
    synapse = sim.MemristiveSTDP(**ANALOG, permanence=0.25)
    net = network(synapse)
    sim.run(PERIOD - 0.1)
    assert_equal(net, twins(net, synapse, until=PERIOD - 0.1, permanence=0.25), used=False)
    assert net.plastic.read("n_events")[0].sum() == 0
    np.testing.assert_allclose(used_weights(), 0.25 * ANALOG["w_max"])
    sim.run(0.1)
    assert net.plastic.read("n_spikes")[0].sum() > 0


def test_a_postsynaptic_spike_at_the_end_of_a_period():
    synapse = dict(ANALOG, dt_min=0.5)
    pre = [[10.0, 40.0]] * N_PRE
    post = [[14.0, 60.0]] * N_POST
    begin(plasticity_period=500.0)
    net = network(sim.MemristiveSTDP(**synapse), pre, post_times=post)
    sim.run(90.0)
    spikes, _ = recorded(net)
    time = spikes[0][0]
    begin(plasticity_period=time)
    made = sim.MemristiveSTDP(**synapse)
    net = network(made, pre, post_times=post)
    sim.run(time)
    assert recorded(net)[0][0] == [time]
    expected = twins(net, made, until=time, period=time)
    assert_equal(net, expected)
    # The pair belongs to the period that ends.
    assert expected[0].permanence > 0.1
    sim.run(time)
    assert_equal(net, twins(net, made, until=2 * time, period=time))


def test_coincident_spikes_are_no_pair():
    begin()
    pre, post = [[10.0]] * N_PRE, [[14.0]] * N_POST
    net = network(sim.MemristiveSTDP(**ANALOG), pre, post_times=post, w_drive=5.0)
    sim.run(90.0)
    (time,) = recorded(net)[0][0]
    begin()
    synapse = sim.MemristiveSTDP(**ANALOG | {"dt_min": 0.0, "permanence": 0.3})
    net = network(synapse, [[time]] * N_PRE, post_times=post, w_drive=5.0)
    net.plastic.initialize(permanence=0.0)
    net.plastic.set(permanence=0.3)
    sim.run(PERIOD)
    assert recorded(net)[0][0] == [time]
    (permanence,) = net.plastic.read("permanence")
    np.testing.assert_allclose(permanence, 0.3 - RULE["lambda_minus"])


@pytest.mark.parametrize("distance, kept", [(1.0, False), (3.0, True), (44.0, True), (61.0, False)])
def test_window(distance, kept):
    """One pair: potentiated where dt_min < dt < dt_max."""
    begin()
    post = [[65.0]] * N_POST
    net = network(sim.MemristiveSTDP(**ANALOG), [[10.0]] * N_PRE, post_times=post, w_drive=5.0)
    sim.run(90.0)
    (time,) = recorded(net)[0][0]
    begin()
    rule = ANALOG | {"lambda_h": 0.0, "lambda_minus": 0.0}
    pre = [[round((time - distance) / GRID) * GRID]] * N_PRE
    net = network(sim.MemristiveSTDP(**rule), pre, post_times=post, w_drive=5.0)
    sim.run(PERIOD)
    dt = time - pre[0][0]
    expected = RULE["lambda_plus"] * np.exp(-dt / RULE["tau_plus"]) if kept else 0.0
    np.testing.assert_allclose(net.plastic.read("permanence")[0][0], expected, rtol=1e-9)


def test_trace_of_daps(observed):
    """Of each dAP tau_h/T (1 - exp(-T/tau_h)) is left at the end of its period, of a mean one."""
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG))
    sim.run(UNTIL + 0.1)
    spikes, daps = recorded(net)
    assert len(observed) == 5
    largest = 0.0
    for k, tau in enumerate(TAU_H):
        z = 0.0
        for number, what in enumerate(observed):
            begins, ends = number * PERIOD, (number + 1) * PERIOD
            n, n_post = (sum(begins < t <= ends for t in times) for times in (daps[k], spikes[k]))
            # The mean over onsets anywhere in the period.
            onsets = np.linspace(0.0, PERIOD, 100_001)
            z = z * np.exp(-PERIOD / tau) + n * np.mean(np.exp(-onsets / tau))
            at_spikes = z + 0.5 * min(n / max(n_post, 1), 1.0)
            assert what.z[k] == pytest.approx(at_spikes, rel=2e-5)
            largest = max(largest, z)
    assert largest > 1.0


def test_values_between_runs():
    begin()
    synapse = sim.MemristiveSTDP(**ANALOG)
    net = network(synapse)
    jumps = []
    sim.run(150.0)
    values = np.linspace(0.1, 0.8, N)
    net.plastic.set(permanence=values.tolist())
    np.testing.assert_allclose(net.plastic.read("permanence")[0], values)
    jumps.append((150.0, values, False))
    sim.run(100.0)
    net.plastic.initialize(permanence=0.3)
    jumps.append((250.0, np.full(N, 0.3), True))
    sim.run(250.0)
    for k, result in enumerate(twins(net, synapse, jumps=jumps)):
        assert net.plastic.read_one(k, "permanence") == pytest.approx(result.permanence, abs=1e-9)
        assert net.plastic.read_one(k, "n_events") == result.n_events
        assert net.plastic.read_one(k, "permanence_min") == 0.3
    np.testing.assert_allclose(used_weights(), net.plastic.read("weight")[0], rtol=1e-9)


def test_a_value_set_is_used_at_once():
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG))
    sim.run(10.0)
    assert (used_weights() == 0.0).all()
    net.plastic.set(permanence=0.5)
    sim.run(0.1)
    np.testing.assert_allclose(used_weights(), 0.5 * ANALOG["w_max"])


def test_a_floor_is_not_crossed():
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG, permanence=0.3))
    sim.run(UNTIL)
    (values,) = net.plastic.read("permanence")
    assert (values >= 0.3).all() and (values > 0.3).any()
    with pytest.raises(Exception, match="permanence=0.2, need values in 0.3"):
        net.plastic.set(permanence=0.2)


def test_reset():
    begin()
    device = Memristor(sigma_c2c=0.05, sigma_read=0.02, endurance=10.0, drift_nu=0.05)
    net = network(sim.MemristiveSTDP(**ANALOG, device=device, permanence=0.1))
    found = []
    for _ in range(2):
        np.testing.assert_allclose(net.plastic.read("permanence")[0], 0.1)
        assert all(net.plastic.read(name)[0].sum() == 0 for name in ("n_events", "n_set"))
        sim.run(UNTIL)
        found.append([net.plastic.read(name)[0].tolist() for name in ("permanence", "n_events")])
        found[-1].append(used_weights().tolist())
        sim.reset()
    assert found[0] == found[1]
    assert max(found[0][0]) > 0.2
    net.plastic.set(permanence=0.4)
    sim.run(UNTIL)
    sim.reset()
    # What is set is the initial state from then on, but not the floor.
    for values, name in ((0.4, "permanence"), (0.1, "permanence_min")):
        np.testing.assert_allclose(net.plastic.read(name)[0], values)
    net.plastic.initialize(permanence=0.3)
    sim.run(UNTIL)
    sim.reset()
    for name in ("permanence", "permanence_min"):
        np.testing.assert_allclose(net.plastic.read(name)[0], 0.3)


def test_reset_right_after_an_execution():
    """Nothing of the sensors, counters and traces is left."""
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG))
    found = []
    for first in (UNTIL, 300.0, 120.0):
        sim.run(first)
        sim.reset()
        sim.run(200.0)
        found.append(net.plastic.read("permanence")[0].tolist())
        sim.reset()
    assert found[0] == found[1] == found[2]


def test_reading():
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG, device=Memristor(on_off_ratio=5.0)))
    sim.run(UNTIL)
    weight, permanence = net.plastic.read("weight", "permanence")
    np.testing.assert_allclose(weight, ANALOG["w_max"] * (0.2 + 0.8 * permanence), rtol=1e-12)
    array = net.plastic.get("weight", format="array")
    np.testing.assert_array_equal(array.ravel(), weight)
    rows = net.plastic.get(["weight", "permanence", "n_events"], format="list")
    assert [row[:2] for row in rows] == [(i, j) for i in range(N_PRE) for j in range(N_POST)]
    np.testing.assert_array_equal([row[2] for row in rows], weight)
    np.testing.assert_array_equal([row[3] for row in rows], permanence)
    assert net.plastic.get("w_max", format="array")[0, 0] == ANALOG["w_max"]
    with pytest.raises(ValueError, match="n_set is not counted for this device"):
        net.plastic.get("n_set", format="array")
    with pytest.raises(Exception, match="w_max cannot be changed"):
        net.plastic.set(w_max=0.1)


def test_potentials_follow_the_weights():
    """The response of a soma to a plastic synapse is that to a static one of the weight read."""
    rule = ANALOG | {"w_max": 0.08, "lambda_plus": 0.6}
    begin()
    pre = [[10.0, 450.0]]
    net = network(sim.MemristiveSTDP(**rule), pre, post_times=[[14.0], [20.0]], w_dap=0.0)
    net.cells.record("v")
    sim.run(UNTIL - 60.0)
    weights = net.plastic.read("weight")[0]
    sim.run(60.0)
    assert (weights > 0.005).all() and weights[0] != weights[1]
    v = np.asarray(net.cells.get_data("v").segments[0].analogsignals[0])[4490:]
    begin()
    cells = sim.Population(N_POST, sim.IF_curr_exp_dAP(**CELL, tau_h=TAU_H))
    cells.initialize(v=CELL["v_rest"])
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[50.0]))
    sim.Projection(
        source, cells, sim.FromListConnector([(0, j, w) for j, w in enumerate(weights)],
                                             column_names=["weight"]),
        sim.StaticSynapse(), receptor_type="dendritic",
    )  # fmt: skip
    cells.record("v")
    sim.run(100.0)
    alone = np.asarray(cells.get_data("v").segments[0].analogsignals[0])[490:]
    rise = np.ptp(alone, axis=0)
    assert (rise > 0.1).all()
    np.testing.assert_allclose(v[:500], alone[:500], rtol=0, atol=5e-4)


def test_devices_above_the_nominal_maximum_are_not_clipped():
    begin(strict=True)
    device = Memristor(sigma_d2d_g_max=0.3)
    net = network(sim.MemristiveSTDP(**ANALOG, device=device), w_dap=0.0)
    bounds = net.plastic.devices.bounds
    assert bounds.w_max.max() > 1.2 * ANALOG["w_max"]
    sim.run(10.0)
    net.plastic.set(permanence=1.0)
    sim.run(0.1)
    np.testing.assert_allclose(used_weights(), bounds.w_max, rtol=1e-9)
    assert sim.check().projections[0].n_clipped == 0


@pytest.mark.parametrize("device", [Memristor(sigma_write=0.2), Memristor(sigma_read=0.2)])
def test_noise_above_the_maximum_is_not_lost_in_silence(device):
    begin(strict=True)
    net = network(sim.MemristiveSTDP(**ANALOG | {"lambda_minus": 0.0}, device=device), w_dap=0.0)
    sim.run(10.0)
    net.plastic.set(permanence=1.0)
    sim.run(PERIOD - 10.0)
    devices = net.plastic.devices
    devices._n_reads -= 1
    clipped = used_weights() < devices.read(PERIOD) * (1.0 - 1e-9)
    assert not clipped.any() or sim.check().projections[0].n_clipped > 0


def test_weights_that_round_to_nothing_are_reported():
    def build(**options):
        begin(fidelity="emulated", chip=1, **options)
        # The other input of the dendrites sets the scale: 1 LSB is 0.0005 nA.
        return network(sim.MemristiveSTDP(**ANALOG | {"w_max": 0.0002}))

    build()
    sim.run(10.0)
    assert 0.0 < 0.0002 * sim.check().projections[0].lsb_per_unit[0] < 0.5
    assert "'plastic'" in "\n".join(sim.check().changes())
    build(strict=True)
    with pytest.raises(sim.MappingError, match="'plastic'"):
        sim.check()


def test_an_unrelated_change_keeps_the_weights():
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG, device=Memristor(sigma_read=0.1)))
    sim.run(150.0)
    before = used_weights()
    net.cells.set(i_offset=0.001)
    sim.run(0.1)
    np.testing.assert_allclose(used_weights(), before, rtol=1e-9)


def test_tau_h_between_runs():
    found = []
    for late in (False, True):
        begin()
        net = network(sim.MemristiveSTDP(**ANALOG))
        if not late:
            net.cells.set(tau_h=20.0)
        sim.run(0.1)
        if late:
            net.cells.set(tau_h=20.0)
        sim.run(UNTIL - 0.1)
        found.append(net.plastic.read("permanence")[0])
    np.testing.assert_allclose(found[0], found[1])


def test_recurrent_projections():
    begin()
    rng = np.random.default_rng(8)
    cells = sim.Population(4, sim.IF_curr_exp_dAP(**CELL, tau_h=100.0))
    cells.initialize(v=CELL["v_rest"])
    cells.record(["spikes", "dAP"])
    synapse = sim.MemristiveStructuralSTDP(**BINARY | {"w_max": 0.02})
    plastic = sim.Projection(
        cells, cells, sim.AllToAllConnector(allow_self_connections=False), synapse, label=LABEL
    )
    source = sim.Population(4, sim.SpikeSourceArray(spike_times=trains(rng, 4, 20, gap=6.0)))
    sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=9.0))
    sim.run(UNTIL)
    segment = cells.get_data().segments[0]
    spikes = [train.magnitude.tolist() for train in segment.spiketrains]
    index = segment.events[0].array_annotations["source_index"]
    daps = [segment.events[0].times.magnitude[index == k].tolist() for k in range(4)]
    for k, (i, j) in enumerate(zip(*plastic.addresses(), strict=True)):
        result = simulate(
            synapse, spikes[i], spikes[j], daps[j], tau_h=100.0, period=PERIOD, until=UNTIL,
            key=noise_key(SEED, LABEL), index=k, n=12, permanence=0.0,
        )  # fmt: skip
        assert plastic.read_one(k, "permanence") == pytest.approx(result.permanence, abs=1e-9)
        assert plastic.read_one(k, "n_events") == result.n_events
    assert (plastic.read("n_events")[0] > 1).sum() > 6


# ---- emulated chips ----------------------------------------------------------------------------


def sensors_of(chip):
    """Of the synapses that measure, by the place of each."""
    (plastic,) = sim.simulator.state.mapping.plastic
    tau = RULE["tau_plus"]
    drawn = SensorParameters.virtual(chip, plastic.sensor, AMPLITUDE, tau)
    return [
        Sensor(tuple(drawn.amplitude[:, k]), tuple(drawn.tau_us[:, k]))
        for k in range(plastic.sensor.size)
    ]


@pytest.mark.parametrize("chip", [1, 2])
@pytest.mark.parametrize("device", ["ideal", "spread", "pulses"])
def test_emulated_twin(chip, device, observed):
    begin(fidelity="emulated", chip=chip)
    synapse = sim.MemristiveSTDP(**ANALOG | {"w_max": 0.1}, device=DEVICES[device])
    net = network(synapse)
    sim.run(UNTIL)
    expected = twins(net, synapse, sensors=sensors_of(chip), integers=True)
    assert_equal(net, expected, used=False)
    assert {result.permanence for result in expected} != {0.0}
    for what in observed:
        for readings in (AMPLITUDE * what.causal, AMPLITUDE * what.acausal):
            np.testing.assert_array_equal(readings, np.rint(readings))
            assert readings.min() >= 0 and readings.max() <= 255
    # Weights are whole LSB.
    lsb = used_lsb()
    np.testing.assert_allclose(lsb, np.rint(lsb), rtol=0, atol=1e-9)
    scale = sim.check().projections[0].lsb_per_unit[0]
    wanted = np.array([result.used_weight for result in expected]) * scale
    np.testing.assert_array_equal(np.rint(lsb), np.rint(wanted))
    assert lsb.max() > 5


def test_counters_and_sensors_saturate(observed):
    begin(fidelity="emulated", chip=1)
    dense = [(1.0 + 0.24 * np.arange(300)).round(3).tolist()] * N_PRE
    net = network(sim.MemristiveSTDP(**ANALOG), dense)
    sim.run(PERIOD + 0.1)
    (what,) = observed
    assert what.n_pre.tolist() == [255] * N
    assert net.plastic.read("n_spikes")[0].tolist() == [255.0] * N
    assert (AMPLITUDE * what.acausal).max() == 255
    begin()
    network(sim.MemristiveSTDP(**ANALOG), dense)
    sim.run(PERIOD + 0.1)
    assert observed[-1].n_pre.tolist() == [300] * N
    assert AMPLITUDE * observed[-1].acausal.max() > 255


def place_of_sensors(chip, n_pre, extra):
    begin(fidelity="emulated", chip=chip)
    if extra:
        other = sim.Population(3, sim.SpikeSourceArray(), label="other")
    net = network(sim.MemristiveSTDP(**ANALOG), n_pre=n_pre)
    if extra:
        sim.Projection(other, net.cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    sim.run(0.1)
    (plastic,) = sim.simulator.state.mapping.plastic
    (sensors,) = sim.simulator.state._processor._sensors
    p = sensors._parameters
    values = np.concatenate([p.amplitude, p.tau_us]).T
    return {int(s): v.tolist() for s, v in zip(plastic.sensor, values, strict=True)}


def test_mismatch_of_sensors_belongs_to_synapses():
    one, again = place_of_sensors(1, 4, False), place_of_sensors(1, 4, False)
    other_network, other_chip = place_of_sensors(1, 7, True), place_of_sensors(2, 4, False)
    assert one == again
    common = one.keys() & other_network.keys()
    assert common
    assert all(one[synapse] == other_network[synapse] for synapse in common)
    assert one.keys() == other_chip.keys()
    assert all(one[synapse] != other_chip[synapse] for synapse in one)
    # No two connections share a sensor.
    assert len(one) == N
    assert len({tuple(v) for v in one.values()}) == N


@pytest.mark.parametrize("fidelity", ["ideal", "emulated"])
@pytest.mark.parametrize("tau, used", [(1.5, 2.0), (40.0, 30.0), (2.0, 2.0), (30.0, 30.0)])
def test_tau_plus_out_of_range(tau, used, fidelity, observed):
    def build(**options):
        begin(fidelity=fidelity, chip=1, **options)
        return network(sim.MemristiveSTDP(**ANALOG | {"tau_plus": tau}))

    build()
    sim.run(PERIOD)
    assert observed[0].tau_ms == used
    (clipped,) = [c for p in sim.check().projections for c in p.clipped] or [None]
    if used == tau:
        assert clipped is None
        return
    assert (clipped.parameter, clipped.n, clipped.asked) == ("tau_plus", N, (tau, tau))
    assert clipped.limits == (2.0, 30.0)
    assert f"Projection 'plastic': tau_plus of {N} " in "\n".join(sim.check().changes())
    build(strict=True)
    with pytest.raises(sim.MappingError, match=rf"'plastic': tau_plus of {N} .*{tau:g} ms, clipped "
                       "to 2 ... 30 ms"):  # fmt: skip
        sim.check()


def test_the_report_has_the_period_and_all_synapses():
    begin()
    network(sim.MemristiveSTDP(**ANALOG))
    report = sim.check()
    plastic, *others = report.projections
    assert plastic.period_ms == PERIOD
    assert [other.period_ms for other in others] == [None, None]
    # Each has a sensor.
    assert (plastic.n, plastic.n_synapses) == (N, 2 * N)
    assert str(report).count("devices read every 100 ms") == 1


def test_one_time_constant_of_all_sensors():
    def build(first, second):
        begin()
        net = network(sim.MemristiveSTDP(**ANALOG | {"tau_plus": first}))
        sim.Projection(
            net.pre, net.cells, sim.AllToAllConnector(),
            sim.MemristiveSTDP(**ANALOG | {"tau_plus": second}), label="second",
        )  # fmt: skip
        return sim.check()

    with pytest.raises(sim.MappingError, match="tau_plus of plastic projections "
                       r"\('plastic' 15 ms, 'second' 20 ms\), need one"):  # fmt: skip
        build(15.0, 20.0)
    assert len(build(20.0, 20.0).projections) == 4
    # What is clipped to the same is the same.
    build(31.0, 40.0)
    with pytest.raises(sim.MappingError, match=r"\('plastic' 50 ms, 'second' 20 ms\)"):
        build(50.0, 20.0)


def fan_in(n_plastic, n_static=0, merge=1):
    begin(merge=merge)
    cells = sim.Population(2, sim.IF_curr_exp_dAP(**CELL, tau_h=440.0), label="cells")
    pre = sim.Population(n_plastic, sim.SpikeSourceArray())
    sim.Projection(pre, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(**ANALOG))
    if n_static:
        other = sim.Population(n_static, sim.SpikeSourceArray())
        sim.Projection(other, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    return sim.check()


def test_fan_in_counts_sensors():
    assert fan_in(256).largest_fan_in == 256
    assert fan_in(200, 56).largest_fan_in == 256
    with pytest.raises(sim.MappingError, match=r"Population 'cells': 2 cells have more synapses "
                       r"than the 256 of 1 circuit\(s\); cell 0 needs 257: use fewer connections, "
                       r"or setup\(merge=2\)"):  # fmt: skip
        fan_in(200, 57)
    with pytest.raises(sim.MappingError) as caught:
        fan_in(257)
    assert len(caught.value.problems) == 2
    assert "'cells dendrite': 2 cells" in str(caught.value)
    assert fan_in(257, merge=2).available_fan_in == 512


def test_plasticity_needs_a_dendrite():
    begin()
    pre = sim.Population(1, sim.SpikeSourceArray())
    point = sim.Population(1, sim.IF_curr_exp(), label="point")
    with pytest.raises(Exception, match="population.→point.* are IF_curr_exp; .* IF_curr_exp_dAP"):
        sim.Projection(pre, point, sim.AllToAllConnector(), sim.MemristiveSTDP(**ANALOG))
    cells = sim.Population(1, sim.IF_curr_exp_dAP(**CELL))
    with pytest.raises(Exception, match="receptor_type='excitatory', need 'dendritic'"):
        sim.Projection(pre, cells, sim.AllToAllConnector(), sim.MemristiveSTDP(**ANALOG),
                       receptor_type="excitatory")  # fmt: skip


def test_a_trace_that_does_not_decay(observed):
    begin()
    net = network(sim.MemristiveSTDP(**ANALOG))
    net.cells.set(tau_h=np.inf)
    sim.run(UNTIL + 0.1)
    spikes, daps = recorded(net)
    for k in range(N_POST):
        n, n_post = (sum(t > UNTIL - PERIOD for t in times[k]) for times in (daps, spikes))
        assert observed[-1].z[k] == pytest.approx(len(daps[k]) + 0.5 * min(n / max(n_post, 1), 1.0))


@pytest.mark.parametrize("period", [0.0, 0.004, -1.0, np.inf, np.nan])
def test_periods_out_of_range(period):
    with pytest.raises(ValueError, match="plasticity_period=.*need a finite number of at least"):
        begin(plasticity_period=period)


# ---- properties --------------------------------------------------------------------------------


@st.composite
def histories(draw):
    """What a few synapses observe in some periods."""
    n = draw(st.integers(1, 4))

    def array(strategy):
        return st.lists(strategy, min_size=n, max_size=n).map(np.array)

    sums = array(st.floats(0.0, 120.0))
    counts = array(st.integers(0, 255))
    one = st.builds(
        Observed, sums, sums, counts, counts, array(st.floats(0.0, 30.0)), st.floats(2.0, 30.0)
    )
    floor = draw(array(st.floats(0.0, 1.0)))
    return floor, draw(st.lists(one, min_size=1, max_size=4))


@given(histories(), st.sampled_from(sorted(DEVICES)), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_states_stay_in_their_range(history, name, binary, pre_trace):
    floor, periods = history
    if DEVICES[name].n_levels:
        floor = np.zeros_like(floor)
    make, rule = (sim.MemristiveStructuralSTDP, BINARY) if binary else (sim.MemristiveSTDP, ANALOG)
    synapse = make(**rule, device=DEVICES[name], pre_trace=pre_trace)
    floor = floor * synapse.p_max
    devices = PlasticDevices(synapse, floor, noise_key(1, "property"))
    events = np.zeros(floor.size)
    for number, what in enumerate(periods, 1):
        devices.update(what, number * PERIOD)
        assert (devices.permanence >= floor).all()
        assert (devices.permanence <= synapse.p_max).all()
        assert (devices.n_events >= events).all()
        assert (devices.weights(number * PERIOD) >= 0.0).all()
        events = devices.n_events.copy()
    devices.restart()
    np.testing.assert_array_equal(devices.permanence, floor)


@given(st.permutations(range(N)))
@settings(max_examples=6)
def test_the_order_of_connections_is_irrelevant(order):
    found = []
    for connections in (None, order):
        begin()
        device = Memristor(sigma_c2c=0.03, sigma_d2d_g_max=0.1)
        net = network(sim.MemristiveSTDP(**ANALOG, device=device), order=connections)
        sim.run(250.0)
        found.append(net.plastic.get(["permanence", "weight", "n_events"], format="list"))
    assert found[0] == found[1]
