import importlib.util
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture
def load_study():
    """Return a function that imports a study by its name."""

    def load(name):
        spec = importlib.util.spec_from_file_location(f"study_{name}", STUDIES / f"{name}.py")
        study = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(study)
        return study

    yield load
    plt.close("all")
