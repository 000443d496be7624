import sys
from pathlib import Path

import pytest

# The toy models are imported by dotted path, here and in the processes of the points.
sys.path.insert(0, str(Path(__file__).parent))

from toys.behave import MODEL  # noqa: E402

from cosim import RunSpec, Sweep  # noqa: E402


@pytest.fixture
def toy_spec():
    """Return a function that makes a point of the toy model from its overrides."""

    def make(seed=1, **overrides):
        return RunSpec(MODEL, "pyNN.mock", overrides, seed)

    return make


@pytest.fixture
def toy_sweep():
    """Return a function that makes a sweep of the toy model."""

    def make(**fields):
        defaults = {"name": "toy", "model": MODEL, "backends": ["pyNN.mock"], "seeds": [1]}
        return Sweep(**(defaults | fields))

    return make


@pytest.fixture
def not_a_folder(tmp_path):
    """Return a path that cannot be created, not even by root."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "results"
