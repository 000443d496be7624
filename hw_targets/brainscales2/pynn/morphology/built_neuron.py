"""Cell types that `MorphologyBuilder` makes: calibrated neurons of several compartments."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pyNN.standardmodels import build_translations

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.calibration import RANGES
from hw_targets.brainscales2.engine.compartments import Link
from hw_targets.brainscales2.pynn.cells import CalibratedCellType, CircuitTarget
from hw_targets.brainscales2.pynn.morphology.mechanisms import (
    Fire,
    Leak,
    Mechanism,
    MembraneCapacitance,
    Synapse,
)
from hw_targets.brainscales2.pynn.parameters import AtomicNeuron

_CIRCUIT_F = limits.CAPACITANCE_PF * 1e-12
"""Largest capacitance of one circuit."""


class BuiltNeuron(CalibratedCellType):
    """A calibrated neuron of several compartments of mechanisms.

    `MorphologyBuilder` makes types of such neurons. Parameters are called
    ``compartment.mechanism.parameter``, and ``connection.source...target.conductance``. Mechanisms
    are recorded, and connected to, by their label.

    Conductances between compartments have no mismatch. With the fidelity ``"ideal"`` the settings
    of the circuits are rounded all the same.
    """

    #: Compartment -> label -> mechanism.
    mechanisms: ClassVar[dict[str, dict[str, Mechanism]]] = {}
    #: Parameter, source, target of each connection.
    connections: ClassVar[list[tuple[str, int, int]]] = []
    #: Label of a mechanism -> what recording it records.
    observables: ClassVar[dict[str, str]] = {}

    # ---- compartments --------------------------------------------------------------------------

    @classmethod
    def get_labels(cls) -> list[str]:
        """Return the labels of all compartments."""
        return list(cls.mechanisms)

    @classmethod
    def get_label(cls, compartment_id: int) -> str:
        """Return the label of one compartment.

        Raises
        ------
        RuntimeError
            If there is no such compartment.
        """
        labels = cls.get_labels()
        if not 0 <= compartment_id < len(labels):
            raise RuntimeError(f"{cls.__name__}: No compartment with id {compartment_id}.")
        return labels[compartment_id]

    @classmethod
    def get_compartment_ids(cls, labels: Sequence[str]) -> list[int]:
        """Return the compartments with some labels.

        Raises
        ------
        ValueError
            If there is none.
        """
        known = cls.get_labels()
        for label in labels:
            if label not in known:
                raise ValueError(
                    f"{cls.__name__}: No compartment with label {label!r}. Available compartments: "
                    f"{known}"
                )
        return [known.index(label) for label in labels]

    @classmethod
    def mechanism(cls, label: str, compartment_id: int) -> Mechanism:
        """Return a mechanism of a compartment.

        Raises
        ------
        RuntimeError
            If the compartment has no such mechanism.
        """
        compartment = cls.get_label(compartment_id)
        if label not in cls.mechanisms[compartment]:
            raise RuntimeError(
                f"{cls.__name__}: no {label!r} in compartment {compartment!r}, which has "
                f"{sorted(cls.mechanisms[compartment])}"
            )
        return cls.mechanisms[compartment][label]

    def receptor_kind(self, label: str, compartment_id: int) -> str:
        """Tell whether a synaptic input of a compartment is excitatory or inhibitory."""
        mechanism = self.mechanism(label, compartment_id)
        assert isinstance(mechanism, Synapse)  # PyNN asks for receptor types only.
        return mechanism.receptor_type

    # ---- calibration ---------------------------------------------------------------------------

    def circuit_targets(self) -> list[CircuitTarget]:  # noqa: D102
        found: dict[str, list[CircuitTarget]] = {}
        n_cells, n_circuits = self.parameter_space.shape[0], len(self.circuit_offsets)
        for members, (compartment, mechanisms) in zip(
            self.compartment_members, self.mechanisms.items(), strict=True
        ):
            for label, mechanism in mechanisms.items():
                for name, (target, factor) in mechanism.circuit_targets().items():
                    parameter = f"{compartment}.{label}.{name}"
                    values = np.full((n_cells, n_circuits), np.nan)
                    values[:, members] = factor * self._values(parameter)[:, None]
                    found.setdefault(target, []).append(
                        CircuitTarget(target, parameter, values.ravel())
                    )
            values = np.full((n_cells, n_circuits), np.nan)
            setting = np.rint(self._capacitance(compartment, len(members)))
            values[:, members] = setting[:, None]
            capacitance = CircuitTarget(
                "membrane_capacitance", f"{compartment}: capacitance in LSB", values.ravel()
            )
            found.setdefault("membrane_capacitance", []).append(capacitance)
        for target, targets in found.items():
            # The whole chip has one bias, which is checked for all neurons.
            if target != "synapse_dac_bias":
                self._check_agree(targets)
        return [target for targets in found.values() for target in targets]

    def _check_agree(self, targets: list[CircuitTarget]) -> None:
        for k, one in enumerate(targets):
            for other in targets[k + 1 :]:
                differ = np.abs(one.values - other.values) > 0.0
                if differ.any():
                    raise NotImplementedError(
                        f"{type(self).__name__}: {one.parameter} and {other.parameter} differ; "
                        "inputs of one receptor of a compartment are emulated as one: give them "
                        "the same values"
                    )

    def set_calibrated(self, neurons: list[AtomicNeuron]) -> None:  # noqa: D102
        for place, neuron in enumerate(neurons):
            self._silence(neuron, place % len(self.circuit_offsets))
        super().set_calibrated(neurons)

    def links(self, rates: npt.NDArray[np.float64]) -> list[list[Link]]:
        """Return the conductances between the compartments of each neuron, see `NeuronCellType`.

        They are those of the parameters; what the circuits are set to has no effect.

        Raises
        ------
        ValueError
            If a time constant is out of range.
        """
        low, high = RANGES["tau_icc"]
        links: list[list[Link]] = [[] for _ in rates]
        for parameter, source, target in self.connections:
            tau = 1e6 * self._values(parameter)
            outside = ~((low <= tau) & (tau <= high))
            if outside.any():
                raise ValueError(
                    f"{type(self).__name__}: {parameter}={1e-6 * tau[outside][0]:g} s, need a time "
                    f"constant of {low * 1e-6:g} ... {high * 1e-6:g} s"
                )
            setting = self._capacitance(
                self.get_label(source), len(self.compartment_members[source])
            )
            wanted = transfer.membrane_capacitance(np.rint(setting)) / tau
            for of_cell, rate in zip(links, wanted.tolist(), strict=True):
                of_cell.append((source, target, rate))
        return links

    def _values(self, parameter: str) -> np.ndarray:
        return np.asarray(self.parameter_space[parameter], dtype=float)

    def _capacitance(self, compartment: str, n_circuits: int) -> np.ndarray:
        """Return the setting of each circuit of a compartment, not rounded."""
        total = np.zeros(self.parameter_space.shape[0])
        for label, mechanism in self.mechanisms[compartment].items():
            if isinstance(mechanism, MembraneCapacitance):
                total += self._values(f"{compartment}.{label}.capacitance")
        return total / n_circuits / _CIRCUIT_F * limits.CAPACITANCE_MAX

    def _silence(self, neuron: AtomicNeuron, place: int) -> None:
        """Switch off what a circuit's compartment has no mechanism for."""
        number = next(k for k, members in enumerate(self.compartment_members) if place in members)
        mechanisms = list(self.mechanisms[self.get_label(number)].values())
        is_first = place == self.compartment_members[number][0]
        fires = any(isinstance(mechanism, Fire) for mechanism in mechanisms)
        neuron.threshold.enable = is_first and fires  # type: ignore[attr-defined]
        if not any(isinstance(mechanism, Leak) for mechanism in mechanisms):
            neuron.leak.i_bias = 0  # type: ignore[attr-defined]
        receptors = {m.receptor_type for m in mechanisms if isinstance(m, Synapse)}
        neuron.excitatory_input.enable = "excitatory" in receptors  # type: ignore[attr-defined]
        neuron.inhibitory_input.enable = "inhibitory" in receptors  # type: ignore[attr-defined]


def built_type(
    name: str,
    mechanisms: Mapping[str, Mapping[str, Mechanism]],
    connections: Sequence[tuple[str, str, float | None]],
) -> type[BuiltNeuron]:
    """Make a type of neurons of several compartments.

    Parameters
    ----------
    name : str
        Name of the type.
    mechanisms : mapping of str to mapping of str to Mechanism
        Compartment -> label -> mechanism.
    connections : sequence of (str, str, float)
        Two compartments, and the time constant in s.

    Returns
    -------
    type

    Raises
    ------
    ValueError
        If a connection has no time constant, or one label is that of different mechanisms.
    RuntimeError
        If the neuron takes more circuits than a row has.
    NotImplementedError
        If synaptic inputs are partly current- and partly conductance-based, or those of one
        receptor and compartment differ, which the emulation does not have.
    """
    labels = list(mechanisms)
    defaults = _defaults(mechanisms)
    ends = []
    for source, target, strength in connections:
        if strength is None:
            raise ValueError(
                f"{name}: connection from {source!r} to {target!r} without strength, need its time "
                "constant in s"
            )
        parameter = f"connection.{source}...{target}.conductance"
        defaults[parameter] = float(strength)
        ends.append((parameter, labels.index(source), labels.index(target)))
    members = _members(name, mechanisms, ends)
    _check_observables(name, mechanisms)
    every = [mechanism for parts in mechanisms.values() for mechanism in parts.values()]
    observables = {
        label: mechanism.observable
        for parts in mechanisms.values()
        for label, mechanism in parts.items()
        if mechanism.observable is not None
    }
    return type(
        name,
        (BuiltNeuron,),
        {
            "__doc__": f"A neuron of {len(labels)} compartments, see `BuiltNeuron`.",
            "mechanisms": {label: dict(parts) for label, parts in mechanisms.items()},
            "connections": ends,
            "observables": observables,
            "recordable": list(observables),
            "receptor_types": tuple(_receptors(mechanisms)),
            "conductance_based": _is_conductance_based(name, every),
            "circuit_offsets": tuple((0, column) for column in range(sum(map(len, members)))),
            "compartment_members": members,
            "default_parameters": defaults,
            # Names with dots can only be scaled, as PyNN has it.
            "translations": build_translations(*((label, label, 1.0) for label in defaults)),
            "units": dict.fromkeys([*defaults, *observables], "dimensionless"),
        },
    )


def _defaults(mechanisms: Mapping[str, Mapping[str, Mechanism]]) -> dict[str, float]:
    return {
        f"{compartment}.{label}.{parameter}": value
        for compartment, parts in mechanisms.items()
        for label, mechanism in parts.items()
        for parameter, value in mechanism.parameters.items()
    }


def _members(
    name: str,
    mechanisms: Mapping[str, Mapping[str, Mechanism]],
    connections: Sequence[tuple[str, int, int]],
) -> tuple[tuple[int, ...], ...]:
    """Give each compartment its circuits, which are counted through the neuron."""
    members, first = [], 0
    for number, parts in enumerate(mechanisms.values()):
        degree = sum((number in (source, target)) for _, source, target in connections)
        members.append(tuple(range(first, first + _n_circuits(list(parts.values()), degree))))
        first += len(members[-1])
    if first > limits.N_COLUMNS:
        raise RuntimeError(
            f"{name}: {first} circuits, need at most {limits.N_COLUMNS}, those of one row: use "
            "fewer compartments or less capacitance"
        )
    return tuple(members)


def _check_observables(name: str, mechanisms: Mapping[str, Mapping[str, Mechanism]]) -> None:
    found: dict[str, Mechanism] = {}
    for parts in mechanisms.values():
        for label, mechanism in parts.items():
            other = found.setdefault(label, mechanism)
            if other.observable != mechanism.observable:
                raise ValueError(
                    f"{name}: mechanisms {type(other).__name__} and {type(mechanism).__name__} of "
                    f"different compartments are both called {label!r}, by which they are "
                    "recorded; give them labels of their own"
                )


def _receptors(mechanisms: Mapping[str, Mapping[str, Mechanism]]) -> dict[str, None]:
    return {
        label: None
        for parts in mechanisms.values()
        for label, mechanism in parts.items()
        if isinstance(mechanism, Synapse)
    }


def _n_circuits(parts: Sequence[Mechanism], degree: int) -> int:
    capacitance = sum(
        m.parameters["capacitance"] for m in parts if isinstance(m, MembraneCapacitance)
    )
    receptors = [m.receptor_type for m in parts if isinstance(m, Synapse)]
    inputs = max(receptors.count("excitatory"), receptors.count("inhibitory"))
    # A little more than a whole number of circuits is rounding.
    return max(1, degree, inputs, math.ceil(capacitance / _CIRCUIT_F - 1e-9))


def _is_conductance_based(name: str, mechanisms: Sequence[Mechanism]) -> bool:
    kinds = {m.conductance_based for m in mechanisms if isinstance(m, Synapse)}
    if len(kinds) > 1:
        raise NotImplementedError(
            f"{name}: current- and conductance-based synapses, the emulation calibrates a neuron "
            "for one of them"
        )
    return kinds.pop() if kinds else False
