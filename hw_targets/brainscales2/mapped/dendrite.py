"""Neurons with a dendritic action potential as two compartments: a soma and a dendrite.

The dendrite is a circuit of its own, connected to the soma by a conductance g. Its potential u
above rest takes the place of the dendritic current I_D: the soma gets g u. Leak and synaptic input
of the dendrite both have the time constant tau_syn_D, which makes the response to an event
alpha-shaped. At its threshold the dendrite "spikes", which is the onset of a dendritic action
potential: it is held at its reset potential, which here lies above the threshold, for its
refractory time. The hold-off that follows keeps it from spiking again until it has decayed. The
authors' code of the sequence memory on the chip (Dietrich et al., LOD 2024) uses circuits in this
way.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2.calibration import RANGES
from hw_targets.brainscales2.mapped.neurons import CellPlan, clip, plan_cells
from hw_targets.brainscales2.mapped.report import Clipped, span
from hw_targets.brainscales2.mapped.scaling import Array, VoltageMap

DECAYED, STILL_DECAYED = 0.7, 0.9
"""Potential of the dendrite at the end of the hold-off relative to its threshold, both above rest,
that is aimed at, and that is accepted where the hold-off can't be longer. The rest is left for
mismatch and for input that is still coming in."""


@dataclass(frozen=True, eq=False)
class DendritePlan(CellPlan):
    """What the dendrites of a population ask of the chip.

    Parameters
    ----------
    exchange : ndarray
        Conductance to the soma in 1/us, by cell.
    lsb_per_na : ndarray
        Potential of the dendrite that stands for a dendritic current, by cell.
    """

    exchange: Array
    lsb_per_na: Array

    @property
    def lsb_per_unit(self) -> Array:
        """LSB per nA, by cell."""
        return self.lsb_per_na

    @property
    def offset(self) -> Array:
        """LSB without a dendritic current, by cell."""
        return self.targets["leak"]


def plan_dap_cells(
    population: Any, voltage: VoltageMap | None, is_ideal: bool, problems: list[str]
) -> tuple[CellPlan, DendritePlan] | None:
    """Find out what a population of `IF_curr_exp_dAP` asks of the chip.

    Parameters
    ----------
    population, voltage, is_ideal, problems
        As in `plan_cells`.

    Returns
    -------
    soma, dendrite : CellPlan, DendritePlan
        None if it is impossible.
    """
    soma = plan_cells(population, voltage, is_ideal, problems)
    if soma is None:
        return None
    values = population.parameter_values
    name = f"Population {population.label!r}"
    low, high = RANGES["tau_syn_exc"]
    # The dendrite's leak has this time constant, too.
    low = max(low, RANGES["tau_mem"][0])
    tau_d, clipped = clip("tau_syn_D", values["tau_syn_D"], (low, high))
    exchange = _exchange(name, soma, values, tau_d, problems)
    if exchange is None:
        return None
    holdoff = _holdoff(name, values, tau_d, soma.targets["tau_mem"], exchange, problems)
    if holdoff is None:
        return None
    rest = soma.targets["leak"]
    lsb_per_na = soma.voltage.scale / (values["cm"] * exchange)
    plateau, change = _clip_current("i_dAP", "reset", values["i_dAP"], rest, lsb_per_na)
    clipped += change
    threshold, change = _clip_current(
        "theta_dAP", "threshold", values["theta_dAP"], rest, lsb_per_na
    )
    clipped += change
    low, high = RANGES["refractory_time"]
    duration, change = clip("tau_dAP", values["tau_dAP"], (low, high - float(holdoff.max())))
    clipped += change
    targets = {
        "leak": rest,
        "reset": plateau,
        "threshold": threshold,
        "tau_mem": _leak_without(exchange, tau_d),
        "tau_syn_exc": tau_d,
        "refractory_time": duration + holdoff,
        "holdoff_time": holdoff,
        "tau_icc": np.minimum(1.0 / exchange, RANGES["tau_icc"][1]),
    }
    # A current of weight 1 whose alpha-shaped response peaks at as many LSB as 1 nA is.
    factor = np.e / tau_d * lsb_per_na
    dendrite = DendritePlan(
        soma.voltage,
        targets,
        {"exc": factor, "inh": factor},
        np.zeros(tau_d.size),
        False,
        tuple(clipped),
        0.0,
        exchange,
        lsb_per_na,
    )
    tau_mem = _leak_without(exchange, soma.targets["tau_mem"])
    return replace(soma, targets=soma.targets | {"tau_mem": tau_mem}), dendrite


def _exchange(
    name: str, soma: CellPlan, values: dict[str, Array], tau_d: Array, problems: list[str]
) -> Array | None:
    """Choose the conductance in 1/us, as small as it can be for the best resolution.

    A small one needs a high plateau; a large one would leave soma or dendrite without a leak.
    """
    longest = RANGES["tau_icc"][1], RANGES["tau_mem"][1]
    slowest = 1.0 / sum(1.0 / tau for tau in longest)
    for parameter, tau in (("tau_m", soma.targets["tau_mem"]), ("tau_syn_D", tau_d)):
        for value in tau[tau > slowest][:1]:
            problems.append(
                f"{name}: {parameter}={value:g} ms of IF_curr_exp_dAP, need at most {slowest:g} "
                "ms: the conductance between dendrite and soma is part of the leak of both"
            )
            return None
    room = RANGES["reset"][1] - soma.targets["leak"]
    # Of a cell at rest at the highest potential there is no room, and i_dAP is clipped to 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = values["i_dAP"] / values["cm"] * soma.voltage.scale / room
    wanted = float(np.max(needed, initial=0.0))
    fastest = 1.0 / np.maximum(soma.targets["tau_mem"], tau_d) - 1.0 / longest[1]
    return np.minimum(max(wanted, 1.0 / longest[0]), fastest)


def _leak_without(exchange: Array, tau: Array) -> Array:
    """Time constant of the leak: what leaks through the conductance is part of the membrane's."""
    # Rounding errors must not leave the range.
    return np.minimum(1.0 / (1.0 / tau - exchange), RANGES["tau_mem"][1])


def _holdoff(
    name: str,
    values: dict[str, Array],
    tau_d: Array,
    tau_m: Array,
    exchange: Array,
    problems: list[str],
) -> Array | None:
    """Time in us that the dendrite needs to fall from the plateau to below its threshold."""
    for parameter, unit in (("i_dAP", "nA"), ("theta_dAP", "nA"), ("tau_h", "ms")):
        for value in values[parameter][~(values[parameter] > 0)][:1]:
            problems.append(f"{name}: {parameter}={value:g} {unit}, need > 0")
            return None
    threshold = values["theta_dAP"] / values["i_dAP"]
    longest = RANGES["holdoff_time"][1]
    low, high = np.zeros(tau_d.size), np.full(tau_d.size, longest)
    for _ in range(40):
        middle = 0.5 * (low + high)
        above = _remaining(middle, tau_d, tau_m, exchange) > DECAYED * threshold
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    left = _remaining(longest, tau_d, tau_m, exchange) / threshold
    if (left > STILL_DECAYED).any():
        cell = int(np.argmax(left))
        theta = values["theta_dAP"][cell]
        # Rounded up, so that the remedy is one.
        enough = np.ceil(1e4 * theta * left[cell] / STILL_DECAYED) / 1e4
        problems.append(
            f"{name}: tau_syn_D={tau_d[cell]:g} ms, i_dAP={values['i_dAP'][cell]:g} nA and "
            f"theta_dAP={theta:g} nA: {longest:g} ms after a dendritic action potential, the "
            f"chip's longest hold-off, the dendrite is at {left[cell]:.2g} of its threshold, need "
            f"at most {STILL_DECAYED:g}; use a theta_dAP of at least {enough:g} nA, or a shorter "
            "tau_syn_D"
        )
        return None
    return high


def _remaining(time: npt.ArrayLike, tau_d: Array, tau_m: Array, exchange: Array) -> Array:
    """Potential of the dendrite over that of its plateau, a time after it, without input.

    Soma and dendrite relax together: the soma has the potential that a long plateau gives it.
    """
    half = 0.5 * (1.0 / tau_m - 1.0 / tau_d)
    mean = 0.5 * (1.0 / tau_m + 1.0 / tau_d)
    q = np.sqrt(half**2 + exchange**2)
    returned = half + exchange**2 * tau_m
    t = np.asarray(time)
    return np.asarray(np.exp(-mean * t) * (np.cosh(q * t) + returned / q * np.sinh(q * t)))


def _clip_current(
    name: str, target: str, current: Array, rest: Array, lsb_per_na: Array
) -> tuple[Array, list[Clipped]]:
    """Potential that stands for a dendritic current, and what is out of range, in nA."""
    wanted = rest + current * lsb_per_na
    low, high = RANGES[target]
    kept, change = clip(name, wanted, (low, high))
    if not change:
        return kept, []
    outside = kept != wanted
    limits = ((kept - rest) / lsb_per_na)[outside]
    return kept, [Clipped(name, int(outside.sum()), span(current[outside]), span(limits), "nA")]
