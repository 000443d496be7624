"""Writing devices to wanted conductances: by one event, or with verification after each."""

import dataclasses

import numpy as np
import numpy.typing as npt

from devices import effects
from devices.checks import store_integer, store_real
from devices.effects import Bounds
from devices.memristor import Memristor
from devices.noise import Key

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class WriteVerify:
    """Write-and-verify: each device is written until it is read to be close enough.

    The first event comes before the first read: there is at least one.

    Parameters
    ----------
    tolerance : float
        Deviation of the conductance that is accepted, as a fraction of the nominal range, > 0.
    max_pulses : int
        Programming events after which a device has failed, >= 1. An event of a device whose
        update has pulses is as many pulses as the change still wanted needs.

    Raises
    ------
    ValueError
        If a parameter is outside its range or of another type.
    """

    tolerance: float = 0.02
    max_pulses: int = 20

    def __post_init__(self) -> None:
        """Validate both parameters."""
        store_real(self, "tolerance", above=0.0, need="a fraction of the nominal range > 0")
        store_integer(self, "max_pulses", least=1, need="an integer >= 1")


@dataclasses.dataclass(frozen=True, eq=False)
class Written:
    """What writing did to `n` devices.

    Parameters
    ----------
    state : ndarray of float64, shape (n,)
        States after it, as fractions of the range of each device.
    n_events, n_set, n_reset : ndarray of int64, shape (n,)
        Programming events of each device, and pulses up and down in them.
    failed : ndarray of bool, shape (n,)
        Devices that verification found too far off; none without verification.
    """

    state: FloatArray
    n_events: IntArray
    n_set: IntArray
    n_reset: IntArray
    failed: BoolArray


def write_once(
    device: Memristor, wanted: FloatArray, state: FloatArray, n_events: IntArray, key: Key
) -> Written:
    """Write every device by one programming event, also where the state is as wanted.

    Parameters
    ----------
    device : Memristor
        Without unknown strengths.
    wanted, state : ndarray of float64, shape (n,)
        Wanted and present states in [0, 1]. The wanted ones are rounded to the nearest level.
    n_events : ndarray of int, shape (n,)
        Number of programming events of each device so far.
    key : tuple of int
        From `devices.noise.noise_key`; the indices of the devices are 0 ... n - 1.

    Returns
    -------
    Written
        States and counts.
    """
    wanted = effects.initial_state(device, wanted, 1.0)
    index = np.arange(state.size)
    result = effects.write(device, state, wanted, 0.0, 1.0, n_events, key, index)
    return Written(
        state=result.state,
        n_events=result.programmed.astype(np.int64),
        n_set=np.where(wanted > state, result.n_writes, 0),
        n_reset=np.where(wanted > state, 0, result.n_writes),
        failed=np.zeros(state.size, dtype=bool),
    )


def write_and_verify(
    device: Memristor,
    wanted: FloatArray,
    state: FloatArray,
    n_events: IntArray,
    key: Key,
    bounds: Bounds,
    w_max: float,
    verify: WriteVerify,
) -> Written:
    """Write and verify devices in turn until each is close enough or has had enough events.

    What is wanted is the nominal conductance of the state `wanted`; each device is written towards
    the state in which it has this conductance with its own bounds. What is verified is the
    conductance with write noise, without drift and read noise. Stuck devices are not written.

    Parameters
    ----------
    device, wanted, state, n_events, key
        As in `write_once`.
    bounds : devices.effects.Bounds
        Bounds of each device.
    w_max : float
        Nominal highest conductance, in the unit of the bounds.
    verify : WriteVerify
        When a device is close enough, and when it has had enough.

    Returns
    -------
    Written
        States and counts; `failed` also where a device is stuck too far off.
    """
    index = np.arange(state.size)
    w_min = w_max / device.on_off_ratio
    target = w_min + (w_max - w_min) * effects.initial_state(device, wanted, 1.0)
    w_range = bounds.w_max - bounds.w_min
    # A stuck device has no range; it is not written, so any state will do.
    reach = np.where(w_range > 0.0, w_range, 1.0)
    goal = np.clip((target - bounds.w_min) / reach, 0.0, 1.0)
    goal = effects.initial_state(device, goal, 1.0)

    state = state.copy()
    new_events, n_set, n_reset = np.zeros((3, state.size), dtype=np.int64)

    def too_far(which: npt.NDArray[np.intp]) -> BoolArray:
        w = bounds.w_min[which] + w_range[which] * state[which]
        k = n_events[which] + new_events[which]
        g = effects.conductance(device, w, w_range[which], k, key, which)
        return np.abs(g - target[which]) > verify.tolerance * (w_max - w_min)

    pending = np.flatnonzero(~bounds.stuck)
    for _ in range(verify.max_pulses):
        k = n_events[pending] + new_events[pending]
        up = goal[pending] > state[pending]
        result = effects.write(device, state[pending], goal[pending], 0.0, 1.0, k, key, pending)
        state[pending] = result.state
        new_events[pending] += result.programmed
        n_set[pending] += np.where(up, result.n_writes, 0)
        n_reset[pending] += np.where(up, 0, result.n_writes)
        pending = pending[too_far(pending)]
        if pending.size == 0:
            break
    return Written(state, new_events, n_set, n_reset, failed=too_far(index))
