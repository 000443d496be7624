"""Do circuits of an emulated BrainScaleS-2 chip differ as much as those of a real one?

Ten neurons with equal raw settings, leak over threshold, on twenty virtual chips, beside ten
neurons of one real chip: electronicvisions/brainscales2-demos on GitHub, ts_00-single_neuron.rst,
read from its figure _static/tutorial/single_neuron_fixed_pattern.svg. The emulation's means of
threshold and reset, and how the leak saturates, are set to this figure; the spread of its
circuits is that of another chip (fmi-basel/brainscales-2-surrogate-gradients,
experiments/mnist/cube_66.npz), so that the spreads are a test. Each spread of ten neurons is
uncertain, here and there: the grey bars are where 90 % of the ratios of two such lie if the
neurons are equally different. What differs beyond that is the lowest potential: it spreads by twice
as much, since the resets of cube 66 do.
"""

from scipy import stats

import cosim
from cosim.figures import figure as new_figure
from cosim.figures import summarise

#: Metric -> label, unit, value of the real chip, whether it is a spread over neurons.
PUBLISHED = {
    "interval_us": ("interspike interval", "µs", 6.02, False),
    "interval_cv": ("its spread", "", 0.13, True),
    "interval_jitter": ("its jitter from cycle to cycle", "", 0.004, False),
    "threshold": ("highest potential", "LSB", 408.6, False),
    "threshold_std": ("its spread", "LSB", 10.2, True),
    "reset": ("lowest potential", "LSB", 229.7, False),
    "reset_std": ("its spread", "LSB", 9.9, True),
}
N_NEURONS = 10

sweep = cosim.Sweep(
    "fixed_pattern",
    model="models.chip_characterisation.fixed_pattern",
    base={"n_neurons": N_NEURONS},
    backends=["hw_targets.brainscales2.native"],
    seeds=range(1, 21),
)


def figure(table):
    """Draw each chip, median and 5-95 % of all, relative to the real chip."""
    fig, ax = new_figure("iop_single", 0.75)
    freedom = N_NEURONS - 1
    low, high = stats.f.ppf([0.05, 0.95], freedom, freedom) ** 0.5
    labels = []
    for row, (metric, (label, unit, published, is_spread)) in enumerate(PUBLISHED.items()):
        ratio = table[metric] / published
        if is_spread:
            ax.barh(row, high - low, 0.8, low, color="0.9")
        ax.plot(ratio, [row] * len(ratio), "|", color="C0", alpha=0.4)
        (found,) = summarise(table.assign(ratio=ratio, row=row), "row", "ratio").itertuples()
        spread = [[found.median - found.low], [found.high - found.median]]
        ax.errorbar(found.median, row, xerr=spread, fmt="o", color="C0", capsize=2)
        value = f"{published:g} {unit}" if unit else f"{100 * published:g} %"
        labels.append(f"{label}\n{value}")
    ax.axvline(1.0, color="k", lw=0.8)
    ax.set_xscale("log")
    ticks = [0.25, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(0.35, 3.5)
    ax.set_yticks(range(len(labels)), labels)
    ax.invert_yaxis()
    ax.set_xlabel(f"emulated / real chip (n = {table['seed'].nunique()} chips)")
    return fig


if __name__ == "__main__":
    cosim.main(sweep, figure)
