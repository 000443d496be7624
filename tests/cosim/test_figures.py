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


@pytest.fixture
def two_backends(table):
    """Two devices on two backends that agree; the second has run fewer seeds."""
    parts = []
    for device, offset in (("analog", 0.0), ("binary", 50.0)):
        for backend, seeds in (("nest", 21), ("brian2", 11)):
            part = table[(table["backend"] == "NEST") & (table["seed"] < seeds)]
            parts.append(
                part.assign(
                    backend=backend, device=device, error=offset + part["ratio"].clip(upper=200)
                )
            )
    return pd.concat(parts, ignore_index=True)


def test_backends_are_not_pooled(two_backends):
    with style():
        _, ax = figure()
        drawn = band(ax, two_backends, "ratio", "error", "device", "log")
    assert list(drawn.columns[:3]) == ["device", "backend", "ratio"]
    assert len(drawn) == 2 * 2 * len(RATIOS)
    assert set(drawn.loc[drawn["backend"] == "brian2", "n"]) == {11}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "analog (n = 11–21)",
        "binary (n = 11–21)",
        "nest (n = 21)",
        "brian2 (n = 11)",
    ]


def test_agreeing_backends_are_both_seen(two_backends):
    """Filled markers in open ones; colour and marker by device, line style by backend."""
    with style():
        _, ax = figure()
        band(ax, two_backends, "ratio", "error", "device", "log")
    lines = [ln for ln in ax.lines if len(ln.get_xdata()) == 3]
    assert len(lines) == 4
    for nest, brian2 in (lines[:2], lines[2:]):
        np.testing.assert_array_equal(nest.get_ydata(), brian2.get_ydata())
        assert nest.get_color() == brian2.get_color() and nest.get_marker() == brian2.get_marker()
        assert brian2.get_markerfacecolor() == "none" != nest.get_markerfacecolor()
        assert brian2.get_markersize() > 1.3 * nest.get_markersize()
        assert brian2.get_zorder() >= nest.get_zorder()
        assert nest.get_linestyle() != brian2.get_linestyle()
    assert lines[0].get_linestyle() == lines[2].get_linestyle()
    assert lines[0].get_color() != lines[2].get_color()
    assert lines[0].get_marker() != lines[2].get_marker()
    # At infinity the points of a device lie on each other, too, beside those of the other.
    at = [c.lines[0].get_xdata()[0] for c in ax.containers]
    assert at[0] == at[1] < at[2] == at[3]


def test_one_backend_looks_as_ever(table, tmp_path):
    runs = table.assign(backend="nest")

    def saved(table, name):
        with style():
            fig, ax = figure()
            band(ax, table, "ratio", "error", x_scale="log")
        return save(fig, tmp_path / name)[1].read_bytes()

    assert saved(runs, "with") == saved(runs.drop(columns="backend"), "without")


def test_backends_without_groups(two_backends):
    _, ax = figure()
    band(ax, two_backends, "ratio", "error")
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert labels == ["nest (n = 42)", "brian2 (n = 22)"]
    assert len({line.get_color() for line in ax.get_legend().get_lines()}) == 2
    assert {line.get_color() for line in ax.lines} == {
        line.get_color() for line in ax.get_legend().get_lines()
    }


def test_long_lines_have_few_markers():
    runs = pd.DataFrame({"x": range(85), "y": range(85)})
    _, ax = figure()
    band(ax, runs, "x", "y")
    assert 10 <= 85 / ax.lines[0].get_markevery() <= 25
