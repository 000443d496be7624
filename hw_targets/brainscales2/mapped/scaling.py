"""From biological units to those of the chip: potentials, time constants and weights.

The chip runs 1000 times faster than biology: 1 ms of a script is 1 us on the chip, so that times
have the same number in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.calibration import RANGES

Array = npt.NDArray[np.float64]

LEAK = 80.0
"""Where the resting potential goes if all other potentials allow it, in LSB of the CADC."""
SWING = 70.0
"""Distance from rest to threshold wanted, in LSB: 80 and 150 are the targets of the vendor's
calibration "spiking2"."""

#: Potential of a cell -> what is calibrated for it.
POTENTIALS = {
    "v_rest": "leak",
    "v_reset": "reset",
    "v_thresh": "threshold",
    "e_rev_E": "e_coba_reversal_exc",
    "e_rev_I": "e_coba_reversal_inh",
}
#: Time constant of a cell -> what is calibrated for it.
TIMES = {
    "tau_m": "tau_mem",
    "tau_syn_E": "tau_syn_exc",
    "tau_syn_I": "tau_syn_inh",
    "tau_refrac": "refractory_time",
}
#: Receptor of a cell -> input of a circuit; a dendrite is a circuit of its own.
RECEPTORS = {"excitatory": "exc", "inhibitory": "inh", "dendritic": "exc"}
INPUTS = ("exc", "inh")

RESET_PERIODS = 4.0
"""Shortest refractory period in time constants of the reset, which gets within 2 % of its
potential; 2 us, the calibration's default."""
GM_RANGE = (30, 500)
"""Strengths of synaptic inputs in use: up to that of the vendor's calibrations, which weak circuits
reach, too; beyond it they need settings out of range."""
DAC_RANGE = (30, limits.CAPMEM_MAX)
EXP_RATE_MAX = 0.8 * RANGES["exp_rate"][1]
"""Largest rate of a circuit's exponential current in use, in 1/us: the rest of the range is for the
errors of its calibration."""
COBA_DISTANCE = transfer.COBA_SETTING / limits.CAPMEM_MAX
"""Shortest distance of a reversal potential from the reference, in LSB."""


@dataclass(frozen=True)
class VoltageMap:
    """Potentials of a population on the chip: LSB = offset + scale mV.

    Parameters
    ----------
    scale : float
        LSB per mV, > 0.
    offset : float
        LSB at 0 mV.
    """

    scale: float
    offset: float

    def lsb(self, potential: npt.ArrayLike) -> Array:
        """Convert mV to LSB."""
        return np.asarray(self.offset + self.scale * np.asarray(potential, float))

    def mv(self, potential: npt.ArrayLike) -> Array:
        """Convert LSB to mV."""
        return np.asarray((np.asarray(potential, float) - self.offset) / self.scale)


def voltage_map(potentials: Mapping[str, Array]) -> VoltageMap:
    """Find the map that brings all potentials of a population into the calibratable ranges.

    The mean resting potential goes to `LEAK` and the mean threshold `SWING` above it, or, from a
    resting potential that isn't below the threshold, that far above the reset. The scale shrinks
    as far as any potential needs it, then the offset moves.

    Parameters
    ----------
    potentials : mapping of str to ndarray
        Names from `POTENTIALS` -> mV, one per cell; ``v_rest``, ``v_reset`` and ``v_thresh`` at
        least, thresholds above resets.

    Returns
    -------
    VoltageMap
    """
    rest, reset, threshold = (
        float(np.mean(potentials[name])) for name in ("v_rest", "v_reset", "v_thresh")
    )
    return fit_map(
        SWING / (threshold - rest if threshold > rest else threshold - reset),
        rest,
        [(values, RANGES[POTENTIALS[name]]) for name, values in potentials.items()],
    )


def fit_map(
    scale: float, rest: float, potentials: Sequence[tuple[Array, tuple[float, float]]]
) -> VoltageMap:
    """Find a map as near as possible to a wanted one that has all potentials in their ranges.

    Parameters
    ----------
    scale : float
        LSB per mV wanted; it shrinks as far as needed.
    rest : float
        Potential in mV that is wanted at `LEAK`.
    potentials : sequence of (ndarray, (float, float))
        Potentials in mV, and their range in LSB.

    Returns
    -------
    VoltageMap
    """
    bounds = [
        (float(np.min(values)), float(np.max(values)), *allowed) for values, allowed in potentials
    ]
    for lowest, _, low, _ in bounds:
        for _, highest, _, high in bounds:
            if highest > lowest:
                scale = min(scale, (high - low) / (highest - lowest))
    least = max(low - scale * lowest for lowest, _, low, _ in bounds)
    most = min(high - scale * highest for _, highest, _, high in bounds)
    return VoltageMap(scale, min(max(LEAK - scale * rest, least), most))


def time_range(name: str, is_ideal: bool) -> tuple[float, float]:
    """Return the range of a time constant in ms of biological time.

    Parameters
    ----------
    name : str
        From `TIMES`.
    is_ideal : bool
        Whether the reset takes no time.

    Returns
    -------
    low, high : float
    """
    low, high = RANGES[TIMES[name]]
    if name == "tau_refrac" and not is_ideal:
        low = RESET_PERIODS * transfer.RESET_TIME_US["calibrated"]
    return low, high


def coba_reference(potentials: Mapping[str, Array]) -> Array:
    """Choose where conductance-based inputs are as strong as current-based ones.

    It is halfway between rest and threshold, but far enough from the reversal potentials.

    Parameters
    ----------
    potentials : mapping of str to ndarray
        Calibration targets -> LSB, one per cell.

    Returns
    -------
    ndarray
        LSB; NaN for cells whose reversal potentials leave no room.
    """
    low, high = RANGES["e_coba_reference"]
    least = np.maximum(potentials["e_coba_reversal_inh"] + COBA_DISTANCE, low)
    most = np.minimum(potentials["e_coba_reversal_exc"] - COBA_DISTANCE, high)
    wanted = 0.5 * (potentials["leak"] + potentials["threshold"])
    return np.where(least <= most, np.clip(wanted, least, most), np.nan)


def coba_distance(reversal: Array, reference: Array, is_ideal: bool) -> Array:
    """Return the driving force in LSB at which a conductance acts as a current of its weight.

    Parameters
    ----------
    reversal, reference : ndarray
        LSB.
    is_ideal : bool
        Whether settings are not rounded.

    Returns
    -------
    ndarray
    """
    distance = np.abs(reversal - reference)
    if is_ideal:
        return distance
    return np.asarray(transfer.COBA_SETTING / np.rint(transfer.COBA_SETTING / distance))


def gain(gm: float, dac: float, merge: int) -> float:
    """Return the current of a neuron per LSB of weight, in LSB/us.

    Parameters
    ----------
    gm : float
        i_synin_gm.
    dac : float
        synapse_dac_bias.
    merge : int
        Circuits of a neuron, whose capacitances add up.

    Returns
    -------
    float
    """
    return transfer.GAIN * gm / transfer.GM_TARGET * dac / transfer.DAC_TARGET / merge


def choose_dac(largest: float, merge: int, rows: int | None) -> int:
    """Choose the synapse_dac_bias of the chip.

    It is as small as the strongest events of the network allow, which makes the others' weights
    larger numbers.

    Parameters
    ----------
    largest : float
        Largest current of an event anywhere, in LSB/us.
    merge : int
        Circuits of a neuron.
    rows : int or None
        Rows that a connection may take at most; None: as few as possible, but as many as needed.

    Returns
    -------
    int
    """
    if largest == 0.0:
        return round(transfer.DAC_TARGET)
    per_dac = (rows or 1) * limits.WEIGHT_MAX * gain(GM_RANGE[1], 1.0, merge)
    return _at_least(largest / per_dac, DAC_RANGE)


def choose_rows(largest: float, dac: int, merge: int, rows: int | None) -> int:
    """Choose how many rows the strongest connections of an input take.

    As few as possible: then i_synin_gm is large, and with it the current at which the input
    saturates.

    Parameters
    ----------
    largest : float
        Largest current of an event at this input, in LSB/us.
    dac : int
        synapse_dac_bias.
    merge, rows
        As in `choose_dac`.

    Returns
    -------
    int
    """
    of_one_row = limits.WEIGHT_MAX * gain(GM_RANGE[1], dac, merge)
    needed = _at_least(largest / of_one_row, (1, limits.N_ROWS * merge))
    return needed if rows is None else min(needed, rows)


def choose_gm(largest: float, dac: int, merge: int, rows: int) -> int:
    """Choose the i_synin_gm of a population's input.

    Parameters
    ----------
    largest : float
        Largest current of an event at this input, in LSB/us.
    dac : int
        synapse_dac_bias.
    merge : int
        Circuits of a neuron.
    rows : int
        From `choose_rows`.

    Returns
    -------
    int
        So that the largest weight comes as close to the largest of the chip as it can.
    """
    # Of several rows the last one needn't be full.
    if largest == 0.0 or rows > 1:
        return GM_RANGE[1]
    return _at_least(largest / (rows * limits.WEIGHT_MAX * gain(1.0, dac, merge)), GM_RANGE)


def hardware_weights(wanted: Array, rows: npt.ArrayLike, is_ideal: bool) -> Array:
    """Round and clip weights to what the chip has.

    Parameters
    ----------
    wanted : ndarray
        Weights in LSB, >= 0.
    rows : array_like of int
        Rows that each connection may take.
    is_ideal : bool
        Do not round.

    Returns
    -------
    ndarray
    """
    largest = np.asarray(rows, float) * limits.WEIGHT_MAX
    return np.minimum(wanted if is_ideal else np.rint(wanted), largest)


def _at_least(value: float, bounds: tuple[int, int]) -> int:
    # Rounding errors must not cost one LSB.
    return int(min(max(np.ceil(value - 1e-9), bounds[0]), bounds[1]))
