"""What a memristive device does to its bounds, its state and the weight it transmits.

Pure functions of arrays: counters and states belong to the caller. Their exact meaning, and the
order in which effects act, is in ``docs/model_definition.md``, section "The device". Devices are
to be without unknown strengths (`Memristor.resolved`).
"""

from devices.effects.bounds import MAX_DRAWS, Bounds, sample_bounds, spreads_bounds
from devices.effects.individual import drift_exponent, life, step_factors
from devices.effects.levels import initial_state, level_means
from devices.effects.programming import Programmed, perturb, program, pulse, write
from devices.effects.reading import FLICKER_OCTAVES, conductance, current, read_factor
from devices.effects.step import relative_step

__all__ = [
    "FLICKER_OCTAVES",
    "MAX_DRAWS",
    "Bounds",
    "Programmed",
    "conductance",
    "current",
    "drift_exponent",
    "initial_state",
    "level_means",
    "life",
    "perturb",
    "program",
    "pulse",
    "read_factor",
    "relative_step",
    "sample_bounds",
    "spreads_bounds",
    "step_factors",
    "write",
]
