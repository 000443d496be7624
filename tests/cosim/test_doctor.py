import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cosim import doctor
from cosim.backends import compiling
from cosim.doctor import Finding


@pytest.fixture
def not_installed(monkeypatch):
    """Make cosim look as if it were run from its source folder."""

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    for function in ("version", "requires", "metadata"):
        monkeypatch.setattr(metadata, function, missing)


@pytest.fixture
def nest_range(monkeypatch):
    nest = Requirement("nest-simulator>=3.10,<3.11")
    monkeypatch.setattr(doctor, "requirements", lambda: {"nest-simulator": nest})


def fake_nest(folder: Path, code: str) -> None:
    (folder / "nest").mkdir()
    (folder / "nest" / "__init__.py").write_text(code)


def test_finding_prints_as_one_line_and_a_remedy():
    assert str(Finding("ok", "python", "3.12.1")) == "ok       python             3.12.1"
    assert str(Finding("problem", "NEST", "missing", "install it")).splitlines() == [
        "problem  NEST               missing",
        "                            -> install it",
    ]


def test_requirements_are_those_without_extras():
    try:
        metadata.version("cosim")
    except metadata.PackageNotFoundError:
        pytest.skip("cosim is not installed")
    found = doctor.requirements()
    assert {"nest-simulator", "PyNN", "numpy"} <= set(found)
    assert "pytest" not in found


def test_source_folder_without_installation_is_a_problem(not_installed):
    assert doctor.requirements() == {}
    assert doctor.check_installed().status == "problem"
    assert doctor.check_python().status == "ok"


def test_python_outside_the_supported_range(monkeypatch):
    monkeypatch.setattr(metadata, "metadata", lambda _: {"Requires-Python": ">=3.11"})
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.14")
    finding = doctor.check_python()
    assert finding.status == "problem"
    assert "3.10.14" in finding.message and ">=3.11" in finding.message


@pytest.mark.parametrize(
    ("installed", "status"),
    [("2.3.5", "ok"), ("2.4.0", "problem"), ("1.26.4", "problem"), ("2.3.0rc1", "ok")],
)
def test_package_versions_are_compared_with_the_requirement(monkeypatch, installed, status):
    monkeypatch.setattr(metadata, "version", lambda _: installed)
    finding = doctor.check_package(Requirement("numpy>=2,<2.4"))
    assert finding.status == status
    assert installed in finding.message
    assert (status == "ok") == (finding.remedy == "")


def test_missing_package_is_named_with_its_install_command():
    finding = doctor.check_package(Requirement("no-such-package-of-cosim>=1"))
    assert finding.status == "problem"
    assert finding.remedy == 'pip install "no-such-package-of-cosim>=1"'


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("3.10.0", "ok"),
        ("3.10.0-post0.dev0", "ok"),
        ("3.10_rc2", "ok"),  # conda-forge's 3.10
        ("3.9.0", "problem"),
        ("3.11.0", "problem"),
        ("master@0123abc", "warning"),
    ],
)
def test_nest_versions(nest_range, version, status):
    finding = doctor.judge_nest_version(version, "/some/where")
    assert finding.status == status
    assert version in finding.message and "/some/where" in finding.message


def test_nest_is_started_quietly_in_its_own_process(nest_range, tmp_path, monkeypatch):
    fake_nest(
        tmp_path,
        "import os\n"
        "assert os.environ['PYNEST_QUIET'] == '1'\n"
        "print('banner')\n"
        "__version__ = '3.9.0'\n",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = set(sys.modules)
    finding = doctor.check_nest()
    assert finding.status == "problem"
    assert finding.message.startswith(f"3.9.0 ({tmp_path / 'nest'}")
    assert set(sys.modules) - before == set()


def test_broken_nest_gives_the_reason(tmp_path, monkeypatch):
    fake_nest(tmp_path, "raise ImportError('libgsl.so.27: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = doctor.check_nest()
    assert finding.status == "problem"
    assert "libgsl.so.27: cannot open" in finding.message
    assert finding.remedy


def script(path: Path, code: str) -> Path:
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("exit_code", "status"), [(0, "ok"), (1, "problem")])
def test_compiler_must_know_cxx20_and_openmp(tmp_path, monkeypatch, exit_code, status):
    compiler = script(tmp_path / "c++", f"cat > /dev/null; exit {exit_code}")
    monkeypatch.setenv("CXX", str(compiler))
    finding = doctor.check_compiler()
    assert finding.status == status
    assert str(compiler) in finding.message


def test_missing_compiler(tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.check_compiler()
    assert finding.status == "problem"
    assert "cxx-compiler" in finding.message  # names the package to install


def test_without_make_there_is_no_standalone_backend(tmp_path, monkeypatch):
    assert doctor.check_make().status == "ok"
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.check_make()
    assert finding.status == "warning"
    assert "apt install make" in finding.message


def test_without_python_headers_brian2_is_slow(tmp_path, monkeypatch):
    assert doctor.check_python_headers().status == "ok"
    monkeypatch.setattr(
        compiling.sysconfig, "get_paths", lambda: {"include": str(tmp_path / "include")}
    )
    finding = doctor.check_python_headers()
    assert finding.status == "warning"
    assert "python3-dev" in finding.message and str(tmp_path) in finding.message


def test_extension_that_is_not_built_is_a_warning_only(tmp_path, monkeypatch):
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path))
    assert doctor.check_extension().status == "warning"


def test_foreign_package_in_place_of_ours(tmp_path, monkeypatch):
    assert doctor.check_shadowing("devices").status == "ok"
    (tmp_path / "ours_but_not").mkdir()
    (tmp_path / "ours_but_not" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    finding = doctor.check_shadowing("ours_but_not")
    assert finding.status == "problem"
    assert str(tmp_path) in finding.message
    assert doctor.check_shadowing("no_such_package_of_cosim").status == "problem"


@pytest.mark.parametrize(("value", "status"), [(None, "ok"), ("1", "ok"), ("16", "warning")])
def test_threads_of_linear_algebra(monkeypatch, value, status):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if value is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert doctor.check_threads().status == status


def test_folders_that_can_be_written_to_are_left_as_they_are(tmp_path):
    finding = doctor.check_writable("results", tmp_path / "not" / "yet", "")
    assert finding.status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_folder_below_a_file_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    finding = doctor.check_writable("results", tmp_path / "file" / "results", "name another")
    assert finding.status == "problem"
    assert finding.remedy == "name another"


def test_cache_is_where_the_extension_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("COSIM_CACHE", str(tmp_path / "cache"))
    assert doctor.check_cache().message == str(tmp_path / "cache")


def test_check_that_fails_does_not_hide_the_others():
    def broken():
        raise RuntimeError("no idea")

    first, second = doctor.run_checks([("a", broken), ("b", lambda: Finding("ok", "b", "fine"))])
    assert (first.status, first.subject) == ("problem", "a")
    assert "RuntimeError: no idea" in first.message
    assert second.status == "ok"


@pytest.mark.parametrize(
    ("statuses", "exit_code"),
    [(["ok", "warning"], 0), (["ok", "problem", "warning"], 1), ([], 0)],
)
def test_exit_code_says_whether_there_is_a_problem(monkeypatch, capsys, statuses, exit_code):
    checks = [(s, lambda s=s: Finding(s, "subject", "message")) for s in statuses]
    monkeypatch.setattr(doctor, "all_checks", lambda results: checks)
    assert doctor.main([]) == exit_code
    assert f"problems: {statuses.count('problem')}" in capsys.readouterr().out


def test_every_check_is_run_on_this_machine(capsys, tmp_path):
    """The machine that runs the tests has what the tests need."""
    doctor.main(["--results", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    found = {line[9:27].strip(): line[:9].strip() for line in lines if line[:1] not in (" ", "")}
    for subject in ("NEST", "C++ compiler", "NEST headers", "Boost headers", "results", "models"):
        assert found[subject] == "ok", lines
