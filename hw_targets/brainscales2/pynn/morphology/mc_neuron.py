"""Cell types of several compartments."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pyNN.errors import NonExistentParameterError
from pyNN.standardmodels import build_translations

from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.pynn.cells import NeuronCellType
from hw_targets.brainscales2.pynn.morphology.parameters import McCircuitParameters
from hw_targets.brainscales2.pynn.morphology.parts import Compartment, SharedLineConnection
from hw_targets.brainscales2.pynn.morphology.wiring import (
    Wiring,
    checked_sequence,
    line_links,
    wire,
)
from hw_targets.brainscales2.pynn.parameters import DEFAULTS, AtomicNeuron

#: Parameters that the morphology sets.
_OF_MORPHOLOGY = (
    "multicompartment_connect_right",
    "multicompartment_connect_soma",
    "multicompartment_connect_soma_right",
    "multicompartment_connect_vertical",
    "multicompartment_enable_conductance",
    "multicompartment_enable_conductance_division",
    "multicompartment_enable_conductance_multiplication",
)
_NAMES = tuple(name for name in DEFAULTS if name not in _OF_MORPHOLOGY)

#: Settings of all but the first circuit of each compartment with `single_active_circuit`.
_INACTIVE = {
    "leak_i_bias": 0,
    "leak_enable_division": True,
    "leak_enable_multiplication": False,
    "membrane_capacitance_capacitance": 0,
    "threshold_enable": False,
}


class McNeuron(NeuronCellType):
    """A neuron of several compartments, each of one or more circuits with raw settings.

    `create_mc_neuron` makes types of such neurons. Parameters are those of `HXNeuron` but for the
    morphology's; one value for all circuits of a neuron or a `McCircuitParameters`, and one for all
    neurons or a list. With ``setup(initial_config=...)`` those that neither the neuron nor its
    compartments are given are taken from there.

    Synapses of a compartment are spread evenly over its circuits, n of which have 256 n, and an
    event acts as the mean of their inputs would let it act. Conductances between compartments have
    no mismatch.
    """

    compartments: ClassVar[dict[int, Compartment]] = {}
    wiring: ClassVar[Wiring]
    single_active_circuit: ClassVar[bool] = False
    translations = build_translations(*((name, name) for name in _NAMES))

    def __init__(self, plasticity_rule: Any = None, **parameters: Any) -> None:
        super().__init__(plasticity_rule, **parameters)
        self._given = parameters

    @classmethod
    def get_labels(cls) -> list[str]:
        """Return the labels of all compartments."""
        return [compartment.label for compartment in cls.compartments.values()]

    @classmethod
    def get_label(cls, compartment_id: int) -> str:
        """Return the label of one compartment.

        Raises
        ------
        KeyError
            If there is no such compartment.
        """
        return cls.compartments[compartment_id].label

    @classmethod
    def get_compartment_ids(cls, labels: Sequence[str]) -> list[int]:
        """Return the compartments that have one of the labels.

        Raises
        ------
        ValueError
            If there is none.
        """
        for label in labels:
            if label not in cls.get_labels():
                raise ValueError(
                    f'{cls.__name__}: Label "{label}" does not exist; need one of '
                    f"{sorted(set(cls.get_labels()))}"
                )
        return [c for label in labels for c, own in enumerate(cls.get_labels()) if own == label]

    def apply_config(self, neurons: list[AtomicNeuron]) -> None:
        """Take settings for all parameters that neither neuron nor compartments are given.

        Parameters
        ----------
        neurons : list of AtomicNeuron
            Settings of all circuits, neuron by neuron.
        """
        found = np.empty(len(neurons), dtype=object)
        found[:] = [neuron.values() for neuron in neurons]
        for name in _NAMES:
            if name in self._given:
                continue
            of_neurons = np.empty(len(neurons) // len(self.wiring.circuits), dtype=object)
            circuits = found.reshape(of_neurons.size, -1)
            of_neurons[:] = [
                McCircuitParameters(
                    [
                        _expanded(compartment, name, [row[k][name] for k in members])
                        for compartment, members in zip(
                            self.compartments.values(), self.wiring.members, strict=True
                        )
                    ]
                )
                for row in circuits
            ]
            self.parameter_space._parameters[name] = of_neurons
        if self.single_active_circuit:
            for name, value in _INACTIVE.items():
                changed = np.empty(self.parameter_space.shape, dtype=object)
                changed[:] = [self._with_rest(v, value) for v in self._values(name)]
                self.parameter_space._parameters[name] = changed

    def neurons(self) -> list[AtomicNeuron]:
        """Return the settings of all circuits, neuron by neuron."""
        columns = [self._values(name) for name in _NAMES]
        resistive = {place for line in self.wiring.lines for _, place in line.resistive}
        n_connecting = len(self.wiring.circuits) - sum(map(len, self.wiring.members))
        result = []
        for row in zip(*columns, strict=True):
            circuits = zip(*(self._of_circuits(value) for value in row), strict=True)
            for place, values in enumerate(circuits):
                given = dict(zip(_NAMES, values, strict=True))
                given["multicompartment_enable_conductance"] = place in resistive
                result.append(AtomicNeuron(given))
            result += [AtomicNeuron() for _ in range(n_connecting)]
        return result

    def links(self, rates: npt.NDArray[np.float64]) -> list[list[Link]]:  # noqa: D102
        return [line_links(self.wiring.lines, of_neuron) for of_neuron in rates.tolist()]

    def _values(self, name: str) -> list[Any]:
        """Values of all neurons."""
        stored = np.asarray(self.parameter_space[name], dtype=object)
        return list(np.broadcast_to(stored, self.parameter_space.shape))

    def _of_circuits(self, value: Any) -> list[Any]:
        """Values of one parameter of one neuron for the circuits of its compartments."""
        sizes = tuple(map(len, self.wiring.members))
        if not isinstance(value, McCircuitParameters):
            return [value] * sum(sizes)
        if value.sizes() != sizes:
            raise ValueError(
                f"{type(self).__name__}: parameters for compartments of {value.sizes()} circuits, "
                f"need them for {sizes}"
            )
        return value.flat()

    def _with_rest(self, value: Any, rest: Any) -> McCircuitParameters:
        """Change the values of all but the first circuit of each compartment."""
        flat = self._of_circuits(value)
        return McCircuitParameters(
            [[flat[m[0]], *[rest] * (len(m) - 1)] for m in self.wiring.members]
        )


def create_mc_neuron(
    name: str,
    compartments: Sequence[Compartment],
    connections: Sequence[SharedLineConnection] | None = None,
    single_active_circuit: bool = False,
) -> type[McNeuron]:
    """Make a type of neurons of several compartments.

    Parameters
    ----------
    name : str
        Name of the type.
    compartments : sequence of Compartment
        Compartments.
    connections : sequence of SharedLineConnection, optional
        Where the shared lines are closed.
    single_active_circuit : bool, optional
        Whether all but the first circuit of each compartment have no leak, no threshold and the
        least capacitance.

    Returns
    -------
    type
        Cell type for `Population`.

    Raises
    ------
    TypeError
        If an argument is no such sequence.
    RuntimeError
        If the neuron can't be wired: see `wire`.
    pyNN.errors.NonExistentParameterError
        If a compartment has a parameter that doesn't exist.
    """
    parts = checked_sequence(name, "compartments", compartments, Compartment)
    pieces = checked_sequence(name, "connections", connections or (), SharedLineConnection)
    if not parts:
        raise RuntimeError(f"{name}: no compartments, need at least one")
    for compartment in parts:
        _check_parameters(name, compartment)
    wiring = wire(name, parts, pieces)
    defaults: dict[str, McCircuitParameters] = {}
    for parameter in _NAMES:
        of_circuits = [
            _expanded(compartment, parameter, [DEFAULTS[parameter]] * compartment.size)
            for compartment in parts
        ]
        if single_active_circuit and parameter in _INACTIVE:
            of_circuits = [
                [first, *[_INACTIVE[parameter]] * len(rest)] for first, *rest in of_circuits
            ]
        defaults[parameter] = McCircuitParameters(of_circuits)
    members: Mapping[str, Any] = {
        "__doc__": f"A neuron of {len(parts)} compartments, see `McNeuron`.",
        "compartments": dict(enumerate(parts)),
        "wiring": wiring,
        "single_active_circuit": single_active_circuit,
        "circuit_offsets": tuple((p.row, p.column) for p in wiring.circuits),
        "compartment_members": wiring.members,
        "default_parameters": defaults,
        "units": {**dict.fromkeys(_NAMES, "dimensionless"), **NeuronCellType.units},
    }
    return type(name, (McNeuron,), dict(members))


def _check_parameters(name: str, compartment: Compartment) -> None:
    unknown = set(compartment.parameters) - set(_NAMES)
    if unknown:
        raise NonExistentParameterError(
            ", ".join(sorted(unknown)), f"{name}, compartment {compartment.label!r}", list(_NAMES)
        )
    for parameter, value in compartment.parameters.items():
        if np.ndim(value) and len(value) != compartment.size:
            raise RuntimeError(
                f"{name}: {parameter} of {len(value)} values for compartment "
                f"{compartment.label!r} of {compartment.size} circuits; need one for all or one "
                "for each"
            )


def _expanded(compartment: Compartment, parameter: str, found: list[Any]) -> list[Any]:
    """Values of a compartment's circuits: the compartment's own, or else those found elsewhere."""
    if parameter in compartment.parameters:
        value = compartment.parameters[parameter]
        found = list(value) if np.ndim(value) else [value] * compartment.size
    if parameter == "multicompartment_i_bias_nmda":
        found = list(found)
        for position, bias in compartment.connect_conductance:
            found[compartment.positions.index(position)] = bias
    return found
