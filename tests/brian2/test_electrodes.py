"""Current sources on Brian2, against NEST and against what they should be."""

import numpy as np
import pytest
from pyNN.errors import InvalidParameterValueError
from scipy.stats import kstest

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest

H = 0.1
# without leak to speak of, the potential is the integral of the current
INTEGRATOR = {
    "v_rest": 0.0, "v_reset": 0.0, "cm": 1.0, "tau_m": 1e13, "v_thresh": 1e9, "tau_refrac": 0.1,
}  # fmt: skip


def integrators(backend, n=2):
    backend.setup(timestep=H)
    cells = backend.Population(n, backend.IF_curr_exp(**INTEGRATOR), initial_values={"v": 0.0})
    cells.record("v")
    return cells


def injected(cells, segment=-1):
    """Return the current into each cell, in nA, of shape (n_steps, n_cells)."""
    v = cells.get_data("v").segments[segment].analogsignals[0].magnitude
    return np.diff(v, axis=0) / H


# Not before 0.2 ms: NEST cannot.
SOURCES = {
    "dc": lambda b: b.DCSource(amplitude=1.5, start=0.5, stop=1.0),
    "step": lambda b: b.StepCurrentSource(times=[0.2, 0.5, 1.0], amplitudes=[1.0, -2.0, 0.0]),
    "step that goes on": lambda b: b.StepCurrentSource(times=[0.3], amplitudes=[1.0]),
    "times between steps": lambda b: b.StepCurrentSource(
        times=[0.3, 0.45, 0.46, 1.02], amplitudes=[1.0, 2.0, 3.0, 0.5]
    ),
    "ac": lambda b: b.ACSource(
        amplitude=1.0, frequency=500.0, start=0.5, stop=1.5, offset=0.1, phase=30.0
    ),
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_currents_are_those_of_nest(make):
    found = []
    for backend in (nest, sim):
        backend.setup(timestep=H)
        cells, source = backend.Population(2, backend.IF_curr_exp(tau_m=10.0)), make(backend)
        cells.record("v")
        source.inject_into(cells)
        source.record()
        backend.run(2.0)
        v = cells.get_data().segments[0].analogsignals[0].magnitude
        found.append((v, source.get_data()))
    (theirs, their_record), (ours, our_record) = found
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(our_record.magnitude, their_record.magnitude, atol=1e-12)
    np.testing.assert_allclose(our_record.times.magnitude, their_record.times.magnitude, atol=1e-9)


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_what_is_recorded_at_a_time_acts_on_the_step_that_begins_then(make):
    cells, source = integrators(sim), make(sim)
    source.inject_into(cells)
    source.record()
    sim.run(2.0)
    recorded = source.get_data().magnitude
    np.testing.assert_allclose(recorded[:-1, 0], injected(cells)[:, 0], atol=1e-9)


def test_a_current_from_the_beginning_acts_from_the_beginning():
    cells = integrators(sim, 3)
    cells[0].i_offset = 1.0
    cells[1].inject(sim.DCSource(amplitude=1.0))
    cells[2:3].inject(sim.StepCurrentSource(times=[0.0], amplitudes=[1.0]))
    sim.run(2.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude
    assert v[-1, 0] == pytest.approx(2.0)
    np.testing.assert_array_equal(v[:, 1], v[:, 0])
    np.testing.assert_array_equal(v[:, 2], v[:, 0])


def test_currents_add_up_in_views_assemblies_and_lists():
    cells = integrators(sim, 4)
    others = sim.Population(2, sim.IF_curr_exp(**INTEGRATOR), initial_values={"v": 0.0})
    others.record("v")
    sim.DCSource(amplitude=1.0, stop=1.0).inject_into(cells[[0, 3]])
    (cells[2:] + others[1:2]).inject(sim.DCSource(amplitude=2.0, start=0.5))
    twice = sim.DCSource(amplitude=4.0, start=0.5)
    twice.inject_into([cells[1], cells[1]])
    twice.inject_into([others[0]])
    sim.run(2.0)
    expected = {0.2: [1, 0, 0, 1], 0.7: [1, 8, 2, 3], 1.2: [0, 8, 2, 2]}
    for time, currents in expected.items():
        np.testing.assert_allclose(injected(cells)[round(time / H)], currents, atol=1e-9)
    np.testing.assert_allclose(injected(others)[[2, 12]], [[0, 0], [4, 2]], atol=1e-9)


def test_nothing_remains_of_a_current_that_has_ended():
    cells = integrators(sim, 1)
    for amplitude in (0.1, 0.2, 0.3, 1e9):
        sim.DCSource(amplitude=amplitude, start=0.5, stop=1.0).inject_into(cells)
    sim.run(2.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude
    group = cells.brian2_group
    assert group.variables["i_inj"].get_value() == [0.0]
    assert len(v) == 21


def test_parameters_changed_between_runs():
    cells = integrators(sim)
    source = sim.DCSource(amplitude=1.0)
    source.inject_into(cells)
    source.record()
    sim.run(1.0)
    source.amplitude += 1.5
    sim.run(1.0)
    source.set_parameters(stop=2.5, amplitude=3.0)
    sim.run(1.0)
    expected = np.repeat([1.0, 2.5, 3.0, 0.0], [10, 10, 5, 5])
    np.testing.assert_allclose(injected(cells)[:, 0], expected, atol=1e-9)
    np.testing.assert_array_equal(source.get_data().magnitude[:-1, 0], expected)
    assert (source.amplitude.base_value, source.stop.base_value) == (3.0, 2.5)


def test_times_of_a_step_current_are_put_on_the_grid():
    sim.setup(timestep=H)
    source = sim.StepCurrentSource(times=[0.41, 0.42, 0.86], amplitudes=[0.5, -0.5, 0.7])
    assert source.times.evaluate().tolist() == [0.4, 0.9]
    assert source.amplitudes.evaluate().tolist() == [-0.5, 0.7]


def test_currents_after_a_reset():
    cells = integrators(sim)
    source = sim.StepCurrentSource(times=[0.5, 1.0], amplitudes=[1.0, 2.0])
    source.inject_into(cells)
    source.record()
    sim.run(1.5)
    sim.reset()
    sim.run(0.8)
    np.testing.assert_allclose(injected(cells), injected(cells, 0)[:8], atol=1e-9)
    assert source.get_data().magnitude.ravel().tolist() == [0.0] * 5 + [1.0] * 4


def noise(seed, n=2, duration=500.0, **parameters):
    sim.setup(timestep=H, rng_seed=seed)
    cells = sim.Population(n, sim.IF_curr_exp(**INTEGRATOR), initial_values={"v": 0.0})
    cells.record("v")
    source = sim.NoisyCurrentSource(**parameters)
    source.inject_into(cells)
    source.record()
    sim.run(duration)
    return injected(cells), source.get_data().magnitude[:, 0]


def test_noise():
    found, recorded = noise(1, mean=0.5, stdev=0.2, start=100.0, stop=400.0, dt=0.5)
    assert not found[:1000].any() and not np.abs(found[4000:]).max() > 1e-9
    active = found[1000:4000].reshape(600, 5, 2)
    np.testing.assert_allclose(active, np.broadcast_to(active[:, :1], active.shape), atol=1e-9)
    for cell in range(2):
        assert kstest((active[:, 0, cell] - 0.5) / 0.2, "norm").pvalue > 1e-3
    # each cell has noise of its own; the bound is five standard errors
    assert abs(np.corrcoef(active[:, 0].T)[0, 1]) < 5 / np.sqrt(600)
    np.testing.assert_allclose(recorded[:-1], found.mean(axis=1), atol=1e-9)


def test_noise_follows_from_the_seed():
    parameters = {"mean": 0.5, "stdev": 0.2, "dt": 0.1, "duration": 5.0}
    one, again, other = (noise(seed, **parameters)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_noise_does_not_depend_on_how_the_time_is_divided_but_on_the_trial():
    cells = integrators(sim)
    source = sim.NoisyCurrentSource(mean=0.0, stdev=1.0, dt=0.1)
    source.inject_into(cells)
    sim.run(2.0)
    sim.run(3.0)
    sim.reset()
    sim.run(5.0)
    divided, second = injected(cells, 0), injected(cells, 1)
    np.testing.assert_allclose(
        divided, noise(42, mean=0.0, stdev=1.0, dt=0.1, duration=5.0)[0], atol=1e-9
    )
    assert not np.allclose(divided, second)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sim.DCSource(start=0.25), "DCSource: start=0.25 ms, need a multiple of .* 0.1 ms"),
        (lambda: sim.NoisyCurrentSource(dt=0.25), "NoisyCurrentSource: dt=0.25 ms, need a multi"),
        (lambda: sim.NoisyCurrentSource(dt=0.0), "dt=0 ms, need a positive multiple"),
        (lambda: sim.StepCurrentSource(times=[-1.0], amplitudes=[1.0]), "negative timestamps"),
        (lambda: sim.StepCurrentSource(times=[2.0, 1.0], amplitudes=[1.0, 2.0]), "monotonically"),
        (lambda: sim.StepCurrentSource(times=[2.0], amplitudes=[1.0, 2.0]), "2 amplitudes, need"),
    ],
)
def test_impossible_parameters_are_refused(make, message):
    sim.setup(timestep=H)
    with pytest.raises((InvalidParameterValueError, ValueError), match=message):
        make()


def test_spike_sources_take_no_current():
    sim.setup(timestep=H)
    sources = sim.Population(2, sim.SpikeSourcePoisson())
    with pytest.raises(TypeError, match="spike source"):
        sources.inject(sim.DCSource())
    with pytest.raises(TypeError, match="spike source"):
        sim.DCSource().inject_into(sources[0:1])


def test_what_was_not_recorded_cannot_be_read():
    sim.setup(timestep=H)
    with pytest.raises(RuntimeError, match="DCSource: nothing was recorded"):
        sim.DCSource().get_data()
