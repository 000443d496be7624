"""Stand-in for the vendor's demos' measurement of an external voltage with the MADC."""

from typing import Any

import numpy as np
import numpy.typing as npt

from devices.noise import noise_key
from hw_targets.brainscales2 import readout, transfer
from hw_targets.brainscales2.pynn.configuration import configuration, next_run
from hw_targets.brainscales2.vendor.hxcomm import ManagedConnection

N_SAMPLES = 300
"""Samples that the demos' function returns."""
_VOLT_AT = (20.0, 0.15)
"""Reading of the CADC in LSB and the voltage there. Reconstructed: calix calibrates the CADC to
read 20-220 over the cells 70-550 of the parameter storage, which are some 0.15-1.05 V."""


def measure_voltage(connection: ManagedConnection, voltage: float) -> npt.NDArray[Any]:
    """Sample a voltage that is applied from outside with the MADC.

    Parameters
    ----------
    connection : ManagedConnection
        Without effect.
    voltage : float
        In V.

    Returns
    -------
    ndarray, shape (300,)
        With the fields ``value``, the reading in LSB, and ``chip_time`` in clock cycles of the
        MADC's samples.
    """
    chosen = configuration()
    reading, volt = _VOLT_AT
    potential = reading + (voltage - volt) * 1e3 / transfer.CADC_LSB_MV
    times = readout.madc_times(0.0, (N_SAMPLES + 0.5) * readout.MADC_PERIOD_US)[:N_SAMPLES]
    key = noise_key(chosen.chip.seed, "brainscales2 external voltage") if chosen.noise else None
    trace = np.full((1, times.size), potential)
    samples = np.empty(N_SAMPLES, dtype=[("value", np.int64), ("chip_time", np.int64)])
    samples["value"] = readout.madc(times, trace, times, key, trial=next_run())[0]
    samples["chip_time"] = np.arange(N_SAMPLES)
    return samples
