"""Does the sequence memory learn on a neuromorphic chip as it does in simulation?

At the size of the published instance on BrainScaleS-2, on two simulators and on emulated chips, of
which each seed is another one, over the on-off ratio of otherwise ideal memristive devices. On the
chip the rule is executed every second of biological time on what its sensors observe, weights have
6 bits, and circuits differ from each other.
"""

import cosim
from cosim.figures import panels
from models.sequence_learning import CHIP_INSTANCE

sweep = cosim.Sweep(
    "chip_sequence_learning",
    model="sequence_learning",
    backends=["nest", "brian2_standalone", "brainscales2"],
    base=CHIP_INSTANCE,
    axes={"device.on_off_ratio": [3, 5, 7, 10, 14, 20, 30, 50, 100, float("inf")]},
    seeds=range(1, 21),
)


def figure(table):
    """Draw error, activity and time to solution over the on-off ratio."""
    return panels(
        table,
        "device.on_off_ratio",
        {
            "prediction_error_mean_last_10": "prediction error",
            "relative_active_neurons": "active neurons (fraction)",
            "episodes_to_solution": "episodes to solution",
        },
        x_label="on-off ratio $G_{max}/G_{min}$",
        x_scale="log",
    )


if __name__ == "__main__":
    cosim.main(sweep, figure)
