"""Spiking temporal memory with memristive synapses.

Learns sequences of symbols and predicts their continuation: Bouhadjar et al. (2022),
doi:10.1371/journal.pcbi.1010233; with ReRAM synapses Bouhadjar et al. (2023),
doi:10.1088/2634-4386/acf1c4.
"""

from models.sequence_learning.chip_instance import CHIP_INSTANCE
from models.sequence_learning.network import Network, build
from models.sequence_learning.parameters import Connectivity, Inhibitory, Neuron, Parameters
from models.sequence_learning.plasticity import Plasticity
from models.sequence_learning.simulation import simulate
from models.sequence_learning.stimulus import Stimulus, training_stimulus
from models.sequence_learning.task import SEQUENCE_SETS, Task

__all__ = [
    "CHIP_INSTANCE",
    "SEQUENCE_SETS",
    "Connectivity",
    "Inhibitory",
    "Network",
    "Neuron",
    "Parameters",
    "Plasticity",
    "Stimulus",
    "Task",
    "build",
    "simulate",
    "training_stimulus",
]
