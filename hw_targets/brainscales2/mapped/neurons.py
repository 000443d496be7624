"""Cells as the chip's circuits: targets of the calibration, and the circuits that come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits, transfer
from hw_targets.brainscales2.calibration import RANGES, Target, calibrate, ideal_circuits
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.mapped import scaling
from hw_targets.brainscales2.mapped.report import Clipped, rms, span
from hw_targets.brainscales2.mapped.scaling import Array, VoltageMap

IntArray = npt.NDArray[np.int64]

_INTEGERS = ("i_synin_gm_exc", "i_synin_gm_inh", "membrane_capacitance")
_REVERSALS = ("e_coba_reversal_exc", "e_coba_reversal_inh", "e_coba_reference")
#: Of circuits without a conductance-based neuron.
_UNUSED = {"e_coba_reversal_exc": 300.0, "e_coba_reversal_inh": 30.0, "e_coba_reference": 115.0,
           "tau_icc": 30.0}  # fmt: skip
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class CellPlan:
    """What a population asks of the chip.

    Parameters
    ----------
    voltage : VoltageMap
        Its potentials.
    targets : dict of str to ndarray
        Targets of the calibration, one value per cell.
    factor : dict of str to ndarray
        For "exc" and "inh" the current in LSB/us of an event of weight 1 nA or uS, by cell.
    current : ndarray
        Constant current in LSB/us.
    coba : bool
        Whether inputs are conductance-based.
    clipped : tuple of Clipped
        Parameters out of range.
    current_rms_error : float
        Error of ``i_offset`` by rounding, in nA.
    """

    voltage: VoltageMap
    targets: dict[str, Array]
    factor: dict[str, Array]
    current: Array
    coba: bool
    clipped: tuple[Clipped, ...]
    current_rms_error: float

    @property
    def lsb_per_unit(self) -> Array:
        """LSB per mV, by cell."""
        return np.full(self.current.size, self.voltage.scale)

    @property
    def offset(self) -> Array:
        """LSB at 0 mV, by cell."""
        return np.full(self.current.size, self.voltage.offset)


def plan_cells(
    population: Any,
    voltage: VoltageMap | None,
    is_ideal: bool,
    problems: list[str],
    potentials: Mapping[str, str] = scaling.POTENTIALS,
) -> CellPlan | None:
    """Find out what a population asks of the chip.

    Parameters
    ----------
    population : Population
        Population of neurons.
    voltage : VoltageMap or None
        Map of its potentials that is in use already.
    is_ideal : bool
        Whether settings are not rounded.
    problems : list of str
        What makes it impossible is appended.
    potentials : mapping of str to str, optional
        Potential of a cell -> what is calibrated for it.

    Returns
    -------
    CellPlan or None
        None if it is impossible.
    """
    values = population.parameter_values
    name = f"Population {population.label!r}"
    before = len(problems)
    for cm in values["cm"][~(values["cm"] > 0)][:1]:
        problems.append(f"{name}: cm={cm:g} nF, need > 0")
    (top,) = (key for key, target in potentials.items() if target == "threshold")
    wrong = ~(values[top] > values["v_reset"])
    for low, high in zip(values[top][wrong][:1], values["v_reset"][wrong][:1], strict=True):
        problems.append(f"{name}: {top}={low:g} mV, need more than v_reset={high:g} mV")
    if len(problems) > before:
        return None
    given = {key: values[key] for key in potentials if key in values}
    voltage = voltage or scaling.voltage_map(given)
    targets, clipped = {}, []
    for key, millivolts in given.items():
        target = potentials[key]
        targets[target], change = clip(key, voltage.lsb(millivolts), RANGES[target], voltage)
        clipped += change
    for key, target in scaling.TIMES.items():
        bounds = scaling.time_range(key, is_ideal)
        targets[target], change = clip(key, values[key], bounds)
        clipped += change
    coba = bool(population.celltype.conductance_based)
    distance = {"exc": np.array(voltage.scale), "inh": np.array(voltage.scale)}
    if coba:
        reference = scaling.coba_reference(targets)
        if np.isnan(reference).any():
            cell = int(np.argmax(np.isnan(reference)))
            problems.append(
                f"{name}: e_rev_I={values['e_rev_I'][cell]:g} mV and e_rev_E="
                f"{values['e_rev_E'][cell]:g} mV leave no room for conductance-based inputs, need "
                f"them {2 * scaling.COBA_DISTANCE / voltage.scale:.3g} mV apart, around rest and "
                "threshold"
            )
            return None
        targets["e_coba_reference"] = reference
        for receptor in distance:
            reversal = targets[f"e_coba_reversal_{receptor}"]
            distance[receptor] = scaling.coba_distance(reversal, reference, is_ideal)
    current, change, error = _currents(values, voltage, is_ideal)
    return CellPlan(
        voltage,
        targets,
        {receptor: lsb / values["cm"] for receptor, lsb in distance.items()},
        current,
        coba,
        (*clipped, *change),
        error,
    )


class Realised(NamedTuple):
    """Circuits of all compartments.

    Attributes
    ----------
    circuits : Circuits
        One for each cell of each compartment, in the order of the plans.
    n_failed : list of int
        For each plan the number of circuits that miss their targets.
    exchange : ndarray
        Conductance of each circuit to the soma, in 1/us at a capacitance of 1; 0 of those that are
        no dendrites.
    """

    circuits: Circuits
    n_failed: list[int]
    exchange: Array


def realise(
    plans: Sequence[CellPlan],
    hardware: Sequence[IntArray],
    gm: Sequence[dict[str, int]],
    dac: int,
    chip: Chip,
    trial: int,
) -> Realised:
    """Calibrate the chip for all populations.

    Parameters
    ----------
    plans : sequence of CellPlan
        Compartments of populations, at least one.
    hardware : sequence of ndarray, shape (n_cells, n_merged)
        Circuits of each cell.
    gm : sequence of dict
        For each population the i_synin_gm of "exc" and "inh".
    dac : int
        synapse_dac_bias.
    chip : Chip
        Chip.
    trial : int
        Number of the run.

    Returns
    -------
    Realised
    """
    targets = _all_targets(plans, hardware, gm)
    parts: dict[int, Realised] = {}
    for coba in (False, True):
        if not any(plan.coba == coba for plan in plans):
            continue
        kept = {k: v for k, v in targets.items() if coba or k not in _REVERSALS}
        target = Target(**kept, synapse_dac_bias=dac)
        for number, (plan, where) in enumerate(zip(plans, hardware, strict=True)):
            if plan.coba != coba:
                continue
            parts[number] = _circuits(chip, target, plan, where, trial)
    ordered = [parts[number] for number in sorted(parts)]
    return Realised(
        Circuits.concatenate([part.circuits for part in ordered]),
        [n for part in ordered for n in part.n_failed],
        np.concatenate([part.exchange for part in ordered]),
    )


def _circuits(chip: Chip, target: Target, plan: CellPlan, where: IntArray, trial: int) -> Realised:
    every, merge = where.ravel(), where.shape[1]
    current = np.repeat(plan.current, merge)
    # Of circuits without a dendrite the conductance is not connected.
    exchange = np.zeros(every.size)
    if "tau_icc" in plan.targets:
        exchange = np.repeat(1.0 / plan.targets["tau_icc"], merge)
    if chip.is_ideal:
        circuits, n_failed = replace(ideal_circuits(target)[every], current=current), 0
    else:
        settings = calibrate(chip, target)
        n_failed = int(np.sum(~np.asarray(settings.success)[every]))
        settings = settings.changed(
            every,
            constant_current_enable=(current != 0.0).astype(np.int64),
            constant_current_type=(current < 0.0).astype(np.int64),
            constant_current_i_offset=np.rint(np.abs(current) / transfer.CURRENT).astype(np.int64),
        )
        circuits = chip.circuits(settings, every, trial)
        if "tau_icc" in plan.targets:
            stored = {name: np.asarray(v)[every] for name, v in settings.parameters.items()}
            exchange = transfer.compartment_rate(stored)
    if merge > 1:
        groups = np.arange(every.size).reshape(where.shape)
        circuits = circuits.merged([group.tolist() for group in groups])
    return Realised(circuits, [n_failed], exchange.reshape(where.shape).sum(axis=1))


def _all_targets(
    plans: Sequence[CellPlan], hardware: Sequence[IntArray], gm: Sequence[dict[str, int]]
) -> dict[str, npt.NDArray[Any]]:
    """Targets of all 512 circuits, those without a cell included."""
    default = {f.name: f.default for f in fields(Target)} | _UNUSED
    names = {name for plan in plans for name in plan.targets} | set(_INTEGERS)
    full: dict[str, npt.NDArray[Any]] = {
        name: np.full(limits.N_CIRCUITS, default[name], int if name in _INTEGERS else float)
        for name in sorted(names | set(_REVERSALS))
    }
    for plan, where, strengths in zip(plans, hardware, gm, strict=True):
        for name, values in plan.targets.items():
            full[name][where] = values[:, None]
        if "exp_rate" in plan.targets:
            _exponential_of_first(full, where)
        for receptor, strength in strengths.items():
            full[f"i_synin_gm_{receptor}"][where] = strength
    return full


def _exponential_of_first(full: dict[str, npt.NDArray[Any]], where: IntArray) -> None:
    """Give each neuron one exponential current, that of its first circuit, as `merged` has it.

    It moves the capacitance of all and needs the rate of all or, above `scaling.EXP_RATE_MAX`, a
    lower threshold, which makes the same current.
    """
    first = where[:, 0]
    wanted = full["exp_rate"][where].sum(axis=1)
    rate = np.minimum(wanted, scaling.EXP_RATE_MAX)
    full["exp_rate"][where] = 0.0
    full["exp_rate"][first] = rate
    full["exp_threshold"][first] -= transfer.EXPONENTIAL_SLOPE * np.log(wanted / rate)


def _currents(
    values: dict[str, Array], voltage: VoltageMap, is_ideal: bool
) -> tuple[Array, list[Clipped], float]:
    """Constant current in LSB/us, what is clipped, and the error of rounding in nA."""
    per_na = voltage.scale / values["cm"]
    wanted = values["i_offset"] * per_na
    most = limits.CAPMEM_MAX * transfer.CURRENT
    current, change = clip("i_offset", wanted, (-most, most))
    if change:
        outside = np.abs(wanted) > most
        asked = values["i_offset"][outside]
        limit = float(np.max(most / per_na[outside]))
        change = [Clipped("i_offset", asked.size, span(asked), (-limit, limit), "nA")]
    if is_ideal:
        return current, change, 0.0
    rounded = np.rint(current / transfer.CURRENT) * transfer.CURRENT
    return rounded, change, rms((rounded - current) / per_na)


def clip(
    name: str, values: Array, bounds: tuple[float, float], voltage: VoltageMap | None = None
) -> tuple[Array, list[Clipped]]:
    """Clip values of a parameter to what the chip can do.

    Parameters
    ----------
    name : str
        PyNN's name.
    values : ndarray
        Times in ms, or potentials in LSB.
    bounds : tuple of float
        Range, in the same unit.
    voltage : VoltageMap, optional
        Map of potentials.

    Returns
    -------
    kept : ndarray
        Values in the range.
    clipped : list of Clipped
        One if any was out of it, in ms or mV.
    """
    low, high = bounds
    outside = (values < low - _ROUNDING) | (values > high + _ROUNDING)
    kept = np.clip(values, low, high)
    if not outside.any():
        return kept, []
    asked = span(values[outside])
    if voltage is None:
        return kept, [Clipped(name, int(outside.sum()), asked, bounds, "ms")]
    asked, bounds = span(voltage.mv(asked)), span(voltage.mv(bounds))
    return kept, [Clipped(name, int(outside.sum()), asked, bounds, "mV")]
