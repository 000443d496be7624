"""The picture of the time convention shows what the backends do."""

import importlib.util
import re
from pathlib import Path

import brian2
import numpy as np
import pytest

import cosim

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def picture():
    """Return the script that draws the picture."""
    path = DOCS / "figures" / "time_convention.py"
    spec = importlib.util.spec_from_file_location("time_convention", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def without_compiler():
    """Have Brian2 compile nothing, which would take longer than the test."""
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    yield
    brian2.prefs.codegen.target = before


@pytest.mark.parametrize("backend", ["nest", "brian2"])
def test_picture_shows_what_is_simulated(picture, without_compiler, backend):
    sim = cosim.backend(backend)
    sim.setup(timestep=1.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[float(picture.SOURCE_SPIKE)]))
    cell = sim.Population(1, sim.IF_curr_exp(**picture.CELL))
    cell.initialize(v=picture.CELL["v_reset"])
    synapse = sim.StaticSynapse(weight=picture.WEIGHT, delay=float(picture.DELAY))
    sim.Projection(source, cell, sim.OneToOneConnector(), synapse)
    cell.record(["spikes", "v"])
    sim.run(float(picture.N_STEPS))
    segment = cell.get_data().segments[0]
    sim.end()

    sample, _, _, spikes = picture.simulate()
    assert len(spikes) == 1
    np.testing.assert_array_equal(segment.spiketrains[0].magnitude, spikes)
    (v,) = segment.analogsignals
    np.testing.assert_array_equal(v.times.rescale("ms").magnitude, range(picture.N_STEPS + 1))
    np.testing.assert_allclose(v.magnitude[:, 0], sample, rtol=1e-12, atol=1e-12)


def test_picture_is_drawn(picture, tmp_path):
    picture.main(["--figures", str(tmp_path)])
    (path,) = tmp_path.iterdir()
    assert f"](figures/{path.name})" in (DOCS / "time_convention.md").read_text()


def test_documents_link_to_what_exists():
    for document in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (DOCS / target).exists(), f"{document.name} links to {target}"
