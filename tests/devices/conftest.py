import json
import os
from pathlib import Path

import numpy as np
import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def trajectories() -> dict[str, np.ndarray]:
    """Weights of aihwkit's devices, by name: without noise, n pulses up from 0, then n down."""
    folder = Path(os.environ.get("COSIM_DATA", BESIDE))
    path = folder / "devices" / "aihwkit_noise_free_trajectories.json"
    if not path.is_file():
        pytest.skip(f"no {path}: set COSIM_DATA to the folder of the data sets")
    return {name: np.array(values) for name, values in json.loads(path.read_text()).items()}
