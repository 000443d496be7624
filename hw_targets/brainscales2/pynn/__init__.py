"""BrainScaleS-2 in PyNN: the vendor's own interface, on an emulated chip.

``import hw_targets.brainscales2.pynn as pynn`` has what ``import pynn_brainscales.brainscales2 as
pynn`` has, and the same rules: times in ms of hardware time, potentials in LSB of the converters,
weights in whole LSB without delays, one `run` per `reset`. Limits of the chip are errors, of the
type that the vendor raises, before the run.

Beyond it there are `configure`, which chooses the chip and the fidelity, and `install`, after which
scripts with the vendor's import run unedited.
"""

import importlib
from typing import Any

from pyNN import common, errors, space

from hw_targets.brainscales2.pynn import (
    cells,
    helper,
    logger,
    morphology,
    simulator,
    standardmodels,
    synapses,
)
from hw_targets.brainscales2.pynn.calibrating import SpikingCalibOptions, SpikingCalibTarget
from hw_targets.brainscales2.pynn.configuration import configure
from hw_targets.brainscales2.pynn.connectors import (
    AllToAllConnector,
    ArrayConnector,
    CloneConnector,
    CSAConnector,
    DisplacementDependentProbabilityConnector,
    DistanceDependentProbabilityConnector,
    FixedNumberPostConnector,
    FixedNumberPreConnector,
    FixedProbabilityConnector,
    FixedTotalNumberConnector,
    FromFileConnector,
    FromListConnector,
    IndexBasedProbabilityConnector,
    OneToOneConnector,
    SmallWorldConnector,
)
from hw_targets.brainscales2.pynn.control import (
    RunCommand,
    connect,
    create,
    end,
    get_backend_statistics,
    get_current_time,
    get_execution_instance_data,
    get_max_delay,
    get_min_delay,
    get_post_realtime_read,
    get_post_realtime_read_ppu_symbols,
    get_pre_realtime_read,
    get_time_step,
    initialize,
    num_processes,
    preprocess,
    rank,
    record,
    reset,
    run,
    run_for,
    run_until,
    set,
    setup,
)
from hw_targets.brainscales2.pynn.injection import InjectedConfiguration, InjectedReadout
from hw_targets.brainscales2.pynn.install import install
from hw_targets.brainscales2.pynn.plasticity_rules import PlasticityRule, Timer
from hw_targets.brainscales2.pynn.populations import Assembly, Population, PopulationView
from hw_targets.brainscales2.pynn.projections import Projection

__all__ = [
    "AllToAllConnector", "ArrayConnector", "Assembly", "CSAConnector", "CloneConnector",
    "DisplacementDependentProbabilityConnector", "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector", "FixedNumberPreConnector", "FixedProbabilityConnector",
    "FixedTotalNumberConnector", "FromFileConnector", "FromListConnector",
    "IndexBasedProbabilityConnector", "InjectedConfiguration", "InjectedReadout",
    "OneToOneConnector", "PlasticityRule", "Population", "PopulationView", "Projection",
    "RunCommand", "SmallWorldConnector", "SpikingCalibOptions", "SpikingCalibTarget", "Timer",
    "cells", "common", "configure", "connect", "create", "end", "errors", "get_backend_statistics",
    "get_current_time", "get_execution_instance_data", "get_max_delay", "get_min_delay",
    "get_post_realtime_read", "get_post_realtime_read_ppu_symbols", "get_pre_realtime_read",
    "get_time_step", "helper", "initialize", "install", "list_standard_models", "logger",
    "morphology", "num_processes", "preprocess", "rank", "record", "reset", "run", "run_for",
    "run_until", "set", "setup", "simulator", "space", "standardmodels", "synapses",
]  # fmt: skip


_LOW_LEVEL = ("hal", "halco", "lola", "sta")


def __getattr__(name: str) -> Any:
    if name in _LOW_LEVEL:
        return importlib.import_module(f"hw_targets.brainscales2.vendor.{name}")
    if name in ("grenade", "grenade_common"):
        raise AttributeError(
            f"pynn.{name}: the emulation has no registers to access; set parameters of "
            "populations and projections instead"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def list_standard_models() -> list[Any]:
    """Return the types of neurons."""
    return [cells.HXNeuron, cells.CalibHXNeuronCuba, cells.CalibHXNeuronCoba]
