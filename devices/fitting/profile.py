"""How far the law's coefficients can be moved before the likelihood notices."""

import dataclasses

import numpy as np

from devices.fitting.maximise import Optimum, maximise

# Factor from one tried distance to the next, how many are tried, and the share of the loss of
# likelihood that is enough.
_GROWTH = 1.6
_TRIES = 8
_ENOUGH = 0.8


def ends_of_coefficient(
    optimum: Optimum, position: int, reach: float, drop: float
) -> list[Optimum]:
    """Return the fits at both ends of the interval of a coefficient.

    A bound is an edge: beyond it there are no states. Where a bound can make up for a change of
    the law, the likelihood falls steeply on one side and hardly on the other, which no standard
    error describes. So the coefficient is moved, everything else is fitted anew, and the loss is
    looked at.

    Parameters
    ----------
    optimum : Optimum
        The fit.
    position : int
        Of the coefficient among the shared parameters.
    reach : float
        Distance to the ends of the interval if the likelihood were regular.
    drop : float
        Loss of log-likelihood at the end of the interval.

    Returns
    -------
    list of Optimum
        Below and above, as far as the limits of the coefficient allow.
    """
    problem = optimum.problem
    value = float(optimum.shared[position])
    found = []
    for sign in (-1.0, 1.0):
        limit = float((problem.low if sign < 0 else problem.high)[position])
        moved, distance = optimum, max(reach, 1e-3 * abs(value))
        for _ in range(_TRIES):
            at = float(np.clip(value + sign * distance, problem.low[position],
                               problem.high[position]))  # fmt: skip
            low, high, shared = problem.low.copy(), problem.high.copy(), moved.shared.copy()
            low[position] = high[position] = shared[position] = at
            moved = maximise(dataclasses.replace(problem, low=low, high=high), shared, moved.own)
            if at == limit or moved.log_likelihood < optimum.log_likelihood - _ENOUGH * drop:
                break
            distance *= _GROWTH
        found.append(moved)
    return found
