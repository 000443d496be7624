"""Without the chip's imperfections a network does what it does on NEST."""

import numpy as np
import pytest

from cosim.backends import backend

mapped = backend("hw_targets.brainscales2.mapped")

#: Step of NEST: the chip's grid of spikes, and NEST's shortest delay, which the chip doesn't have.
STEP = 0.008
#: Longest step of the engine.
ENGINE_STEP = 0.1


def trains(cells):
    found = cells.get_data("spikes").segments[0].spiketrains
    return [np.asarray(train.magnitude) for train in found]


def run(sim, build, duration):
    if sim is mapped:
        sim.setup(timestep=0.1, fidelity="ideal", parallel_rows=2, strict=True, quiet=True)
    else:
        sim.setup(timestep=STEP, min_delay=STEP)
    cells = build(sim)
    for population in cells:
        population.record("spikes")
    cells[0].record("v")
    sim.run(duration)
    (v,) = cells[0].get_data("v").segments[0].analogsignals
    v = np.asarray(v.magnitude)
    found = [trains(population) for population in cells]
    sim.end()
    return found, v


def feed_forward(sim):
    rng = np.random.default_rng(1)
    times = [np.sort(np.rint(rng.uniform(1, 90, 25) / STEP) * STEP).tolist() for _ in range(12)]
    sources = sim.Population(12, sim.SpikeSourceArray(spike_times=times))
    first = sim.Population(
        6,
        sim.IF_curr_exp(
            tau_refrac=2.0, tau_m=rng.uniform(8, 25, 6), tau_syn_E=3.0, tau_syn_I=6.0,
            cm=rng.uniform(0.5, 1.5, 6), i_offset=0.2, v_reset=-68.0,
        ),
    )  # fmt: skip
    last = sim.Population(3, sim.IF_cond_exp(tau_refrac=1.2, e_rev_I=-75.0))
    weights = rng.uniform(0.3, 1.5, (12, 6))
    sim.Projection(sources, first, sim.AllToAllConnector(), sim.StaticSynapse(weight=weights))
    sim.Projection(
        sources[:4], first, sim.AllToAllConnector(), sim.StaticSynapse(weight=-0.3),
        receptor_type="inhibitory",
    )  # fmt: skip
    sim.Projection(
        first, last, sim.AllToAllConnector(), sim.StaticSynapse(weight=rng.uniform(0.05, 0.1))
    )
    sim.Projection(
        sources[:4], last, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.01),
        receptor_type="inhibitory",
    )  # fmt: skip
    return first, last


def recurrent(sim):
    rng = np.random.default_rng(2)
    cells = sim.Population(
        10, sim.IF_curr_exp(tau_refrac=2.0, i_offset=rng.uniform(0.9, 1.3, 10), v_reset=-70.0)
    )
    cells.initialize(v=rng.uniform(-65, -51, 10))
    excite = np.where(rng.random((10, 10)) < 0.4, 0.15, np.nan)
    inhibit = np.where(rng.random((10, 10)) < 0.4, -0.2, np.nan)
    for weights, receptor in ((excite, "excitatory"), (inhibit, "inhibitory")):
        pre, post = np.nonzero(np.isfinite(weights))
        pairs = [(int(i), int(j)) for i, j in zip(pre, post, strict=True)]
        sim.Projection(
            cells, cells, sim.FromListConnector(pairs),
            sim.StaticSynapse(weight=float(np.nanmean(weights))), receptor_type=receptor,
        )  # fmt: skip
    return (cells,)


@pytest.mark.parametrize(
    ("build", "shift", "time_tolerance", "v_tolerance"),
    [
        # Each synapse on the way delays NEST by a step, to the last digit of spike times.
        # Potentials differ by what i_offset makes in that step.
        (feed_forward, 1, 1e-6, 0.2 / 0.5 * STEP),
        (recurrent, 0, ENGINE_STEP, 0.1),
    ],
)
def test_spikes_and_potentials_are_those_of_nest(build, shift, time_tolerance, v_tolerance):
    nest = backend("nest")
    ours, v = run(mapped, build, 100.0)
    theirs, v_nest = run(nest, build, 100.0)
    for layer, (found, expected) in enumerate(zip(ours, theirs, strict=True), start=1):
        assert sum(map(len, expected)) > 20
        for one, other in zip(found, expected, strict=True):
            assert len(one) == len(other)
            expected_times = other - shift * layer * STEP
            np.testing.assert_allclose(one, expected_times, rtol=0, atol=time_tolerance)
    # Samples of both every 0.2 ms; some are between one's spike and the other's.
    v, v_nest = v[:-2:2], v_nest[shift:-1:25]
    assert (np.abs(v - v_nest) < v_tolerance).mean() > 0.98


def test_a_current_in_closed_form():
    mapped.setup(fidelity="ideal", quiet=True)
    cells = mapped.Population(
        1, mapped.IF_curr_exp(i_offset=0.6, cm=0.8, tau_m=16.0, v_rest=-60.0, v_reset=-60.0)
    )
    cells.initialize(v=-62.0)
    cells.record("v")
    mapped.run(30.0)
    (v,) = cells.get_data().segments[0].analogsignals
    t = np.arange(301) * 0.1
    limit = -60.0 + 0.6 * 16.0 / 0.8
    expected = limit + (-62.0 - limit) * np.exp(-t / 16.0)
    before = expected < -50.0
    np.testing.assert_allclose(np.asarray(v)[before, 0], expected[before], rtol=0, atol=1e-9)


def test_time_constants_out_of_range_are_clipped_all_the_same():
    mapped.setup(fidelity="ideal", quiet=True)
    mapped.Population(2, mapped.IF_curr_exp(tau_m=[20.0, 100.0], tau_refrac=0.1))
    (clipped,) = mapped.mapping_report().populations[0].clipped
    assert (clipped.parameter, clipped.n, clipped.asked, clipped.limits) == (
        "tau_m", 1, (100.0, 100.0), (0.5, 60.0),
    )  # fmt: skip
