import os
import signal
import sys
import time
from pathlib import Path

import pytest
from toys.behave import MODEL

from cosim import executor, run_sweep
from cosim.fork_server import ForkServer
from cosim.store import Store, read_record, write_spec


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a server; all of them end with the test."""
    servers = []

    def start(model=MODEL, backend="pyNN.mock"):
        with open(tmp_path / "server.txt", "wb") as log:
            servers.append(ForkServer(model, backend, executor._environment(1), log))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def fork(tmp_path):
    """Return a function that forks a server for a point."""

    def fork(server, spec):
        folder = tmp_path / spec.id
        folder.mkdir()
        write_spec(folder, spec)
        reader, writer = os.pipe()
        with open(folder / "log.txt", "wb") as log:
            process = server.fork([str(folder)], writer, log.fileno())
        os.close(writer)
        return process, folder, reader

    return fork


def wait(process, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while process.poll() is None:
        assert time.monotonic() < deadline, f"waited {timeout_s} s for process {process.pid}"
        time.sleep(0.01)
    return process.returncode


def test_fork_runs_a_point_and_the_server_the_next(start, fork, toy_spec):
    server = start()
    for seed in (1, 2):
        process, folder, reader = fork(server, toy_spec(seed))
        assert wait(process) == 0
        assert os.read(reader, 100).startswith(b"0.0000\n")
        assert read_record(folder).metrics["score"] == 10.0 * seed
        os.close(reader)


def test_fork_leads_a_group_and_dies_alone(start, fork, toy_spec):
    server = start()
    first, _, one = fork(server, toy_spec(1, behaviour="hang"))
    second, folder, other = fork(server, toy_spec(2, duration_s=1.0))
    os.read(one, 100)  # It has started.
    assert os.getpgid(first.pid) == first.pid
    os.killpg(first.pid, signal.SIGKILL)
    assert wait(first) == -signal.SIGKILL
    assert wait(second) == 0 and read_record(folder).status == "done"
    os.close(one)
    os.close(other)


def test_answer_that_nobody_read_is_not_taken_for_the_next(start, fork, toy_spec, monkeypatch):
    server = start()
    with monkeypatch.context() as patched:
        patched.setattr(server, "_replies", _interrupted())
        with pytest.raises(KeyboardInterrupt):
            fork(server, toy_spec(1))
    process, folder, reader = fork(server, toy_spec(2))
    assert wait(process) == 0 and read_record(folder).spec.seed == 2
    os.close(reader)


def _interrupted():
    raise KeyboardInterrupt
    yield


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_forks_of_a_killed_server_count_as_killed(start, fork, toy_spec):
    server = start()
    process, _, reader = fork(server, toy_spec(1, behaviour="hang"))
    os.kill(server._process.pid, signal.SIGKILL)
    assert wait(process) == -signal.SIGKILL
    late, _, other = fork(server, toy_spec(2))
    assert wait(late) == -signal.SIGKILL
    assert not server.is_alive
    os.close(reader)
    os.close(other)


def test_points_of_a_dead_server_fail_and_the_next_get_a_new_one(toy_sweep, tmp_path, monkeypatch):
    started = []

    class Watched(ForkServer):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            started.append(self)

        def fork(self, *arguments):
            process = super().fork(*arguments)
            if len(started) == 1:
                os.kill(self._process.pid, signal.SIGKILL)
                self._process.wait()
            return process

    monkeypatch.setattr(executor, "ForkServer", Watched)
    sweep = toy_sweep(seeds=[1, 2, 3], base={"behaviour": "succeed", "duration_s": 0.2})
    table = run_sweep(sweep, tmp_path, jobs=1, progress=False)
    assert list(table["status"]) == ["failed", "done", "done"]
    assert "SIGKILL" in table["error"][0]
    assert len(started) == 2
    assert not any(server.is_alive for server in started)


def test_what_an_import_prints_is_in_the_log_of_the_first_point(toy_sweep, tmp_path, monkeypatch):
    module = tmp_path / "modules" / "broken_backend" / "api.py"
    module.parent.mkdir(parents=True)
    (module.parent / "__init__.py").touch()
    # It can be imported by the sweep, which checks it, but not by the server.
    module.write_text(
        f"import os\nif os.getpid() != {os.getpid()}:\n    raise RuntimeError('no licence')\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "modules")
    sweep = toy_sweep(backends=["broken_backend.api"], seeds=[1, 2])
    table = run_sweep(sweep, tmp_path, jobs=2, progress=False)
    assert list(table["status"]) == ["failed", "failed"]
    for point, error in zip(table["point"], table["error"], strict=True):
        assert error.endswith("RuntimeError: no licence")
        assert "in backend" in Store(tmp_path, "toy").record(point).traceback


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("backend", ["nest", "brian2"])
def test_server_has_no_threads_that_a_fork_would_lack(start, fork, toy_spec, backend):
    server = start(backend=backend)
    process, _, reader = fork(server, toy_spec())
    assert wait(process) == 0
    assert len(list(Path(f"/proc/{server._process.pid}/task").iterdir())) == 1
    os.close(reader)
