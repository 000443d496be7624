"""Set-up and control of runs, and PyNN's procedural functions."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any
from warnings import warn

from pyNN import common
from pyNN.common.control import DEFAULT_MIN_DELAY
from pyNN.recording import get_io

from hw_targets.brainscales2.placement import (
    BackgroundSpikeSourcePlacement,
    NeuronPlacement,
)
from hw_targets.brainscales2.pynn import simulator
from hw_targets.brainscales2.pynn.calibrating import SpikingCalibOptions, SpikingCalibTarget
from hw_targets.brainscales2.pynn.chip_settings import ChipSettings
from hw_targets.brainscales2.pynn.configuration import configuration
from hw_targets.brainscales2.pynn.connectors import FixedProbabilityConnector
from hw_targets.brainscales2.pynn.injection import (
    InjectedConfiguration,
    InjectedReadout,
    check_empty,
)
from hw_targets.brainscales2.pynn.populations import Population
from hw_targets.brainscales2.pynn.projections import Projection
from hw_targets.brainscales2.pynn.statistics import BackendStatistics, ExecutionInstanceData
from hw_targets.brainscales2.pynn.synapses import StaticSynapse
from hw_targets.brainscales2.settings import Settings


class RunCommand(Enum):
    """What `run` does: prepare, schedule a part of an experiment, or execute it."""

    PREPARE = auto()
    APPEND = auto()
    EXECUTE = auto()


def setup(
    timestep: float = simulator.State.dt,
    min_delay: float | str = DEFAULT_MIN_DELAY,
    **extra_params: Any,
) -> None:
    """Start a new experiment.

    Parameters
    ----------
    timestep, min_delay : optional
        Without effect: the chip has no time steps and no delays.
    **extra_params
        max_delay : without effect.

        neuronPermutation : list of int: circuits in the order in which neurons get them.

        backgroundPermutation : list of int: buses in the order in which populations of on-chip
        sources get them.

        enable_neuron_bypass : bool: neurons spike at each event that they receive.

        initial_config : `Settings` of the chip, for what populations don't set.

        injected_calib_target : `SpikingCalibTarget` for what populations don't set.

        injected_config, injected_readout : raw access, which is not emulated.

        injected_calib_options, calibration_cache, connection : without effect; a calibration takes
        milliseconds.

    Raises
    ------
    KeyError
        If an option is unknown.
    ValueError, OverflowError, TypeError
        If a permutation is invalid.
    RuntimeError
        If the configured fidelity is that of the hardware.
    """
    chosen = configuration()
    if chosen.fidelity == "hardware":
        raise RuntimeError(
            "setup: fidelity 'hardware' is the vendor's own PyNN: import "
            "pynn_brainscales.brainscales2, or configure another fidelity"
        )
    max_delay = extra_params.pop("max_delay", "auto")
    common.setup(timestep, min_delay, max_delay=max_delay, **extra_params)
    state = simulator.State(chosen)
    state.min_delay, state.max_delay = _number(min_delay), _number(max_delay)
    state.neuron_placement = NeuronPlacement(extra_params.pop("neuronPermutation", None))
    state.background_spike_source_placement = BackgroundSpikeSourcePlacement(
        extra_params.pop("backgroundPermutation", None)
    )
    state.enable_neuron_bypass = bool(extra_params.pop("enable_neuron_bypass", False))
    state.initial_config = _initial_config(extra_params.pop("initial_config", None))
    state.injected_config = extra_params.pop("injected_config", None) or InjectedConfiguration()
    state.injected_readout = extra_params.pop("injected_readout", None) or InjectedReadout()
    state.calibration_target = (
        extra_params.pop("injected_calib_target", None) or SpikingCalibTarget()
    )
    extra_params.pop("injected_calib_options", SpikingCalibOptions())
    extra_params.pop("calibration_cache", None)
    extra_params.pop("connection", None)
    if extra_params:
        raise KeyError(f"unhandled extra_params in call to pynn.setup(...):{extra_params}")
    check_empty(state.injected_config)
    check_empty(state.injected_readout)
    simulator.state = state


def end() -> None:
    """End the experiment: write recordings that were to be written."""
    state = simulator.current()
    for population, variables, filename in state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state = None


def run(runtime: float | None, command: RunCommand = RunCommand.EXECUTE) -> None:
    """Prepare, schedule or execute the experiment.

    Parameters
    ----------
    runtime : float or None
        Time in ms of hardware time.
    command : RunCommand, optional
        ``PREPARE``: place, route and calibrate only. ``APPEND``: schedule the network as it is now
        for `runtime`; weights and parameters may then be changed for what follows. ``EXECUTE``:
        schedule it for `runtime`, if there is one, and execute all that is scheduled.

    Raises
    ------
    ValueError
        If a time is needed and missing, nothing is scheduled, or the command is none.
    RuntimeError
        If the experiment has been executed since the last `reset`.
    """
    state = simulator.current()
    if command == RunCommand.PREPARE:
        state.preprocess()
    elif command == RunCommand.APPEND:
        if runtime is None:
            raise ValueError(
                "Appending a configuration that is executed for no time is forbidden; give a "
                "runtime."
            )
        state.add(runtime)
    elif command == RunCommand.EXECUTE:
        if runtime is not None:
            state.add(runtime)
        elif not state.snippets:
            raise ValueError(
                "No experiment scheduled for execution yet. Give a runtime, or schedule with "
                "`command=pynn.RunCommand.APPEND`; to only place, route and calibrate use "
                "`command=pynn.RunCommand.PREPARE`."
            )
        state.run()
    else:
        raise ValueError(f"Passed command is invalid. {command!r}, need a RunCommand.")


run_for = run
# PyNN's own `run` adds to the time, which may be None here.
_, run_until = common.build_run(simulator)
reset = common.build_reset(simulator)
initialize = common.initialize
(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)
create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
set = common.set
record = common.build_record(simulator)


def preprocess() -> None:
    """Place, route and calibrate; deprecated."""
    warn("use pynn.run(None, pynn.RunCommand.PREPARE)", DeprecationWarning, stacklevel=2)
    run(None, RunCommand.PREPARE)


# ---- what the chip was asked to read -----------------------------------------------------------


def _reader(what: str) -> Callable[[], Mapping[Any, Any]]:
    def read() -> Mapping[Any, Any]:
        if simulator.state is None or not simulator.state.running:
            raise RuntimeError(f"{what} are only available after pynn.setup() and pynn.run().")
        return {}

    read.__doc__ = f"""{what}: none, since `setup` refuses an `InjectedReadout` of anything."""
    return read


get_post_realtime_read = _reader("Post-realtime reads")
get_pre_realtime_read = _reader("Pre-realtime reads")
get_post_realtime_read_ppu_symbols = _reader("Post-realtime reads of PPU symbols")


def get_backend_statistics() -> BackendStatistics:
    """Return how large the network is and how long it took to map it.

    Raises
    ------
    RuntimeError
        Before it was.
    """
    statistics = simulator.current().statistics
    if statistics is None:
        raise RuntimeError("Backend statistics are only available after pynn.run().")
    return statistics


def get_execution_instance_data() -> ExecutionInstanceData:
    """Return how long the last run took.

    Raises
    ------
    RuntimeError
        Before the first.
    """
    data = simulator.current().execution_instance_data
    if data is None:
        raise RuntimeError("Execution data are only available after pynn.run().")
    return data


def _number(delay: float | str) -> float:
    return 0.0 if delay == "auto" else float(delay)


def _initial_config(config: Any) -> Settings | None:
    if config is not None and not isinstance(config, Settings):
        raise TypeError(
            f"setup: initial_config of type {type(config).__name__}, need settings of the chip: "
            "from pynn.helper.chip_from_nightly(), pynn.helper.chip_from_file(), or "
            "hw_targets.brainscales2.calibration.calibrate()"
        )
    return config.edited() if isinstance(config, ChipSettings) else config
