"""Cells with dendritic action potentials, driven group by group in ever the same order."""

import numpy as np

from tests.parity.devices import DEVICES
from tests.parity.running import onsets_of, signal_of, spikes_of

#: What is compared of each projection.
STATE = ("permanence", "weight", "n_events", "n_spikes")
WRITES = ("n_set", "n_reset")

GROUPS, GROUP_SIZE, IN_DEGREE, INTERVAL = 4, 20, 4, 30.0


def sequences(
    sim, synapse_type: str, pre_trace: bool, duration: float, devices: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Run 80 cells with one plastic projection for each kind of device, and inhibition.

    Each group of 20 cells has its stimulus 30 ms after the one before it, and an inhibitory cell
    that lets only the predictive ones spike.
    """
    sim.setup(timestep=0.1, rng_seed=7)
    size = GROUPS * GROUP_SIZE
    rng = np.random.default_rng(3)
    exc = sim.Population(
        size,
        sim.IF_curr_exp_dAP(tau_h=rng.uniform(300.0, 400.0, size), tau_refrac=5.0),
        label="exc",
    )
    inh = sim.Population(
        GROUPS,
        sim.IF_curr_exp(
            v_rest=0.0, cm=0.25, tau_m=5.0, tau_refrac=2.0, tau_syn_E=0.5, tau_syn_I=1.65,
            v_reset=0.0, v_thresh=15.0, i_offset=0.0,
        ),
        label="inh",
    )  # fmt: skip
    inh.initialize(v=0.0)
    trains = [
        np.round(np.arange(10.0 + INTERVAL * g, duration, INTERVAL * GROUPS), 6)
        for g in range(GROUPS)
    ]
    stimulus = sim.Population(GROUPS, sim.SpikeSourceArray(spike_times=trains), label="stimulus")
    own = [(i // GROUP_SIZE, i) for i in range(size)]
    for pre, post, rows, delay in (
        (stimulus, exc, [(g, i, 4.2 + rng.random()) for g, i in own], 1.0),
        (exc, inh, [(i, g, 1.2) for g, i in own], 0.5),
        (inh, exc, [(g, i, -12.9) for g, i in own], 0.1),
    ):
        sim.Projection(
            pre, post, sim.FromListConnector(rows, column_names=["weight"]),
            sim.StaticSynapse(delay=delay),
            receptor_type="inhibitory" if pre is inh else "excitatory",
            label=f"{pre.label}-{post.label}",
        )  # fmt: skip
    rule = {
        "MemristiveSTDP": {"lambda_plus": 0.4, "lambda_minus": 0.01, "permanence": 0.2},
        "MemristiveStructuralSTDP": {"lambda_plus": 0.6, "lambda_minus": 0.01, "permanence": 5.0},
    }[synapse_type]
    plastic = {
        name: sim.Projection(
            exc, exc, sim.FixedNumberPreConnector(IN_DEGREE, allow_self_connections=False),
            getattr(sim, synapse_type)(
                device=DEVICES[name], pre_trace=pre_trace, w_max=0.18 / len(devices),
                delay=2.0 + 0.1 * k, **rule,
            ),
            label=name,
        )
        for k, name in enumerate(devices)
    }  # fmt: skip
    exc.record(["spikes", "dAP"])
    exc[::8].record(["v", "i_dend", "dAP_trace"])
    sim.run(duration)
    result = {"spikes": spikes_of(exc), "dAPs": onsets_of(exc)}
    result |= {name: signal_of(exc, name) for name in ("v", "i_dend", "dAP_trace")}
    for name, projection in plastic.items():
        names = STATE + (WRITES if projection.synapse_type.counts_writes else ())
        state = dict(zip(names, projection.read(*names), strict=True))
        result |= {f"{name}: {variable}": values for variable, values in state.items()}
    sim.end()
    return result
