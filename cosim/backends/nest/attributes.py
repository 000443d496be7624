"""Reading and writing the synapses of a projection, in bulk and in PyNN units."""

import gc
import operator
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import nest
import numpy as np
import pyNN.nest
from pyNN import errors
from pyNN.nest.conversion import make_sli_compatible
from pyNN.parameters import ParameterSpace

from devices import effects

from ..standardmodels import MemristivePlasticity
from .connections import Connection
from .extension import Synapses, library

# Native names of PyNN's synapse parameters that are no parameters of NEST synapses.
NOT_IN_NEST = ("tau_minus", "dendritic_delay_fraction", "w_min_always_zero_in_NEST")
# Native names of what is given in the unit of a weight.
WEIGHTS = ("weight", "Wmax")

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


class SynapseAttributes(pyNN.nest.Projection):
    """What `pyNN.common.Projection` reads from and writes to existing synapses.

    Connections are sorted by (pre, post); several connections of one pair keep the order in which
    the connector gave them.
    """

    nest_synapse_label: int | None
    #: Labels of the synapses in NEST; those of repeated pairs have successive labels.
    _nest_labels: range
    _pre_ids: np.ndarray
    _post_ids: np.ndarray
    _pre_index: np.ndarray
    _post_index: np.ndarray

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._pre_index)

    def __getitem__(self, index: Any) -> Any:
        """Return a connection, or a list of connections for a slice."""
        if isinstance(index, slice):
            return [Connection(self, i) for i in range(*index.indices(len(self)))]
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(
                f"Projection {self.label!r}: connection {position} of {len(self)} does not exist"
            )
        return Connection(self, position % len(self))

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

    # ---- reading -------------------------------------------------------------------------------

    def has_attribute(self, name: str) -> bool:
        """Whether synapses have a parameter or a state of this name."""
        if hasattr(self.synapse_type, "translations"):
            return name in self.synapse_type.translations
        return self.synapse_type.has_parameter(name)

    def read(self, *names: str) -> list[np.ndarray]:
        """Read variables of all connections.

        The state of plastic synapses is that of PyNN's present time if this is a multiple of the
        minimal delay, else that of the next multiple: NEST delivers spikes no more often.

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

    def _read_native(self, names: list[str], index: int | None = None) -> list[np.ndarray]:
        """Read variables by their native names, of all connections or of one; in PyNN units."""
        chosen = slice(None) if index is None else slice(index, index + 1)
        with Synapses(self.nest_synapse_model, self._nest_labels) as synapses:
            order = self._order(synapses, index)

            def raw(name: str) -> np.ndarray:
                constant = self._constant(name)
                if constant is not None:
                    return np.broadcast_to(constant, len(self))[chosen].copy()
                values = np.empty(len(order))
                values[order] = synapses.read(name)
                if name in WEIGHTS:
                    values /= np.broadcast_to(self._weight_factor(), len(self))[chosen]
                return values

            return [self._to_pynn(name, raw) for name in names]

    def _to_pynn(self, name: str, raw: Any) -> np.ndarray:
        """Convert a native variable to what PyNN calls it, in PyNN units."""
        translations = getattr(self.synapse_type, "translations", {})
        (entry,) = [t for t in translations.values() if t["translated_name"] == name] or [None]
        if entry is None or entry["type"] == "simple":
            # Whatever else is native, PyNN gives weights in its own unit.
            return raw(name) / 1000.0 if entry is None and name == "weight" else raw(name)
        reverse = entry["reverse_transform"]
        if entry["type"] == "scaled":
            return np.asarray(reverse(**{name: raw(name)}))
        native = [n for n in self.synapse_type.get_native_names() if n not in NOT_IN_NEST]
        columns = [raw(n) for n in native]
        rows = zip(*columns, strict=True)
        return np.array([reverse(**dict(zip(native, row, strict=True))) for row in rows])

    def _constant(self, name: str) -> Any:
        """Return the value of what NEST's synapses do not have, None if they have it."""
        if isinstance(self.synapse_type, MemristivePlasticity):
            value = self.synapse_type.common_parameters().get(name)
            return value * 1000.0 if name == "w_max" and value is not None else value
        if name == "tau_minus":
            cells = nest.NodeCollection(self._post_ids.tolist())
            tau_minus = np.broadcast_to(cells.get("tau_minus"), self._post_ids.shape)
            return tau_minus[self._post_index]
        return {"dendritic_delay_fraction": 1.0, "w_min_always_zero_in_NEST": 0.0}.get(name)

    def _order(self, synapses: Synapses, index: int | None) -> np.ndarray:
        """Return which of our connections each of NEST's is; keep only one if there is an index."""
        order = self._order_of_all(synapses)
        if index is None:
            return order
        synapses.keep_one(int(np.flatnonzero(order == index)[0]))
        return np.zeros(1, np.int64)

    def _order_of_all(self, synapses: Synapses) -> np.ndarray:
        if isinstance(self.synapse_type, MemristivePlasticity):
            return synapses.read("device").astype(np.int64)
        sources, targets = synapses.addresses()
        if np.array_equal(sources, self._pre_ids[self._pre_index]) and np.array_equal(
            targets, self._post_ids[self._post_index]
        ):
            return np.arange(len(sources))
        pre, post = self._position(sources, self._pre_ids), self._position(targets, self._post_ids)
        order = np.lexsort((post, pre))
        index = np.empty(len(order), np.int64)
        index[order] = np.arange(len(order))
        return index

    @staticmethod
    def _position(ids: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return the index in the population of each id."""
        order = np.argsort(cells, kind="stable")
        return order[np.searchsorted(cells, ids, sorter=order)]

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
        if "tau_minus" in parameter_space.keys():
            tau_minus = parameter_space.pop("tau_minus")
            self._check_tau_minus(tau_minus)
            value = np.ravel(tau_minus.evaluate(simplify=True))[0]
            self.post.node_collection.set(tau_minus=float(value))
        values = {name: self._select(lazy) for name, lazy in parameter_space.items()}
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._set_memristive(values)
        else:
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
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_writable(values, ["permanence"])
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

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        """Write native variables, given in PyNN's sign, to all connections or to one."""
        chosen = slice(None) if index is None else slice(index, index + 1)
        with Synapses(self.nest_synapse_model, self._nest_labels) as synapses:
            order = self._order(synapses, index)
            for name, value in native.items():
                if name in NOT_IN_NEST:
                    continue
                if name in WEIGHTS:
                    value = value * np.broadcast_to(self._weight_factor(), len(self))[chosen]
                if self._is_common(name):
                    self._set_common_synapse_property(name, make_sli_compatible(value))
                else:
                    synapses.write(name, np.broadcast_to(value, len(order))[order])
        if "permanence" in native:
            step = library().cosim_delivered_until()
            nest.SetDefaults(self.nest_synapse_model, {"states_written": step})

    def _is_common(self, name: str) -> bool:
        """Whether NEST keeps one value of a variable for all synapses of a model."""
        if isinstance(self.synapse_type, MemristivePlasticity):
            return False
        if self._common_synapse_property_names is None:
            self._identify_common_synapse_properties()
        return name in (self._common_synapse_property_names or ())

    def _set_memristive(self, native: dict[str, Any]) -> None:
        self._check_writable(native, ["permanence", "delay"])
        if "permanence" in native:
            (floor,) = self.read("permanence_min")
            native["permanence"] = self._checked_permanence(native["permanence"], floor)
        self._write(native)

    def _check_writable(self, names: Iterable[str], writable: list[str]) -> None:
        for name in names:
            if name not in writable:
                kind = type(self.synapse_type).__name__
                raise errors.InvalidParameterValueError(
                    f"{kind} {self.label!r}: {name} cannot be changed once the synapses exist, "
                    f"only {' and '.join(writable)}; give it to {kind} instead"
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

    def _check_tau_minus(self, tau_minus: Any) -> None:
        if not tau_minus.is_homogeneous:
            raise ValueError(
                f"Projection {self.label!r}: tau_minus belongs to the postsynaptic cells in NEST "
                "and cannot differ between synapses of one projection"
            )

    # ---- units ---------------------------------------------------------------------------------

    def _per_connection(self, function: Any) -> np.ndarray:
        """Evaluate a function of the postsynaptic cell type for each connection."""
        populations = getattr(self.post, "populations", [self.post])
        values = [function(population.celltype) for population in populations]
        return np.repeat(values, [population.size for population in populations])[self._post_index]

    def _weight_factor(self) -> Any:
        """Return by what NEST's weights differ from PyNN's besides the unit, for each connection.

        NEST takes inhibitory conductances as negative weights, and some cells take weights in mV.
        """
        inhibitory = self.receptor_type == "inhibitory"
        return self._per_connection(
            lambda cell: (
                getattr(cell, "receptor_scale", 1.0)
                * (-1.0 if inhibitory and cell.conductance_based else 1.0)
            )
        )
