"""The conductance of a device as it is read: write noise, drift, read noise, non-linearity."""

import numpy as np
import numpy.typing as npt

from devices.effects.individual import drift_exponent
from devices.memristor import Memristor
from devices.noise import Key, Stream, normal

FloatArray = npt.NDArray[np.float64]

#: Reads over which 1/f noise is 1/f: a factor of 2 for each.
FLICKER_OCTAVES = 16


def conductance(
    device: Memristor,
    w: npt.ArrayLike,
    w_range: npt.ArrayLike,
    n_events: npt.ArrayLike,
    key: Key,
    device_index: npt.ArrayLike,
    age_s: npt.ArrayLike | None = None,
) -> FloatArray:
    """Return conductances without read noise.

    All arrays broadcast against each other.

    Parameters
    ----------
    device : Memristor
        Its write noise and drift are used.
    w : array_like of float
        What follows from the states, in any unit.
    w_range : array_like of float
        Difference between the highest and the lowest `w` of each device.
    n_events : array_like of int
        Number of programming events of each device so far.
    key : tuple of int
        From `devices.noise.noise_key`.
    device_index : array_like of int
        Index of each device.
    age_s : array_like of float, optional
        Time since the last write, s; None: no drift.

    Returns
    -------
    ndarray of float64
        Of the broadcast shape, in the unit of `w`, >= 0.
    """
    w = np.asarray(w, dtype=np.float64)
    if device.sigma_write:
        xi = normal(key, device_index, n_events, Stream.APPARENT)
        w = np.maximum(w + device.sigma_write * np.asarray(w_range) * xi, 0.0)
    if age_s is not None and (device.drift_nu or device.sigma_drift_nu):
        age = np.maximum(np.asarray(age_s, dtype=np.float64), device.drift_t0_s)
        w = w * (age / device.drift_t0_s) ** -drift_exponent(device, key, device_index)
    shapes = map(np.shape, (w, w_range, n_events, device_index, 0.0 if age_s is None else age_s))
    return np.array(np.broadcast_to(w, np.broadcast_shapes(*shapes)))


def read_factor(
    device: Memristor, n_reads: npt.ArrayLike, key: Key, device_index: npt.ArrayLike
) -> FloatArray:
    """Return the factor on the conductance of one read or transmitted spike; never negative.

    Parameters
    ----------
    device : Memristor
        Its read noise is used.
    n_reads : array_like of int
        Number of reads, or presynaptic spikes, that each device has seen before this one.
    key : tuple of int
        From `devices.noise.noise_key`.
    device_index : array_like of int
        Index of each device; broadcast against `n_reads`.

    Returns
    -------
    ndarray of float64
        The factors, of the broadcast shape.

    References
    ----------
    Gardner (1978), White and brown music, fractal curves and one-over-f fluctuations, Scientific
    American 238(4): the sum over octaves.
    """
    if device.sigma_read == 0.0 and device.sigma_flicker == 0.0:
        return np.ones(np.broadcast_shapes(np.shape(n_reads), np.shape(device_index)))
    factor: FloatArray | float = 1.0
    if device.sigma_read:
        factor = factor + device.sigma_read * normal(key, device_index, n_reads, Stream.READ)
    if device.sigma_flicker:
        n_reads = np.asarray(n_reads)
        total = sum(
            normal(key, device_index, n_reads >> octave, Stream.FLICKER, octave)
            for octave in range(FLICKER_OCTAVES)
        )
        factor = factor + device.sigma_flicker * (total / np.sqrt(FLICKER_OCTAVES))
    return np.maximum(factor, 0.0)


def current(device: Memristor, g: npt.ArrayLike, v: npt.ArrayLike) -> FloatArray:
    """Return the current through devices.

    Parameters
    ----------
    device : Memristor
        Its non-linearity is used.
    g : array_like of float
        Conductances at small voltages, µS.
    v : array_like of float
        Voltages, V; broadcast against `g`.

    Returns
    -------
    ndarray of float64
        Currents, µA, of the broadcast shape; odd in `v`.
    """
    v = np.asarray(v, dtype=np.float64)
    linear = v + device.iv_quadratic * v * np.abs(v) + device.iv_cubic * v**3
    return np.asarray(g) * linear
