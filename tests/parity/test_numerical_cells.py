"""Cells that simulators integrate numerically: a tolerance that shrinks with the time step.

NEST's solver adapts its steps, Brian2's code has fixed ones of the same scheme. They differ where
NEST divides a time step: at the spikes of adaptive exponential cells, and in Hodgkin-Huxley cells.
"""

import numpy as np
import pytest

from tests.parity.numerical_cells import N_CELLS, run
from tests.parity.running import BRIAN2, on_brian2, on_nest

ROUNDING = 1e-9

#: Largest difference of potentials (mV) by time step (ms), and of spike times in time steps.
TOLERANCES = {
    "IF_cond_exp": (dict.fromkeys((0.1, 0.05, 0.025), ROUNDING), 0),
    "IF_cond_alpha": (dict.fromkeys((0.1, 0.05, 0.025), ROUNDING), 0),
    "IF_cond_exp_gsfa_grr": (dict.fromkeys((0.1, 0.05, 0.025), ROUNDING), 0),
    "Izhikevich": (dict.fromkeys((0.1, 0.05, 0.025), ROUNDING), 0),
    "EIF_cond_exp_isfa_ista": (dict.fromkeys((0.1, 0.05, 0.025), ROUNDING), 3),
    "EIF_cond_alpha_isfa_ista": (dict.fromkeys((0.1, 0.05, 0.025), ROUNDING), 3),
    "HH_cond_exp": ({0.1: 1e-3, 0.05: 1e-5, 0.025: 1e-7}, 1),
}


def check(cell_type: str, h: float, way: str) -> None:
    expected, found = on_nest(run, cell_type, h), on_brian2(run, cell_type, h, way=way)
    potentials, steps = TOLERANCES[cell_type]
    np.testing.assert_allclose(found["v"], expected["v"], rtol=0, atol=potentials[h])
    assert len(expected["spikes"]) >= 30
    for cell in range(N_CELLS):
        ours, theirs = (
            spikes[spikes[:, 1] == cell, 0] for spikes in (found["spikes"], expected["spikes"])
        )
        assert len(ours) == len(theirs)
        assert np.abs(ours - theirs).max(initial=0) <= steps


@pytest.mark.parametrize("way", BRIAN2)
@pytest.mark.parametrize(
    "cell_type",
    [pytest.param(c, marks=pytest.mark.slow) if c == "HH_cond_exp" else c for c in TOLERANCES],
)
def test_potentials_and_spikes(cell_type, way):
    check(cell_type, 0.1, way)


@pytest.mark.slow
@pytest.mark.parametrize("h", [0.05, 0.025])
@pytest.mark.parametrize("cell_type", TOLERANCES)
def test_shorter_time_steps(cell_type, h):
    check(cell_type, h, "standalone")
