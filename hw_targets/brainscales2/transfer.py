"""From settings to the physics of a neuron circuit.

Potentials are in LSB of the 8-bit CADC (about 4.5 mV), times in us, currents as the rate at which
they change the membrane's potential, in LSB/us. All functions take arrays, one element per circuit.

What is measured, with its source (repositories of https://github.com/electronicvisions unless
others are named):

- Cube 66: the calibrated settings of 512 circuits of one chip at leak 80, reset 80, threshold 150,
  both time constants 6 us (fmi-basel/brainscales-2-surrogate-gradients,
  experiments/mnist/cube_66.npz). Their means fix the lines of the potentials and the scales of the
  time constants and gains.
- Slopes of the potentials, 0.79, 0.88 and 0.99 MADC LSB per CapMem LSB: brainscales2-demos,
  fp_calibration.rst.
- Chip that was only initialised: brainscales2-demos, ts_00-single_neuron.rst, and its figure
  single_neuron_fixed_pattern.svg, ten circuits.
- Postsynaptic potentials of eight circuits over the weight: brainscales2-demos,
  ts_06-dynamic_range.rst, figure dynamic_range_solution.svg.
- 3 LSB of the MADC per LSB of the CADC, 304 against 80: hxtorch, introduction to hxsnn.

Each constant says what it rests on. Those marked *reconstructed* have no published number; they
follow from the argument given there and are to be read as an order of magnitude.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]
"""Settings: integers, or the numbers to be rounded to them."""

MADC_PER_CADC = 3.0
"""LSB of the MADC per LSB of the CADC (hxtorch)."""
MADC_OFFSET = 64.0
"""Reading of the MADC at 0 LSB of the CADC, such that 304 goes with 80 (hxtorch)."""
CADC_LSB_MV = 4.5
"""Voltage of one LSB of the CADC (calix, calibration of the CADC)."""
RAILS = (-13.0, 253.0)
"""Lowest and highest potential of a membrane in LSB of the CADC: its supply, 0 to 1.2 V (assumed).
0.15 V reads 20 LSB (calix, calibration of the CADC)."""
REFERENCE_TAU_US = 6.0
"""Both time constants at the settings below (cube 66)."""


@dataclass(frozen=True)
class Line:
    """Potential over its setting: a line through a measured point.

    Parameters
    ----------
    slope : float
        LSB of the CADC per LSB of the CapMem.
    setting, potential : float
        The point.
    """

    slope: float
    setting: float
    potential: float

    def __call__(self, setting: Numbers) -> Array:
        """Potential at a setting."""
        return np.asarray(self.potential + self.slope * (setting - self.setting))

    def setting_of(self, potential: Array) -> Array:
        """Find the setting, not rounded, that gives a potential."""
        return self.setting + (potential - self.potential) / self.slope


_LEAK_SLOPE = 0.79 / MADC_PER_CADC
_RESET_SLOPE = 0.88 / MADC_PER_CADC
_THRESHOLD_SLOPE = 0.99 / MADC_PER_CADC

#: Calibrated: the slopes of fp_calibration.rst through the mean settings of cube 66. The lines
#: printed there, of one neuron, give 84 LSB for the leak and 79 for the reset at these settings,
#: within the spread of the circuits, but 127 instead of 150 for the threshold.
_CALIBRATED = {
    "leak": Line(_LEAK_SLOPE, 629.1, 80.0),
    "reset": Line(_RESET_SLOPE, 624.8, 80.0),
    "threshold": Line(_THRESHOLD_SLOPE, 389.3, 150.0),
}
#: Raw: ten circuits (ts_00-single_neuron.rst) spike at 408.6 and are reset towards 143 LSB of the
#: MADC; a threshold of 250 reads 350 (cns_02-lif_fIcurve.rst). Reconstructed: a straight line
#: between both thresholds, and that the leak's source follower shifts the leak as much as the reset
#: (12 LSB).
_RAW_RESET = Line(_RESET_SLOPE, 400.0, (143.0 - MADC_OFFSET) / MADC_PER_CADC)
_FOLLOWER_SHIFT = float(_RAW_RESET.potential - _CALIBRATED["reset"](np.array(400.0)))
_RAW = {
    "leak": Line(_LEAK_SLOPE, 629.1, 80.0 + _FOLLOWER_SHIFT),
    "reset": _RAW_RESET,
    "threshold": Line(
        (408.6 - 350.0) / (500.0 - 250.0) / MADC_PER_CADC,
        500.0,
        (408.6 - MADC_OFFSET) / MADC_PER_CADC,
    ),
}
LINES = {"calibrated": _CALIBRATED, "raw": _RAW}
"""Lines of leak, reset and threshold for each state of the shared bias cells."""

DIRECT = _CALIBRATED["threshold"]
"""Line of voltages that reach their circuit without a source follower. Reconstructed: the
threshold's, for the reversal potentials, the exponential's threshold and the adaptation's
reference."""

LEAK_SETTING = 158.09
"""leak_i_bias that makes the membrane time constant 6 us at full capacitance (cube 66)."""
LEAK_SATURATION = 110.0
"""Differential potential at which the leak's amplifier saturates, in LSB. From the nearly linear
rise of ts_00-single_neuron.rst: with it a raw circuit at leak_i_bias 200 rises by 52 LSB/us of the
MADC (measured: 52.3 +- 6.1) and slows down by 30 % from reset to threshold (fits: 10-29 %)."""
SWITCH_FACTOR = 8.0
"""Factor of enable_multiplication and enable_division on leak and reset (haldls)."""
DEGENERATION = 2.0
"""Factor by which enable_degeneration lowers a conductance and widens its linear range, so that
the largest current stays the bias current. Reconstructed: the usual factor of source degeneration
by a device of equal transconductance."""

RESET_TIME_US = {"raw": 1.79, "calibrated": 0.5}
"""Reset's time constant at full capacitance, the bias below and with enable_multiplication:
measured in ts_00-single_neuron.rst, and the fastest that calix reaches."""
RESET_SETTING = {"raw": 1022.0, "calibrated": 1015.0}

TAU_SETTING = {"exc": 83.82, "inh": 78.35}
"""i_bias_tau that makes the synaptic time constant 6 us (cube 66)."""
HIGH_RESISTANCE_TAU_US = 20.0
"""Synaptic time constant at CAPMEM_MAX with enable_high_resistance: the shortest of this mode
(calix, spiking/neuron.py). Reconstructed: it falls with the bias as without the switch."""

GM_TARGET = 500.0
"""i_synin_gm of cube 66 and of the anchor of the gain."""
GM_SETTING = {"exc": 487.38, "inh": 538.90}
"""i_bias_gm that gives each input the gain meant by GM_TARGET (cube 66)."""
DAC_TARGET = 600.0
PSP_PEAK = 0.26
"""Peak in LSB per LSB of weight at GM_TARGET, DAC_TARGET, full capacitance and time constants of
10 us: 0.784 LSB of the MADC (ts_06-dynamic_range.rst)."""
GAIN = PSP_PEAK * np.e / 10.0
"""Current per LSB of weight that gives this peak, in LSB/us. Reconstructed: it is proportional to
i_bias_gm and synapse_dac_bias, the least assumption that meets the anchor."""
SATURATION = {
    "exc": GM_TARGET * limits.CURRENT_MAX_UA / limits.CAPMEM_MAX
    / limits.CAPACITANCE_PF / CADC_LSB_MV * 1e3,
    "inh": 7.2,
}  # fmt: skip
"""Largest current of each input at GM_TARGET in LSB/us. The inhibitory one is fitted to
ts_06-dynamic_range.rst. Reconstructed: the excitatory one is the whole bias current (49 LSB/us),
which meets the same figure within 4 LSB of the MADC."""
SHIFT_CURRENT = 0.23 * GAIN
"""Constant current at GM_TARGET per LSB of i_shift_reference away from the circuit's own, in
LSB/us. Reconstructed: the spread of this setting (122 LSB) stands for an offset of 15 mV, usual for
the amplifier, which saturates at the 100 mV that some 190 LSB of weight put on its input."""

CURRENT = 100.0 / MADC_PER_CADC / 500.0 * 500.0 / (LEAK_SETTING * REFERENCE_TAU_US)
"""Constant current of one LSB in LSB/us at full capacitance: 500 LSB raise the membrane by about
100 LSB of the MADC at a leak_i_bias of 500 (cns_01-lif_parameters.rst). That is a third of the
current of a cell, 1 uA at CAPMEM_MAX. A rheobase of 220 LSB (cns_02-lif_fIcurve.rst) would be a
third again."""
PARASITIC_CAPACITANCE = 8.0
"""Capacitance of a circuit at membrane_capacitance_capacitance 0, in LSB of this setting (0.25 pF):
wiring and transistors. Calix's test of it (tests/hw/py/test_capacitance_measurement.py) expects
that those of five circuits make the time constant of a sixth at least 24 % longer, so that it is
above 3.2, and that they are less than the sixth's 63, so that it is below 12.6. Reconstructed: the
middle."""

COBA_SETTING = 49500.0
"""Distance in LSB from reference to reversal potential at which the currents of the two modes are
equal, times i_bias_coba. Reconstructed: mid-range of i_bias_coba (300) at the defaults of
CalibHXNeuronCoba (reversal 300, reference 135 halfway between leak and threshold)."""

COMPARTMENT_TAU_US = 800.0
"""Time constant of the conductance between compartments times multicompartment_i_bias_nmda, at full
capacitance. Fitted to the attenuation along a chain of four compartments at a bias of 500
(brainscales2-demos, common_task_multicompartment.rst and its figure
multicompartment_chain_solution.svg). Reconstructed: it is proportional to the bias. The shortest
time constant is 0.2 us then, that of calix's targets 0.1 us."""
COMPARTMENT_SWITCH_FACTOR = 4.0
"""Factor of enable_conductance_multiplication and enable_conductance_division (haldls)."""

ADAPTATION_TAU_US = 20000.0
"""Adaptation's time constant times adaptation_i_bias_tau. Reconstructed: 20 us to 1 ms for 1022 to
20, the biological range."""
ADAPTATION_B = 10.0 / limits.CAPMEM_MAX
"""Step of the adaptation's current at a spike per LSB of adaptation_i_bias_b in LSB/us.
Reconstructed: at most half of the current that a leak of bias 200 delivers."""
EXPONENTIAL_SLOPE = 8.0
"""Slope factor of the exponential current in LSB. Reconstructed: 36 mV, one exponential transistor
(slope factor 1.4, 26 mV)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Mismatch:
    """How each circuit differs from the nominal one; arrays of one element per circuit.

    Parameters
    ----------
    leak_offset, reset_offset, threshold_offset : ndarray
        Added to the potentials, in LSB.
    leak_conductance, reset_conductance : ndarray
        Factors of the conductances.
    tau_exc, tau_inh : ndarray
        Factors of the synaptic time constants.
    gain_exc, gain_inh : ndarray
        Factors of the synaptic inputs' currents.
    shift_exc, shift_inh : ndarray
        i_shift_reference at which the input sends no constant current.
    """

    leak_offset: Array
    leak_conductance: Array
    reset_offset: Array
    reset_conductance: Array
    threshold_offset: Array
    tau_exc: Array
    tau_inh: Array
    gain_exc: Array
    gain_inh: Array
    shift_exc: Array
    shift_inh: Array

    def __getitem__(self, circuits: Numbers) -> Self:
        """Mismatch of some circuits."""
        return type(self)(**{f.name: getattr(self, f.name)[circuits] for f in fields(self)})


def membrane_capacitance(setting: Numbers) -> Array:
    """Capacitance relative to that at the largest setting.

    Parameters
    ----------
    setting : ndarray of int
        membrane_capacitance_capacitance.

    Returns
    -------
    ndarray
    """
    full = limits.CAPACITANCE_MAX + PARASITIC_CAPACITANCE
    return np.asarray((setting + PARASITIC_CAPACITANCE) / full)


def conductance_switches(
    multiply: Numbers, divide: Numbers, factor: float = SWITCH_FACTOR
) -> Array:
    """Factor that a conductance's switches make.

    Parameters
    ----------
    multiply, divide : ndarray of int
        0 or 1: the switches' states.
    factor : float, optional
        Factor of each switch.

    Returns
    -------
    ndarray
    """
    return np.asarray(np.where(multiply, factor, 1.0) / np.where(divide, factor, 1.0))


def leak_rate(i_bias: Numbers) -> Array:
    """Rate of the leak at full capacitance in 1/us, nominal.

    Parameters
    ----------
    i_bias : ndarray of int
        leak_i_bias.

    Returns
    -------
    ndarray
        1 / 6 us at 158: a time constant of 948 us / i_bias.
    """
    return i_bias / (LEAK_SETTING * REFERENCE_TAU_US)


def synaptic_rate(i_bias_tau: Numbers, high_resistance: Numbers, receptor: str) -> Array:
    """Rate at which a synaptic current decays in 1/us, nominal.

    Parameters
    ----------
    i_bias_tau, high_resistance : ndarray of int
        Settings of the input.
    receptor : {"exc", "inh"}
        Which input.

    Returns
    -------
    ndarray
        1 / 6 us at 84 and 78: a time constant of about 490 us / i_bias_tau.
    """
    low = TAU_SETTING[receptor] * REFERENCE_TAU_US
    high = limits.CAPMEM_MAX * HIGH_RESISTANCE_TAU_US
    return i_bias_tau / np.where(high_resistance, high, low)


def synaptic_strength(i_bias_gm: Numbers, receptor: str) -> Array:
    """Strength of a synaptic input's amplifier relative to that at GM_TARGET, nominal.

    Parameters
    ----------
    i_bias_gm : ndarray of int
        Setting of the input.
    receptor : {"exc", "inh"}
        Which input.

    Returns
    -------
    ndarray
    """
    return i_bias_gm / GM_SETTING[receptor]


def refractory_period(
    refractory_time: Numbers,
    reset_holdoff: Numbers,
    clock_scale: Numbers,
) -> tuple[Array, Array]:
    """Reset and hold-off after a spike: how long they last, in us.

    The counter runs at 250 MHz / 2^(scale + 1); its last cycles, at least one, are the hold-off, in
    which the reset is released and no spike is sent (haldls, NeuronBackendConfig; calix,
    spiking/refractory_period.py).

    Parameters
    ----------
    refractory_time, reset_holdoff, clock_scale : ndarray of int
        Settings and the scale of the selected clock.

    Returns
    -------
    reset, holdoff : ndarray
    """
    cycle = 2.0 ** (clock_scale + 1) / limits.REFRACTORY_CLOCK_HZ * 1e6
    holdoff = np.minimum(2 * (limits.RESET_HOLDOFF_MAX - reset_holdoff) + 1, refractory_time)
    return (refractory_time - holdoff) * cycle, holdoff * cycle


def compartment_rate(setting: Mapping[str, Numbers]) -> Array:
    """Conductance to other compartments at full capacitance in 1/us, nominal.

    Parameters
    ----------
    setting : mapping
        Parameter name -> values, one per circuit.

    Returns
    -------
    ndarray
        0 where the conductance is off.
    """
    switches = conductance_switches(
        setting["multicompartment_enable_conductance_multiplication"],
        setting["multicompartment_enable_conductance_division"],
        COMPARTMENT_SWITCH_FACTOR,
    )
    bias = setting["multicompartment_enable_conductance"] * setting["multicompartment_i_bias_nmda"]
    return np.asarray(bias * switches / COMPARTMENT_TAU_US)
