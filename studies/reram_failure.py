"""How many ReRAM devices may fail?

Devices stuck at their smallest or at their largest conductance from the start. Question and
devices follow Bouhadjar, Siegel et al. 2023, doi:10.1088/2634-4386/acf1c4.
"""

import cosim
from cosim.figures import figure as new_figure
from cosim.figures import panels

KINDS = {
    "stuck_off": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "stuck_on": [0.0, 0.02, 0.05, 0.1, 0.15, 0.2],
}

sweep = cosim.Sweep(
    "reram_failure",
    model="sequence_learning",
    backends=["nest", "brian2"],
    variants={
        f"{rule}|{kind}|{fraction}": {"plasticity.rule": rule, f"device.{kind}": fraction}
        for rule in ("analog", "binary")
        for kind, fractions in KINDS.items()
        for fraction in fractions
    },
)


def figure(table):
    """Draw error and time to solution over the fraction of failed devices."""
    table = table.copy()
    table[["rule", "kind", "fraction"]] = table["variant"].str.split("|", expand=True)
    table["fraction"] = table["fraction"].astype(float)
    metrics = {
        "prediction_error_mean_last_10": "prediction error",
        "episodes_to_solution": "episodes to solution",
    }
    fig, axes = new_figure("iop_double", 0.55, nrows=2, ncols=2, sharex="col")
    for column, kind in zip(axes.T, KINDS, strict=True):
        label = f"fraction of devices {kind.replace('_', ' ')}"
        panels(table[table["kind"] == kind], "fraction", metrics, "rule", label, axes=column)
    return fig


if __name__ == "__main__":
    cosim.main(sweep, figure)
