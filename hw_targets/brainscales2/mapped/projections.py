"""Projections: realised as arrays, mapped to the chip before the run."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pyNN import common, errors
from pyNN.space import Space

from cosim.backends.connectivity import realise
from cosim.backends.realised_projection import RealisedProjection
from cosim.backends.standardmodels import MemristivePlasticity
from devices.noise import noise_key
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.memristive import PlasticDevices, ProgrammedDevices
from hw_targets.brainscales2.mapped.synapses import (
    MemristiveSTDP,
    MemristiveStructuralSTDP,
    MemristiveSynapse,
    StaticSynapse,
)


class Projection(RealisedProjection):  # noqa: D101
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
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
        super().__init__(
            presynaptic_population,
            postsynaptic_population,
            connector,
            synapse_type,
            source,
            receptor_type,
            space or Space(),
            label,
        )
        state = simulator.state
        known = (StaticSynapse, MemristiveSTDP, MemristiveStructuralSTDP, MemristiveSynapse)
        if not isinstance(self.synapse_type, known):
            raise errors.NoModelAvailableError(
                f"Projection {self.label!r}: no model on BrainScaleS-2 for "
                f"{type(self.synapse_type).__module__}.{type(self.synapse_type).__name__}; use "
                "StaticSynapse or a memristive synapse of this backend"
            )
        state.check_can_grow(f"Projection {self.label!r}")
        label = self._stream_label()
        connectivity = realise(self, state.rng_seed, label)
        self._pre_index, self._post_index = connectivity.pre, connectivity.post
        self._values = {
            name: np.array(np.broadcast_to(value, len(self)), float)
            for name, value in connectivity.parameters.items()
        }
        self._check_delays(self._values)
        #: Of memristive synapses.
        self.devices: PlasticDevices | ProgrammedDevices | None = None
        key = noise_key(state.rng_seed, label)
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_memristive()
            permanence = self._checked_permanence(self._values.pop("permanence"), 0.0)
            self.devices = PlasticDevices(self.synapse_type, permanence, key)
        elif isinstance(self.synapse_type, MemristiveSynapse):
            self.programmed = self._program(self._values["weight"], key)
            self.devices = ProgrammedDevices(self.programmed, self.synapse_type.changes)
        state.projections.append(self)
        state.changed()

    def _check_delays(self, values: Mapping[str, Any]) -> None:
        if "delay" in values and np.any(~(np.asarray(values["delay"]) >= 0.0)):
            raise errors.ConnectionError(
                f"Projection {self.label!r}: delay={np.min(values['delay']):g} ms, need at least 0"
            )

    def connected_ids(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the IDs of the cells of all connections; int64, shape (n,)."""
        pre = np.array([int(cell) for cell in self.pre.all_cells], np.int64)
        post = np.array([int(cell) for cell in self.post.all_cells], np.int64)
        return pre[self._pre_index], post[self._post_index]

    @property
    def is_plastic(self) -> bool:
        """Whether a rule changes the weights."""
        return isinstance(self.devices, PlasticDevices)

    def weights_in_use(self) -> npt.NDArray[np.float64]:
        """Return the weights that are on the chip but for rounding, shape (n,)."""
        if self.devices is None:
            return self._values["weight"]
        return self.devices.in_use(simulator.state.t)

    def asked_weights(self) -> npt.NDArray[np.float64]:
        """Return the weights that were asked for, shape (n,)."""
        return self._values["weight"] if "weight" in self._values else self.read("weight")[0]

    def has_negative_weights(self) -> npt.NDArray[np.bool_]:
        """Whether weights are negative by PyNN's convention, by connection."""
        conductance = self._per_connection(lambda cell: bool(cell.conductance_based)).astype(bool)
        return ~conductance & (self.receptor_type == "inhibitory")

    def _read_native(self, names: list[str], index: int | None = None) -> list[np.ndarray]:
        chosen = slice(None) if index is None else slice(index, index + 1)
        return [self._all_values(name)[chosen].copy() for name in names]

    def _all_values(self, name: str) -> np.ndarray:
        if name == "weight" and self.devices is not None:
            return self.devices.weights(simulator.state.t)
        if name in self._values:
            return self._values[name]
        if name in PlasticDevices.STATE:
            return np.asarray(getattr(self.devices, name), float)
        return np.full(len(self), self.synapse_type.common_parameters()[name])

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        self._check_delays(native)
        native = dict(native)
        if isinstance(self.devices, PlasticDevices) and "permanence" in native:
            if "permanence_min" in native:
                self.devices.initialise(np.broadcast_to(native.pop("permanence_min"), len(self)))
            self.devices.set_states(np.broadcast_to(native.pop("permanence"), len(self)))
        for name, value in native.items():
            values = self._values[name].copy()
            values[slice(None) if index is None else index] = (
                value if index is None else np.ravel(value)[0]
            )
            self._values[name] = values
        simulator.state.changed()
