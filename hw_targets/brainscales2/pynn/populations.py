"""Populations and views of them."""

import copy
from typing import Any
from warnings import warn

import numpy as np
from pyNN import common
from pyNN.parameters import ParameterSpace, simplify

from hw_targets.brainscales2.pynn import simulator
from hw_targets.brainscales2.pynn.cells import CalibHXNeuronCuba
from hw_targets.brainscales2.pynn.mapping import configure_unplaced, place_and_configure
from hw_targets.brainscales2.pynn.morphology import McNeuron
from hw_targets.brainscales2.pynn.parameters import evaluate
from hw_targets.brainscales2.pynn.plasticity_rules import TimedData, recorded_by_rule
from hw_targets.brainscales2.pynn.recording import Recorder


class Assembly(common.Assembly):  # noqa: D101
    __doc__ = common.Assembly.__doc__
    _simulator = simulator

    def record(
        self,
        variables: Any,
        to_file: Any = None,
        sampling_interval: float | None = None,
        locations: Any = None,
        *,
        device: str = "madc",
    ) -> None:
        """Record variables of all populations, see `Population.record`."""
        for population in self.populations:
            population.record(variables, to_file, sampling_interval, locations, device=device)


class _Cells:
    """What populations and views have in common."""

    celltype: Any
    label: str
    size: int
    recorder: Recorder
    all_cells: Any
    _record_filter: Any

    @property
    def _where(self) -> Any:
        """Indices of the cells in the population."""
        raise NotImplementedError

    @property
    def _whole(self) -> "Population":
        """The population."""
        raise NotImplementedError

    # ---- parameters ----------------------------------------------------------------------------

    def _get_parameters(self, *names: str) -> ParameterSpace:
        self._whole.check_available()
        space = self.celltype.parameter_space
        values = {}
        for name in names:
            value = simplify(np.asarray(space[name])[self._where])
            values[name] = bool(value) if isinstance(value, np.bool_) else value
        schema = {name: self.celltype.get_schema()[name] for name in names}
        return ParameterSpace(values, schema, shape=(self.size,))

    _get_native_parameters = _get_parameters

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        self._whole.check_available()
        for name, value in evaluate(parameter_space).items():
            # Not in place, so that what noted the values keeps them.
            changed = np.array(self.celltype.parameter_space[name])
            changed[self._where] = value
            self.celltype.parameter_space._parameters[name] = changed

    def _set_initial_value_array(self, variable: str, value: Any) -> None:
        warn(
            f"Population {self.label!r}: initial values ({variable}) have no effect on the chip",
            stacklevel=3,
        )

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    # ---- calibration ---------------------------------------------------------------------------

    @property
    def actual_hwparams(self) -> list[Any]:
        """Settings that are used, of calibrated neurons after a run; they can be changed."""
        return [self._calibrated("actual_hwparams")[k] for k in self._indices]

    @property
    def calib_hwparams(self) -> list[Any]:
        """Settings that the calibration found, of calibrated neurons after a run."""
        return [self._calibrated("calib_hwparams")[k] for k in self._indices]

    @property
    def calib_target(self) -> ParameterSpace:
        """Parameters that the calibration aimed at, of calibrated neurons after a run."""
        target = self._calibrated("calib_target")
        values = {name: np.asarray(value)[self._where] for name, value in target.items()}
        return ParameterSpace(values, shape=(self.size,))

    @property
    def _indices(self) -> list[int]:
        return np.arange(self._whole.size)[self._where].tolist()

    def _calibrated(self, name: str) -> Any:
        if not isinstance(self.celltype, CalibHXNeuronCuba):
            raise AttributeError(
                f"Population {self.label!r}: {type(self.celltype).__name__} has no {name}, only "
                "calibrated neurons do"
            )
        return getattr(self.celltype, name)

    # ---- recording -----------------------------------------------------------------------------

    def record(
        self,
        variables: Any,
        to_file: Any = None,
        sampling_interval: float | None = None,
        locations: Any = None,
        *,
        device: str = "madc",
    ) -> None:
        """Record variables from the next run on; None: record nothing of the population any more.

        Parameters
        ----------
        variables : str, sequence of str or None
            ``spikes``, ``v``, ``exc_synin``, ``inh_synin``, ``adaptation``; of sources ``spikes``.
        to_file : str or neo IO, optional
            Where `end` writes what was recorded.
        sampling_interval : None
            The converters have their own.
        locations : sequence of str, optional
            Labels of compartments.
        device : str, optional
            ``madc``, ``cadc`` or an output pad, see `Recorder.record`.
        """
        if variables is None:
            self.recorder.reset()
            return
        cells = self.all_cells if self._record_filter is None else self._record_filter
        self.recorder.record(variables, cells, sampling_interval, locations, device=device)
        if isinstance(to_file, str):
            self.recorder.file = to_file
            simulator.current().write_on_end.append((self, variables, to_file))

    def find_units(self, variable: Any) -> str:
        """Return the unit of a variable, which is given by its name or as PyNN has it."""
        return str(self.celltype.units[getattr(variable, "name", variable)])


class PopulationView(_Cells, common.PopulationView):  # noqa: D101
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly

    @property
    def _where(self) -> Any:
        return self.index_in_grandparent(np.arange(self.size))

    @property
    def _whole(self) -> "Population":
        whole: Population = self.grandparent
        return whole


class Population(_Cells, common.Population):  # noqa: D101
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        state = simulator.current()
        recorders = set(state.recorders)
        #: Whether the initial configuration is in the parameters.
        self.configured = False
        try:
            super().__init__(*args, **kwargs)
        except Exception:
            state.recorders = recorders
            raise
        state.populations.append(self)
        if isinstance(self.celltype, McNeuron):
            # As the vendor has it, their parameters are known at once.
            place_and_configure(state, self)

    @property
    def _where(self) -> Any:
        return slice(None)

    @property
    def _whole(self) -> "Population":
        return self

    def get_plasticity_data(self, observable: str) -> list[list[TimedData]]:
        """Return what a plasticity rule recorded of the neurons.

        Parameters
        ----------
        observable : str
            Name of an `ObservablePerNeuron`.

        Returns
        -------
        list of list of TimedData
            For each snippet of the run, for each execution in it.

        Raises
        ------
        RuntimeError
            If the neurons have no rule, or it has no such observable, or before the first run.
        """
        return recorded_by_rule(self, self.celltype, "Cell", observable)

    def check_available(self) -> None:
        """Refuse access to parameters that are not known yet.

        Raises
        ------
        RuntimeError
            If they come from the initial configuration, which depends on the placement.
        """
        state = simulator.current()
        is_raw = hasattr(self.celltype, "apply_config")
        if not is_raw or state.initial_config is None or self.configured:
            return
        if not configure_unplaced(state, self):
            raise RuntimeError(
                f"Population {self.label!r}: with setup(initial_config=...) parameters are known "
                "only once neurons are placed: call pynn.run(None, pynn.RunCommand.PREPARE) first"
            )

    def _create_cells(self) -> None:
        if self.size < 1:
            raise ValueError(f"Population {self.label!r}: size={self.size}, need at least 1")
        state = simulator.current()
        ids = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.array([simulator.ID(number) for number in ids], dtype=simulator.ID)
        for cell in self.all_cells:
            cell.parent = self
        self._mask_local = np.ones(self.size, dtype=bool)
        # Parameters live in the cell type, which may be given to several populations.
        self.celltype = copy.deepcopy(self.celltype)
        self.celltype.parameter_space.shape = (self.size,)
        evaluate(self.celltype.parameter_space)
        state.id_counter += self.size
