"""What the README shows works: its scripts run, and its table of what works where is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cosim
from cosim.backends.checks import standard_types

README = (Path(__file__).parents[1] / "README.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", README, flags=re.S)


def run(folder, script, *arguments):
    (folder / "script.py").write_text(script)
    return subprocess.run(
        [sys.executable, "script.py", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_study_runs_and_draws(tmp_path):
    study = SCRIPTS[0].replace('"task.episodes": 60', '"task.episodes": 2')
    options = ["--seeds", "1", "--axis", "device.sigma_c2c=0,0.01"]
    done = run(tmp_path, study, *options, "--axis", "device.on_off_ratio=10")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/write_noise/results.parquet").exists()
    for suffix in ("pdf", "png", "csv"):
        assert (tmp_path / f"figures/write_noise.{suffix}").stat().st_size > 0


def test_pynn_script_runs_quietly(tmp_path):
    done = run(tmp_path, SCRIPTS[1] + "assert weights.shape == (100, 100)\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_crossbar_script_runs_quietly(tmp_path):
    done = run(tmp_path, SCRIPTS[2])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


HEADER, _, *ROWS = re.search(r"^\| \|.*?(?=\n\n)", README, flags=re.S | re.M).group().splitlines()
BACKENDS = re.findall(r"`(\w+)`", HEADER)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:30])
def test_table_of_what_works(row):
    """A backend with `yes` declares every type that the row names, one with `no` none of them."""
    what, *answers = (cell.strip() for cell in row.strip("|").split("|"))
    standard = {name for name in re.findall(r"`(\w+)`", what) if name in standard_types()}
    for backend, answer in zip(BACKENDS, answers, strict=True):
        capabilities = cosim.backend(backend).capabilities
        known = capabilities.cell_types | capabilities.synapse_types | capabilities.current_sources
        assert answer in ("yes", "no")
        assert standard <= known if answer == "yes" else not standard & known


@pytest.mark.parametrize(
    ("start", "declared"),
    [("More than one thread", "threads"), ("Values read and changed", "interactive")],
)
def test_table_of_abilities(start, declared):
    (row,) = (row for row in ROWS if row.startswith(f"| {start}"))
    answers = [cell.strip() == "yes" for cell in row.strip("|").split("|")[1:]]
    assert answers == [getattr(cosim.backend(name).capabilities, declared) for name in BACKENDS]
