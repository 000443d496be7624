"""Sequence learning (set I) written by hand in Brian2, as one who knows it well would.

See `sequence_learning_setup` for the network. What makes the comparison fair:

- it is the same network, in which the same things happen at the same spikes; on the arrays and
  initial permanences of cosim's network it had the same number of spikes to within 1 %;
- everything is written as Brian2 is meant to be used and as fast as we could get it: linear
  equations and their exact solution, numbers that all neurons share in the namespace, dendritic
  action potentials as custom events, so that the code of a step has no more than it needs, one
  delay for all synapses of a pathway, connections as arrays, clocks and monitors in one step;
- Brian2's preferences are its own, among them compiler flags that let the compiler reorder sums and
  use all that the processor has;
- spikes and dendritic action potentials are recorded and the prediction errors computed;
- the run fails unless the network has learned.

    python benchmarks/sequence_learning_brian2.py
    python benchmarks/sequence_learning_brian2.py --standalone
    python benchmarks/sequence_learning_brian2.py --standalone --threads 2
"""

import brian2 as b2
import brian2_run
import numpy as np
from brian2 import ms, mV, pA, pF
from measure import DURATION_MS, Phases
from sequence_learning_nestml import draw_connections
from sequence_learning_setup import (
    EE_DELAY_MS,
    I_DAP_PA,
    N_ACTIVE,
    N_E,
    N_PRESENTATIONS,
    PERMANENCE_INIT_MAX,
    SEED,
    SET_MS,
    STATIC_DELAY_MS,
    SYMBOLS,
    THETA_DAP_PA,
    W_MATURE_PA,
    check_activity,
    onsets,
    psc_amplitude,
)

from models.sequence_learning import Parameters
from models.sequence_learning.metrics import performance
from models.sequence_learning.recording import Events
from models.sequence_learning.simulation import summarise
from models.sequence_learning.task import Task

EXCITATORY = """
dv/dt = -v/tau_m + (i_ext + i_inh + i_dend + i_plateau)/C_m : volt (unless refractory)
di_ext/dt = -i_ext/tau_ext : amp
di_inh/dt = -i_inh/tau_inh : amp
di_dend/dt = d_dend - i_dend/tau_dend : amp
dd_dend/dt = -d_dend/tau_dend : amp/second
dz/dt = -z/tau_h : 1
i_plateau = i_dAP*int(t < plateau_end) : amp (constant over dt)
plateau_end : second
z_spike : 1
"""
AT_DAP = """
i_dend = 0*pA
d_dend = 0*pA/ms
plateau_end = t + tau_dAP
z += 1
"""
AT_SPIKE = """
v = 0*mV
i_dend = 0*pA
d_dend = 0*pA/ms
plateau_end = 0*ms
z_spike = z
"""
EXCITATORY_CONSTANTS = {
    "tau_m": 10 * ms, "C_m": 250 * pF, "v_thresh": 20 * mV,
    "tau_ext": 2 * ms, "tau_inh": 1 * ms, "tau_dend": 5 * ms, "tau_h": SET_MS * ms,
    "i_dAP": I_DAP_PA * pA, "theta_dAP": THETA_DAP_PA * pA, "tau_dAP": 60 * ms,
}  # fmt: skip

INHIBITORY = """
dv/dt = -v/tau_m + i_exc/C_m : volt (unless refractory)
di_exc/dt = -i_exc/tau_exc : amp
"""
INHIBITORY_CONSTANTS = {
    "tau_m": 5 * ms, "C_m": 250 * pF, "v_thresh": 15 * mV, "tau_exc": 0.5 * ms,
}  # fmt: skip

PLASTIC = """
permanence : 1
permanence_min : 1
trace : 1
last : second
w_sent : amp
"""
# The weight is that at the presynaptic spike and arrives after the delay.
AT_PRE = """
permanence = clip(permanence - lambda_minus*permanence_max, permanence_min, permanence_max)
w_sent = w_mature*int(permanence > theta_p)
trace = 1 + trace*exp((last - t)/tau_trace)
last = t
"""
ARRIVES = "d_dend_post += jump*w_sent*int(not_refractory_post and t >= plateau_end_post)"
AT_POST = """
since = t - last
pairs = int(since > dt_min and since < dt_max)
gain = lambda_plus*trace*exp(-since/tau_trace)
permanence = clip(permanence + pairs*gain*permanence_max, permanence_min, permanence_max)
homeostasis = lambda_h*(1 - z_spike_post)
permanence = clip(permanence + pairs*homeostasis*permanence_max, permanence_min, permanence_max)
"""
PLASTIC_CONSTANTS = {
    "lambda_plus": 0.08, "lambda_minus": 0.0015, "lambda_h": 0.014,
    "theta_p": 10.0, "permanence_max": 20.0, "tau_trace": 20 * ms,
    "dt_min": 4 * ms, "dt_max": 80 * ms,
    "w_mature": W_MATURE_PA * pA, "jump": np.e / (5 * ms),
}  # fmt: skip


def neurons() -> tuple[b2.NeuronGroup, b2.NeuronGroup]:
    """Make the excitatory and the inhibitory neurons."""
    step = b2.defaultclock.dt
    exc = b2.NeuronGroup(
        N_E * len(SYMBOLS),
        EXCITATORY,
        method="exact",
        threshold="v > v_thresh",
        reset=AT_SPIKE,
        refractory=10 * ms + step,  # Brian2 counts the step of the spike
        events={"dAP": "i_dend > theta_dAP and not_refractory"},
        namespace=EXCITATORY_CONSTANTS,
        name="exc",
    )
    exc.set_event_schedule("dAP", when="thresholds", order=-2)
    exc.run_on_event("dAP", AT_DAP, when="thresholds", order=-1)
    inh = b2.NeuronGroup(
        len(SYMBOLS),
        INHIBITORY,
        method="exact",
        threshold="v > v_thresh",
        reset="v = 0*mV",
        refractory=2 * ms + step,
        namespace=INHIBITORY_CONSTANTS,
        name="inh",
    )
    return exc, inh


def stimulus() -> b2.SpikeGeneratorGroup:
    """Make one source per symbol."""
    times = [onsets(symbol) for symbol in SYMBOLS]
    symbol = np.repeat(np.arange(len(SYMBOLS)), [len(t) for t in times])
    return b2.SpikeGeneratorGroup(len(SYMBOLS), symbol, np.concatenate(times) * ms, name="ext")


def connect_static(ext, exc, inh) -> list[b2.Synapses]:
    """Connect each symbol's stimulus and inhibitory neuron to its excitatory neurons."""
    member = np.arange(len(exc))
    symbol = member // N_E

    def connect(source, target, i, j, variable, psp_mv, tau_m, tau_syn):
        synapses = b2.Synapses(
            source,
            target,
            on_pre=f"{variable}_post += w",
            delay=STATIC_DELAY_MS * ms,
            namespace={"w": np.sign(psp_mv) * psc_amplitude(abs(psp_mv), tau_m, tau_syn) * pA},
            name=f"{source.name}_{target.name}",
        )
        synapses.connect(i=i, j=j)
        return synapses

    return [
        connect(ext, exc, symbol, member, "i_ext", 1.1 * 20.0, 10.0, 2.0),
        connect(exc, inh, member, symbol, "i_exc", 1.2 * 15.0 / N_ACTIVE, 5.0, 0.5),
        connect(inh, exc, symbol, member, "i_inh", -2.0 * 20.0, 10.0, 1.0),
    ]


def connect_plastic(exc, rng: np.random.Generator) -> b2.Synapses:
    """Connect the excitatory neurons; each synapse's floor is its initial permanence."""
    synapses = b2.Synapses(
        exc,
        exc,
        PLASTIC,
        on_pre={"pre": AT_PRE, "arrives": ARRIVES},
        on_post=AT_POST,
        delay={"arrives": EE_DELAY_MS * ms, "post": EE_DELAY_MS * ms},
        namespace=PLASTIC_CONSTANTS,
        name="plastic",
    )
    synapses.post.order = synapses.pre.order - 1
    sources, targets = draw_connections(rng)
    synapses.connect(i=sources, j=targets)
    permanence = rng.uniform(0.0, PERMANENCE_INIT_MAX, sources.size)
    synapses.permanence = permanence
    synapses.permanence_min = permanence
    synapses.last = -1 * b2.second
    return synapses


def events(monitor: b2.EventMonitor) -> Events:
    """Return recorded events at the ends of their time steps."""
    times = np.asarray(monitor.t / ms) + float(b2.defaultclock.dt / ms)
    return Events(times, np.asarray(monitor.i, dtype=np.int64))


def main() -> None:
    options = brian2_run.arguments()
    brian2_run.choose_mode(options)
    phases = Phases()
    with phases("build"):
        exc, inh = neurons()
        ext = stimulus()
        static = connect_static(ext, exc, inh)
        plastic = connect_plastic(exc, np.random.default_rng(SEED))
        spikes = b2.SpikeMonitor(exc, name="spikes")
        daps = b2.EventMonitor(exc, "dAP", name="daps")
        network = b2.Network(exc, inh, ext, *static, plastic, spikes, daps)
    wall_s = brian2_run.run(network, DURATION_MS, phases)
    with phases("read"):
        recorded = events(spikes)
        parameters = Parameters(task=Task(episodes=N_PRESENTATIONS))
        metrics = summarise(performance(parameters, recorded, events(daps)))
    phases.report(
        n_plastic=int(plastic.N[:]),
        activity=check_activity(recorded.times, recorded.senders),
        error_free_from=metrics["episodes_to_solution"],
        n_spikes=len(recorded.times),
        n_daps=int(daps.num_events),
        simulate_wall_s=wall_s,
    )


if __name__ == "__main__":
    main()
