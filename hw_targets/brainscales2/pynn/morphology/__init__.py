"""Neurons of several compartments, each of which consists of one or more circuits.

Circuits of a compartment share one membrane. Compartments are coupled by shared lines: a circuit is
connected to the line beside it directly or through its conductance, and the line can be closed
between columns.
"""

from hw_targets.brainscales2.pynn.morphology.mc_neuron import McNeuron, create_mc_neuron
from hw_targets.brainscales2.pynn.morphology.parameters import McCircuitParameters
from hw_targets.brainscales2.pynn.morphology.parts import Compartment, SharedLineConnection

PlacedCompartment = Compartment
"""Later name of the vendor's."""

__all__ = [
    "Compartment", "McCircuitParameters", "McNeuron", "PlacedCompartment", "SharedLineConnection",
    "create_mc_neuron",
]  # fmt: skip
