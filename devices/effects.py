"""What a memristive device does to its bounds, its state and the weight it transmits.

Pure functions of arrays: counters and states belong to the caller. Their exact meaning is in
`docs/model_definition.md`, section "The device".
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from devices.memristor import Memristor
from devices.noise import Key, Stream, normal, uniform

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Enough for any spread that leaves one draw in twenty valid: 0.95^1000 is 5e-23.
MAX_DRAWS = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Bounds:
    """Weight range of each device; `n` devices.

    Parameters
    ----------
    w_min, w_max : ndarray of float64, shape (n,)
        Weights at the lowest and at the highest state, in the unit of the nominal weight.
    stuck_on, stuck_off : ndarray of bool, shape (n,)
        Devices stuck at their highest and at their lowest weight: there `w_min == w_max`.
    redraws : int
        Draws, over all devices, that were thrown away because `0 <= w_min < w_max` did not hold.
    """

    w_min: FloatArray
    w_max: FloatArray
    stuck_on: BoolArray
    stuck_off: BoolArray
    redraws: int


def sample_bounds(device: Memristor, w_max: float, n: int, key: Key) -> Bounds:
    """Draw the weight range of each device: device-to-device spread, then stuck devices.

    Parameters
    ----------
    device : Memristor
        Its on-off ratio, device-to-device spreads and stuck fractions are used.
    w_max : float
        Nominal weight at the highest state, > 0, in any unit.
    n : int
        Number of devices; their indices are 0 ... n - 1.
    key : tuple of int
        From `devices.noise.noise_key`.

    Returns
    -------
    Bounds
        The ranges, in the unit of `w_max`.

    Raises
    ------
    ValueError
        If `w_max` is not finite and positive, or the spread is so large that some device has no
        valid range after `MAX_DRAWS` draws.
    """
    if not (math.isfinite(w_max) and w_max > 0):
        raise ValueError(f"sample_bounds: w_max={w_max}, need a finite number > 0")
    high, low, redraws = _spread_bounds(device, w_max, n, key)

    index = np.arange(n)
    stuck_off = np.zeros(n, dtype=bool)
    stuck_on = np.zeros(n, dtype=bool)
    if device.stuck_off or device.stuck_on:
        u = uniform(key, index, 0, Stream.STUCK)
        stuck_off = u < device.stuck_off
        stuck_on = u >= 1.0 - device.stuck_on
        high[stuck_off] = low[stuck_off]
        low[stuck_on] = high[stuck_on]
    return Bounds(w_min=low, w_max=high, stuck_on=stuck_on, stuck_off=stuck_off, redraws=redraws)


def initial_state(device: Memristor, state: npt.ArrayLike, p_max: float) -> FloatArray:
    """Round the initial states to the nearest level; halves go to the upper one.

    Parameters
    ----------
    device : Memristor
        Its number of levels is used.
    state : array_like of float
        States in [0, p_max].
    p_max : float
        Highest state, > 0.

    Returns
    -------
    ndarray of float64
        The rounded states, of the shape of `state`; they are also the floors of the devices.

    Raises
    ------
    ValueError
        If `p_max` is not finite and positive or a state is outside [0, p_max].
    """
    if not (math.isfinite(p_max) and p_max > 0):
        raise ValueError(f"initial_state: p_max={p_max}, need a finite number > 0")
    state = np.array(state, dtype=np.float64)
    outside = ~((state >= 0.0) & (state <= p_max))
    if outside.any():
        raise ValueError(
            f"initial_state: state={state[outside][0]}, need states in 0 ... p_max={p_max}"
        )
    if device.n_levels is None:
        return state
    return np.minimum(_to_level(state, 0.5, p_max, device.n_levels), p_max)


def program(
    device: Memristor,
    state: npt.ArrayLike,
    wanted: npt.ArrayLike,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
) -> tuple[FloatArray, BoolArray]:
    """Move devices from one state towards a wanted one; where both are equal nothing happens.

    All arrays broadcast against each other.

    Parameters
    ----------
    device : Memristor
        Its write noise (if `c2c_event="write"`) and number of levels are used.
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

    Returns
    -------
    new_state : ndarray of float64
        States after the event, in [floor, p_max].
    programmed : ndarray of bool
        Where there was an event: the caller adds it to the counters.
    """
    state, wanted = np.broadcast_arrays(
        np.asarray(state, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    )
    sigma = device.sigma_c2c if device.c2c_event == "write" else 0.0
    return _write(
        device, sigma, state, wanted, wanted != state, floor, p_max, event, key, device_index
    )


def perturb(
    device: Memristor,
    state: npt.ArrayLike,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
) -> tuple[FloatArray, BoolArray]:
    """Write noise at a presynaptic spike.

    Nothing happens, and there is no event, unless `c2c_event="pre_spike"` and `sigma_c2c > 0`.

    Parameters
    ----------
    device, state, floor, p_max, event, key, device_index
        As in `program`.

    Returns
    -------
    new_state : ndarray of float64
        States after the event, in [floor, p_max].
    programmed : ndarray of bool
        Where there was an event: the caller adds it to the counters.
    """
    state = np.asarray(state, dtype=np.float64)
    perturbed = np.full(state.shape, device.c2c_event == "pre_spike" and device.sigma_c2c > 0.0)
    return _write(
        device, device.sigma_c2c, state, state, perturbed, floor, p_max, event, key, device_index
    )


def read_factor(
    device: Memristor, n_spikes_seen: npt.ArrayLike, key: Key, device_index: npt.ArrayLike
) -> FloatArray:
    """Factor on the weight of one transmitted spike; it is never negative.

    Parameters
    ----------
    device : Memristor
        Its read noise is used.
    n_spikes_seen : array_like of int
        Number of presynaptic spikes that each device has seen before this one.
    key : tuple of int
        From `devices.noise.noise_key`.
    device_index : array_like of int
        Index of each device; broadcast against `n_spikes_seen`.

    Returns
    -------
    ndarray of float64
        The factors, of the broadcast shape.
    """
    if device.sigma_read == 0.0:
        return np.ones(np.broadcast_shapes(np.shape(n_spikes_seen), np.shape(device_index)))
    xi = normal(key, device_index, n_spikes_seen, Stream.READ)
    return np.maximum(1.0 + device.sigma_read * xi, 0.0)


def _spread_bounds(
    device: Memristor, w_max: float, n: int, key: Key
) -> tuple[FloatArray, FloatArray, int]:
    high = np.empty(n)
    low = np.empty(n)
    pending = np.arange(n)
    redraws = 0
    for draw in range(MAX_DRAWS):
        high[pending] = _spread(w_max, device.sigma_d2d_g_max, key, pending, draw, Stream.D2D_MAX)
        low[pending] = _spread(
            w_max / device.on_off_ratio,
            device.sigma_d2d_g_min,
            key,
            pending,
            draw,
            Stream.D2D_MIN,
        )
        valid = (low[pending] >= 0.0) & (low[pending] < high[pending])
        pending = pending[~valid]
        if pending.size == 0:
            return high, low, redraws
        redraws += pending.size
    raise ValueError(
        f"sample_bounds: {pending.size} of {n} devices without 0 <= w_min < w_max after "
        f"{MAX_DRAWS} draws (limit): lower sigma_d2d_g_max={device.sigma_d2d_g_max} or "
        f"sigma_d2d_g_min={device.sigma_d2d_g_min}, or raise on_off_ratio={device.on_off_ratio}"
    )


def _spread(
    mean: float, sigma: float, key: Key, index: npt.NDArray[np.intp], draw: int, stream: Stream
) -> FloatArray:
    if sigma == 0.0:
        return np.full(index.shape, mean)
    return mean * (1.0 + sigma * normal(key, index, draw, stream))


def _write(
    device: Memristor,
    sigma: float,
    state: FloatArray,
    wanted: FloatArray,
    where: BoolArray,
    floor: npt.ArrayLike,
    p_max: float,
    event: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
) -> tuple[FloatArray, BoolArray]:
    """One programming event at the devices `where`."""
    state, wanted, where, floor, event, device_index = np.broadcast_arrays(
        state, wanted, where, floor, event, device_index
    )
    new_state = state.copy()
    if where.any():
        q = wanted[where]
        lowest, k, index = floor[where], event[where], device_index[where]
        if sigma > 0.0:
            q = q + sigma * p_max * normal(key, index, k, Stream.WRITE)
        q = np.minimum(np.maximum(q, lowest), p_max)
        if device.n_levels is not None:
            u = uniform(key, index, k, Stream.LEVEL)
            q = _to_level(q, u, p_max, device.n_levels)
            q = np.minimum(np.maximum(q, lowest), p_max)
        new_state[where] = q
    return new_state, where.copy()


def _to_level(q: FloatArray, offset: FloatArray | float, p_max: float, n_levels: int) -> FloatArray:
    n_steps = n_levels - 1
    # In this order the highest level is p_max to the last bit, whatever n_levels is.
    return p_max * (np.floor(q / (p_max / n_steps) + offset) / n_steps)
