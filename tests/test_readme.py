"""What the README shows works: its scripts run, and its table of what works where is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cosim

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


@pytest.mark.parametrize("row", re.findall(r"^\| (.*) \| yes \|$", README, flags=re.M))
def test_table_of_what_works(row):
    capabilities = cosim.backend("nest").capabilities
    known = capabilities.cell_types | capabilities.synapse_types | {"sequence_learning"}
    for name in re.findall(r"`(\w+)`:", row):
        assert name in known
