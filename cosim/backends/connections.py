"""One connection of a projection, as an object."""

from typing import Any

from pyNN import common


class Connection(common.Connection):
    """One connection; its parameters and its state are attributes, in PyNN units.

    Each access may search the synapses of the whole projection: to read or
    write many connections use `Projection.get` and `Projection.set`.

    Parameters
    ----------
    projection : Projection
        The projection it belongs to.
    index : int
        Its position in the projection, whose connections are sorted by (pre, post).
    """

    def __init__(self, projection: Any, index: int) -> None:
        # Not through __setattr__, which is for the synapse.
        self.__dict__.update(projection=projection, index=index)

    @property
    def presynaptic_index(self) -> int:
        """Index of the presynaptic cell in its population."""
        return int(self.projection.addresses()[0][self.index])

    @property
    def postsynaptic_index(self) -> int:
        """Index of the postsynaptic cell in its population."""
        return int(self.projection.addresses()[1][self.index])

    @property
    def presynaptic_cell(self) -> Any:
        """Presynaptic cell."""
        return self.projection.pre[self.presynaptic_index]

    @property
    def postsynaptic_cell(self) -> Any:
        """Postsynaptic cell."""
        return self.projection.post[self.postsynaptic_index]

    source = presynaptic_cell
    target = postsynaptic_cell

    def __getattr__(self, name: str) -> Any:
        if not self.projection.has_attribute(name):
            raise AttributeError(
                f"connection of projection {self.projection.label!r} has no {name!r}"
            )
        return self.projection.read_one(self.index, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not self.projection.has_attribute(name):
            raise AttributeError(
                f"connection of projection {self.projection.label!r} has no {name!r}"
            )
        self.projection.write_one(self.index, name, value)

    def as_tuple(self, *names: str) -> tuple:
        """Return several attributes at once."""
        return tuple(getattr(self, name) for name in names)
