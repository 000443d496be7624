"""How long preparing and running a network took."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BackendStatistics:
    """Size of a network and the time for placing, routing and calibrating it.

    Parameters
    ----------
    num_populations, num_projections : int
        Size.
    mapping_duration_s : float
        Time in s.
    """

    num_populations: int
    num_projections: int
    mapping_duration_s: float


@dataclass(frozen=True)
class ExecutionInstanceData:
    """Times of a run.

    Parameters
    ----------
    execution_duration_s : float
        Time that the emulation took in s.
    realtime_duration_s : float
        Time that the chip takes in s.
    """

    execution_duration_s: float
    realtime_duration_s: float
