"""Sequence learning (set I) built in PyNEST from NESTML's own models: the peer.

The network, the task and the protocol are those of Bouhadjar et al. (2022,
doi:10.1371/journal.pcbi.1010233): 6 x 150 excitatory neurons with dendritic action
potentials, 6 inhibitory neurons, 162 000 plastic synapses, two overlapping sequences shown
86 times in 37.87 s of biological time, on a grid of 0.1 ms with a shortest delay of 0.1 ms.

What makes the comparison fair:

- the models are those that NESTML ships, unchanged, compiled with NESTML's own pipeline and
  with the optimisation flags of NEST (see `nestml_module`);
- both sides train the same network for the same time on one thread of the same NEST;
- only somatic spikes are recorded, which is less than the read-out of the predictions needs;
  with ``--read-out`` the dendritic currents are sampled too, with a multimeter as in NESTML's
  tutorial, and the prediction error is computed, which is what cosim's model always does;
- the connections are made in the fastest way that PyNEST offers (arrays);
- the run fails unless the network has learned, so that both sides process the sparse activity
  of a trained network and not the far more costly activity of one that does not learn.

The inhibitory weight is positive, unlike in NESTML's tutorial: the neuron *subtracts* the
inhibitory current, and since NESTML 9.0 negative weights keep their sign, so that with the
tutorial's weight inhibition excites and nothing is learned.

    python benchmarks/sequence_learning_nestml.py
    python benchmarks/sequence_learning_nestml.py --read-out
"""

import argparse
import sys

import numpy as np
from measure import DURATION_MS, Phases
from nestml_module import NEURON_MODEL, SYNAPSE_MODEL, module_path

SEED = 1
SEQUENCES = ("ADBE", "FDBC")
SYMBOLS = "ABCDEF"
N_E = 150  # excitatory neurons per symbol
IN_DEGREE = 180
N_ACTIVE = 20  # neurons of a symbol that stand for it in one context
N_PRESENTATIONS = 86
START_MS, DELTA_T_MS, SEQUENCE_MS = 30.0, 40.0, 220.0
SET_MS = SEQUENCE_MS * len(SEQUENCES)
THETA_DAP_PA, I_DAP_PA = 59.0, 200.0
W_MATURE_PA = 1.1 * THETA_DAP_PA / 5  # five coincident mature synapses start a dAP

EXCITATORY = {
    "C_m": 250.0, "tau_m": 10.0, "E_L": 0.0, "V_reset": 0.0, "V_th": 20.0, "t_ref": 10.0,
    "tau_syn1": 2.0, "tau_syn2": 5.0, "tau_syn3": 1.0,
    "theta_dAP": THETA_DAP_PA, "I_p": I_DAP_PA, "tau_dAP": 60.0, "tau_h": SET_MS,
}  # fmt: skip
INHIBITORY = {
    "C_m": 250.0, "tau_m": 5.0, "E_L": 0.0, "V_reset": 0.0, "V_th": 15.0, "t_ref": 2.0,
    "tau_syn_ex": 0.5, "tau_syn_in": 1.65,
}  # fmt: skip
PLASTICITY = {
    "lambda_plus": 0.08, "lambda_minus": 0.0015, "lambda_h": 0.014, "zt": 1.0,
    "permanence_threshold": 10.0, "permanence_max": 20.0, "tau_pre_trace": 20.0,
    "dt_min": 4.0, "dt_max": 2 * DELTA_T_MS, "Wmax": W_MATURE_PA,
}  # fmt: skip
PERMANENCE_INIT_MAX = 8.0
STATIC_DELAY_MS, EE_DELAY_MS = 0.1, 2.0


def psc_amplitude(psp_mv: float, tau_m: float, tau_syn: float, c_m: float = 250.0) -> float:
    """Exponential current (pA) whose postsynaptic potential peaks at `psp_mv`."""
    ratio, difference = tau_m / tau_syn, tau_m - tau_syn
    peak = ratio ** (-tau_m / difference) - ratio ** (-tau_syn / difference)
    return psp_mv / (tau_m / c_m * tau_syn / (tau_syn - tau_m) * peak)


def onsets(symbol: str) -> list[float]:
    """Times (ms) at which `symbol` is shown."""
    within = [
        START_MS + SEQUENCE_MS * i + DELTA_T_MS * sequence.index(symbol)
        for i, sequence in enumerate(SEQUENCES)
        if symbol in sequence
    ]
    return [SET_MS * k + t for k in range(N_PRESENTATIONS) for t in within]


def draw_connections(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets (indices) of the excitatory synapses: no autapse, no multapse."""
    n = N_E * len(SYMBOLS)
    keys = rng.random((n, n))
    np.fill_diagonal(keys, np.inf)
    sources = np.argpartition(keys, IN_DEGREE, axis=1)[:, :IN_DEGREE]
    return sources.ravel(), np.repeat(np.arange(n), IN_DEGREE)


def connect_plastic(nest, exc, rng: np.random.Generator) -> None:
    """Connect the excitatory neurons; each synapse's floor is its initial permanence."""
    sources, targets = draw_connections(rng)
    first = exc[0].global_id
    permanence = rng.uniform(0.0, PERMANENCE_INIT_MAX, sources.size)
    nest.SetDefaults(SYNAPSE_MODEL, PLASTICITY)
    nest.Connect(
        first + sources,
        first + targets,
        "one_to_one",
        {
            "synapse_model": SYNAPSE_MODEL,
            "receptor_type": np.full(sources.size, 2),
            "weight": np.full(sources.size, 0.01),
            "delay": np.full(sources.size, EE_DELAY_MS),
            "permanence": permanence,
            "permanence_min": permanence,
        },
    )


def connect_static(nest, exc, inh) -> None:
    """Connect each symbol's stimulus and inhibitory neuron to its excitatory neurons."""

    def connect(source, target, psp_mv, tau_m, tau_syn, receptor=0):
        weight = psc_amplitude(psp_mv, tau_m, tau_syn)
        synapse = {"weight": weight, "delay": STATIC_DELAY_MS, "receptor_type": receptor}
        nest.Connect(source, target, "all_to_all", synapse)

    v_e, v_i = EXCITATORY["V_th"], INHIBITORY["V_th"]
    for i, symbol in enumerate(SYMBOLS):
        members = exc[i * N_E : (i + 1) * N_E]
        stimulus = nest.Create("spike_generator", params={"spike_times": onsets(symbol)})
        connect(stimulus, members, 1.1 * v_e, 10.0, 2.0, receptor=1)
        connect(members, inh[i], 1.2 * v_i / N_ACTIVE, 5.0, 0.5)
        connect(inh[i], members, 2.0 * v_e, 10.0, 1.0, receptor=3)


def activity(times: np.ndarray, neurons: np.ndarray, n_last: int = 10) -> float:
    """Spikes per neuron of the last element's population while it is shown.

    Averaged over the sequences and the last `n_last` presentations.
    """
    counts = []
    for sequence in SEQUENCES:
        population = neurons // N_E == SYMBOLS.index(sequence[-1])
        for onset in onsets(sequence[-1])[-n_last:]:
            counts.append(np.sum(population & (times > onset) & (times <= onset + DELTA_T_MS)))
    return float(np.mean(counts)) / N_E


def record_predictions(nest, exc):
    """Record the dendritic currents 8 ms after each second-last element is shown.

    One multimeter serves both sequences, since they follow each other at equal intervals:
    each multimeter takes about as long as the neurons themselves, however rarely it samples.
    """
    offset = START_MS + DELTA_T_MS * (len(SEQUENCES[0]) - 2) + 8.0
    recorder = nest.Create(
        "multimeter", params={"record_from": ["I_dend"], "offset": offset, "interval": SEQUENCE_MS}
    )
    nest.Connect(recorder, exc)
    return recorder


def prediction_error(events: dict[str, np.ndarray]) -> np.ndarray:
    """Prediction error of the last element, averaged over the sequences, per presentation."""
    order = np.lexsort((events["senders"], events["times"]))
    shape = (N_PRESENTATIONS, len(SEQUENCES), len(SYMBOLS), N_E)
    currents = events["I_dend"][order].reshape(shape)
    predicted = np.sum(currents > I_DAP_PA - 1.0, axis=-1) >= N_ACTIVE / 2
    target = np.array([[symbol == sequence[-1] for symbol in SYMBOLS] for sequence in SEQUENCES])
    return np.sqrt(np.sum(predicted != target, axis=-1)).mean(axis=-1)


def main(read_out: bool) -> None:
    module = module_path()
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.Install(str(module))
    nest.set(resolution=0.1, local_num_threads=1, rng_seed=SEED)
    phases = Phases()
    with phases("build"):
        exc = nest.Create(NEURON_MODEL, N_E * len(SYMBOLS), params=EXCITATORY)
        inh = nest.Create("iaf_psc_exp", len(SYMBOLS), params=INHIBITORY)
        connect_plastic(nest, exc, np.random.default_rng(SEED))
        connect_static(nest, exc, inh)
        spikes = nest.Create("spike_recorder")
        nest.Connect(exc, spikes)
        predictions = record_predictions(nest, exc) if read_out else None
    with phases("simulate"):
        nest.Simulate(DURATION_MS)
    with phases("read"):
        reached = activity(spikes.events["times"], spikes.events["senders"] - exc[0].global_id)
        errors = prediction_error(predictions.events) if read_out else None

    facts = {"n_plastic": IN_DEGREE * len(exc), "activity": reached}
    if read_out:
        wrong = np.flatnonzero(errors)
        facts["error_free_from"] = int(wrong[-1]) + 1 if wrong.size else 0
    if not 0.10 <= reached <= 0.16:
        sys.exit(f"sequence_learning_nestml: activity {reached:.3f}, a trained network has 0.13")
    phases.report(**facts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sequence learning with NESTML's models.")
    parser.add_argument("--read-out", action="store_true", help="record the predictions too")
    main(parser.parse_args().read_out)
