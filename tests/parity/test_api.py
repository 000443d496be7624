"""Parts of populations, several receptors, injected currents, segments: the same on both."""

import numpy as np
import pytest
from pyNN.random import RandomDistribution

from tests.parity.networks import cell_parameters, poisson_trains
from tests.parity.running import (
    BRIAN2,
    H,
    assert_same_spikes,
    on_brian2,
    on_nest,
    onsets_of,
    signal_of,
    spikes_of,
)

DURATION = 400.0


def parts_of_populations(sim) -> dict[str, np.ndarray]:
    """Run views, views of views and assemblies of two cell types with three receptors."""
    rng = np.random.default_rng(19)
    sim.setup(timestep=H, rng_seed=8)
    parameters = cell_parameters("IF_curr_exp", 60, rng)
    simple = sim.Population(60, sim.IF_curr_exp(**parameters), label="simple")
    active = sim.Population(
        40,
        sim.IF_curr_exp_dAP(
            v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0, tau_refrac=3.0, tau_dAP=20.0,
            theta_dAP=rng.uniform(0.04, 0.08, 40), i_offset=rng.uniform(0.0, 0.2, 40),
        ),
        label="active",
    )  # fmt: skip
    both = simple[20:] + active
    both.initialize(v=-65.0)
    simple[:20].initialize(v=rng.uniform(-65.0, -50.0, 20))
    simple[5:15].set(tau_m=11.0, tau_refrac=0.7)
    active[np.arange(0, 40, 3)].set(tau_dAP=rng.uniform(5.0, 40.0, 14))

    trains = poisson_trains(rng, 50, rate=60.0, duration=DURATION)
    source = sim.Population(50, sim.SpikeSourceArray(spike_times=trains), label="input")
    delay = RandomDistribution("uniform", [0.1, 2.0])
    for pre, post, weight, receptor, label in (
        (source[10:][::2], both, [0.2, 0.8], "excitatory", "input-both"),
        (source[40:], active[5:35][::2], [0.02, 0.05], "dendritic", "input-dendrites"),
        (both, simple, [0.05, 0.2], "excitatory", "both-simple"),
        (simple[10:30], both, [-0.3, -0.1], "inhibitory", "simple-both"),
        (both[30:70], active, [0.01, 0.04], "dendritic", "both-dendrites"),
    ):
        sim.Projection(
            pre, post, sim.FixedProbabilityConnector(0.3),
            sim.StaticSynapse(weight=RandomDistribution("uniform", weight), delay=delay),
            receptor_type=receptor, label=label,
        )  # fmt: skip

    active[2:12:3].record(["v", "i_dend"], sampling_interval=0.5)
    active[3:].record("dAP")
    simple[2:6].record(["spikes", "v"])
    both.record("spikes")
    sim.run(DURATION)
    result = {"simple": spikes_of(simple), "active": spikes_of(active), "dAPs": onsets_of(active)}
    result |= {"v of simple": signal_of(simple, "v"), "v of active": signal_of(active, "v")}
    result["i_dend"] = signal_of(active, "i_dend")
    sim.end()
    return result


def injected_currents(sim) -> dict[str, np.ndarray]:
    """Run cells of two types with currents into all, some and one of them."""
    rng = np.random.default_rng(31)
    sim.setup(timestep=H)
    simple = sim.Population(20, sim.IF_curr_exp(**cell_parameters("IF_curr_exp", 20, rng)))
    active = sim.Population(10, sim.IF_curr_exp_dAP(tau_refrac=rng.uniform(0.0, 5.0, 10)))
    simple.initialize(v=-65.0)
    simple[:7].inject(sim.DCSource(amplitude=0.2, start=50.0, stop=170.0))
    (simple + active).inject(
        sim.StepCurrentSource(times=[10.0, 60.3, 200.0], amplitudes=[0.3, -0.2, 0.35])
    )
    for cells in (active, simple[3]):
        cells.inject(
            sim.ACSource(start=20.0, stop=350.0, amplitude=0.5, offset=0.2, frequency=40.0)
        )
    for cells in (simple, active):
        cells.record(["spikes", "v"])
    sim.run(DURATION)
    result = {}
    for name, cells in (("simple", simple), ("active", active)):
        result |= {name: spikes_of(cells), f"v of {name}": signal_of(cells, "v")}
    sim.end()
    return result


def segments(sim) -> dict[str, np.ndarray]:
    """Run three segments, with other parameters and weights in each."""
    rng = np.random.default_rng(23)
    sim.setup(timestep=H, rng_seed=9, t_flush=500.0)
    cells = sim.Population(50, sim.IF_curr_exp(**cell_parameters("IF_curr_exp", 50, rng)))
    cells.initialize(v=rng.uniform(-65.0, -50.0, 50))
    trains = poisson_trains(rng, 50, rate=60.0, duration=150.0)
    source = sim.Population(50, sim.SpikeSourceArray(spike_times=trains))
    sim.Projection(
        source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=0.5),
        receptor_type="excitatory",
    )  # fmt: skip
    recurrent = sim.Projection(
        cells, cells, sim.FixedProbabilityConnector(0.2),
        sim.StaticSynapse(
            weight=RandomDistribution("uniform", [0.0, 0.2]),
            delay=RandomDistribution("uniform", [0.1, 3.0]),
        ),
        receptor_type="excitatory", label="recurrent",
    )  # fmt: skip
    cells.record("spikes")
    cells[:5].record("v")
    for segment in range(3):
        if segment:
            sim.reset()
            recurrent.set(weight=0.05 * segment)
            cells[::2].set(v_thresh=-49.0 - segment)
            source[:10].set(spike_times=[9.0 * segment, 20.0, 33.3])
        sim.run(150.0)
    result = {}
    for segment in range(3):
        result[f"spikes {segment}"] = spikes_of(cells, segment)
        result[f"v {segment}"] = signal_of(cells, "v", segment)
    sim.end()
    return result


@pytest.mark.parametrize("way", BRIAN2)
def test_parts_of_populations(way):
    expected, found = on_nest(parts_of_populations), on_brian2(parts_of_populations, way=way)
    for name, at_least in (("simple", 2000), ("active", 400), ("dAPs", 600)):
        assert_same_spikes(found[name], expected[name], at_least)
    for name in ("v of simple", "v of active", "i_dend"):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9)


@pytest.mark.parametrize("way", BRIAN2[:2])
def test_injected_currents(way):
    """Not in a standalone program, which has none."""
    expected, found = on_nest(injected_currents), on_brian2(injected_currents, way=way)
    for name, at_least in (("simple", 400), ("active", 70)):
        assert_same_spikes(found[name], expected[name], at_least)
        v = f"v of {name}"
        np.testing.assert_allclose(found[v], expected[v], rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore:Full reset functionality")
@pytest.mark.parametrize("way", BRIAN2[:2])
def test_segments(way):
    """Not in a standalone program, which runs once."""
    expected, found = on_nest(segments), on_brian2(segments, way=way)
    for segment in range(3):
        name = f"spikes {segment}"
        assert_same_spikes(found[name], expected[name], at_least=300)
        name = f"v {segment}"
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9)
