"""Many devices of one kind, with their states."""

import math
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from devices import effects
from devices.checks import is_number
from devices.kernels.rule import rule_of
from devices.memristor import Memristor
from devices.noise import noise_key

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_NONE = np.empty(0)
_MOST_EVENTS = 0xFFFFFFFF

# Compiled code takes half a second to load, in which numpy does some million devices.
_PLAIN_LIMIT = 2**20


class DeviceArray:
    """An array of devices that are programmed, by pulses or to a state, and read.

    Every number it returns follows from the device, the shape, the seed, the label and what was
    done to each device; ``docs/model_definition.md``, section "The device", has all equations.
    A state is a fraction of the device's own range, from its lowest conductance, 0, to its highest,
    1. The index of a device, which its noise depends on, is its position in C order.

    After its first million devices pulsed or read, an array goes on with compiled code, which is
    some twenty times as fast; numbers then agree to 1 part in 10^12. The first use on a computer
    compiles, which takes seconds.

    Parameters
    ----------
    device : Memristor
        The kind of device, with no strength of an effect unknown.
    shape : int or tuple of int
        Shape of the array.
    seed : int, optional
        Seed of the noise, >= 0.
    label : str, optional
        Name of the array: arrays of other names have other noise.
    w_max : float or None, optional
        Mean of the highest conductance, which gives all of them their unit. Default: `g_max` of
        the device, µS, or 1 where it is not known.
    initial : array_like of float, optional
        Initial states in [0, 1], broadcast to `shape`; with levels rounded to the nearest one.

    Attributes
    ----------
    device : Memristor
        The kind of device.
    shape : tuple of int
        Shape of the array.
    w_max : float
        Mean of the highest conductance.
    bounds : devices.effects.Bounds
        Lowest and highest conductance of each device, stuck devices; arrays in C order.
    n_reads : int
        Number of reads so far.
    time_s : float
        Time since the array was made, s; only `age` moves it.

    Raises
    ------
    devices.UnknownParameterError
        If the strength of an effect is unknown.
    ValueError
        If a parameter is outside its range, or the device has noise per presynaptic spike.
    """

    def __init__(
        self,
        device: Memristor,
        shape: int | tuple[int, ...],
        *,
        seed: int = 1,
        label: str = "array",
        w_max: float | None = None,
        initial: npt.ArrayLike = 0.0,
    ) -> None:
        self.device = device.resolved()
        if device.c2c_event == "pre_spike" and (self.device.sigma_c2c or device.c2c_polynomial):
            raise ValueError(
                "DeviceArray: c2c_event='pre_spike', but there are no presynaptic spikes here: "
                "set c2c_event='write'"
            )
        self.shape = tuple(int(length) for length in np.atleast_1d(shape))
        self.w_max = w_max if w_max is not None else device.g_max or 1.0
        self.n_reads = 0
        self.time_s = 0.0
        n = math.prod(self.shape)
        self._key = noise_key(seed, label)
        self._index = np.arange(n)
        self.bounds = effects.sample_bounds(self.device, self.w_max, n, self._key)
        start = np.broadcast_to(np.asarray(initial, dtype=np.float64), self.shape)
        self._state = effects.initial_state(self.device, start.reshape(n), 1.0)
        # 32 bit, as in the counters of the noise.
        self._n_events, self._n_set, self._n_reset = np.zeros((3, n), dtype=np.uint32)
        # Pulses that all devices had since: to count them for each takes longer than to apply them.
        self._n_set_all = self._n_reset_all = 0
        self._most_events = 0
        self._last_write_s = np.zeros(n)
        self._w_range = self.bounds.w_max - self.bounds.w_min
        self._factors = effects.step_factors(self.device, self._key, self._index)
        self._life = effects.life(self.device, self._key, self._index)
        self._n_visited = 0

    def __repr__(self) -> str:
        return f"DeviceArray({self.device!r}, {self.shape})"

    @property
    def state(self) -> FloatArray:
        """State of each device, in [0, 1]; a copy."""
        return self._state.reshape(self.shape).copy()

    @property
    def n_events(self) -> IntArray:
        """Number of programming events of each device."""
        self._count_each()
        return self._n_events.reshape(self.shape).astype(np.int64)

    @property
    def n_set(self) -> IntArray:
        """Number of writes of each device that were to raise its conductance."""
        self._count_each()
        return self._n_set.reshape(self.shape).astype(np.int64)

    @property
    def n_reset(self) -> IntArray:
        """Number of writes of each device that were to lower its conductance."""
        self._count_each()
        return self._n_reset.reshape(self.shape).astype(np.int64)

    def pulse(self, direction: npt.ArrayLike, n: int = 1) -> None:
        """Apply identical programming pulses.

        Each is a programming event of its own. A device at the end of its life ignores them.

        Parameters
        ----------
        direction : int or array_like of int
            1: up, -1: down, 0: none; broadcast to the shape of the array.
        n : int, optional
            Number of pulses, >= 0.

        Raises
        ------
        ValueError
            If the device has an update law without pulses, or an argument is none of the above.
        """
        if self.device.update.law == "direct":
            raise ValueError(
                "DeviceArray.pulse: update.law='direct', need a law with pulses: give the device "
                "an Update, or program states"
            )
        if not is_number(n, Integral) or n < 0:
            raise ValueError(f"DeviceArray.pulse: n={n!r}, need an integer >= 0")
        signs = np.asarray(direction)
        valid = (signs == 1) | (signs == -1) | (signs == 0)
        if not valid.all():
            raise ValueError(
                f"DeviceArray.pulse: direction={signs[~valid][0]}, need 1 (up), -1 (down) or 0"
            )
        self._count_on(int(n))
        if not self._is_busy(int(n)):
            self._pulse_plain(self._for_each(signs), int(n))
        elif signs.ndim == 0 and signs != 0 and math.isinf(self.device.endurance):
            self._pulse_all(bool(signs > 0), int(n))
        else:
            self._pulse_each(self._for_each(signs), int(n))

    def program(self, states: npt.ArrayLike) -> None:
        """Program each device to a state by one event, also where it is there already.

        With an update law with pulses, the event has as many as the change needs.

        Parameters
        ----------
        states : array_like of float
            Wanted states in [0, 1], broadcast to the shape of the array.

        Raises
        ------
        ValueError
            If a state is outside [0, 1].
        """
        wanted = np.broadcast_to(np.asarray(states, dtype=np.float64), self.shape).reshape(-1)
        outside = ~((wanted >= 0.0) & (wanted <= 1.0))
        if outside.any():
            raise ValueError(
                f"DeviceArray.program: state {wanted[outside][0]}, need fractions of the range in "
                "[0, 1]"
            )
        self._count_on(1)
        self._count_each()
        result = effects.write(
            self.device,
            self._state,
            wanted,
            0.0,
            1.0,
            self._n_events,
            self._key,
            self._index,
            self._n_set + self._n_reset,
        )
        self._apply(result, wanted > self._state)

    def conductances(self) -> FloatArray:
        """Return the conductances, with write noise and drift but without read noise.

        Returns
        -------
        ndarray of float64
            Of the shape of the array, in the unit of `w_max`.
        """
        if self._is_busy():
            return self._conductances_compiled().reshape(self.shape)
        self._count_each()
        w = effects.conductance(
            self.device,
            self.bounds.w_min + self._w_range * self._state,
            self._w_range,
            self._n_events,
            self._key,
            self._index,
            self.time_s - self._last_write_s,
        )
        return w.reshape(self.shape)

    def read(self) -> FloatArray:
        """Read every device once.

        Returns
        -------
        ndarray of float64
            The conductances with read noise, of the shape of the array.
        """
        conductances = self.conductances()
        if self.device.sigma_read or self.device.sigma_flicker:
            conductances *= self._read_factor().reshape(self.shape)
        self.n_reads += 1
        return conductances

    def age(self, seconds: float) -> None:
        """Let time pass.

        Parameters
        ----------
        seconds : float
            Duration, >= 0, s.

        Raises
        ------
        ValueError
            If it is negative or not finite.
        """
        if not 0.0 <= seconds < math.inf:
            raise ValueError(f"DeviceArray.age: seconds={seconds}, need a finite number >= 0")
        self.time_s += float(seconds)

    @property
    def _drifts(self) -> bool:
        return bool(self.device.drift_nu or self.device.sigma_drift_nu)

    def _is_busy(self, n: int = 1) -> bool:
        """Whether the array is used so much that compiled code pays; all devices `n` times now."""
        self._n_visited += n * self._index.size
        return self._n_visited > _PLAIN_LIMIT

    def _for_each(self, signs: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        return np.broadcast_to(signs, self.shape).astype(np.int8).reshape(-1)

    def _pulse_plain(self, signs: npt.NDArray[np.int8], n: int) -> None:
        self._count_each()
        for _ in range(n):
            result = effects.pulse(
                self.device,
                self._state,
                signs,
                self._n_events,
                self._key,
                self._index,
                self._factors,
                self._life - (self._n_set + self._n_reset),
            )
            self._apply(result, signs > 0)

    def _pulse_all(self, up: bool, n: int) -> None:
        from devices.kernels import compiled

        compiled.pulse_all(
            self._state,
            self._n_events,
            self._n_set_all + self._n_reset_all,
            up,
            n,
            rule_of(self.device),
            self._factor_arrays()[0 if up else 1],
            self._key,
        )
        if up:
            self._n_set_all += n
        else:
            self._n_reset_all += n
        if n and self._drifts:
            self._last_write_s[:] = self.time_s

    def _pulse_each(self, signs: npt.NDArray[np.int8], n: int) -> None:
        from devices.kernels import compiled

        self._count_each()
        n_writes = self._n_set + self._n_reset if self._drifts else None
        compiled.pulse_each(
            self._state,
            self._n_events,
            self._n_set,
            self._n_reset,
            signs,
            n,
            rule_of(self.device),
            *self._factor_arrays(),
            _NONE if math.isinf(self.device.endurance) else self._life,
            self._key,
        )
        if n_writes is not None:
            self._last_write_s[self._n_set + self._n_reset > n_writes] = self.time_s

    def _factor_arrays(self) -> tuple[FloatArray, FloatArray]:
        spread = self.device.sigma_d2d_step or self.device.sigma_d2d_asymmetry
        return self._factors if spread else (_NONE, _NONE)

    def _conductances_compiled(self) -> FloatArray:
        from devices.kernels import compiled

        device = self.device
        differ = slice(None) if effects.spreads_bounds(device) else slice(1)
        w = compiled.conductances(
            self._state,
            self.bounds.w_min[differ],
            self._w_range[differ],
            self._n_events,
            self._n_set_all + self._n_reset_all,
            device.sigma_write,
            self._key,
        )
        if not self._drifts:
            return w
        drift = Memristor(
            drift_nu=device.drift_nu,
            sigma_drift_nu=device.sigma_drift_nu,
            drift_t0_s=device.drift_t0_s,
        )
        age_s = self.time_s - self._last_write_s
        return effects.conductance(drift, w, 0.0, 0, self._key, self._index, age_s)

    def _read_factor(self) -> FloatArray:
        device = self.device
        if not self._is_busy():
            return effects.read_factor(device, self.n_reads, self._key, self._index)
        from devices.kernels import compiled

        return compiled.read_factors(
            self._index.size, self.n_reads, device.sigma_read, device.sigma_flicker, self._key
        )

    def _count_on(self, n: int) -> None:
        """Refuse events whose numbers have more than 32 bit."""
        if self._most_events + n > _MOST_EVENTS:
            raise ValueError(
                f"DeviceArray: {n} more events after {self._most_events}, at most {_MOST_EVENTS} "
                "per device: make a new array"
            )
        self._most_events += n

    def _count_each(self) -> None:
        """Add the pulses that all devices had to the counters of each."""
        if self._n_set_all or self._n_reset_all:
            self._n_events += np.uint32(self._n_set_all + self._n_reset_all)
            self._n_set += np.uint32(self._n_set_all)
            self._n_reset += np.uint32(self._n_reset_all)
            self._n_set_all = self._n_reset_all = 0

    def _apply(self, result: effects.Programmed, up: npt.NDArray[np.bool_]) -> None:
        writes = result.n_writes.astype(np.uint32)
        self._n_set += np.where(up, writes, np.uint32(0))
        self._n_reset += np.where(up, np.uint32(0), writes)
        self._n_events += result.programmed
        self._last_write_s[writes > 0] = self.time_s
        self._state = result.state
