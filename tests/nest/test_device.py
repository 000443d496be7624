"""The device in C++, which all simulators use, against `devices.effects`."""

import ctypes
import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cosim.backends.compiling import INCLUDE_DIR, find_compiler
from cosim.backends.device_parameters import pack
from devices import Memristor, Update, effects, noise

KEY = noise.noise_key(3, "probe")
N, N_EVENTS = 60, 200
INDEX = np.arange(N)
ARRAY = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")

LINEAR = Update(law="linear", step_up=0.07, step_down=0.1, slope_up=0.5, slope_down=0.9)
EXPONENTIAL = Update(
    law="exponential", step_up=0.1, step_down=0.08, amplitude_up=0.3, amplitude_down=0.1,
    rate_up=1.2, rate_down=3.0,
)  # fmt: skip
POWER = Update(law="power", step_up=0.2, step_down=0.1, exponent_up=1.5, exponent_down=0.7)
PIECEWISE = Update(
    law="piecewise", step_up=0.1, step_down=0.1, nodes_up=(1.0, 0.4, 0.2), nodes_down=(0.1, 0.9)
)
MEANS = (0.05, 0.2, 0.5, 0.7, 0.95)
STATE = {
    "ideal": Memristor(),
    "uniform levels": Memristor(n_levels=7),
    "geometric levels": Memristor(n_levels=6, level_spacing="geometric", on_off_ratio=20.0),
    "given levels": Memristor(level_means=MEANS),
    "spread of levels": Memristor(level_means=MEANS, level_sigmas=(0.01, 0.02, 0.05, 0.02, 0.0)),
    "c2c": Memristor(sigma_c2c=0.05),
    "c2c at spikes": Memristor(sigma_c2c=0.05, c2c_event="pre_spike"),
    "polynomial": Memristor(on_off_ratio=8.0, c2c_polynomial=(-0.02, 0.1, 0.03)),
    "polynomial at spikes": Memristor(
        on_off_ratio=8.0, sigma_c2c=0.01, c2c_polynomial=(0.0, 0.05), c2c_event="pre_spike"
    ),
    "linear": Memristor(update=LINEAR),
    "exponential": Memristor(update=EXPONENTIAL),
    "power": Memristor(update=POWER),
    "piecewise": Memristor(update=PIECEWISE),
    "noise of pulses": Memristor(update=LINEAR, sigma_c2c=0.01, sigma_c2c_step=0.3),
    "noise of pulses and at spikes": Memristor(
        update=LINEAR, sigma_c2c=0.01, sigma_c2c_step=0.3, c2c_event="pre_spike"
    ),
    "spread of steps": Memristor(update=LINEAR, sigma_d2d_step=0.3),
    "log-normal steps": Memristor(
        update=LINEAR, sigma_d2d_step=0.3, step_distribution="log-normal"
    ),
    "asymmetry": Memristor(update=LINEAR, sigma_d2d_asymmetry=0.5),
    "endurance": Memristor(endurance=80.0, endurance_shape=2.0),
    "endurance of pulses": Memristor(update=EXPONENTIAL, endurance=300.0, endurance_shape=0.8),
    "endurance of noise": Memristor(sigma_c2c=0.02, c2c_event="pre_spike", endurance=50.0),
}  # fmt: skip
STATE["together"] = Memristor(
    on_off_ratio=12.0, update=EXPONENTIAL, level_means=MEANS, level_sigmas=(0.01,) * 5,
    sigma_c2c=0.02, sigma_c2c_step=0.2, c2c_polynomial=(0.01, 0.02), sigma_d2d_step=0.2,
    sigma_d2d_asymmetry=0.1, endurance=400.0, endurance_shape=1.5,
)  # fmt: skip
READING = {
    "ideal": Memristor(),
    "write noise": Memristor(sigma_write=0.2),
    "drift": Memristor(drift_nu=0.05, drift_t0_s=0.5),
    "spread of drift": Memristor(sigma_drift_nu=0.02),
    "read noise": Memristor(sigma_read=0.5),
    "flicker": Memristor(sigma_flicker=0.3),
    "together": dataclasses.replace(
        STATE["together"], sigma_write=0.1, drift_nu=0.05, sigma_drift_nu=0.02, sigma_read=0.1,
        sigma_flicker=0.1,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    library = tmp_path_factory.mktemp("probe") / "probe.so"
    source = Path(__file__).with_name("device_probe.cpp")
    # As Brian2 compiles it; the NEST extension takes a later standard.
    flags = ["-std=c++17", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
    command = [find_compiler(), *flags, f"-I{INCLUDE_DIR}", "-fPIC", "-shared", str(source)]
    subprocess.run([*command, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def history_in_numpy(device, p_max, floor, wanted):
    state, counts = floor.copy(), np.zeros((N, 3), dtype=np.int64)
    states = np.empty((N_EVENTS, N))
    for k in range(N_EVENTS):
        goal = state if k % 5 == 4 else wanted[k]
        made = effects.program(
            device, state, goal, floor, p_max, counts[:, 0], KEY, INDEX, counts[:, 1:].sum(axis=1)
        )
        up = goal > state
        counts += np.stack([made.programmed, up * made.n_writes, ~up * made.n_writes], axis=1)
        made = effects.perturb(
            device, made.state, floor, p_max, counts[:, 0], KEY, INDEX, counts[:, 1:].sum(axis=1)
        )
        state = states[k] = made.state
        counts[:, 0] += made.programmed
    return states, counts


@pytest.mark.parametrize("p_max", [1.0, 20.0])
@pytest.mark.parametrize("name", STATE)
def test_states_over_many_events(probe, name, p_max):
    device = STATE[name].resolved()
    rng = np.random.default_rng(5)
    floor = effects.initial_state(device, p_max * rng.uniform(0.0, 0.2, N), p_max)
    wanted = floor + (p_max - floor) * rng.uniform(size=(N_EVENTS, N))
    states, counts = np.empty((N_EVENTS, N)), np.empty((N, 3))
    probe.probe_history.argtypes = [ARRAY, *[ctypes.c_long] * 2, ctypes.c_double, *[ARRAY] * 4]
    probe.probe_history(pack(device, KEY), N, N_EVENTS, p_max, floor, wanted, states, counts)
    expected, expected_counts = history_in_numpy(device, p_max, floor, wanted)
    np.testing.assert_allclose(states, expected, rtol=1e-12)
    np.testing.assert_array_equal(counts, expected_counts)
    # Something has happened, and where devices wear out, it has ended for some.
    assert (counts[:, 0] > 40).any()
    worn = np.isfinite(device.endurance)
    assert worn == bool((counts[:, 1:].sum(axis=1) >= effects.life(device, KEY, INDEX)).any())


@pytest.mark.parametrize("name", READING)
def test_conductances_and_reads(probe, name):
    device = READING[name].resolved()
    rng = np.random.default_rng(6)
    w_range = rng.uniform(0.5, 2.0, N)
    w = w_range * rng.uniform(size=N)
    age_s = rng.exponential(10.0, N)
    conductances, factors = np.empty(N), np.empty(N)
    probe.probe_reading.argtypes = [ARRAY, ctypes.c_long, *[ARRAY] * 5]
    probe.probe_reading(pack(device, KEY), N, w, w_range, age_s, conductances, factors)
    expected = effects.conductance(device, w, w_range, 3 * INDEX, KEY, INDEX, age_s)
    np.testing.assert_allclose(conductances, expected, rtol=1e-12)
    expected = effects.read_factor(device, 11 * INDEX, KEY, INDEX)
    np.testing.assert_allclose(factors, expected, rtol=1e-12)
    assert (np.ptp(factors) > 0) == bool(device.sigma_read or device.sigma_flicker)
