"""The balanced network written by hand in Brian2 (see `balanced_setup`).

As Brian2's own example CUBA, with arrays of weights and delays; the equations are solved exactly,
and numbers that all neurons share are in the namespace. Brian2's preferences are its own. The
activity is chaotic: it differs from cosim's in single spikes from the beginning of the run on, but
not in its rate.

    python benchmarks/balanced_brian2.py
    python benchmarks/balanced_brian2.py --standalone
    python benchmarks/balanced_brian2.py --standalone --threads 2
"""

import brian2 as b2
import brian2_run
from balanced_setup import DURATION_MS, NEURON, N, check_rate, draw
from brian2 import Mohm, ms, mV, nA
from measure import Phases

NEURONS = """
dv/dt = (i_e + i_i - (v - v_rest))/tau_m : volt (unless refractory)
di_e/dt = -i_e/tau_e : volt
di_i/dt = -i_i/tau_i : volt
"""
CONSTANTS = {
    "v_rest": NEURON["v_rest"] * mV,
    "v_reset": NEURON["v_reset"] * mV,
    "v_thresh": NEURON["v_thresh"] * mV,
    "tau_m": NEURON["tau_m"] * ms,
    "tau_e": NEURON["tau_syn_E"] * ms,
    "tau_i": NEURON["tau_syn_I"] * ms,
}
RESISTANCE = NEURON["tau_m"] / NEURON["cm"] * Mohm


def build(potential, synapses) -> tuple[b2.Network, b2.SpikeMonitor]:
    """Build the network; return it and the monitor."""
    neurons = b2.NeuronGroup(
        N,
        NEURONS,
        method="exact",
        threshold="v > v_thresh",
        reset="v = v_reset",
        refractory=NEURON["tau_refrac"] * ms + b2.defaultclock.dt,  # as PyNN counts it
        namespace=CONSTANTS,
        name="neurons",
    )
    neurons.v = potential * mV
    network = b2.Network(neurons)
    for each in synapses:
        projection = b2.Synapses(
            neurons,
            neurons,
            "w : volt",
            on_pre=f"i_{each.receptor[0]}_post += w",
            name=each.receptor,
        )
        projection.connect(i=each.pre, j=each.post)
        projection.w = each.weight * nA * RESISTANCE
        projection.delay = each.delay * ms
        network.add(projection)
    spikes = b2.SpikeMonitor(neurons, name="spikes")
    network.add(spikes)
    return network, spikes


def main() -> None:
    options = brian2_run.arguments()
    brian2_run.choose_mode(options)
    potential, synapses = draw()
    phases = Phases()
    with phases("build"):
        network, spikes = build(potential, synapses)
    wall_s = brian2_run.run(network, DURATION_MS, phases)
    with phases("read"):
        times = spikes.t / ms
    phases.report(
        n_synapses=sum(each.pre.size for each in synapses),
        rate=check_rate(len(times)),
        n_spikes=len(times),
        simulate_wall_s=wall_s,
    )


if __name__ == "__main__":
    main()
