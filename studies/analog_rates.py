"""With which rates does the analog device learn, and how exactly must they be met?

The rates of the analog ReRAM rule of Bouhadjar, Siegel et al. 2023,
doi:10.1088/2634-4386/acf1c4, are not known to us; the model's defaults were chosen by this scan.
"""

import itertools

import numpy as np

import cosim
from cosim.figures import figure as new_figure

sweep = cosim.Sweep(
    "analog_rates",
    model="sequence_learning",
    base={"plasticity.rule": "analog"},
    axes={
        "plasticity.lambda_minus": [0.0015, 0.003, 0.006],
        "plasticity.lambda_h": [0.007, 0.01, 0.014, 0.02, 0.028],
        "plasticity.lambda_plus": [0.01, 0.014, 0.02, 0.028, 0.04],
    },
    seeds=range(1, 6),
)


def figure(table):
    """Show for each combination how many of the networks learned, and how fast in the median."""
    minus = "plasticity.lambda_minus"
    values, backends = sorted(table[minus].unique()), table["backend"].unique()
    fig, axes = new_figure(
        "iop_double",
        0.05 + 0.37 * len(backends),
        nrows=len(backends),
        ncols=len(values),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    cells = zip(axes.flat, itertools.product(backends, values), strict=True)
    for ax, (backend, value) in cells:
        part = table[(table["backend"] == backend) & (table[minus] == value)]
        if not part.empty:
            image = scan(ax, part)
        ax.set_title(f"{backend}, " * (len(backends) > 1) + rf"$\lambda_-$ = {value:g}")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"homeostasis $\lambda_h$")
    for ax in axes[-1]:
        ax.set_xlabel(r"potentiation $\lambda_+$")
    label = f"share of {table['seed'].nunique()} networks that learned\n(number: median episodes)"
    fig.colorbar(image, ax=axes, label=label)
    return fig


def scan(ax, table):
    """Draw the share of networks that learned over both rates, with the median episodes."""
    rates = ["plasticity.lambda_h", "plasticity.lambda_plus"]
    cell = table.groupby(rates)["episodes_to_solution"]
    solved = cell.apply(lambda episodes: np.isfinite(episodes).mean()).unstack()
    median = cell.median().unstack()
    image = ax.imshow(solved, origin="lower", vmin=0, vmax=1, cmap="cividis", aspect="auto")
    for (row, column), share in np.ndenumerate(solved.to_numpy()):
        episodes = median.to_numpy()[row, column]
        text = f"{episodes:.0f}" if np.isfinite(episodes) else "–"
        ax.text(column, row, text, ha="center", va="center", color="k" if share > 0.5 else "w")
    ax.set_xticks(range(solved.shape[1]), [f"{v:g}" for v in solved.columns])
    ax.set_yticks(range(solved.shape[0]), [f"{v:g}" for v in solved.index])
    return image


if __name__ == "__main__":
    cosim.main(sweep, figure)
