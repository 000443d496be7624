"""Neurons of several compartments, each of which consists of one or more circuits.

Circuits of a compartment share one membrane. Compartments are coupled by shared lines: a circuit is
connected to the line beside it directly or through its conductance, and the line can be closed
between columns.
"""

from hw_targets.brainscales2.pynn.morphology import mechanisms
from hw_targets.brainscales2.pynn.morphology.builder import (
    CompartmentBuilder,
    Connection,
    MorphologyBuilder,
)
from hw_targets.brainscales2.pynn.morphology.built_neuron import BuiltNeuron
from hw_targets.brainscales2.pynn.morphology.mc_neuron import McNeuron, create_mc_neuron
from hw_targets.brainscales2.pynn.morphology.parameters import McCircuitParameters
from hw_targets.brainscales2.pynn.morphology.parts import (
    Compartment,
    PlacedCompartment,
    SharedLineConnection,
)

__all__ = [
    "BuiltNeuron", "Compartment", "CompartmentBuilder", "Connection", "McCircuitParameters",
    "McNeuron", "MorphologyBuilder", "PlacedCompartment", "SharedLineConnection",
    "create_mc_neuron", "mechanisms",
]  # fmt: skip
