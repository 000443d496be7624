"""Physics of memristive devices: parameters, non-idealities, arrays of devices and crossbars.

Importing it needs numpy only; scipy and numba are imported by what uses them.
"""

from devices import effects, noise
from devices.array import DeviceArray
from devices.crossbar import Crossbar
from devices.memristor import Memristor, UnknownParameterError
from devices.programmed import ProgrammedWeights, program_weights
from devices.update import Update
from devices.write_verify import WriteVerify

__all__ = [
    "Crossbar",
    "DeviceArray",
    "Memristor",
    "ProgrammedWeights",
    "UnknownParameterError",
    "Update",
    "WriteVerify",
    "effects",
    "noise",
    "program_weights",
]
