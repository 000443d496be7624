"""Run the small network through PyNN on a backend, in this process."""

from dataclasses import dataclass
from unittest import mock

import numpy as np

from cosim import backend
from devices import Memristor, effects, noise
from tests.qc.small_network import SmallNetwork


@dataclass(frozen=True)
class PyNNRun:
    """What a backend recorded; spikes and onsets as (step, neuron), sorted."""

    spikes: list[tuple[int, int]]
    inhibitory_spikes: list[tuple[int, int]]
    onsets: list[tuple[int, int]]
    permanence: np.ndarray
    weight: np.ndarray
    n_events: np.ndarray


def run_pynn(name: str, network: SmallNetwork, threads: int = 1) -> PyNNRun:
    """Simulate the network on the backend with this name."""
    sim = backend(name)
    sim.setup(timestep=network.h, rng_seed=1, threads=threads)
    exc = sim.Population(network.exc_size, sim.IF_curr_exp_dAP(**network.exc), label="exc")
    inh = sim.Population(network.inh_size, sim.IF_curr_exp(**network.inh), label="inh")
    stimulus = sim.Population(
        len(network.stimulus), sim.SpikeSourceArray(spike_times=list(network.stimulus))
    )
    exc.initialize(v=network.exc["v_rest"])
    inh.initialize(v=network.inh["v_rest"])

    for pre, post, synapses in (
        (stimulus, exc, network.ex),
        (exc, inh, network.ie),
        (inh, exc, network.ei),
    ):
        rows = list(zip(synapses.source, synapses.target, synapses.weight, strict=True))
        sim.Projection(
            pre, post, sim.FromListConnector(rows, column_names=["weight"]),
            sim.StaticSynapse(delay=synapses.delay), receptor_type=synapses.receptor,
        )  # fmt: skip
    ee = _plastic(sim, exc, network)

    exc.record(["spikes", "dAP"])
    inh.record("spikes")
    sim.run(network.duration)

    segment = exc.get_data().segments[0]
    event = segment.events[0]
    result = PyNNRun(
        spikes=_spikes(segment, network.h),
        inhibitory_spikes=_spikes(inh.get_data().segments[0], network.h),
        onsets=sorted(
            zip(
                np.rint(event.times.magnitude / network.h).astype(int).tolist(),
                event.array_annotations["source_index"].tolist(),
                strict=True,
            )
        ),
        permanence=ee.read("permanence")[0],
        weight=ee.read("weight")[0],
        n_events=ee.read("n_events")[0],
    )
    sim.end()
    return result


def _plastic(sim, exc, network: SmallNetwork):
    synapses, rule = network.ee, network.plasticity
    device = Memristor(
        n_levels=rule.n_levels, sigma_c2c=rule.sigma_c2c, c2c_event=rule.c2c_event,
        sigma_read=rule.sigma_read, sigma_d2d_g_max=0.1,
    )  # fmt: skip
    common = dict(
        lambda_plus=rule.lambda_plus, lambda_minus=rule.lambda_minus, lambda_h=rule.lambda_h,
        z_target=rule.z_target, tau_plus=rule.tau_plus, dt_min=rule.dt_min, dt_max=rule.dt_max,
        pre_trace=rule.pre_trace, delay=synapses.delay, device=device,
    )  # fmt: skip
    rows = list(zip(synapses.source, synapses.target, synapses.permanence, strict=True))
    if rule.switching == "binary":
        synapse = sim.MemristiveStructuralSTDP(theta_p=rule.theta_p, p_max=rule.p_max, **common)
    else:
        synapse = sim.MemristiveSTDP(**common)
    # The twin is given its bounds and its noise key; here they replace what would be drawn.
    never = np.zeros(len(rows), bool)
    w_min, w_max = synapses.w_min * 1000, synapses.w_max * 1000
    bounds = effects.Bounds(w_min, w_max, never, never, never, redraws=0)
    with (
        mock.patch.object(effects, "sample_bounds", return_value=bounds),
        mock.patch.object(noise, "noise_key", return_value=network.key),
    ):
        return sim.Projection(
            exc, exc, sim.FromListConnector(rows, column_names=["permanence"]), synapse,
            receptor_type=synapses.receptor, label="ee",
        )  # fmt: skip


def _spikes(segment, h: float) -> list[tuple[int, int]]:
    return sorted(
        (int(step), train.annotations["source_index"])
        for train in segment.spiketrains
        for step in np.rint(train.magnitude / h)
    )
