"""Programming events: update law, cycle-to-cycle noise, resolution, wear."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from devices.effects.individual import life, step_factors
from devices.effects.levels import to_level
from devices.effects.step import relative_step
from devices.memristor import Memristor
from devices.noise import Key, Stream, normal, uniform

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Programmed(NamedTuple):
    """What an event did to each device.

    Attributes
    ----------
    state : ndarray of float64
        States after the event, in [floor, p_max].
    programmed : ndarray of bool
        Where there was an event: the caller adds it to the counters of events.
    n_writes : ndarray of int64
        Writes (pulses) in it: the caller adds them to the counters of writes.
    """

    state: FloatArray
    programmed: BoolArray
    n_writes: npt.NDArray[np.int64]


def program(
    device: Memristor,
    state: npt.ArrayLike,
    wanted: npt.ArrayLike,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
    n_writes: npt.ArrayLike = 0,
) -> Programmed:
    """Move devices from one state towards a wanted one; where both are equal nothing happens.

    All arrays broadcast against each other.

    Parameters
    ----------
    device : Memristor
        Its update law, cycle-to-cycle noise, levels and endurance are used.
    state, wanted : array_like of float
        Present and wanted states.
    floor : array_like of float
        Lowest state of each device, on a level if the device has levels.
    p_max : float
        Highest state.
    event : array_like of int
        Number of programming events of each device so far.
    key : tuple of int
        From `devices.noise.noise_key`.
    device_index : array_like of int
        Index of each device.
    n_writes : array_like of int, optional
        Number of writes of each device so far; matters for a finite endurance.

    Returns
    -------
    Programmed
        Arrays of the broadcast shape.
    """
    state, wanted = np.asarray(state, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    return _event(
        device, state, wanted, wanted != state, floor, p_max, event, key, device_index, n_writes
    )


def write(
    device: Memristor,
    state: npt.ArrayLike,
    wanted: npt.ArrayLike,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
    n_writes: npt.ArrayLike = 0,
) -> Programmed:
    """Program devices as `program` does, with an event also where the state is as wanted.

    Parameters
    ----------
    device, state, wanted, floor, p_max, event, key, device_index, n_writes
        As in `program`.

    Returns
    -------
    Programmed
        Arrays of the broadcast shape.
    """
    state, wanted = np.asarray(state, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    everywhere = np.ones((), dtype=bool)
    return _event(
        device, state, wanted, everywhere, floor, p_max, event, key, device_index, n_writes
    )


def perturb(
    device: Memristor,
    state: npt.ArrayLike,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
    n_writes: npt.ArrayLike = 0,
) -> Programmed:
    """Cycle-to-cycle noise at a presynaptic spike.

    Nothing happens, and there is no event, unless ``c2c_event="pre_spike"`` and there is noise.

    Parameters
    ----------
    device, state, floor, p_max, event, key, device_index, n_writes
        As in `program`.

    Returns
    -------
    Programmed
        Arrays of the broadcast shape; there are no writes.
    """
    state = np.asarray(state, dtype=np.float64)
    state, floor, event, device_index, n_writes = np.broadcast_arrays(
        state, floor, event, device_index, n_writes
    )
    new_state, none = state.copy(), np.zeros(state.shape, dtype=np.int64)
    noisy = device.sigma_c2c > 0.0 or bool(device.c2c_polynomial)
    where = np.full(state.shape, device.c2c_event == "pre_spike" and noisy)
    if where.any() and np.isfinite(device.endurance):
        where &= n_writes < life(device, key, device_index)
    if where.any():
        q, k, index = state[where], event[where], device_index[where]
        q = q + _sigma(device, q / p_max) * p_max * normal(key, index, k, Stream.WRITE)
        new_state[where] = _resolve(device, q, floor[where], p_max, k, key, index)
    return Programmed(new_state, where, none)


def pulse(
    device: Memristor,
    state: FloatArray,
    direction: npt.NDArray[np.int8],
    event: npt.NDArray[np.integer],
    key: Key,
    device_index: npt.NDArray[np.integer],
    factors: tuple[FloatArray, FloatArray],
    left: FloatArray,
) -> Programmed:
    """Apply one pulse to each device, as one programming event of its own.

    Parameters
    ----------
    device : Memristor
        Its update law, which has pulses, cycle-to-cycle noise and levels are used.
    state : ndarray of float64, shape (n,)
        States as fractions of the range.
    direction : ndarray of int8, shape (n,)
        Above 0: up, below 0: down, 0: no pulse.
    event, key, device_index
        As in `program`, shape (n,).
    factors : tuple of two ndarray of float64, shape (n,)
        On the steps up and down, from `step_factors`.
    left : ndarray of float64, shape (n,)
        Writes that each device still survives.

    Returns
    -------
    Programmed
        The states after the pulse, and where there was one.
    """
    pulsed = (direction != 0) & (left > 0.0)
    new_state = state.copy()
    if pulsed.any():
        up, k, index = direction[pulsed] > 0, event[pulsed], device_index[pulsed]
        step = np.where(up, device.update.step_up, device.update.step_down)
        step = step * np.where(up, factors[0][pulsed], factors[1][pulsed])
        q = _one_pulse(device, state[pulsed], up, 0.0, step, k, key, index, 0)
        new_state[pulsed] = _resolve(device, q, np.zeros(q.shape), 1.0, k, key, index)
    return Programmed(new_state, pulsed, pulsed.astype(np.int64))


def _event(
    device: Memristor,
    state: npt.ArrayLike,
    wanted: npt.ArrayLike,
    where: BoolArray,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
    n_writes: npt.ArrayLike,
) -> Programmed:
    """One programming event at the devices `where`."""
    state, wanted, where, floor, event, device_index, n_writes = np.broadcast_arrays(
        state, wanted, where, floor, event, device_index, n_writes
    )
    new_state, where = state.copy(), where.copy()
    counts = np.zeros(state.shape, dtype=np.int64)
    left = np.broadcast_to(np.inf, state.shape)
    if np.isfinite(device.endurance) and where.any():
        left = np.ceil(life(device, key, device_index) - n_writes)
        where &= left > 0.0
    if not where.any():
        return Programmed(new_state, where, counts)

    p, q, lowest = state[where], wanted[where], floor[where]
    k, index = event[where], device_index[where]
    if device.update.law != "direct":
        q, counts[where] = _pulses(device, p, q, lowest, p_max, k, key, index, left[where])
    elif device.c2c_event == "write" and (device.sigma_c2c > 0.0 or device.c2c_polynomial):
        q = q + _sigma(device, q / p_max) * p_max * normal(key, index, k, Stream.WRITE)
    q = _resolve(device, q, lowest, p_max, k, key, index)
    new_state[where] = q
    if device.update.law == "direct":
        counts[where] = q != p
    return Programmed(new_state, where, counts)


def _pulses(
    device: Memristor,
    state: FloatArray,
    wanted: FloatArray,
    floor: FloatArray,
    p_max: float,
    event: npt.NDArray[np.integer],
    key: Key,
    index: npt.NDArray[np.integer],
    left: FloatArray,
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Apply as many pulses as the wanted change has nominal steps, but at most `left`."""
    update = device.update
    up = wanted > state
    step = np.where(up, update.step_up, update.step_down)
    factor = np.where(up, *step_factors(device, key, index))
    n = np.floor(
        np.abs(wanted - state) / (step * p_max) + uniform(key, index, event, Stream.PULSES)
    )
    n = np.minimum(n, left)
    s, lowest = state / p_max, floor / p_max
    for j in range(int(n.max(initial=0.0))):
        pulsed = n > j
        s[pulsed] = _one_pulse(
            device, s[pulsed], up[pulsed], lowest[pulsed], step[pulsed] * factor[pulsed],
            event[pulsed], key, index[pulsed], j,
        )  # fmt: skip
    return p_max * s, n.astype(np.int64)


def _one_pulse(
    device: Memristor,
    s: FloatArray,
    up: BoolArray,
    lowest: FloatArray | float,
    step: FloatArray,
    event: npt.NDArray[np.integer],
    key: Key,
    index: npt.NDArray[np.integer],
    part: int,
) -> FloatArray:
    """Return the states, fractions of the range, after one pulse each; `part`: its number."""
    update = device.update
    relative = np.where(up, relative_step(update, s, True), relative_step(update, s, False))
    delta = step * relative
    change = np.where(up, delta, -delta)
    sigma = device.sigma_c2c_step * delta
    if device.c2c_event == "write":
        sigma = np.maximum(sigma + _level_sigma(device, s), 0.0)
    if np.any(sigma):
        change = change + sigma * normal(key, index, event, Stream.WRITE, part)
    return np.minimum(np.maximum(s + change, lowest), 1.0)


def _level_sigma(device: Memristor, s: FloatArray) -> FloatArray | float:
    """Return the cycle-to-cycle noise that does not depend on the step, as a fraction of range."""
    if not device.c2c_polynomial:
        return float(device.sigma_c2c or 0.0)
    lowest = 1.0 / float(device.on_off_ratio or np.inf)
    x = lowest + (1.0 - lowest) * s
    value = np.zeros_like(x)
    for coefficient in reversed(device.c2c_polynomial):
        value = value * x + coefficient
    return device.sigma_c2c + value / (1.0 - lowest)


def _sigma(device: Memristor, s: FloatArray) -> FloatArray | float:
    return np.maximum(_level_sigma(device, s), 0.0)


def _resolve(
    device: Memristor,
    q: FloatArray,
    floor: FloatArray,
    p_max: float,
    event: npt.NDArray[np.integer],
    key: Key,
    index: npt.NDArray[np.integer],
) -> FloatArray:
    """Clip to the range and round to a level."""
    q = np.minimum(np.maximum(q, floor), p_max)
    if device.n_levels is None:
        return q
    u = uniform(key, index, event, Stream.LEVEL)
    q, level = to_level(device, q, u, p_max)
    if device.level_sigmas and level is not None:
        sigma = np.array(device.level_sigmas)[level]
        q = q + sigma * p_max * normal(key, index, event, Stream.LEVEL_SPREAD)
    return np.minimum(np.maximum(q, floor), p_max)
