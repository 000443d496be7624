"""The compiled kernels compute what the numpy functions compute."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import Memristor, Update, effects
from devices.kernels import compiled
from devices.kernels.rule import rule_of
from devices.noise import Stream, noise_key, normal
from devices.ppnd16 import ppnd16

KEY = noise_key(11, "kernels")
# Exponentials, logarithms and powers of different libraries; states are at most 1.
CLOSE = {"rtol": 1e-12, "atol": 1e-14}
NONE = np.empty(0)


def number(low, high):
    return st.floats(low, high, allow_subnormal=False)


def both(name, values):
    return {f"{name}_up": values, f"{name}_down": values}


@st.composite
def updates(draw):
    law = draw(st.sampled_from(["linear", "exponential", "power", "piecewise"]))
    own = {
        "linear": both("slope", number(-1, 1)),
        "exponential": both("amplitude", number(-2, 2)) | both("rate", number(-6, 6)),
        "power": both("exponent", number(0, 4)),
        "piecewise": both("nodes", st.lists(number(0, 3), min_size=2, max_size=5).map(tuple)),
    }[law] | both("step", number(1e-4, 1.0))
    return Update(law=law, **{name: draw(values) for name, values in own.items()})


@st.composite
def devices(draw):
    parameters = {}
    for name, values in {
        "sigma_d2d_step": number(0, 1),
        "sigma_d2d_asymmetry": number(0, 0.5),
        "sigma_c2c": number(0, 0.3),
        "sigma_c2c_step": number(0, 5),
        "c2c_polynomial": st.lists(number(-0.2, 0.2), max_size=3).map(tuple),
        "sigma_write": number(0, 0.3),
        "on_off_ratio": number(1.5, 100),
        "endurance": number(3, 12),
        "step_distribution": st.sampled_from(["normal", "log-normal"]),
        "c2c_event": st.sampled_from(["write", "pre_spike"]),
    }.items():
        if draw(st.booleans()):
            parameters[name] = draw(values)
    levels = draw(st.sampled_from(["none", "uniform", "geometric", "table"]))
    if levels in ("uniform", "geometric"):
        parameters |= {"n_levels": draw(st.integers(2, 40)), "level_spacing": levels}
    if levels == "geometric":
        parameters.setdefault("on_off_ratio", 10.0)
    if levels == "table":
        means = sorted(draw(st.sets(st.integers(0, 1000), min_size=2, max_size=6)))
        parameters["level_means"] = tuple(mean / 1000 for mean in means)
        if draw(st.booleans()):
            parameters["level_sigmas"] = (0.01,) * len(means)
    return Memristor(update=draw(updates()), **parameters)


# 1024 devices are one block.
SIZES = st.sampled_from([1, 7, 1023, 1024, 1025, 2500])


def assert_pulses_are_those_in_numpy(device, size, n, direction, random):
    """`direction` is one of all devices, or one of each."""
    index = np.arange(size)
    factors, life = effects.step_factors(device, KEY, index), effects.life(device, KEY, index)
    state = effects.initial_state(device, random.random(size), 1.0)
    n_events, n_set, n_reset = random.integers(2, 5, (3, size)).astype(np.uint32)
    signs = np.broadcast_to(np.array(direction, dtype=np.int8), size)

    expected, events, sets, resets = state.copy(), n_events.copy(), n_set.copy(), n_reset.copy()
    for _ in range(n):
        expected, pulsed, _ = effects.pulse(
            device, expected, signs, events, KEY, index, factors, life - (sets + resets)
        )
        events += pulsed
        sets += pulsed & (signs > 0)
        resets += pulsed & (signs < 0)

    arguments = n, rule_of(device)
    spread = device.sigma_d2d_step or device.sigma_d2d_asymmetry
    up_and_down = factors if spread else (NONE, NONE)
    if np.ndim(direction) == 0 and direction and math.isinf(device.endurance):
        up = direction > 0
        of_direction = up_and_down[0 if up else 1]
        # Some of the events are given as one number for all devices.
        compiled.pulse_all(state, n_events - 2, 2, up, *arguments, of_direction, KEY)
    else:
        left = life if math.isfinite(device.endurance) else NONE
        counters = n_events, n_set, n_reset
        compiled.pulse_each(state, *counters, signs.copy(), *arguments, *up_and_down, left, KEY)
        np.testing.assert_array_equal(n_events, events)
        np.testing.assert_array_equal(n_set, sets)
        np.testing.assert_array_equal(n_reset, resets)
    np.testing.assert_allclose(state, expected, **CLOSE)


@pytest.mark.filterwarnings("ignore:.*of the range a write resolves")
@settings(max_examples=200, deadline=None)
@given(device=devices(), size=SIZES, n=st.integers(0, 4), seed=st.integers(0, 99), data=st.data())
def test_pulses_are_those_in_numpy(device, size, n, seed, data):
    random = np.random.default_rng(seed)
    direction = data.draw(st.sampled_from([1, -1, 0, random.integers(-1, 2, size)]))
    assert_pulses_are_those_in_numpy(device, size, n, direction, random)


EVERYTHING = {
    "on_off_ratio": 5.0,
    "sigma_d2d_step": 0.2,
    "sigma_d2d_asymmetry": 0.1,
    "sigma_c2c": 0.002,
    "sigma_c2c_step": 0.4,
    "c2c_polynomial": (0.002, 0.003, -0.001),
    "endurance": 8.0,
}
LAWS = {
    "linear": {"slope_up": 0.3, "slope_down": 0.8},
    "exponential": {
        "amplitude_up": 0.1, "rate_up": 2.0, "amplitude_down": -0.3, "rate_down": -3.0
    },
    "power": {"exponent_up": 1.7, "exponent_down": 0.4},
    "piecewise": {"nodes_up": (0.5, 1.0, 0.2), "nodes_down": (1.0, 2.0)},
}  # fmt: skip
LEVELS = {
    "continuous": {},
    "uniform": {"n_levels": 33},
    "geometric": {"n_levels": 33, "level_spacing": "geometric"},
    "table": {"level_means": (0.0, 0.1, 0.5, 0.8), "level_sigmas": (0.01, 0.02, 0.03, 0.04)},
}


@pytest.mark.parametrize("direction", ["up", "down", "mixed"])
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("law", LAWS)
def test_pulses_with_all_effects_are_those_in_numpy(law, levels, direction):
    update = Update(law=law, step_up=0.03, step_down=0.02, **LAWS[law])
    random = np.random.default_rng(1)
    signs = {"up": 1, "down": -1, "mixed": random.integers(-1, 2, 2500)}[direction]
    for effects_on in (EVERYTHING, {**EVERYTHING, "endurance": math.inf}):
        device = Memristor(update=update, **effects_on, **LEVELS[levels])
        assert_pulses_are_those_in_numpy(device, 2500, 3, signs, random)


@settings(max_examples=50, deadline=None)
@given(
    sigma_write=st.one_of(st.just(0.0), number(0, 1)),
    sigma_read=st.one_of(st.just(0.0), number(0, 1)),
    sigma_flicker=st.one_of(st.just(0.0), number(0, 1)),
    size=SIZES,
    n_reads=st.integers(0, 2**32 - 1),
)
def test_conductances_and_read_noise_are_those_in_numpy(
    sigma_write, sigma_read, sigma_flicker, size, n_reads
):
    device = Memristor(sigma_write=sigma_write, sigma_read=sigma_read, sigma_flicker=sigma_flicker)
    random = np.random.default_rng(size)
    state, low, w_range = random.random((3, size))
    n_events = random.integers(0, 2**31, size, dtype=np.uint32)
    index = np.arange(size)
    for few in (slice(None), slice(1)):
        low, w_range = low[few], w_range[few]
        np.testing.assert_allclose(
            compiled.conductances(state, low, w_range, n_events, 5, sigma_write, KEY),
            effects.conductance(device, low + w_range * state, w_range, n_events + 5, KEY, index),
            **CLOSE,
        )
    np.testing.assert_allclose(
        compiled.read_factors(size, n_reads, sigma_read, sigma_flicker, KEY),
        effects.read_factor(device, n_reads, KEY, index),
        rtol=1e-12,
        atol=1e-13,  # sums of 17 numbers
    )


def test_a_pulse_in_numpy_is_that_of_a_programming_event():
    """An event that wants a change of exactly one step has one pulse."""
    update = Update(
        law="exponential", step_up=0.01, step_down=0.02, amplitude_up=0.4, rate_up=0.7,
        amplitude_down=-0.3, rate_down=1.3,
    )  # fmt: skip
    device = Memristor(
        update=update, sigma_d2d_step=0.2, sigma_d2d_asymmetry=0.1, sigma_c2c_step=0.5,
        sigma_c2c=0.01, c2c_polynomial=(0.002, -0.001), on_off_ratio=20.0,
        level_means=tuple(np.linspace(0, 1, 51) ** 1.5), level_sigmas=(0.002,) * 51,
    )  # fmt: skip
    size = 5000
    index = np.arange(size)
    factors, life = effects.step_factors(device, KEY, index), effects.life(device, KEY, index)
    event = np.arange(size) % 13
    state = np.random.default_rng(1).random(size)
    signs = np.where(index % 2, 1, -1).astype(np.int8)
    wanted = state + np.where(signs > 0, update.step_up, -update.step_down)

    pulse = effects.pulse(device, state, signs, event, KEY, index, factors, life)
    programmed = effects.program(device, state, wanted, 0.0, 1.0, event, KEY, index)
    one = programmed.n_writes == 1
    assert one.sum() > 0.99 * size
    np.testing.assert_array_equal(pulse.state[one], programmed.state[one])


def test_quantiles_are_those_in_numpy():
    u = np.concatenate(
        [np.linspace(0.0, 1.0, 900)[1:-1], 2.0 ** -np.arange(1, 54), 1 - 2.0 ** -np.arange(1, 54)]
    )
    # Powers of two reach beyond |x| = 6.6, where the last of the three approximations holds.
    assert u.size <= 1024
    x, room = np.empty(u.size), compiled._make_room()
    compiled._quantiles(u, x, room.tail, room.value, room.where)
    np.testing.assert_allclose(x, ppnd16(u), rtol=1e-14)
    centre = np.abs(u - 0.5) <= 0.425
    np.testing.assert_array_equal(x[centre], ppnd16(u)[centre])


def test_normals_are_those_in_numpy():
    events = np.arange(1000, dtype=np.uint32) * 4_000_000
    first, part, x = 4_294_960_000, 7, np.empty(1000)
    compiled._normals(KEY, first, events, 9, int(Stream.FLICKER), part, x, compiled._make_room())
    expected = normal(KEY, first + np.arange(1000), events + 9, Stream.FLICKER, part)
    np.testing.assert_allclose(x, expected, rtol=1e-14)


def test_exponential_and_logarithm_are_exact_to_1e_15():
    for x in np.concatenate([np.linspace(-700, 700, 2001), np.linspace(-1, 1, 2001)]):
        assert compiled._exp(x) == pytest.approx(math.exp(x), rel=1e-15, abs=0)
    assert compiled._exp(1e6) == compiled._exp(700.0)
    assert compiled._exp(-1e6) == compiled._exp(-700.0)
    for x in np.concatenate([np.geomspace(2.0**-53, 0.08, 4001), 2.0 ** -np.arange(4, 54)]):
        assert compiled._log(x) == pytest.approx(math.log(x), rel=1e-15, abs=0)


def test_one_compilation_serves_every_device():
    """The types of the arguments do not depend on the device."""
    table = Memristor(
        update=Update(law="piecewise", step_up=1, step_down=1, nodes_up=(1, 2), nodes_down=(1, 2)),
        level_means=(0, 1),
    )
    smooth = Memristor(update=Update(law="linear", step_up=0.1, step_down=0.1), sigma_d2d_step=0.1)
    for device in (table, smooth, dataclasses.replace(smooth, endurance=5, c2c_polynomial=(1, 2))):
        assert_pulses_are_those_in_numpy(device, 4, 1, 1, np.random.default_rng(1))
        assert_pulses_are_those_in_numpy(device, 4, 1, [1, 0, 0, 1], np.random.default_rng(1))
    assert len(compiled.pulse_all.signatures) == len(compiled.pulse_each.signatures) == 1


def test_numba_is_loaded_only_where_it_is_needed():
    code = "import sys, devices, devices.array; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
