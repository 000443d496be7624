"""Building the extension: once, wherever it can, and with a clear word where it cannot."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cosim.backends.nest import build

ROOT = Path(__file__).parents[2]
# The file itself: the package would import NEST.
CODE = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("build", {build.__file__!r})
sys.modules["build"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.find_or_build())
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("COSIM_CACHE", str(folder))
    return folder


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A compiler that takes note of what it is asked for and makes empty files."""
    path = tmp_path / "compiler"
    path.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --version ]; then echo compiler 1.0; exit; fi\n'
        f'echo "$@" >> {tmp_path}/calls\n'
        "sleep ${COMPILER_SLEEPS:-0.3}\n"
        'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then : > "$2"; fi; shift; done\n'
    )
    path.chmod(0o755)
    monkeypatch.setenv("CXX", str(path))
    return path


def calls(compiler: Path) -> list[str]:
    log = compiler.parent / "calls"
    return log.read_text().splitlines() if log.exists() else []


def start_build(**environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | environment, start_new_session=True,
    )  # fmt: skip


def source_files() -> list[Path]:
    return sorted(build.SOURCE_DIR.rglob("*.cpp"))


# ---- once --------------------------------------------------------------------------------------


def test_processes_that_build_at_once_build_once(cache, compiler):
    builders = [start_build() for _ in range(3)]
    outputs = [builder.communicate(timeout=120) for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0], outputs
    (library,) = {Path(out.strip()) for out, _ in outputs}
    assert library.is_relative_to(cache) and library.exists()
    # each source is compiled once, and all are linked once
    assert len(calls(compiler)) == len(source_files()) + 1
    assert sum("-shared" in call for call in calls(compiler)) == 1
    assert sum("building the NEST extension" in err for _, err in outputs) == 1
    # neither objects nor temporary folders stay
    assert {path.name for path in library.parent.iterdir()} == {library.name, "build.lock"}


def test_what_is_built_is_not_built_again(cache, compiler, capsys):
    built, message = build.status()
    assert not built and "not built yet" in message
    library = build.find_or_build()
    n = len(calls(compiler))
    assert "building the NEST extension" in capsys.readouterr().err
    assert build.find_or_build() == library
    assert len(calls(compiler)) == n
    assert capsys.readouterr().err == ""
    assert build.status() == (True, f"built: {library}")


def test_a_killed_build_leaves_nothing_that_is_taken_for_a_library(cache, compiler):
    killed = start_build(COMPILER_SLEEPS="600")
    try:
        while len(calls(compiler)) < len(source_files()):
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.02)
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
    (left_over,) = cache.rglob("build-*")
    assert not build.status()[0]
    # the lock is not held by the dead, and the next one tidies up
    library = build.find_or_build()
    assert library.exists() and build.status()[0]
    assert not left_over.exists()


@pytest.mark.slow
def test_real_build_of_two_processes_at_once(cache, tmp_path, monkeypatch):
    real = build.find_compiler()
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("CXX", str(wrapper))
    builders = [start_build() for _ in range(2)]
    outputs = [builder.communicate(timeout=600) for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0], outputs
    compiled = [call for call in calls(wrapper) if "--version" not in call]
    assert len(compiled) == len(source_files()) + 1
    code = (
        "import cosim.backends.nest as sim; sim.setup(); "
        "print(len(sim.Population(2, sim.IF_curr_exp_dAP())))"
    )
    used = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (used.stdout, used.stderr) == ("2\n", "")


# ---- what the library depends on ---------------------------------------------------------------


def test_a_changed_source_is_built_anew(cache, compiler, tmp_path, monkeypatch):
    sources = tmp_path / "module"
    shutil.copytree(build.SOURCE_DIR, sources)
    first = build.find_or_build()
    monkeypatch.setattr(build, "SOURCE_DIR", sources)
    copied = build.find_or_build()
    for name in ("noise.h", "bulk_access.cpp"):
        with (sources / name).open("a") as source:
            source.write("// changed\n")
        changed = build.find_or_build()
        assert changed not in (first, copied) and changed.exists()
        copied = changed
    assert first.exists()


def test_another_compiler_builds_anew(cache, compiler):
    first = build.find_or_build()
    compiler.write_text(compiler.read_text().replace("compiler 1.0", "compiler 2.0"))
    assert build.find_or_build() != first


def test_the_cache_is_where_the_user_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path / "own"))
    assert build.cache_dir() == tmp_path / "own"
    monkeypatch.delenv("COSIM_CACHE")
    assert build.cache_dir() == tmp_path / "xdg" / "cosim"


# ---- what is missing ---------------------------------------------------------------------------


def test_missing_compiler(cache, monkeypatch):
    monkeypatch.setenv("CXX", "/nonexistent")
    with pytest.raises(
        build.BuildError, match=r"no C\+\+ compiler found \(CXX=/nonexistent\)"
    ) as e:
        build.find_or_build()
    for package in ("apt install g++", "cxx-compiler"):
        assert package in str(e.value)
    built, message = build.status()
    assert not built and "CXX=/nonexistent" in message


def test_no_compiler_in_the_path(cache, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.BuildError, match=r"found \(g\+\+, c\+\+ or clang\+\+\)"):
        build.find_or_build()


def test_missing_boost_headers(cache, compiler, monkeypatch):
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: "boost" not in path.parts and exists(path))
    with pytest.raises(build.BuildError, match="Boost headers not found") as error:
        build.find_or_build()
    for package in ("cmeel-boost", "libboost-dev", "libboost-headers"):
        assert package in str(error.value)


def test_boost_headers_of_the_environment(monkeypatch, tmp_path):
    exists = Path.exists
    outside = {"boost"}

    def fake(path: Path) -> bool:
        return exists(path) and (tmp_path in path.parents or not outside & set(path.parts))

    monkeypatch.setattr(Path, "exists", fake)
    header = tmp_path / "include" / "boost" / "type_index.hpp"
    header.parent.mkdir(parents=True)
    header.touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert build.find_boost_headers() == tmp_path / "include"


def test_missing_nest_headers(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(build.BuildError, match=r"C\+\+ headers not found in .*Reinstall NEST"):
        build.find_nest_headers(tmp_path / "nest")


def test_missing_nest(cache, compiler, monkeypatch):
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(build.BuildError, match="pip install nest-simulator==3.10"):
        build.find_or_build()


def test_other_nest_version(cache, compiler, monkeypatch, tmp_path):
    (tmp_path / "config.h").write_text('#define NEST_VERSION "3.11.0"\n')
    monkeypatch.setattr(build, "find_nest_headers", lambda package: tmp_path)
    with pytest.raises(
        build.BuildError, match=r"NEST 3\.11\.0 found .* Install nest-simulator 3\.10"
    ):
        build.find_or_build()


def test_cache_that_cannot_be_written(compiler, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        build.BuildError, match="file/cache: .* Set COSIM_CACHE to a folder you can"
    ):
        build.find_or_build()
    assert calls(compiler) == []


def test_failing_compiler(cache, compiler):
    compiler.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit\n'
        'echo "note: some context"; echo "bulk_access.cpp:7: error: no such thing"; exit 1\n'
    )
    with pytest.raises(build.BuildError, match="error: no such thing") as error:
        build.find_or_build()
    assert f"Command: {compiler} " in str(error.value)
    assert "some context" not in str(error.value)
    assert not build.status()[0]
    assert not list(cache.rglob("build-*"))
