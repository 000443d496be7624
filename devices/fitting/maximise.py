"""Maximum of the likelihood over what all devices share and what is each device's own."""

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from devices.fitting import filter as filter_
from devices.fitting.filter import N_OWN, NOISE, RESOLUTION
from devices.fitting.series import Series
from devices.update import SMALLEST_STEP

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MAX_ITERATIONS = 100
# A gain in log-likelihood that means nothing.
_NEGLIGIBLE = 1e-4
_MAX_DAMPING = 1e8

# Widths of the weak priors around the start, which keep what the series do not tell in reach: of
# bounds as a share of the range, of logarithms of steps.
_PRIOR_BOUND = 1.0
_PRIOR_STEP = 3.0
# Bounds that are held are moved no more than this.
_HELD = 1e-6
_HIGHEST_STEP = 2.0
# How far bounds may move from the start, as shares of the range: inwards and outwards.
_INWARDS, _OUTWARDS = 0.4, 3.0
# A parameter with less information than this share of what it has with others has none.
_TOLD_SHARE = 1e-12


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """What is maximised.

    Parameters
    ----------
    series : Series
        Readings in a unit of the order of the range.
    code : int
        Number of the law, see `devices.fitting.filter`.
    sigma_read : float
        Relative noise of a reading, known from repeated ones.
    low, high : ndarray, shape (shared,)
        Limits of the shared parameters; where both are equal the parameter is fixed.
    start : ndarray, shape (devices, 4)
        Centre of the priors of the devices' own parameters.
    held : tuple of two bool
        Whether the lowest and the highest conductances stay at `start`.
    """

    series: Series
    code: int
    sigma_read: float
    low: FloatArray
    high: FloatArray
    start: FloatArray
    held: tuple[bool, bool] = (False, False)

    @property
    def precision(self) -> FloatArray:
        """Inverse variance of the prior of each device's own parameters."""
        width = self.start[:, 1] - self.start[:, 0]
        bounds = [(_HELD if held else _PRIOR_BOUND) * width for held in self.held]
        step = np.full_like(width, _PRIOR_STEP)
        return np.stack([*bounds, step, step], axis=1) ** -2.0

    def log_likelihoods(self, shared: FloatArray, own: FloatArray) -> FloatArray:
        """Return the log-likelihood of each device."""
        s = self.series
        return filter_.log_likelihoods(
            s.y, s.direction, s.n_reads, s.n_pulses, self.code, shared, own, self.sigma_read
        )

    def score(self, shared: FloatArray, own: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return gradient and information of each device, without the prior."""
        s = self.series
        # Backwards at an upper limit.
        nudge = 1e-6 * np.maximum(np.abs(shared), 1e-4)
        nudge[shared + nudge > self.high] *= -1.0
        nudge[self.low == self.high] = 0.0
        width = float(np.median(own[:, 1] - own[:, 0]))
        nudges = np.concatenate([nudge, [1e-6 * width, 1e-6 * width, 1e-6, 1e-6]])
        gradient = np.zeros((s.n_devices, nudges.size))
        information = np.zeros((s.n_devices, nudges.size, nudges.size))
        filter_.score(
            s.y, s.direction, s.n_reads, s.n_pulses, self.code, shared, own, self.sigma_read,
            nudges, gradient, information,
        )  # fmt: skip
        return gradient, information


class Covariance(NamedTuple):
    """Uncertainty of an estimate.

    Attributes
    ----------
    shared : ndarray, shape (p, p)
        Covariance of the shared parameters; 0 for fixed ones.
    own : ndarray, shape (devices, 4, 4)
        Covariance of a device's own parameters if the shared ones were known.
    response : ndarray, shape (devices, 4, p)
        How a device's own estimates move with the shared ones.
    """

    shared: FloatArray
    own: FloatArray
    response: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class Optimum:
    """Where the likelihood has its maximum.

    Parameters
    ----------
    problem : Problem
        What was maximised.
    shared : ndarray, shape (p,)
        Shared parameters.
    own : ndarray, shape (devices, 4)
        Each device's own.
    information : ndarray, shape (devices, p + 4, p + 4)
        Expected information of each device, without the prior.
    log_likelihood : float
        Of the readings after the first of each device, up to a constant.
    converged : bool
        Whether the last step gained nothing.
    """

    problem: Problem
    shared: FloatArray
    own: FloatArray
    information: FloatArray
    log_likelihood: float
    converged: bool

    def covariance(self, prior: float = 1.0) -> Covariance:
        """Return the uncertainty of the estimates.

        Parameters
        ----------
        prior : float, optional
            Factor on the precision of the prior.
        """
        p = self.shared.size
        fixed = np.concatenate([self._fixed, np.zeros(N_OWN, dtype=bool)])
        information = np.where(fixed[:, None] | fixed, 0.0, self.information)
        b = information[:, p:, p:] + _diagonal(prior * self.problem.precision)
        own = _inverse(b)
        response = -own @ information[:, p:, :p]
        reduced = information[:, :p, :p].sum(axis=0)
        reduced += np.einsum("dap,daq->pq", information[:, p:, :p], response)
        free = ~fixed[:p]
        shared = np.zeros((p, p))
        shared[np.ix_(free, free)] = _inverse(reduced[np.ix_(free, free)])
        return Covariance(shared, own, response)

    @property
    def _fixed(self) -> BoolArray:
        return np.asarray(self.problem.low == self.problem.high)

    def error_of_mean(self, parameter: int, prior: float = 1.0) -> float:
        """Return the standard error of the mean over devices of one of their own parameters.

        Parameters
        ----------
        parameter : int
            Its position.
        prior : float, optional
            Factor on the precision of the prior.
        """
        covariance = self.covariance(prior)
        n = self.own.shape[0]
        response = covariance.response[:, parameter].mean(axis=0)
        variance = covariance.own[:, parameter, parameter].sum() / n**2
        return float(np.sqrt(variance + response @ covariance.shared @ response))


def maximise(problem: Problem, shared: FloatArray, own: FloatArray) -> Optimum:
    """Maximise the likelihood by Fisher scoring with Levenberg-Marquardt damping.

    A device's own parameters are coupled to those of others through the shared ones only, so
    the equations for a step are solved device by device.

    Parameters
    ----------
    problem : Problem
        What is maximised.
    shared : ndarray, shape (p,)
        Where to start: shared parameters.
    own : ndarray, shape (devices, 4)
        Each device's own.

    Returns
    -------
    Optimum
        The maximum that was found.
    """
    precision = problem.precision

    def objective(shared: FloatArray, own: FloatArray) -> float:
        prior = 0.5 * np.sum(precision * (own - problem.start) ** 2)
        value = float(problem.log_likelihoods(shared, own).sum() - prior)
        return value if np.isfinite(value) else -np.inf

    shared, own = np.clip(shared, problem.low, problem.high), _within(problem, own)
    best, damping, converged = objective(shared, own), 1e-2, False
    gradient, information = problem.score(shared, own)
    for _ in range(_MAX_ITERATIONS):
        pull = gradient.copy()
        pull[:, -N_OWN:] -= precision * (own - problem.start)
        gain = 0.0
        while damping < _MAX_DAMPING:
            step = _step(problem, shared, own, pull, information, precision, damping)
            new_shared = np.clip(shared + step[0], problem.low, problem.high)
            new_own = _within(problem, own + step[1])
            value = objective(new_shared, new_own)
            if value > best:
                gain = value - best
                shared, own, best = new_shared, new_own, value
                damping = max(damping / 10.0, 1e-12)
                break
            damping *= 10.0
        if gain > 0.0:
            gradient, information = problem.score(shared, own)
        if gain < _NEGLIGIBLE:
            converged = True
            break
    likelihood = float(problem.log_likelihoods(shared, own).sum())
    return Optimum(problem, shared, own, information, likelihood, converged)


def _step(
    problem: Problem,
    shared: FloatArray,
    own: FloatArray,
    gradient: FloatArray,
    information: FloatArray,
    precision: FloatArray,
    damping: float,
) -> tuple[FloatArray, FloatArray]:
    """Solve the damped equations; parameters at a limit that pull outwards stay."""
    p = shared.size
    towards = gradient[:, :p].sum(axis=0)
    still = (shared <= problem.low) & (towards <= 0.0) | (shared >= problem.high) & (towards >= 0.0)
    a = np.where(still[:, None] | still, 0.0, information[:, :p, :p].sum(axis=0))
    a[still, still] = 1.0
    for position, scale in _noise_scales(shared, own):
        # The likelihood depends on squares: near 0 there is no information, but steps end.
        a[position, position] += abs(towards[position]) / scale
    a[np.diag_indices(p)] *= 1.0 + damping
    a[np.diag_indices(p)] += 1e-300
    c = np.where(still, 0.0, information[:, p:, :p])
    b = information[:, p:, p:] + _diagonal(precision)
    b = b + damping * _diagonal(np.diagonal(b, axis1=1, axis2=2))
    solved = np.linalg.solve(b, np.concatenate([c, gradient[:, p:, None]], axis=2))
    by_shared, alone = solved[..., :p], solved[..., p]
    reduced = a - np.einsum("dap,daq->pq", c, by_shared)
    right = np.where(still, 0.0, towards) - np.einsum("dap,da->p", c, alone)
    moved = _solved(reduced, right)
    return moved, alone - by_shared @ moved


def _noise_scales(shared: FloatArray, own: FloatArray) -> list[tuple[int, float]]:
    """Return the positions of the standard deviations, and by how much each may change."""
    first = shared.size - len(NOISE)
    least = 0.5 * max(float(shared[first + NOISE.index("sigma_write")]), RESOLUTION)
    step = float(np.exp(own[:, 2:]).mean())
    scales = {"sigma_c2c_step": least / step, "sigma_c2c": least, "sigma_write": least}
    return [
        (first + NOISE.index(name), max(float(shared[first + NOISE.index(name)]), scale))
        for name, scale in scales.items()
    ]


def _solved(information: FloatArray, right: FloatArray) -> FloatArray:
    """Solve for a step; what there is no information on stays."""
    told = np.diag(information) > _TOLD_SHARE * np.abs(information).max(axis=1)
    step = np.zeros_like(right)
    if told.any():
        scale = np.sqrt(np.diag(information)[told])
        scaled = information[np.ix_(told, told)] / np.outer(scale, scale)
        step[told] = np.linalg.lstsq(scaled, right[told] / scale, rcond=1e-14)[0] / scale
    return step


def _within(problem: Problem, own: FloatArray) -> FloatArray:
    """Return devices' own parameters within their limits."""
    low, high = problem.start[:, 0], problem.start[:, 1]
    inwards, outwards = _INWARDS * (high - low), _OUTWARDS * (high - low)
    limited = np.empty_like(own)
    limited[:, 0] = np.clip(own[:, 0], np.maximum(low - outwards, 0.0), low + inwards)
    limited[:, 1] = np.clip(own[:, 1], high - inwards, high + outwards)
    limited[:, 2:] = np.clip(own[:, 2:], np.log(SMALLEST_STEP), np.log(_HIGHEST_STEP))
    return limited


def _inverse(information: FloatArray) -> FloatArray:
    """Invert information matrices; what has no information gets a huge variance."""
    diagonal = np.diagonal(information, axis1=-2, axis2=-1)
    scale = np.sqrt(np.maximum(diagonal, 1e-200))
    outer = scale[..., :, None] * scale[..., None, :]
    values, vectors = np.linalg.eigh(np.clip(information / outer, -1.0, 1.0))
    inverse = (vectors / np.maximum(values, 1e-12)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.asarray(inverse / outer)


def _diagonal(values: FloatArray) -> FloatArray:
    """Return diagonal matrices, one for each row."""
    return values[..., None] * np.eye(values.shape[-1])
