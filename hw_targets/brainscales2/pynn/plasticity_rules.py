"""Plasticity rules, which are executed periodically during a run.

On the chip a rule is C++ code for its processors, which `PlasticityRule.generate_kernel` returns.
The emulation executes the method `PlasticityRule.emulate` instead, which the chip ignores: a script
that has both runs on both.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple
from warnings import warn

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.pynn import simulator
from hw_targets.brainscales2.pynn.plasticity_handle import PlasticityRuleHandle

__all__ = [
    "ClockCycles", "IntegerType", "NeuronView", "Observable", "ObservableArray",
    "ObservablePerNeuron", "ObservablePerSynapse", "PlasticityRule", "PlasticityRuleHandle",
    "Recording", "RowLayout", "SynapseView", "TimedData", "Timer", "recorded",
    "recorded_by_rule",
]  # fmt: skip

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass
class Timer:
    """When a rule is executed.

    Parameters
    ----------
    start : float
        First time in ms.
    period : float
        Time from one execution to the next in ms.
    num_periods : int
        Number of executions.

    Raises
    ------
    ValueError
        If a value is negative, or the period 0.
    """

    start: float
    period: float
    num_periods: int

    def __post_init__(self) -> None:
        if not (self.start >= 0.0 and self.period > 0.0 and self.num_periods >= 0):
            raise ValueError(f"{self}: need start >= 0 ms, period > 0 ms and num_periods >= 0")


# ---- observables -------------------------------------------------------------------------------


class IntegerType(Enum):
    """Types of recorded values."""

    int8 = "int8"
    uint8 = "uint8"
    int16 = "int16"
    uint16 = "uint16"


class RowLayout(Enum):
    """Which values of a row the chip records; the emulation always those of the network."""

    complete_rows = "complete_rows"
    packed_active_columns = "packed_active_columns"


class ObservablePerSynapse:
    """A value of each synapse.

    Parameters
    ----------
    type : IntegerType, optional
        Type of the value.
    layout_per_row : RowLayout, optional
        Without effect.
    """

    Type = IntegerType
    LayoutPerRow = RowLayout

    def __init__(
        self,
        type: IntegerType = IntegerType.uint8,
        layout_per_row: RowLayout = RowLayout.packed_active_columns,
    ) -> None:
        self.type = type
        self.layout_per_row = layout_per_row


class ObservablePerNeuron:
    """A value of each neuron.

    Parameters
    ----------
    type : IntegerType, optional
        Type of the value.
    layout : RowLayout, optional
        Without effect.
    """

    Type = IntegerType
    Layout = RowLayout

    def __init__(
        self,
        type: IntegerType = IntegerType.uint8,
        layout: RowLayout = RowLayout.packed_active_columns,
    ) -> None:
        self.type = type
        self.layout = layout


class ObservableArray:
    """Some values.

    Parameters
    ----------
    type : IntegerType, optional
        Type of the values.
    size : int, optional
        Number of values.
    """

    Type = IntegerType

    def __init__(self, type: IntegerType = IntegerType.uint8, size: int = 0) -> None:
        self.type = type
        self.size = size


Observable = ObservablePerSynapse | ObservablePerNeuron | ObservableArray


class ClockCycles(int):
    """A time in clock cycles of 8 ns since the begin of the run."""

    def value(self) -> int:
        """Return it as an integer."""
        return int(self)


class TimedData(NamedTuple):
    """What an execution of a rule recorded of an observable, and when."""

    time: ClockCycles
    data: npt.NDArray[Any]


# ---- what a rule sees --------------------------------------------------------------------------


class SynapseView(ABC):
    """The synapses of a projection, as a rule sees them.

    Attributes
    ----------
    weights : ndarray of int64, shape (n,)
        Weights, 0 ... 63, whether excitatory or inhibitory. Changes, of the array or of its values,
        act from the end of the execution on, rounded and limited to this range.
    pre, post : ndarray of int64, shape (n,)
        Indices of the cells of each connection in their populations.
    """

    weights: IntArray
    pre: IntArray
    post: IntArray

    @property
    @abstractmethod
    def correlation_causal(self) -> FloatArray:
        """Readings of the causal sensors in LSB: events before spikes, since their last reset."""

    @property
    @abstractmethod
    def correlation_acausal(self) -> FloatArray:
        """Readings of the acausal sensors in LSB: spikes before events, since their last reset."""

    @abstractmethod
    def reset_correlation(self) -> None:
        """Reset the sensors."""

    @abstractmethod
    def record(self, name: str, values: npt.ArrayLike) -> None:
        """Record an `ObservablePerSynapse`: one value of each synapse."""


class NeuronView(ABC):
    """The neurons of a population, as a rule sees them.

    Attributes
    ----------
    spike_counts : ndarray of int64, shape (n,)
        Spikes of each neuron since the rule was last executed, as the chip's counters have them:
        at most 255.
    rates : ndarray, shape (n,)
        The same as rates in kHz.
    """

    spike_counts: IntArray
    rates: FloatArray

    @abstractmethod
    def record(self, name: str, values: npt.ArrayLike) -> None:
        """Record an `ObservablePerNeuron`: one value of each neuron."""


class Recording(ABC):
    """Time and arrays of one execution.

    Attributes
    ----------
    time : float
        Time of the execution in ms.
    """

    time: float

    @abstractmethod
    def record(self, name: str, values: npt.ArrayLike) -> None:
        """Record an `ObservableArray`."""


# ---- rules -------------------------------------------------------------------------------------


class PlasticityRule:
    """A rule that changes weights during a run.

    It acts on the projections whose synapses have it (`PlasticSynapse`) and sees the populations
    whose cells have it (``plasticity_rule=`` of their type).

    Parameters
    ----------
    timer : Timer
        When it is executed.
    observables : mapping of str to observable, optional
        What it records.
    same_id : int, optional
        Without effect: a rule is an object, which keeps its state.
    """

    ObservablePerSynapse = ObservablePerSynapse
    ObservablePerNeuron = ObservablePerNeuron
    ObservableArray = ObservableArray

    def __init__(
        self,
        timer: Timer,
        observables: Mapping[str, Observable] | None = None,
        same_id: int = 0,
    ) -> None:
        self.timer = timer
        self.observables = dict(observables or {})
        self.same_id = same_id
        kind = type(self)
        has_kernel = kind.generate_kernel is not PlasticityRule.generate_kernel
        if has_kernel and kind.emulate is PlasticityRule.emulate:
            warn(
                f"{kind.__name__}: its generate_kernel() is code for the chip's processors, which "
                "the emulation ignores, so the rule does nothing; write it in Python, too, as a "
                "method emulate(self, synapses, neurons, recording), which the chip ignores",
                stacklevel=2,
            )
        simulator.current().plasticity_rules.append(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> "PlasticityRule":
        """Return the rule itself: copies of a cell type share it."""
        return self

    def generate_kernel(self) -> str:
        """Return the rule as C++ code for the chip, which the emulation ignores."""
        return ""

    def emulate(
        self, synapses: list[SynapseView], neurons: list[NeuronView], recording: Recording
    ) -> None:
        """Execute the rule in the emulation.

        Parameters
        ----------
        synapses : list of SynapseView
            Synapses of each projection with this rule, in the order of creation.
        neurons : list of NeuronView
            Neurons of each population with this rule, in the order of creation.
        recording : Recording
            Time, and where arrays are recorded.
        """

    def get_observable_array(self, observable: str) -> list[list[TimedData]]:
        """Return what was recorded of an `ObservableArray`.

        Returns
        -------
        list of list of TimedData
            For each snippet of the run, for each execution in it.

        Raises
        ------
        RuntimeError
            If the rule has no such observable, or before the first run.
        TypeError
            If it is no array.
        """
        if not isinstance(self.observable(observable), ObservableArray):
            raise TypeError(
                f"Observable {observable} is not an ObservableArray. For observables per synapse, "
                "use the `get_data` function of the respective projection, for those per neuron "
                "`get_plasticity_data` of the population."
            )
        return recorded(self, observable)

    def observable(self, name: str) -> Observable:
        """Return one of the observables.

        Raises
        ------
        RuntimeError
            If there is no such observable.
        """
        if name not in self.observables:
            raise RuntimeError(
                f"{type(self).__name__}: Plasticity rule doesn't have requested observable "
                f"{name!r}; it has {sorted(self.observables)}"
            )
        return self.observables[name]


def recorded_by_rule(owner: Any, holder: Any, kind: str, observable: str) -> list[list[TimedData]]:
    """Return what the rule of a population or projection recorded of it.

    Parameters
    ----------
    owner : Projection or Population
        What the observable belongs to.
    holder : Any
        Its cell or synapse type, which may have a rule.
    kind : str
        What this type is called in errors.
    observable : str
        Name of the observable.

    Returns
    -------
    list of list of TimedData
        As from `recorded`.

    Raises
    ------
    RuntimeError
        If there is no rule, or it has no such observable, or before the first run.
    """
    rule = getattr(holder, "plasticity_rule", None)
    if rule is None:
        raise RuntimeError(
            f"{type(owner).__name__} {owner.label!r}: {kind} type can't have observables "
            f"({observable!r}), since it does not hold a plasticity rule."
        )
    rule.observable(observable)
    return recorded(owner, observable)


def recorded(owner: Any, observable: str) -> list[list[TimedData]]:
    """Return what was recorded of an observable.

    Parameters
    ----------
    owner : PlasticityRule, Projection or Population
        What it belongs to.
    observable : str
        Its name.

    Returns
    -------
    list of list of TimedData
        For each snippet of the last run, for each execution of the rule in it.

    Raises
    ------
    RuntimeError
        Before the first run.
    """
    snippets = simulator.current().executed
    if snippets is None:
        raise RuntimeError(
            f"Plasticity rule observables ({observable!r}) are only available after execution: "
            "call pynn.run() first"
        )
    return [snippet.observables.get((id(owner), observable), []) for snippet in snippets]
