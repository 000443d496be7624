"""Readings of the converters: of membranes and of the voltages inside a circuit."""

import numpy as np
import numpy.typing as npt

from devices.noise import noise_key
from hw_targets.brainscales2 import limits, readout, transfer
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.pynn.configuration import Configuration
from hw_targets.brainscales2.settings import Settings

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

INPUT_REST = 200.0
"""Voltage of a synaptic input without events in LSB of the CADC. Reconstructed: 0.9 V, the upper
part of the CADC's range, from which events pull it down."""
INPUT_PER_WEIGHT = 100.0 / 190.0 / transfer.CADC_LSB_MV
"""By how much an event of weight 1 lowers it at a synapse_dac_bias of 600, in LSB. Reconstructed:
the amplifier saturates at 100 mV, which some 190 LSB of weight put on its input (as
`transfer.SHIFT_CURRENT`)."""
ADAPTATION_CONDUCTANCE = 0.5
"""Current of the adaptation at full capacitance over its voltage in 1/us. Reconstructed: that of a
leak in the middle of its range of biases. It does not depend on adaptation_i_bias_a, without which
spikes adapt the neuron all the same (brainscales2-demos, ts_08)."""


def voltage(
    variable: str,
    values: FloatArray,
    circuits: Circuits,
    settings: Settings,
    hardware: IntArray,
) -> FloatArray:
    """Convert what the engine notes to the voltage that a converter sees.

    Parameters
    ----------
    variable : {"v", "exc_synin", "inh_synin", "adaptation"}
        Variable.
    values : ndarray, shape (n_times, n)
        Potentials in LSB or currents in LSB/us.
    circuits : Circuits
        The n circuits, or compartments of several.
    settings : Settings
        Settings of the chip.
    hardware : ndarray of int64, shape (n,)
        Circuits of the chip that are read.

    Returns
    -------
    ndarray, shape (n_times, n)
        LSB of the CADC.
    """
    if variable == "v":
        return values
    if variable == "adaptation":
        # The state variable is pulled towards v_ref (haldls, neuron.h).
        reference = transfer.DIRECT(settings["adaptation_v_ref"][hardware])
        return np.asarray(reference + values * circuits.capacitance / ADAPTATION_CONDUCTANCE)
    gain = np.abs(circuits.gain_exc if variable == "exc_synin" else circuits.gain_inh)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(gain > 0, values / gain, 0.0)
    bias = np.asarray(settings.synapse_dac_bias)[hardware // limits.CIRCUITS_PER_QUADRANT]
    return INPUT_REST - INPUT_PER_WEIGHT * weight * (bias / transfer.DAC_TARGET)


def sample_times(device: str, begin_us: float, end_us: float) -> FloatArray:
    """List when a converter samples, in us."""
    times = readout.madc_times if device == "madc" else readout.cadc_times
    return times(begin_us, end_us)


def readings(
    device: str,
    times_us: FloatArray,
    voltages: FloatArray,
    circuits: IntArray,
    configuration: Configuration,
    calibrated: bool,
    trial: int,
    snippet: int,
) -> npt.NDArray[np.float64]:
    """Convert voltages to readings.

    Parameters
    ----------
    device : {"madc", "cadc"}
        Converter.
    times_us : ndarray, shape (n_times,)
        When it samples.
    voltages : ndarray, shape (n, n_times)
        LSB of the CADC.
    circuits : ndarray of int64, shape (n,)
        Circuits recorded.
    configuration : Configuration
        Chip and fidelity.
    calibrated : bool
        Whether the CADC is calibrated.
    trial, snippet : int
        Numbers of the run and of the snippet in it.

    Returns
    -------
    ndarray, shape (n, n_times)
        Readings; with the fidelity ``"ideal"`` not rounded.
    """
    is_madc = device == "madc"
    if configuration.is_ideal:
        if is_madc:
            return transfer.MADC_OFFSET + transfer.MADC_PER_CADC * voltages
        return voltages
    if not times_us.size:
        return np.empty_like(voltages)
    key = None
    if configuration.noise:
        key = noise_key(configuration.chip.seed, f"brainscales2 readout {snippet}")
    # One more, so that there is an interval to sample.
    grid = np.append(times_us, times_us[-1] + 1.0)
    traces = np.concatenate([voltages, voltages[:, -1:]], axis=1)
    if is_madc:
        return readout.madc(grid, traces, times_us, key, circuits, trial).astype(np.float64)
    chip = configuration.chip
    offset = (chip.cadc_residual if calibrated else chip.cadc_offset)[circuits]
    return readout.cadc(grid, traces, times_us, key, circuits, trial, offset).astype(np.float64)
