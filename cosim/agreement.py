"""How far two runs of one network agree, event by event."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def compare_events(
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    timestep: float,
    edges: npt.ArrayLike,
) -> tuple[IntArray, IntArray]:
    """Count the events that only one of two runs has, in each of several periods.

    Two events are the same if neuron and time step are. An event that comes one step later in the
    other run is two different events.

    Parameters
    ----------
    first, second : tuple of array_like
        Times (ms) and neuron indices of the events of each run, in any order.
    timestep : float
        Time step of both runs, > 0, ms.
    edges : array_like of float, shape (m + 1,)
        Ascending bounds of the periods, ms: an event exactly at a bound belongs to the period that
        begins there. Events outside all periods are not counted.

    Returns
    -------
    differing, total : ndarray of int64, shape (m,)
        Per period, events that only one run has, and all distinct events of both runs: where
        the runs agree, 0 and the number of events of either.

    Raises
    ------
    ValueError
        If `timestep` is not positive, `edges` do not ascend, or times and neurons of a run differ
        in number.
    """
    if not timestep > 0:
        raise ValueError(f"compare_events: timestep={timestep}, need > 0 ms")
    bounds = _steps(edges, timestep)
    if (np.diff(bounds) < 0).any():
        raise ValueError(f"compare_events: edges={edges!r}, need ascending times (ms)")
    one, other = _as_pairs("first", first, timestep), _as_pairs("second", second, timestep)
    events, place = np.unique(np.concatenate([one, other]), axis=0, return_inverse=True)
    sides = [
        np.bincount(part, minlength=len(events)) for part in np.split(place.ravel(), [len(one)])
    ]
    period = np.searchsorted(bounds, events[:, 0], side="right") - 1
    inside = (period >= 0) & (period < len(bounds) - 1)

    def per_period(counts: npt.NDArray[np.intp]) -> IntArray:
        summed = np.zeros(len(bounds) - 1, dtype=np.int64)
        np.add.at(summed, period[inside], counts[inside])
        return summed

    return per_period(np.abs(sides[0] - sides[1])), per_period(np.maximum(*sides))


def _as_pairs(name: str, events: tuple[npt.ArrayLike, npt.ArrayLike], timestep: float) -> IntArray:
    times, neurons = (np.asarray(values) for values in events)
    if times.shape != neurons.shape:
        raise ValueError(
            f"compare_events: {name} has {times.size} times and {neurons.size} neurons, "
            "need one neuron per time"
        )
    return np.column_stack([_steps(times, timestep), neurons.astype(np.int64)])


def _steps(times: npt.ArrayLike, timestep: float) -> IntArray:
    """Return times as whole steps, so that rounding of floating-point times has no effect."""
    return np.rint(np.asarray(times, dtype=np.float64) / timestep).astype(np.int64)
