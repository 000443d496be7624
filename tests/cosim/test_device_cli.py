import dataclasses

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cosim import cli, device_figures
from devices import Memristor, Update, files
from devices.presets import preset, presets

FULL = Memristor(
    on_off_ratio=10.0,
    g_max=100.0,
    n_levels=5,
    sigma_d2d_g_max=0.05,
    sigma_d2d_g_min=0.1,
    sigma_c2c=0.01,
    stuck_off=0.1,
    drift_nu=0.05,
    sigma_drift_nu=0.01,
    drift_t0_s=2.0,
    update=Update(law="linear", step_up=0.02, step_down=0.02),
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def panels(fig):
    return {ax.get_title().partition(" (")[0]: ax for ax in fig.axes}


def texts(ax):
    return " ".join(text.get_text() for text in ax.texts)


def test_list_names_every_preset_with_its_unknowns_and_doi(capsys):
    assert cli.main(["device", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == "name technology on/off levels update unknown doi".split()
    assert [line.split()[0] for line in lines[1:]] == list(presets())
    row = next(line for line in lines if line.startswith("gong2018"))
    assert "exponential" in row
    assert str(len(preset("gong2018").device.unknown)) in row.split()
    assert row.endswith("10.1038/s41467-018-04485-1")


def test_show_prints_values_units_and_sources_and_draws(folder, capsys):
    assert cli.main(["device", "show", "wu2018"]) == 0
    out = capsys.readouterr().out
    assert "TaOx/HfOx" in out
    rows = [line.split() for line in out.splitlines() if line]
    assert ["t_set_ns", "50", "ns", "fitted", "[1]"] in rows
    assert ["g_max", "10", "µS", "fitted", "[1]"] in rows
    assert ["update.law", "linear", "fitted", "[1]"] in rows
    assert "not reported: sigma_d2d_g_max" in out
    assert "[1] Wu et al. 2018" in out and "doi not confirmed" in out
    assert (folder / "figures" / "device_wu2018.pdf").is_file()
    assert (folder / "figures" / "device_wu2018.png").is_file()


def test_show_draws_a_file_where_told(folder, capsys):
    files.save(FULL, "mine.json")
    assert cli.main(["device", "show", "mine.json", "--out", "drawn/mine.png", "--seed", "3"]) == 0
    assert sorted(path.name for path in (folder / "drawn").iterdir()) == ["mine.pdf", "mine.png"]
    out = capsys.readouterr().out
    assert "not reported: nothing" in out
    assert "stuck_off" in out


def test_equal_seeds_give_equal_figures_and_others_do_not(folder):
    files.save(FULL, "mine.json")
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        cli.main(["device", "show", "mine.json", "--out", name, "--seed", seed])
    drawn = {name: (folder / f"{name}.png").read_bytes() for name in "abc"}
    assert drawn["a"] == drawn["b"] != drawn["c"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gong2019"], "no device preset 'gong2019' (did you mean 'gong2018'"),
        (["gong2019"], "a device of your own is a .json file"),
        (["missing.json"], "cannot read missing.json"),
        (["broken.json"], "broken.json: device.g_mx is unknown"),
        (["gong2018", "--seed", "-1"], "seed=-1"),
        (["leti2025", "--out", "file/x"], "cannot write file/x"),
    ],
)
def test_refused(folder, capsys, arguments, message):
    (folder / "broken.json").write_text('{"schema": 1, "device": {"g_mx": 1}}')
    (folder / "file").touch()
    assert cli.main(["device", "show", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_panels_of_what_is_not_reported_say_so():
    device = Memristor(
        **dict.fromkeys(("sigma_c2c", "sigma_d2d_g_max", "sigma_d2d_g_min"), None),
        sigma_d2d_gain=None,
        drift_nu=None,
    )
    drawn = panels(device_figures.draw(device, "unknown"))
    for name in ("programmed levels", "spread of the bounds", "drift", "retention"):
        assert texts(drawn[name]) == "not reported"
        assert not drawn[name].lines
    assert "pulses not reported" in texts(drawn["pulse response"])
    assert "sigma_c2c" in texts(drawn[""])


def test_every_panel_of_a_known_device_is_drawn():
    drawn = panels(device_figures.draw(FULL, "full"))
    for name in ("pulse response", "programmed levels", "spread of the bounds", "drift"):
        assert "not reported" not in texts(drawn[name])
    assert drawn["drift"].get_ylabel() == "conductance $G$ (µS)"
    assert drawn["spread of the bounds"].get_xscale() == "log"
    legend = drawn["spread of the bounds"].get_legend()
    assert "stuck devices left out" in legend.get_title().get_text()


def test_pulses_up_and_down_follow_the_law():
    device = Memristor(on_off_ratio=10.0, update=FULL.update)
    up, down = panels(device_figures.draw(device, "linear"))["pulse response"].lines
    # 0.95 of the range in steps of 0.02, and back to where it has lost as much.
    x, y = up.get_data()
    np.testing.assert_allclose(y, 0.1 + 0.9 * 0.02 * x, rtol=1e-12)
    assert len(x) == 49
    assert down.get_ydata()[0] == y[-1]
    np.testing.assert_allclose(np.diff(down.get_ydata()), -0.9 * 0.02, rtol=1e-9)


def test_drift_and_retention_are_those_of_the_power_law():
    device = Memristor(g_max=10.0, n_levels=2, drift_nu=0.1)
    drawn = panels(device_figures.draw(device, "drifting"))
    low, high = drawn["drift"].lines
    age, g = high.get_data()
    np.testing.assert_allclose(g, 10.0 * age**-0.1, rtol=1e-12)
    assert not low.get_ydata().any()
    right, window = drawn["retention"].lines
    # The high level is lost where it has fallen to the middle: 2^10 s.
    np.testing.assert_array_equal(right.get_ydata(), np.where(age < 2.0**10, 1.0, 0.5))
    np.testing.assert_allclose(window.get_ydata(), age**-0.1, rtol=1e-12)


def test_all_presets_can_be_drawn_with_few_devices(monkeypatch):
    monkeypatch.setattr(device_figures, "N_DEVICES", 5)
    monkeypatch.setattr(device_figures, "_MAX_PULSES", 50)
    for name in presets():
        device_figures.draw(preset(name).device, name)
        plt.close("all")


def test_a_device_with_more_levels_than_drawn_keeps_the_outermost():
    device = dataclasses.replace(FULL, n_levels=128, sigma_c2c=0.0)
    ax = panels(device_figures.draw(device, "fine"))["programmed levels"]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == device_figures.N_LEVELS
    assert (labels[0], labels[-1]) == ("0", "1")
