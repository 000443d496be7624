"""Sequence learning (set I) with cosim: the contender (see `sequence_learning_setup`).

The same network, task and run as the peers'. "Build" is all from the parameters to the network
with its connectivity realised (on Brian2: but for Brian2's own objects, see `cosim_run`); "read"
gets the recorded spikes and dendritic action potentials and computes the prediction error of every
presentation. Importing and, on first use, compiling are left out on both sides. The run fails
unless the network has learned.

There is no variant that records spikes alone: the neuron notes the onset of each dendritic action
potential by itself, so recording them costs next to nothing.

    python benchmarks/sequence_learning_cosim.py nest
    python benchmarks/sequence_learning_cosim.py brian2
    python benchmarks/sequence_learning_cosim.py brian2_standalone
"""

import sys

from cosim_run import run
from measure import DURATION_MS, Phases

from cosim import backend
from models.sequence_learning import Parameters, build, training_stimulus
from models.sequence_learning.metrics import performance
from models.sequence_learning.recording import daps, spikes
from models.sequence_learning.simulation import summarise
from models.sequence_learning.task import Task

SEED = 1
N_PRESENTATIONS = 86


def prepare(name: str) -> tuple:
    """Build the network; return the simulator, the parameters and the network."""
    sim = backend(name)
    parameters = Parameters(task=Task(episodes=N_PRESENTATIONS))
    sim.setup(timestep=parameters.timestep, min_delay="auto", threads=1, rng_seed=SEED)
    return sim, parameters, build(sim, parameters, training_stimulus(parameters.task))


def main(name: str) -> None:
    backend(name)  # imports
    phases = Phases()
    with phases("build"):
        sim, parameters, network = prepare(name)
    wall_s = run(sim, network.excitatory, DURATION_MS, phases)
    with phases("read"):
        segment = network.excitatory.get_data().segments[0]
        all_spikes, all_daps = spikes(segment, network.excitatory), daps(segment)
        result = performance(parameters, all_spikes, all_daps)
    metrics = summarise(result)
    activity = metrics["relative_active_neurons"]
    if not 0.10 <= activity <= 0.16:
        sys.exit(f"sequence learning: activity {activity:.3f}, a trained network has 0.13")
    phases.report(
        n_plastic=len(network.ee),
        activity=activity,
        error_free_from=metrics["episodes_to_solution"],
        n_spikes=len(all_spikes.times),
        n_daps=len(all_daps.times),
        simulate_wall_s=wall_s,
    )


if __name__ == "__main__":
    main(sys.argv[1])
