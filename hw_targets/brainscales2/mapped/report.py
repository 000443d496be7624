"""What mapping a network to the chip has changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits

Range = tuple[float, float]


class MappingError(ValueError):
    """The network doesn't fit on the chip, or not without the changes that are refused."""

    def __init__(self, problems: Sequence[str]) -> None:
        """List all problems."""
        super().__init__(f"{len(problems)} problem(s):\n" + "\n".join(f"- {p}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Clipped:
    """Values of one parameter that are outside what the chip can do.

    Parameters
    ----------
    parameter : str
        PyNN's name.
    n : int
        Number of cells.
    asked : tuple of float
        Least and largest value of these cells.
    limits : tuple of float
        Range that they were clipped to, in the same unit.
    unit : str
        Unit of all four.
    """

    parameter: str
    n: int
    asked: Range
    limits: Range
    unit: str

    def __str__(self) -> str:
        """Describe in one line."""
        return (
            f"{self.parameter} of {self.n} cells, {_show(self.asked)} {self.unit}, clipped to "
            f"{_show(self.limits)} {self.unit}"
        )


@dataclass(frozen=True)
class PopulationReport:
    """How a population is realised.

    Parameters
    ----------
    label : str
        Its label.
    n_cells, n_circuits : int
        Cells and circuits.
    lsb_per_mv, lsb_at_0_mv : float
        Map of potentials.
    i_synin_gm : dict of str to int
        Strength of the input of each receptor.
    clipped : tuple of Clipped
        Parameters out of range.
    current_rms_error : float
        Root mean square error of ``i_offset`` from rounding, in nA.
    n_uncalibrated : int
        Circuits that miss their targets, which need settings out of range.
    """

    label: str
    n_cells: int
    n_circuits: int
    lsb_per_mv: float
    lsb_at_0_mv: float
    i_synin_gm: dict[str, int]
    clipped: tuple[Clipped, ...]
    current_rms_error: float
    n_uncalibrated: int

    def changes(self) -> list[str]:
        """List what is changed beyond rounding."""
        found = [f"Population {self.label!r}: {clipped}" for clipped in self.clipped]
        if self.n_uncalibrated:
            found.append(
                f"Population {self.label!r}: {self.n_uncalibrated} of {self.n_circuits} circuits "
                "miss their calibration targets"
            )
        return found

    def __str__(self) -> str:
        """Describe in one line, without the changes."""
        gm = ", ".join(f"{receptor} {value}" for receptor, value in self.i_synin_gm.items())
        return (
            f"Population {self.label!r}: {self.n_cells} cells on {self.n_circuits} circuits; "
            f"1 mV = {self.lsb_per_mv:.3g} LSB, 0 mV = {self.lsb_at_0_mv:.4g} LSB; i_synin_gm {gm}"
            + (f"; i_offset rms error {self.current_rms_error:.2g} nA"
               if self.current_rms_error else "")
        )  # fmt: skip


@dataclass(frozen=True)
class DendriteReport:
    """How the dendrites of a population are realised.

    Parameters
    ----------
    label : str
        Label of the population.
    n_cells, n_circuits : int
        Cells, and circuits of their dendrites.
    lsb_per_na : tuple of float
        Least and largest potential of a dendrite that stands for a dendritic current of 1 nA.
    tau_icc : tuple of float
        Time constants of the conductance to the soma, ms.
    holdoff : tuple of float
        Time after a dendritic action potential in which there is no other one, ms.
    i_synin_gm : int
        Strength of the input.
    clipped : tuple of Clipped
        Parameters out of range.
    n_uncalibrated : int
        Circuits that miss their targets, which need settings out of range.
    """

    label: str
    n_cells: int
    n_circuits: int
    lsb_per_na: Range
    tau_icc: Range
    holdoff: Range
    i_synin_gm: int
    clipped: tuple[Clipped, ...]
    n_uncalibrated: int

    def changes(self) -> list[str]:
        """List what is changed beyond rounding."""
        found = [f"Population {self.label!r}: {clipped}" for clipped in self.clipped]
        if self.n_uncalibrated:
            found.append(
                f"Population {self.label!r}: {self.n_uncalibrated} of {self.n_circuits} circuits "
                "of dendrites miss their calibration targets"
            )
        return found

    def __str__(self) -> str:
        """Describe in one line, without the changes."""
        return (
            f"  dendrites: {self.n_circuits} circuits; 1 nA = {_show(self.lsb_per_na)} LSB, "
            f"conductance to the soma {_show(self.tau_icc)} ms, hold-off {_show(self.holdoff)} ms; "
            f"i_synin_gm {self.i_synin_gm}"
        )


@dataclass(frozen=True)
class ProjectionReport:
    """How a projection is realised.

    Parameters
    ----------
    label : str
        Its label.
    receptor : str
        Its receptor.
    n : int
        Number of connections.
    n_synapses : int
        Synapses that they take, one row each.
    unit : str
        Unit of weights: nA or uS.
    lsb_per_unit : tuple of float
        Least and largest scale of weights, which depends on the capacitance of each cell.
    largest_weight : float
        Largest weight on the chip, in LSB.
    rms_error : float
        Root mean square error of weights from rounding and clipping, in `unit`.
    relative_rms_error : float
        The same divided by the root mean square of the weights.
    n_clipped, n_zeroed : int
        Weights above the largest of the chip, and weights other than 0 that became 0.
    n_delays : int
        Connections whose delay was dropped.
    delays : tuple of float or None
        Least and largest delay that was dropped, in ms.
    of_saturation : float
        Current of the largest event over the limit of the input.
    period_ms : float or None
        Time from one reading of its devices to the next, and of executions of its rule if it has
        one; None of weights that do not change.
    clipped : tuple of Clipped
        Parameters of the rule out of range.
    """

    label: str
    receptor: str
    n: int
    n_synapses: int
    unit: str
    lsb_per_unit: Range
    largest_weight: float
    rms_error: float
    relative_rms_error: float
    n_clipped: int
    n_zeroed: int
    n_delays: int
    delays: Range | None
    of_saturation: float
    period_ms: float | None = None
    clipped: tuple[Clipped, ...] = ()

    def changes(self) -> list[str]:
        """List what is changed beyond rounding."""
        name = f"Projection {self.label!r}"
        found = [f"{name}: {clipped}" for clipped in self.clipped]
        if self.n_clipped:
            found.append(
                f"{name}: {self.n_clipped} of {self.n} weights clipped to {self.largest_weight:g} "
                "LSB; setup(parallel_rows=...) allows larger ones"
            )
        if self.n_zeroed:
            found.append(
                f"{name}: {self.n_zeroed} of {self.n} weights became 0, less than half an LSB of "
                f"{1 / self.lsb_per_unit[1]:.3g} {self.unit}"
            )
        if self.delays is not None:
            found.append(
                f"{name}: delays of {_show(self.delays)} ms of {self.n_delays} connections dropped"
            )
        return found

    def __str__(self) -> str:
        """Describe in one line, without the changes."""
        return (
            f"Projection {self.label!r}: {self.n} connections, {self.receptor}, in "
            f"{self.n_synapses} synapses; 1 {self.unit} = {_show(self.lsb_per_unit)} LSB, largest "
            f"{self.largest_weight:g} LSB, {self.of_saturation:.0%} of the input's limit; rms "
            f"error {self.rms_error:.2g} {self.unit} ({self.relative_rms_error:.1%})"
            + (f"; devices read every {self.period_ms:g} ms" if self.period_ms is not None else "")
        )


@dataclass(frozen=True)
class MappingReport:
    """What mapping a network to the chip has changed.

    Parameters
    ----------
    chip : str
        Name of the chip.
    fidelity : str
        ``"emulated"`` or ``"ideal"``.
    synapse_dac_bias : int
        Bias of all synapses.
    n_circuits : int
        Circuits in use, of 512.
    n_rows : int
        Rows of synapses in use, of 256 in each of two arrays.
    largest_fan_in, available_fan_in : int
        Synapses of the neuron that has most, and of how many it could have.
    populations : tuple of PopulationReport
        Populations of neurons.
    dendrites : tuple of DendriteReport
        Dendrites of those populations that have them.
    projections : tuple of ProjectionReport
        Projections.
    """

    chip: str
    fidelity: str
    synapse_dac_bias: int
    n_circuits: int
    n_rows: int
    largest_fan_in: int
    available_fan_in: int
    populations: tuple[PopulationReport, ...]
    dendrites: tuple[DendriteReport, ...]
    projections: tuple[ProjectionReport, ...]

    def changes(self) -> list[str]:
        """List all that is changed beyond rounding.

        Returns
        -------
        list of str
            What ``setup(strict=True)`` refuses.
        """
        return [line for part in self._parts() for line in part.changes()]

    def _parts(self) -> list[PopulationReport | DendriteReport | ProjectionReport]:
        dendrites = {report.label: report for report in self.dendrites}
        parts: list[PopulationReport | DendriteReport | ProjectionReport] = []
        for population in self.populations:
            parts.append(population)
            if population.label in dendrites:
                parts.append(dendrites[population.label])
        return [*parts, *self.projections]

    def to_dict(self) -> dict[str, Any]:
        """Return all as what JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        """Describe everything, one line each."""
        changes = self.changes()
        return "\n".join(
            [
                f"BrainScaleS-2, {self.fidelity}, chip {self.chip}: {self.n_circuits} of "
                f"{limits.N_CIRCUITS} circuits, {self.n_rows} of {2 * limits.N_ROWS} rows of "
                f"synapses, fan-in up to {self.largest_fan_in} of {self.available_fan_in}, "
                f"synapse_dac_bias {self.synapse_dac_bias}",
                *(f"  {part}" for part in self._parts()),
                "Changed beyond rounding:" if changes else "Nothing changed beyond rounding.",
                *(f"  {change}" for change in changes),
            ]
        )


def rms(values: npt.ArrayLike) -> float:
    """Root mean square; 0 of nothing."""
    array = np.asarray(values, float)
    return float(np.sqrt(np.mean(array**2))) if array.size else 0.0


def span(values: npt.ArrayLike) -> Range:
    """Least and largest value."""
    return float(np.min(values)), float(np.max(values))


def _show(values: Range) -> str:
    low, high = values
    return f"{low:.4g}" if low == high else f"{low:.4g} ... {high:.4g}"
