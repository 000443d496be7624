"""NEST's recording devices are made when something is recorded, not with each population."""

import nest
import numpy as np

from cosim import backend


def n_devices(model: str) -> int:
    return len(nest.GetNodes({"model": model}))


def test_only_what_is_recorded_has_a_device():
    sim = backend("nest")
    sim.setup(timestep=0.1)
    silent = sim.Population(2, sim.IF_curr_exp())
    spiking = sim.Population(2, sim.IF_curr_exp(i_offset=1.0))
    spiking.record("spikes")
    sim.run(50.0)
    assert (n_devices("multimeter"), n_devices("spike_recorder")) == (0, 1)
    assert all(len(train) > 0 for train in spiking.get_data().segments[0].spiketrains)
    assert len(silent.get_data().segments[0].spiketrains) == 0


def test_recording_starts_during_the_simulation():
    sim = backend("nest")
    sim.setup(timestep=0.1)
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=1.0))
    cells.record("spikes")
    sim.run(10.0)
    cells.record("v")
    sim.run(10.0)
    signal = cells.get_data().segments[0].filter(name="v")[0]
    assert np.all(signal.magnitude[-1] > cells.celltype.default_parameters["v_rest"])


def test_recording_again_after_cancelling_with_another_interval():
    sim = backend("nest")
    sim.setup(timestep=0.1)
    cells = sim.Population(1, sim.IF_curr_exp())
    cells.record("v", sampling_interval=0.2)
    cells.record(None)
    cells.record("v", sampling_interval=0.5)
    sim.run(10.0)
    signal = cells.get_data().segments[0].filter(name="v")[0]
    assert float(signal.sampling_period.rescale("ms")) == 0.5
    assert len(signal) == 21
