"""Update laws and their spread, against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import Memristor, Update
from devices.effects import program, relative_step, step_factors, write
from devices.noise import Stream, noise_key, normal, uniform

KEY = noise_key(3, "pulses")
N = 40_000
INDEX = np.arange(N)
STEP = 1 / 64  # an exact binary fraction: wanted changes are whole numbers of steps


def linear(step=STEP, **slopes):
    return Update(law="linear", step_up=step, step_down=step, **slopes)


def assert_mean_and_std(sample, mean, std):
    """Within five standard errors of a normal sample."""
    assert abs(sample.mean() - mean) < 5 * std / math.sqrt(sample.size)
    assert abs(sample.std() - std) < 5 * std / math.sqrt(2 * sample.size)


UPDATES = {
    "linear": (
        Update(law="linear", step_up=0.01, step_down=0.02, slope_up=0.7, slope_down=0.4),
        lambda s: 1 - 0.7 * s,
        lambda s: 1 - 0.4 * (1 - s),
    ),
    "exponential": (
        Update(
            law="exponential", step_up=0.01, step_down=0.02,
            amplitude_up=0.1, rate_up=3.0, amplitude_down=-1.2, rate_down=-5.0,
        ),
        lambda s: max(1 - 0.1 * math.exp(3 * s), 0),
        lambda s: max(1 + 1.2 * math.exp(-5 * (1 - s)), 0),
    ),
    "power": (
        Update(law="power", step_up=0.01, step_down=0.02, exponent_up=2.0, exponent_down=0.5),
        lambda s: (1 - s) ** 2,
        lambda s: s**0.5,
    ),
    "piecewise": (
        Update(
            law="piecewise", step_up=0.01, step_down=0.02,
            nodes_up=(1.0, 0.5, 0.0), nodes_down=(0.0, 0.2, 0.9, 1.0),
        ),
        lambda s: np.interp(s, [0, 0.5, 1], [1, 0.5, 0]),
        lambda s: np.interp(s, [0, 1 / 3, 2 / 3, 1], [0, 0.2, 0.9, 1]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("law", UPDATES)
@pytest.mark.parametrize("up", [True, False])
def test_the_step_follows_the_law(law, up):
    update, *formulas = UPDATES[law]
    s = np.linspace(0, 1, 41)
    expected = [formulas[0 if up else 1](value) for value in s]
    np.testing.assert_allclose(relative_step(update, s, up), expected, rtol=1e-14, atol=1e-16)


def test_a_device_without_pulses_has_no_step():
    with pytest.raises(ValueError, match="law='direct', need a law with pulses"):
        relative_step(Update(), 0.5, True)


def test_soft_bounds_approach_the_bound_exponentially():
    device = Memristor(update=linear(slope_up=1.0, slope_down=1.0))
    for n in (1, 7, 50):
        up = program(device, 0.0, n * STEP, 0.0, 1.0, 0, KEY, INDEX[:5])
        np.testing.assert_allclose(up.state, 1 - (1 - STEP) ** n, rtol=1e-13)
        down = program(device, 1.0, 1.0 - n * STEP, 0.0, 1.0, 0, KEY, INDEX[:5])
        np.testing.assert_allclose(down.state, (1 - STEP) ** n, rtol=1e-13)
        assert (up.n_writes == n).all() and (down.n_writes == n).all()


@pytest.mark.parametrize("law", UPDATES)
def test_a_train_is_its_pulses(law):
    """One event of n pulses moves the state as n steps one after the other."""
    update, up, down = UPDATES[law]
    for wanted, start, f, step in ((0.83, 0.1, up, 0.01), (0.2, 0.9, down, -0.02)):
        found = program(Memristor(update=update), start, wanted, 0.0, 1.0, 4, KEY, np.arange(30))
        u = uniform(KEY, np.arange(30), 4, Stream.PULSES)
        for state, n_writes, draw in zip(found.state, found.n_writes, u, strict=True):
            n = math.floor(abs(wanted - start) / abs(step) + draw)
            assert n_writes == n
            s = start
            for _ in range(n):
                s = min(max(s + step * f(s), 0.0), 1.0)
            assert state == pytest.approx(s, rel=1e-12)


def test_a_change_smaller_than_a_step_takes_place_in_its_mean():
    device = Memristor(update=linear())
    wanted = 0.5 + 0.3 * STEP
    found = program(device, 0.5, wanted, 0.0, 1.0, 0, KEY, INDEX)
    assert set(np.unique(found.state)) == {0.5, 0.5 + STEP}
    assert abs(found.n_writes.mean() - 0.3) < 5 * math.sqrt(0.21 / N)
    assert found.programmed.all()  # an event also without a pulse: the next has another number


def test_moments_of_many_pulses():
    """Spread between devices grows with n, cycle-to-cycle noise with its root."""
    d2d, c2c, n = 0.2, 1.5, 16
    device = Memristor(
        update=linear(step=1 / 1024), sigma_d2d_step=d2d, sigma_c2c_step=c2c
    )  # fmt: skip
    found = program(device, 0.5, 0.5 + n / 1024, 0.0, 1.0, 0, KEY, INDEX)
    change = (found.state - 0.5) * 1024
    assert_mean_and_std(change, n, math.sqrt(n**2 * d2d**2 + n * c2c**2 * (1 + d2d**2)))


def test_spread_of_the_step_is_independent_between_devices():
    up, down = step_factors(Memristor(update=linear(), sigma_d2d_step=0.25), KEY, INDEX)
    np.testing.assert_array_equal(up, down)
    assert_mean_and_std(up, 1.0, 0.25)
    assert abs(np.corrcoef(up[:-1], up[1:])[0, 1]) < 5 / math.sqrt(N)


def test_log_normal_steps_have_the_nominal_one_as_median():
    device = Memristor(update=linear(), sigma_d2d_step=0.7125, step_distribution="log-normal")
    up, _ = step_factors(device, KEY, INDEX)
    assert_mean_and_std(np.log(up), 0.0, 0.7125)
    mean = math.exp(0.7125**2 / 2)
    assert abs(up.mean() - mean) < 5 * mean * math.sqrt((math.exp(0.7125**2) - 1) / N)


def test_asymmetry_adds_in_one_direction_what_it_takes_in_the_other():
    device = Memristor(update=linear(), sigma_d2d_step=0.1, sigma_d2d_asymmetry=0.05)
    up, down = step_factors(device, KEY, INDEX)
    assert_mean_and_std((up + down) / 2, 1.0, 0.1)
    assert_mean_and_std((up - down) / 2, 0.0, 0.05)


@pytest.mark.parametrize("direction", [1, -1])
def test_noise_of_a_pulse(direction):
    """Constant, proportional to the step and a polynomial of the conductance add up."""
    device = Memristor(
        update=linear(), on_off_ratio=5.0, sigma_c2c=0.001, sigma_c2c_step=0.3,
        c2c_polynomial=(0.002, 0.004, -0.001),
    )  # fmt: skip
    found = program(device, 0.5, 0.5 + direction * STEP, 0.0, 1.0, 0, KEY, INDEX)
    x = 0.2 + 0.8 * 0.5
    sigma = 0.3 * STEP + 0.001 + (0.002 + 0.004 * x - 0.001 * x * x) / 0.8
    assert_mean_and_std(found.state, 0.5 + direction * STEP, sigma)
    xi = normal(KEY, INDEX, 0, Stream.WRITE)
    np.testing.assert_allclose(found.state, 0.5 + direction * STEP + sigma * xi, rtol=1e-12)


def test_each_pulse_has_noise_of_its_own():
    device = Memristor(update=linear(), sigma_c2c_step=0.5)
    found = program(device, 0.25, 0.25 + 3 * STEP, 0.0, 1.0, 9, KEY, INDEX[:50])
    xi = sum(normal(KEY, INDEX[:50], 9, Stream.WRITE, j) for j in range(3))
    np.testing.assert_allclose(found.state, 0.25 + STEP * (3 + 0.5 * xi), rtol=1e-12)


def test_writing_where_the_state_is_as_wanted_is_an_event():
    device = Memristor(sigma_c2c=0.02)
    kept = program(device, 0.5, 0.5, 0.0, 1.0, 0, KEY, INDEX)
    assert not kept.programmed.any() and (kept.state == 0.5).all()
    written = write(device, np.full(N, 0.5), 0.5, 0.0, 1.0, 0, KEY, INDEX)
    assert written.programmed.all()
    assert_mean_and_std(written.state, 0.5, 0.02)


@given(
    law=st.sampled_from(sorted(UPDATES)),
    start=st.floats(0, 1),
    wanted=st.floats(0, 1),
    p_max=st.sampled_from([1.0, 20.0]),
    sigma=st.floats(0, 2),
    floor=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_states_stay_between_floor_and_limit(law, start, wanted, p_max, sigma, floor):
    device = Memristor(update=UPDATES[law][0], sigma_c2c_step=sigma, sigma_d2d_step=0.5)
    low = floor * p_max
    start, wanted = max(start * p_max, low), max(wanted * p_max, low)
    found = program(device, start, wanted, low, p_max, 0, KEY, np.arange(20))
    # the floor is divided and multiplied by the limit on the way
    assert (found.state >= low * (1 - 1e-12)).all() and (found.state <= p_max).all()


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"law": "cubic"}, "law='cubic', need one of direct, linear"),
        ({"law": "linear"}, "step_up=None, need a fraction of the range"),
        ({"law": "linear", "step_up": 0.0, "step_down": 0.1}, "step_up=0.0"),
        ({"law": "linear", "step_up": 0.1, "step_down": 1.5}, "step_down=1.5"),
        ({"step_up": 0.1}, "step_up=0.1, need a law with pulses for it"),
        ({"slope_up": 0.1}, "slope_up=0.1, need law='linear' for it"),
        (
            {"law": "power", "step_up": 0.1, "step_down": 0.1, "exponent_up": -1.0},
            "exponent_up=-1.0",
        ),
        (
            {"law": "power", "step_up": 0.1, "step_down": 0.1, "rate_up": 1.0},
            "rate_up=1.0, need law='exponential' for it",
        ),
        (
            {"law": "linear", "step_up": 0.1, "step_down": 0.1, "slope_up": 1.5},
            "slope_up=1.5, need a number <= 1",
        ),
        ({"law": "piecewise", "step_up": 0.1, "step_down": 0.1}, "nodes_up=.*at least two"),
        (
            {"law": "piecewise", "step_up": 0.1, "step_down": 0.1, "nodes_up": (1, math.nan)},
            "nodes_up=.*need at least two",
        ),
    ],
)
def test_impossible_updates_are_refused(parameters, text):
    with pytest.raises(ValueError, match=f"Update: {text}"):
        Update(**parameters)


@pytest.mark.parametrize("name", ["sigma_d2d_step", "sigma_d2d_asymmetry", "sigma_c2c_step"])
def test_spread_of_the_step_needs_steps(name):
    with pytest.raises(ValueError, match=f"{name}=0.1, need an update with pulses"):
        Memristor(**{name: 0.1})
