"""Recurrent networks with plastic synapses."""

import numpy as np
from pyNN.random import RandomDistribution

from tests.parity.networks import cell_parameters, poisson_trains
from tests.parity.running import H, signal_of, spikes_of

N_EXC, N_INH = 160, 40

WEIGHT_DEPENDENCES = ("additive", "multiplicative", "mixed", "Gütig")


def _driven_cells(sim, duration: float, rng: np.random.Generator):
    """Return excitatory and inhibitory cells, each with a Poisson train of its own as input.

    The excitatory ones spike together in the last step: NEST brings plastic synapses up to date
    at presynaptic spikes only.
    """
    made = []
    for n, label in ((N_EXC, "exc"), (N_INH, "inh")):
        parameters = cell_parameters("IF_curr_exp", n, rng)
        cells = sim.Population(n, sim.IF_curr_exp(**parameters), label=label)
        cells.initialize(v=rng.uniform(-65.0, -50.0, n))
        cells.record("spikes")
        made.append(cells)
    trains = poisson_trains(rng, N_EXC + N_INH, rate=60.0, duration=duration)
    last = [duration - 2 * H]
    source = sim.Population(
        N_EXC + N_INH + 1, sim.SpikeSourceArray(spike_times=[*trains, last]), label="input"
    )
    for pre, post in zip((source[:N_EXC], source[N_EXC:-1]), made, strict=True):
        sim.Projection(
            pre, post, sim.OneToOneConnector(),
            sim.StaticSynapse(weight=RandomDistribution("uniform", [0.5, 1.5]), delay=0.3),
            receptor_type="excitatory", label=f"input-{post.label}",
        )  # fmt: skip
    sim.Projection(
        source[-1:], made[0], sim.AllToAllConnector(), sim.StaticSynapse(weight=1000.0, delay=H),
        receptor_type="excitatory", label="last",
    )  # fmt: skip
    return made


def _weight_dependence(sim, name: str, w_max: float):
    limits = {"w_min": 0.0, "w_max": w_max}
    return {
        "additive": lambda: sim.AdditiveWeightDependence(**limits),
        "multiplicative": lambda: sim.MultiplicativeWeightDependence(**limits),
        "mixed": lambda: sim.AdditivePotentiationMultiplicativeDepression(**limits),
        "Gütig": lambda: sim.GutigWeightDependence(**limits, mu_plus=0.3, mu_minus=0.7),
    }[name]()


def pair_stdp(sim, duration: float) -> dict[str, np.ndarray]:
    """Run excitatory cells with one recurrent projection per weight dependence, and inhibition.

    For each weight dependence, weights before and after are rows, and synapses columns; only
    those whose presynaptic cell spiked in the very last step.
    """
    rng = np.random.default_rng(11)
    sim.setup(timestep=H, rng_seed=5)
    exc, inh = _driven_cells(sim, duration, rng)
    plastic = {}
    for name in WEIGHT_DEPENDENCES:
        synapse = sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(
                tau_plus=16.0, tau_minus=27.0, A_plus=0.02, A_minus=0.015
            ),
            weight_dependence=_weight_dependence(sim, name, w_max=0.1),
            weight=RandomDistribution("uniform", [0.02, 0.08]),
            delay=RandomDistribution("uniform", [0.1, 3.0]),
        )
        plastic[name] = sim.Projection(
            exc, exc, sim.FixedProbabilityConnector(0.05, allow_self_connections=False), synapse,
            receptor_type="excitatory", label=f"{name} STDP",
        )  # fmt: skip
    sim.Projection(
        inh, exc, sim.FixedProbabilityConnector(0.2),
        sim.StaticSynapse(
            weight=RandomDistribution("uniform", [-0.2, -0.1]),
            delay=RandomDistribution("uniform", [0.5, 1.5]),
        ),
        receptor_type="inhibitory", label="inh-exc",
    )  # fmt: skip
    before = {name: p.get("weight", format="array") for name, p in plastic.items()}
    sim.run(duration)
    spikes = spikes_of(exc)
    at_end = np.zeros(N_EXC, bool)
    at_end[spikes[spikes[:, 0] == round(duration / H), 1]] = True
    result = {"exc": spikes}
    for name, projection in plastic.items():
        weights = np.stack([before[name], projection.get("weight", format="array")])[:, at_end]
        result[name] = weights[:, ~np.isnan(weights[0])]
    sim.end()
    return result


def short_term_plasticity(sim, duration: float) -> dict[str, np.ndarray]:
    """Run an excitatory and an inhibitory population whose synapses depress and facilitate."""
    rng = np.random.default_rng(13)
    sim.setup(timestep=H, rng_seed=6)
    exc, inh = _driven_cells(sim, duration, rng)
    for pre, post, weight, tau_facil in (
        (exc, exc, 0.2, 0.0), (exc, inh, 0.3, 300.0), (inh, exc, -0.4, 50.0), (inh, inh, -0.25, 0.0)
    ):  # fmt: skip
        sim.Projection(
            pre, post, sim.FixedProbabilityConnector(0.2),
            sim.TsodyksMarkramSynapse(
                U=RandomDistribution("uniform", [0.1, 0.9]),
                tau_rec=RandomDistribution("uniform", [20.0, 800.0]),
                tau_facil=tau_facil,
                weight=RandomDistribution("uniform", sorted([0.5 * weight, 1.5 * weight])),
                delay=RandomDistribution("uniform", [0.1, 3.0]),
            ),
            receptor_type="inhibitory" if weight < 0 else "excitatory",
            label=f"{pre.label}-{post.label}",
        )  # fmt: skip
    exc[:10].record("v")
    sim.run(duration)
    result = {"exc": spikes_of(exc), "inh": spikes_of(inh), "v": signal_of(exc, "v")}
    sim.end()
    return result
