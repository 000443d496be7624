import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import cosim
from cosim import InputError, cli, options
from cosim.store import read_record

STUDY = '''"""How the score grows with the ratio.

Not in the summary.
"""

import matplotlib.figure

import cosim

sweep = cosim.Sweep(
    "ratio",
    "toys.behave",
    axes={"device.on_off_ratio": [2, 4], "behaviour": ["succeed"]},
    seeds=[1],
    backends=["pyNN.mock"],
)


def figure(table):
    drawn = matplotlib.figure.Figure()
    drawn.add_subplot().plot(table["device.on_off_ratio"], table["score"])
    return drawn


if __name__ == "__main__":
    cosim.main(sweep, figure)
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Enter a folder with one study."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "ratio.py").write_text(STUDY)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("inf", float("inf")),
        ("-inf", float("-inf")),
        ("true", True),
        ("null", None),
        ("analog", "analog"),
        ('"inf"', "inf"),
        ("[1, 2]", [1, 2]),
    ],
)
def test_parse_value(text, value):
    parsed = options.parse_value(text)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1,2.5", (1, 2.5)),
        ("a.b=inf,2", (float("inf"), 2)),
        ("a.b=analog,binary", ("analog", "binary")),
        ("a.b=[1,2],[3]", ([1, 2], [3])),
        ("a.b=null,4", (None, 4)),
    ],
)
def test_parse_axis(text, values):
    assert options.parse_axis(text) == ("a.b", values)


@pytest.mark.parametrize(
    ("text", "seeds"), [("1-3", (1, 2, 3)), ("1,2,5", (1, 2, 5)), ("1-2,9", (1, 2, 9))]
)
def test_parse_seeds(text, seeds):
    assert options.parse_seeds(text) == seeds


@pytest.mark.parametrize("option", ["--seeds=a-b", "--set=x", "--axis=x=", "--set==3"])
def test_malformed_option(project, option, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["sweep", "ratio", option])
    assert caught.value.code == 2
    assert option.partition("=")[2] in capsys.readouterr().err


def test_run_prints_metrics_and_writes_the_record(project, capsys):
    command = ["run", "toys.behave", "--backend=pyNN.mock", "--seed=3", "--out=point"]
    assert cli.main([*command, "--set", "device.on_off_ratio=inf"]) == 0
    assert "score    inf" in capsys.readouterr().out
    record = read_record(project / "point")
    assert record.spec.seed == 3 and record.status == "done"
    assert (project / "point" / "arrays.npz").is_file()


def test_run_of_a_failing_point(project, capsys):
    code = cli.main(["run", "toys.behave", "--backend=pyNN.mock", "--set", "behaviour=raise"])
    assert code == 1
    assert "RuntimeError: told to raise" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "no.such"], "unknown model"),
        (["run", "toys.behave", "--backend=nst"], "unknown backend 'nst'"),
        (["run", "toys.behave", "--backend=pyNN.mock", "--set=a=1"], "unknown parameter 'a'"),
        (["run", "toys.behave", "--backend=pyNN.mock", "--out=/dev/null/x"], "not writable"),
        (["sweep", "no_such"], "no study studies/no_such.py: ./studies has ratio"),
        (["sweep", "ratio", "--axis", "timestep=1"], "--axis timestep: the axes of the study are"),
        (["sweep", "ratio", "--set", "behaviour=raise"], "set in both base and axes"),
        (["sweep", "ratio", "--set", "no=1"], "unknown parameter 'no'"),
        (["sweep", "ratio", "--backends", "nst"], "unknown backend"),
        (["sweep", "ratio", "--results", "/dev/null/x"], "results folder .* is not writable"),
        (["sweep", "ratio", "--figures", "/dev/null/x"], "figures folder .* is not writable"),
        (["status", "nowhere"], "no studies in the results folder nowhere"),
    ],
)
def test_bad_input_is_one_error_and_nothing_runs(project, capsys, arguments, message):
    assert cli.main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ") and errors.count("\n") == 1
    assert re.search(message, errors)
    assert not list(project.glob("results/*/points/*"))


def test_sweep_writes_table_and_figure(project, capsys):
    assert cli.main(["sweep", "ratio", "--axis", "device.on_off_ratio=2,8", "--seeds=2-3"]) == 0
    table = pd.read_parquet("results/ratio/results.parquet")
    assert sorted(table["score"]) == [4.0, 6.0, 16.0, 24.0]
    assert b"study ratio" in Path("figures/ratio.pdf").read_bytes()
    assert list(pd.read_csv("figures/ratio.csv")["score"]) == list(table["score"])
    assert capsys.readouterr().out.splitlines() == [
        "results/ratio/results.parquet",
        *(f"figures/ratio{suffix}" for suffix in (".pdf", ".png", ".csv")),
    ]


ANALYSIS = """
def analysis(table, records):
    ones = [records[point].arrays["file"].sum() for point in table["point"]]
    return table.assign(score=ones)


if __name__"""


def test_figure_draws_what_an_analysis_returns(project):
    (project / "studies" / "ratio.py").write_text(
        STUDY.replace("if __name__", ANALYSIS).replace("figure)", "figure, analysis=analysis)")
    )
    assert cli.main(["sweep", "ratio"]) == 0
    drawn = Path("figures/ratio.csv").read_text()
    assert list(pd.read_csv("figures/ratio.csv")["score"]) == [4.0, 4.0]
    assert list(pd.read_parquet("results/ratio/results.parquet")["score"]) == [2.0, 4.0]
    Path("figures/ratio.csv").unlink()
    subprocess.run(
        [sys.executable, "studies/ratio.py"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
    )
    assert Path("figures/ratio.csv").read_text() == drawn


def test_sweep_with_failures_draws_what_is_done(project, capsys):
    code = cli.main(["sweep", "studies/ratio.py", "--axis", "behaviour=succeed,raise"])
    assert code == 1
    assert list(pd.read_csv("figures/ratio.csv")["behaviour"]) == ["succeed", "succeed"]
    capsys.readouterr()
    assert cli.main(["status"]) == 1
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.splitlines()[:2]] == [
        ["study", "done", "failed", "pending"],
        ["ratio", "2", "2", "0"],
    ]
    assert printed.count("RuntimeError: told to raise") == 2


def test_sweep_with_nothing_done_draws_nothing(project):
    assert cli.main(["sweep", "ratio", "--axis", "behaviour=raise"]) == 1
    assert not list(Path("figures").iterdir())


def test_dry_run_lists_the_points_and_writes_nothing(project, capsys):
    assert cli.main(["sweep", "ratio", "--dry-run", "--seeds=1-3"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:3] == ["point", "backend", "device.on_off_ratio"]
    assert printed[-1] == "6 points: 6 pending"
    assert len(printed) == 8
    assert sorted(path.name for path in project.iterdir()) == ["studies"]


def test_list(project, monkeypatch, capsys):
    monkeypatch.setattr(
        "cosim.registry.registered",
        lambda group: (
            {"toy": "toys.behave"}
            if group == "cosim.models"
            else {"mock": "pyNN.mock", "absent": "no_such_simulator"}
        ),
    )
    assert cli.main(["list"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line]
    summary = "A model that does what it is told: succeed, raise, or take its process down."
    assert ["toy", summary] in lines
    assert ["mock", "usable"] in lines
    assert ["ratio", "How the score grows with the ratio."] in lines
    assert any(line[0] == "absent" and "needs 'no_such_simulator'" in line[1] for line in lines)


def test_doctor_gets_its_own_options(monkeypatch):
    doctor = ModuleType("cosim.doctor")
    doctor.main = lambda argv: len(argv)
    monkeypatch.setitem(sys.modules, "cosim.doctor", doctor)
    monkeypatch.setattr(cosim, "doctor", doctor, raising=False)
    assert cli.main(["doctor", "--build", "x"]) == 2


def test_main_of_a_study_exits_with_the_code_of_a_failure(project, toy_sweep):
    cosim.main(toy_sweep(), argv=[])
    with pytest.raises(SystemExit) as caught:
        cosim.main(toy_sweep(base={"behaviour": "raise"}), argv=[])
    assert caught.value.code == 1


def test_module_runs_as_command():
    result = subprocess.run(
        [sys.executable, "-m", "cosim", "--help"],
        cwd=Path(cosim.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    for command in ("run", "sweep", "status", "list", "doctor"):
        assert command in result.stdout


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)
