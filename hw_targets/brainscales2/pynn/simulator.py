"""State of the emulated chip, for PyNN."""

import copy
import time
from typing import Any

from pyNN import common
from pyNN.common.control import BaseState

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.placement import (
    BackgroundSpikeSourcePlacement,
    NeuronPlacement,
)
from hw_targets.brainscales2.pynn import logger
from hw_targets.brainscales2.pynn.calibrating import Calibration, SpikingCalibTarget
from hw_targets.brainscales2.pynn.configuration import Configuration
from hw_targets.brainscales2.pynn.execution import Snippet, execute
from hw_targets.brainscales2.pynn.injection import InjectedConfiguration, InjectedReadout
from hw_targets.brainscales2.pynn.inputs import Span, input_events
from hw_targets.brainscales2.pynn.mapping import Mapping, map_network
from hw_targets.brainscales2.pynn.plasticity import plan
from hw_targets.brainscales2.pynn.recording_config import RecordingConfig
from hw_targets.brainscales2.pynn.statistics import BackendStatistics, ExecutionInstanceData
from hw_targets.brainscales2.settings import Settings

name = "HX"
"""Names the simulator in recorded data."""


class ID(int, common.IDMixin):
    """A cell."""

    __doc__ = common.IDMixin.__doc__


class State(BaseState):
    """A network, where it is on the chip, and its run.

    Parameters
    ----------
    configuration : Configuration
        What is emulated.
    """

    dt = 3.4e-5
    """Time between two samples of the MADC in ms."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.configuration = configuration
        #: Signals come with the times of their samples.
        self.record_sample_times = True
        self.mpi_rank = 0
        self.num_processes = 1
        self.min_delay = 0.0
        self.max_delay = 0.0
        self.t = 0.0
        self.id_counter = 0
        self.segment_counter = 0
        self.populations: list[Any] = []
        self.projections: list[Any] = []
        self.plasticity_rules: list[Any] = []
        self.current_sources: list[Any] = []
        self.recording = RecordingConfig()
        self.snippets: list[Snippet] = []
        #: Snippets of the last run, also after `reset`; None before the first.
        self.executed: list[Snippet] | None = None
        self.neuron_placement = NeuronPlacement()
        self.background_spike_source_placement = BackgroundSpikeSourcePlacement()
        self.initial_config: Settings | None = None
        self.enable_neuron_bypass = False
        self.injected_config = InjectedConfiguration()
        self.injected_readout = InjectedReadout()
        self.calibration_target = SpikingCalibTarget()
        self.calibrations: dict[bool, Calibration] = {}
        self.mapping: Mapping | None = None
        self.statistics: BackendStatistics | None = None
        self.execution_instance_data: ExecutionInstanceData | None = None
        self.log = logger.get("pyNN.brainscales2")

    @property
    def runtimes(self) -> list[float]:
        """Durations of the snippets in ms."""
        return [snippet.runtime_ms for snippet in self.snippets]

    @property
    def grenade_chip_config(self) -> Any:
        """The chip's configuration below the network, as scripts for the chip reach it."""
        # It imports this package.
        from hw_targets.brainscales2.vendor.chip_config import ChipConfig

        return ChipConfig(self)

    def reset(self) -> None:
        """Go back to time 0, for another run of the same network."""
        self.running = False
        self.t = 0.0
        self.t_start = 0
        self.segment_counter += 1
        self.snippets = []

    def preprocess(self, snippet_begin_time: float = 0.0, snippet_end_time: float = 0.0) -> Mapping:
        """Place, route and calibrate the network as it is now.

        Parameters
        ----------
        snippet_begin_time, snippet_end_time : float, optional
            Without effect: the vendor's takes them.

        Returns
        -------
        Mapping
        """
        begin = time.perf_counter()
        self.mapping = map_network(self)
        self.statistics = BackendStatistics(
            len(self.populations), len(self.projections), time.perf_counter() - begin
        )
        return self.mapping

    def add(self, runtime: float) -> None:
        """Schedule the network as it is now for a time.

        Parameters
        ----------
        runtime : float
            In ms of hardware time.

        Raises
        ------
        RuntimeError
            If it has been run since the last reset.
        ValueError
            If the time is negative.
        OverflowError
            If the whole run would be too long for the chip's timer.
        """
        self._check_not_run()
        if not runtime >= 0.0:
            raise ValueError(f"run: {runtime} ms, need a time >= 0")
        if self.t + runtime > limits.RUN_TIME_MAX_S * 1e3:
            raise OverflowError(
                f"run: {self.t + runtime:g} ms, the chip's timer counts to "
                f"{limits.RUN_TIME_MAX_S * 1e3:g} ms; use several runs with reset() in between"
            )
        network = self.preprocess()
        begin = 0
        if self.snippets:
            begin = self.snippets[-1].span.end
            self._check_same(network)
        end = self.t + runtime
        span = Span(self.t, end, begin, begin + int(runtime * 125 * 1000))
        inputs = input_events(self, network, span)
        plans = plan(self, network, span)
        self.snippets.append(Snippet(network, copy.deepcopy(self.recording), span, inputs, plans))
        self.t = end

    def run(self) -> None:
        """Execute all that is scheduled.

        Raises
        ------
        RuntimeError
            If it has been executed since the last reset.
        """
        self._check_not_run()
        begin = time.perf_counter()
        execute(self.snippets, self.configuration)
        self.executed = self.snippets
        self.execution_instance_data = ExecutionInstanceData(
            time.perf_counter() - begin, sum(self.runtimes) * 1e-3
        )
        self.running = True

    def run_until(self, tstop: float) -> None:
        """Schedule the network up to a time in ms and execute all that is scheduled."""
        self.add(tstop - self.t)
        self.run()

    def _check_same(self, network: Mapping) -> None:
        before = self.snippets[-1].network.members
        if [m.tolist() for m in network.members] != [m.tolist() for m in before]:
            raise RuntimeError(
                f"run: the snippet from {self.t:g} ms on has other neurons or membranes than the "
                "one before; they stay the same within a run, call `pynn.reset()` before you add "
                "populations or switch connections of membranes (multicompartment_connect_...)"
            )

    def _check_not_run(self) -> None:
        if self.running:
            raise RuntimeError(
                "Call `pynn.reset()` before calling `pynn.run()` again. BrainScaleS-2 emulates "
                "neurons and synapses in continuous time: runs can't be stacked. To change "
                "parameters within a run use `pynn.run(runtime, pynn.RunCommand.APPEND)`."
            )


#: The present network; None before `setup` and after `end`.
state: State | None = None


def current() -> State:
    """Return the present state.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    if state is None:
        raise RuntimeError("no network: call pynn.setup() first (pynn.end() ends it)")
    return state
