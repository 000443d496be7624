"""How many conductance levels do the ReRAM devices need?

The state of a device lies on equidistant levels; an update smaller than one level switches with
the probability of its fraction. In the binary device the levels are those of the hidden permanence.
Question and devices follow Bouhadjar, Siegel et al. 2023, doi:10.1088/2634-4386/acf1c4.
"""

import math

import cosim
from cosim.figures import panels

sweep = cosim.Sweep(
    "reram_resolution",
    model="sequence_learning",
    backends=["nest", "brian2"],
    axes={"device.n_levels": [4, 8, 16, 32, 64, 128, 256, None]},
    variants={
        "analog": {"plasticity.rule": "analog"},
        "binary": {"plasticity.rule": "binary"},
    },
)


def figure(table):
    """Draw error, activity and time to solution over the number of levels; ∞: continuous."""
    levels = table["device.n_levels"].astype(float).fillna(math.inf)
    return panels(
        table.assign(**{"device.n_levels": levels}),
        "device.n_levels",
        {
            "prediction_error_mean_last_10": "prediction error",
            "relative_active_neurons": "active neurons",
            "episodes_to_solution": "episodes to solution",
        },
        group="variant",
        x_label="conductance levels",
        x_scale="log",
    )


if __name__ == "__main__":
    cosim.main(sweep, figure)
