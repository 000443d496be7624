"""Published devices: parameters with their sources, and the conversions they were made with.

Numbers only. What a source does not report is None, unknown, and is refused where it matters
(`devices.Memristor.resolved`).
"""

from devices.presets.catalogue import preset, presets
from devices.presets.neurosim import nonlinear_update, nonlinearity_to_a
from devices.presets.polynomials import polynomial_of_conductance, polynomial_of_fraction
from devices.presets.provenance import Preset, Source
from devices.presets.weights import WeightScale

__all__ = [
    "Preset",
    "Source",
    "WeightScale",
    "nonlinear_update",
    "nonlinearity_to_a",
    "polynomial_of_conductance",
    "polynomial_of_fraction",
    "preset",
    "presets",
]
