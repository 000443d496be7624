# ruff: noqa: I001  (pyNN.nest is noisy unless cosim imports it first)
"""Programmed weights: the same currents as of static synapses, as of `devices` and as on NEST."""

import brian2
import numpy as np
import pytest

import cosim.backends.brian2 as sim
import cosim.backends.brian2_standalone as standalone
import cosim.backends.nest as nest_sim
from devices import Memristor, Update, noise
from devices.mapping import MAPPINGS
from devices.programmed import program_weights

H, SEED, LABEL = 0.1, 9, "w"
N_PRE, N_POST, DURATION = 5, 4, 60.0
FIXED = dict(
    on_off_ratio=10.0, n_levels=32, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.2, stuck_off=0.1,
    update=Update(law="power", step_up=0.02, step_down=0.02, exponent_up=0.5, exponent_down=0.5),
    sigma_c2c=0.005, sigma_write=0.02,
)  # fmt: skip
DEVICES = {
    "fixed": Memristor(**FIXED),
    "read noise": Memristor(**FIXED, sigma_read=0.2, sigma_flicker=0.1),
    "drift": Memristor(**FIXED, drift_nu=0.1, sigma_drift_nu=0.03, drift_t0_s=0.004),
    "both": Memristor(**FIXED, sigma_read=0.2, drift_nu=0.1, drift_t0_s=0.004),
}


def wanted_weights():
    return np.random.default_rng(1).uniform(-1.0, 1.0, (N_PRE, N_POST))


def spike_times():
    """Return times of which several are under way at once: delays are up to 3 ms."""
    rng = np.random.default_rng(2)
    return [np.sort(rng.choice(np.arange(1.0, 58.0, 0.7), 30, replace=False)) for _ in range(5)]


def memristive(sim, device, **options):
    return lambda weight, delay: sim.MemristiveSynapse(
        weight=weight, delay=delay, device=device, **options
    )


def network(sim, synapse, *, unit=None, cell=None, receptor="excitatory"):
    """Connect sources to cells of one or more types; with a unit all weights have its sign."""
    sim.setup(timestep=H, rng_seed=SEED)
    sources = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=spike_times()))
    cells = sim.Population(
        N_POST, cell or sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=2.0, v_thresh=1e3)
    )
    cells.record("v")
    delay = np.random.default_rng(3).integers(1, 31, (N_PRE, N_POST)) * H
    weight = wanted_weights() if unit is None else unit * abs(wanted_weights())
    projection = sim.Projection(
        sources, cells, sim.AllToAllConnector(), synapse(weight, delay), receptor_type=receptor,
        label=LABEL,
    )  # fmt: skip
    return cells, projection


def voltages(cells):
    return cells.get_data("v").segments[-1].filter(name="v")[0].magnitude


def simulate(sim, device, **options):
    """Return voltages and the weights at the beginning and the end."""
    cells, projection = network(sim, memristive(sim, device, **options))
    (before,) = projection.read("weight")
    sim.run(DURATION)
    return voltages(cells), before, projection.read("weight")[0]


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


# ---- as on NEST --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mapping"),
    [*(("both", mapping) for mapping in MAPPINGS), *((name, "single") for name in DEVICES)][:-1],
)
def test_as_on_nest(name, mapping):
    found = simulate(sim, DEVICES[name], mapping=mapping)
    assert_same(found, simulate(nest_sim, DEVICES[name], mapping=mapping))
    key = noise.noise_key(SEED, LABEL)
    made = program_weights(wanted_weights().ravel(), DEVICES[name], key, mapping=mapping)
    assert_same(found[1:], [made.weights(), made.weights(DURATION / 1000.0)])
    assert np.ptp(found[0]) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("way", ["cython", "standalone"])
def test_compiled(way, monkeypatch):
    monkeypatch.setitem(brian2.prefs, "codegen.target", "cython")
    for mapping in ("offset", "differential"):
        compiled = standalone if way == "standalone" else sim
        found = simulate(compiled, DEVICES["both"], mapping=mapping)
        assert_same(found, simulate(nest_sim, DEVICES["both"], mapping=mapping))


# ---- any cell and receptor ---------------------------------------------------------------------

TARGETS = {
    "currents": (lambda: sim.IF_curr_exp(v_thresh=1e3), "inhibitory", -1.0),
    "dendrites": (lambda: sim.IF_curr_exp_dAP(theta_dAP=1e3, v_thresh=1e3), "dendritic", 0.1),
    "conductances": (lambda: sim.IF_cond_exp(v_thresh=1e3), "excitatory", 0.01),
    "inhibitory conductances": (lambda: sim.IF_cond_alpha(v_thresh=1e3), "inhibitory", 0.01),
    "voltages": (lambda: sim.IF_curr_delta(v_thresh=1e3), "excitatory", 1.0),
}


# The second kind would change, but not so soon.
CONSTANT = {"fixed": DEVICES["fixed"], "late": Memristor(**FIXED, drift_nu=0.1, drift_t0_s=99.0)}


@pytest.mark.parametrize("device", CONSTANT)
@pytest.mark.parametrize("target", TARGETS)
def test_constant_weights_are_those_of_static_synapses(target, device):
    cell, receptor, unit = TARGETS[target]
    options = dict(unit=unit, cell=cell(), receptor=receptor)
    cells, projection = network(sim, memristive(sim, CONSTANT[device]), **options)
    weights = projection.get("weight", "array")
    sim.run(DURATION)
    found = voltages(cells)
    cells, _ = network(
        sim, lambda _, delay: sim.StaticSynapse(weight=weights, delay=delay), **options
    )
    sim.run(DURATION)
    np.testing.assert_allclose(found, voltages(cells), rtol=1e-12)
    assert np.ptp(found) > 0.01
    assert not np.allclose(weights, unit * abs(wanted_weights()), rtol=0.01)


def test_targets_of_several_types():
    """Each device keeps its number, whatever the targets are."""
    signals = []
    for types in (1, 2):
        sim.setup(timestep=H, rng_seed=SEED)
        sources = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=spike_times()))
        cells = [
            sim.Population(n, sim.IF_curr_exp(tau_syn_I=5.0, v_thresh=1e3))
            for n in [N_POST // types] * types
        ]
        cells = sim.Assembly(*cells)
        synapse = sim.MemristiveSynapse(weight=wanted_weights(), device=DEVICES["both"])
        p = sim.Projection(
            sources, cells, sim.AllToAllConnector(), synapse, receptor_type="excitatory",
            label=LABEL,
        )  # fmt: skip
        cells.record("v")
        sim.run(DURATION)
        data = [part.get_data("v").segments[0].analogsignals[0] for part in cells.populations]
        signals.append((np.hstack([signal.magnitude for signal in data]), *p.read("weight")))
    assert_same(*signals)


# ---- time --------------------------------------------------------------------------------------


def test_going_back_makes_the_devices_new():
    cells, projection = network(sim, memristive(sim, DEVICES["both"]))
    found = []
    for _ in range(2):
        sim.run(20.0)
        found.append((voltages(cells)[:201], *projection.read("weight")))
        sim.reset()
    assert_same(*found)


def test_weights_are_shown_as_of_now():
    """With drift, and without the noise of reading them."""
    cells, projection = network(sim, memristive(sim, DEVICES["both"]))
    made = projection.programmed
    for t in (0.0, 3.0, 30.0):
        sim.run_until(t)
        assert_same(projection.read("weight"), [made.weights(t / 1000.0)])
    assert (abs(made.weights(0.03)) < abs(made.weights())).all()


# ---- what cannot be done -----------------------------------------------------------------------


@pytest.mark.parametrize("name", DEVICES)
def test_weights_are_programmed_once(name):
    _, projection = network(sim, memristive(sim, DEVICES[name]))
    (before,) = projection.read("weight")
    message = f"MemristiveSynapse '{LABEL}': weight cannot be changed .* make a new projection"
    for change in (lambda: projection.set(weight=0.5), lambda: setattr(projection[3], "weight", 1)):
        with pytest.raises(sim.errors.InvalidParameterValueError, match=message):
            change()
    assert_same(projection.read("weight"), [before])
    projection.set(delay=2.0)
    assert set(projection.get("delay", "list", with_address=False)) == {2.0}


def test_conductances_are_not_negative():
    with pytest.raises(sim.errors.ConnectionError, match=f"'{LABEL}': weight=-.*conductance-based"):
        network(sim, memristive(sim, Memristor()), cell=sim.IF_cond_exp())
