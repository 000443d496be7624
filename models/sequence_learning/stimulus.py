"""When each symbol is shown, and when the predictions are read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.sequence_learning.task import PRIMER_LEAD, Task

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """Input spikes, one source per symbol.

    Parameters
    ----------
    external : tuple of ndarray of float64
        Per symbol, the times at which its subpopulation is stimulated, ms.
    primer : tuple of ndarray of float64, optional
        Per symbol, the times of dendritic stimuli that make some of its neurons predictive, ms.
    """

    external: tuple[FloatArray, ...]
    primer: tuple[FloatArray, ...] | None = None


@dataclass(frozen=True, eq=False)
class Schedule:
    """Onsets of all elements; S sequences, L elements per episode.

    Parameters
    ----------
    onset : ndarray of float64, shape (episodes, L)
        Onset of each element, ms.
    symbol : ndarray of int64, shape (L,)
        Index of the symbol shown.
    first, last : ndarray of int64, shape (S,)
        Positions of the first and the last element of each sequence.
    """

    onset: FloatArray
    symbol: IntArray
    first: IntArray
    last: IntArray


def schedule(task: Task) -> Schedule:
    """Return the onsets of all elements of a task.

    Parameters
    ----------
    task : Task
        Sequences and timing.

    Returns
    -------
    Schedule
        In the order of presentation.
    """
    lengths = np.array([len(sequence) for sequence in task.sequences])
    last = np.cumsum(lengths) - 1
    first = last - lengths + 1
    symbol = np.array([task.symbols.index(letter) for letter in "".join(task.sequences)])

    interval = np.full(len(symbol), task.delta_t)
    interval[first] = task.delta_t_seq
    interval[0] = 0.0
    start = task.t_start + np.arange(task.episodes) * task.episode_duration
    # Rounding removes what the sums add below any sensible time step.
    onset = np.round(start[:, np.newaxis] + np.cumsum(interval), 9)
    return Schedule(onset=onset, symbol=symbol, first=first, last=last)


def training_stimulus(task: Task) -> Stimulus:
    """Return the input that shows all episodes of a task.

    Parameters
    ----------
    task : Task
        Sequences and timing.

    Returns
    -------
    Stimulus
        With a primer if the task wants sparse first elements.
    """
    shown = schedule(task)
    n_symbols = len(task.symbols)
    external = per_symbol(shown.onset, shown.symbol, n_symbols)
    if not task.primes_first:
        return Stimulus(external)
    lead = np.round(shown.onset[:, shown.first] - PRIMER_LEAD, 9)
    return Stimulus(external, per_symbol(lead, shown.symbol[shown.first], n_symbols))


def per_symbol(times: FloatArray, symbol: IntArray, n_symbols: int) -> tuple[FloatArray, ...]:
    """Split times by symbol.

    Parameters
    ----------
    times : ndarray of float64, shape (episodes, L)
        Times, ms.
    symbol : ndarray of int64, shape (L,)
        Symbol of each column.
    n_symbols : int
        Number of symbols.

    Returns
    -------
    tuple of ndarray of float64
        Sorted times of each symbol, ms.
    """
    return tuple(np.sort(times[:, symbol == index].ravel()) for index in range(n_symbols))
