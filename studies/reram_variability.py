"""How much variability of the ReRAM devices does learning bear?

Three kinds, one at a time: spread of both conductance bounds from device to device (at an on-off
ratio of 20), write noise at each programming event, and read noise at each transmitted spike.
Question and devices follow Bouhadjar, Siegel et al. 2023, doi:10.1088/2634-4386/acf1c4.
"""

import cosim
from cosim.figures import figure as new_figure
from cosim.figures import panels

KINDS = {
    "device to device": (
        ["device.sigma_d2d_g_max", "device.sigma_d2d_g_min"],
        [0.0, 0.1, 0.2, 0.3, 0.5],
        "relative spread of $G_{min}$, $G_{max}$",
    ),
    "write": (
        ["device.sigma_c2c"],
        [0.0, 0.005, 0.01, 0.02, 0.04],
        "write noise (% of range)",
    ),
    "read": (
        ["device.sigma_read"],
        [0.0, 0.1, 0.3, 0.6, 1.0],
        "relative read noise",
    ),
}

sweep = cosim.Sweep(
    "reram_variability",
    model="sequence_learning",
    backends=["nest", "brian2"],
    variants={
        f"{rule}|{kind}|{sigma}": {
            "plasticity.rule": rule,
            "device.on_off_ratio": 20.0 if kind == "device to device" else float("inf"),
            **dict.fromkeys(names, sigma),
        }
        for rule in ("analog", "binary")
        for kind, (names, sigmas, _) in KINDS.items()
        for sigma in sigmas
    },
)


def figure(table):
    """Draw error and time to solution over each kind of variability."""
    table = table.copy()
    table[["rule", "kind", "sigma"]] = table["variant"].str.split("|", expand=True)
    table["sigma"] = table["sigma"].astype(float)
    table.loc[table["kind"] == "write", "sigma"] *= 100
    metrics = {
        "prediction_error_mean_last_10": "prediction error",
        "episodes_to_solution": "episodes to solution",
    }
    fig, axes = new_figure("iop_double", 0.5, nrows=2, ncols=3, sharex="col")
    for column, (kind, (_, _, label)) in zip(axes.T, KINDS.items(), strict=True):
        panels(table[table["kind"] == kind], "sigma", metrics, "rule", label, axes=column)
        column[0].set_title(kind)
    return fig


if __name__ == "__main__":
    cosim.main(sweep, figure)
