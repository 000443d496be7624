"""The update laws as they are fitted: shapes of the step over the state, with coefficients."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.update import Law

FloatArray = npt.NDArray[np.float64]

#: Laws that are fitted if none are named, the simplest first.
LAWS: tuple[Law, ...] = ("linear", "power", "exponential", "piecewise")

# Each number of nodes halves the distances of the one before.
_N_NODES = (3, 5, 9)

# The compiled filter knows the laws by these numbers.
CODES: dict[Law, int] = {"linear": 0, "exponential": 1, "power": 2, "piecewise": 3}

_COEFFICIENTS: dict[Law, tuple[str, ...]] = {
    "linear": ("slope",),
    "exponential": ("amplitude", "rate"),
    "power": ("exponent",),
}
_LIMITS: dict[Law, tuple[tuple[float, float], ...]] = {
    "linear": ((-100.0, 1.0),),
    # With an amplitude above 1 pulses could not move a device off its bound.
    "exponential": ((-100.0, 1.0), (-50.0, 50.0)),
    "power": ((0.0, 50.0),),
}

# Relative to the largest at the start of the fit.
_NODE_LIMITS = (0.0, 100.0)

# Rates from which the exponential law is fitted: steps that fall at first, or towards the end.
_RATES = (-2.5, 1.5)

Curve = Callable[[FloatArray], FloatArray]


@dataclasses.dataclass(frozen=True)
class Shape:
    """The step relative to the nominal one, as a function of the way through the range.

    The way is the state for pulses up and 1 minus the state for pulses down: from 0, where a
    series of pulses starts, to 1.

    Parameters
    ----------
    law : str
        Name of the law in `devices.Update`.
    n_nodes : int
        Of the piecewise law. One node, the largest at the start of the fit, stays 1.
    """

    law: Law
    n_nodes: int = 0

    @property
    def code(self) -> int:
        """Number of the law in the compiled filter."""
        return CODES[self.law]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients of one direction."""
        if self.law == "piecewise":
            return tuple(f"nodes[{i}]" for i in range(self.n_nodes))
        return _COEFFICIENTS[self.law]

    @property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper limits of the coefficients."""
        pairs = (_NODE_LIMITS,) * self.n_nodes if self.n_nodes else _LIMITS[self.law]
        low, high = np.array(pairs).T
        return low, high

    def starts(self, curves: tuple[Curve, Curve]) -> list[FloatArray]:
        """Return coefficients from which to fit, similar to curves of another law.

        Parameters
        ----------
        curves : tuple of two callable
            Relative step over the way through the range, for pulses up and down.

        Returns
        -------
        list of ndarray, shape (2, n)
            Each for both directions.
        """
        ways = np.linspace(0.0, 1.0, self.n_nodes or 9)
        values = [np.maximum(of(ways), 1e-3) for of in curves]
        if self.law == "piecewise":
            return [np.array([v / v.max() for v in values])]
        if self.law == "power":
            # The same mean over the range, relative to the first step.
            return [np.array([[v[0] / v.mean() - 1.0] for v in values]).clip(0.0, 5.0)]
        ends = [float(v[-1] / v[0]) for v in values]
        return [
            np.array([_exponential(ends[0], up), _exponential(ends[1], down)])
            for up, down in itertools.product(_RATES, repeat=2)
        ]

    def update(
        self, steps: tuple[float, float], up: FloatArray, down: FloatArray
    ) -> dict[str, Any]:
        """Return the parameters of the law as an `Update` takes them."""
        parameters: dict[str, Any] = {"law": self.law, "step_up": steps[0], "step_down": steps[1]}
        if self.law == "piecewise":
            # Nodes of an Update go from the lowest to the highest state in both directions.
            return parameters | {"nodes_up": tuple(up), "nodes_down": tuple(down[::-1])}
        for name, of_up, of_down in zip(self.names, up, down, strict=True):
            parameters |= {f"{name}_up": float(of_up), f"{name}_down": float(of_down)}
        return parameters


def _exponential(end: float, rate: float) -> tuple[float, float]:
    """Return amplitude and rate of a step whose last value is `end` times its first."""
    end = min(end, 0.98)
    if rate < 0.0:
        rate += min(math.log(end), 0.0)
    return (1.0 - end) / (math.exp(rate) - end), rate


def shapes(laws: tuple[Law, ...]) -> list[Shape]:
    """Return what is fitted for some laws: the piecewise one with several numbers of nodes.

    Raises
    ------
    ValueError
        If a law is unknown.
    """
    found = []
    for law in laws:
        if law not in LAWS:
            raise ValueError(f"fit: law {law!r}, need some of {', '.join(LAWS)}")
        found += [Shape(law, n) for n in _N_NODES] if law == "piecewise" else [Shape(law)]
    return found
