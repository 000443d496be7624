"""With which rates does the analog device learn, and how exactly must they be met?

The rates of the analog ReRAM rule of Bouhadjar, Siegel et al. 2023,
doi:10.1088/2634-4386/acf1c4, are not known to us; the model's defaults were chosen by this scan.
"""

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
    minus, h, plus = (f"plasticity.lambda_{name}" for name in ("minus", "h", "plus"))
    n = table["seed"].nunique()
    fig, axes = new_figure("iop_double", 0.42, ncols=table[minus].nunique(), sharey=True)
    for ax, (value, part) in zip(np.atleast_1d(axes), table.groupby(minus), strict=True):
        cell = part.groupby([h, plus])["episodes_to_solution"]
        solved = cell.apply(lambda episodes: np.isfinite(episodes).mean()).unstack()
        episodes = cell.median().unstack()
        image = ax.imshow(solved, origin="lower", vmin=0, vmax=1, cmap="cividis", aspect="auto")
        for (row, column), share in np.ndenumerate(solved.to_numpy()):
            median = episodes.to_numpy()[row, column]
            text = f"{median:.0f}" if np.isfinite(median) else "–"
            ax.text(column, row, text, ha="center", va="center", color="k" if share > 0.5 else "w")
        ax.set_xticks(range(solved.shape[1]), [f"{v:g}" for v in solved.columns])
        ax.set_yticks(range(solved.shape[0]), [f"{v:g}" for v in solved.index])
        ax.set(title=rf"$\lambda_-$ = {value:g}", xlabel=r"potentiation $\lambda_+$")
    np.atleast_1d(axes)[0].set_ylabel(r"homeostasis $\lambda_h$")
    label = f"share of {n} networks that learned\n(number: median episodes)"
    fig.colorbar(image, ax=axes, label=label)
    return fig


if __name__ == "__main__":
    cosim.main(sweep, figure)
