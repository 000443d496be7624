"""Every sweep's figure can be drawn, with one backend and with two that do not agree."""

import dataclasses

import numpy as np
import pytest

from cosim import table
from cosim.figures import style

METRICS = ["prediction_error_mean_last_10", "relative_active_neurons", "episodes_to_solution"]
STUDIES = [
    "analog_rates",
    "chip_sequence_learning",
    "published_devices",
    "reram_failure",
    "reram_on_off_ratio",
    "reram_resolution",
    "reram_variability",
]


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("backends", [["nest"], ["nest", "brian2"]])
def test_figure_tells_the_backends_apart(load_study, name, backends):
    study = load_study(name)
    sweep = dataclasses.replace(study.sweep, backends=backends, seeds=[1, 2])
    frame = table.build(sweep, [None] * len(sweep.points()))
    rng = np.random.default_rng(1)
    for metric in METRICS:
        frame[metric] = rng.uniform(0, 2, len(frame))
    with style():
        fig = study.figure(frame)
        fig.canvas.draw()
    texts = [text.get_text() for ax in fig.axes for text in (*legend_texts(ax), ax.title)]
    texts += [text.get_text() for legend in fig.legends for text in legend.get_texts()]
    for backend in ("nest", "brian2"):
        assert any(backend in text for text in texts) == (len(backends) > 1)
    assert not any("n = 4" in text for text in texts), "backends were pooled"


def legend_texts(ax):
    legend = ax.get_legend()
    return [] if legend is None else legend.get_texts()
