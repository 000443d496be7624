"""What a neuron model is to Brian2, and the group of neurons that is made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import brian2
import numpy as np
from pyNN.brian2 import simulator
from pyNN.errors import InvalidParameterValueError

#: Propagators of a time step from the parameters (arrays of shape (n,) in SI units) and its length
#: in seconds.
Propagators = Callable[[Mapping[str, np.ndarray], float], dict[str, np.ndarray]]

MILLI, MICRO, NANO = 1e3, 1e6, 1e9


def translation(*entries: tuple[str, str, float] | tuple[str, str]) -> dict[str, dict[str, Any]]:
    """Build a PyNN translation to SI units.

    Unlike PyNN's it divides by exact powers of ten (`MILLI`, `MICRO`, `NANO`): there and back, most
    decimal numbers are what they were.

    Parameters
    ----------
    *entries : tuple
        Name in PyNN, name in Brian2 and, if the parameter has a unit, how many of PyNN's units the
        SI unit has.

    Returns
    -------
    dict
        As `pyNN.standardmodels.build_translations` returns.
    """

    def entry(name: str, native: str, units: float = 1.0) -> dict[str, Any]:
        return {
            "translated_name": native,
            "forward_transform": lambda **values: values[name] / units,
            "reverse_transform": lambda **values: values[native] * units,
            "type": "scaled",
        }

    return {values[0]: entry(*values) for values in entries}


@dataclass(frozen=True)
class NeuronModel:
    """Neuron model in Brian2's terms.

    Parameters
    ----------
    equations : str
        Differential equations and parameters; parameters are ``(constant)``.
    threshold : str
        Condition for a spike.
    reset : str
        Statements at a spike.
    refractory : str or False
        Brian2's condition or duration. ``refractory_period`` is available, where declared, as the
        duration in Brian2's sense of the parameter ``tau_refrac``.
    update : str, optional
        Statements of one time step, instead of an integration method.
    propagators : callable, optional
        Returns the parameters that follow from others and the time step; see `Propagators`.
    method : str or callable
        Brian2's integration method, where `update` is not given.
    events : mapping of str to str
        Conditions of further events.
    after_input : bool
        Make the step after the input of the time step has been added, just before the thresholds.
    """

    equations: str
    threshold: str
    reset: str = ""
    refractory: str | bool = False
    update: str | None = None
    propagators: Propagators | None = None
    method: str | Callable[..., str] = "euler"
    events: Mapping[str, str] = field(default_factory=dict)
    after_input: bool = False


class NeuronGroup(brian2.NeuronGroup):
    """Neurons of one population; keeps their parameters.

    Parameters
    ----------
    n : int
        Number of neurons.
    model : NeuronModel
        Their model.
    parameters : mapping of str to numpy.ndarray
        The model's parameters in SI units, each of shape (n,).
    name : str
        Name for Brian2.
    """

    add_to_magic_network = False

    def __init__(
        self, n: int, model: NeuronModel, parameters: Mapping[str, np.ndarray], name: str
    ) -> None:
        # Before Brian2 makes attributes variables.
        self.model = model
        self.parameters: dict[str, np.ndarray] = {}
        self.initial: dict[str, np.ndarray] = {}
        self._propagated_dt: float | None = None
        update = model.update
        super().__init__(
            n,
            model.equations,
            method=model.method if update is None else lambda *_, **__: update,
            threshold=model.threshold,
            reset=model.reset,
            refractory=model.refractory,
            events=dict(model.events),
            clock=simulator.state.network.clock,
            name=name,
        )
        if model.after_input:
            self.state_updater.when, self.state_updater.order = "thresholds", -1
        if not model.reset:
            # Brian2 would look for something to do at each step.
            self.contained_objects.remove(self.resetter["spike"])
        self.set_parameters(parameters)

    def set_parameters(
        self, parameters: Mapping[str, np.ndarray], where: slice | np.ndarray = slice(None)
    ) -> None:
        """Set parameters of some neurons.

        Parameters
        ----------
        parameters : mapping of str to numpy.ndarray
            Values in SI units, one for each of the chosen neurons.
        where : slice or numpy.ndarray
            Indices of the neurons.
        """
        for name, values in parameters.items():
            present = self.parameters.setdefault(name, np.empty(self._N))
            present[where] = values
            if name in self.variables:
                self.variables[name].set_value(present)
        self._propagated_dt = None

    def prepare(self, stop: float) -> None:
        """Get ready for a run to the time `stop` in ms."""
        dt = simulator.state.dt
        if self._propagated_dt == dt:
            return
        if "refractory_period" in self.variables:
            period = refractory_period(self.parameters["tau_refrac"], dt)
            self.variables["refractory_period"].set_value(period)
        if self.model.propagators is not None:
            for name, values in self.model.propagators(self.parameters, dt / MILLI).items():
                self.variables[name].set_value(np.broadcast_to(values, (self._N,)).copy())
        self._propagated_dt = dt

    def initialise(
        self, variable: str, values: np.ndarray, where: slice | np.ndarray = slice(None)
    ) -> None:
        """Set a state variable of some neurons, and what it returns to at a reset.

        Parameters
        ----------
        variable : str
            Name in Brian2.
        values : numpy.ndarray
            Values in SI units, one for each of the chosen neurons.
        where : slice or numpy.ndarray
            Indices of the neurons.
        """
        initial = self.initial.setdefault(variable, np.zeros(self._N))
        initial[where] = values
        array = self.variables[variable]
        if not simulator.state.running:
            array.set_value(initial)
            simulator.state.initialised(self, variable)
            return
        present = array.get_value().copy()
        array.set_value(initial)
        simulator.state.initialised(self, variable)
        present[where] = values
        array.set_value(present)


class Cell:
    """Base class of cell types that are Brian2 neuron groups; goes before PyNN's class."""

    brian2_model: NeuronModel
    translations: dict[str, dict[str, Any]]
    state_variable_translations: dict[str, dict[str, Any]] = {}
    #: Variables that the weights of spikes are added to, by receptor.
    post_synaptic_variables: Mapping[str, str] = {}
    #: How many of the weight's PyNN units (mV, nA, uS) the SI unit has.
    weight_scale: float = NANO

    def make_group(
        self, n: int, parameters: Mapping[str, np.ndarray], name: str, label: str
    ) -> NeuronGroup:
        """Return a new group of `n` cells.

        Parameters
        ----------
        n : int
            Number of cells.
        parameters : mapping of str to numpy.ndarray
            All native parameters, each of shape (n,).
        name : str
            Name for Brian2.
        label : str
            Label of the population, for errors.
        """
        return NeuronGroup(n, self.brian2_model, parameters, name)

    def check(self, parameters: Mapping[str, np.ndarray], label: str) -> None:
        """Check all native parameters.

        Parameters
        ----------
        parameters : mapping of str to numpy.ndarray
            All native parameters.
        label : str
            Label of the population, for errors.

        Raises
        ------
        pyNN.errors.InvalidParameterValueError
            If a value is out of its range.
        """
        for name, entry in self.translations.items():
            values = parameters[entry["translated_name"]]
            positive = name == "cm" or "tau_" in name and name != "tau_refrac"
            if positive and np.any(values <= 0):
                self._refuse(label, parameters, name, "need a value > 0", values <= 0)
            if name == "tau_refrac" and np.any(values < 0):
                self._refuse(label, parameters, name, "need a value >= 0", values < 0)
        top = "v_spike" if "v_spike" in parameters else "v_thresh"
        if {"v_reset", top} <= set(parameters):
            wrong = parameters["v_reset"] >= parameters[top]
            if np.any(wrong):
                self._refuse(label, parameters, "v_reset", f"need a value below {top}", wrong)

    def _refuse(
        self,
        label: str,
        parameters: Mapping[str, np.ndarray],
        name: str,
        need: str,
        wrong: np.ndarray,
    ) -> None:
        cell = int(np.flatnonzero(wrong)[0])
        value = self.translations[name]["reverse_transform"](**parameters)[cell]
        raise InvalidParameterValueError(
            f"Population {label!r}: {type(self).__name__} {name}={value:g} of cell {cell}, {need}"
        )


def refractory_period(tau_refrac: np.ndarray, dt: float) -> np.ndarray:
    """Return the refractory period in Brian2's sense.

    After a spike in our step n, Brian2 shall block the steps n + 1 ... n + tau_refrac/dt; it counts
    the step of the spike as well. A period that is no multiple of the time step is rounded up.

    Parameters
    ----------
    tau_refrac : numpy.ndarray
        Refractory periods in s.
    dt : float
        Time step in ms.

    Returns
    -------
    numpy.ndarray
        Durations in s.
    """
    steps = np.ceil(np.round(tau_refrac * MILLI / dt, 6)) + 1
    return steps * (dt / MILLI)
