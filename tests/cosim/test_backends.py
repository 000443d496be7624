import importlib.metadata
import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

import cosim
from cosim import Capabilities, InputError, available_backends
from cosim.backends import check_threads


@pytest.fixture
def registered(monkeypatch):
    """Register backends by name and module path."""

    def register(**backends):
        points = [EntryPoint(name, path, "cosim.backends") for name, path in backends.items()]
        monkeypatch.setattr(
            "cosim.registry.entry_points",
            lambda group: [point for point in points if point.group == group],
        )

    return register


def test_registered_and_dotted_names(registered):
    registered(mock="pyNN.mock", another="pyNN.mock")
    assert available_backends() == ("another", "mock")
    assert cosim.backend("mock") is cosim.backend("pyNN.mock")
    assert callable(cosim.backend("mock").setup)


def test_unknown_name_lists_the_known(registered):
    registered(brian2="cosim.backends.brian2", nest="cosim.backends.nest")
    with pytest.raises(InputError, match=r"'nst' \(did you mean 'nest'\?\): .* brian2, nest"):
        cosim.backend("nst")


@pytest.mark.parametrize("name", ["no.such.module", "pyNN.no_such", ".x", "a..b", "numpy"])
def test_module_path_that_cannot_be_imported(registered, name):
    registered()
    with pytest.raises(InputError, match="unknown backend"):
        cosim.backend(name)


def test_missing_simulator_names_the_package(registered, monkeypatch, tmp_path):
    (tmp_path / "needs_nest.py").write_text("import nest\n")
    (tmp_path / "needs_other.py").write_text("import simulator_x.core\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "nest", None)
    registered(nest="needs_nest", other="needs_other")
    with pytest.raises(InputError, match="backend 'nest' needs 'nest': pip install nest-simul"):
        cosim.backend("nest")
    with pytest.raises(InputError, match="needs 'simulator_x'"):
        cosim.backend("other")


def test_threads_of_a_single_threaded_backend(registered, monkeypatch):
    module = ModuleType("single")
    module.capabilities = Capabilities("single", frozenset(), frozenset(), threads=False)
    monkeypatch.setitem(sys.modules, "single", module)
    registered(single="single")
    check_threads("single", 1)
    check_threads("pyNN.mock", 4)
    with pytest.raises(InputError, match="'single' runs on one thread, asked for 2"):
        check_threads("single", 2)


def test_entry_points_are_read_from_the_installed_packages():
    if not importlib.metadata.entry_points(group="cosim.backends"):
        pytest.skip("cosim is not installed")
    assert "nest" in available_backends()
