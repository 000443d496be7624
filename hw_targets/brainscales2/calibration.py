"""Calibration: the settings with which the circuits of a chip meet given targets.

Targets, defaults and ranges are those of calix (src/py/calix/spiking/neuron.py), which measures and
searches for the settings on the chip. Here the chip's mismatch is known and inverted; the errors
that calix's measurements leave are drawn, from the chip's seed.

Adaptation and exponential current are no targets of calix. Assumed: a calibration of them would
leave errors as that of the leak does, the exponential's threshold one as the spike threshold's.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from devices.noise import Stream, noise_key, normal, uniform
from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.mismatch import RESIDUAL
from hw_targets.brainscales2.physics import membrane
from hw_targets.brainscales2.settings import PARAMETERS, Settings
from hw_targets.brainscales2.transfer import Array

DITHER = 5
"""Equal settings of many circuits are spread by up to this, against crosstalk (calix,
hagen/neuron_helpers.py)."""
RESET_SETTING = 1015
"""Centre of the resets' dithered bias (cube 66)."""

#: Target -> range.
RANGES = {
    "leak": (50.0, 160.0),
    "reset": (50.0, 160.0),
    "threshold": (50.0, 220.0),
    "tau_mem": (0.5, 60.0),
    "tau_syn_exc": (0.3, 30.0),
    "tau_syn_inh": (0.3, 30.0),
    "i_synin_gm_exc": (30, 800),
    "i_synin_gm_inh": (30, 800),
    "e_coba_reversal_exc": (25.0, 355.0),
    "e_coba_reversal_inh": (25.0, 355.0),
    "e_coba_reference": (60.0, 160.0),
    "membrane_capacitance": (0, limits.CAPACITANCE_MAX),
    "refractory_time": (0.04, 32.0),
    "synapse_dac_bias": (30, limits.CAPMEM_MAX),
    "holdoff_time": (0.0, 4.0),
    "tau_icc": (0.1, 30.0),
    "adaptation_a": (-1.0, 1.0),
    "adaptation_b": (-10.0, 10.0),
    "tau_adaptation": (20.0, 1000.0),
    "exp_threshold": (25.0, 355.0),
    "exp_rate": (0.0, 1.0),
}
_UNITS = {"tau_mem": " us", "tau_syn_exc": " us", "tau_syn_inh": " us", "refractory_time": " us",
          "holdoff_time": " us", "tau_icc": " us", "adaptation_a": "/us",
          "adaptation_b": " LSB/us", "tau_adaptation": " us", "exp_rate": "/us"}  # fmt: skip
_INTEGERS = ("i_synin_gm_exc", "i_synin_gm_inh", "membrane_capacitance", "synapse_dac_bias")
_OPTIONAL = ("e_coba_reversal_exc", "e_coba_reversal_inh", "e_coba_reference", "tau_icc")


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """What calibrated circuits shall do; numbers for all circuits, or arrays of 512.

    Parameters
    ----------
    leak, reset, threshold : float or array_like, optional
        Potentials in LSB of the CADC; 50-160, 50-160 and 50-220.
    tau_mem : float or array_like, optional
        Membrane time constant in us, 0.5-60.
    tau_syn_exc, tau_syn_inh : float or array_like, optional
        Synaptic time constants in us, 0.3-30.
    i_synin_gm_exc, i_synin_gm_inh : int or array_like, optional
        Strengths of the synaptic inputs, 30-800: the bias that gives a median circuit this
        strength.
    e_coba_reversal_exc, e_coba_reversal_inh : float or array_like, optional
        Reversal potentials in LSB of conductance-based inputs, 25-355, the range of their setting;
        current-based if left out.
    e_coba_reference : float or array_like, optional
        Potential in LSB, 60-160, where a conductance-based input is as strong as a current-based
        one; halfway between leak and threshold if left out.
    membrane_capacitance : int or array_like, optional
        0-63; 63 is 2.2 pF.
    refractory_time : float or array_like, optional
        In us, 0.04-32.
    synapse_dac_bias : int, optional
        Bias of the synapses' current, 30-1022.
    holdoff_time : float or array_like, optional
        Part of the refractory time, in us, in which the reset is released; 0-4.
    tau_icc : float or array_like, optional
        Time constant of the conductance between compartments in us, 0.1-30; off if left out.
    adaptation_a : float or array_like, optional
        Adaptation's current per potential above the leak in 1/us, -1 ... 1, the range of its
        setting at full capacitance.
    adaptation_b : float or array_like, optional
        Step of this current at a spike in LSB/us, -10 ... 10, the range of its setting at full
        capacitance.
    tau_adaptation : float or array_like, optional
        Its time constant in us, 20-1000, for settings of 1000 to 20.
    exp_threshold : float or array_like, optional
        Threshold of the exponential current in LSB, 25-355, the range of its setting. The slope
        has no setting: it is `transfer.EXPONENTIAL_SLOPE`.
    exp_rate : float or array_like, optional
        Rate of the exponential current in 1/us, 0-1, the range of its setting at full capacitance;
        0: off. In an adaptive exponential neuron it is 1 / tau_mem.

    Raises
    ------
    ValueError
        If a target is out of range, has another shape than one circuit or 512, or is no integer
        where one is needed.
    """

    leak: npt.ArrayLike = 80.0
    reset: npt.ArrayLike = 70.0
    threshold: npt.ArrayLike = 125.0
    tau_mem: npt.ArrayLike = 10.0
    tau_syn_exc: npt.ArrayLike = 10.0
    tau_syn_inh: npt.ArrayLike = 10.0
    i_synin_gm_exc: npt.ArrayLike = 500
    i_synin_gm_inh: npt.ArrayLike = 500
    e_coba_reversal_exc: npt.ArrayLike | None = None
    e_coba_reversal_inh: npt.ArrayLike | None = None
    e_coba_reference: npt.ArrayLike | None = None
    membrane_capacitance: npt.ArrayLike = 63
    refractory_time: npt.ArrayLike = 2.0
    synapse_dac_bias: int = 600
    holdoff_time: npt.ArrayLike = 0.0
    tau_icc: npt.ArrayLike | None = None
    adaptation_a: npt.ArrayLike = 0.0
    adaptation_b: npt.ArrayLike = 0.0
    tau_adaptation: npt.ArrayLike = 100.0
    exp_threshold: npt.ArrayLike = 125.0
    exp_rate: npt.ArrayLike = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            _check(name, value, low, high)
        refractory, holdoff = np.asarray(self.refractory_time), np.asarray(self.holdoff_time)
        if (holdoff > refractory).any():
            raise ValueError(
                f"Target: holdoff_time={float(holdoff.max()):g} us, need at most the "
                f"refractory_time={float(refractory.min()):g} us, of which it is a part"
            )


def calibrate(chip: Chip, target: Target) -> Settings:
    """Find the settings with which a chip's circuits meet targets.

    Parameters
    ----------
    chip : Chip
        Chip to calibrate.
    target : Target
        What its circuits shall do.

    Returns
    -------
    Settings
        Integers; what they can't meet, and the errors that calix leaves (`mismatch.RESIDUAL`),
        remain. ``success`` is False for circuits that would need a setting out of range.
    """
    search = _Search(chip)
    capacitance = _all(target.membrane_capacitance)
    search.store("membrane_capacitance_capacitance", capacitance)
    relative_capacitance = transfer.membrane_capacitance(capacitance)
    for receptor, name in (("exc", "excitatory_input"), ("inh", "inhibitory_input")):
        _synaptic_input(search, target, receptor, name)
    _leak(search, target, relative_capacitance)
    search.store("reset_enable_multiplication", 1)
    search.store("reset_i_bias", search.dithered(RESET_SETTING))
    _potential(search, "reset", "reset_v_reset", _all(target.reset))
    search.store("threshold_enable", 1)
    _potential(search, "threshold", "threshold_v_threshold", _all(target.threshold))
    if target.tau_icc is not None:
        _compartment_conductance(search, _all(target.tau_icc), relative_capacitance)
    if _adapts(target).any():
        _adaptation(search, target, relative_capacitance)
    if np.any(target.exp_rate):
        _exponential(search, target, relative_capacitance)
    fast, slow = _refractory_period(search, target)
    return Settings(
        parameters=search.settings,
        synapse_dac_bias=target.synapse_dac_bias,
        clock_scale_fast=fast,
        clock_scale_slow=slow,
        biases="calibrated",
        success=search.success,
    )


def calibrate_leak_over_threshold(
    chip: Chip, settings: Settings, rate_khz: npt.ArrayLike
) -> Settings:
    """Set thresholds so that circuits spike at a given rate without input.

    Parameters
    ----------
    chip : Chip
        Chip to calibrate.
    settings : Settings
        Settings from `calibrate`.
    rate_khz : float or array_like
        Rates, > 0, one for all circuits or one for each, in kHz of hardware time.

    Returns
    -------
    Settings
        With other thresholds; ``success`` is also False for circuits whose leak can't reach a
        threshold in the given time.

    Raises
    ------
    ValueError
        If a rate is not positive, or has another shape than one circuit or 512.
    """
    _check("rate_khz", rate_khz, np.nextafter(0.0, 1.0), math.inf)
    circuits = chip.circuits(settings)
    rise_time = 1e3 / _all(rate_khz) - circuits.refractory_time - circuits.holdoff_time
    possible = rise_time > 0
    decay = np.exp(-circuits.reset_rate * circuits.refractory_time)
    threshold = np.asarray(circuits.leak_potential)
    # The reset starts at the threshold and doesn't quite reach its potential. Each round brings
    # the threshold closer by the part of it that survives both reset and rise.
    for _ in range(50):
        start = circuits.reset_potential + (threshold - circuits.reset_potential) * decay
        threshold = _rise(
            start,
            np.maximum(rise_time, 0.0) + circuits.holdoff_time,
            circuits.leak_potential + circuits.current / circuits.leak_rate,
            circuits.leak_rate,
            circuits.leak_saturation,
        )
    search = _Search(chip)
    line = transfer.LINES[settings.biases]["threshold"]
    search.store(
        "threshold_v_threshold", line.setting_of(threshold - chip.mismatch.threshold_offset)
    )
    return replace(
        settings.changed(**search.settings),
        success=np.asarray(settings.success) & search.success & possible,
    )


def ideal_circuits(target: Target) -> Circuits:
    """Circuits that meet targets exactly, on an ideal chip without the rounding of settings.

    Parameters
    ----------
    target : Target
        What the circuits shall do.

    Returns
    -------
    Circuits
        All 512, linear, without noise, reset at once.
    """
    chip = Chip.ideal()
    rounded = chip.circuits(calibrate(chip, target))
    capacitance = transfer.membrane_capacitance(_all(target.membrane_capacitance))
    exact: dict[str, Array] = {
        "capacitance": capacitance,
        "leak_potential": _all(target.leak),
        "leak_rate": 1.0 / _all(target.tau_mem),
        "reset_potential": _all(target.reset),
        "threshold": _all(target.threshold),
        "refractory_time": _all(target.refractory_time) - _all(target.holdoff_time),
        "holdoff_time": _all(target.holdoff_time),
        "current": np.zeros(limits.N_CIRCUITS),
    }
    for receptor in ("exc", "inh"):
        gm = _all(getattr(target, f"i_synin_gm_{receptor}")) / transfer.GM_TARGET
        dac = target.synapse_dac_bias / transfer.DAC_TARGET
        exact[f"syn_rate_{receptor}"] = 1.0 / _all(getattr(target, f"tau_syn_{receptor}"))
        exact[f"gain_{receptor}"] = transfer.GAIN * gm * dac / capacitance
        reversal = getattr(target, f"e_coba_reversal_{receptor}")
        if reversal is not None:
            exact[f"reversal_{receptor}"] = _all(reversal)
            exact[f"coba_reference_{receptor}"] = _coba_reference(target)
    if _adapts(target).any():
        exact["adaptation_a"] = _all(target.adaptation_a)
        exact["adaptation_b"] = _all(target.adaptation_b)
        exact["adaptation_rate"] = 1.0 / _all(target.tau_adaptation)
        exact["adaptation_potential"] = _all(target.leak)
    if np.any(target.exp_rate):
        exact["exp_threshold"] = _all(target.exp_threshold)
        exact["exp_rate"] = _all(target.exp_rate)
    return replace(rounded, **{name: value.astype(float) for name, value in exact.items()})


class _Search:
    """Settings found so far, and whether they are in range."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.settings: dict[str, npt.NDArray[np.int64]] = {}
        self.success = np.ones(limits.N_CIRCUITS, dtype=bool)
        self._key = noise_key(chip.seed, "brainscales2 calibration")

    def store(self, name: str, wanted: npt.ArrayLike) -> None:
        """Store a setting, rounded and clipped to its range."""
        rounded = np.rint(np.broadcast_to(np.asarray(wanted, dtype=float), limits.N_CIRCUITS))
        clipped = np.clip(rounded, 0, PARAMETERS[name].maximum)
        self.success &= rounded == clipped
        self.settings[name] = clipped.astype(np.int64)

    def error(self, kind: str, number: int) -> Array:
        """Errors of one kind that the calibration leaves."""
        if self.chip.is_ideal:
            return np.zeros(limits.N_CIRCUITS)
        circuits = np.arange(limits.N_CIRCUITS)
        return RESIDUAL[kind] * normal(self._key, circuits, number, Stream.D2D_GAIN)

    def dithered(self, setting: int) -> Array:
        """Equal settings, spread."""
        if self.chip.is_ideal:
            return np.full(limits.N_CIRCUITS, float(setting))
        spread = uniform(self._key, np.arange(limits.N_CIRCUITS), 0, Stream.D2D_STEP)
        return setting - DITHER + np.floor((2 * DITHER + 1) * spread)


def _synaptic_input(search: _Search, target: Target, receptor: str, name: str) -> None:
    chip = search.chip
    number = {"exc": 0, "inh": 1}[receptor]
    tau = _all(getattr(target, f"tau_syn_{receptor}"))
    high_resistance = tau >= transfer.HIGH_RESISTANCE_TAU_US
    one = np.ones(limits.N_CIRCUITS)
    nominal = 1.0 / (tau * transfer.synaptic_rate(one, high_resistance, receptor))
    wanted = nominal * getattr(chip.mismatch, f"tau_{receptor}")
    search.store(f"{name}_enable", 1)
    search.store(f"{name}_enable_small_capacitance", 0)
    search.store(f"{name}_enable_high_resistance", high_resistance)
    search.store(f"{name}_i_bias_tau", wanted * (1.0 + search.error("tau_syn", number)))
    gm = _all(getattr(target, f"i_synin_gm_{receptor}")) / transfer.GM_TARGET
    wanted = gm * transfer.GM_SETTING[receptor] / getattr(chip.mismatch, f"gain_{receptor}")
    search.store(f"{name}_i_bias_gm", wanted * (1.0 + search.error("gain", 2 + number)))
    shift = getattr(chip.mismatch, f"shift_{receptor}")
    search.store(f"{name}_i_shift_reference", shift + search.error("shift", 4 + number))
    reversal = getattr(target, f"e_coba_reversal_{receptor}")
    if reversal is not None:
        distance = np.abs(_all(reversal) - _coba_reference(target))
        search.store(f"{name}_enable_coba_mode", 1)
        search.store(f"{name}_v_rev_coba", transfer.DIRECT.setting_of(_all(reversal)))
        with np.errstate(divide="ignore"):
            search.store(f"{name}_i_bias_coba", transfer.COBA_SETTING / distance)


def _leak(search: _Search, target: Target, capacitance: Array) -> None:
    chip = search.chip
    one = np.ones(limits.N_CIRCUITS)
    nominal = capacitance / (_all(target.tau_mem) * transfer.leak_rate(one))
    multiply, divide = _switches(nominal, transfer.SWITCH_FACTOR)
    search.store("leak_enable_multiplication", multiply)
    search.store("leak_enable_division", divide)
    factor = transfer.conductance_switches(multiply, divide)
    wanted = nominal / factor / chip.mismatch.leak_conductance
    search.store("leak_i_bias", wanted * (1.0 + search.error("tau_mem", 6)))
    # The leak is calibrated with the synaptic inputs on, so that their currents are part of it.
    defaults = {name: np.full(limits.N_CIRCUITS, p.default) for name, p in PARAMETERS.items()}
    found = membrane(defaults | search.settings, chip.mismatch, "calibrated")
    resting = _all(target.leak) - found["current"] / found["leak_rate"]
    _potential(search, "leak", "leak_v_leak", resting)


def _potential(search: _Search, block: str, name: str, potential: Array) -> None:
    offset = getattr(search.chip.mismatch, f"{block}_offset")
    error = search.error(block, {"leak": 7, "reset": 8, "threshold": 9}[block])
    line = transfer.LINES["calibrated"][block]
    search.store(name, line.setting_of(potential - offset + error))


def _compartment_conductance(search: _Search, tau: Array, capacitance: Array) -> None:
    nominal = capacitance * transfer.COMPARTMENT_TAU_US / tau
    multiply, divide = _switches(nominal, transfer.COMPARTMENT_SWITCH_FACTOR)
    factor = transfer.conductance_switches(multiply, divide, transfer.COMPARTMENT_SWITCH_FACTOR)
    search.store("multicompartment_enable_conductance", 1)
    search.store("multicompartment_enable_conductance_multiplication", multiply)
    search.store("multicompartment_enable_conductance_division", divide)
    search.store("multicompartment_i_bias_nmda", nominal / factor)


def _adapts(target: Target) -> npt.NDArray[np.bool_]:
    return np.asarray((_all(target.adaptation_a) != 0.0) | (_all(target.adaptation_b) != 0.0))


def _adaptation(search: _Search, target: Target, capacitance: Array) -> None:
    a, b = _all(target.adaptation_a), _all(target.adaptation_b)
    bias = {
        "a": np.abs(a) * capacitance / transfer.leak_rate(np.ones(limits.N_CIRCUITS)),
        "b": np.abs(b) * capacitance / transfer.ADAPTATION_B,
        "tau": transfer.ADAPTATION_TAU_US / _all(target.tau_adaptation),
    }
    for number, (name, wanted) in enumerate(bias.items(), start=10):
        search.store(f"adaptation_i_bias_{name}", wanted * (1.0 + search.error("tau_mem", number)))
    potential = _all(target.leak) + search.error("leak", 13)
    search.store("adaptation_v_leak", transfer.DIRECT.setting_of(potential))
    search.store("adaptation_enable", _adapts(target))
    search.store("adaptation_enable_pulse", b != 0.0)
    search.store("adaptation_invert_a", a < 0.0)
    search.store("adaptation_invert_b", b < 0.0)


def _exponential(search: _Search, target: Target, capacitance: Array) -> None:
    rate = _all(target.exp_rate)
    bias = rate * capacitance / transfer.leak_rate(np.ones(limits.N_CIRCUITS))
    search.store("exponential_i_bias", bias * (1.0 + search.error("tau_mem", 14)))
    threshold = _all(target.exp_threshold) + search.error("threshold", 15)
    search.store("exponential_v_exp", transfer.DIRECT.setting_of(threshold))
    search.store("exponential_enable", rate != 0.0)


def _switches(nominal: Array, factor: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Switches that bring a bias into the middle of its range, with room for the mismatch."""
    multiply = nominal > 0.7 * limits.CAPMEM_MAX
    divide = nominal * factor < 0.5 * limits.CAPMEM_MAX
    return multiply.astype(np.int64), divide.astype(np.int64)


def _refractory_period(search: _Search, target: Target) -> tuple[int, int]:
    """Choose clocks, counters and hold-offs; return the scales of the fast and the slow clock.

    Circuits with a short refractory time count with the fast clock, so that the others' longer
    times don't make theirs coarse.
    """
    time, holdoff = _all(target.refractory_time), _all(target.holdoff_time)
    # One cycle of the counter is hold-off in any case; hold-offs are odd numbers of cycles.
    longest_holdoff = 2 * limits.RESET_HOLDOFF_MAX + 1
    cycle = np.maximum(time / (limits.REFRACTORY_TIME_MAX - 1), holdoff / longest_holdoff)
    fast = time <= time.mean()
    scales = [_clock_scale(cycle[group]) for group in (fast, ~fast)]
    period = _cycle_us(np.where(fast, *scales))
    odd = np.clip(np.rint((holdoff / period - 1.0) / 2.0), 0, limits.RESET_HOLDOFF_MAX)
    search.store("refractory_period_input_clock", fast)
    search.store("refractory_period_refractory_time", np.rint(time / period) + 1.0)
    search.store("refractory_period_reset_holdoff", limits.RESET_HOLDOFF_MAX - odd)
    return scales[0], scales[1]


def _clock_scale(cycle_us: Array) -> int:
    """Least scale whose cycle is at least the longest of those needed."""
    if cycle_us.size == 0:
        return 0
    shortest = float(_cycle_us(0))
    return max(0, math.ceil(math.log2(float(cycle_us.max()) / shortest)))


def _cycle_us(scale: npt.ArrayLike) -> Array:
    return 2.0 ** (np.asarray(scale) + 1.0) / limits.REFRACTORY_CLOCK_HZ * 1e6


def _rise(start: Array, time: Array, leak: Array, rate: Array, saturation: Array) -> Array:
    """Potential after a time on the saturating leak alone (exact)."""
    linear = leak + (start - leak) * np.exp(-rate * time)
    with np.errstate(invalid="ignore"):
        scaled = np.sinh((start - leak) / saturation) * np.exp(-rate * time)
        saturated = leak + saturation * np.arcsinh(scaled)
    return np.where(np.isinf(saturation), linear, saturated)


def _coba_reference(target: Target) -> Array:
    if target.e_coba_reference is not None:
        return _all(target.e_coba_reference)
    return 0.5 * (_all(target.leak) + _all(target.threshold))


def _all(value: npt.ArrayLike) -> Array:
    return np.array(np.broadcast_to(np.asarray(value), limits.N_CIRCUITS))


def _check(name: str, value: npt.ArrayLike, low: float, high: float) -> None:
    given = np.asarray(value)
    kinds = "iu" if name in _INTEGERS else "iuf"
    shapes = [(), (limits.N_CIRCUITS,)][: 1 if name == "synapse_dac_bias" else 2]
    if given.dtype.kind not in kinds or given.shape not in shapes:
        raise ValueError(
            f"Target: {name} of type {given.dtype} and shape {given.shape}, need "
            f"{'integers' if name in _INTEGERS else 'numbers'} of a shape in {shapes}"
        )
    outside = ~((given >= low) & (given <= high))
    if outside.any():
        unit = _UNITS.get(name, "")
        raise ValueError(
            f"Target: {name}={given[outside].flat[0]:g}{unit}, need {low:g} ... {high:g}{unit}"
        )
