"""Sequence learning (set I) as NESTML's tutorial does it: what those get who follow it.

Network, ways of connecting and recorders are those of the notebook "sequence_learning" that
NESTML 9.0.0 installs, for 86 presentations instead of 41; see `sequence_learning_setup` for the
network and for the one thing corrected, a sign. The models are NESTML's own (see `nestml_module`).

- Connecting: NEST's rule ``fixed_indegree`` with every parameter of the synapse given to
  ``Connect``, then ``permanence_min`` set to the drawn ``permanence`` through the connections.
- Recording of somatic spikes: of both kinds of neurons, to files and to memory.
- Recording of dendritic currents: at the read-out of the predictions, one multimeter per sequence,
  to files; every 1 ms to memory; and every 1 ms to a file. Of membrane potentials: every 1 ms to
  memory. ``--leave-out`` leaves out one of the three that sample every 1 ms, to see what it costs.
- Reading: the files with spikes and predictions, with ``numpy.loadtxt``, once (the notebook does it
  twice); then the prediction error is computed.

Left out are the plots, what is read for them alone, and storing all connections in files before
and after the training.

    python benchmarks/sequence_learning_tutorial.py
    python benchmarks/sequence_learning_tutorial.py --leave-out I_dend V_m
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from measure import DURATION_MS, Phases
from nestml_module import NEURON_MODEL, SYNAPSE_MODEL, module_path
from sequence_learning_setup import (
    DELTA_T_MS,
    DENDRITIC,
    EE_DELAY_MS,
    EXCITATORY,
    I_DAP_PA,
    IN_DEGREE,
    INHIBITORY,
    N_ACTIVE,
    N_E,
    N_PRESENTATIONS,
    PERMANENCE_INIT_MAX,
    PLASTICITY,
    READ_OUT_MS,
    SEED,
    SEQUENCE_MS,
    SEQUENCES,
    SET_MS,
    START_MS,
    STATIC_DELAY_MS,
    SYMBOLS,
    THETA_DAP_PA,
    WEIGHT_INIT_PA,
    check_activity,
    connect_static,
    error_free_from,
    prediction_error,
)

DENSE = {
    "I_dend": {"record_from": ["I_dend"]},
    "V_m": {"record_from": ["V_m"]},
    "I_dend_file": {"record_from": ["I_dend"], "record_to": "ascii", "label": "I_dend_dense"},
}
"""Multimeters that sample every 1 ms, which is NEST's default."""


def connect_plastic(nest, exc) -> None:
    """Connect the excitatory neurons; each synapse's floor is its initial permanence."""
    nest.Connect(
        exc,
        exc,
        {
            "rule": "fixed_indegree",
            "indegree": IN_DEGREE,
            "allow_autapses": False,
            "allow_multapses": False,
        },
        {
            "synapse_model": SYNAPSE_MODEL,
            "receptor_type": DENDRITIC,
            "weight": WEIGHT_INIT_PA,
            "delay": EE_DELAY_MS,
            "permanence": nest.random.uniform(0.0, PERMANENCE_INIT_MAX),
            "permanence_min": 1.0,
            **PLASTICITY,
        },
    )


def connect_cues(nest, exc) -> None:
    """Connect the stimuli of the dendrites, which are silent in this task."""
    for i in range(len(SYMBOLS)):
        nest.Connect(
            nest.Create("spike_generator"),
            exc[i * N_E : (i + 1) * N_E],
            {"rule": "fixed_outdegree", "outdegree": N_ACTIVE + 1},
            {
                "weight": 1.4 * THETA_DAP_PA,
                "delay": STATIC_DELAY_MS,
                "receptor_type": DENDRITIC,
            },
        )


def read_out_time(number: int) -> float:
    """Time (ms) of the first read-out of the sequence with this number."""
    start = START_MS + SEQUENCE_MS * number
    return start + DELTA_T_MS * (len(SEQUENCES[number]) - 2) + READ_OUT_MS


def record(nest, exc, inh, left_out: set[str]) -> None:
    """Create and connect all recorders but those `left_out`."""
    for neurons, label in ((exc, "spikes"), (inh, "inhibitory_spikes")):
        for target in ("ascii", "memory"):
            recorder = nest.Create("spike_recorder", params={"record_to": target, "label": label})
            nest.Connect(neurons, recorder)
    for number in range(len(SEQUENCES)):
        parameters = {
            "record_from": ["I_dend"],
            "record_to": "ascii",
            "label": "predictions",
            "offset": read_out_time(number),
            "interval": SET_MS,
        }
        nest.Connect(nest.Create("multimeter", params=parameters), exc)
    for name, parameters in DENSE.items():
        if name not in left_out:
            nest.Connect(nest.Create("multimeter", params=parameters), exc)


def set_floor(nest) -> None:
    """Make each synapse's initial permanence its floor."""
    connections = nest.GetConnections(synapse_model=SYNAPSE_MODEL)
    connections.set({"permanence_min": connections.permanence})


def load(folder: Path, label: str) -> np.ndarray:
    """Rows of all files of the recorders with this label: sender, time and what was recorded."""
    files = sorted(folder.glob(f"{label}-*.dat"))
    return np.concatenate([np.loadtxt(file, skiprows=3) for file in files])


def count_predicting(samples: np.ndarray, first: int) -> np.ndarray:
    """Neurons in a dendritic action potential per presentation, sequence and symbol."""
    senders, times, currents = samples.T
    counts = np.zeros((N_PRESENTATIONS, len(SEQUENCES), len(SYMBOLS)))
    for k, i in np.ndindex(N_PRESENTATIONS, len(SEQUENCES)):
        at = np.abs(times - (read_out_time(i) + SET_MS * k)) < 1.0
        predicting = senders[at & (currents > I_DAP_PA - 1.0)].astype(int) - first
        counts[k, i] = np.bincount(predicting // N_E, minlength=len(SYMBOLS))
    return counts


def main(left_out: set[str], folder: Path) -> None:
    module = module_path()
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.Install(str(module))
    nest.set(
        resolution=0.1,
        local_num_threads=1,
        rng_seed=SEED,
        data_path=str(folder),
        overwrite_files=True,
    )
    phases = Phases()
    with phases("build"):
        exc = nest.Create(NEURON_MODEL, N_E * len(SYMBOLS), params=EXCITATORY)
        inh = nest.Create("iaf_psc_exp", len(SYMBOLS), params=INHIBITORY)
        connect_plastic(nest, exc)
        connect_static(nest, exc, inh)
        connect_cues(nest, exc)
        record(nest, exc, inh, left_out)
        set_floor(nest)
    with phases("simulate"):
        nest.Simulate(DURATION_MS)
    with phases("read"):
        first = exc[0].global_id
        senders, times = load(folder, "spikes").T
        activity = check_activity(times, senders.astype(int) - first)
        error = prediction_error(count_predicting(load(folder, "predictions"), first))
    phases.report(
        n_plastic=IN_DEGREE * len(exc),
        activity=activity,
        error_free_from=error_free_from(error),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sequence learning as in NESTML's tutorial.")
    parser.add_argument("--leave-out", nargs="+", choices=DENSE, default=[], help="recorders")
    with tempfile.TemporaryDirectory() as folder:
        main(set(parser.parse_args().leave_out), Path(folder))
