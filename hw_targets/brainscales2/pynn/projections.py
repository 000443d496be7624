"""Projections: connections with weights in whole LSB, without delays."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN import common, errors
from pyNN.space import Space

from cosim.backends.connections import Connection as _Connection
from cosim.backends.synapse_attributes import SynapseAttributes
from hw_targets.brainscales2.pynn import simulator
from hw_targets.brainscales2.pynn.plasticity_rules import TimedData, recorded_by_rule
from hw_targets.brainscales2.pynn.sources import ExternalNeuron
from hw_targets.brainscales2.pynn.synapses import StaticSynapse
from hw_targets.brainscales2.routing import PlacedSynapse

IntArray = npt.NDArray[np.int64]


class Connection(_Connection):
    """One connection; its weight and its delay, which is 0, are attributes."""

    @property
    def pop_pre_index(self) -> int:
        """Index of the presynaptic cell in the whole population."""
        return int(_in_population(self.projection.pre, self.presynaptic_index))

    @property
    def pop_post_index(self) -> int:
        """Index of the postsynaptic cell in the whole population."""
        return int(_in_population(self.projection.post, self.postsynaptic_index))


class Projection(SynapseAttributes):  # noqa: D101
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
    _connection_class = Connection

    #: Weight of each connection in LSB, shape (n,).
    weights: IntArray

    def __init__(
        self,
        presynaptic_neurons: Any,
        postsynaptic_neurons: Any,
        connector: Any,
        synapse_type: Any = None,
        source: str | None = None,
        receptor_type: str | None = None,
        space: Space | None = None,
        label: str | None = None,
    ) -> None:
        for cells in (presynaptic_neurons, postsynaptic_neurons):
            if isinstance(cells, common.Assembly):
                raise NotImplementedError(
                    f"Projection {label!r}: Assemblies are not supported yet; make a projection "
                    "for each population"
                )
        if isinstance(getattr(postsynaptic_neurons, "celltype", None), ExternalNeuron):
            raise errors.ConnectionError(
                f"Projection {label!r}: {type(postsynaptic_neurons.celltype).__name__} has no "
                "receptors; connect to neurons"
            )
        super().__init__(
            presynaptic_neurons, postsynaptic_neurons, connector, synapse_type, source,
            receptor_type, space or Space(), label,
        )  # fmt: skip
        #: Compartments of all post- and all presynaptic cells.
        self.compartment = self._located(connector, "location_selector", self.post)
        self.source_compartment = self._located(connector, "source_location_selector", self.pre)
        kind = self.post.celltype.receptor_kind(self.receptor_type, self.compartment)
        #: Whether its synapses inhibit.
        self.inhibitory = kind == "inhibitory"
        self._calls: list[tuple[IntArray, int, dict[str, Any]]] = []
        # PyNN's own, so that connectors draw the same connections as the vendor's.
        with warnings.catch_warnings():
            # Of receptors with names of their own; `_rounded` checks the signs.
            warnings.filterwarnings("ignore", "Can't check weight")
            connector.connect(self)
        self._store_connections()
        simulator.current().projections.append(self)

    def _located(self, connector: Any, selector: str, cells: Any) -> int:
        """Return the compartment that a connector selects."""
        label = getattr(connector, selector, None)
        if label is None:
            return 0
        if not hasattr(cells.celltype, "get_compartment_ids"):
            raise ValueError(
                f"Projection {self.label!r}: {selector}={label!r}, but the cells have one "
                "compartment: leave it out"
            )
        found = cells.celltype.get_compartment_ids([label])
        if len(found) > 1:
            raise ValueError(
                f"Projection {self.label!r}: {selector}={label!r}, which {len(found)} compartments "
                f"of {type(cells.celltype).__name__} are called; give them labels of their own"
            )
        return int(found[0])

    # ---- connections ---------------------------------------------------------------------------

    def _convergent_connect(
        self,
        presynaptic_indices: Any,
        postsynaptic_index: int,
        location_selector: Any = None,
        **parameters: Any,
    ) -> None:
        indices = np.atleast_1d(np.asarray(presynaptic_indices, dtype=np.int64))
        self._calls.append((indices, int(postsynaptic_index), parameters))

    def _store_connections(self) -> None:
        sizes = [indices.size for indices, _, _ in self._calls]
        none = np.empty(0, dtype=np.int64)
        pre = np.concatenate([none, *(indices for indices, _, _ in self._calls)])
        post = np.repeat(np.array([post for _, post, _ in self._calls], dtype=np.int64), sizes)
        columns = {}
        for name in ("weight", "delay"):
            values = [np.broadcast_to(p[name], indices.size) for indices, _, p in self._calls]
            columns[name] = np.concatenate([none.astype(float), *values])
        self._calls = []
        order = np.lexsort((post, pre))
        self._pre_index, self._post_index = pre[order], post[order]
        self._check_delays(columns["delay"])
        self.weights = self._rounded(columns["weight"][order])

    def _rounded(self, weights: npt.ArrayLike) -> IntArray:
        """Round weights to LSB, halves to even numbers, and check their signs."""
        given = np.asarray(weights, dtype=float)
        if not np.isfinite(given).all():
            raise errors.ConnectionError(
                f"Projection {self.label!r}: weight={given[~np.isfinite(given)][0]}, need numbers"
            )
        rounded = np.rint(given).astype(np.int64)
        negative = self.inhibitory and not self.post.conductance_based
        wrong = given > 0 if negative else given < 0
        if wrong.any():
            raise errors.ConnectionError(
                f"Projection {self.label!r}, receptor {self.receptor_type!r}, "
                f"weight={given[wrong].flat[0]:g}: Weights must be positive for conductance-based "
                "and/or excitatory synapses and negative for inhibitory synapses"
            )
        return rounded

    def _check_delays(self, delays: npt.ArrayLike) -> None:
        wrong = np.asarray(delays) != 0
        if wrong.any():
            raise ValueError(
                f"Projection {self.label!r}, delay={np.asarray(delays)[wrong].flat[0]:g}: Setting "
                "the delay unequal 0 is not supported."
            )

    @property
    def connections(self) -> list[Connection]:  # type: ignore[override]
        """All connections, sorted by (pre, post)."""
        found: list[Connection] = self[:]
        return found

    def cell_ids(self) -> tuple[IntArray, IntArray]:
        """Return the IDs of the pre- and postsynaptic cell of each connection."""
        pre, post = (np.array(cells.all_cells, dtype=np.int64) for cells in (self.pre, self.post))
        return pre[self._pre_index], post[self._post_index]

    @property
    def placed_connections(self) -> list[list[PlacedSynapse]]:
        """Synapses of the chip that realise each connection.

        Raises
        ------
        RuntimeError
            Before the first run.
        """
        state = simulator.current()
        number = next(k for k, known in enumerate(state.projections) if known is self)
        if state.mapping is None or number not in state.mapping.connections:
            raise RuntimeError(
                "placed_connections requires a previous routing run, which is executed on "
                "pynn.run() or pynn.run(None, pynn.RunCommand.PREPARE)."
            )
        where, routing = state.mapping.connections[number], state.mapping.routing
        return [routing.of(connection) for connection in range(where.start, where.stop)]

    # ---- weights and delays --------------------------------------------------------------------

    def _read_native(self, names: list[str], index: int | None = None) -> list[np.ndarray]:
        columns = {"weight": self.weights, "delay": np.zeros(len(self))}
        chosen = slice(None) if index is None else slice(index, index + 1)
        return [columns[name][chosen] for name in names]

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        if "delay" in native:
            self._check_delays(native["delay"])
        if "weight" in native:
            weights = self.weights.copy()
            weights[slice(None) if index is None else index] = self._rounded(native["weight"])
            self.weights = weights

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of plastic synapses, of which the chip has none.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(
            f"Projection {self.label!r}: synapses have no initial values; set their weight"
        )

    def get_data(self, observable: str) -> list[list[TimedData]]:
        """Return what a plasticity rule recorded of the synapses.

        Parameters
        ----------
        observable : str
            Name of an `ObservablePerSynapse`.

        Returns
        -------
        list of list of TimedData
            For each snippet of the run, for each execution in it.

        Raises
        ------
        RuntimeError
            If the synapses have no rule, or it has no such observable, or before the first run.
        """
        return recorded_by_rule(self, self.synapse_type, "Synapse", observable)


def _in_population(cells: Any, index: int) -> Any:
    return cells.index_in_grandparent([index])[0] if hasattr(cells, "grandparent") else index
