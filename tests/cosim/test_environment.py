"""environment.yml (conda) and pyproject.toml (PyPI) describe the same installation."""

import re
import tomllib
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

CONDA = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
(PIP,) = (entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))

PYPI_NAME = {"matplotlib-base": "matplotlib"}

# Conda brings these under another name, in other versions.
NOT_IN_CONDA = {"cmeel-boost"}


def split(entry: str) -> tuple[str, str]:
    """Return the PyPI name and the version range, in PyPI's words, of a conda or pip entry."""
    name, bounds = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([=<>!~].*)?", entry).groups()
    bounds = re.sub(r"^=(?!=)(.+)$", r"==\1.*", bounds or "")
    return PYPI_NAME.get(name, name).lower(), bounds


ENVIRONMENT_RANGES = {name: SpecifierSet(bounds) for name, bounds in map(split, CONDA + PIP)}
PYTHON = "3." + re.search(r"\d+\.(\d+)", str(ENVIRONMENT_RANGES["python"])).group(1)


def pyproject_ranges() -> dict[str, SpecifierSet]:
    """Return the ranges of core and test dependencies that apply to the environment's Python."""
    lines = PYPROJECT["dependencies"] + PYPROJECT["optional-dependencies"]["test"]
    found = [Requirement(line) for line in lines]
    return {
        r.name.lower(): r.specifier
        for r in found
        if r.marker is None or r.marker.evaluate({"python_version": PYTHON})
    }


def probes(*ranges: SpecifierSet) -> list[Version]:
    """Return versions at, just below and just above every bound of the ranges."""
    bounds = [Version(s.version.removesuffix(".*")) for r in ranges for s in r]
    found = {Version("0.0.1"), Version("9999")}
    for bound in bounds:
        major, minor, patch = (*bound.release, 0, 0)[:3]
        found |= {bound, Version(f"{major}.{minor}.{patch + 1}"), Version(f"{major}.{minor + 1}")}
        if minor:
            found.add(Version(f"{major}.{minor - 1}.999"))
        elif major:
            found.add(Version(f"{major - 1}.999"))
    return sorted(found)


def allowed(versions: list[Version], bounds: SpecifierSet) -> set[Version]:
    return {version for version in versions if version in bounds}


def test_probes_tell_ranges_apart():
    """The comparison below can fail: each of these pairs differs."""
    for one, other in [(">=2", ">=2.1"), (">=2,<3", ">=2"), ("==3.10.*", ">=3.10"), ("", ">=1")]:
        a, b = SpecifierSet(one), SpecifierSet(other)
        assert allowed(probes(a, b), a) != allowed(probes(a, b), b), (one, other)


@pytest.mark.parametrize("name", sorted(set(pyproject_ranges()) - NOT_IN_CONDA))
def test_every_dependency_is_in_both_files_with_the_same_range(name):
    assert name in ENVIRONMENT_RANGES, f"{name} of pyproject.toml is missing in environment.yml"
    ours, theirs = pyproject_ranges()[name], ENVIRONMENT_RANGES[name]
    versions = probes(ours, theirs)
    assert allowed(versions, theirs) == allowed(versions, ours), (
        f"{name}: pyproject.toml has {ours or 'any'}, environment.yml {theirs or 'any'}"
    )


def test_python_is_supported():
    required = SpecifierSet(PYPROJECT["requires-python"])
    assert allowed(
        probes(required, ENVIRONMENT_RANGES["python"]), ENVIRONMENT_RANGES["python"]
    ) <= (allowed(probes(required, ENVIRONMENT_RANGES["python"]), required))


@pytest.mark.parametrize("entry", CONDA)
def test_conda_understands_every_entry(entry):
    rattler.MatchSpec(entry, strict=False)
    assert " " not in entry and entry.count("=") <= 3


def test_nest_has_no_build_string():
    """conda-forge dropped the MPI builds; asking for one by its build string cannot be solved."""
    (entry,) = (e for e in CONDA if e.startswith("nest-simulator"))
    spec = rattler.MatchSpec(entry, strict=False)
    assert spec.build is None
    assert spec.build_number is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.10", True), ("3.10_rc2", True), ("3.10.0", True), ("3.9", False), ("3.11", False)],
)
def test_nest_as_conda_forge_names_its_versions(version, expected):
    (entry,) = (e for e in CONDA if e.startswith("nest-simulator"))
    spec = rattler.MatchSpec(entry, strict=False)
    assert rattler.VersionSpec(spec.version).matches(rattler.Version(version)) is expected


def test_channels():
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_what_the_extension_is_compiled_with():
    needed = {"cmake", "cxx-compiler", "gsl", "libboost-headers", "libtool", "make"}
    assert needed <= {split(entry)[0] for entry in CONDA}


def test_cosim_itself_is_not_a_pip_entry():
    """It would bring PyPI's NEST over conda's, which has no package metadata for pip to see."""
    assert not [entry for entry in PIP if entry.startswith(("-e", ".", "cosim"))]
