import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

import cosim
from cosim import InputError, executor, run_sweep
from cosim.store import Store

STUDY = """
import cosim
sweep = cosim.Sweep(
    "toy", "toys.behave",
    base={{"journal": {journal!r}, "duration_s": {duration}, "behaviour": {behaviour!r}}},
    seeds=range(1, {points} + 1),
    backends=["pyNN.mock"],
)
if __name__ == "__main__":
    cosim.main(sweep)
"""


def events(journal, kind):
    """Return how often each seed is noted in a journal."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return Counter(int(line.split()[1]) for line in lines if line.startswith(kind))


def processes(journal):
    """Return the process ids noted in a journal."""
    return {int(line.split()[2]) for line in journal.read_text().splitlines()}


def wait_until(condition, what, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.01)


@pytest.fixture
def study(tmp_path):
    """Return functions that start a study script, and its journal."""
    journal = tmp_path / "journal"

    def start(points, duration, behaviour="succeed"):
        script = tmp_path / "study.py"
        fields = {"points": points, "duration": duration, "behaviour": behaviour}
        script.write_text(STUDY.format(journal=str(journal), **fields))
        path = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
        return subprocess.Popen(
            [sys.executable, str(script), "--jobs=2"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start, journal, Store(tmp_path / "results", "toy")


def finished(store):
    """Return the time of writing of every record."""
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in store.folder.glob("points/*/record.json")
    }


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_sweep_resumes_without_losing_or_repeating_a_point(study):
    start, journal, store = study
    process = start(8, 0.3)
    wait_until(lambda: len(finished(store)) >= 3, "three finished points")
    process.kill()
    process.communicate()
    workers = processes(journal)
    wait_until(lambda: not any(map(is_running, workers)), "the workers to die", timeout_s=5)
    before = finished(store)
    assert 3 <= len(before) < 8
    done_before = {store.record(identifier).spec.seed for identifier in before}

    # What a kill in the middle of a write can leave behind.
    victim = store.point(next(p for p in store.read_sweep()["points"] if p not in before))
    victim.mkdir(exist_ok=True)
    (victim / "record.json.tmp").write_text('{"schema": 1, "status": "do')
    (victim / "record.json").write_text('{"schema": 1, "status": "do')

    process = start(8, 0.3)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    after = finished(store)
    assert before.items() <= after.items(), "a finished record was written again"
    table = pd.read_parquet(store.folder / "results.parquet")
    assert list(table["status"]) == ["done"] * 8
    assert list(table["seed"]) == list(range(1, 9))
    starts = events(journal, "start")
    assert all(starts[seed] == 1 for seed in done_before), "a finished point ran again"
    # Killed points start twice; a few may have been killed before their first note.
    assert set(starts) == set(range(1, 9)) and sum(starts.values()) <= 8 + 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl and /proc")
def test_points_that_report_nothing_die_with_the_sweep(study):
    start, journal, _ = study
    process = start(2, 0, behaviour="hang")
    wait_until(lambda: len(events(journal, "start")) == 2, "two running points")
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(is_running, processes(journal))), "their end", timeout_s=5)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_interrupt_stops_the_points_and_says_how_to_resume(study):
    start, journal, store = study
    process = start(4, 30)
    wait_until(lambda: len(events(journal, "start")) == 2, "two running points")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "the same command resumes" in errors and "Traceback" not in errors
    workers = processes(journal)
    assert not any(map(is_running, workers))
    assert finished(store) == {}


def test_dying_and_failing_points_leave_the_others_unharmed(toy_sweep, tmp_path, capfd):
    sweep = toy_sweep(axes={"behaviour": ["abort", "exit", "raise", "succeed"]}, seeds=[1, 2])
    table = run_sweep(sweep, tmp_path, jobs=3).set_index(["behaviour", "seed"])
    assert list(table.loc["succeed"]["status"]) == ["done", "done"]
    assert list(table.loc["succeed"]["score"]) == [10.0, 20.0]
    failed = table.drop("succeed")
    assert set(failed["status"]) == {"failed"} and failed["score"].isna().all()
    assert table.loc["abort", 1]["error"] == "process killed by SIGABRT"
    assert table.loc["exit", 1]["error"].endswith("ended with code 3 and no record: about to exit")
    assert table.loc["raise", 1]["error"] == "RuntimeError: told to raise"

    store = Store(tmp_path, "toy")
    aborted = store.record(table.loc["abort", 1]["point"])
    assert "about to abort" in aborted.traceback and "Aborted" in aborted.traceback
    assert "in simulate" in store.record(table.loc["raise", 1]["point"]).traceback
    done = table.loc["succeed", 1]["point"]
    assert store.record(done).arrays.keys() == {"spikes", "file"}
    errors = capfd.readouterr().err
    assert "6 of 8 points failed" in errors and "told to raise" in errors
    assert "8/8 points, 6 failed" in errors


def test_failed_points_are_kept_unless_retried(toy_sweep, tmp_path):
    journal = tmp_path / "journal"
    sweep = toy_sweep(axes={"behaviour": ["raise", "succeed"]}, base={"journal": str(journal)})
    for retry_failed, starts in ((False, 2), (False, 2), (True, 3)):
        table = run_sweep(sweep, tmp_path, retry_failed=retry_failed, progress=False)
        assert list(table["status"]) == ["failed", "done"]
        assert sum(events(journal, "start").values()) == starts


def test_record_of_other_defaults_is_not_taken_for_done(toy_sweep, tmp_path, capsys):
    journal = tmp_path / "journal"
    sweep = toy_sweep(axes={"device.on_off_ratio": [2, 4]}, base={"journal": str(journal)})
    table = run_sweep(sweep, tmp_path, progress=False)
    # As if the default of another parameter had been another when the first point was run.
    record = Store(tmp_path, sweep.name).point(table["point"][0]) / "record.json"
    content = record.read_text()
    assert '"device.n_levels": null' in content
    record.write_text(content.replace('"device.n_levels": null', '"device.n_levels": 8'))

    cosim.main(sweep, argv=["--dry-run", "--results", str(tmp_path)])
    assert "1 pending" in capsys.readouterr().out

    again = run_sweep(sweep, tmp_path, progress=False)
    assert list(again["status"]) == ["done", "done"]
    assert sum(events(journal, "start").values()) == 3
    assert '"device.n_levels": null' in record.read_text()


def test_results_carry_their_provenance(toy_sweep, tmp_path):
    sweep = toy_sweep(axes={"device.on_off_ratio": [2, 4]})
    table = run_sweep(sweep, tmp_path, progress=False)
    path = tmp_path / "toy" / "results.parquet"
    pd.testing.assert_frame_equal(pd.read_parquet(path), table)
    metadata = json.loads(pyarrow.parquet.read_schema(path).metadata[b"cosim"])
    assert metadata["sweep"]["points"] == list(table["point"])
    assert metadata["sweep"]["axes"] == {"device.on_off_ratio": [2, 4]}
    assert metadata["versions"][0]["pyNN"]
    assert metadata["hosts"]


def test_second_sweep_on_the_same_study_is_refused(toy_sweep, tmp_path):
    store = Store(tmp_path, "toy")
    store.prepare()
    with store.lock(), pytest.raises(InputError, match="already being run by process"):
        run_sweep(toy_sweep(), tmp_path)


def test_processes_are_fresh_and_see_their_threads(toy_sweep, tmp_path):
    journal = tmp_path / "journal"
    sweep = toy_sweep(base={"journal": str(journal)}, seeds=[1, 2, 3])
    run_sweep(sweep, tmp_path, jobs=1, progress=False)
    assert len(processes(journal)) == 3
    assert executor._environment(4)["OMP_NUM_THREADS"] == "4"
    assert executor._environment(4)["OPENBLAS_NUM_THREADS"] == "1"


def test_cores_are_divided_among_the_slots_that_fill_the_machine(monkeypatch):
    monkeypatch.setattr(executor, "available_cpus", lambda: [0, 1, 2, 3, 8])
    assert executor.default_jobs(2) == 2
    assert executor.default_jobs(8) == 1
    assert executor._cpu_slots(2, 2) == [(0, 1), (2, 3)]
    assert executor._cpu_slots(5, 1) == [(0,), (1,), (2,), (3,), (8,)]
    assert executor._cpu_slots(3, 1) == [(), (), ()]
    assert executor._cpu_slots(1, 8) == [()]
