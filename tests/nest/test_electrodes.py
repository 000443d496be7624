"""Current sources take effect at their time, whatever delays the network has."""

import numpy as np
import pytest

import cosim.backends.nest as sim

H = 0.1
SOURCES = {
    "DC": lambda start: sim.DCSource(amplitude=0.1, start=start, stop=start + 2.0),
    "step": lambda start: sim.StepCurrentSource(times=[start, start + 2.0], amplitudes=[0.1, 0.0]),
    "AC": lambda start: sim.ACSource(amplitude=0.1, offset=0.2, start=start, stop=start + 2.0),
}


def first_changed_sample(source, start, delay, made_first):
    sim.setup(timestep=H)
    cells = sim.Population(2, sim.IF_curr_exp())

    def connect():
        synapse = sim.StaticSynapse(weight=0.0, delay=delay)
        sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)

    if not made_first:
        connect()
    SOURCES[source](start).inject_into(cells)
    if made_first:
        connect()
    cells.record("v")
    sim.run(8.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude[:, 0]
    return int(np.flatnonzero(np.abs(np.diff(v)) > 1e-9)[0]) + 1


@pytest.mark.parametrize("made_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("source", SOURCES)
def test_source_acts_from_its_start(source, made_first):
    """The first change is seen one time step later."""
    assert first_changed_sample(source, 1.0, delay=2.0, made_first=made_first) == 11


def test_nest_cannot_inject_before_its_third_step():
    assert first_changed_sample("DC", 0.0, delay=2.0, made_first=False) == 3
