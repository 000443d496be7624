"""Measured pulse trains as rectangular arrays, and what can be told of them without a model."""

import dataclasses

import numpy as np
import numpy.typing as npt

from devices.measurements import Pulses

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# A device that its pulses move, in sum, by less than this share of what they move the median
# device does not respond to them.
_STUCK_SHARE = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """Series of devices; after the end of a device's series its row repeats the last reading.

    Parameters
    ----------
    y : ndarray, shape (devices, n + 1)
        Conductances, µS; means over the readings of a state. The first is the initial state.
    direction : ndarray of int8, shape (devices, n + 1)
        Of the pulse before each, 0 where there is none.
    n_reads : ndarray, shape (devices, n + 1)
        Readings of each state.
    n_pulses : ndarray of int, shape (devices,)
        Pulses of each device.
    """

    y: FloatArray
    direction: npt.NDArray[np.int8]
    n_reads: FloatArray
    n_pulses: npt.NDArray[np.int64]

    @property
    def n_devices(self) -> int:
        """Number of devices."""
        return self.y.shape[0]

    @property
    def measured(self) -> BoolArray:
        """Where there is a reading; shape (devices, n + 1)."""
        return np.arange(self.y.shape[1]) <= self.n_pulses[:, None]

    def select(self, chosen: BoolArray) -> "Series":
        """Return the series of some devices."""
        return Series(
            self.y[chosen], self.direction[chosen], self.n_reads[chosen], self.n_pulses[chosen]
        )

    def stuck(self) -> BoolArray:
        """Return which devices do not respond to pulses; shape (devices,)."""
        travel = np.sum(self.direction[:, 1:] * np.diff(self.y), axis=1)
        return travel < _STUCK_SHARE * np.median(travel)


def series_of(pulses: Pulses) -> Series:
    """Return measured pulse trains as arrays.

    Parameters
    ----------
    pulses : Pulses
        Complete series.

    Returns
    -------
    Series
        Of all devices.
    """
    shape = pulses.n_devices, int(pulses.pulse.max()) + 1
    total, n_reads = np.zeros(shape), np.zeros(shape)
    direction = np.zeros(shape, dtype=np.int8)
    at = pulses.device, pulses.pulse
    np.add.at(total, at, pulses.conductance)
    np.add.at(n_reads, at, 1.0)
    direction[at] = pulses.direction
    n_pulses = np.zeros(pulses.n_devices, dtype=np.int64)
    np.maximum.at(n_pulses, pulses.device, pulses.pulse)
    y = total / np.maximum(n_reads, 1.0)
    last = np.take_along_axis(y, n_pulses[:, None], axis=1)
    y = np.where(n_reads > 0, y, last)
    return Series(y, direction, np.maximum(n_reads, 1.0), n_pulses)


def read_noise(pulses: Pulses) -> tuple[float, int] | None:
    """Estimate the relative noise of one reading from repeated readings of states.

    Parameters
    ----------
    pulses : Pulses
        Measured pulse trains.

    Returns
    -------
    sigma_read : float
        Standard deviation relative to the conductance, of the variances within all states.
    degrees_of_freedom : int
        Readings minus states.
        None in place of both where no state was read twice.
    """
    if not pulses.repeated:
        return None
    state = pulses.device * (int(pulses.pulse.max()) + 1) + pulses.pulse
    _, state, count = np.unique(state, return_inverse=True, return_counts=True)
    mean = np.bincount(state, pulses.conductance) / count
    relative = pulses.conductance / mean[state] - 1.0
    # The mean of a state contains the reading's own noise.
    freedom = int(np.sum(count - 1))
    return float(np.sqrt(np.sum(relative**2) / freedom)), freedom
