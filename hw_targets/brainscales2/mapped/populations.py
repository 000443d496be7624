"""Populations, views of them and assemblies."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN import common
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import LazyArray, ParameterSpace

from cosim.backends.poisson import PoissonTrains
from cosim.backends.stored_populations import StoredCells, StoredPopulation, StoredView, arrays
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.cells import SpikeSourceArray, SpikeSourcePoisson
from hw_targets.brainscales2.mapped.recording import Recorder


class Assembly(common.Assembly):  # noqa: D101
    __doc__ = common.Assembly.__doc__
    _simulator = simulator


class _Cells(StoredCells):
    """What populations and views have in common."""

    @property
    def _whole(self) -> "Population":
        raise NotImplementedError

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        given = arrays(parameter_space)
        self._whole._check_spike_times(given)
        for name, values in given.items():
            changed = self.parameter_values[name].copy()
            changed[self._where] = values
            self._whole.parameter_values[name] = changed
        self._whole._parameters_changed()

    def _set_initial_value_array(self, variable: str, value: LazyArray) -> None:
        known = self.celltype.default_initial_values
        if variable not in known:
            raise KeyError(
                f"Population {self.label!r} has no state variable {variable!r}; it has "
                f"{', '.join(known) or 'none'}"
            )
        # Drawn once, so that what is read later is what was set.
        values = np.asarray(value.evaluate(simplify=False), float)
        if variable != "v" and np.any(values != 0.0):
            raise InvalidParameterValueError(
                f"Population {self.label!r}: initial value of {variable} is "
                f"{values[values != 0.0][0]:g}, need 0: on the chip only potentials can be set"
            )
        self._store_initial(variable, values)
        if variable == "v":
            simulator.state.set_potentials(self._whole.ids[self._where], values)


class PopulationView(_Cells, StoredView, common.PopulationView):  # noqa: D101
    __doc__ = common.PopulationView.__doc__
    _assembly_class = Assembly
    _simulator = simulator

    @property
    def _whole(self) -> "Population":
        return self.grandparent


class Population(_Cells, StoredPopulation, common.Population):  # noqa: D101
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly
    parameter_values: dict[str, npt.NDArray[Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except Exception:
            simulator.state.recorders.discard(self.recorder)  # a population without cells
            raise
        simulator.state.populations.append(self)
        simulator.state.changed()

    @property
    def _whole(self) -> "Population":
        return self

    @property
    def is_neuron(self) -> bool:
        """Whether cells are neurons of the chip; else they are sources."""
        return bool(self.celltype.receptor_types)

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """IDs of the cells as integers."""
        return int(self.first_id) + np.arange(self.size)

    def _create_cells(self) -> None:
        state = simulator.state
        state.check_can_grow(f"Population {self.label!r}")
        native = self.celltype.native_parameters
        native.shape = (self.size,)
        self.parameter_values = arrays(native)
        self._check_spike_times(self.parameter_values)
        self._trains: PoissonTrains | None = None
        if isinstance(self.celltype, SpikeSourcePoisson):
            step = state.dt if state.poisson == "host" else simulator.GRID_MS
            self._train_step = step
            self._trains = PoissonTrains(self.label, self.parameter_values, state.rng_seed, step)
        self._number_cells(simulator)

    def _check_spike_times(self, parameters: dict[str, npt.NDArray[Any]]) -> None:
        for train in parameters.get("spike_times", ()):
            if np.any(np.diff(train.value) < 0) or np.any(np.asarray(train.value) < 0):
                raise InvalidParameterValueError(
                    f"Population {self.label!r}: spike_times must be in increasing order, from 0 "
                    "ms on"
                )

    def _parameters_changed(self) -> None:
        if self._trains is not None:
            self._trains.change(self.parameter_values)
        elif self.is_neuron:
            simulator.state.changed()

    def source_events(self, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return spikes of sources.

        Parameters
        ----------
        end : int
            Time up to which all are needed, in units of `simulator.GRID_MS`.

        Returns
        -------
        index, times : ndarray of int64
            Indices of the cells, and times in the same unit; earlier and later ones may be among
            them.
        """
        if isinstance(self.celltype, SpikeSourceArray):
            trains = [train.value for train in self.parameter_values["spike_times"]]
            times = simulator.to_grid(np.concatenate([*trains, np.empty(0)]))
            return np.repeat(np.arange(self.size), [len(train) for train in trains]), times
        assert self._trains is not None
        state = simulator.state
        last = end if self._train_step == simulator.GRID_MS else state.step
        found = self._trains.extend(last, state.segment_counter)
        return found[:, 0], np.asarray(simulator.to_grid(found[:, 1] * self._train_step))
