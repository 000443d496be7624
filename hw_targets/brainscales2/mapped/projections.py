"""Projections: realised as arrays, mapped to the chip before the run."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pyNN import common, errors
from pyNN.space import Space

from cosim.backends.connectivity import realise
from cosim.backends.realised_projection import RealisedProjection
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.synapses import StaticSynapse


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
        if not isinstance(self.synapse_type, StaticSynapse):
            raise errors.NoModelAvailableError(
                f"Projection {self.label!r}: no model on BrainScaleS-2 for "
                f"{type(self.synapse_type).__module__}.{type(self.synapse_type).__name__}; use "
                "StaticSynapse of this backend"
            )
        state.check_can_grow(f"Projection {self.label!r}")
        connectivity = realise(self, state.rng_seed, self._stream_label())
        self._pre_index, self._post_index = connectivity.pre, connectivity.post
        self._values = {
            name: np.array(np.broadcast_to(value, len(self)), float)
            for name, value in connectivity.parameters.items()
        }
        self._check_delays(self._values)
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

    def has_negative_weights(self) -> npt.NDArray[np.bool_]:
        """Whether weights are negative by PyNN's convention, by connection."""
        conductance = self._per_connection(lambda cell: bool(cell.conductance_based)).astype(bool)
        return ~conductance & (self.receptor_type == "inhibitory")

    def _read_native(self, names: list[str], index: int | None = None) -> list[np.ndarray]:
        chosen = slice(None) if index is None else slice(index, index + 1)
        return [self._values[name][chosen].copy() for name in names]

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        self._check_delays(native)
        for name, value in native.items():
            values = self._values[name].copy()
            values[slice(None) if index is None else index] = (
                value if index is None else np.ravel(value)[0]
            )
            self._values[name] = values
        simulator.state.changed()
