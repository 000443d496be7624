"""How does prediction error depend on the on-off ratio of the ReRAM devices?

Devices are ideal but for the ratio of their largest to their smallest conductance. Question and
devices follow Bouhadjar, Siegel et al. 2023, doi:10.1088/2634-4386/acf1c4; rates and ratios are
ours.
"""

import cosim
from cosim.figures import panels

sweep = cosim.Sweep(
    "reram_on_off_ratio",
    model="sequence_learning",
    backends=["nest", "brian2"],
    axes={"device.on_off_ratio": [4, 5, 6, 6.5, 7, 8, 10, 13, 16, 20, 50, 100, float("inf")]},
    variants={
        "analog": {"plasticity.rule": "analog"},
        "binary": {"plasticity.rule": "binary"},
    },
)


def figure(table):
    """Draw error, activity and time to solution over the on-off ratio."""
    return panels(
        table,
        "device.on_off_ratio",
        {
            "prediction_error_mean_last_10": "prediction error",
            "relative_active_neurons": "active neurons",
            "episodes_to_solution": "episodes to solution",
        },
        group="variant",
        x_label="on-off ratio $G_{max}/G_{min}$",
        x_scale="log",
    )


if __name__ == "__main__":
    cosim.main(sweep, figure)
