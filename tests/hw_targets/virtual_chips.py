"""What the tests of chip and calibration share."""

import os
from pathlib import Path

import numpy as np
import pytest

from hw_targets.brainscales2.calibration import Target

N_CHIPS = 20

#: Targets that the calibration of cube 66 met.
CUBE_66 = Target(
    leak=80,
    reset=80,
    threshold=150,
    tau_mem=6,
    tau_syn_exc=6,
    tau_syn_inh=6,
    i_synin_gm_exc=500,
    i_synin_gm_inh=500,
)

#: Name in the table of cube 66 -> parameter.
SETTINGS = {
    f"{short}_{name}": f"{long}_{name}"
    for short, long in (("exc", "excitatory_input"), ("inh", "inhibitory_input"))
    for name in ("i_bias_tau", "i_bias_gm", "i_shift_reference")
} | {
    name: name for name in ("leak_v_leak", "leak_i_bias", "reset_v_reset", "threshold_v_threshold")
}


def cube_66_table():
    """Path of the calibration of cube 66, or skip the test where it isn't at hand."""
    root = os.environ.get("COSIM_DATA", Path(__file__).parents[3] / "shared" / "data")
    path = Path(root) / "brainscales2" / "cube66_neurons.csv"
    if not path.exists():
        pytest.skip(f"no {path}; COSIM_DATA names the folder of data sets")
    return path


def by_quadrant(values):
    """Values of 512 circuits, by quadrant."""
    return np.asarray(values).reshape(-1, 4, 128)
