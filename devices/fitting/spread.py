"""Mean and spread over devices of what was estimated, with an error, for each of them."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq

from devices.memristor import Distribution

FloatArray = npt.NDArray[np.float64]

#: Probability outside of an interval, on either side.
TAIL = 0.05
#: Standard errors from an estimate to the end of its interval.
REACH = float(stats.norm.ppf(1.0 - TAIL))

# Devices from which on a distribution other than the normal one may be found.
_MIN_FOR_DISTRIBUTION = 20
# How much better the log-normal distribution must fit, in log-likelihood.
_CLEARLY = 2.0


@dataclasses.dataclass(frozen=True)
class Spread:
    """Distribution of a quantity over devices.

    Parameters
    ----------
    mean : float
        Mean over the devices.
    mean_error : float
        Its standard error.
    sigma : float
        Standard deviation over the devices.
    interval : tuple of float
        90 % interval of `sigma`.
    """

    mean: float
    mean_error: float
    sigma: float
    interval: tuple[float, float]


def spread_of(values: FloatArray, errors: FloatArray) -> Spread:
    """Separate the spread over devices from the errors of the values.

    Each value is weighted by the inverse of its variance, spread and error together, and the
    spread is that for which the weighted squares are as large as expected (Paule and Mandel 1982,
    doi:10.6028/jres.087.022). Its interval are the spreads with which they are not unexpected
    (Q profile: Viechtbauer 2007, doi:10.1002/sim.2514).

    Parameters
    ----------
    values : ndarray, shape (devices,)
        One per device, at least two.
    errors : ndarray, shape (devices,)
        Their standard errors.

    Returns
    -------
    Spread
        In the unit of the values.
    """
    n = values.size
    variance = errors**2

    def squares(tau2: float) -> float:
        weight = 1.0 / (tau2 + variance)
        mean = np.sum(weight * values) / np.sum(weight)
        return float(np.sum(weight * (values - mean) ** 2))

    # With equal errors this far the squares are below any target.
    most = 1e4 * max(float(np.var(values)), 1e-300)
    least = 1e-12 * most

    def solve(target: float) -> float:
        if squares(least) <= target:
            return 0.0
        return float(brentq(lambda tau2: squares(tau2) - target, least, most, xtol=least))

    tau2 = solve(n - 1.0)
    weight = 1.0 / np.maximum(tau2 + variance, least)
    low, high = (solve(float(stats.chi2.ppf(q, n - 1))) for q in (1.0 - TAIL, TAIL))
    return Spread(
        mean=float(np.sum(weight * values) / np.sum(weight)),
        mean_error=float(np.sum(weight) ** -0.5),
        sigma=float(np.sqrt(tau2)),
        interval=(float(np.sqrt(low)), float(np.sqrt(high))),
    )


def distribution_of(values: FloatArray) -> Distribution:
    """Return how positive values are distributed: normal unless log-normal fits clearly better.

    Parameters
    ----------
    values : ndarray, shape (devices,)
        One per device.

    Returns
    -------
    {"normal", "log-normal"}
        By the likelihood; both have two parameters.
    """
    if values.size < _MIN_FOR_DISTRIBUTION or values.min() <= 0.0 or np.ptp(values) == 0.0:
        return "normal"
    normal = -values.size * np.log(values.std())
    logs: Any = np.log(values)
    log_normal = -values.size * np.log(logs.std()) - logs.sum()
    return "log-normal" if log_normal > normal + _CLEARLY else "normal"
