"""Populations whose parameters and initial values are kept as arrays, one value per cell."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pyNN.parameters import LazyArray, ParameterSpace, Sequence, simplify


class StoredCells:
    """What such populations and views of them have in common.

    A backend adds `_set_parameters` and `_set_initial_value_array`, which calls `_store_initial`.
    """

    celltype: Any
    label: str
    size: int
    #: Native parameters of all cells of the population.
    parameter_values: Mapping[str, np.ndarray]

    @property
    def _where(self) -> slice | np.ndarray:
        """Indices of the cells in the population."""
        raise NotImplementedError

    def _store_initial(self, variable: str, values: np.ndarray) -> None:
        """Keep the initial values of these cells, in PyNN's units."""
        raise NotImplementedError

    def _set_initial_value_array(self, variable: str, value: LazyArray) -> None:
        raise NotImplementedError

    def _get_parameters(self, *names: str) -> ParameterSpace:
        """Return parameters in PyNN's units."""
        native = self._get_native_parameters(*self.celltype.get_native_names(*names))
        return self.celltype.reverse_translate(native)

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        values = {name: self.parameter_values[name][self._where].copy() for name in names}
        simple = {k: v if v.dtype == object else simplify(v) for k, v in values.items()}
        return ParameterSpace(simple, shape=(self.size,))

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


class StoredView(StoredCells):
    """A view of such a population."""

    grandparent: Any
    index_in_grandparent: Any

    @property
    def parameter_values(self) -> Mapping[str, np.ndarray]:  # type: ignore[override]
        """Native parameters of all cells of the population."""
        return self.grandparent.parameter_values

    @property
    def _where(self) -> np.ndarray:
        return np.asarray(self.index_in_grandparent(np.arange(self.size)))

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


class StoredPopulation(StoredCells):
    """Such a population."""

    initial_values: dict[str, LazyArray]
    id_to_index: Any

    @property
    def _where(self) -> slice:
        return slice(None)

    def _store_initial(self, variable: str, values: np.ndarray) -> None:
        self.initial_values[variable] = _lazy(values)

    def _set_cell_initial_value(self, id: Any, variable: str, value: float) -> None:
        index = self.id_to_index(id)
        self[index : index + 1].initialize(**{variable: value})  # type: ignore[index]

    def _number_cells(self, simulator: Any) -> None:
        """Give the cells their IDs, the next ones of the simulator."""
        state = simulator.state
        ids = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.array([simulator.ID(number) for number in ids], dtype=simulator.ID)
        for cell in self.all_cells:
            cell.parent = self
        self._mask_local = np.ones(self.size, dtype=bool)
        state.id_counter += self.size


def arrays(parameter_space: ParameterSpace) -> dict[str, np.ndarray]:
    """Return native parameters as one array each."""
    parameter_space.evaluate(simplify=False)
    found = {}
    for name, values in parameter_space.items():
        # What is given as a list of one value comes without its dimension.
        values = np.reshape(np.asarray(values), parameter_space.shape)
        sequences = values.dtype == object and isinstance(values.flat[0], Sequence)
        found[name] = values if sequences else values.astype(float)
    return found


def _lazy(values: np.ndarray) -> LazyArray:
    return LazyArray(simplify(values), shape=values.shape)
