"""Neurons composed of a membrane and named receptors."""

from typing import Any

from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import cells

from .membranes import ADAPTIVE_TRANSLATIONS, LEAKY_TRANSLATIONS, adaptive, leaky
from .model import MICRO, MILLI, NANO, Cell, NeuronModel, translation

__all__ = ["AdExp", "LIF", "PointNeuron"]


class LIF(cells.LIF):  # noqa: D101
    __doc__ = cells.LIF.__doc__
    translations = LEAKY_TRANSLATIONS
    state_variable_translations = translation(("v", "v", MILLI))
    make_model = staticmethod(leaky)


class AdExp(cells.AdExp):  # noqa: D101
    __doc__ = cells.AdExp.__doc__
    translations = ADAPTIVE_TRANSLATIONS
    state_variable_translations = translation(("v", "v", MILLI), ("w", "w", NANO))
    make_model = staticmethod(adaptive)


class PointNeuron(Cell, cells.PointNeuron):
    """A membrane with any number of receptors.

    The parameters of a receptor bear its name: ``population.set(**{"AMPA.tau_syn": 2.0})``.

    Parameters
    ----------
    neuron : LIF or AdExp
        The membrane.
    **post_synaptic_receptors
        Post-synaptic responses by the name of the receptor.
    """

    def __init__(self, neuron: Any, **post_synaptic_receptors: Any) -> None:
        super().__init__(neuron, **post_synaptic_receptors)
        receptors = post_synaptic_receptors.items()
        self.translations = dict(neuron.translations)
        self.state_variable_translations = dict(neuron.state_variable_translations)
        parameters = dict(neuron.parameter_space.items())
        for name, receptor in receptors:
            self.translations |= receptor.translations(name)
            self.state_variable_translations |= receptor.state_variable_translations(name)
            # Where on the dendrite a receptor is means nothing here.
            values = receptor.parameter_space.items()
            parameters |= {f"{name}.{key}": value for key, value in values if key != "locations"}
        self.default_parameters = {name: space.base_value for name, space in parameters.items()}
        self.parameter_space = ParameterSpace(parameters, self.get_schema())
        responses = [receptor.response(name) for name, receptor in receptors]
        self.brian2_model: NeuronModel = neuron.make_model(responses)
        self.post_synaptic_variables = {response.name: response.target for response in responses}
        self.weight_scale = MICRO if any(r.conductance for r in responses) else NANO

    def get_schema(self) -> dict[str, type]:
        """Return the type of each parameter."""
        return dict.fromkeys(self.default_parameters, float)

    def has_parameter(self, name: str) -> bool:
        """Return whether there is such a parameter."""
        return name in self.default_parameters

    def get_parameter_names(self) -> list[str]:
        """Return the names of the parameters."""
        return list(self.default_parameters)

    def computed_parameters_include(self, parameter_names: Any) -> bool:
        """Return False: no parameter depends on more than one other."""
        return False
