"""Compiling Brian2's code: once, as the user wants it, and with a clear word where it cannot."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import brian2
import pytest

from cosim.backends import compiling
from cosim.backends.brian2 import build

ROOT = Path(__file__).parents[2]
PREFERENCES = (
    "codegen.target", "codegen.runtime.cython.cache_dir", "codegen.cpp.extra_compile_args_gcc"
)  # fmt: skip
NETWORK = """
import cosim.backends.brian2 as sim
sim.setup(timestep=0.1)
source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 4.0]))
cells = sim.Population(2, sim.IF_curr_exp(i_offset=[0.5, 1.0]))
synapse = sim.StaticSynapse(weight=20.0, delay=1.0)
connections = sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
cells.record("spikes")
sim.run(10.0)
print([train.magnitude.round(6).tolist() for train in cells.get_data().segments[0].spiketrains])
"""


@pytest.fixture
def fresh():
    """Brian2's preferences as they are before anyone has set one."""
    before = {name: brian2.prefs[name] for name in PREFERENCES}
    for name in PREFERENCES:
        category, _, key = name.rpartition(".")
        brian2.prefs[name] = brian2.prefs.pref_register[category][0][key].default
    yield
    for name, value in before.items():
        brian2.prefs[name] = value


def start(code: str = NETWORK, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip


def modules(cache: Path) -> dict[str, int]:
    """Return when each compiled module was made."""
    return {path.name: path.stat().st_mtime_ns for path in cache.rglob("*.so")}


# ---- once --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_later_processes_compile_nothing(tmp_path):
    cache = tmp_path / "cache"
    first = [start(COSIM_CACHE=str(cache)) for _ in range(2)]  # at once
    outputs = [process.communicate(timeout=600) for process in first]
    assert [process.returncode for process in first] == [0, 0], outputs
    made = modules(cache)
    assert len(made) > 3
    # nor does a second simulation, while the objects of the first still exist
    twice = NETWORK + "first = source, cells, connections" + NETWORK
    later = start(twice, COSIM_CACHE=str(cache))
    outputs.append(later.communicate(timeout=600))
    assert later.returncode == 0, outputs
    assert modules(cache) == made
    assert {line for out, _ in outputs for line in out.splitlines()} == {outputs[0][0].strip()}
    assert outputs[0][0].startswith("[[2.8, 3.9,")


# ---- as the user wants it ----------------------------------------------------------------------


def test_what_is_preferred(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path))
    build.configure()
    assert brian2.prefs.codegen.target == "cython"
    assert brian2.prefs.codegen.runtime.cython.cache_dir == str(tmp_path / "brian2-cython")
    flags = brian2.prefs.codegen.cpp.extra_compile_args_gcc
    # what would make results depend on the machine
    assert not {"-ffast-math", "-march=native", "-Ofast"} & set(flags)
    assert "-ffp-contract=off" in flags


def test_preferences_of_the_user_stay(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "/nonexistent")
    own = ("numpy", str(tmp_path / "own"), ["-O1"])
    for name, value in zip(PREFERENCES, own, strict=True):
        brian2.prefs[name] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build.configure()
    assert tuple(brian2.prefs[name] for name in PREFERENCES) == own


# ---- what is missing ---------------------------------------------------------------------------


def test_missing_compiler(fresh, monkeypatch):
    monkeypatch.setenv("CXX", "/nonexistent")
    with pytest.warns(UserWarning, match="Brian2 runs its code in numpy, which is slow") as caught:
        build.configure()
    message = str(caught[0].message)
    for part in ("CXX=/nonexistent", "apt install g++", "dnf install gcc-c++", "cxx-compiler"):
        assert part in message
    assert brian2.prefs.codegen.target == "numpy"


def test_missing_python_headers(fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(compiling.sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    with pytest.warns(UserWarning, match="Python's C headers not found in .*python3-dev"):
        build.configure()
    assert brian2.prefs.codegen.target == "numpy"


def test_a_network_runs_without_a_compiler(tmp_path):
    process = start(CXX="/nonexistent", COSIM_CACHE=str(tmp_path / "cache"))
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert out.startswith("[[2.8, 3.9,")
    # one warning, at the line of the user's script
    assert error.count("no C++ compiler found") == 1
    assert "<string>:3: UserWarning" in error
    assert modules(tmp_path) == {}
