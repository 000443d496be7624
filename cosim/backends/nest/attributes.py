"""Reading and writing synapses in NEST."""

from collections.abc import Mapping
from typing import Any

import nest
import numpy as np
import pyNN.nest
from pyNN.nest import simulator
from pyNN.nest.conversion import make_sli_compatible
from pyNN.nest.standardmodels.synapses import STDPMechanism, TsodyksMarkramSynapse
from pyNN.parameters import ParameterSpace

from ..standardmodels import MemristivePlasticity, MemristiveSynapse
from ..synapse_attributes import SynapseAttributes
from .extension import Synapses, library

# Native names of PyNN's synapse parameters that are no parameters of NEST synapses.
NOT_IN_NEST = ("tau_minus", "dendritic_delay_fraction", "w_min_always_zero_in_NEST")
# Native names of what is given in the unit of a weight.
WEIGHTS = ("weight", "Wmax")


class NESTSynapseAttributes(SynapseAttributes, pyNN.nest.Projection):
    """Reading and writing of synapses in NEST."""

    nest_synapse_label: int | None
    #: Labels of the synapses in NEST; those of repeated pairs have successive labels. None if the
    #: projection has a synapse model of its own, whose synapses know their place.
    _nest_labels: range
    _pre_ids: np.ndarray
    _post_ids: np.ndarray
    #: What `reset` goes back to: native variables in PyNN's sign, each of shape (n,).
    _initial: dict[str, np.ndarray]

    # ---- reading -------------------------------------------------------------------------------

    def read(self, *names: str) -> list[np.ndarray]:
        """Read variables of all connections, see `SynapseAttributes.read`.

        The state of plastic synapses is that of PyNN's present time if this is a multiple of the
        minimal delay, else that of the next multiple: NEST delivers spikes no more often.
        """
        return super().read(*names)

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
                if self._is_common(name):
                    values[:] = nest.GetDefaults(self.nest_synapse_model)[name]
                else:
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
        if not self._nest_labels:
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

    # ---- writing -------------------------------------------------------------------------------

    def _set_attributes(self, parameter_space: ParameterSpace) -> None:
        if len(self) and "tau_minus" in parameter_space.keys():
            self._set_tau_minus(parameter_space.pop("tau_minus"))
        super()._set_attributes(parameter_space)

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        """Write native variables, given in PyNN's sign, to all connections or to one."""
        chosen = slice(None) if index is None else slice(index, index + 1)
        with Synapses(self.nest_synapse_model, self._nest_labels) as synapses:
            order = self._order(synapses, index)
            for name, value in native.items():
                if name in NOT_IN_NEST:
                    continue
                self._keep_initial({name: value}, index)
                if name in WEIGHTS:
                    value = value * np.broadcast_to(self._weight_factor(), len(self))[chosen]
                if self._is_common(name):
                    self._write_common(name, value, index)
                else:
                    synapses.write(name, np.broadcast_to(value, len(order))[order])
        if "permanence" in native:
            step = library().cosim_delivered_until()
            nest.SetDefaults(self.nest_synapse_model, {"states_written": step})

    def _write_common(self, name: str, value: Any, index: int | None = None) -> None:
        """Write a variable of which NEST keeps one value for all synapses of a model.

        Raises
        ------
        ValueError
            If some synapses should have other values than the rest.
        """
        values = np.unique(value)
        if values.size > 1 or (index is not None and len(self) > 1):
            raise ValueError(
                f"Projection {self.label!r}: {name} cannot differ between synapses, NEST keeps one "
                f"value for all synapses of {self.synapse_type.nest_name}; set one number for the "
                "whole projection"
            )
        nest.SetDefaults(self.nest_synapse_model, make_sli_compatible({name: values[0]}))

    def _is_common(self, name: str) -> bool:
        """Whether NEST keeps one value of a variable for all synapses of a model."""
        own = ("weight", "delay")
        if name in own or not len(self) or not self._nest_labels:
            return False
        if self._common_synapse_property_names is None:
            self._identify_common_synapse_properties()
        return name in self._common_synapse_property_names

    # ---- going back ----------------------------------------------------------------------------

    def _keep_initial(self, native: Mapping[str, Any], index: int | None = None) -> None:
        """Remember what `reset` goes back to, of all connections or of one."""
        chosen = slice(None) if index is None else slice(index, index + 1)
        for name in ("weight", "permanence", "permanence_min"):
            if name in native:
                self._initial.setdefault(name, np.empty(len(self)))[chosen] = native[name]

    def reset(self) -> None:
        """Give plastic synapses the state that they were made with or that was set last."""
        if not len(self):
            return
        if isinstance(self.synapse_type, MemristivePlasticity):
            # First of all nothing may be pending any more.
            self._write({"n_spikes": 0.0, "n_events": 0.0, **self._initial})
            nest.SetDefaults(
                self.nest_synapse_model,
                {"device_time_zero": self._time_zero(), "n_devices": len(self)},
            )
        elif isinstance(self.synapse_type, MemristiveSynapse) and self.synapse_type.changes:
            self._write({"n_spikes": 0.0})
            nest.SetDefaults(self.nest_synapse_model, {"device_time_zero": self._time_zero()})
        elif isinstance(self.synapse_type, STDPMechanism):
            nest.NodeCollection(np.unique(self._post_ids).tolist()).set(clear=True)
            self._write(self._initial)
        elif isinstance(self.synapse_type, TsodyksMarkramSynapse):
            self._write({"y": 0.0, "x": 1.0, "u": 0.0})

    @staticmethod
    def _time_zero() -> int:
        """Return the time step of NEST that is PyNN's time 0."""
        return round(simulator.state._time_offset / simulator.state.dt)

    def _set_tau_minus(self, tau_minus: Any) -> None:
        if not tau_minus.is_homogeneous:
            raise ValueError(
                f"Projection {self.label!r}: tau_minus belongs to the postsynaptic cells in NEST "
                "and cannot differ between synapses of one projection"
            )
        value = float(np.ravel(tau_minus.base_value)[0])
        cells = np.unique(np.asarray(self.post.all_cells, np.int64))
        for other in simulator.state.projections:
            if other is self or not isinstance(other.synapse_type, STDPMechanism):
                continue
            shared = np.intersect1d(cells, other._post_ids).tolist()
            present = nest.NodeCollection(shared[:1]).tau_minus if shared else value
            if present != value:
                raise ValueError(
                    f"Projection {self.label!r}: tau_minus={value}, need {present} as projection "
                    f"{other.label!r}: in NEST tau_minus belongs to the postsynaptic cells, which "
                    "both share"
                )
        self.post.node_collection.set(tau_minus=value)

    # ---- units ---------------------------------------------------------------------------------

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
