"""Calibration of the populations of calibrated neurons."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from warnings import warn

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.calibration import RANGES, Target, calibrate
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.pynn.cells import (
    INTEGER_TARGETS,
    CalibHXNeuronCoba,
    CircuitTarget,
)
from hw_targets.brainscales2.pynn.parameters import AtomicNeuron
from hw_targets.brainscales2.settings import PARAMETERS, Settings

#: Targets that decide about the refractory clocks, which both kinds of neurons share.
_CLOCKED = ("refractory_time", "holdoff_time")

#: Targets that are cut off to whole LSB.
_POTENTIALS = ("leak", "reset", "threshold", "e_coba_reversal_exc", "e_coba_reversal_inh",
               "e_coba_reference")  # fmt: skip


@dataclass
class SpikingCalibTarget:
    """Targets of circuits and parameters that no population sets.

    Parameters
    ----------
    neuron_target : Target, optional
        Targets.
    """

    neuron_target: Target = field(default_factory=Target)


@dataclass
class SpikingCalibOptions:
    """Options of the vendor's calibration; the emulation's has none."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated settings of a kind of neurons.

    Parameters
    ----------
    target : Target
        What the circuits shall do; for all 512.
    settings : Settings
        What makes them do so.
    """

    target: Target
    settings: Settings


def neurons_of(settings: Settings, circuits: npt.NDArray[np.int64]) -> list[AtomicNeuron]:
    """Return the settings of some circuits of a chip.

    Parameters
    ----------
    settings : Settings
        Settings of the chip.
    circuits : ndarray of int64, shape (n,)
        Circuits.

    Returns
    -------
    list of AtomicNeuron
    """
    columns = {name: settings[name][circuits].tolist() for name in PARAMETERS}
    return [
        AtomicNeuron({name: values[k] for name, values in columns.items()})
        for k in range(circuits.size)
    ]


def calibrate_populations(
    chip: Chip,
    populations: Sequence[Any],
    circuits: Sequence[npt.NDArray[np.int64]],
    base: Target,
    whole_lsb: bool,
) -> dict[bool, Calibration]:
    """Calibrate the circuits of all calibrated populations.

    Parameters
    ----------
    chip : Chip
        Chip.
    populations : sequence of Population
        Populations of a `CalibratedCellType`.
    circuits : sequence of ndarray of int64
        Circuits of each.
    base : Target
        Targets of all else.
    whole_lsb : bool
        Whether targets of potentials are cut off to whole LSB.

    Returns
    -------
    dict of bool to Calibration
        Of current-based (False) and conductance-based neurons (True), as far as there are any.

    Raises
    ------
    AttributeError
        If targets differ that all neurons share.
    ValueError
        If a target is out of range.
    """
    for population in populations:
        _check_ranges(population)
    wanted_of = [population.celltype.circuit_targets() for population in populations]
    strengths = {
        f"i_synin_gm_{receptor}": _common(populations, wanted_of, f"i_synin_gm_{short}")
        for receptor, short in (("exc", "E"), ("inh", "I"))
    }
    dac_bias = _common(populations, wanted_of, "synapse_dac_bias")
    bias = base.synapse_dac_bias if dac_bias is None else int(dac_bias)
    result = {}
    for kind in sorted({bool(p.celltype.conductance_based) for p in populations}):
        targets = _base_targets(base, kind)
        for name, strength in strengths.items():
            if strength is not None:
                targets[name][:] = strength
        for population, where, wanted in zip(populations, circuits, wanted_of, strict=True):
            is_kind = kind == population.celltype.conductance_based
            chosen = [one for one in wanted if is_kind or one.target in _CLOCKED]
            _set_targets(targets, where, chosen, whole_lsb)
        aim = Target(**_completed(targets), synapse_dac_bias=bias)
        result[kind] = Calibration(aim, calibrate(chip, aim))
    for population, where in zip(populations, circuits, strict=True):
        found = result[bool(population.celltype.conductance_based)]
        failed = where[~np.asarray(found.settings.success)[where]]
        if failed.size:
            warn(
                f"Population {population.label!r}: circuits {failed.tolist()} don't meet their "
                "targets, which need settings out of range",
                stacklevel=2,
            )
        population.celltype.set_calibrated(neurons_of(found.settings, where))
    return result


def _set_targets(
    targets: dict[str, Any],
    circuits: npt.NDArray[np.int64],
    wanted: Sequence[CircuitTarget],
    whole_lsb: bool,
) -> None:
    """Set the targets of the circuits of one population."""
    for target, _, values in wanted:
        if target == "synapse_dac_bias":
            continue
        if targets[target] is None:
            targets[target] = np.full(limits.N_CIRCUITS, np.nan)
        given = ~np.isnan(values)
        cut = np.trunc(values) if whole_lsb and target in _POTENTIALS else values
        targets[target][circuits[given]] = cut[given]


def _completed(targets: dict[str, Any]) -> dict[str, Any]:
    """Give circuits without one their default reference, and integers their type."""
    completed = dict(targets)
    reference = targets["e_coba_reference"]
    if reference is not None:
        # As the calibration chooses it for all, but that it takes given ones in their range only.
        default = np.clip(0.5 * (targets["leak"] + targets["threshold"]),
                          *RANGES["e_coba_reference"])  # fmt: skip
        completed["e_coba_reference"] = np.where(np.isnan(reference), default, reference)
    for name in INTEGER_TARGETS:
        completed[name] = targets[name].astype(np.int64)
    return completed


def _base_targets(base: Target, conductance_based: bool) -> dict[str, Any]:
    """Targets of circuits without a neuron of this kind, as arrays."""
    given = {f.name: getattr(base, f.name) for f in fields(Target) if f.name != "synapse_dac_bias"}
    reversals = {"e_coba_reversal_exc": "e_rev_E", "e_coba_reversal_inh": "e_rev_I"}
    for target, name in reversals.items():
        if not conductance_based:
            given[target] = None
        elif given[target] is None:
            given[target] = CalibHXNeuronCoba.default_parameters[name]
    return {
        name: None if value is None else np.array(np.broadcast_to(value, limits.N_CIRCUITS), float)
        for name, value in given.items()
    }


def _check_ranges(population: Any) -> None:
    for target, name, values in population.celltype.circuit_targets():
        low, high = RANGES[target]
        outside = (values < low) | (values > high)
        if outside.any():
            raise ValueError(
                f"Population {population.label!r}: {name}={values[outside][0]:g}, the calibration "
                f"needs {low:g} ... {high:g}"
            )


def _common(
    populations: Sequence[Any], wanted: Sequence[Sequence[CircuitTarget]], name: str
) -> float | None:
    """Value of a target or parameter that all neurons of the chip share, None without one."""
    values = np.concatenate(
        [t.values for targets in wanted for t in targets if name in (t.target, t.parameter)]
        or [np.empty(0)]
    )
    values = values[~np.isnan(values)]
    if values.size and (values != values[0]).any():
        given = (t for targets in wanted for t in targets)
        parameters = {t.parameter for t in given if name in (t.target, t.parameter)}
        raise AttributeError(
            f"{', '.join(sorted(parameters))} from {values.min():g} to {values.max():g} in "
            f"populations {[p.label for p in populations]}: it must be the same for all calibrated "
            "neurons"
        )
    return float(values[0]) if values.size else None
