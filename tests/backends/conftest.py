"""Tests that run unchanged on several backends: `sim` is one after the other."""

from types import ModuleType

import brian2
import pytest

from cosim import backend

# Compiling takes seconds for each kind of object.
brian2.prefs.codegen.target = "numpy"


@pytest.fixture(params=["nest", "brian2"])
def sim(request: pytest.FixtureRequest) -> ModuleType:
    """Return a backend's module."""
    return backend(request.param)
