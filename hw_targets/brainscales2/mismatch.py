"""Mismatch of the circuits of a chip, drawn after the one chip whose calibration is public.

The settings that equalise the 512 circuits of cube 66 (fmi-basel/
brainscales-2-surrogate-gradients, experiments/mnist/cube_66.npz) show how its circuits differ. A
virtual chip's circuits need settings of the same distribution: quadrants that differ from each
other as the four of cube 66 do, and Gaussian circuits in each, with the correlations found there.

The ten raw circuits of another chip (brainscales2-demos, figure single_neuron_fixed_pattern.svg)
disagree in one point: their lowest potentials spread by 9.9 LSB of the MADC, those of a virtual
chip by 20. Resets that spread half as much would give 12, but would also lower the spread of the
interspike intervals from 9.4 % to 8.1 %, of which that figure shows 13 %. They stay those of the
512 circuits of cube 66.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from devices.noise import Key, Stream, noise_key, normal
from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.transfer import Array, Mismatch

RESET_SPREAD = 0.056
"""Relative standard deviation of the reset's conductance: 0.10 of 1.79 us (brainscales2-demos,
figure single_neuron_fixed_pattern.svg)."""


class Spread(NamedTuple):
    """Distribution of one setting over the circuits of cube 66, in LSB of the CapMem."""

    quadrants: tuple[float, float, float, float]
    """Means of the quadrants."""
    std: float
    """Standard deviation within a quadrant."""
    residual: float
    """Part of it that is an error of the calibration, not mismatch."""
    relative: tuple[bool, bool] = (False, False)
    """Whether quadrants, and circuits in a quadrant, differ by a factor instead of a sum."""
    lowest: float = 0.0
    """Least setting of a virtual circuit, beyond the least of cube 66."""


#: What a calibration leaves, standard deviations. Potentials, in LSB: within the bounds that calix
#: sets its own tests (test_neuron_distribution.py, test_neuron_spiking.py). Time constants and
#: gain, relative: within these bounds too, and together the spread of the postsynaptic potentials
#: of ts_06-dynamic_range.rst in brainscales2-demos, 3.5-8 LSB of the MADC at peaks of up to 227.
#: Shift, in LSB of the CapMem: reconstructed, half an LSB of resting potential at 10 us.
RESIDUAL = {
    "leak": 1.5,
    "reset": 1.5,
    "threshold": 1.3,
    "tau_mem": 0.04,
    "tau_syn": 0.03,
    "gain": 0.02,
    "shift": 3.0,
}

_LINES = transfer.LINES["calibrated"]

SPREADS = {
    "exc_i_bias_tau": Spread(
        (91.7, 97.7, 61.8, 84.1), 16.8, RESIDUAL["tau_syn"] * 83.8, (True, False), 15.0
    ),
    "inh_i_bias_tau": Spread(
        (84.8, 93.0, 58.7, 77.0), 15.0, RESIDUAL["tau_syn"] * 78.4, (True, False), 15.0
    ),
    "exc_i_bias_gm": Spread(
        (488.8, 638.0, 321.0, 501.7), 29.1, RESIDUAL["gain"] * 487.4, (True, True), 100.0
    ),
    "inh_i_bias_gm": Spread(
        (550.6, 711.6, 349.3, 544.2), 29.1, RESIDUAL["gain"] * 538.9, (True, True), 100.0
    ),
    "exc_i_shift_reference": Spread(
        (311.5, 294.4, 335.9, 314.9), 122.5, RESIDUAL["shift"], lowest=20.0
    ),
    "inh_i_shift_reference": Spread(
        (287.6, 287.4, 288.7, 311.1), 110.3, RESIDUAL["shift"], lowest=20.0
    ),
    "leak_v_leak": Spread(
        (632.8, 658.0, 605.7, 619.9), 34.3, RESIDUAL["leak"] / _LINES["leak"].slope
    ),
    "leak_i_bias": Spread(
        (165.2, 167.0, 148.4, 151.7), 19.4, RESIDUAL["tau_mem"] * 158.1, (True, False), 50.0
    ),
    "reset_v_reset": Spread(
        (634.0, 656.8, 597.6, 610.9), 32.5, RESIDUAL["reset"] / _LINES["reset"].slope
    ),
    "threshold_v_threshold": Spread(
        (383.4, 400.7, 375.8, 397.1), 14.3, RESIDUAL["threshold"] / _LINES["threshold"].slope
    ),
}

#: Correlations within the quadrants that stand out (512 circuits: standard error 0.044).
CORRELATIONS = {
    ("leak_v_leak", "reset_v_reset"): 0.61,
    ("exc_i_bias_gm", "inh_i_bias_gm"): 0.42,
    ("exc_i_bias_gm", "exc_i_shift_reference"): -0.28,
    ("reset_v_reset", "threshold_v_threshold"): 0.28,
    ("leak_v_leak", "leak_i_bias"): -0.25,
    ("leak_v_leak", "threshold_v_threshold"): 0.21,
    ("leak_i_bias", "reset_v_reset"): -0.17,
}


def draw(seed: int) -> Mismatch:
    """Draw the mismatch of a virtual chip.

    Parameters
    ----------
    seed : int
        Seed of the chip, >= 0.

    Returns
    -------
    Mismatch
        Circuit k of a seed is always the same.
    """
    circuits = _circuits(noise_key(seed, "brainscales2 circuits"))
    quadrants = _quadrants(noise_key(seed, "brainscales2 quadrants"))
    needed = {}
    for name, spread in SPREADS.items():
        centre = np.repeat(quadrants[name], limits.CIRCUITS_PER_QUADRANT)
        if spread.relative[1]:
            value = centre * (1.0 + circuits[name] / np.mean(spread.quadrants))
        else:
            value = centre + circuits[name]
        needed[name] = np.clip(value, spread.lowest, limits.CAPMEM_MAX)
    return from_settings(needed, reset_conductance(seed))


def reset_conductance(seed: int) -> Array:
    """Draw the factors of the resets' conductances, which no calibration sets.

    Parameters
    ----------
    seed : int
        Seed of the chip, >= 0.

    Returns
    -------
    ndarray, shape (512,)
    """
    noise = normal(
        noise_key(seed, "brainscales2 reset"),
        np.arange(limits.N_CIRCUITS),
        0,
        Stream.D2D_GAIN,
    )
    return 1.0 + RESET_SPREAD * noise


def from_settings(needed: Mapping[str, npt.ArrayLike], reset_conductance: Array) -> Mismatch:
    """Mismatch that makes circuits need given settings to meet the targets of cube 66.

    Parameters
    ----------
    needed : mapping
        Setting, named as in `SPREADS` -> one number per circuit.
    reset_conductance : ndarray
        Factors of the resets' conductances.

    Returns
    -------
    Mismatch
    """
    setting = {name: np.asarray(value, dtype=float) for name, value in needed.items()}

    def offset(block: str, name: str) -> Array:
        line = _LINES[block]
        return line.slope * (line.setting - setting[name])

    return Mismatch(
        leak_offset=offset("leak", "leak_v_leak"),
        leak_conductance=transfer.LEAK_SETTING / setting["leak_i_bias"],
        reset_offset=offset("reset", "reset_v_reset"),
        reset_conductance=reset_conductance,
        threshold_offset=offset("threshold", "threshold_v_threshold"),
        tau_exc=setting["exc_i_bias_tau"] / transfer.TAU_SETTING["exc"],
        tau_inh=setting["inh_i_bias_tau"] / transfer.TAU_SETTING["inh"],
        gain_exc=transfer.GM_SETTING["exc"] / setting["exc_i_bias_gm"],
        gain_inh=transfer.GM_SETTING["inh"] / setting["inh_i_bias_gm"],
        shift_exc=setting["exc_i_shift_reference"],
        shift_inh=setting["inh_i_shift_reference"],
    )


def none() -> Mismatch:
    """Mismatch of circuits that are all nominal.

    Returns
    -------
    Mismatch
    """
    means = {
        "exc_i_bias_tau": transfer.TAU_SETTING["exc"],
        "inh_i_bias_tau": transfer.TAU_SETTING["inh"],
        "exc_i_bias_gm": transfer.GM_SETTING["exc"],
        "inh_i_bias_gm": transfer.GM_SETTING["inh"],
        "exc_i_shift_reference": float(np.mean(SPREADS["exc_i_shift_reference"].quadrants)),
        "inh_i_shift_reference": float(np.mean(SPREADS["inh_i_shift_reference"].quadrants)),
        "leak_v_leak": _LINES["leak"].setting,
        "leak_i_bias": transfer.LEAK_SETTING,
        "reset_v_reset": _LINES["reset"].setting,
        "threshold_v_threshold": _LINES["threshold"].setting,
    }
    ones = np.ones(limits.N_CIRCUITS)
    return from_settings({name: mean * ones for name, mean in means.items()}, ones)


def _circuits(key: Key) -> dict[str, Array]:
    """Draw deviations of the circuits from their quadrant, correlated, in LSB of the CapMem."""
    names = list(SPREADS)
    factor = _cholesky(_covariance())
    independent = [
        normal(key, np.arange(limits.N_CIRCUITS), i, Stream.D2D_GAIN) for i in range(len(names))
    ]
    # Summed in a fixed order, so that every machine draws the same chip.
    deviations = {}
    for i, name in enumerate(names):
        total = np.zeros(limits.N_CIRCUITS)
        for j in range(i + 1):
            total = total + factor[i][j] * independent[j]
        deviations[name] = total
    return deviations


def _quadrants(key: Key) -> dict[str, Array]:
    """Draw the quadrants' means: mixtures of the deviations of the quadrants of cube 66.

    Mixed with independent normal numbers they have the covariance found there, so that for
    instance a quadrant of fast synapses also has strong ones. The mean of the four is fixed: how
    chips differ as a whole is not known from one chip.
    """
    n = limits.N_QUADRANTS
    mixing = normal(key, np.arange(n)[:, None], np.arange(n)[None, :], Stream.D2D_GAIN)
    mixing = mixing - (mixing[0] + mixing[1] + mixing[2] + mixing[3]) / n
    means = {}
    for name, spread in SPREADS.items():
        mean = math.fsum(spread.quadrants) / n
        if spread.relative[0]:
            deviations = [math.log(quadrant / mean) for quadrant in spread.quadrants]
        else:
            deviations = [quadrant - mean for quadrant in spread.quadrants]
        centre = math.fsum(deviations) / n
        total = np.zeros(n)
        for i, deviation in enumerate(deviations):
            total = total + (deviation - centre) / math.sqrt(n - 1) * mixing[:, i]
        if spread.relative[0]:
            # Half the variance keeps the mean of the exponentials.
            variance = math.fsum((d - centre) ** 2 for d in deviations) / n
            means[name] = np.array([mean * math.exp(t - 0.5 * variance) for t in total])
        else:
            means[name] = mean + total
    return means


def _covariance() -> list[list[float]]:
    """Covariance of the mismatch: of the settings, less what the calibration's errors add."""

    def element(a: str, b: str) -> float:
        if a == b:
            return SPREADS[a].std ** 2 - SPREADS[a].residual ** 2
        correlation = CORRELATIONS.get((a, b), CORRELATIONS.get((b, a), 0.0))
        return correlation * SPREADS[a].std * SPREADS[b].std

    return [[element(a, b) for b in SPREADS] for a in SPREADS]


def _cholesky(matrix: list[list[float]]) -> list[list[float]]:
    """Lower triangular factor of a covariance matrix, the same to the bit on every machine."""
    n = len(matrix)
    factor = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - math.fsum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = math.sqrt(rest) if i == j else rest / factor[j][j]
    return factor
