"""How does the postsynaptic potential of an emulated BrainScaleS-2 chip grow with the weight?

Eight calibrated neurons of each of twenty virtual chips, beside those of one real chip:
electronicvisions/brainscales2-demos on GitHub, ts_06-dynamic_range.rst, read from its figure
_static/tutorial/dynamic_range_solution.svg. The emulation's strength of a synapse and the
saturation of inhibition are set to this figure: that it is met shows that calibration, parallel
synapses and readout keep them. Not compared are the resting potentials, 254 LSB of the MADC on the
real chip and 304 here, so potentials are relative to the middle of the highest and the lowest
reading without input; both grow with the noise of the MADC. What differs: at the largest weights
excitatory potentials spread more over the neurons, by 10 instead of 8 LSB.
"""

import numpy as np
import pandas as pd

import cosim
from cosim.figures import band
from cosim.figures import figure as new_figure

WEIGHT = np.arange(0, 289, 32)
#: Highest and lowest readings of the real chip, LSB of the MADC, means over eight neurons.
PUBLISHED = {
    "excitatory": [261.9, 285.6, 309.3, 335.0, 360.3, 385.1, 411.0, 433.9, 460.4, 488.6],
    "inhibitory": [245.6, 231.5, 205.1, 181.0, 163.8, 147.6, 137.6, 127.9, 122.3, 116.9],
}
#: Smallest and largest standard deviation over the eight neurons at any weight.
PUBLISHED_STD = {"excitatory": (3.5, 8.0), "inhibitory": (5.6, 9.3)}

sweep = cosim.Sweep(
    "psp_versus_weight",
    model="models.chip_characterisation.psp_versus_weight",
    backends=["hw_targets.brainscales2.native"],
    seeds=range(1, 21),
)


def analysis(table, records):
    """Return mean and standard deviation over neurons of each chip, input and weight."""
    rows = []
    for point, seed in zip(table["point"], table["seed"], strict=True):
        arrays = records[point].arrays
        means = {receptor: arrays[receptor].mean(axis=0) for receptor in PUBLISHED}
        for receptor, potential in relative(means).items():
            std = arrays[receptor].std(axis=0, ddof=1)
            columns = {"weight": arrays["weight"], "potential": potential, "std": std}
            rows.append(pd.DataFrame({"seed": seed, "input": receptor, **columns}))
    return pd.concat(rows, ignore_index=True)


def relative(readings):
    """Return readings less the middle of the highest and the lowest without input."""
    middle = (readings["excitatory"][0] + readings["inhibitory"][0]) / 2
    return {receptor: np.asarray(values) - middle for receptor, values in readings.items()}


def figure(table):
    """Draw the means over neurons and their spread, median and 5-95 % over chips."""
    fig, (top, bottom) = new_figure("iop_single", 1.1, nrows=2, sharex=True, height_ratios=[2.2, 1])
    band(top, table, "weight", "potential", "input")
    for receptor, potential in relative(PUBLISHED).items():
        label = "real chip" if receptor == "excitatory" else None
        top.plot(WEIGHT, potential, "kx", label=label)
    top.set_ylabel("largest change of the\nmembrane potential (LSB)")
    top.legend()
    band(bottom, table, "weight", "std", "input")
    for k, limits in enumerate(PUBLISHED_STD.values()):
        for limit in limits:
            line = bottom.axhline(limit, color=f"C{k}", linestyle=":", lw=1)
    bottom.legend([line], ["real chip: least and largest"], loc="upper left")
    bottom.set_ylim(0, 1.25 * bottom.get_ylim()[1])
    bottom.set_xticks(WEIGHT[::3], WEIGHT[::3])
    bottom.set_ylabel("standard deviation\nover neurons (LSB)")
    bottom.set_xlabel("weight (LSB)")
    return fig


if __name__ == "__main__":
    cosim.main(sweep, figure, analysis=analysis)
