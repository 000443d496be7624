"""Projections: connected with one call to NEST, read and written in bulk."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import nest
import numpy as np
import pyNN.nest
from pyNN import common, errors
from pyNN.nest import simulator
from pyNN.nest.conversion import make_sli_compatible
from pyNN.nest.standardmodels.synapses import TsodyksMarkramSynapse
from pyNN.parameters import ParameterSpace
from pyNN.space import Space

from devices import effects, noise

from ..connectivity import Connectivity, realise
from ..standardmodels import MemristivePlasticity
from .cells import IF_curr_exp_dAP
from .extension import Synapses

# Parameters of PyNN's synapse types that are no parameters of NEST synapses.
_NOT_IN_NEST = ("tau_minus", "dendritic_delay_fraction", "w_min_always_zero_in_NEST")


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


class Projection(pyNN.nest.Projection):
    __doc__ = common.Projection.__doc__

    #: How often each label was used since `setup`: equal labels must not mean equal random numbers.
    _labels_used: ClassVar[dict[str, int]] = {}

    def __init__(
        self,
        presynaptic_population: Any,
        postsynaptic_population: Any,
        connector: Any,
        synapse_type: Any = None,
        source: str | None = None,
        receptor_type: str | None = None,
        space: Space | None = None,
        label: str | None = None,
    ) -> None:
        common.Projection.__init__(
            self,
            presynaptic_population,
            postsynaptic_population,
            connector,
            synapse_type,
            source,
            receptor_type,
            space or Space(),
            label,
        )
        self._sources: set[int] = set()
        self._connections = None
        self._common_synapse_properties: dict[str, Any] = {}
        self._common_synapse_property_names: list[str] | None = None

        stream_label = self._stream_label()
        seed = int(simulator.state.rng_seed)
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_memristive()
            self.nest_synapse_label = None
            self.nest_synapse_model = self.synapse_type.make_nest_model(seed, stream_label)
        else:
            self.nest_synapse_label = Projection._nProj
            self.nest_synapse_model = self.synapse_type._get_nest_synapse_model()
            self.synapse_type._set_tau_minus(self.post.local_node_collection)
        connectivity = realise(self, seed, stream_label)
        self._pre_ids = np.asarray(self.pre.all_cells, dtype=np.int64)
        self._post_ids = np.asarray(self.post.all_cells, dtype=np.int64)
        self._pre_index, self._post_index = connectivity.pre, connectivity.post
        if len(self):
            if isinstance(self.synapse_type, MemristivePlasticity):
                self._connect_memristive(connectivity, noise.noise_key(seed, stream_label))
            else:
                self._connect_standard(connectivity)

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._pre_index)

    def _guess_receptor_type(self) -> None:
        if isinstance(self.synapse_type, MemristivePlasticity):
            self.receptor_type = self.synapse_type.receptor_type
        else:
            super()._guess_receptor_type()

    def _stream_label(self) -> str:
        label = self.label or "projection"
        number = self._labels_used[label] = self._labels_used.get(label, 0) + 1
        return label if number == 1 else f"{label}#{number}"

    # ---- connecting ----------------------------------------------------------------------------

    def _connect(self, parameters: dict[str, Any]) -> None:
        """Connect with one call; `parameters` are NEST's, each a number or an array."""
        n = len(self)
        sources, targets = self._pre_ids[self._pre_index], self._post_ids[self._post_index]
        spec: dict[str, Any] = {"synapse_model": self.nest_synapse_model}
        if self.nest_synapse_label is not None:
            parameters = {**parameters, "synapse_label": self.nest_synapse_label}
        if not self.post.celltype.standard_receptor_type:
            receptor = self.post.celltype.get_receptor_type(self.receptor_type)
            parameters = {**parameters, "receptor_type": receptor}
        for name, value in parameters.items():
            spec[name] = np.broadcast_to(np.asarray(value, float), (n,))
        try:
            nest.Connect(sources, targets, "one_to_one", spec)
        except nest.NESTError as error:
            raise errors.ConnectionError(f"Projection {self.label!r}: {error}") from error
        self._sources = set(np.unique(sources).tolist())
        simulator.state.stale_connection_cache = True

    def _connect_standard(self, connectivity: Connectivity) -> None:
        parameters = dict(connectivity.parameters)
        native = self._to_native(parameters)
        weight_sign = self._weight_sign()
        for name in ("weight", "Wmax"):
            if name in native:
                native[name] = native[name] * weight_sign
        native["weight"] = native["weight"] * getattr(self.post.celltype, "receptor_scale", 1.0)
        if isinstance(self.synapse_type, TsodyksMarkramSynapse):
            native["tau_psc"] = self._tau_psc()
        # What is the same for all synapses was made the default of NEST's synapse model, but for
        # what changes here.
        local = {
            name: value
            for name, value in native.items()
            if np.ndim(value) > 0 or name in ("weight", "delay", "tau_psc")
        }
        if weight_sign < 0 and "Wmax" in native:
            # NEST wants weight and Wmax of one sign at any time.
            nest.SetDefaults(self.nest_synapse_model, {"weight": -1.0, "Wmax": native["Wmax"]})
        self._connect(local)

    def _connect_memristive(self, connectivity: Connectivity, key: tuple[int, int]) -> None:
        synapse: MemristivePlasticity = self.synapse_type
        device, p_max, n = synapse.device, synapse.p_max, len(self)
        permanence = np.broadcast_to(np.asarray(connectivity.parameters["permanence"], float), (n,))
        outside = ~((permanence >= 0) & (permanence <= p_max))
        if outside.any():
            raise errors.InvalidParameterValueError(
                f"{type(synapse).__name__} {self.label!r}: permanence={permanence[outside][0]}, "
                f"need values in 0 ... {p_max}"
            )
        if device.sigma_d2d_g_max or device.sigma_d2d_g_min or device.stuck_on or device.stuck_off:
            w_max = synapse.common_parameters()["w_max"] * 1000.0
            self.bounds = effects.sample_bounds(device, w_max, n, key)
            nest.SetDefaults(
                self.nest_synapse_model,
                {"device_w_min": self.bounds.w_min, "device_w_max": self.bounds.w_max},
            )
        self._connect(
            {
                "delay": connectivity.parameters["delay"],
                "permanence": effects.initial_state(device, permanence, p_max),
                "device": np.arange(n),
            }
        )

    def _check_memristive(self) -> None:
        name = f"{type(self.synapse_type).__name__} {self.label!r}"
        if not isinstance(self.post.celltype, IF_curr_exp_dAP):
            raise errors.ConnectionError(
                f"{name}: postsynaptic cells are {type(self.post.celltype).__name__}; on NEST "
                "memristive plasticity needs IF_curr_exp_dAP"
            )
        if self.receptor_type != self.synapse_type.receptor_type:
            raise errors.ConnectionError(
                f"{name}: receptor_type={self.receptor_type!r}, need "
                f"{self.synapse_type.receptor_type!r}"
            )

    def _tau_psc(self) -> np.ndarray:
        """Time constant of the postsynaptic current, which NEST's tsodyks_synapse wants to know."""
        name = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}.get(self.receptor_type)
        if name is None:
            raise errors.ConnectionError(
                f"Projection {self.label!r}: TsodyksMarkramSynapse on receptor "
                f"{self.receptor_type!r}; NEST needs 'excitatory' or 'inhibitory'"
            )
        native = self.post.celltype.translations[name]["translated_name"]
        tau = np.asarray(nest.NodeCollection(self._post_ids.tolist()).get(native), float)
        return np.broadcast_to(tau, self._post_ids.shape)[self._post_index]

    def _weight_sign(self) -> int:
        # NEST takes inhibitory conductances as negative weights.
        return -1 if self.receptor_type == "inhibitory" and self.post.conductance_based else 1

    def _to_native(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Translate names and units; numbers stay numbers, arrays arrays."""
        if not hasattr(self.synapse_type, "translate"):
            return parameters
        space = ParameterSpace(parameters, self.synapse_type.get_schema(), shape=(len(self),))
        native = self.synapse_type.translate(space)
        native.evaluate(simplify=True)
        return {k: v for k, v in native.items() if k not in _NOT_IN_NEST}

    # ---- reading and writing -------------------------------------------------------------------

    def _order(self, synapses: Synapses) -> np.ndarray:
        """Return which of our connections each of NEST's is; repeated pairs keep NEST's order."""
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
        native = self.synapse_type.get_native_names(*names)
        return self._read_native(list(native))

    def addresses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pre- and postsynaptic indices of all connections, sorted; int64, shape (n,)."""
        return self._pre_index, self._post_index

    def _read_native(self, names: list[str]) -> list[np.ndarray]:
        values = []
        with Synapses(self.nest_synapse_model, self.nest_synapse_label) as synapses:
            index = self._order(synapses)
            for name in names:
                array = np.empty(len(self))
                array[index] = synapses.read(name)
                if name == "weight":
                    array *= 0.001 * self._weight_sign()
                values.append(array)
        return values

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
        combine = {
            "sum": np.add, "min": np.fmin, "max": np.fmax,
            "last": None, "first": None,
        }[multiple_synapses]  # fmt: skip
        pre, post = self._pre_index, self._post_index
        if multiple_synapses == "first":
            pre, post = pre[::-1], post[::-1]
        arrays = []
        for values in self._read_native([name.removesuffix("s") for name in names]):
            array = np.full(self.shape, np.nan)
            if combine is None:
                array[pre, post] = values[::-1] if multiple_synapses == "first" else values
            else:
                if combine is np.add:
                    array[pre, post] = 0.0
                combine.at(array, (pre, post), values)
            arrays.append(array)
        return arrays

    def _set_attributes(self, parameter_space: ParameterSpace) -> None:
        """Set native parameters, evaluated at the connections that exist."""
        if "tau_minus" in parameter_space.keys():
            if not parameter_space["tau_minus"].is_homogeneous:
                raise ValueError(
                    f"Projection {self.label!r}: tau_minus belongs to the postsynaptic cells in "
                    "NEST and cannot differ between synapses of one projection"
                )
            tau_minus = parameter_space.pop("tau_minus").evaluate(simplify=True)
            self.post.node_collection.set(tau_minus=float(np.ravel(tau_minus)[0]))
        local = set(nest.GetDefaults(self.nest_synapse_model)) - self._common_names()
        with Synapses(self.nest_synapse_model, self.nest_synapse_label) as synapses:
            index = self._order(synapses)
            for name, lazy in parameter_space.items():
                if name in _NOT_IN_NEST:
                    continue
                value = lazy.evaluate(simplify=True)
                if name in ("weight", "Wmax"):
                    value = value * self._weight_sign()
                if np.ndim(value) == 2:
                    value = value[self._pre_index, self._post_index][index]
                if name in local:
                    synapses.write(name, value)
                else:
                    self._set_common_synapse_property(name, make_sli_compatible(value))

    def _common_names(self) -> set[str]:
        if self._common_synapse_property_names is None:
            self._identify_common_synapse_properties()
        return set(self._common_synapse_property_names or ())

    def _set_initial_value_array(self, variable: str, value: Any) -> None:
        with Synapses(self.nest_synapse_model, self.nest_synapse_label) as synapses:
            index = self._order(synapses)
            values = value.evaluate(simplify=True)
            synapses.write(variable, values[index] if np.ndim(values) else values)
