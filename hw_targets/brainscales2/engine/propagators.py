"""Solutions of the linear equations for every length of a step."""

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine.clock import CYCLE_US

FloatArray = npt.NDArray[np.float64]


def propagators(circuits: Circuits, cycles: int) -> FloatArray:
    """Compute what is left or made of each quantity after 0 ... `cycles` cycles.

    Parameters
    ----------
    circuits : Circuits
        Rates.
    cycles : int
        Longest step.

    Returns
    -------
    ndarray, shape (cycles + 1, 8, n)
        For each length: decay of the potential towards the leak potential, effect of a constant
        unit current on the potential, decay of I_exc and effect of its initial value on the
        potential, the same of I_inh, decay towards the reset potential, decay of the adaptation.
    """
    t = np.arange(cycles + 1, dtype=np.float64)[:, None] * CYCLE_US
    out = np.empty((cycles + 1, 8, len(circuits)))
    out[:, 0] = np.exp(-circuits.leak_rate * t)
    out[:, 1] = response(circuits.leak_rate, np.zeros(len(circuits)), t)
    for row, rate in ((2, circuits.syn_rate_exc), (4, circuits.syn_rate_inh)):
        out[:, row] = np.exp(-rate * t)
        out[:, row + 1] = response(circuits.leak_rate, rate, t)
    out[1:, 6] = np.exp(-circuits.reset_rate * t[1:])
    out[0, 6] = 1.0
    out[:, 7] = np.exp(-circuits.adaptation_rate * t)
    return out


def response(leak_rate: FloatArray, rate: FloatArray, t: FloatArray) -> FloatArray:
    """Convolve exp(-leak_rate t) and exp(-rate t), whether or not the rates are equal.

    Parameters
    ----------
    leak_rate, rate : ndarray
        Rates.
    t : ndarray
        Times; all broadcast against each other.

    Returns
    -------
    ndarray
    """
    x = (leak_rate - rate) * t
    safe = np.where(x == 0.0, 1.0, x)
    relative = np.where(x == 0.0, 1.0, np.expm1(safe) / safe)
    return np.asarray(t * np.exp(-leak_rate * t) * relative)
