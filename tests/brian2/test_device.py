"""Devices in Brian2's code against `devices.effects`: long histories of every effect."""

import brian2
import numpy as np
import pytest

import cosim.backends.brian2 as runtime
import cosim.backends.brian2_standalone as standalone
from cosim.backends.brian2.device import device_functions
from cosim.backends.brian2.device_code import DeviceCode
from cosim.backends.brian2.synapses import TIME_ZERO
from devices import Memristor, effects, noise
from tests.parity.devices import DEVICES

H = 0.1
N, N_STEPS, P_MAX = 40, 260, 20.0
KEY = noise.noise_key(5, "devices")
INDEX = np.arange(N)
COUNTERS = ("n_events", "n_set", "n_reset")
SUMS = ("sum_permanence", "sum_conductance")
WAYS = ["numpy", *(pytest.param(way, marks=pytest.mark.slow) for way in ("cython", "standalone"))]

# Exact in any language: integers and one division. One time in five nothing is wanted.
_EACH_STEP = """\
wanted = permanence_min + (p_max - permanence_min)*((device*37 + t_in_timesteps*61) % 101)/100.0
pairs = t_in_timesteps % 5 != 4
{program}{perturb}\
conductance = w_min + (w_max - w_min)*(permanence/p_max)
{read}\
n_spikes += 1
sum_permanence += permanence
sum_conductance += conductance
"""


def counts_writes(device: Memristor) -> bool:
    return runtime.MemristiveSTDP(device=device).counts_writes


def bounds(device: Memristor) -> effects.Bounds:
    return effects.sample_bounds(device, 0.02, N, KEY)


def floors(device: Memristor) -> np.ndarray:
    return effects.initial_state(device, P_MAX * (INDEX % 7) / 20.0, P_MAX)


def in_brian2(sim) -> dict[str, dict[str, np.ndarray]]:
    """Program and read 40 devices of each kind at every time step."""
    sim.setup(timestep=H)
    state = sim.simulator.state
    groups = {}
    for number, (name, device) in enumerate(DEVICES.items()):
        code = DeviceCode(device, counts_writes=counts_writes(device))
        group = brian2.NeuronGroup(
            N,
            "\n".join(
                ["p_max : 1 (constant, shared)"]
                + [f"{x} : 1" for x in ("permanence", "permanence_min", "w_min", "w_max")]
                + [f"{x} : integer" for x in ("device", "n_spikes", "last_write", *COUNTERS)]
                + [f"{x} : 1" for x in ("conductance", *SUMS)]
            ),
            namespace=device_functions(device, KEY, f"devices_{number}"),
            clock=state.network.clock,
            name=f"devices_{number}",
        )
        own = bounds(device)
        values = dict(permanence=floors(device), permanence_min=floors(device), device=INDEX)
        values |= dict(w_min=own.w_min, w_max=own.w_max, p_max=P_MAX, last_write=TIME_ZERO)
        for variable, value in values.items():
            setattr(group, variable, value)
        group.run_regularly(
            _EACH_STEP.format(
                program=code.program("pairs"), perturb=code.perturb(), read=code.read()
            ),
            name=f"devices_{number}_step",
        )
        state.network.add(group)
        groups[name] = group
    sim.run(N_STEPS * H)
    state.settle()
    return {
        name: {x: np.array(getattr(group, x)) for x in ("permanence", *SUMS, *COUNTERS)}
        for name, group in groups.items()
    }


def in_numpy(device: Memristor) -> dict[str, np.ndarray]:
    floor, own = floors(device), bounds(device)
    w_range = own.w_max - own.w_min
    state, last_write = floor, np.full(N, TIME_ZERO)
    n_events, n_set, n_reset = np.zeros((3, N), dtype=np.int64)
    sum_permanence, sum_conductance = np.zeros((2, N))
    for k in range(N_STEPS):
        wanted = floor + (P_MAX - floor) * ((INDEX * 37 + k * 61) % 101) / 100.0
        wanted = wanted if k % 5 != 4 else state
        now = (n_events, KEY, INDEX, n_set + n_reset)
        made = effects.program(device, state, wanted, floor, P_MAX, *now)
        n_events = n_events + made.programmed
        n_set = n_set + np.where(wanted > state, made.n_writes, 0)
        n_reset = n_reset + np.where(wanted < state, made.n_writes, 0)
        last_write = np.where(made.n_writes > 0, k, last_write)
        now = (n_events, KEY, INDEX, n_set + n_reset)
        state, perturbed, _ = effects.perturb(device, made.state, floor, P_MAX, *now)
        n_events = n_events + perturbed
        w = own.w_min + w_range * (state / P_MAX)
        age_s = (k - last_write) * H / 1000.0
        w = effects.conductance(device, w, w_range, n_events, KEY, INDEX, age_s)
        sum_permanence += state
        sum_conductance += w * effects.read_factor(device, k, KEY, INDEX)
    if not counts_writes(device):
        n_set = n_reset = np.zeros(N)
    return dict(
        permanence=state, sum_permanence=sum_permanence, sum_conductance=sum_conductance,
        n_events=n_events, n_set=n_set, n_reset=n_reset,
    )  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_histories_are_those_of_the_device_package(way, monkeypatch):
    if way != "standalone":
        monkeypatch.setitem(brian2.prefs, "codegen.target", way)
    found = in_brian2(standalone if way == "standalone" else runtime)
    for name, device in DEVICES.items():
        expected = in_numpy(device)
        for variable, values in expected.items():
            np.testing.assert_allclose(found[name][variable], values, rtol=1e-12, err_msg=name)
        # Something has happened, and has ended for devices that have worn out.
        n_events = expected["n_events"]
        worn = expected["n_set"] + expected["n_reset"] >= effects.life(device, KEY, INDEX)
        assert (n_events[~worn] >= 200).all(), name
        assert worn.any() == np.isfinite(device.endurance), name
        assert np.ptp(expected["sum_conductance"]) > 0.001 * N_STEPS, name
