"""Populations, views of them and assemblies."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN import common
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import LazyArray, ParameterSpace, Sequence, simplify

from cosim.backends.poisson import PoissonTrains
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.cells import SpikeSourceArray, SpikeSourcePoisson
from hw_targets.brainscales2.mapped.recording import Recorder


class Assembly(common.Assembly):  # noqa: D101
    __doc__ = common.Assembly.__doc__
    _simulator = simulator


class _Cells:
    """What populations and views have in common."""

    celltype: Any
    label: str
    size: int
    #: Parameters of all cells of the population, in PyNN's units.
    parameter_values: dict[str, npt.NDArray[Any]]

    @property
    def _where(self) -> slice | npt.NDArray[np.int64]:
        """Indices of the cells in the population."""
        raise NotImplementedError

    @property
    def _whole(self) -> "Population":
        raise NotImplementedError

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    # ---- parameters ----------------------------------------------------------------------------

    def _get_parameters(self, *names: str) -> ParameterSpace:
        native = self._get_native_parameters(*self.celltype.get_native_names(*names))
        return self.celltype.reverse_translate(native)

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        values = {name: self.parameter_values[name][self._where].copy() for name in names}
        simple = {k: v if v.dtype == object else simplify(v) for k, v in values.items()}
        return ParameterSpace(simple, shape=(self.size,))

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        given = _arrays(parameter_space)
        self._whole._check_spike_times(given)
        for name, values in given.items():
            changed = self.parameter_values[name].copy()
            changed[self._where] = values
            self.parameter_values[name] = changed
        self._whole._parameters_changed()

    # ---- initial values ------------------------------------------------------------------------

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of state variables, see PyNN; on the chip, only potentials.

        Parameters
        ----------
        **initial_values
            For each variable a number, an array, a function of the index or a random distribution.
        """
        for variable, value in initial_values.items():
            values = LazyArray(value, shape=(self.size,), dtype=float)
            self._set_initial_value_array(variable, values)

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
        whole = self._whole
        every = np.zeros(whole.size)
        if variable in whole.initial_values:
            every = whole.initial_values[variable].evaluate(simplify=False).copy()
        every[self._where] = values
        whole.initial_values[variable] = LazyArray(simplify(every), shape=(whole.size,))
        if variable == "v":
            simulator.state.set_potentials(whole.ids[self._where], values)


class PopulationView(_Cells, common.PopulationView):  # noqa: D101
    __doc__ = common.PopulationView.__doc__
    _assembly_class = Assembly
    _simulator = simulator

    @property
    def _where(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.index_in_grandparent(np.arange(self.size)))

    @property
    def _whole(self) -> "Population":
        return self.grandparent

    @property
    def parameter_values(self) -> dict[str, npt.NDArray[Any]]:  # type: ignore[override]
        """Parameters of all cells of the population, in PyNN's units."""
        return self.grandparent.parameter_values

    @property
    def initial_values(self) -> dict[str, LazyArray]:
        """Initial values of the state variables of these cells."""
        return {
            name: LazyArray(simplify(values.evaluate(simplify=False)[self._where]), (self.size,))
            for name, values in self.grandparent.initial_values.items()
        }


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
        simulator.state.changed()

    @property
    def _where(self) -> slice:
        return slice(None)

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
        ids = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.array([simulator.ID(number) for number in ids], dtype=simulator.ID)
        for cell in self.all_cells:
            cell.parent = self
        self._mask_local = np.ones(self.size, dtype=bool)
        native = self.celltype.native_parameters
        native.shape = (self.size,)
        self.parameter_values = _arrays(native)
        self._check_spike_times(self.parameter_values)
        self._trains: PoissonTrains | None = None
        if isinstance(self.celltype, SpikeSourcePoisson):
            step = state.dt if state.poisson == "host" else simulator.GRID_MS
            self._train_step = step
            self._trains = PoissonTrains(self.label, self.parameter_values, state.rng_seed, step)
        state.id_counter += self.size

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

    def _set_cell_initial_value(self, id: Any, variable: str, value: float) -> None:
        index = self.id_to_index(id)
        self[index : index + 1].initialize(**{variable: value})

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


def _arrays(parameter_space: ParameterSpace) -> dict[str, npt.NDArray[Any]]:
    """Return parameters as one array each."""
    parameter_space.evaluate(simplify=False)
    found = {}
    for name, values in parameter_space.items():
        # What is given as a list of one value comes without its dimension.
        values = np.reshape(np.asarray(values), parameter_space.shape)
        sequences = values.dtype == object and isinstance(values.flat[0], Sequence)
        found[name] = values if sequences else values.astype(float)
    return found
