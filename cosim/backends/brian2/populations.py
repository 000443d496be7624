"""Populations, views of them and assemblies."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pyNN import common
from pyNN.brian2 import simulator
from pyNN.parameters import LazyArray, ParameterSpace

from cosim.backends.stored_populations import StoredCells, StoredPopulation, StoredView, arrays

from .recording import Recorder


class Assembly(common.Assembly):  # noqa: D101
    __doc__ = common.Assembly.__doc__
    _simulator = simulator


class _Cells(StoredCells):
    """What populations and views have in common."""

    brian2_group: Any

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        group, label = self.brian2_group, self.label
        names = ", ".join(parameter_space.keys())
        simulator.state.check_changeable(f"Population {label!r}: {names}")
        changed = arrays(parameter_space)
        after = dict(group.parameters)
        for name, values in changed.items():
            after[name] = after[name].copy()
            after[name][self._where] = values
        self.celltype.check(after, label)
        group.set_parameters(changed, self._where)

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


class PopulationView(_Cells, StoredView, common.PopulationView):  # noqa: D101
    __doc__ = common.PopulationView.__doc__
    _assembly_class = Assembly
    _simulator = simulator

    @property
    def brian2_group(self) -> Any:
        """Brian2's group of all cells of the population."""
        return self.grandparent.brian2_group


class Population(_Cells, StoredPopulation, common.Population):  # noqa: D101
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
    def parameter_values(self) -> Mapping[str, np.ndarray]:  # type: ignore[override]
        """Native parameters of all cells."""
        return self.brian2_group.parameters

    def _create_cells(self) -> None:
        state = simulator.state
        state.check_changeable(f"Population {self.label!r}: the network")
        native = self.celltype.native_parameters
        native.shape = (self.size,)
        parameters = arrays(native)
        self.celltype.check(parameters, self.label)
        name = state.name("population")
        self.brian2_group = self.celltype.make_group(self.size, parameters, name, self.label)
        self._number_cells(simulator)
        state.network.add(self.brian2_group)

    def _before_run(self, stop: float) -> None:
        """Get ready for a run to the time `stop` in ms."""
        self.brian2_group.prepare(stop)
