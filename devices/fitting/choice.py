"""Which law and which noise: fits of all candidates, compared by the Bayesian criterion."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from devices.fitting.filter import N_NOISE, NOISE, curve
from devices.fitting.maximise import Optimum, Problem, maximise
from devices.fitting.series import Series
from devices.fitting.shapes import Curve, Shape
from devices.fitting.start import Start

FloatArray = npt.NDArray[np.float64]

#: Combinations of cycle-to-cycle noise that are tried; write noise is in all of them.
NOISE_TERMS: tuple[tuple[str, ...], ...] = (
    ("sigma_c2c_step",),
    ("sigma_c2c",),
    ("sigma_c2c", "sigma_c2c_step"),
    ("sigma_c2c", "linear", "quadratic"),
)
_FIRST_TERMS = NOISE_TERMS[2]

# Of models whose criterion differs by no more the simplest is taken.
_MARGIN = 2.0

# A bound of which the mean over devices has a larger standard error than this share of the range
# is not told by the series. It is then taken where the series ended.
_TOLD = 0.1
_NO_PRIOR = 1e-4
_MOST_NOISE = {"sigma_c2c_step": 100.0, "sigma_c2c": 1.0, "linear": 10.0, "quadratic": 10.0,
               "sigma_write": 1.0}  # fmt: skip
_SIGNED = ("linear", "quadratic")

# Write noise, as a share of the range, that a fit has at first at least, and then.
_LEAST_WRITE = (3e-3, 1e-4, 3e-6, 0.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """A model that was fitted.

    Parameters
    ----------
    shape : Shape
        Its law.
    terms : tuple of str
        Its cycle-to-cycle noise.
    optimum : Optimum
        Its fit.
    """

    shape: Shape
    terms: tuple[str, ...]
    optimum: Optimum

    @property
    def curves(self) -> tuple[Curve, Curve]:
        """Relative step over the way through the range, for pulses up and down."""
        n_c = len(self.shape.names)
        coefficients = self.optimum.shared[: 2 * n_c].reshape(2, n_c)
        up, down = (functools.partial(curve, self.shape.code, c) for c in coefficients)
        return up, down

    @property
    def name(self) -> str:
        """Law and noise in words."""
        nodes = f" ({self.shape.n_nodes} nodes)" if self.shape.n_nodes else ""
        noise = " + ".join(self.terms).replace("linear + quadratic", "polynomial")
        return f"{self.shape.law}{nodes}, {noise}"

    @property
    def n_free(self) -> int:
        """Number of free parameters that the devices share."""
        return int(np.sum(self.optimum.problem.low < self.optimum.problem.high))

    @property
    def bic(self) -> float:
        """Bayesian information criterion (Schwarz 1978, doi:10.1214/aos/1176344136).

        Bounds and steps of each device do not count: every model has them.
        """
        n = int(self.optimum.problem.series.n_pulses.sum())
        return self.n_free * math.log(n) - 2.0 * self.optimum.log_likelihood


def candidates(
    series: Series, start: Start, sigma_read: float, shapes: Sequence[Shape]
) -> tuple[Candidate, list[Candidate]]:
    """Fit every law, then every combination of noise for the best law.

    Parameters
    ----------
    series : Series
        Of devices that respond to pulses, in a unit of the order of their range.
    start : Start
        Rough estimates, in the same unit.
    sigma_read : float
        Relative read noise, known from repeated readings.
    shapes : sequence of Shape
        Laws to be fitted, the simplest first.

    Returns
    -------
    best : Candidate
        Of all models whose criterion is within 2 of the least, that with the fewest parameters.
    all : list of Candidate
        What was fitted.
    """
    # Other laws start where a linear one ends.
    linear = _linear(series, start, sigma_read)
    laws: list[Candidate] = []
    for shape in shapes:
        if shape.law == "linear":
            laws.append(linear)
            continue
        by_nodes = [fitted for fitted in laws if fitted.shape.law == "piecewise"]
        if len(by_nodes) > 1 and by_nodes[-1].bic > by_nodes[-2].bic:
            # More nodes did not help.
            break
        if shape.law == "piecewise":
            best = min(laws, key=lambda fitted: fitted.bic, default=linear)
            sources = [best, by_nodes[-1]] if by_nodes and by_nodes[-1] is not best else [best]
        else:
            sources = [linear]
        fits = [
            _resumed(source, shape, at, start)
            for source in sources
            for at in shape.starts(source.curves)
        ]
        laws.append(max(fits, key=lambda fitted: fitted.optimum.log_likelihood))
    best = simplest(laws)
    others = [_refit(best, terms, start.persistent) for terms in NOISE_TERMS if terms != best.terms]
    return simplest([best, *others]), laws + others


def simplest(fits: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the fewest parameters of those that are about the best."""
    least = min(fitted.bic for fitted in fits)
    return min((f for f in fits if f.bic <= least + _MARGIN), key=lambda fitted: fitted.n_free)


def _linear(series: Series, start: Start, sigma_read: float) -> Candidate:
    """Fit the linear law from rough estimates."""
    shape = Shape("linear")
    slopes, steps = start.linear()
    noise = {name: 0.0 for name in NOISE} | {
        "sigma_c2c_step": 0.5 * start.persistent / float(np.mean(steps)),
        "sigma_c2c": 0.5 * start.persistent,
        "sigma_write": start.apparent,
    }
    shared = np.concatenate([slopes, list(noise.values())])
    own = np.stack([start.low, start.high, *np.full((2, start.low.size), np.log(steps)[:, None])])
    low, high = _limits(shape, _FIRST_TERMS, shared)
    problem = Problem(series, shape.code, sigma_read, low, high, own.T)
    return Candidate(shape, _FIRST_TERMS, _settled(problem, shared, own.T))


def _resumed(fitted: Candidate, shape: Shape, coefficients: FloatArray, start: Start) -> Candidate:
    """Fit a law with some coefficients to start from and all else where another fit ended."""
    optimum = fitted.optimum
    # The steps change so that those at the middle of the range stay.
    middle = np.array([0.5])
    own = optimum.own.copy()
    for way in range(2):
        before = fitted.curves[way](middle)
        now = curve(shape.code, coefficients[way], middle)
        own[:, 2 + way] += np.log(max(before[0], 1e-3) / max(now[0], 1e-3))
    shared = np.concatenate([*coefficients, optimum.shared[-N_NOISE:]])
    low, high = _limits(shape, fitted.terms, shared)
    centre = np.stack([start.low, start.high, own[:, 2], own[:, 3]], axis=1)
    problem = dataclasses.replace(
        optimum.problem, code=shape.code, low=low, high=high, start=centre, held=(False, False)
    )
    return Candidate(shape, fitted.terms, _settled(problem, shared, own))


def _settled(problem: Problem, shared: FloatArray, own: FloatArray) -> Optimum:
    """Maximise; bounds that the series do not tell are held at the start."""
    optimum = _lowered(problem, shared, own)
    width = float(np.median(problem.start[:, 1] - problem.start[:, 0]))
    told = [optimum.error_of_mean(bound, _NO_PRIOR) < _TOLD * width for bound in range(2)]
    if all(told):
        return optimum
    own = own.copy()
    for bound in range(2):
        if not told[bound]:
            own[:, bound] = problem.start[:, bound]
    return _lowered(dataclasses.replace(problem, held=(not told[0], not told[1])), shared, own)


def _lowered(problem: Problem, shared: FloatArray, own: FloatArray) -> Optimum:
    """Maximise with ever less write noise at least, as far as there is less.

    With almost no noise the likelihood is all edges, and only from close by a way leads up.
    """
    write = shared.size - 1
    for least in _LEAST_WRITE:
        low, at = problem.low.copy(), shared.copy()
        low[write], at[write] = least, max(shared[write], least)
        optimum = maximise(dataclasses.replace(problem, low=low), at, own)
        shared, own = optimum.shared, optimum.own
        if shared[write] > 2.0 * least:
            break
    return dataclasses.replace(optimum, problem=problem)


def _refit(fitted: Candidate, terms: tuple[str, ...], persistent: float) -> Candidate:
    """Fit the same law with other noise, from where the first fit ended."""
    optimum = fitted.optimum
    shared = optimum.shared.copy()
    low, high = _limits(fitted.shape, terms, shared)
    before = slice(0, low.size - N_NOISE)
    low[before], high[before] = optimum.problem.low[before], optimum.problem.high[before]
    first = shared.size - N_NOISE
    typical = float(np.exp(optimum.own[:, 2:]).mean())
    noise = {"sigma_c2c_step": persistent / typical, "sigma_c2c": persistent}
    for name, value in noise.items():
        shared[first + NOISE.index(name)] = value / len(terms) if name in terms else 0.0
    problem = dataclasses.replace(optimum.problem, low=low, high=high)
    return Candidate(fitted.shape, terms, _lowered(problem, shared, optimum.own))


def _limits(
    shape: Shape, terms: tuple[str, ...], shared: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the limits of the shared parameters; what is not fitted is fixed where it starts."""
    low, high = shape.limits
    free = (*terms, "sigma_write")
    most = [_MOST_NOISE[name] if name in free else 0.0 for name in NOISE]
    least = [-value if name in _SIGNED else 0.0 for name, value in zip(NOISE, most, strict=True)]
    low, high = np.concatenate([low, low, least]), np.concatenate([high, high, most])
    if shape.law == "piecewise":
        # The scale of the nodes is that of the step.
        for first in (0, shape.n_nodes):
            largest = first + int(np.argmax(shared[first : first + shape.n_nodes]))
            low[largest] = high[largest] = shared[largest]
    return low, high


def upper_limit(
    log_likelihood: Callable[[float], float], drop: float, lowest: float, highest: float
) -> float:
    """Return up to where a parameter whose estimate is 0 is compatible with the readings.

    Parameters
    ----------
    log_likelihood : callable
        Of the value of the parameter, the others as estimated.
    drop : float
        Least loss of log-likelihood that is incompatible.
    lowest, highest : float
        Where to look.
    """
    best = log_likelihood(0.0)
    grid = np.geomspace(lowest, highest, 60)
    for value in grid:
        if log_likelihood(float(value)) < best - drop:
            return float(value)
    return highest
