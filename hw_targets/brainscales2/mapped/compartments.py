"""Populations of neurons as compartments: those of a cell that has a dendrite are two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cosim.backends.standardmodels import IF_curr_exp_dAP
from hw_targets.brainscales2.mapped.adex import plan_adex_cells
from hw_targets.brainscales2.mapped.cells import EIF_cond_exp_isfa_ista
from hw_targets.brainscales2.mapped.dendrite import plan_dap_cells
from hw_targets.brainscales2.mapped.neurons import CellPlan, plan_cells
from hw_targets.brainscales2.mapped.scaling import VoltageMap


@dataclass(frozen=True)
class Compartment:
    """The somata or the dendrites of a population: a circuit, or merged ones, of each cell.

    Parameters
    ----------
    population : Population
        The cells.
    is_dendrite : bool
        Which compartment.
    """

    population: Any
    is_dendrite: bool

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.population.size)

    @property
    def label(self) -> str:
        """What reports call it."""
        return f"{self.population.label} dendrite" if self.is_dendrite else self.population.label


def compartments_of(population: Any) -> list[Compartment]:
    """List the compartments of a population of neurons, the somata first."""
    has_dendrite = isinstance(population.celltype, IF_curr_exp_dAP)
    return [
        Compartment(population, which) for which in ((False, True) if has_dendrite else (False,))
    ]


def plan(
    population: Any, voltage: VoltageMap | None, is_ideal: bool, problems: list[str]
) -> Sequence[CellPlan] | None:
    """Find out what the compartments of a population ask of the chip.

    Parameters
    ----------
    population, voltage, is_ideal, problems
        As in `plan_cells`.

    Returns
    -------
    sequence of CellPlan
        One for each compartment; None if it is impossible.
    """
    if isinstance(population.celltype, IF_curr_exp_dAP):
        return plan_dap_cells(population, voltage, is_ideal, problems)
    adex = isinstance(population.celltype, EIF_cond_exp_isfa_ista)
    find = plan_adex_cells if adex else plan_cells
    cells = find(population, voltage, is_ideal, problems)
    return None if cells is None else (cells,)
