"""Sequence learning (set I) with cosim on NEST: the contender (see `sequence_learning_nestml`).

One phase for everything from the parameters to the metrics: realising the connectivity, building
the network, 37.87 s of biological time, reading the recordings and computing the prediction error
of every episode. Importing and, on first use, compiling are left out on both sides.
"""

import sys

from measure import DURATION_MS, Phases

from cosim import backend
from models.sequence_learning import Parameters, simulate
from models.sequence_learning.task import Task

SEED = 1
N_EPISODES = round((DURATION_MS - 30.0) / 440.0)


def main() -> None:
    sim = backend("nest")
    parameters = Parameters(task=Task(episodes=N_EPISODES))
    phases = Phases()
    with phases("build, simulate, read"):
        sim.setup(timestep=parameters.timestep, min_delay="auto", threads=1, rng_seed=SEED)
        metrics, arrays = simulate(sim, parameters, seed=SEED, progress=lambda fraction: None)
    facts = {
        "n_plastic": len(arrays["ee_pre"]),
        "activity": metrics["relative_active_neurons"],
        "error_free_from": metrics["episodes_to_solution"],
    }
    if not 0.10 <= facts["activity"] <= 0.16:
        sys.exit(f"sequence_learning_cosim: activity {facts['activity']:.3f}, expected 0.13")
    phases.report(**facts)


if __name__ == "__main__":
    main()
