"""Brian2's standalone mode: the same results from one compiled program, kept for later runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cosim.backends.brian2 as runtime
import cosim.backends.brian2_standalone as standalone
from cosim.backends.brian2 import standalone as implementation
from cosim.backends.compiling import BuildError
from devices import Memristor, Update

ROOT = Path(__file__).parents[2]
H = 0.1
# Every effect of a device that has code of its own.
DEVICE = dict(
    on_off_ratio=10.0, n_levels=64, sigma_c2c=0.03, sigma_read=0.2, sigma_d2d_g_max=0.1,
    sigma_d2d_g_min=0.1, stuck_on=0.05, stuck_off=0.05, drift_nu=0.1, drift_t0_s=0.01,
    endurance=300.0, update=Update(law="linear", step_up=0.02, step_down=0.01),
)  # fmt: skip
OTHER = dict(
    sigma_c2c=0.05, n_levels=16, endurance=60.0, drift_nu=0.2,
    update=Update(
        law="piecewise", step_up=0.03, step_down=0.02, nodes_up=(1.0, 0.5), nodes_down=(0.2, 0.9)
    ),
)  # fmt: skip


def network(sim, *, seed=3, tau_m=10.0, w_max=0.08, delay=2.0, sigma_read=0.2, **device):
    """Build a network in which sources learn to excite the dendrites of recurrent cells."""
    sim.setup(timestep=H, rng_seed=seed)
    rng = np.random.default_rng(seed)
    # Two spikes can be under way at once, in both directions.
    trains = [np.sort(rng.choice(np.arange(1.0, 99.0), 30, replace=False)) for _ in range(8)]
    sources = sim.Population(8, sim.SpikeSourceArray(spike_times=trains), label="sources")
    cells = sim.Population(
        5, sim.IF_curr_exp_dAP(tau_m=tau_m, tau_dAP=8.0, tau_refrac=1.0, tau_h=50.0), label="cells"
    )
    drive = sim.Projection(
        sources, cells, sim.FixedNumberPreConnector(6),
        sim.StaticSynapse(weight=1.2, delay=1.0), receptor_type="excitatory", label="drive",
    )  # fmt: skip
    synapse = sim.MemristiveSTDP(
        device=Memristor(**DEVICE | device), delay=delay, permanence=0.2, w_max=w_max,
        lambda_plus=0.05,
    )  # fmt: skip
    learning = sim.Projection(sources, cells, sim.AllToAllConnector(), synapse, label="learning")
    programmed = sim.MemristiveSynapse(
        weight=0.2, device=Memristor(on_off_ratio=10.0, sigma_c2c=0.1, sigma_read=sigma_read)
    )
    sim.Projection(
        sources, cells, sim.OneToOneConnector(), programmed, receptor_type="excitatory",
        label="programmed",
    )  # fmt: skip
    cells.initialize(v=[0.0, 1.0, 2.0, 3.0, 4.0], dAP_trace=0.5)
    cells.record(["v", "spikes", "dAP"])
    return sources, cells, drive, learning


def outcome(cells, learning):
    segment = cells.get_data().segments[0]
    (event,) = segment.events
    return {
        "spikes": [np.round(train.magnitude, 6).tolist() for train in segment.spiketrains],
        "onsets": np.round(event.times.magnitude, 6).tolist(),
        "cells": event.array_annotations["source_index"].tolist(),
        "v": segment.analogsignals[0].magnitude,
        "state": np.array(learning.read("permanence", "weight", "n_events", "n_spikes", "n_set")),
    }


def simulate(sim, duration=100.0, **parameters):
    _, cells, _, learning = network(sim, **parameters)
    sim.run(duration)
    return outcome(cells, learning)


def assert_same(found, expected):
    for name in ("spikes", "onsets", "cells"):
        assert found[name] == expected[name]
    np.testing.assert_allclose(found["v"], expected["v"], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found["state"], expected["state"], rtol=1e-11)


@pytest.fixture
def compiled(monkeypatch):
    """Return the list of programs that have been compiled."""
    programs = []
    build = implementation._build

    def counted(project, program):
        programs.append(program)
        build(project, program)

    monkeypatch.setattr(implementation, "_build", counted)
    return programs


# ---- one program for all numbers ---------------------------------------------------------------


def test_results_are_those_of_the_ordinary_mode(compiled):
    found = simulate(standalone)
    compiled.clear()  # it may have been in the cache
    expected = simulate(runtime)
    assert_same(found, expected)
    assert min(map(len, expected["spikes"])) > 3
    assert len(expected["onsets"]) > 5
    assert expected["state"][2].max() > 20
    assert expected["state"][4].max() > 20
    for other in (
        dict(seed=4),
        dict(tau_m=14.0, w_max=0.1, delay=1.5, sigma_read=0.1, duration=70.0, **OTHER),
    ):
        assert_same(simulate(standalone, **other), simulate(runtime, **other))
    assert compiled == []


def test_time_of_several_runs_adds_up():
    _, cells, _, learning = network(standalone)
    for duration in (30.0, 0.0, 20.05):
        standalone.run(duration)
    assert standalone.get_current_time() == 50.1
    assert_same(outcome(cells, learning), simulate(runtime, 50.1))


@pytest.mark.slow
def test_what_is_set_before_the_run_counts():
    found = []
    for sim in (standalone, runtime):
        _, cells, drive, learning = network(sim)
        cells[1:3].set(tau_m=[8.0, 12.0], i_offset=0.1)
        drive.set(weight=1.0)
        learning.set(permanence=0.6)
        learning.initialize(permanence=0.3)
        sim.run(60.0)
        found.append(outcome(cells, learning))
        assert cells.get("tau_m").tolist() == [10.0, 8.0, 12.0, 10.0, 10.0]
    assert_same(*found)


# ---- what cannot be done -----------------------------------------------------------------------


def test_values_before_a_run_are_initial():
    sources, cells, drive, learning = network(standalone)
    assert set(learning.get("permanence", "list", with_address=False)) == {np.round(12.6) / 63}
    assert set(learning.get("n_events", "list", with_address=False)) == {0}
    assert set(drive.get("weight", "list", with_address=False)) == {1.2}
    assert cells.get("tau_m") == 10.0
    assert len(cells.get_data().segments) == 0
    assert standalone.get_current_time() == 0.0
    # and nothing has been simulated by that
    cells.set(tau_m=12.0)
    assert cells.get("tau_m") == 12.0


CHANGES = {
    "parameters": (lambda s, c, d, p: c.set(tau_m=5.0), "Population 'cells': tau_m: cannot be"),
    "parameters of a view": (lambda s, c, d, p: c[:2].set(tau_m=5.0), "tau_m: cannot be"),
    "initial values": (lambda s, c, d, p: c.initialize(v=1.0), "'cells': initial values: cannot"),
    "recording": (lambda s, c, d, p: c.record("i_dend"), "Population 'cells': record: cannot"),
    "spike times": (lambda s, c, d, p: s.set(spike_times=[1.0]), "'sources': spike_times: cannot"),
    "weights": (lambda s, c, d, p: d.set(weight=1.0), "StaticSynapse 'drive': weight: cannot"),
    "states": (lambda s, c, d, p: p.set(permanence=0.5), "MemristiveSTDP 'learning': permanence"),
    "populations": (
        lambda s, c, d, p: standalone.Population(1, standalone.IF_curr_exp(), label="late"),
        "Population 'late': the network: cannot",
    ),
    "projections": (
        lambda s, c, d, p: standalone.Projection(
            c, c, standalone.AllToAllConnector(), standalone.StaticSynapse(weight=1.0),
            receptor_type="excitatory", label="late",
        ),
        "Projection 'late': the network: cannot",
    ),
}  # fmt: skip


def test_changes_after_a_run_are_refused(monkeypatch):
    parts = network(standalone)
    standalone.run(10.0)
    monkeypatch.setattr(standalone.simulator.state, "settle", lambda: pytest.fail("simulated"))
    missed = []
    for name, (change, message) in CHANGES.items():
        try:
            change(*parts)
        except RuntimeError as error:
            assert message in str(error), name
            assert "after run(): a standalone simulation takes place as a whole" in str(error)
            assert "use the backend 'brian2'" in str(error)
        else:
            missed.append(name)
    assert missed == []


def test_there_is_no_way_back(monkeypatch):
    network(standalone)
    standalone.run(10.0)
    monkeypatch.setattr(standalone.simulator.state, "settle", lambda: pytest.fail("simulated"))
    with pytest.raises(RuntimeError, match="reset: a standalone program runs once"):
        standalone.reset()


def test_there_are_no_current_sources():
    with pytest.raises(AttributeError, match="lacks the standard type DCSource: use .* i_offset"):
        standalone.DCSource(amplitude=1.0)


def test_no_run_after_values_have_been_read():
    _, cells, _, _ = network(standalone)
    standalone.run(10.0)
    cells.get_data()
    with pytest.raises(RuntimeError, match=r"run: the simulation to 10\.0 ms has taken place"):
        standalone.run(10.0)


def test_what_the_backend_says_of_itself():
    assert standalone.capabilities.name == "brian2_standalone"
    assert not standalone.capabilities.interactive
    assert runtime.capabilities.interactive
    assert standalone.capabilities.cell_types == runtime.capabilities.cell_types


# ---- what is missing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "message"),
    [("CXX", r"no C\+\+ compiler found \(CXX=/nonexistent\)"), ("PATH", "make not found")],
)
def test_missing_tools(monkeypatch, tmp_path, variable, message):
    monkeypatch.setenv("CXX", implementation.find_compiler())
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path))
    monkeypatch.setenv(variable, "/nonexistent")
    with pytest.raises(BuildError, match=message) as error:
        _, cells, _, _ = network(standalone)
        standalone.run(10.0)
        cells.get_data()
    assert "apt install" in str(error.value) and "conda" in str(error.value)


def test_failing_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path / "cache"))
    compiler = tmp_path / "compiler"
    compiler.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit\necho "x.cpp: error: no" >&2\nexit 1\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    _, cells, _, _ = network(standalone)
    standalone.run(10.0)
    with pytest.raises(BuildError, match=r"failed on Brian2's code:\n  x\.cpp: error: no"):
        cells.get_data()
    assert not list((tmp_path / "cache").rglob("main"))


# ---- at once -----------------------------------------------------------------------------------

PROCESS = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("networks", sys.argv[1])
networks = module_from_spec(spec)
spec.loader.exec_module(networks)
found = networks.simulate(networks.standalone, seed=int(sys.argv[2]))
print(found["spikes"], found["state"].tolist())
"""


@pytest.mark.slow
def test_processes_at_once_compile_once_and_do_not_disturb_each_other(tmp_path):
    environment = os.environ | {"COSIM_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}

    def run(*seeds):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", PROCESS, __file__, str(seed)], env=environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for seed in seeds
        ]  # fmt: skip
        outputs = [process.communicate(timeout=600) for process in processes]
        assert [process.returncode for process in processes] == [0] * len(seeds), outputs
        return [output for output, _ in outputs]

    first = run(3, 4)
    assert sum("compiling the Brian2 simulation" in output for output in first) == 1
    (program,) = (tmp_path / "cache").rglob("main")
    made = program.stat().st_mtime_ns
    again = run(3, 4)
    results = [output.splitlines()[-1] for output in first]
    assert [output.splitlines() for output in again] == [[result] for result in results]
    assert results[0] != results[1]
    assert program.stat().st_mtime_ns == made
