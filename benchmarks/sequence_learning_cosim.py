"""Sequence learning (set I) with cosim on NEST: the contender (see `sequence_learning_setup`).

The same network, task and run as the peers'. "Build" is all from the parameters to the network
with its connectivity realised; "read" gets the recorded spikes and dendritic action potentials and
computes the prediction error of every presentation. Importing and, on first use, compiling are
left out on both sides. The run fails unless the network has learned.

There is no variant that records spikes alone: the neuron notes the onset of each dendritic action
potential by itself, so recording them costs next to nothing.
"""

import sys

from measure import DURATION_MS, Phases

from cosim import backend
from models.sequence_learning import Parameters, build, training_stimulus
from models.sequence_learning.metrics import performance
from models.sequence_learning.recording import daps, spikes
from models.sequence_learning.simulation import summarise
from models.sequence_learning.task import Task

SEED = 1
N_PRESENTATIONS = 86


def prepare() -> tuple:
    """Build the network; return the simulator, the parameters and the network."""
    sim = backend("nest")
    parameters = Parameters(task=Task(episodes=N_PRESENTATIONS))
    sim.setup(timestep=parameters.timestep, min_delay="auto", threads=1, rng_seed=SEED)
    return sim, parameters, build(sim, parameters, training_stimulus(parameters.task))


def main() -> None:
    backend("nest")  # imports
    phases = Phases()
    with phases("build"):
        sim, parameters, network = prepare()
    with phases("simulate"):
        sim.run(DURATION_MS)
    with phases("read"):
        segment = network.excitatory.get_data().segments[0]
        result = performance(parameters, spikes(segment, network.excitatory), daps(segment))
    metrics = summarise(result)
    activity = metrics["relative_active_neurons"]
    if not 0.10 <= activity <= 0.16:
        sys.exit(f"sequence learning: activity {activity:.3f}, a trained network has 0.13")
    phases.report(
        n_plastic=len(network.ee),
        activity=activity,
        error_free_from=metrics["episodes_to_solution"],
    )


if __name__ == "__main__":
    main()
