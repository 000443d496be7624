"""Programmed weights on NEST; what they are: `test_contract`."""

import numpy as np
import pytest
from pyNN import errors

import cosim.backends.nest as sim
from devices import Memristor, noise
from devices.programmed import program_weights

H = 0.1
DRIFTING = Memristor(on_off_ratio=8.0, drift_nu=0.1, drift_t0_s=0.001, sigma_d2d_g_max=0.1)
NOISY = Memristor(on_off_ratio=8.0, drift_nu=0.1, drift_t0_s=0.001, sigma_read=0.2)
STEADY = Memristor(on_off_ratio=8.0, sigma_d2d_g_max=0.1, sigma_c2c=0.05, stuck_off=0.1)
TIMES = np.arange(5.0, 100.0, 7.0)


def connect(device, cell=None, connector=None, receptor_type="excitatory", **options):
    """Connect three sources to four cells; the run's seed is 3, the label 'made'."""
    options = {"weight": 0.5, "delay": 1.5} | options
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=TIMES.tolist()))
    cells = sim.Population(4, cell or sim.IF_curr_exp())
    cells.record("v")
    made = sim.Projection(
        sources, cells, connector or sim.AllToAllConnector(),
        sim.MemristiveSynapse(device=device, **options), receptor_type=receptor_type, label="made",
    )  # fmt: skip
    return cells, made


def weights(made):
    return made.read("weight")[0]


def voltages(cells):
    (v,) = cells.get_data("v").segments[-1].filter(name="v")
    return v.magnitude


def test_weights_that_stay_are_ordinary_static_synapses():
    sim.setup(timestep=H)
    _, made = connect(STEADY)
    assert made.nest_synapse_model == "static_synapse_lbl"
    for device in (DRIFTING, NOISY):
        _, made = connect(device)
        assert made.nest_synapse_model.startswith("programmed_synapse")


def test_a_synapse_takes_less_than_a_cache_line():
    sim.setup(timestep=H)
    _, made = connect(NOISY, mapping="single")
    status = sim.nest.GetConnections(synapse_model=made.nest_synapse_model).get()
    assert set(status["sizeof"]) == {48}


@pytest.mark.parametrize("device", [STEADY, DRIFTING])
@pytest.mark.parametrize(
    "connector",
    [
        lambda: sim.OneToOneConnector(),
        lambda: sim.FixedProbabilityConnector(0.6),
        lambda: sim.FromListConnector(
            [(2, 3, 0.4, 1.0), (0, 1, 0.1, 2.0), (2, 3, 0.2, 3.0), (0, 0, 0.3, 2.5)],
            column_names=["weight", "delay"],
        ),
        lambda: sim.FixedTotalNumberConnector(20),
    ],
)
def test_any_connector(device, connector):
    """A device is known by its place, sorted by (pre, post); of a pair of cells, as given."""
    sim.setup(timestep=H, rng_seed=3)
    _, wanted = connect(Memristor(), connector=connector(), weight=0.25)
    given, delay = wanted.read("weight", "delay")
    sim.setup(timestep=H, rng_seed=3)
    _, made = connect(device, connector=connector(), weight=0.25)
    expected = program_weights(given, device, noise.noise_key(3, "made")).weights()
    np.testing.assert_allclose(weights(made), expected, rtol=1e-12)
    np.testing.assert_array_equal(made.read("delay")[0], delay)
    sim.run(10.0)  # NEST sorts its synapses
    if device is STEADY:
        np.testing.assert_allclose(weights(made), expected, rtol=1e-12)
    one = made[len(made) - 1]
    assert one.weight == weights(made)[-1]


@pytest.mark.parametrize(
    ("cell", "receptor_type", "weight"),
    [
        ("IF_cond_exp", "excitatory", 0.01),
        ("IF_cond_exp", "inhibitory", 0.01),
        ("IF_curr_alpha", "inhibitory", -0.5),
        ("IF_curr_exp_dAP", "dendritic", 0.02),
        ("IF_curr_exp_dAP", "inhibitory", -0.02),
        ("EIF_cond_exp_isfa_ista", "excitatory", 0.01),
    ],
)
def test_any_receptor(cell, receptor_type, weight):
    """A device that hardly drifts acts as a static synapse of its weight."""
    found = []
    for device in (Memristor(on_off_ratio=8.0), Memristor(on_off_ratio=8.0, drift_nu=1e-15)):
        sim.setup(timestep=H)
        cells, made = connect(
            device, getattr(sim, cell)(), receptor_type=receptor_type, weight=weight
        )
        sim.run(100.0)
        np.testing.assert_allclose(weights(made), weight, rtol=1e-9)
        found.append(voltages(cells))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-9)
    assert np.ptp(found[0]) > 0.01


def test_number_of_threads_does_not_matter():
    found = []
    for threads in (1, 3):
        sim.setup(timestep=H, rng_seed=3, threads=threads)
        cells, made = connect(NOISY)
        sim.run(100.0)
        found.append(np.append(voltages(cells).ravel(), weights(made)))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Full reset functionality")
def test_reset_goes_back_to_young_devices():
    sim.setup(timestep=H, rng_seed=3, t_flush=200.0)
    cells, made = connect(NOISY)
    before = weights(made)
    sim.run(100.0)
    first, after = voltages(cells), weights(made)
    assert (after < before).all()
    sim.reset()
    np.testing.assert_array_equal(weights(made), before)
    sim.run(100.0)
    np.testing.assert_allclose(voltages(cells), first, rtol=1e-6)
    np.testing.assert_allclose(weights(made), after, rtol=1e-12)


@pytest.mark.parametrize("device", [STEADY, DRIFTING])
def test_weights_cannot_be_set_but_delays(device):
    sim.setup(timestep=H)
    _, made = connect(device)
    before = weights(made)
    changes = (
        lambda: made.set(weight=0.1),
        lambda: made.initialize(weight=0.1),
        lambda: setattr(made[1], "weight", 0.1),
    )
    for change in changes:
        with pytest.raises(errors.InvalidParameterValueError, match="weight.*new projection"):
            change()
    np.testing.assert_array_equal(weights(made), before)
    made.set(delay=2.5)
    np.testing.assert_array_equal(made.read("delay")[0], 2.5)


@pytest.mark.parametrize(
    ("cell", "options", "match"),
    [
        ("IF_cond_exp", {"weight": -0.1}, "'made': weight=-0.1, need weights >= 0"),
        ("IF_cond_exp", {"mapping": "offset"}, "mapping='offset', need 'single'"),
    ],
)
def test_negative_conductances_are_refused(cell, options, match):
    sim.setup(timestep=H)
    with pytest.raises(errors.ConnectionError, match=match):
        connect(STEADY, getattr(sim, cell)(), **options)


@pytest.mark.parametrize("options", [{"weight": -0.1}, {"mapping": "differential"}])
def test_weights_of_the_other_sign_need_equal_receptors(options):
    """NEST's cells take negative weights as inhibitory."""
    sim.setup(timestep=H)
    with pytest.raises(errors.ConnectionError, match="tau_syn_E=2, tau_syn_I=3"):
        connect(STEADY, sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=3.0), **options)
    connect(STEADY, sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=2.0), **options)
    connect(STEADY, sim.IF_curr_exp_dAP(tau_syn_E=2.0, tau_syn_I=3.0), **options)
    connect(STEADY, sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=3.0))


def test_what_became_of_the_devices_is_told():
    sim.setup(timestep=H, rng_seed=3)
    _, made = connect(Memristor(on_off_ratio=8.0, stuck_off=0.5), weight=0.01, w_max=1.0)
    assert made.programmed.n_clipped == len(made)
    assert made.programmed.bounds.stuck_off.any()
