"""Sequence learning (set I) built in PyNEST from NESTML's own models, as fast as they allow.

See `sequence_learning_setup` for the network. What makes the comparison fair:

- the models are those that NESTML ships, unchanged, compiled with NESTML's own pipeline and
  with the optimisation flags of NEST (see `nestml_module`);
- both sides train the same network for the same time on one thread of the same NEST;
- only somatic spikes are recorded, which is less than the read-out of the predictions needs;
  with ``--read-out`` the dendritic currents are sampled too, with one multimeter and only when
  they are needed, and the prediction error is computed, which is what cosim's model always does;
- the connections are made in the fastest way that PyNEST offers (arrays);
- the run fails unless the network has learned, so that both sides process the sparse activity
  of a trained network and not the far more costly activity of one that does not learn.

    python benchmarks/sequence_learning_nestml.py
    python benchmarks/sequence_learning_nestml.py --read-out
"""

import argparse

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
    N_E,
    N_PRESENTATIONS,
    PERMANENCE_INIT_MAX,
    PLASTICITY,
    READ_OUT_MS,
    SEED,
    SEQUENCE_MS,
    SEQUENCES,
    START_MS,
    SYMBOLS,
    WEIGHT_INIT_PA,
    check_activity,
    connect_static,
    error_free_from,
    prediction_error,
)


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
            "receptor_type": np.full(sources.size, DENDRITIC),
            "weight": np.full(sources.size, WEIGHT_INIT_PA),
            "delay": np.full(sources.size, EE_DELAY_MS),
            "permanence": permanence,
            "permanence_min": permanence,
        },
    )


def record_predictions(nest, exc):
    """Record the dendritic currents at the read-out of each sequence.

    One multimeter serves both sequences, since they follow each other at equal intervals:
    each multimeter takes about as long as the neurons themselves, however rarely it samples.
    """
    offset = START_MS + DELTA_T_MS * (len(SEQUENCES[0]) - 2) + READ_OUT_MS
    recorder = nest.Create(
        "multimeter", params={"record_from": ["I_dend"], "offset": offset, "interval": SEQUENCE_MS}
    )
    nest.Connect(recorder, exc)
    return recorder


def count_predicting(events: dict[str, np.ndarray]) -> np.ndarray:
    """Neurons in a dendritic action potential per presentation, sequence and symbol."""
    order = np.lexsort((events["senders"], events["times"]))
    shape = (N_PRESENTATIONS, len(SEQUENCES), len(SYMBOLS), N_E)
    return np.sum(events["I_dend"][order].reshape(shape) > I_DAP_PA - 1.0, axis=-1)


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
    facts = {"n_plastic": IN_DEGREE * len(exc)}
    with phases("read"):
        events = spikes.events
        facts["activity"] = check_activity(events["times"], events["senders"] - exc[0].global_id)
        if read_out:
            error = prediction_error(count_predicting(predictions.events))
            facts["error_free_from"] = error_free_from(error)
    phases.report(**facts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sequence learning with NESTML's models.")
    parser.add_argument("--read-out", action="store_true", help="record the predictions too")
    main(parser.parse_args().read_out)
