"""Populations, views of them and assemblies."""

from typing import Any

import numpy as np
from pyNN import common
from pyNN.brian2 import simulator
from pyNN.parameters import LazyArray, ParameterSpace, Sequence, simplify

from .recording import Recorder


class Assembly(common.Assembly):  # noqa: D101
    __doc__ = common.Assembly.__doc__
    _simulator = simulator


class _Cells:
    """What populations and views have in common."""

    celltype: Any
    label: str
    size: int
    brian2_group: Any

    @property
    def _where(self) -> slice | np.ndarray:
        """Indices of the cells in the Brian2 group."""
        raise NotImplementedError

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    # ---- parameters ----------------------------------------------------------------------------

    def _get_parameters(self, *names: str) -> ParameterSpace:
        """Return parameters in PyNN's units."""
        celltype = self.celltype
        native = self._get_native_parameters(*celltype.get_native_names(*names))
        return celltype.reverse_translate(native)

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        parameters = self.brian2_group.parameters
        values = {name: parameters[name][self._where].copy() for name in names}
        for name, value in values.items():
            if value.dtype != object:
                values[name] = simplify(value)
        return ParameterSpace(values, shape=(self.size,))

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        group, label = self.brian2_group, self.label
        names = ", ".join(parameter_space.keys())
        simulator.state.check_changeable(f"Population {label!r}: {names}")
        changed = _arrays(parameter_space)
        after = dict(group.parameters)
        for name, values in changed.items():
            after[name] = after[name].copy()
            after[name][self._where] = values
        self.celltype.check(after, label)
        group.set_parameters(changed, self._where)

    # ---- initial values ------------------------------------------------------------------------

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of state variables, see `pyNN.common.BasePopulation.initialize`.

        Parameters
        ----------
        **initial_values
            For each variable a number, an array, a function of the index or a random distribution.
        """
        for variable, value in initial_values.items():
            values = LazyArray(value, shape=(self.size,), dtype=float)
            self._set_initial_value_array(variable, values)

    def _set_initial_value_array(self, variable: str, value: LazyArray) -> None:
        entry = self.celltype.state_variable_translations.get(variable)
        if entry is None:
            known = ", ".join(self.celltype.state_variable_translations)
            raise KeyError(
                f"Population {self.label!r} has no state variable {variable!r}; it has {known}"
            )
        simulator.state.check_changeable(f"Population {self.label!r}: initial values")
        # Drawn once, so that what is read later is what was set.
        values = np.asarray(value.evaluate(simplify=False), float)
        native = np.asarray(entry["forward_transform"](**{variable: values}), float)
        self.brian2_group.initialise(entry["translated_name"], native, self._where)
        self._store_initial(variable, values)

    def _store_initial(self, variable: str, values: np.ndarray) -> None:
        raise NotImplementedError


class PopulationView(_Cells, common.PopulationView):  # noqa: D101
    __doc__ = common.PopulationView.__doc__
    _assembly_class = Assembly
    _simulator = simulator

    @property
    def _where(self) -> np.ndarray:
        return self.index_in_grandparent(np.arange(self.size))

    @property
    def brian2_group(self) -> Any:
        """Brian2's group of all cells of the population."""
        return self.grandparent.brian2_group

    @property
    def initial_values(self) -> dict[str, LazyArray]:
        """Initial values of the state variables of these cells."""
        return {
            name: _lazy(values.evaluate(simplify=False)[self._where])
            for name, values in self.grandparent.initial_values.items()
        }

    def _store_initial(self, variable: str, values: np.ndarray) -> None:
        all_values = self.grandparent.initial_values[variable].evaluate(simplify=False).copy()
        all_values[self._where] = values
        self.grandparent._store_initial(variable, all_values)


class Population(_Cells, common.Population):  # noqa: D101
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except Exception:
            simulator.state.recorders.discard(self.recorder)  # a population without cells
            raise
        simulator.state.populations.append(self)

    @property
    def _where(self) -> slice:
        return slice(None)

    def _create_cells(self) -> None:
        state = simulator.state
        state.check_changeable(f"Population {self.label!r}: the network")
        ids = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.array([simulator.ID(number) for number in ids], dtype=simulator.ID)
        for cell in self.all_cells:
            cell.parent = self
        self._mask_local = np.ones(self.size, dtype=bool)
        native = self.celltype.native_parameters
        native.shape = (self.size,)
        parameters = _arrays(native)
        self.celltype.check(parameters, self.label)
        name = state.name("population")
        self.brian2_group = self.celltype.make_group(self.size, parameters, name, self.label)
        state.id_counter += self.size
        state.network.add(self.brian2_group)

    def _before_run(self, stop: float) -> None:
        """Get ready for a run to the time `stop` in ms."""
        self.brian2_group.prepare(stop)

    def _store_initial(self, variable: str, values: np.ndarray) -> None:
        self.initial_values[variable] = LazyArray(simplify(values), shape=(self.size,))

    def _set_cell_initial_value(self, id: Any, variable: str, value: float) -> None:
        index = self.id_to_index(id)
        self[index : index + 1].initialize(**{variable: value})


def _lazy(values: np.ndarray) -> LazyArray:
    return LazyArray(simplify(values), shape=values.shape)


def _arrays(parameter_space: ParameterSpace) -> dict[str, np.ndarray]:
    """Return native parameters as one array each."""
    parameter_space.evaluate(simplify=False)
    found = {}
    for name, values in parameter_space.items():
        # What is given as a list of one value comes without its dimension.
        values = np.reshape(np.asarray(values), parameter_space.shape)
        sequences = values.dtype == object and isinstance(values.flat[0], Sequence)
        found[name] = values if sequences else values.astype(float)
    return found
