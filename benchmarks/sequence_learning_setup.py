"""Sequence learning (set I) in PyNEST's terms: what the peers built from NESTML's models share.

Network, task and numbers are those of Bouhadjar et al. (2022, doi:10.1371/journal.pcbi.1010233)
and of the sequence-learning tutorial of NESTML 9.0.0: 6 x 150 excitatory neurons with dendritic
action potentials, 6 inhibitory neurons, 162 000 plastic synapses, two overlapping sequences shown
86 times in 37.87 s of biological time, on a grid of 0.1 ms with a shortest delay of 0.1 ms.

The inhibitory weight is positive, unlike in the tutorial: the neuron *subtracts* the inhibitory
current, and since NESTML 9.0 negative weights keep their sign, so that with the tutorial's weight
inhibition excites and nothing is learned.
"""

import sys

import numpy as np

SEED = 1
SEQUENCES = ("ADBE", "FDBC")
SYMBOLS = "ABCDEF"
N_E = 150  # excitatory neurons per symbol
IN_DEGREE = 180
N_ACTIVE = 20  # neurons of a symbol that stand for it in one context
N_PRESENTATIONS = 86
START_MS, DELTA_T_MS, SEQUENCE_MS = 30.0, 40.0, 220.0
SET_MS = SEQUENCE_MS * len(SEQUENCES)
READ_OUT_MS = 8.0  # from the second-last element of a sequence to the read-out of predictions
THETA_DAP_PA, I_DAP_PA = 59.0, 200.0
W_MATURE_PA = 1.1 * THETA_DAP_PA / 5  # five coincident mature synapses start a dAP

EXCITATORY = {
    "C_m": 250.0, "tau_m": 10.0, "E_L": 0.0, "V_reset": 0.0, "V_th": 20.0, "t_ref": 10.0,
    "tau_syn1": 2.0, "tau_syn2": 5.0, "tau_syn3": 1.0,
    "theta_dAP": THETA_DAP_PA, "I_p": I_DAP_PA, "tau_dAP": 60.0, "tau_h": SET_MS,
}  # fmt: skip
EXTERNAL, DENDRITIC, INHIBITING = 1, 2, 3  # the receptors behind tau_syn1, tau_syn2, tau_syn3
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
WEIGHT_INIT_PA = 0.01
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
        connect(stimulus, members, 1.1 * v_e, 10.0, 2.0, receptor=EXTERNAL)
        connect(members, inh[i], 1.2 * v_i / N_ACTIVE, 5.0, 0.5)
        connect(inh[i], members, 2.0 * v_e, 10.0, 1.0, receptor=INHIBITING)


def check_activity(times: np.ndarray, neurons: np.ndarray, n_last: int = 10) -> float:
    """Spikes per neuron of the last element's population while it is shown; exit if not sparse.

    Averaged over the sequences and the last `n_last` presentations. A trained network answers
    with `N_ACTIVE` of `N_E` neurons, one that has not learned with all of them, at far more cost.
    """
    counts = []
    for sequence in SEQUENCES:
        population = neurons // N_E == SYMBOLS.index(sequence[-1])
        for onset in onsets(sequence[-1])[-n_last:]:
            counts.append(np.sum(population & (times > onset) & (times <= onset + DELTA_T_MS)))
    activity = float(np.mean(counts)) / N_E
    if not 0.10 <= activity <= 0.16:
        sys.exit(f"sequence learning: activity {activity:.3f}, a trained network has 0.13")
    return activity


def prediction_error(n_predicting: np.ndarray) -> np.ndarray:
    """Prediction error of the last element, averaged over the sequences, per presentation.

    `n_predicting`: neurons in a dendritic action potential at the read-out, of the shape
    (presentations, sequences, symbols).
    """
    predicted = n_predicting >= N_ACTIVE / 2
    target = np.array([[symbol == sequence[-1] for symbol in SYMBOLS] for sequence in SEQUENCES])
    return np.sqrt(np.sum(predicted != target, axis=-1)).mean(axis=-1)


def error_free_from(error: np.ndarray) -> int:
    """Index of the first presentation from which on the error is 0."""
    wrong = np.flatnonzero(error)
    return int(wrong[-1]) + 1 if wrong.size else 0
