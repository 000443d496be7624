"""Reading and writing the synapses of a projection in bulk: what all backends have in common."""

import gc
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ParameterSpace

from devices import effects

from .connections import Connection
from .standardmodels import MemristivePlasticity, MemristiveSynapse

_COMBINE = {"sum": np.add, "min": np.fmin, "max": np.fmax}


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Millions of new tuples would be searched for cycles again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class SynapseAttributes(common.Projection):
    """What `pyNN.common.Projection` reads from and writes to existing synapses.

    Connections are sorted by (pre, post); several connections of one pair keep the order in which
    the connector gave them. A backend adds `_read_native` and `_write`.
    """

    _pre_index: np.ndarray
    _post_index: np.ndarray
    #: What a single connection is an object of.
    _connection_class: ClassVar[type[Connection]] = Connection

    def _read_native(self, names: list[str], index: int | None = None) -> list[np.ndarray]:
        """Read variables by their native names, of all connections or of one; in PyNN units."""
        raise NotImplementedError

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        """Write native variables, numbers or arrays, to all connections or to one."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._pre_index)

    def __getitem__(self, index: Any) -> Any:
        """Return a connection, or a list of connections for a slice."""
        if isinstance(index, slice):
            return [self._connection_class(self, i) for i in range(*index.indices(len(self)))]
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(
                f"Projection {self.label!r}: connection {position} of {len(self)} does not exist"
            )
        return self._connection_class(self, position % len(self))

    @property
    def connections(self) -> Iterator[Connection]:
        """All connections, one after the other."""
        return iter(self)

    def addresses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pre- and postsynaptic indices of all connections, sorted; int64, shape (n,)."""
        return self._pre_index, self._post_index

    def _repeats(self) -> np.ndarray:
        """Return how many earlier connections each connection's pair of cells has; (n,)."""
        pair = self._pre_index * self.post.size + self._post_index
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        return np.arange(len(pair)) - np.repeat(first, np.diff(first, append=len(pair)))

    def _per_connection(self, function: Callable[[Any], Any]) -> np.ndarray:
        """Evaluate a function of the postsynaptic cell type for each connection."""
        populations = getattr(self.post, "populations", [self.post])
        values = [function(population.celltype) for population in populations]
        return np.repeat(values, [population.size for population in populations])[self._post_index]

    # ---- reading -------------------------------------------------------------------------------

    def has_attribute(self, name: str) -> bool:
        """Whether synapses have a parameter or a state of this name."""
        if hasattr(self.synapse_type, "translations"):
            return name in self.synapse_type.translations
        return self.synapse_type.has_parameter(name)

    def read(self, *names: str) -> list[np.ndarray]:
        """Read variables of all connections.

        Parameters
        ----------
        *names : str
            Names of synapse parameters or state, such as ``weight``, ``delay``, ``permanence``.

        Returns
        -------
        list of numpy.ndarray
            One array of shape (n,) per name, in PyNN units, in the order of `addresses`.
        """
        return self._read_native(self._native_names(names))

    def read_one(self, index: int, name: str) -> float:
        """Read a variable of one connection, in PyNN units."""
        (native,) = self._native_names([name])
        (values,) = self._read_native([native], index)
        return float(values[0])

    def _native_names(self, names: Any) -> list[str]:
        if hasattr(self.synapse_type, "get_native_names"):
            return list(self.synapse_type.get_native_names(*names))
        return list(names)

    def _get_attributes_as_list(self, names: list[str]) -> list[tuple]:
        addresses = {"presynaptic_index": self._pre_index, "postsynaptic_index": self._post_index}
        wanted = [name for name in names if name not in addresses]
        columns = {**addresses, **dict(zip(wanted, self._read_native(wanted), strict=True))}
        lists = [columns[name].tolist() for name in names]
        with _without_garbage_collection():
            return list(zip(*lists, strict=True))

    def _get_attributes_as_arrays(
        self, names: list[str], multiple_synapses: str = "sum"
    ) -> list[np.ndarray]:
        plural = {"weights": "weight", "delays": "delay"}
        pre, post = self._pre_index, self._post_index
        repeats = self._repeats()
        chosen = repeats == 0 if multiple_synapses == "first" else np.append(repeats[1:], 0) == 0
        arrays = []
        for values in self._read_native([plural.get(name, name) for name in names]):
            array = np.full(self.shape, np.nan)
            if multiple_synapses in _COMBINE:
                if multiple_synapses == "sum":
                    array[pre, post] = 0.0
                _COMBINE[multiple_synapses].at(array, (pre, post), values)
            else:
                array[pre[chosen], post[chosen]] = values[chosen]
            arrays.append(array)
        return arrays

    # ---- writing -------------------------------------------------------------------------------

    def _value_list_to_array(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Turn one value per connection, in the order of `addresses`, into an array of pairs."""
        for name, value in attributes.items():
            if not (isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim == 1)):
                continue
            array = np.full(self.shape, np.nan)
            if len(value) != len(self) or self._repeats().any():
                raise errors.InvalidDimensionsError(
                    f"Projection {self.label!r}: {name} is a list of {len(value)} values for "
                    f"{len(self)} connections; need one for each, and no pair of cells with "
                    "several connections"
                )
            array[self._pre_index, self._post_index] = value
            attributes[name] = array
        return attributes

    def _set_attributes(self, parameter_space: ParameterSpace) -> None:
        """Set native parameters, evaluated at the connections that exist."""
        if not len(self):
            return
        values = {name: self._select(lazy) for name, lazy in parameter_space.items()}
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._set_memristive(values)
        else:
            self._check_settable(values)
            self._write(values)

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of state variables, see PyNN.

        Of memristive synapses the ``permanence`` can be initialised; unlike `set`, this moves the
        floor, too.
        """
        initial_values = self._value_list_to_array(initial_values)
        schema = dict.fromkeys(initial_values, float)
        space = self._handle_distance_expressions(
            ParameterSpace(initial_values, schema, (self.pre.size, self.post.size))
        )
        values = {name: self._select(lazy) for name, lazy in space.items()}
        if isinstance(self.synapse_type, MemristiveSynapse):
            self._check_writable(values, ())
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_writable(values, ("permanence",))
            permanence = self._checked_permanence(values["permanence"], 0.0)
            values = {"permanence": permanence, "permanence_min": permanence}
        if len(self):
            self._write(values)
        self.initial_values.update(dict(space.items()))

    def _select(self, lazy: Any) -> Any:
        """Evaluate an array of pairs at the connections; one number stays one number."""
        value = lazy.evaluate(simplify=True)
        return value[self._pre_index, self._post_index] if np.ndim(value) == 2 else value

    def write_one(self, index: int, name: str, value: float) -> None:
        """Write a parameter of one connection, in PyNN units."""
        self._check_settable([name])
        space = ParameterSpace({name: value}, self.synapse_type.get_schema(), (1,))
        if hasattr(self.synapse_type, "translate"):
            space = self.synapse_type.translate(space)
        if isinstance(self.synapse_type, MemristivePlasticity):
            # Writing settles what is pending in all synapses, so all are written.
            (values,) = self.read(name)
            values[index] = value
            self._set_memristive({name: values})
        else:
            self._write({n: lazy.evaluate(simplify=True) for n, lazy in space.items()}, index)

    # ---- memristive synapses -------------------------------------------------------------------

    def _set_memristive(self, native: dict[str, Any]) -> None:
        self._check_settable(native)
        if "permanence" in native:
            (floor,) = self.read("permanence_min")
            native["permanence"] = self._checked_permanence(native["permanence"], floor)
        self._write(native)

    def _check_settable(self, names: Iterable[str]) -> None:
        if isinstance(self.synapse_type, MemristivePlasticity | MemristiveSynapse):
            self._check_writable(names, self.synapse_type.settable)

    def _check_writable(self, names: Iterable[str], writable: Sequence[str]) -> None:
        for name in names:
            if name not in writable:
                kind = type(self.synapse_type).__name__
                raise errors.InvalidParameterValueError(
                    f"{kind} {self.label!r}: {name} cannot be changed once the synapses exist, "
                    f"only {' and '.join(writable) or 'nothing'}; make a new projection and give "
                    f"it to its {kind} instead"
                )

    def _checked_permanence(self, permanence: Any, floor: Any) -> np.ndarray:
        """Return one permanence per connection, rounded to the levels of the device.

        Raises
        ------
        pyNN.errors.InvalidParameterValueError
            If a value is below its floor or above ``p_max``.
        """
        synapse: MemristivePlasticity = self.synapse_type
        permanence = np.broadcast_to(np.asarray(permanence, float), len(self))
        outside = np.flatnonzero(~((permanence >= floor) & (permanence <= synapse.p_max)))
        if outside.size:
            first = outside[0]
            raise errors.InvalidParameterValueError(
                f"{type(synapse).__name__} {self.label!r}: permanence={permanence[first]}, need "
                f"values in {np.broadcast_to(floor, len(self))[first]} ... {synapse.p_max} (from "
                "the floor, which `initialize` sets, to the maximum)"
            )
        return effects.initial_state(synapse.device, permanence, synapse.p_max)
