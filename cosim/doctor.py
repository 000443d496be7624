"""Check this machine for everything that cosim needs: ``cosim doctor``.

Each check is a small function that returns a `Finding`; none raises, so that one missing piece does
not hide the next.
"""

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cosim.backends import compiling

# Checked by what they provide: conda brings NEST without package metadata, and Boost's headers
# under another name.
_CHECKED_OTHERWISE = {"nest-simulator", "cmeel-boost"}

_TOOLCHAIN_PROBE = "#include <concepts>\n#include <omp.h>\n"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    status : {"ok", "warning", "problem"}
        ``problem`` means that some run will fail until it is solved.
    subject : str
        What was checked.
    message : str
        What was found.
    remedy : str
        What to do; empty if nothing.
    """

    status: Literal["ok", "warning", "problem"]
    subject: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{self.status:<8} {self.subject:<18} {self.message}"
        return f"{line}\n{'':<27} -> {self.remedy}" if self.remedy else line


def requirements() -> dict[str, Requirement]:
    """Return cosim's own requirements that apply here, by package name.

    Returns
    -------
    dict of str to Requirement
        Without those of extras; empty if cosim is not installed but run from its source folder.
    """
    try:
        lines = metadata.requires("cosim") or []
    except metadata.PackageNotFoundError:
        return {}
    found = [Requirement(line) for line in lines]
    return {r.name: r for r in found if r.marker is None or r.marker.evaluate({"extra": ""})}


def check_installed() -> Finding:
    """Check that cosim itself is installed, so that its entry points and requirements are known."""
    try:
        version = metadata.version("cosim")
    except metadata.PackageNotFoundError:
        return Finding(
            "problem",
            "cosim",
            "not installed: models and backends cannot be found by name, versions not be checked",
            "pip install -e . (in a conda environment: pip install --no-deps -e .)",
        )
    return Finding("ok", "cosim", version)


def check_python() -> Finding:
    """Check the Python version against the package's own requirement."""
    version = platform.python_version()
    try:
        supported = metadata.metadata("cosim")["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        supported = ""
    if Version(version) in SpecifierSet(supported):
        return Finding("ok", "python", version)
    return Finding(
        "problem",
        "python",
        f"{version}, need {supported}",
        "make a new environment with a supported Python (environment.yml, or make PYTHON=...)",
    )


def check_package(requirement: Requirement) -> Finding:
    """Check that a required package is installed in a supported version."""
    wanted = f"{requirement.name}{requirement.specifier}"
    remedy = f'pip install "{wanted}"'
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Finding("problem", requirement.name, "not installed", remedy)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding("ok", requirement.name, version)
    return Finding("problem", requirement.name, f"{version}, need {requirement.specifier}", remedy)


def check_nest() -> Finding:
    """Check that NEST starts and that its version is supported.

    It is started in a process of its own: there is one NEST kernel per process, and NEST prints
    when it starts.
    """
    code = "import nest; print(nest.__version__); print(nest.__file__)"
    install = "install NEST: pip install nest-simulator, or conda install nest-simulator"
    try:
        started = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYNEST_QUIET": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding("problem", "NEST", "does not start within 5 minutes", install)
    if started.returncode != 0:
        reason = (started.stderr.strip().splitlines() or [f"exit code {started.returncode}"])[-1]
        return Finding("problem", "NEST", f"cannot be imported: {reason}", install)
    version, path = started.stdout.strip().splitlines()[-2:]
    return judge_nest_version(version, path)


def judge_nest_version(version: str, path: str) -> Finding:
    """Compare a NEST version with the supported range.

    Parameters
    ----------
    version : str
        As NEST reports it. A release candidate counts as its release: conda-forge has shipped
        ``3.10_rc2`` as 3.10.
    path : str
        Where this NEST lies, for the message.
    """
    requirement = requirements().get("nest-simulator", Requirement("nest-simulator"))
    found = f"{version} ({path})"
    try:
        release = Version(version).base_version
    except InvalidVersion:
        return Finding(
            "warning", "NEST", f"{found}: not a release, cannot say whether it is supported"
        )
    if requirement.specifier.contains(release):
        return Finding("ok", "NEST", found)
    return Finding(
        "problem",
        "NEST",
        f"{found}, need {requirement.specifier}",
        f'pip install "{requirement}", or conda install "{requirement}"',
    )


def _build_module() -> ModuleType:
    """Return ``cosim.backends.nest.build`` without its package, which needs NEST and PyNN."""
    path = Path(__file__).parent / "backends" / "nest" / "build.py"
    spec = importlib.util.spec_from_file_location("cosim_nest_build", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_compiler() -> Finding:
    """Check that the C++ compiler knows C++20 and OpenMP, which NEST's headers need."""
    try:
        compiler = compiling.find_compiler()
    except compiling.BuildError as error:
        return Finding("problem", "C++ compiler", str(error))
    probe = subprocess.run(
        [compiler, "-std=c++20", "-fopenmp", "-fsyntax-only", "-x", "c++", "-"],
        input=_TOOLCHAIN_PROBE,
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode == 0:
        return Finding("ok", "C++ compiler", compiler)
    return Finding(
        "problem",
        "C++ compiler",
        f"{compiler} does not compile C++20 with OpenMP",
        "use g++ 10 or newer: load a GCC module, or conda install -c conda-forge cxx-compiler",
    )


def check_nest_headers() -> Finding:
    """Check that NEST's C++ headers are there."""
    build = _build_module()
    try:
        return Finding(
            "ok", "NEST headers", str(build.find_nest_headers(build.find_nest_package()))
        )
    except compiling.BuildError as error:
        return Finding("problem", "NEST headers", str(error))


def check_boost_headers() -> Finding:
    """Check that Boost's C++ headers are there."""
    build = _build_module()
    try:
        return Finding("ok", "Boost headers", str(build.find_boost_headers() or "of the system"))
    except compiling.BuildError as error:
        return Finding("problem", "Boost headers", str(error))


def check_python_headers() -> Finding:
    """Check that Python's C headers are there; without them Brian2 is slow."""
    try:
        return Finding("ok", "Python headers", str(compiling.check_python_headers()))
    except compiling.BuildError as error:
        return Finding("warning", "Python headers", f"Brian2 will be slow: {error}")


def check_make() -> Finding:
    """Check that there is make, which the backend ``brian2_standalone`` needs."""
    try:
        return Finding("ok", "make", compiling.find_make())
    except compiling.BuildError as error:
        return Finding("warning", "make", f"no backend 'brian2_standalone': {error}")


def check_extension() -> Finding:
    """Check whether the NEST extension is built; one that is not is built on first use."""
    build = _build_module()
    built, message = build.status()
    return Finding("ok" if built else "warning", "NEST extension", message)


def check_shadowing(name: str) -> Finding:
    """Check that a package of ours is not hidden by a foreign one of the same name.

    Parameters
    ----------
    name : str
        Import name, for example ``models``.
    """
    ours = Path(__file__).resolve().parent.parent
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return Finding(
            "problem", name, f"package not found beside cosim in {ours}", "reinstall cosim"
        )
    found = Path(spec.origin).resolve().parent
    if found.parent == ours:
        return Finding("ok", name, str(found))
    return Finding(
        "problem",
        name,
        f"import {name} finds a foreign package in {found}",
        f"start Python elsewhere, or take {found.parent} out of PYTHONPATH",
    )


def check_threads() -> Finding:
    """Check that points that run side by side do not each take all cores for linear algebra."""
    value = os.environ.get("OMP_NUM_THREADS")
    if value in (None, "1"):
        found = "not set" if value is None else value
        return Finding("ok", "OMP_NUM_THREADS", f"{found}; NEST uses the threads of the RunSpec")
    return Finding(
        "warning",
        "OMP_NUM_THREADS",
        f"{value}: NEST ignores it, numpy does not, so points side by side compete for cores",
        "export OMP_NUM_THREADS=1, and set the threads of a point in its RunSpec",
    )


def check_writable(subject: str, folder: Path, remedy: str) -> Finding:
    """Check that files can be made in a folder, or in the nearest parent if it does not exist."""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Finding("problem", subject, f"cannot write to {folder}: {error.strerror}", remedy)
    return Finding("ok", subject, str(folder))


def check_cache() -> Finding:
    """Check that the folder for compiled code can be written to."""
    return check_writable("cache", compiling.cache_dir(), "set COSIM_CACHE to a folder of yours")


def all_checks(results: Path) -> Iterator[tuple[str, Callable[[], Finding]]]:
    """Yield the name and function of every check, in the order in which they make sense.

    Parameters
    ----------
    results : Path
        Folder that studies write to.
    """
    yield "cosim", check_installed
    yield "python", check_python
    for name, requirement in requirements().items():
        if name not in _CHECKED_OTHERWISE:
            yield name, partial(check_package, requirement)
    yield "NEST", check_nest
    yield "C++ compiler", check_compiler
    yield "NEST headers", check_nest_headers
    yield "Boost headers", check_boost_headers
    yield "NEST extension", check_extension
    yield "Python headers", check_python_headers
    yield "make", check_make
    for name in ("devices", "models", "hw_targets"):
        yield name, partial(check_shadowing, name)
    yield "OMP_NUM_THREADS", check_threads
    yield "cache", check_cache
    yield (
        "results",
        partial(check_writable, "results", results, "name another folder with --results"),
    )


def run_checks(checks: Iterable[tuple[str, Callable[[], Finding]]]) -> Iterator[Finding]:
    """Run checks one by one; one that fails in an unforeseen way is itself a problem found."""
    for subject, check in checks:
        try:
            yield check()
        except Exception as error:
            yield Finding("problem", subject, f"check failed: {type(error).__name__}: {error}")


def main(argv: list[str] | None = None) -> int:
    """Print one line per check.

    Parameters
    ----------
    argv : list of str, optional
        Command-line arguments without the program's name; those of this process if None.

    Returns
    -------
    int
        1 if there is a problem, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="cosim doctor", description="Check this machine for everything that cosim needs."
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        help="folder that studies write to (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    findings = []
    for finding in run_checks(all_checks(options.results)):
        print(finding, flush=True)
        findings.append(finding)
    problems = sum(finding.status == "problem" for finding in findings)
    warnings = sum(finding.status == "warning" for finding in findings)
    print(f"\nproblems: {problems}, warnings: {warnings}, checks: {len(findings)}")
    return 1 if problems else 0
