"""The contract of a memristive device."""

import dataclasses
import json
import math
from typing import Any, ClassVar

import numpy as np
import pytest

from devices import Memristor, Update, effects, noise
from devices.memristor import OFF

_N = 20_000
_INDEX = np.arange(_N)
_KEY = noise.noise_key(7, "contract")
_W_MAX = 2.5
_PULSES = Update(law="linear", step_up=1 / 64, step_down=1 / 32, slope_up=1.0, slope_down=0.5)
#: Values at which an effect is off.
_OFF: dict[str, Any] = OFF | {
    "n_levels": None,
    "level_means": (),
    "level_sigmas": (),
    "update": Update(),
    "c2c_polynomial": (),
}
#: What says how effects act.
_PLAIN: dict[str, Any] = {
    "level_spacing": "uniform",
    "c2c_event": "write",
    "d2d_truncation": math.inf,
    **{f"{name}_distribution": "normal" for name in ("g_max", "g_min", "gain", "step")},
}
_ON: dict[str, Any] = dict.fromkeys(OFF, 0.1) | {
    "on_off_ratio": 10.0,
    "n_levels": 8,
    "level_means": (0.1, 0.5, 1.0),
    "update": _PULSES,
    "c2c_polynomial": (0.1,),
    "endurance": 1e6,
}
_NEED_PULSES = {"sigma_d2d_step", "sigma_d2d_asymmetry", "sigma_c2c_step"}
# (parameter, value, part of what the error says is needed)
_IMPOSSIBLE = [
    ("on_off_ratio", 1.0, "> 1"),
    ("on_off_ratio", math.nan, "> 1"),
    ("n_levels", 1, ">= 2"),
    ("n_levels", 2.5, "integer"),
    ("sigma_d2d_g_max", -0.1, ">= 0"),
    ("sigma_d2d_g_min", math.inf, "finite"),
    ("sigma_c2c", -1.0, ">= 0"),
    ("sigma_read", math.nan, ">= 0"),
    ("stuck_on", 1.5, "[0, 1]"),
    ("stuck_off", -0.5, "[0, 1]"),
    ("stuck_random", 2.0, "[0, 1]"),
    ("sigma_write", -0.1, ">= 0"),
    ("sigma_flicker", math.inf, "finite"),
    ("drift_nu", math.nan, "finite"),
    ("endurance", 0.0, "> 0"),
    ("level_means", (0.5, 0.2), "ascending"),
    ("g_max", -1.0, "> 0"),
    ("c2c_event", "read", "pre_spike"),
]


def _clipped_mean(mean: float, sigma: float, low: float, high: float) -> float:
    """Return the mean of a normal variable that is clipped to a range."""
    a, b = (low - mean) / sigma, (high - mean) / sigma

    def below(x: float) -> float:
        return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))

    def density(x: float) -> float:
        return math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi) if math.isfinite(x) else 0.0

    inside = mean * (below(b) - below(a)) + sigma * (density(a) - density(b))
    upper = high * (1.0 - below(b)) if math.isfinite(high) else 0.0
    return low * below(a) + inside + upper


class DeviceContract:
    """What every memristive device must do; a subclass named ``Test...`` is a test class.

    Moments are compared within five standard errors, at fixed seeds.

    Attributes
    ----------
    device : devices.Memristor
        The device, such as a preset, or an instance of a subclass; without unknown strengths.
    effects : module
        With the functions of `devices.effects`, the default.
    """

    device: ClassVar[Memristor]
    effects: ClassVar[Any] = effects

    def _with(self, **parameters: Any) -> Memristor:
        return dataclasses.replace(self.device, **parameters)

    def _only(self, **parameters: Any) -> Memristor:
        """Return the device with all effects off but these."""
        return self._with(**(_OFF | _PLAIN | parameters))

    # ---- parameters ----------------------------------------------------------------------------

    def test_parameters_cannot_be_changed(self) -> None:
        """A device is a frozen dataclass."""
        with pytest.raises(dataclasses.FrozenInstanceError):
            self.device.n_levels = 3  # type: ignore[misc]

    def test_equal_devices_are_equal(self) -> None:
        """And have equal hashes."""
        copy = self._with()
        assert copy == self.device
        assert hash(copy) == hash(self.device)

    def test_parameters_are_json(self) -> None:
        """The device made from what was written equals the one that wrote it."""
        text = json.dumps(dataclasses.asdict(self.device))
        assert type(self.device)(**json.loads(text)) == self.device

    @pytest.mark.parametrize(("name", "value", "need"), _IMPOSSIBLE)
    def test_impossible_parameters_are_refused(self, name: str, value: Any, need: str) -> None:
        """The error names parameter, value and what is needed."""
        with pytest.raises(ValueError) as caught:
            self._only(**{name: value})
        for part in (f"{name}={value!r}", "need", need):
            assert part in str(caught.value)

    def test_more_than_all_devices_cannot_be_stuck(self) -> None:
        """The error says which to lower."""
        with pytest.raises(ValueError, match=r"stuck_on.*stuck_off.*lower"):
            self._with(stuck_on=0.6, stuck_off=0.6, stuck_random=0.0)

    def test_ideal(self) -> None:
        """Only while every effect is off."""
        ideal = self._only()
        assert ideal.ideal
        assert self._with(**(_OFF | _PLAIN | {"c2c_event": "pre_spike"})).ideal
        for name, value in _ON.items():
            base = self._only(update=_PULSES) if name in _NEED_PULSES else ideal
            assert not dataclasses.replace(base, **{name: value}).ideal
        off = all(getattr(self.device, name) == value for name, value in _OFF.items())
        assert self.device.ideal == off

    # ---- bounds --------------------------------------------------------------------------------

    def _bounds(self, device: Memristor, n: int = _N, key: noise.Key = _KEY) -> Any:
        return self.effects.sample_bounds(device, _W_MAX, n, key)

    def test_bounds_are_in_order(self) -> None:
        """``0 <= w_min < w_max``, equal only where a device is stuck."""
        bounds = self._bounds(self.device)
        stuck = bounds.stuck
        assert (bounds.w_min >= 0).all()
        assert (bounds.w_min[~stuck] < bounds.w_max[~stuck]).all()
        np.testing.assert_array_equal(bounds.w_min[stuck], bounds.w_max[stuck])
        assert not (bounds.stuck_on & bounds.stuck_off).any()

    def test_bounds_are_a_function(self) -> None:
        """Of seed, label and index; not of how many devices there are."""
        spread = self._with(sigma_d2d_g_max=0.1)
        whole = self._bounds(spread)
        again, few = self._bounds(spread), self._bounds(spread, 100)
        other = self._bounds(spread, key=noise.noise_key(8, "contract"))
        label = self._bounds(spread, key=noise.noise_key(7, "another"))
        for name in ("w_min", "w_max", "stuck_on", "stuck_off"):
            np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
            np.testing.assert_array_equal(getattr(few, name), getattr(whole, name)[:100])
        for different in (other, label):
            assert (different.w_max != whole.w_max).mean() > 0.9

    def test_device_to_device_spread(self) -> None:
        """Mean and deviation of both conductances, independent of each other."""
        device = self._only(on_off_ratio=10.0, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.15)
        bounds = self._bounds(device)
        for values, mean, sigma in (
            (bounds.w_max, _W_MAX, 0.1),
            (bounds.w_min, _W_MAX / 10.0, 0.15),
        ):
            assert abs(values.mean() - mean) < 5 * mean * sigma / math.sqrt(_N)
            assert abs(values.std() - mean * sigma) < 5 * mean * sigma / math.sqrt(2 * _N)
        assert abs(np.corrcoef(bounds.w_max, bounds.w_min)[0, 1]) < 5 / math.sqrt(_N)

    def test_without_spread_devices_are_alike(self) -> None:
        """Exactly."""
        bounds = self._bounds(self._only(on_off_ratio=8.0))
        np.testing.assert_array_equal(bounds.w_max, _W_MAX)
        np.testing.assert_array_equal(bounds.w_min, _W_MAX / 8.0)

    @pytest.mark.parametrize(("stuck_on", "stuck_off"), [(0.0, 0.0), (0.1, 0.3), (0.5, 0.5)])
    def test_stuck_devices(self, stuck_on: float, stuck_off: float) -> None:
        """As many as asked for, at the device's own largest or smallest conductance."""
        none = {"stuck_on": 0.0, "stuck_off": 0.0, "stuck_random": 0.0}
        free = self._bounds(self._with(**none))
        bounds = self._bounds(self._with(**(none | {"stuck_on": stuck_on, "stuck_off": stuck_off})))
        for stuck, fraction in ((bounds.stuck_on, stuck_on), (bounds.stuck_off, stuck_off)):
            error = math.sqrt(fraction * (1 - fraction) / _N)
            assert abs(stuck.mean() - fraction) <= 5 * error
        on, off = bounds.stuck_on, bounds.stuck_off
        np.testing.assert_array_equal(bounds.w_min[on], free.w_max[on])
        np.testing.assert_array_equal(bounds.w_max[off], free.w_min[off])

    # ---- states --------------------------------------------------------------------------------

    @pytest.mark.parametrize("p_max", [1.0, 20.0])
    def test_initial_states_are_on_levels(self, p_max: float) -> None:
        """The nearest one; a continuous device keeps its state."""
        given = p_max * np.linspace(0.0, 1.0, 1001)
        for device in (self.device, self._only(n_levels=5), self._only()):
            found = self.effects.initial_state(device, given, p_max)
            if device.n_levels is None:
                np.testing.assert_array_equal(found, given)
                continue
            levels = p_max * self.effects.level_means(device)
            nearest = np.abs(given[:, None] - levels).min(axis=1)
            np.testing.assert_allclose(np.abs(found - given), nearest, atol=1e-9 * p_max)
            again = self.effects.initial_state(device, found, p_max)
            np.testing.assert_allclose(again, found, rtol=1e-12)

    def _program(
        self, device: Memristor, state: float, wanted: float, event: Any = 0, part: Any = _INDEX
    ) -> np.ndarray:
        new, programmed, _ = self.effects.program(
            device, state, wanted, 0.0, 1.0, event, _KEY, part
        )
        new = np.broadcast_to(new, np.shape(part))
        assert np.all(programmed == (state != wanted))
        return new

    def test_nothing_happens_where_the_state_is_as_wanted(self) -> None:
        """No event, no noise."""
        assert (self._program(self.device, 0.5, 0.5) == 0.5).all()

    def test_an_ideal_device_takes_the_wanted_state(self) -> None:
        """To the last bit."""
        assert (self._program(self._only(), 0.5, 0.3) == 0.3).all()

    @pytest.mark.parametrize("wanted", [0.0, 0.013, 0.4, 0.997, 1.0])
    def test_states_stay_in_range(self, wanted: float) -> None:
        """After programming and after a perturbation."""
        for event in ("write", "pre_spike"):
            device = self._with(sigma_c2c=max(self.device.sigma_c2c, 0.5), c2c_event=event)
            new = self._program(device, 0.5, wanted)
            floor = self.effects.initial_state(device, 0.25, 1.0)
            start = np.maximum(new, floor)
            perturbed, _, _ = self.effects.perturb(device, start, floor, 1.0, 1, _KEY, _INDEX)
            assert ((new >= 0.0) & (new <= 1.0)).all()
            assert ((perturbed >= floor) & (perturbed <= 1.0)).all()

    def test_rounding_is_unbiased(self) -> None:
        """Between two levels the mean is the wanted state: stochastic rounding."""
        device = self._only(n_levels=8)
        step = 1.0 / (int(device.n_levels or 0) - 1)
        new = self._program(device, 0.0, 0.3 * step)
        assert set(np.unique(np.rint(new / step))) <= {0.0, 1.0}
        assert abs(new.mean() - 0.3 * step) < 5 * step * math.sqrt(0.21 / _N)

    @pytest.mark.parametrize("sigma", [0.02, 0.3])
    def test_write_noise(self, sigma: float) -> None:
        """Mean and deviation of the state after one event, in units of the full range."""
        for wanted in (0.5, 0.9):
            new = self._program(self._only(sigma_c2c=sigma), 0.4, wanted)
            mean = _clipped_mean(wanted, sigma, 0.0, 1.0)
            assert abs(new.mean() - mean) < 5 * sigma / math.sqrt(_N)
            assert new.std() < sigma * (1 + 5 / math.sqrt(2 * _N))
        small = self._program(self._only(sigma_c2c=0.02), 0.4, 0.5)
        assert abs(small.std() - 0.02) < 5 * 0.02 / math.sqrt(2 * _N)

    def test_noise_differs_from_event_to_event(self) -> None:
        """And between devices; equal event numbers give equal noise."""
        device = self._only(sigma_c2c=0.05)
        first, second = (self._program(device, 0.4, 0.5, event) for event in (0, 1))
        np.testing.assert_array_equal(self._program(device, 0.4, 0.5, 0), first)
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(_N)
        assert len(np.unique(first)) > 0.99 * _N

    def test_the_order_of_visits_does_not_matter(self) -> None:
        """Devices can be programmed one after the other, in parts, backwards."""
        device = self._with(sigma_c2c=max(self.device.sigma_c2c, 0.05))
        whole = self._program(device, 0.4, 0.5)
        np.testing.assert_array_equal(
            self._program(device, 0.4, 0.5, part=_INDEX[::-1].copy()), whole[::-1]
        )
        for k in (0, 1, 17):
            assert self._program(device, 0.4, 0.5, part=np.array([k]))[0] == whole[k]

    @pytest.mark.parametrize("event", ["write", "pre_spike"])
    def test_what_carries_the_write_noise(self, event: str) -> None:
        """Updates or presynaptic spikes, never both."""
        device = self._only(sigma_c2c=0.05, c2c_event=event)
        written = self._program(device, 0.4, 0.5)
        perturbed, counted, _ = self.effects.perturb(
            device, np.full(_N, 0.5), 0.0, 1.0, 0, _KEY, _INDEX
        )
        at_write = event == "write"
        assert bool((written == 0.5).all()) != at_write
        assert bool((perturbed == 0.5).all()) == at_write
        assert bool(counted.any()) != at_write
        _, without, _ = self.effects.perturb(self._only(), 0.5, 0.0, 1.0, 0, _KEY, _INDEX)
        assert not without.any()

    # ---- pulses and wear -------------------------------------------------------------------------

    def test_soft_bounds(self) -> None:
        """Pulses of a step that is proportional to what is left of the range."""
        device = self._only(update=_PULSES)
        for n in (1, 5, 40):
            found = self.effects.program(device, 0.0, n / 64, 0.0, 1.0, 0, _KEY, _INDEX)
            np.testing.assert_allclose(found.state, 1.0 - (1.0 - 1 / 64) ** n, rtol=1e-12)
            assert (found.n_writes == n).all()

    def test_less_than_a_pulse_takes_place_in_its_mean(self) -> None:
        """With a pulse in as many devices as the wanted change is of a step."""
        device = self._only(update=_PULSES)
        found = self.effects.program(device, 0.5, 0.5 - 0.3 / 32, 0.0, 1.0, 0, _KEY, _INDEX)
        assert set(np.unique(found.n_writes)) == {0, 1}
        assert abs(found.n_writes.mean() - 0.3) < 5 * math.sqrt(0.21 / _N)

    def test_a_worn_out_device_does_not_change(self) -> None:
        """As many as the Weibull distribution says, and no others."""
        device = self._only(endurance=1000.0, endurance_shape=2.0)
        found = self.effects.program(device, 0.5, 0.2, 0.0, 1.0, 0, _KEY, _INDEX, 800)
        alive = math.exp(-(0.8**2))
        assert abs(found.programmed.mean() - alive) < 5 * math.sqrt(alive * (1 - alive) / _N)
        np.testing.assert_array_equal(found.state, np.where(found.programmed, 0.2, 0.5))
        np.testing.assert_array_equal(found.n_writes, found.programmed)

    # ---- reading -------------------------------------------------------------------------------

    @pytest.mark.parametrize("sigma", [0.0, 0.1, 1.0])
    def test_read_noise(self, sigma: float) -> None:
        """A factor of mean 1 that is never negative, drawn anew for each spike."""
        device = self._only(sigma_read=sigma)
        first, second = (self.effects.read_factor(device, s, _KEY, _INDEX) for s in (0, 1))
        assert (first >= 0).all()
        if sigma == 0.0:
            assert (first == 1.0).all()
            return
        mean = _clipped_mean(1.0, sigma, 0.0, math.inf)
        assert abs(first.mean() - mean) < 5 * sigma / math.sqrt(_N)
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(_N)
        np.testing.assert_array_equal(
            self.effects.read_factor(device, 0, _KEY, _INDEX[5:9]), first[5:9]
        )

    def test_flicker_noise(self) -> None:
        """Of the variance asked for; neighbouring reads are alike, distant ones are not."""
        device = self._only(sigma_flicker=0.1)
        first, second, distant = (
            self.effects.read_factor(device, s, _KEY, _INDEX) for s in (0, 1, 1 << 20)
        )
        assert abs(first.std() - 0.1) < 5 * 0.1 / math.sqrt(2 * _N)
        assert np.corrcoef(first, second)[0, 1] > 0.5
        assert abs(np.corrcoef(first, distant)[0, 1]) < 5 / math.sqrt(_N)

    def test_write_noise_of_the_conductance(self) -> None:
        """The same until the next event."""
        device = self._only(sigma_write=0.05)
        first, again, second = (
            self.effects.conductance(device, 1.0, 2.0, k, _KEY, _INDEX) for k in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, again)
        assert abs(first.mean() - 1.0) < 5 * 0.1 / math.sqrt(_N)
        assert abs(first.std() - 0.1) < 5 * 0.1 / math.sqrt(2 * _N)
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(_N)

    def test_drift(self) -> None:
        """A power law of the age, with a spread of its exponent."""
        device = self._only(drift_nu=0.05, sigma_drift_nu=0.01)
        age = 1e4 * device.drift_t0_s
        found = self.effects.conductance(device, 1.0, 1.0, 0, _KEY, _INDEX, age)
        exponent = -np.log(found) / math.log(1e4)
        assert abs(exponent.mean() - 0.05) < 5 * 0.01 / math.sqrt(_N)
        assert abs(exponent.std() - 0.01) < 5 * 0.01 / math.sqrt(2 * _N)
        young = self.effects.conductance(device, 1.0, 1.0, 0, _KEY, _INDEX, device.drift_t0_s / 2)
        assert (young == 1.0).all()
