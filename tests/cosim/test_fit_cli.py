import numpy as np
import pytest
from matplotlib import pyplot as plt

from cosim import cli, figures, fit_figure
from devices import Memristor, Update, files
from devices.array import DeviceArray
from devices.fitting import fit
from devices.measurements import read_pulses

DEVICE = Memristor.from_range(
    2.0,
    20.0,
    update=Update(law="linear", step_up=0.05, step_down=0.06, slope_up=0.5, slope_down=0.8),
    sigma_c2c=0.01,
    sigma_write=0.01,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def write_trains(file, n, seed=1):
    array = DeviceArray(DEVICE, n, seed=seed)
    lines = ["device,pulse,direction,conductance_us"]
    for k, direction in enumerate([0] + [1] * 40 + [-1] * 40):
        if direction:
            array.pulse(direction)
        lines += [f"{i},{k},{direction},{g!r}" for i, g in enumerate(array.read().tolist())]
    file.write_text("\n".join(lines))
    return file


def test_fit_writes_a_device_a_report_and_a_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_trains(tmp_path / "mine.csv", 3)
    assert cli.main(["device", "fit", "mine.csv"]) == 0
    folder = tmp_path / "fitted_devices" / "mine"
    assert {path.name for path in folder.iterdir()} == {
        "device.json",
        "fit.txt",
        "fit.pdf",
        "fit.png",
    }
    device = files.load(folder / "device.json")
    assert device.g_max == pytest.approx(20.0, rel=0.1)
    assert device.resolved().update.law in ("linear", "power")
    report = (folder / "fit.txt").read_text()
    assert report.startswith("Device fitted to mine.csv")
    assert report in capsys.readouterr().out


def test_name_and_folder(tmp_path):
    file = write_trains(tmp_path / "mine.csv", 1)
    out = tmp_path / "results"
    assert cli.main(["device", "fit", str(file), "--out", str(out), "--name", "batch-3"]) == 0
    assert (out / "device.json").is_file()


def test_faults_of_the_file_are_printed_without_a_traceback(tmp_path, capsys):
    file = tmp_path / "mine.csv"
    file.write_text("device,pulse,direction,conductance_us\n1,0,none,high\n")
    assert cli.main(["device", "fit", str(file)]) == 2
    assert "mine.csv: line 2, column 'conductance_us': 'high'" in capsys.readouterr().err
    assert cli.main(["device", "fit", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: No such file" in capsys.readouterr().err
    assert cli.main(["device", "fit", str(file), "--name", "a/b"]) == 2
    assert "--name 'a/b'" in capsys.readouterr().err


@pytest.mark.parametrize("n", [1, 4])
def test_figure_shows_what_was_measured(tmp_path, n):
    pulses = read_pulses(write_trains(tmp_path / "mine.csv", n))
    found = fit(pulses, laws=["linear"])
    with figures.style():
        fig = fit_figure.draw(found)
        fig.savefig(tmp_path / "fit.png")
    assert fig.get_figwidth() * figures.MM_PER_INCH == pytest.approx(85.0)
    series = fig.axes[-1]
    lines = {line.get_label(): line for line in series.get_lines()}
    median = np.median(pulses.conductance.reshape(n, -1), axis=0)
    np.testing.assert_array_equal(lines[f"measured, n = {n}"].get_ydata(), median)
    fitted = lines["fitted device"].get_ydata()
    # The noise of the median of n devices, and of their bounds.
    assert np.median(np.abs(fitted - median)) < 1.0
    assert len(series.collections) == (2 if n > 1 else 1)
    assert [ax.get_title(loc="left") for ax in (series, *fig.axes[:-1])] == list("abcde")
    assert all("µS" in ax.get_xlabel() for ax in (fig.axes[0], fig.axes[1], fig.axes[3]))
