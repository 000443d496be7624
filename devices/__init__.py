"""Physics of memristive devices: parameters, non-idealities and their noise. Needs numpy only."""

from devices import effects, noise
from devices.memristor import Memristor

__all__ = ["Memristor", "effects", "noise"]
