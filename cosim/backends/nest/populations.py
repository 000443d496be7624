"""Populations: PyNN's for NEST with our recorder, and parts of them that can be initialised."""

from collections.abc import Iterable
from copy import copy, deepcopy
from itertools import chain
from typing import Any

import numpy as np
import pyNN.nest
from pyNN import errors
from pyNN.nest import simulator
from pyNN.nest.populations import PopulationMixin
from pyNN.parameters import LazyArray, ParameterSpace

from ..poisson import PoissonTrains
from ..standardmodels import IF_curr_exp_dAP
from .host_poisson import HostPoisson, HostPoissonMixin, send
from .recording import Recorder


class _Cells(PopulationMixin):
    """Initial values and limits of parameters, of a population or of a part of it."""

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        if isinstance(self.celltype, IF_curr_exp_dAP):
            new = self.celltype.reverse_translate(deepcopy(parameter_space))
            present = self._get_parameters(*self.celltype.get_parameter_names())
            self._check(present.items(), new.items())
        super()._set_parameters(parameter_space)

    def _check(self, *parameters: Iterable[tuple[str, LazyArray]]) -> None:
        """Check parameters of dAP cells; what is the same for all cells may be one number."""
        values = {}
        for name, lazy in chain(*parameters):
            lazy.shape = (self.size,)
            values[name] = lazy.evaluate(simplify=False)
        self.celltype.check_values(self.label, values)

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of state variables, see PyNN; random values are drawn here."""
        for variable, value in initial_values.items():
            # PyNN keeps a random distribution as it is, with other values each time it is read.
            values = self._lazy(copy(self._lazy(value).evaluate(simplify=True)))
            self._set_initial_value_array(variable, values)
            self._keep_initial_value(variable, values)

    def _get_parameters(self, *names: str) -> ParameterSpace:
        if isinstance(self.celltype, pyNN.nest.GIF_cond_exp):
            # PyNN takes each of its arrays for a value per receptor.
            native = self._get_native_parameters(*self.celltype.get_native_names())
            return self.celltype.reverse_translate(native)
        return super()._get_parameters(*names)

    def _lazy(self, value: Any) -> LazyArray:
        return LazyArray(value, shape=(self.size,), dtype=float)

    def _set_initial_value_array(self, variable: str, value: LazyArray) -> None:
        # PyNN hands over what is in its own units as if it were in NEST's.
        value = value / getattr(self.celltype, "scale_factors", {}).get(variable, 1)
        if value.is_homogeneous and self._has_value(variable, value.evaluate(simplify=True)):
            return
        # It does for views as well, which PyNN does not give it to.
        pyNN.nest.Population._set_initial_value_array(self, variable, value)
        default = self.celltype.default_initial_values.get(variable)
        values = value.evaluate()
        if not (np.all(values == default) or self._has_value(variable, values)):
            raise errors.InvalidParameterValueError(
                f"Population {self.label!r}: initial value of {variable!r} cannot be set, NEST's "
                f"{type(self.celltype).__name__} always starts at its own; leave it out"
            )

    def _has_value(self, variable: str, value: Any) -> bool:
        """Whether NEST has this value already; it refuses to set some, even to what they are."""
        native = getattr(self.celltype, "variable_map", {}).get(variable, variable)
        try:
            return np.allclose(self.node_collection.get(native), value, rtol=1e-12, atol=1e-12)
        except (KeyError, pyNN.nest.nest.NESTError):
            return not np.any(value)  # what NEST does not show starts at 0


class PopulationView(_Cells, HostPoissonMixin, pyNN.nest.PopulationView):  # noqa: D101
    __doc__ = pyNN.nest.PopulationView.__doc__

    @property
    def _host_trains(self) -> PoissonTrains | None:  # type: ignore[override]
        return self.grandparent._host_trains

    @property
    def _where(self) -> np.ndarray:  # type: ignore[override]
        return self._indices()

    @property
    def initial_values(self) -> dict[str, LazyArray]:
        """Initial values of the cells of the view."""
        return {
            variable: self._lazy(values[self._indices()])
            for variable, values in self.grandparent.initial_values.items()
        }

    def _keep_initial_value(self, variable: str, values: LazyArray) -> None:
        kept = self.grandparent.initial_values
        # What has no initial value starts at 0.
        whole = kept.get(variable, self.grandparent._lazy(0.0)).evaluate()
        whole[self._indices()] = values.evaluate()
        kept[variable] = self.grandparent._lazy(whole)

    def _indices(self) -> np.ndarray:
        return self.index_in_grandparent(np.arange(self.size))

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)


class Population(_Cells, HostPoissonMixin, pyNN.nest.Population):  # noqa: D101
    __doc__ = pyNN.nest.Population.__doc__
    _recorder_class = Recorder
    celltype: Any
    _host_trains: PoissonTrains | None = None
    _where = slice(None)

    def _create_cells(self) -> None:
        poisson = isinstance(self.celltype, pyNN.nest.SpikeSourcePoisson)
        if poisson and simulator.state.poisson == "host":
            self.celltype = HostPoisson.like(self.celltype)
            self._host_trains = self.celltype.trains(self.size, self.label)
            simulator.state.host_poisson.append(self)
        if isinstance(self.celltype, IF_curr_exp_dAP):
            # A copy: random distributions draw other values each time.
            self._check(deepcopy(self.celltype.parameter_space).items())
        super()._create_cells()

    def _send_trains(self, stop: float) -> None:
        """Have the spikes sent that were drawn on the host, to the time `stop` in ms."""
        assert self._host_trains is not None
        send(self._host_trains, self.node_collection, stop)

    def _connect_parrot_neurons(self) -> None:
        super()._connect_parrot_neurons()
        self.node_collection_source.origin = 0.0  # PyNN makes all sources 1 ms late

    def _keep_initial_value(self, variable: str, values: LazyArray) -> None:
        self.initial_values[variable] = values

    def _set_cell_initial_value(self, cell: Any, variable: str, value: float) -> None:
        # PyNN only notes it down, for the next reset.
        cell.as_view().initialize(**{variable: value})

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)
