"""Programmed weights on the chip: devices that are read periodically, weights of whole LSB."""

import numpy as np
import pytest
from pyNN.errors import ConnectionError as PyNNConnectionError

from cosim.backends import backend
from devices import Memristor, WriteVerify, effects, noise
from devices.programmed import program_weights
from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.engine import Engine

sim = backend("hw_targets.brainscales2.mapped")

SEED, PERIOD = 5, 40.0
WEIGHTS = np.array([[0.5, 1.0, 0.0], [0.25, 2.0, 0.125]])
NOISY = Memristor(
    on_off_ratio=8.0, sigma_d2d_g_max=0.1, sigma_write=0.02, sigma_read=0.1, drift_nu=0.1,
    drift_t0_s=0.01,
)  # fmt: skip


@pytest.fixture
def written(monkeypatch):
    """Weights in LSB that the processor writes, one array for each time."""
    found = []
    original = Engine.set_weights

    def spy(engine, weight):
        found.append(np.array(weight))
        original(engine, weight)

    monkeypatch.setattr(Engine, "set_weights", spy)
    return found


def network(weights=WEIGHTS, receptor="excitatory", cell="IF_curr_exp", times=(), **options):
    setup = {"fidelity": "ideal"} | options.pop("setup", {})
    sim.setup(rng_seed=SEED, plasticity_period=PERIOD, quiet=True, **setup)
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=list(times)))
    cells = sim.Population(3, getattr(sim, cell)(tau_refrac=2.0), label="cells")
    made = sim.Projection(
        sources, cells, sim.AllToAllConnector(),
        sim.MemristiveSynapse(weight=weights, delay=1.0, **options), receptor_type=receptor,
        label="programmed",
    )  # fmt: skip
    return cells, made


def reading(device, read, time_ms, **options):
    """Weights in nA of one read of the devices, in plain numpy."""
    made = program_weights(WEIGHTS.ravel(), device, noise.noise_key(SEED, "programmed"), **options)
    g = made.conductances(time_ms / 1000.0)
    g = g * effects.read_factor(device, read, made.key, made.device_index)
    return made.scale * (g @ made.signs) + made.offset


@pytest.mark.parametrize("mapping", ["single", "differential", "offset"])
def test_weights_are_those_of_the_devices(mapping, written):
    device = Memristor(on_off_ratio=8.0, n_levels=8, sigma_c2c=0.02, sigma_d2d_g_max=0.1)
    _, made = network(device=device, mapping=mapping)
    programmed = program_weights(
        WEIGHTS.ravel(), device, noise.noise_key(SEED, "programmed"), mapping=mapping
    )
    np.testing.assert_allclose(made.read("weight")[0], programmed.weights(), rtol=1e-12)
    (report,) = sim.check().projections
    sim.run(3 * PERIOD)
    # Nothing changes, so that nothing has to be read again.
    assert report.period_ms is None
    assert written == []


def test_devices_are_read_each_period(written):
    network(device=NOISY)
    (report,) = sim.check().projections
    assert report.period_ms == PERIOD
    sim.run(2.5 * PERIOD)
    assert len(written) == 2
    for period, weights in enumerate(written, start=1):
        wanted = reading(NOISY, period - 1, period * PERIOD) * report.lsb_per_unit[0]
        np.testing.assert_allclose(weights, wanted, rtol=1e-9)


def test_whole_lsb_and_never_of_the_other_sign(written):
    device = Memristor(sigma_read=1.5)
    network(device=device, mapping="differential", setup={"fidelity": "emulated"})
    (report,) = sim.check().projections
    sim.run(5 * PERIOD)
    for period, weights in enumerate(written, start=1):
        asked = reading(device, period - 1, period * PERIOD, mapping="differential")
        wanted = np.maximum(np.rint(asked * report.lsb_per_unit[0]), 0.0)
        assert (np.array(weights) == np.minimum(wanted, 63 * np.ceil(weights.max() / 63))).all()
    # A factor below 0 is none: the device conducts nothing.
    assert (np.array(written) == 0).any()


@pytest.mark.parametrize("mapping", ["single", "differential", "offset"])
def test_read_noise_has_room_for_three_standard_deviations(mapping, written):
    network(np.ones((2, 3)), device=Memristor(on_off_ratio=10.0, sigma_read=0.1),
            mapping=mapping)  # fmt: skip
    sim.run(40 * PERIOD)
    weights = np.array(written)
    # 0.32 of 240 readings are expected above; more than 3 have a probability of 4e-4. Those that
    # are clipped are equal.
    assert (weights == weights.max()).sum() <= 3


def test_a_weight_stays_within_the_synapses_of_its_connection(written):
    # The other projection sets the scale: 38.76 LSB per nA, and up to 13 rows for a connection.
    cells, made = network(
        np.full((2, 3), 0.735), device=Memristor(sigma_read=0.4), setup={"fidelity": "emulated"}
    )
    sim.Projection(
        made.pre, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=20.0), label="strong"
    )
    report, strong = sim.check().projections
    assert report.n_synapses == report.n < strong.n_synapses
    sim.run(500 * PERIOD)
    highest = np.array(written)[:, : report.n].max()
    assert 0.9 * limits.WEIGHT_MAX < highest <= limits.WEIGHT_MAX


def test_inhibition_drift_and_reset():
    device = Memristor(drift_nu=0.2, drift_t0_s=0.001)
    cells, made = network(-WEIGHTS, "inhibitory", device=device, times=[10.0, 130.0])
    cells.record("v")
    before = made.read("weight")[0]
    used = WEIGHTS.ravel() > 0
    assert (before[used] < 0).all()
    sim.run(180.0)
    drifted = made.read("weight")[0]
    # From 1 ms to 180 ms.
    np.testing.assert_allclose(drifted[used] / before[used], 180.0**-0.2, rtol=1e-9)
    (v,) = cells.get_data().segments[0].analogsignals
    dips = [65.0 + v.magnitude[k : k + 400, 1].min() for k in (100, 1300)]
    # The event at 130 ms has the weight that was read at 120 ms; of the first one 0.3 % is left.
    assert dips[0] < -0.5
    assert dips[1] / dips[0] == pytest.approx(120.0**-0.2, rel=0.01)
    sim.reset()
    np.testing.assert_array_equal(made.read("weight")[0], before)


def test_what_is_impossible_is_refused():
    network(weights=-WEIGHTS)
    with pytest.raises(sim.MappingError, match=r"'programmed': weight=-0.5 .* need >= 0"):
        sim.check()
    with pytest.raises(PyNNConnectionError, match="mapping='differential', need 'single'"):
        network(cell="IF_cond_exp", mapping="differential")


def test_write_and_verify():
    device = Memristor(on_off_ratio=100.0, sigma_c2c=0.05)
    _, made = network(device=device, verify=WriteVerify(tolerance=0.01, max_pulses=1000))
    assert made.programmed.n_failed == 0
    wanted = np.maximum(WEIGHTS.ravel(), 0.02)
    assert np.abs(made.read("weight")[0] - wanted).max() <= 0.01 * 2.0 + 1e-9
