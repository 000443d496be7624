"""What else differs from device to device, drawn anew wherever it is needed."""

import numpy as np
import numpy.typing as npt

from devices.memristor import Memristor
from devices.noise import Key, Stream, normal, uniform

FloatArray = npt.NDArray[np.float64]


def step_factors(
    device: Memristor, key: Key, device_index: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the factors on the step of a pulse.

    Parameters
    ----------
    device : Memristor
        Its spreads of the step and of the asymmetry are used.
    key : tuple of int
        From `devices.noise.noise_key`.
    device_index : array_like of int
        Index of each device.

    Returns
    -------
    up, down : ndarray of float64
        Of the shape of `device_index`, >= 0.
    """
    common = np.ones(np.shape(device_index))
    if device.sigma_d2d_step:
        xi = normal(key, device_index, 0, Stream.D2D_STEP)
        if device.step_distribution == "log-normal":
            common = np.exp(device.sigma_d2d_step * xi)
        else:
            common = 1.0 + device.sigma_d2d_step * xi
    if not device.sigma_d2d_asymmetry:
        return np.abs(common), np.abs(common)
    asymmetry = device.sigma_d2d_asymmetry * normal(key, device_index, 0, Stream.D2D_ASYMMETRY)
    return np.abs(common + asymmetry), np.abs(common - asymmetry)


def life(device: Memristor, key: Key, device_index: npt.ArrayLike) -> FloatArray:
    """Return how many writes each device survives: Weibull distributed.

    Parameters
    ----------
    device : Memristor
        Its endurance is used.
    key, device_index
        As in `step_factors`.

    Returns
    -------
    ndarray of float64
        Of the shape of `device_index`; infinite for an infinite endurance.
    """
    if np.isinf(device.endurance):
        return np.full(np.shape(device_index), np.inf)
    u = uniform(key, device_index, 0, Stream.ENDURANCE)
    return device.endurance * (-np.log(1.0 - u)) ** (1.0 / device.endurance_shape)


def drift_exponent(device: Memristor, key: Key, device_index: npt.ArrayLike) -> FloatArray:
    """Return the exponent of each device's drift.

    Parameters
    ----------
    device : Memristor
        Mean and spread of the exponent are used.
    key, device_index
        As in `step_factors`.

    Returns
    -------
    ndarray of float64
        Of the shape of `device_index`.
    """
    if not device.sigma_drift_nu:
        return np.full(np.shape(device_index), device.drift_nu)
    xi = normal(key, device_index, 0, Stream.DRIFT)
    return device.drift_nu + device.sigma_drift_nu * xi
