"""What compiled code needs to know of a device, in numbers and arrays."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from devices.effects import level_means
from devices.memristor import Memristor
from devices.update import Update

FloatArray = npt.NDArray[np.float64]

LAWS = ("linear", "exponential", "power", "piecewise")


class Direction(NamedTuple):
    """Parameters of the update law in one direction, as in `devices.Update`."""

    step: float
    slope: float
    amplitude: float
    rate: float
    exponent: float
    nodes: FloatArray


class Rule(NamedTuple):
    """What a pulse does.

    The types are the same for every device, so that one compilation serves all. Arrays are empty
    where an effect is off.

    Attributes
    ----------
    law : int
        Position of the update law in `LAWS`.
    up, down : Direction
        Its parameters.
    sigma_c2c_step, sigma_c2c, c2c_polynomial : float, float, ndarray
        Cycle-to-cycle noise of a write.
    lowest : float
        Lowest conductance relative to the highest.
    n_levels : int
        0: no levels.
    level_means, level_sigmas : ndarray of float64
        The first is empty for uniform levels, too.
    """

    law: int
    up: Direction
    down: Direction
    sigma_c2c_step: float
    sigma_c2c: float
    c2c_polynomial: FloatArray
    lowest: float
    n_levels: int
    level_means: FloatArray
    level_sigmas: FloatArray


def rule_of(device: Memristor) -> Rule:
    """Return the rule of a device.

    Parameters
    ----------
    device : Memristor
        With an update law that has pulses and no strength unknown.

    Returns
    -------
    Rule
        Its numbers.
    """
    update = device.update
    per_write = device.c2c_event == "write"
    uniform = not device.level_means and device.level_spacing == "uniform"
    return Rule(
        law=LAWS.index(update.law),
        up=_direction(update, "up"),
        down=_direction(update, "down"),
        sigma_c2c_step=float(device.sigma_c2c_step or 0.0),
        sigma_c2c=float(device.sigma_c2c or 0.0) if per_write else 0.0,
        c2c_polynomial=np.array(device.c2c_polynomial if per_write else (), dtype=np.float64),
        lowest=1.0 / float(device.on_off_ratio or math.inf),
        n_levels=device.n_levels or 0,
        level_means=np.empty(0) if uniform else level_means(device),
        level_sigmas=np.array(device.level_sigmas, dtype=np.float64),
    )


def _direction(update: Update, name: str) -> Direction:
    def value(parameter: str) -> Any:
        return getattr(update, f"{parameter}_{name}")

    return Direction(
        step=value("step"),
        slope=value("slope"),
        amplitude=value("amplitude"),
        rate=value("rate"),
        exponent=value("exponent"),
        nodes=np.array(value("nodes"), dtype=np.float64),
    )
