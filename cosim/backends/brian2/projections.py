"""Projections: realised as arrays, handed to Brian2 in bulk before the first run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import brian2
import numpy as np
from brian2.devices.device import RuntimeDevice, get_device
from pyNN import common, errors
from pyNN.brian2 import simulator
from pyNN.space import Space

from devices import noise

from ..connectivity import realise
from ..realised_projection import RealisedProjection
from ..standardmodels import MemristivePlasticity
from .control import at_setup
from .in_flight import places_needed
from .synapses import WEIGHT, Pathway, StaticSynapse, SynapseModel, SynapseTypeMixin, Variable


@dataclass(frozen=True)
class _Block:
    """Connections between two groups of Brian2.

    Attributes
    ----------
    synapses : brian2.Synapses
        What they are in Brian2.
    members : slice or numpy.ndarray
        Which of the projection's connections, in the order of `synapses`.
    weight : Variable
        Unit of weights.
    """

    synapses: brian2.Synapses
    members: Any
    weight: Variable

    def units(self, variable: Variable) -> float:
        """Return how many of PyNN's units the SI unit of a variable has."""
        return self.weight.units if variable is WEIGHT else variable.units

    def read(self, name: str, variable: Variable) -> np.ndarray:
        """Read a variable of all synapses, in PyNN units."""
        values = self.synapses.variables[name].get_value()
        return values if self.units(variable) == 1 else values * self.units(variable)

    def write(self, name: str, variable: Variable, values: Any) -> None:
        """Write a variable, given for all connections of the projection, in PyNN units."""
        values = np.asarray(values)[self.members] if np.ndim(values) else np.asarray(values)
        units = self.units(variable)
        self.synapses.variables[name].set_value(values if units == 1 else values / units)

    def write_delays(self, pathways: Mapping[str, Pathway], steps: Any) -> None:
        """Write the delays of all pathways, given in time steps for all connections."""
        steps = steps[self.members] if np.ndim(steps) else steps
        for name, pathway in pathways.items():
            if pathway.delay == "none":
                continue
            delays = np.atleast_1d(_queue_steps(pathway, steps)) * float(self.synapses.clock.dt)
            variable = getattr(self.synapses, name).variables["delay"]
            if variable.size != delays.size:
                variable.resize(delays.size)
            variable.set_value(delays)


class Projection(RealisedProjection):  # noqa: D101
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
    _labels_used: ClassVar[dict[str, int]] = {}

    #: Delay of each connection in time steps, or one number for all.
    delay_steps: Any
    #: Seed of the run.
    seed: int
    #: Label that selects the random streams.
    stream_label: str
    #: Key of the noise of its devices.
    noise_key: noise.Key
    #: Name of the objects in Brian2, unique and the same in every run of a script.
    brian2_name: str

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
        if not isinstance(self.synapse_type, SynapseTypeMixin):
            raise errors.NoModelAvailableError(
                f"Projection {self.label!r}: no model on Brian2 for "
                f"{type(self.synapse_type).__module__}.{type(self.synapse_type).__name__}; use a "
                "synapse type of this backend"
            )
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_memristive()
        simulator.state.check_changeable(f"Projection {self.label!r}: the network")
        self.seed, self.stream_label = simulator.state.rng_seed, self._stream_label()
        self.noise_key = noise.noise_key(self.seed, self.stream_label)
        connectivity = realise(self, self.seed, self.stream_label)
        self._pre_index, self._post_index = connectivity.pre, connectivity.post
        self._blocks: list[_Block] = []
        self._model: SynapseModel | None = None
        parameters = dict(connectivity.parameters)
        parameters["delay"] = self._set_delays(parameters["delay"])
        #: All variables in PyNN units, one number or one for each connection; once they are in
        #: Brian2, its state variables are to be found there.
        self._values = self.synapse_type.brian2_values(self, parameters)
        self.synapse_type.check_values(self._described, self._values)
        self.brian2_name = simulator.state.name("projection")
        simulator.state.projections.append(self)

    @property
    def _described(self) -> str:
        return f"{type(self.synapse_type).__name__} {self.label!r}"

    # ---- delays --------------------------------------------------------------------------------

    def _set_delays(self, delay: Any) -> Any:
        """Check delays in ms and round them to time steps, halves up."""
        state = simulator.state
        per_ms = 1.0 / state.dt
        steps = np.floor(np.asarray(delay, float) * per_ms + 0.5)
        shortest, longest = state.default_delay, state._max_delay or np.inf
        for wrong, limit in (
            (~(steps >= round(shortest * per_ms)), f"at least {shortest} ms (setup's min_delay)"),
            (steps > longest * per_ms + 0.5, f"at most {longest} ms (setup's max_delay)"),
        ):
            if np.any(wrong):
                first = np.broadcast_to(delay, steps.shape)[wrong].flat[0]
                raise errors.ConnectionError(
                    f"Projection {self.label!r}: delay={first} ms, need {limit}"
                )
        self.delay_steps = steps.astype(np.int64) if steps.ndim else int(steps)
        delays = np.round(self.delay_steps * state.dt, 9)
        if len(self):
            state.note_delays(float(np.min(delays)), float(np.max(delays)))
        return delays

    # ---- Brian2's objects ----------------------------------------------------------------------

    def _before_run(self, stop: float) -> None:
        """Make Brian2's objects before the first run."""
        if not len(self):
            return
        if self._model is None:
            self._model = self.synapse_type.brian2_model(self)
            self._blocks = self._build(self._model)
            return
        for cells, places, arrive in (
            (self.pre, self._model.places, 0),
            (self.post, self._model.post_places, simulator.state.dt),
        ):
            if places:
                self._check_places(cells, places, arrive)

    def _check_places(self, cells: Any, places: int, arrive: float) -> None:
        longest = float(np.max(self._values["delay"]))
        needed = places_needed(self, cells, longest + arrive, foresee=False)
        if needed > places:
            raise ValueError(
                f"{self._described}: {needed} spikes of one cell of {cells.label!r} can be under "
                f"way at the same time, at the first run it was {places}; on Brian2 make longer "
                "delays or shorter intervals between spikes known before the first run"
            )

    def _build(self, model: SynapseModel) -> list[_Block]:
        pre_groups, pre_group, pre = _in_groups(self.pre)
        post_groups, post_group, post = _in_groups(self.post)
        i, j = pre[self._pre_index], post[self._post_index]
        if len(pre_groups) == len(post_groups) == 1:
            everything = slice(None)
            return [self._build_block(model, self.brian2_name, pre_groups[0], post_groups[0],
                                      i, j, everything)]  # fmt: skip
        pair = pre_group[self._pre_index] * len(post_groups) + post_group[self._post_index]
        blocks = []
        for number in np.unique(pair):
            a, b = divmod(int(number), len(post_groups))
            members = np.flatnonzero(pair == number)
            name = f"{self.brian2_name}_{a}_{b}"
            blocks.append(
                self._build_block(
                    model, name, pre_groups[a], post_groups[b], i[members], j[members], members
                )
            )
        return blocks

    def _build_block(
        self, model: SynapseModel, name: str, pre: Any, post: Any,
        i: np.ndarray, j: np.ndarray, members: Any,
    ) -> _Block:  # fmt: skip
        weight = _weight_variable(post.celltype)
        target = f"{post.celltype.post_synaptic_variables[self.receptor_type]}_post"
        sides: dict[str, dict[str, str]] = {"pre": {}, "post": {}}
        for key, pathway in model.pathways.items():
            sides[pathway.side][key] = pathway.code.replace("{target}", target)
        synapses = brian2.Synapses(
            pre.brian2_group,
            post.brian2_group,
            model=self._equations(model, weight),
            on_pre=sides["pre"],
            on_post=sides["post"] or None,
            delay=self._common_delays(model),
            namespace=dict(model.namespace),
            clock=simulator.state.network.clock,
            name=name,
        )
        for key, pathway in model.pathways.items():
            updater = getattr(synapses, key)
            updater.when, updater.order = pathway.slot, pathway.order
        with _connecting_in_numpy():
            synapses.connect(i=i, j=j, namespace={})
        block = _Block(synapses, members, weight)
        if np.ndim(self.delay_steps):
            block.write_delays(model.pathways, self.delay_steps)
        for key, variable in {**model.parameters, **model.state}.items():
            if key in self._values:
                block.write(key, variable, self._values[key])
        simulator.state.network.add(synapses)
        return block

    def _equations(self, model: SynapseModel, weight: Variable) -> str:
        lines = [f"{name} : {variable.unit}" for name, variable in model.state.items()]
        for name, variable in model.parameters.items():
            flags = "constant, shared" if self._is_shared(name) else "constant"
            lines.append(f"{name} : {variable.unit} ({flags})")
        return "\n".join(lines).replace("{weight_unit}", weight.unit)

    def _is_shared(self, name: str) -> bool:
        """Whether Brian2 keeps one number for all synapses; weights are often changed."""
        return name != "weight" and np.ndim(self._values[name]) == 0

    def _common_delays(self, model: SynapseModel) -> dict[str, Any]:
        """Return the delays of pathways in which all synapses have the same."""
        dt = simulator.state.network.clock.dt
        return {
            name: _queue_steps(pathway, self.delay_steps) * dt
            for name, pathway in model.pathways.items()
            if pathway.delay == "none" or np.ndim(self.delay_steps) == 0
        }

    # ---- reading and writing -------------------------------------------------------------------

    def _read_native(self, names: list[str], index: int | None = None) -> list[np.ndarray]:
        chosen = slice(None) if index is None else slice(index, index + 1)
        return [self.read_all(name)[chosen].copy() for name in names]

    def read_all(self, name: str) -> np.ndarray:
        """Read a variable of all connections, in PyNN units."""
        derived = self.synapse_type.derived(name, self)
        if derived is not None:
            return derived
        if self._changes(name):
            simulator.state.settle()
        if self._model is None or name not in self._model.state:
            return np.broadcast_to(self._values.get(name, 0.0), len(self))
        values = np.empty(len(self))
        for block in self._blocks:
            values[block.members] = block.read(name, self._model.state[name])
        return values

    def _changes(self, name: str) -> bool:
        """Whether the simulation so far may have changed a variable."""
        if not len(self) or not simulator.state.running:
            return False
        return name in (self._model or self.synapse_type.brian2_model(self)).state

    def _set_memristive(self, native: dict[str, Any]) -> None:
        # Before the floor is read, which would have the simulation take place.
        simulator.state.check_changeable(f"{self._described}: {', '.join(native)}")
        super()._set_memristive(native)

    def _write(self, native: Mapping[str, Any], index: int | None = None) -> None:
        simulator.state.check_changeable(f"{self._described}: {', '.join(native)}")
        values = {name: self._with(name, value, index) for name, value in native.items()}
        self.synapse_type.check_values(self._described, {**self._values, **values})
        if self._model is not None:
            self._check_shared(self._model, values)
        if "delay" in values:
            values["delay"] = self._set_delays(values["delay"])
        if self._model is not None:
            self._write_to_brian2(self._model, values)
        self._values |= values

    def _with(self, name: str, value: Any, index: int | None) -> Any:
        """Return new values of a variable, which may be for one connection only."""
        if name not in self._values:
            raise errors.NonExistentParameterError(
                name, type(self.synapse_type).__name__, list(self._values)
            )
        if index is None:
            return float(value) if np.ndim(value) == 0 else np.array(value, float)
        values = np.array(self.read_all(name), float)
        values[index] = np.ravel(value)[0]
        return values

    def _check_shared(self, model: SynapseModel, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name in model.parameters and self._is_shared(name) and np.ndim(value):
                raise errors.InvalidParameterValueError(
                    f"{self._described}: {name} differs between synapses; on Brian2 it must do so "
                    "before the first run, or be one number"
                )

    def _write_to_brian2(self, model: SynapseModel, values: Mapping[str, Any]) -> None:
        variables = {**model.parameters, **model.state}
        for block in self._blocks:
            for name, value in values.items():
                if name == "delay":
                    block.write_delays(model.pathways, self.delay_steps)
                elif name in variables:
                    block.write(name, variables[name], value)
                if name in model.state:
                    simulator.state.initialised(block.synapses, name)
        simulator.state.network.changed = True


at_setup(Projection._labels_used.clear)


def _queue_steps(pathway: Pathway, steps: Any) -> Any:
    """Return the delay of a pathway from where it finds a spike, in time steps."""
    return {"none": 0, "dendritic": steps, "transmission": steps - 1}[pathway.delay]


def _in_groups(cells: Any) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """Find the cells of a population, view or assembly in Brian2's groups.

    Returns
    -------
    populations : list of Population
        One for each group of Brian2.
    group : ndarray of int64, shape (n,)
        Which of them each cell belongs to.
    index : ndarray of int64, shape (n,)
        Index of each cell in its group.
    """
    populations: list[Any] = []
    group, index = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in getattr(cells, "populations", [cells]):
        whole = getattr(part, "grandparent", part)
        local = np.arange(part.size)
        if whole is not part:
            local = np.asarray(part.index_in_grandparent(local))
        if not any(whole is known for known in populations):
            populations.append(whole)
        number = next(k for k, known in enumerate(populations) if known is whole)
        group.append(np.full(part.size, number))
        index.append(local)
    return populations, np.concatenate(group), np.concatenate(index)


def _weight_variable(celltype: Any) -> Variable:
    """Return the unit of weights onto a cell type, by PyNN's rule: nA, uS or mV."""
    if getattr(celltype, "voltage_based_synapses", False):
        return Variable("volt", 1e3)
    return Variable("siemens", 1e6) if celltype.conductance_based else Variable("amp", 1e9)


@contextmanager
def _connecting_in_numpy() -> Iterator[None]:
    """Spare compiling code for each projection whose connections are given as arrays."""
    if not isinstance(get_device(), RuntimeDevice):
        yield
        return
    target = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    try:
        yield
    finally:
        brian2.prefs.codegen.target = target
