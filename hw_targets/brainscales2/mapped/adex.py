"""Adaptive exponential neurons.

The slope of the exponential current is fixed on the chip, so that it is what the map of potentials
follows: delta_T in mV becomes `transfer.EXPONENTIAL_SLOPE` in LSB, as long as all potentials stay
in range. How far above its threshold the upstroke ends hardly matters: v_spike is clipped before
the scale shrinks for it.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.calibration import RANGES
from hw_targets.brainscales2.mapped import scaling
from hw_targets.brainscales2.mapped.neurons import CellPlan, clip, plan_cells
from hw_targets.brainscales2.mapped.report import Clipped, span
from hw_targets.brainscales2.mapped.scaling import Array, VoltageMap

#: Potential of a cell -> what is calibrated for it. Here v_thresh is no threshold.
POTENTIALS = {key: target for key, target in scaling.POTENTIALS.items() if key != "v_thresh"} | {
    "v_spike": "threshold"
}
UPSTROKE = 5.0
"""Distance in delta_T from v_thresh to v_spike that the map of potentials has room for. From there
on a spike's upstroke would have taken tau_m exp(-UPSTROKE), 0.7 % of tau_m, to whatever potential.
"""
THRESHOLD_RANGE = (
    RANGES["exp_threshold"][0]
    + transfer.EXPONENTIAL_SLOPE
    * float(np.log(limits.N_CIRCUITS / RANGES["tau_mem"][0] / scaling.EXP_RATE_MAX)),
    RANGES["threshold"][1],
)
"""Of v_thresh, in LSB: below it is the room for stronger exponential currents, see `realise`, of as
many merged circuits and as short a membrane time constant as there can be."""


def plan_adex_cells(
    population: Any, voltage: VoltageMap | None, is_ideal: bool, problems: list[str]
) -> CellPlan | None:
    """Find out what a population of `EIF_cond_exp_isfa_ista` asks of the chip.

    Parameters
    ----------
    population, voltage, is_ideal, problems
        As in `plan_cells`.

    Returns
    -------
    CellPlan or None
        None if it is impossible.
    """
    values = population.parameter_values
    for slope in values["delta_T"][~(values["delta_T"] > 0)][:1]:
        problems.append(
            f"Population {population.label!r}: delta_T={slope:g} mV, need > 0; IF_cond_exp spikes "
            "without an exponential current"
        )
        return None
    voltage = voltage or _voltage_map(values)
    cells = plan_cells(population, voltage, is_ideal, problems, POTENTIALS)
    if cells is None:
        return None
    threshold, clipped = clip("v_thresh", voltage.lsb(values["v_thresh"]), THRESHOLD_RANGE, voltage)
    clipped += _slope(values["delta_T"], voltage)
    tau_w, change = clip("tau_w", values["tau_w"], RANGES["tau_adaptation"])
    clipped += change
    a, change = _clip("a", "nS", values["a"], 1e-3 / values["cm"], RANGES["adaptation_a"])
    clipped += change
    b, change = _clip("b", "nA", values["b"], voltage.scale / values["cm"], RANGES["adaptation_b"])
    clipped += change
    targets = {
        "exp_threshold": threshold,
        "exp_rate": 1.0 / cells.targets["tau_mem"],
        "adaptation_a": a,
        "adaptation_b": b,
        "tau_adaptation": tau_w,
    }
    return replace(cells, targets=cells.targets | targets, clipped=(*cells.clipped, *clipped))


def _voltage_map(values: dict[str, Array]) -> VoltageMap:
    """Find the map that fits the exponential's slope, if all potentials are in range with it."""
    upstroke = values["v_thresh"] + UPSTROKE * values["delta_T"]
    ranges = {key: RANGES[target] for key, target in POTENTIALS.items() if key != "v_spike"}
    return scaling.fit_map(
        transfer.EXPONENTIAL_SLOPE / float(np.mean(values["delta_T"])),
        float(np.mean(values["v_rest"])),
        [
            *((values[key], allowed) for key, allowed in ranges.items()),
            (values["v_thresh"], THRESHOLD_RANGE),
            (np.minimum(values["v_spike"], upstroke), RANGES["threshold"]),
        ],
    )


def _slope(asked: Array, voltage: VoltageMap) -> list[Clipped]:
    """Tell which cells get another delta_T, the one the chip has."""
    found = transfer.EXPONENTIAL_SLOPE / voltage.scale
    outside = ~np.isclose(asked, found, rtol=1e-9, atol=0.0)
    if not outside.any():
        return []
    return [Clipped("delta_T", int(outside.sum()), span(asked[outside]), (found, found), "mV")]


def _clip(
    name: str, unit: str, asked: Array, lsb_per_unit: Array, allowed: tuple[float, float]
) -> tuple[Array, list[Clipped]]:
    """Convert to the chip's unit and clip; what is out of range in the script's unit."""
    low, high = allowed
    wanted = asked * lsb_per_unit
    kept = np.clip(wanted, low, high)
    outside = kept != wanted
    if not outside.any():
        return kept, []
    widest = float(lsb_per_unit[outside].min())
    bounds = (low / widest, high / widest)
    return kept, [Clipped(name, int(outside.sum()), span(asked[outside]), bounds, unit)]
