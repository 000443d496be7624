"""What the figures of the emulated chip say is what the points hold."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cosim import table
from cosim.figures import style


def test_fixed_pattern_is_relative_to_the_real_chip(load_study):
    study = load_study("fixed_pattern")
    frame = table.build(study.sweep, [None] * len(study.sweep.points()))
    for metric, (_, _, published, _) in study.PUBLISHED.items():
        frame[metric] = 0.5 * published
    with style():
        fig = study.figure(frame)
        fig.canvas.draw()
    (ax,) = fig.axes
    medians = [container.lines[0].get_xdata()[0] for container in ax.containers if
               hasattr(container, "has_xerr")]  # fmt: skip
    assert medians == pytest.approx([0.5] * len(study.PUBLISHED))
    assert "n = 20 chips" in ax.get_xlabel()
    # Two spreads of ten neurons differ by less than this in 90 of 100 cases.
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 20000, 10)).std(axis=2, ddof=1)
    bars = [patch for patch in ax.patches if patch.get_width() > 0]
    assert len(bars) == 3
    for bar in bars:
        low, high = bar.get_x(), bar.get_x() + bar.get_width()
        share = ((first / second > low) & (first / second < high)).mean()
        assert share == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 20000))


@pytest.fixture
def chips():
    """Two chips: one as published but for its resting potential, one with twice the potentials."""

    def build(study):
        spread = np.linspace(-1, 1, 8)[:, None]
        readings = {name: np.array(values) for name, values in study.PUBLISHED.items()}
        middle = (readings["excitatory"][0] + readings["inhibitory"][0]) / 2
        records = {
            point: SimpleNamespace(
                arrays={"weight": study.WEIGHT}
                | {k: 300 + scale * (v - middle + spread) for k, v in readings.items()}
            )
            for point, scale in (("a", 1), ("b", 2))
        }
        return pd.DataFrame({"point": ["a", "b"], "seed": [1, 2]}), records

    return build


def test_psp_versus_weight_compares_changes_of_the_potential(load_study, chips):
    study = load_study("psp_versus_weight")
    drawn = study.analysis(*chips(study)).set_index(["seed", "input", "weight"])
    for receptor, expected in study.relative(study.PUBLISHED).items():
        for seed, scale in ((1, 1), (2, 2)):
            found = drawn.loc[(seed, receptor)]
            np.testing.assert_allclose(found["potential"], scale * expected)
            np.testing.assert_allclose(found["std"], scale * np.linspace(-1, 1, 8).std(ddof=1))
    with style():
        fig = study.figure(drawn.reset_index())
        fig.canvas.draw()
    top, _ = fig.axes
    assert [text.get_text() for text in top.get_legend().get_texts()] == [
        "excitatory (n = 2)",
        "inhibitory (n = 2)",
        "real chip",
    ]


def test_calibration_residuals_keep_the_vendors_limits(load_study):
    study = load_study("calibration_residuals")
    found, rates = study.ratios(1), study.rates(1)
    for name, (_, _, limit) in study.PROPERTIES.items():
        assert 0 < found[name] < limit, name
    assert rates.shape == (512,)
    assert (rates > 90).mean() >= study.SHARE and (rates < 115).mean() >= study.SHARE


def test_calibration_residuals_names_the_worst_chip(load_study):
    study = load_study("calibration_residuals")
    rates = [np.full(10, 100.0), np.array([80.0] * 2 + [100.0] * 5 + [118.0] * 3)]
    with style():
        fig = study.draw([dict.fromkeys(study.PROPERTIES, 0.1)] * 2, rates)
        fig.canvas.draw()
    left, right = fig.axes
    assert "n = 2 chips" in left.get_xlabel()
    assert right.get_title() == (
        "least of all chips: 80.0 % above 90 kHz,\n70.0 % below 115 kHz; limit 90 %"
    )


def test_trimmed_std(load_study):
    trimmed_std = load_study("calibration_residuals").trimmed_std
    values = np.arange(101.0)
    assert trimmed_std(values) == np.arange(5.0, 96.0).std()
    values[[0, 100]] = -1e6, 1e6
    assert trimmed_std(values) == np.arange(5.0, 96.0).std()
