"""Building neurons of several compartments from mechanisms, without placing their circuits."""

import copy
from collections.abc import Iterator, Sequence
from typing import ClassVar

from hw_targets.brainscales2.pynn.morphology.built_neuron import BuiltNeuron, built_type
from hw_targets.brainscales2.pynn.morphology.mechanisms import Mechanism

__all__ = ["BuiltCompartment", "CompartmentBuilder", "Connection", "MorphologyBuilder", "Node"]


class BuiltCompartment:
    """Base of the types that `CompartmentBuilder` makes: a compartment of some mechanisms."""

    mechanisms: ClassVar[dict[str, Mechanism]] = {}


class CompartmentBuilder:
    """Builds a type of compartments."""

    def __init__(self) -> None:
        self.mechanisms: dict[str, Mechanism] = {}

    def add(self, mechanism: Mechanism, label: str) -> None:
        """Add a mechanism.

        Parameters
        ----------
        mechanism : Mechanism
            One of `mechanisms`.
        label : str
            Its name, by which it is parameterised, recorded and connected to.

        Raises
        ------
        KeyError
            If another mechanism of the compartment has this label.
        """
        if label in self.mechanisms:
            raise KeyError(f"Mechanism with label {label!r} already exists on compartment.")
        self.mechanisms[label] = copy.deepcopy(mechanism)

    def done(self, name: str) -> type[BuiltCompartment]:
        """Return the type, and start another.

        Parameters
        ----------
        name : str
            Name of the type.

        Returns
        -------
        type
        """
        mechanisms, self.mechanisms = self.mechanisms, {}
        return type(name, (BuiltCompartment,), {"mechanisms": mechanisms})


class Node:
    """A compartment, or a branch of connected compartments, of a neuron that is built.

    Parameters
    ----------
    label : str, optional
        Name; that of a branch comes before those of its compartments: ``branch.compartment``.
    compartment : BuiltCompartment, optional
        The compartment.
    children : sequence of Node, optional
        Parts of the branch.
    connections : sequence of Connection, optional
        Connections between them.
    """

    def __init__(
        self,
        label: str | None = None,
        compartment: BuiltCompartment | None = None,
        children: Sequence["Node"] = (),
        connections: Sequence["Connection"] = (),
    ) -> None:
        self.label = label
        self.compartment = compartment
        self.children = list(children)
        self.connections = list(connections)

    def compartments(self) -> Iterator[tuple[str, "Node"]]:
        """Iterate over the compartments, with their names within this node."""
        if self.compartment is not None:
            yield str(self.label), self
        for child in self.children:
            prefix = f"{child.label}." if child.children and child.label is not None else ""
            for name, node in child.compartments():
                yield prefix + name, node

    def all_connections(self) -> Iterator["Connection"]:
        """Iterate over the connections within this node."""
        yield from self.connections
        for child in self.children:
            yield from child.all_connections()

    def contains(self, node: "Node") -> bool:
        """Tell whether a node is this one or within it."""
        return self is node or any(child.contains(node) for child in self.children)


class Connection:
    """A conductance between two compartments.

    Parameters
    ----------
    source, target : Node
        The compartments.
    strength : float
        Time constant in s, 0.1e-6 to 30e-6, with which the conductance charges one circuit of the
        source.
    """

    def __init__(self, source: Node, target: Node, strength: float | None = None) -> None:
        self.source = source
        self.target = target
        self.strength = strength


class MorphologyBuilder:
    """Builds a type of neurons of several compartments, which are connected as a tree.

    The circuits are chosen automatically and calibrated. The emulation gives each compartment as
    many as its mechanisms and connections need, next to each other in one row; whether the chip's
    shared lines can connect them is not checked.

    Attributes
    ----------
    nodes : list of Node
        Compartments and branches that are not connected yet.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add_compartment(self, compartment: BuiltCompartment, label: str | None = None) -> Node:
        """Add a compartment.

        Parameters
        ----------
        compartment : BuiltCompartment
            Compartment.
        label : str
            Its name.

        Returns
        -------
        Node
        """
        node = Node(label, copy.deepcopy(compartment))
        self.nodes.append(node)
        return node

    def connect(self, connections: Sequence[Connection], label: str | None = None) -> Node:
        """Connect compartments, which makes a branch of all that they are connected to.

        Parameters
        ----------
        connections : sequence of Connection
            Connections.
        label : str, optional
            Name of the branch.

        Returns
        -------
        Node
            The branch.

        Raises
        ------
        ValueError
            If a compartment is not in this builder, or the connections don't connect all parts, or
            not as a tree.
        """
        roots: list[Node] = []
        for connection in connections:
            for end in (connection.source, connection.target):
                root = self._root(end)
                if root not in roots:
                    roots.append(root)
        if len(connections) != len(roots) - 1:
            raise ValueError(
                f"MorphologyBuilder: {len(connections)} connections between {len(roots)} parts, "
                f"need {len(roots) - 1}: a neuron is a tree"
            )
        branch = Node(label, children=roots, connections=connections)
        self.nodes = [*(node for node in self.nodes if node not in roots), branch]
        return branch

    def clone(self, node: Node, label: str | None = None) -> Node:
        """Add a copy of a compartment or branch.

        Parameters
        ----------
        node : Node
            What to copy.
        label : str, optional
            Name of the copy.

        Returns
        -------
        Node
        """
        twin = copy.deepcopy(node)
        twin.label = label
        self.nodes.append(twin)
        return twin

    def get_ref_in_node(self, target_tree: Node, subnode: Node) -> Node | None:
        """Find the compartment of a copy that corresponds to one of the original.

        Parameters
        ----------
        target_tree : Node
            The copy.
        subnode : Node
            Compartment of the original.

        Returns
        -------
        Node or None
            None if there is none.
        """
        original = next(
            name for name, node in self._root(subnode).compartments() if node is subnode
        )
        for name, node in target_tree.compartments():
            if original == name or original.endswith(f".{name}"):
                return node
        return None

    def done(self, name: str) -> type[BuiltNeuron]:
        """Return the type of neurons, and start another.

        Parameters
        ----------
        name : str
            Name of the type.

        Returns
        -------
        type
            Cell type for `Population`.

        Raises
        ------
        ValueError
            If compartments are not all connected, or not told apart by their labels.
        RuntimeError, NotImplementedError
            If the chip or its emulation has no such neurons, see `built_type`.
        """
        if len(self.nodes) != 1:
            raise ValueError(
                f"MorphologyBuilder: {name} of {len(self.nodes)} parts that are not connected, "
                "need one"
            )
        (root,) = self.nodes
        prefix = f"{root.label}." if root.children and root.label is not None else ""
        nodes = [(prefix + label, node) for label, node in root.compartments()]
        labels = [label for label, _ in nodes]
        if len(set(labels)) < len(labels) or any(node.label is None for _, node in nodes):
            raise ValueError(
                f"MorphologyBuilder: {name} with compartments {labels}, need a label of its own "
                "for each"
            )
        mechanisms = {
            label: node.compartment.mechanisms
            for label, node in nodes
            if node.compartment is not None
        }
        connections = [
            (_label(name, nodes, c.source), _label(name, nodes, c.target), c.strength)
            for c in root.all_connections()
        ]
        kind = built_type(name, mechanisms, connections)
        self.nodes = []
        return kind

    def _root(self, node: Node) -> Node:
        for root in self.nodes:
            if root.contains(node):
                return root
        raise ValueError(
            f"Compartment {node.label!r} not found in MorphologyBuilder: add_compartment() adds it"
        )


def _label(neuron: str, nodes: list[tuple[str, Node]], wanted: Node) -> str:
    found = next((label for label, node in nodes if node is wanted), None)
    if found is None:
        raise ValueError(
            f"MorphologyBuilder: {neuron} with a connection to branch {wanted.label!r}, need one "
            "to a compartment of it"
        )
    return found
