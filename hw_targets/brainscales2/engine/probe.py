"""What to note of circuits, and when."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.engine.clock import CYCLE_US, nearest_cycles

IntArray = npt.NDArray[np.int64]

VARIABLES = ("v", "exc_synin", "inh_synin", "adaptation")


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """Samples of one variable of some circuits.

    Parameters
    ----------
    times_us : array_like
        Ascending sample times in us; the engine takes the nearest multiple of 4 ns.
    circuits : array_like of int
        Circuits.
    variable : {"v", "exc_synin", "inh_synin", "adaptation"}, optional
        Membrane potential in LSB, or the currents I_exc and I_inh, before saturation, or w in
        LSB/us.

    Raises
    ------
    ValueError
        If times are not ascending, or there is no such variable.
    """

    times_us: npt.NDArray[np.float64]
    circuits: IntArray
    variable: str = "v"

    def __post_init__(self) -> None:
        times = np.atleast_1d(np.asarray(self.times_us, dtype=np.float64))
        circuits = np.atleast_1d(np.asarray(self.circuits, dtype=np.int64))
        if self.variable not in VARIABLES:
            raise ValueError(f"Probe: variable={self.variable!r}, need one of {VARIABLES}")
        if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0.0).any():
            raise ValueError("Probe: times_us are not a list of finite, ascending times: sort them")
        object.__setattr__(self, "times_us", times)
        object.__setattr__(self, "circuits", circuits)


def schedule(
    probes: Sequence[Probe], n: int, now: int, until: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """List the samples of all probes by time.

    Parameters
    ----------
    probes : sequence of Probe
        What to sample.
    n : int
        Number of circuits.
    now, until : int
        Begin and end in cycles, both included.

    Returns
    -------
    time : ndarray, shape (n_samples,)
        Cycles.
    first : ndarray, shape (n_samples + 1,)
        First value of each sample.
    index : ndarray, shape (n_values,)
        Each value's index into a flat state.
    owner : ndarray, shape (n_samples,)
        Each sample's probe.

    Raises
    ------
    ValueError
        If a time or a circuit is out of range.
    """
    cycles = [nearest_cycles(probe.times_us) for probe in probes]
    for probe, time in zip(probes, cycles, strict=True):
        if time.size and (time[0] < now or time[-1] > until):
            raise ValueError(
                f"Probe: samples at {probe.times_us[0]:g} ... {probe.times_us[-1]:g} us, need them "
                f"within the advance from {now * CYCLE_US:g} to {until * CYCLE_US:g} us"
            )
        outside = (probe.circuits < 0) | (probe.circuits >= n)
        if outside.any():
            raise ValueError(
                f"Probe: circuit {probe.circuits[outside][0]}, need one of 0 ... {n - 1}"
            )
    owners = np.repeat(np.arange(len(probes)), [time.size for time in cycles])
    times = np.concatenate([*cycles, np.empty(0, dtype=np.int64)])
    order = np.argsort(times, kind="stable")
    owner = owners[order].astype(np.int64)
    indices = [VARIABLES.index(probe.variable) * n + probe.circuits for probe in probes]
    sizes = np.array([index.size for index in indices], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(sizes[owner])]).astype(np.int64)
    index = np.concatenate([*(indices[i] for i in owner), np.empty(0, dtype=np.int64)])
    return times[order], first, index, owner


def split(
    probes: Sequence[Probe], owner: IntArray, first: IntArray, value: npt.NDArray[np.float64]
) -> list[npt.NDArray[np.float64]]:
    """Give each probe its values.

    Parameters
    ----------
    probes : sequence of Probe
        Probes.
    owner, first : ndarray
        From `schedule`.
    value : ndarray
        The values.

    Returns
    -------
    list of ndarray, shape (n_times, n_circuits)
        One per probe.
    """
    of_value = np.repeat(owner, np.diff(first))
    return [
        value[of_value == i].reshape(probe.times_us.size, probe.circuits.size)
        for i, probe in enumerate(probes)
    ]
