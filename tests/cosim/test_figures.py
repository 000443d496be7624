import math
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from cosim.figures import MM_PER_INCH, WIDTH_MM, band, figure, panels, save, style, summarise

RATIOS = (2.0, 10.0, 100.0, math.inf)
SEEDS = range(21)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def table():
    """Error of two backends; the values over seeds are 0, 1 ... 20 plus an offset."""
    return pd.DataFrame(
        [
            {"backend": name, "ratio": ratio, "seed": seed, "error": offset + seed}
            for name, offset in (("NEST", 0.0), ("Brian2", 100.0))
            for ratio in RATIOS
            for seed in SEEDS
        ]
    )


def test_width_on_paper_is_the_column_width():
    for name, width_mm in WIDTH_MM.items():
        fig, _ = figure(name, aspect=0.5)
        np.testing.assert_allclose(fig.get_size_inches() * MM_PER_INCH, [width_mm, width_mm / 2])


def test_figure_passes_on_the_grid_of_axes():
    _, axes = figure(ncols=2, nrows=3)
    assert axes.shape == (3, 2)


def test_figure_names_an_unknown_width_and_a_bad_aspect():
    with pytest.raises(ValueError, match=r"width='a4'.*iop_single"):
        figure("a4")
    with pytest.raises(ValueError, match="aspect=0"):
        figure(aspect=0)


def test_style_ends_with_its_context():
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams["svg.fonttype"] == "none"
        assert mpl.rcParams["font.size"] == 8
    assert dict(mpl.rcParams) == before


def test_colours_differ_from_white_paper():
    """Relative luminance (WCAG 2.1) at least 2:1 against white, so that no line disappears."""
    with style():
        colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert len(set(colours)) == 7
    for colour in colours:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        ]
        assert 1.05 / (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05) >= 2.0, colour


def test_summary_is_median_and_percentiles_over_seeds(table):
    summary = summarise(table, "ratio", "error", "backend")
    assert list(summary["backend"].unique()) == ["NEST", "Brian2"]  # as they appear
    assert list(summary["ratio"]) == [*RATIOS, *RATIOS]
    np.testing.assert_allclose(summary["median"], [10.0] * 4 + [110.0] * 4)
    np.testing.assert_allclose(summary["low"], [1.0] * 4 + [101.0] * 4)
    np.testing.assert_allclose(summary["high"], [19.0] * 4 + [119.0] * 4)
    assert (summary["n"] == len(SEEDS)).all()


@given(st.permutations(range(40)))
def test_summary_does_not_depend_on_the_order_of_runs(order):
    runs = pd.DataFrame({"x": [i % 4 for i in range(40)], "y": [0.5 * i for i in range(40)]})
    pd.testing.assert_frame_equal(summarise(runs.iloc[order], "x", "y"), summarise(runs, "x", "y"))


def test_failed_metrics_are_left_out_and_not_counted(table):
    table.loc[(table["ratio"] == 10.0) & (table["seed"] > 4), "error"] = np.nan
    table.loc[table["ratio"] == 100.0, "error"] = np.nan
    summary = summarise(table[table["backend"] == "NEST"], "ratio", "error").set_index("ratio")
    assert summary["n"].to_dict() == {2.0: 21, 10.0: 5, 100.0: 0, math.inf: 21}
    assert summary.loc[10.0, "median"] == 2.0
    assert math.isnan(summary.loc[100.0, "median"])


def test_summary_names_what_is_wrong_with_the_table(table):
    with pytest.raises(ValueError, match=r"no column 'ratios'.*backend, ratio, seed, error"):
        summarise(table, "ratios", "error")
    with pytest.raises(ValueError, match="no row"):
        summarise(table.iloc[:0], "ratio", "error")
    table.loc[3, "ratio"] = np.nan
    with pytest.raises(ValueError, match="'ratio' is empty in 1 rows"):
        summarise(table, "ratio", "error")


def test_band_draws_what_it_returns(table):
    with style():
        fig, ax = figure()
        drawn = band(ax, table, "ratio", "error", "backend", "log")
    finite = drawn[np.isfinite(drawn["ratio"])]
    for i, name in enumerate(("NEST", "Brian2")):
        expected = finite[finite["backend"] == name]
        line = next(ln for ln in ax.lines if ln.get_label() == f"{name} (n = 21)")
        np.testing.assert_array_equal(line.get_xdata(), expected["ratio"])
        np.testing.assert_array_equal(line.get_ydata(), expected["median"])
        corners = ax.collections[2 * i].get_paths()[0].vertices[:, 1]
        assert (corners.min(), corners.max()) == (expected["low"].min(), expected["high"].max())
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "NEST (n = 21)",
        "Brian2 (n = 21)",
    ]
    assert ax.get_xscale() == "log"


@pytest.mark.parametrize("x_scale", ["linear", "log", "category"])
def test_infinity_is_a_point_of_its_own_at_the_right_end(table, x_scale):
    _, ax = figure()
    band(ax, table, "ratio", "error", "backend", x_scale)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2", "10", "100", "∞"]
    ticks = ax.get_xticks()
    assert list(ticks) == sorted(ticks)
    nest, brian2 = (c.lines[0] for c in ax.containers)
    assert nest.get_ydata() == [10.0] and brian2.get_ydata() == [110.0]
    for point in (nest, brian2):
        assert point.get_linestyle() == "None"
        assert ax.get_xlim()[0] < ticks[2] < point.get_xdata()[0] < ax.get_xlim()[1]
    # Groups side by side, around the tick.
    assert nest.get_xdata()[0] < ticks[3] < brian2.get_xdata()[0]


def test_single_infinite_value_can_be_drawn(table):
    ideal = table[np.isinf(table["ratio"])]
    for x_scale in ("linear", "log", "category"):
        fig, ax = figure()
        band(ax, ideal, "ratio", "error", "backend", x_scale)
        fig.canvas.draw()
        assert [t.get_text() for t in ax.get_xticklabels()] == ["∞"]


def test_names_are_points_without_lines_between_them(table):
    _, ax = figure()
    band(ax, table, "backend", "error", x_scale="category")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["NEST", "Brian2"]
    (points,) = (c.lines[0] for c in ax.containers)
    assert list(points.get_xdata()) == [0.0, 1.0]
    assert points.get_linestyle() == "None"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [f"n = {4 * len(SEEDS)}"]


def test_groups_differ_without_colour():
    runs = pd.DataFrame([(g, x, x) for g in range(12) for x in (1, 2)], columns=["g", "x", "y"])
    _, ax = figure()
    band(ax, runs, "x", "y", "g")
    looks = [
        (ln.get_linestyle(), ln.get_marker()) for ln in ax.lines if "n =" in str(ln.get_label())
    ]
    assert len(set(looks)) == len(looks) == 12


def test_many_values_get_few_ticks_with_the_largest():
    runs = pd.DataFrame({"x": range(1, 31), "y": range(1, 31)})
    _, ax = figure()
    band(ax, runs, "x", "y")
    ticks = list(ax.get_xticks())
    assert len(ticks) <= 8
    assert ticks[-1] == 30


def test_band_names_values_that_do_not_fit_the_scale(table):
    _, ax = figure()
    with pytest.raises(ValueError, match=r"'backend' is not numeric.*x_scale='category'"):
        band(ax, table, "backend", "error")
    with pytest.raises(ValueError, match=r"value 0.*need.*> 0"):
        band(ax, table.replace({"ratio": {2.0: 0.0}}), "ratio", "error", x_scale="log")
    with pytest.raises(ValueError, match="x_scale='loglog'"):
        band(ax, table, "ratio", "error", x_scale="loglog")


def _draw_and_save(table, stem):
    with style():
        fig, ax = figure()
        band(ax, table, "ratio", "error", "backend", "log")
        ax.set(xlabel="on-off ratio", ylabel="prediction error")
    return save(fig, stem, keywords=["study-1", "0123abc"])


def test_saved_twice_gives_the_same_bytes(table, tmp_path):
    first = _draw_and_save(table, tmp_path / "a" / "figure")
    second = _draw_and_save(table, tmp_path / "b" / "figure")
    assert [p.name for p in first] == ["figure.pdf", "figure.png"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_pdf_has_truetype_fonts_and_keywords(table, tmp_path):
    pdf, png = _draw_and_save(table, tmp_path / "fig.v1")  # a dot is part of the name
    assert pdf.name == "fig.v1.pdf"
    content = pdf.read_bytes()
    assert b"/Type3" not in content
    assert b"/CIDFontType2" in content
    assert re.search(rb"/Keywords \(study-1, 0123abc\)", content)
    assert b"CreationDate" not in content
    assert b"study-1, 0123abc" in png.read_bytes()


def test_png_has_300_dpi(tmp_path):
    fig, _ = figure("ieee_single", aspect=1.0)
    _, png = save(fig, tmp_path / "figure")
    height, width, _ = plt.imread(png).shape
    assert (width, height) == pytest.approx([3.5 * 300, 3.5 * 300], abs=1)


def test_panels_share_x_and_place_what_never_happened():
    table = pd.DataFrame(
        {
            "x": [1, 1, 2, 2],
            "error": [0.0, 0.5, 1.0, 1.0],
            "episodes": [10.0, 20.0, np.inf, np.inf],
        }
    )
    fig = panels(table, "x", {"error": "error", "episodes": "episodes"}, x_label="x (mV)")
    first, second = fig.axes
    assert first.get_shared_x_axes().joined(first, second)
    assert second.get_xlabel() == "x (mV)" and first.get_ylabel() == "error"
    assert [t.get_text() for t in second.get_yticklabels()][-1] == "never"
    line = second.lines[0]
    assert list(line.get_ydata()) == [15.0, 24.0]
    assert second.get_legend() is None
