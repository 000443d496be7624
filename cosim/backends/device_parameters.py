"""The parameters of a device as one array of numbers, for compiled code.

``include/device.h`` reads it.
"""

from typing import get_args

import numpy as np
import numpy.typing as npt

from devices import Memristor, effects, noise
from devices.update import Law


def pack(device: Memristor, key: noise.Key) -> npt.NDArray[np.float64]:
    """Pack what compiled code needs to know of a device.

    Parameters
    ----------
    device : Memristor
        A resolved device.
    key : tuple of int
        Of its noise, from `devices.noise.noise_key`.

    Returns
    -------
    ndarray of float64, shape (n,)
        The numbers in the order of ``Device::Place`` in ``include/device.h``, then the tables:
        coefficients of the noise's polynomial, nodes of the update up and down, means and standard
        deviations of the levels; the means are given unless levels are uniform.
    """
    update = device.update
    shape = {
        "linear": (update.slope_up, update.slope_down),
        "exponential": (update.amplitude_up, update.amplitude_down),
        "power": (update.exponent_up, update.exponent_down),
    }.get(update.law, (0.0, 0.0))
    uniform_levels = device.level_spacing == "uniform" and not device.level_means
    tables = (
        device.c2c_polynomial,
        update.nodes_up,
        update.nodes_down,
        () if uniform_levels else effects.level_means(device),
        device.level_sigmas,
    )
    numbers = (
        *key,
        get_args(Law).index(update.law),
        update.step_up or 0.0,  # there is none without pulses
        update.step_down or 0.0,
        *shape,
        update.rate_up,
        update.rate_down,
        device.sigma_d2d_step,
        device.sigma_d2d_asymmetry,
        device.step_distribution == "log-normal",
        1.0 / device.on_off_ratio,
        device.sigma_c2c,
        device.sigma_c2c_step,
        device.c2c_event == "pre_spike",
        device.sigma_write,
        device.sigma_read,
        device.sigma_flicker,
        device.drift_nu,
        device.sigma_drift_nu,
        device.drift_t0_s,
        device.endurance,
        device.endurance_shape,
        device.n_levels or 0,
        *map(len, tables),
    )
    return np.concatenate([np.asarray(part, np.float64) for part in (numbers, *tables)])
