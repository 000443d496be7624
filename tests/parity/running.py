"""Run one network description on several backends and compare what comes out.

A description is a function of the backend's module, written with the PyNN API alone. It returns
arrays by name; `spikes_of` and `signal_of` read them.
"""

from collections.abc import Callable
from functools import cache

import brian2
import numpy as np
import pytest

from cosim import backend

#: Time step in ms of all descriptions that do not say otherwise.
H = 0.1

Description = Callable[..., dict[str, np.ndarray]]

#: How Brian2 can run a network; what needs a compiler is slow.
BRIAN2 = [
    "numpy",
    pytest.param("cython", marks=pytest.mark.slow),
    pytest.param("standalone", marks=pytest.mark.slow),
]

#: The same, with a duration in ms that numpy can do in a few seconds.
BRIAN2_AND_DURATION = [
    pytest.param("numpy", 250.0),
    pytest.param("cython", 1000.0, marks=pytest.mark.slow),
    pytest.param("standalone", 1000.0, marks=pytest.mark.slow),
]


@cache
def on_nest(description: Description, *args: object) -> dict[str, np.ndarray]:
    """Run a description on NEST, once for all that compare with it."""
    return description(backend("nest"), *args)


def on_brian2(description: Description, *args: object, way: str = "numpy") -> dict[str, np.ndarray]:
    """Run a description on Brian2; `way` is "numpy", "cython" or "standalone"."""
    if way == "standalone":
        return description(backend("brian2_standalone"), *args)
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = way
    try:
        return description(backend("brian2"), *args)
    finally:
        brian2.prefs.codegen.target = before


def spikes_of(population, segment: int = 0, h: float = H) -> np.ndarray:
    """Return the recorded spikes as rows (step, index of the cell), sorted; shape (n, 2)."""
    trains = population.get_data("spikes").segments[segment].spiketrains
    steps = [np.rint(train.magnitude / h).astype(int) for train in trains]
    cells = np.repeat([t.annotations["source_index"] for t in trains], [len(s) for s in steps])
    rows = np.column_stack([np.concatenate(steps), cells])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def onsets_of(population, h: float = H) -> np.ndarray:
    """Return the dendritic action potentials as rows (step, index of the cell), sorted."""
    (event,) = population.get_data("dAP").segments[0].events
    steps = np.rint(event.times.magnitude / h).astype(int)
    rows = np.column_stack([steps, event.array_annotations["source_index"]])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def signal_of(population, variable: str, segment: int = 0) -> np.ndarray:
    """Return the samples of a variable, shape (n_samples, n_cells)."""
    data = population.get_data(variable).segments[segment]
    (signal,) = (s for s in data.analogsignals if s.name == variable)
    return signal.magnitude


def assert_same_spikes(found: np.ndarray, expected: np.ndarray, at_least: int) -> None:
    """Check that two runs have the same spikes, and enough of them for that to say something."""
    assert len(expected) >= at_least, f"only {len(expected)} spikes"
    only_one = {*map(tuple, found.tolist())} ^ {*map(tuple, expected.tolist())}
    first = min(only_one, default=None)
    assert first is None, f"{len(only_one)} of {len(expected)} differ; first (step, cell): {first}"
    np.testing.assert_array_equal(found, expected)
