"""Conversion of the exponential pulse response of NeuroSim, which is a linear law.

NeuroSim (Chen, Peng and Yu 2018, IEEE Trans. CAD 37(12), 3067-3080) describes potentiation from
pulse 0 to `P_max` by ``G = B*(1 - exp(-P/A)) + g_min`` with ``B = (g_max - g_min)/(1 -
exp(-P_max/A))``. One pulse more takes the state ``s = (G - g_min)/(g_max - g_min)`` to
``s + (1/(1 - exp(-P_max/A)) - s)*(1 - exp(-1/A))``: a step that is linear in the state,

    step_up = (1 - exp(-1/A))/(1 - exp(-P_max/A)),    slope_up = 1 - exp(-P_max/A).

Depression runs the same curve down, with an `A` of the other sign: the formulas are the same
after a change of its sign.
"""

import math

from devices.update import Update

# Largest distance of the normalised curve from the straight line, per label: 0.07 along the
# perpendicular. Reproduces the table of labels and A of NeuroSim (MLP+NeuroSim 3.0, formula.cpp).
_DEVIATION_PER_LABEL = 0.07 * math.sqrt(2.0)
_LARGEST_LABEL = 9.0


def nonlinearity_to_a(label: float) -> float:
    """Return the normalised parameter `A` of a nonlinearity label.

    Parameters
    ----------
    label : float
        Nonlinearity, -9 to 9, not 0.

    Returns
    -------
    float
        `A` divided by `P_max`, of the sign of the label.

    Raises
    ------
    ValueError
        If the label is 0 (constant step: `A` is infinite) or beyond 9.
    """
    if not 0.0 < abs(label) <= _LARGEST_LABEL:
        raise ValueError(f"nonlinearity_to_a: label={label}, need one in -9 ... 9 and not 0")
    wanted = abs(label) * _DEVIATION_PER_LABEL
    # The deviation falls from 1 to 0 as A grows: bisection of its logarithm.
    low, high = math.log(1e-3), math.log(1e5)
    for _ in range(100):
        middle = 0.5 * (low + high)
        if _deviation(math.exp(middle)) > wanted:
            low = middle
        else:
            high = middle
    return math.copysign(math.exp(0.5 * (low + high)), label)


def _deviation(a: float) -> float:
    """Largest distance of ``(1 - exp(-p/a))/(1 - exp(-1/a))`` from `p`, `p` from 0 to 1."""
    scale = -math.expm1(-1.0 / a)
    p = -a * math.log(a * scale)
    return -math.expm1(-p / a) / scale - p


def nonlinear_update(
    n_pulses_up: int, n_pulses_down: int, label_up: float, label_down: float
) -> Update:
    """Return the pulse response of a device given by nonlinearity labels.

    Parameters
    ----------
    n_pulses_up, n_pulses_down : int
        Pulses from the lowest to the highest conductance and back, the number of levels.
    label_up, label_down : float
        Nonlinearity of potentiation and depression with NeuroSim's signs: a curve that saturates
        has a positive label in potentiation and a negative one in depression.

    Returns
    -------
    Update
    """
    step_up, slope_up = _linear(n_pulses_up, label_up)
    step_down, slope_down = _linear(n_pulses_down, -label_down)
    return Update(
        law="linear",
        step_up=step_up,
        step_down=step_down,
        slope_up=slope_up,
        slope_down=slope_down,
    )


def _linear(n_pulses: int, label: float) -> tuple[float, float]:
    """Step and slope; positive labels saturate."""
    if n_pulses < 1:
        raise ValueError(f"nonlinear_update: {n_pulses} pulses, need at least 1")
    if label == 0.0:
        return 1.0 / n_pulses, 0.0
    a = nonlinearity_to_a(label)
    slope = -math.expm1(-1.0 / a)
    return -math.expm1(-1.0 / (a * n_pulses)) / slope, slope
