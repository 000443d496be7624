"""Which published devices could learn sequences, and what stands in the way of the others?

Presets with a law of update, as analog synapses: their response to pulses, their noise and their
spread from device to device, each once with the on-off ratio reported and once with an infinite
one. What a source does not report is taken for absent (`docs/presets.md` says what that is). The
network asks for changes of 0.02 and 0.003 of the range; devices with larger steps make whole
pulses of them, in the mean.
"""

import numpy as np

import cosim
from cosim.figures import figure as new_figure
from cosim.figures import summarise

DEVICES = [
    "choi2018",
    "gong2018",
    "gong_rasch2022_hfo2",
    "gong_rasch2022_optimised",
    "jerry2017",
    "jo2010",
    "kim2019",
    "kuzum2011",
    "li2018",
    "nandakumar2020",
    "park2013",
    "tang2018",
    "woo2016",
    "wu2018",
]
RATIOS = {"reported": {}, "infinite": {"device.on_off_ratio": float("inf")}}
METRICS = {
    "prediction_error_mean_last_10": "prediction error",
    "relative_active_neurons": "active neurons (fraction)",
    "write_energy_nj": "write energy (nJ, all devices,\nmodelled)",
}

sweep = cosim.Sweep(
    "published_devices",
    model="sequence_learning",
    base={"plasticity.rule": "analog", "device.unknown_is_off": True},
    variants={
        f"{device}|{ratio}": {"device": device, **parameters}
        for device in DEVICES
        for ratio, parameters in RATIOS.items()
    },
)


def figure(table):
    """Draw median and 5-95 % of each device, sorted by the error with the reported on-off ratio."""
    table = table.copy()
    table[["name", "ratio"]] = table["variant"].str.split("|", expand=True)
    error = next(iter(METRICS))
    order = table[table["ratio"] == "reported"].groupby("name")[error].median().sort_values()
    place = {name: k for k, name in enumerate(order.index)}
    backends = list(table["backend"].unique())
    fig, axes = new_figure("iop_double", 0.55, ncols=len(METRICS), sharey=True)
    for ax, (metric, label) in zip(axes, METRICS.items(), strict=True):
        ax.set_xlabel(label)
        if metric not in table:
            continue
        for k, (backend, ratio) in enumerate((b, r) for b in backends for r in RATIOS):
            part = table[(table["backend"] == backend) & (table["ratio"] == ratio)]
            points(ax, part.dropna(subset=[metric]), metric, place, k, backends, ratio)
        if metric == "write_energy_nj":
            ax.set_xscale("log")
    axes[0].set_yticks(range(len(place)), list(place))
    axes[0].invert_yaxis()
    n = table.groupby(["variant", "backend"])["seed"].nunique()
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(
        handles, labels, loc="outside upper center", ncols=len(labels),
        title=f"on-off ratio; n = {n.min()} networks each",
    )  # fmt: skip
    return fig


def points(ax, part, metric, place, k, backends, ratio):
    """Draw a metric of each device for one on-off ratio on one backend."""
    if part.empty:
        return
    rows = summarise(part, "name", metric)
    y = np.array([place[name] for name in rows["name"]]) + 0.16 * (k - len(backends) + 0.5)
    spread = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
    backend = part["backend"].iloc[0]
    ax.errorbar(
        rows["median"], y, xerr=np.clip(spread, 0, None), fmt="os"[k % 2], markersize=3,
        color=f"C{k}", fillstyle="full" if ratio == "reported" else "none",
        label=f"{backend}, " * (len(backends) > 1) + ratio,
    )  # fmt: skip


if __name__ == "__main__":
    cosim.main(sweep, figure)
