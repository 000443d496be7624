"""Projections: connected with one call to NEST."""

from dataclasses import replace
from typing import Any, ClassVar

import nest
import numpy as np
from pyNN import common, errors
from pyNN.nest import simulator
from pyNN.nest.conversion import make_sli_compatible
from pyNN.nest.standardmodels.synapses import STDPMechanism, TsodyksMarkramSynapse
from pyNN.parameters import ParameterSpace
from pyNN.space import Space
from pyNN.standardmodels import StandardSynapseType

from devices import effects, noise
from devices.programmed import ProgrammedWeights

from ..connectivity import Connectivity, realise
from ..realised_projection import RealisedProjection
from ..standardmodels import MemristivePlasticity, MemristiveSynapse
from .attributes import NOT_IN_NEST, WEIGHTS, NESTSynapseAttributes


class Projection(RealisedProjection, NESTSynapseAttributes):  # noqa: D101
    __doc__ = common.Projection.__doc__

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
        self._common_synapse_property_names: list[str] | None = None
        self._initial = {}

        stream_label = self._stream_label()
        seed = int(simulator.state.rng_seed)
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_memristive()
        elif self.synapse_type.has_parameter("tau_minus"):
            self._set_tau_minus(self.synapse_type.native_parameters["tau_minus"])
        connectivity = realise(self, seed, stream_label)
        self._pre_ids = np.asarray(self.pre.all_cells, dtype=np.int64)
        self._post_ids = np.asarray(self.post.all_cells, dtype=np.int64)
        self._pre_index, self._post_index = connectivity.pre, connectivity.post
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._connect_memristive(connectivity, noise.noise_key(seed, stream_label))
        elif isinstance(self.synapse_type, MemristiveSynapse):
            self._connect_programmed(connectivity, noise.noise_key(seed, stream_label))
        else:
            self._connect_standard(connectivity)
        simulator.state.projections.append(self)

    # ---- connecting ----------------------------------------------------------------------------

    def _connect(self, parameters: dict[str, Any]) -> None:
        """Connect with one call; `parameters` are NEST's, each a number or an array."""
        n = len(self)
        sources, targets = self._pre_ids[self._pre_index], self._post_ids[self._post_index]
        receptors = self._per_connection(
            lambda cell: (
                0 if cell.standard_receptor_type else cell.get_receptor_type(self.receptor_type)
            )
        )
        if receptors.any():
            parameters = {**parameters, "receptor_type": receptors}
        spec: dict[str, Any] = {"synapse_model": self.nest_synapse_model}
        for name, value in parameters.items():
            spec[name] = np.broadcast_to(np.asarray(value, float), (n,))
        try:
            nest.Connect(sources, targets, "one_to_one", spec)
        except nest.NESTError as error:
            raise errors.ConnectionError(f"Projection {self.label!r}: {error}") from error
        self._sources = set(np.unique(sources).tolist())
        simulator.state.stale_connection_cache = True

    def _connect_standard(self, connectivity: Connectivity) -> None:
        self.nest_synapse_model = self._choose_nest_model()
        repeats = self._repeats()
        self._nest_labels = self._reserve_labels(int(repeats.max(initial=0)) + 1)
        # The first label, for PyNN's own code.
        self.nest_synapse_label = self._nest_labels.start
        if not len(self):
            return
        native = self._to_native(connectivity.parameters)
        self._keep_initial(native)
        for name in WEIGHTS:
            if name in native:
                native[name] = native[name] * self._weight_factor()
        if isinstance(self.synapse_type, TsodyksMarkramSynapse):
            native["tau_psc"] = self._tau_psc()
        self._set_shared_parameters(native)
        local = {
            name: value
            for name, value in native.items()
            if np.ndim(value) > 0 or name in ("weight", "delay")
        }
        self._connect({**local, "synapse_label": self.nest_synapse_label + repeats})
        for name in filter(self._is_common, local):
            self._write_common(name, local[name])  # `nest.Connect` ignores it

    def _choose_nest_model(self) -> str:
        synapse = self.synapse_type
        if not isinstance(synapse, StandardSynapseType):
            return synapse._get_nest_synapse_model()
        stdp = isinstance(synapse, STDPMechanism)
        model = min(synapse.possible_models) if stdp else synapse.nest_name
        if model not in nest.synapse_models:
            raise errors.NoModelAvailableError(
                f"Projection {self.label!r}: {type(synapse).__name__} needs NEST's {model}, which "
                "this NEST does not have"
            )
        return model + "_lbl"

    def _set_shared_parameters(self, native: dict[str, Any]) -> None:
        """Make what is the same for all synapses the default of NEST's synapse model."""
        if not isinstance(self.synapse_type, StandardSynapseType):
            return  # PyNN has done it
        shared = {
            name: value
            for name, value in native.items()
            if np.ndim(value) == 0 and name not in ("weight", "delay")
        }
        if isinstance(self.synapse_type, STDPMechanism):
            for part in (self.synapse_type.timing_dependence, self.synapse_type.weight_dependence):
                shared.update(part.extra_parameters)
        if "Wmax" in native:
            # NEST wants weight and Wmax of one sign at any time, in the defaults as well.
            largest = float(np.ravel(native["Wmax"])[0])
            shared.update(Wmax=largest, weight=float(np.copysign(1.0, largest)))
        nest.SetDefaults(self.nest_synapse_model, make_sli_compatible(shared))

    @staticmethod
    def _reserve_labels(n: int) -> range:
        """Take `n` labels: NEST shuffles the synapses of a pair, so each has its own."""
        first = common.Projection._nProj
        common.Projection._nProj += n - 1
        return range(first, first + n)

    def _connect_memristive(self, connectivity: Connectivity, key: noise.Key) -> None:
        synapse: MemristivePlasticity = self.synapse_type
        device, n = synapse.device, len(self)
        permanence = self._checked_permanence(connectivity.parameters["permanence"], 0.0)
        self._own_model(synapse.make_nest_model(key, n, self._time_zero()))
        if effects.spreads_bounds(device):
            w_max = synapse.common_parameters()["w_max"] * 1000.0
            self.bounds = effects.sample_bounds(device, w_max, n, key)
            nest.SetDefaults(
                self.nest_synapse_model,
                {"device_w_min": self.bounds.w_min, "device_w_max": self.bounds.w_max},
            )
        if not n:
            return
        self._keep_initial({"permanence": permanence, "permanence_min": permanence})
        self._connect(
            {
                "delay": connectivity.parameters["delay"],
                "permanence": permanence,
                "device": np.arange(n),
            }
        )

    def _connect_programmed(self, connectivity: Connectivity, key: noise.Key) -> None:
        """Connect with weights of memristive devices; in `programmed` is what became of them."""
        synapse: MemristiveSynapse = self.synapse_type
        parameters = connectivity.parameters
        programmed = self.programmed = self._program(parameters["weight"], key)
        self._check_signs(programmed)
        if not synapse.changes:
            weights = programmed.weights()
            self._connect_standard(
                replace(connectivity, parameters={**parameters, "weight": weights})
            )
            return
        self._own_model(synapse.make_nest_model(programmed, self._time_zero()))
        if not len(self):
            return
        in_nest = 1000.0 * self._weight_factor() * np.ones(len(self))
        first, second = programmed.shares()
        self._connect(
            {
                "delay": parameters["delay"],
                "first": in_nest * first,
                "second": in_nest * second,
                "index": np.arange(len(self)),
            }
        )

    def _check_signs(self, programmed: ProgrammedWeights) -> None:
        """Refuse weights of both signs where NEST would send them to different receptors.

        Raises
        ------
        pyNN.errors.ConnectionError
            If the time constants of these receptors differ.
        """
        mapping = self.synapse_type.mapping
        sign = -1.0 if self.receptor_type == "inhibitory" else 1.0
        if mapping == "single" and np.all(sign * np.asarray(programmed.scale) > 0.0):
            return
        for population in getattr(self.post, "populations", [self.post]):
            cell, names = population.celltype, ("tau_syn_E", "tau_syn_I")
            by_sign = cell.standard_receptor_type and not cell.conductance_based
            if not by_sign or not set(names) <= set(cell.default_parameters):
                continue
            excitatory, inhibitory = population.get(names, simplify=False)
            for i in np.flatnonzero(np.not_equal(excitatory, inhibitory))[:1]:
                raise errors.ConnectionError(
                    f"MemristiveSynapse {self.label!r}: mapping={mapping!r} with weights that are "
                    f"or could become of the other sign than those of receptor "
                    f"{self.receptor_type!r}; NEST sends these through the other receptor of "
                    f"{type(cell).__name__}, need equal time constants (cell {i}: tau_syn_E="
                    f"{excitatory[i]:g}, tau_syn_I={inhibitory[i]:g} ms), or mapping='single' and "
                    "weights of one sign in each projection"
                )

    def _own_model(self, name: str) -> None:
        """Take a NEST synapse model whose synapses know their place in the projection."""
        self.nest_synapse_model = name
        self.nest_synapse_label = None
        self._nest_labels = range(0)

    def _to_native(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Translate names and units; numbers stay numbers, arrays arrays."""
        if not hasattr(self.synapse_type, "translate"):
            return parameters
        space = ParameterSpace(parameters, self.synapse_type.get_schema(), shape=(len(self),))
        native = self.synapse_type.translate(space)
        native.evaluate(simplify=True)
        return {k: v for k, v in native.items() if k not in NOT_IN_NEST}
