"""Stand-in for the vendor's coordinates: the places on the chip that PyNN scripts name.

Ranges: halco, include/halco/hicann-dls/vx/{neuron,synapse,timing}.h.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import total_ordering
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.vendor.absent import refuse
from hw_targets.brainscales2.vendor.ranged import RangedInt

__getattr__ = refuse("halco")


class Enum(RangedInt, maximum=2**64 - 1):
    """Number of a place among all of its kind."""


common = SimpleNamespace(Enum=Enum)
"""`halco.common`."""


class _Coordinate(RangedInt, maximum=0):
    def toEnum(self) -> Enum:  # noqa: N802
        """Return the number of the place."""
        return Enum(self)


class NeuronColumnOnDLS(_Coordinate, maximum=limits.N_COLUMNS - 1):
    """Column of circuits."""


class NeuronRowOnDLS(_Coordinate, maximum=limits.N_CIRCUITS // limits.N_COLUMNS - 1):
    """Row of circuits."""

    top: ClassVar["NeuronRowOnDLS"]
    bottom: ClassVar["NeuronRowOnDLS"]


class SynramOnDLS(_Coordinate, maximum=1):
    """Array of synapses."""

    top: ClassVar["SynramOnDLS"]
    bottom: ClassVar["SynramOnDLS"]


NeuronRowOnDLS.top, NeuronRowOnDLS.bottom = NeuronRowOnDLS(0), NeuronRowOnDLS(1)
SynramOnDLS.top, SynramOnDLS.bottom = SynramOnDLS(0), SynramOnDLS(1)


class SynapseRowOnSynram(_Coordinate, maximum=limits.N_ROWS - 1):
    """Row of an array of synapses."""


class SynapseOnSynapseRow(_Coordinate, maximum=limits.N_COLUMNS - 1):
    """Synapse of a row, by column."""


class SynapseOnSynram(NamedTuple):
    """Synapse of an array."""

    row: SynapseRowOnSynram
    column: SynapseOnSynapseRow

    def toSynapseRowOnSynram(self) -> SynapseRowOnSynram:  # noqa: N802
        """Return its row."""
        return self.row

    def toSynapseOnSynapseRow(self) -> SynapseOnSynapseRow:  # noqa: N802
        """Return its place in the row."""
        return self.column


class SynapseWeightRowOnDLS(NamedTuple):
    """Weights of a row of synapses."""

    row: SynapseRowOnSynram
    synram: SynramOnDLS


class SynapseRowOnDLS(NamedTuple):
    """Row of synapses."""

    row: SynapseRowOnSynram
    synram: SynramOnDLS

    def toSynapseWeightRowOnDLS(self) -> SynapseWeightRowOnDLS:  # noqa: N802
        """Return the place of its weights."""
        return SynapseWeightRowOnDLS(*self)


class CommonNeuronBackendConfigOnDLS(_Coordinate, maximum=1):
    """Half of the chip whose circuits share clocks."""


class TimerOnDLS(_Coordinate, maximum=0):
    """The timer."""


@total_ordering
class AtomicNeuronOnDLS:
    """A circuit.

    Parameters
    ----------
    *place : Enum, or NeuronColumnOnDLS and NeuronRowOnDLS in any order
        Its number of 0 ... 511, or its column and its row; the first by default.

    Raises
    ------
    OverflowError
        If there is no such circuit.
    TypeError
        If a place is given otherwise.
    """

    size: ClassVar[int] = limits.N_CIRCUITS

    def __init__(self, *place: Any) -> None:
        kinds = {type(part): part for part in place}
        if not place:
            self._number = 0
        elif set(kinds) == {Enum} and len(place) == 1:
            if place[0] >= self.size:
                raise OverflowError(
                    f"AtomicNeuronOnDLS({place[0]!r}), need an Enum in 0 ... {self.size - 1}"
                )
            self._number = int(place[0])
        elif set(kinds) == {NeuronColumnOnDLS, NeuronRowOnDLS} and len(place) == 2:
            self._number = kinds[NeuronRowOnDLS] * limits.N_COLUMNS + kinds[NeuronColumnOnDLS]
        else:
            raise TypeError(
                f"AtomicNeuronOnDLS{place}, need an Enum, or a NeuronColumnOnDLS and a "
                "NeuronRowOnDLS"
            )

    def toEnum(self) -> Enum:  # noqa: N802
        """Return the number of the circuit, as setup's neuronPermutation takes it."""
        return Enum(self._number)

    def toNeuronColumnOnDLS(self) -> NeuronColumnOnDLS:  # noqa: N802
        """Return its column."""
        return NeuronColumnOnDLS(self._number % limits.N_COLUMNS)

    def toNeuronRowOnDLS(self) -> NeuronRowOnDLS:  # noqa: N802
        """Return its row."""
        return NeuronRowOnDLS(self._number // limits.N_COLUMNS)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AtomicNeuronOnDLS):
            return NotImplemented
        return self._number == other._number

    def __lt__(self, other: "AtomicNeuronOnDLS") -> bool:
        return self._number < other._number

    def __hash__(self) -> int:
        return hash(self._number)

    def __repr__(self) -> str:
        return f"AtomicNeuronOnDLS({self.toNeuronColumnOnDLS()}, {self.toNeuronRowOnDLS()})"


class CompartmentOnLogicalNeuron(_Coordinate, maximum=limits.N_CIRCUITS - 1):
    """Compartment of a neuron."""


class AtomicNeuronOnLogicalNeuron:
    """First circuit of a neuron."""


class LogicalNeuronCompartments:
    """Circuits of a neuron's compartments, here of one circuit.

    Parameters
    ----------
    compartments : mapping of CompartmentOnLogicalNeuron to sequence of AtomicNeuronOnLogicalNeuron
        Circuits.

    Raises
    ------
    NotImplementedError
        If they are several.
    """

    def __init__(
        self,
        compartments: Mapping[CompartmentOnLogicalNeuron, Sequence[AtomicNeuronOnLogicalNeuron]],
    ) -> None:
        if [len(circuits) for circuits in compartments.values()] != [1]:
            raise NotImplementedError(
                "LogicalNeuronCompartments: of a single circuit only; make larger neurons with "
                "pynn.morphology.create_mc_neuron"
            )
        self._compartments = dict(compartments)

    def get_compartments(
        self,
    ) -> dict[CompartmentOnLogicalNeuron, Sequence[AtomicNeuronOnLogicalNeuron]]:
        """Return the circuits by compartment."""
        return dict(self._compartments)


class LogicalNeuronOnDLS:
    """A neuron of one circuit.

    Parameters
    ----------
    compartments : LogicalNeuronCompartments
        Its compartments.
    anchor : AtomicNeuronOnDLS
        Its first circuit.
    """

    def __init__(self, compartments: LogicalNeuronCompartments, anchor: AtomicNeuronOnDLS) -> None:
        self._compartments, self._anchor = compartments.get_compartments(), anchor

    def get_atomic_neurons(self) -> list[AtomicNeuronOnDLS]:
        """Return its circuits."""
        return [self._anchor]

    def get_placed_compartments(
        self,
    ) -> dict[CompartmentOnLogicalNeuron, list[AtomicNeuronOnDLS]]:
        """Return its circuits by compartment."""
        return {compartment: [self._anchor] for compartment in self._compartments}


def iter_all(kind: type) -> Iterator[Any]:
    """Iterate over all places of a kind.

    Parameters
    ----------
    kind : type
        Kind of coordinate.

    Returns
    -------
    iterator

    Raises
    ------
    TypeError
        If the chip has no such places.
    """
    if kind is AtomicNeuronOnDLS:
        return (AtomicNeuronOnDLS(Enum(number)) for number in range(kind.size))
    if not issubclass(kind, _Coordinate):
        raise TypeError(f"iter_all({kind.__name__}), need a kind of coordinate")
    return (kind(number) for number in range(kind.size))
