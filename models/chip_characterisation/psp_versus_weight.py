"""How does the postsynaptic potential grow with the weight? After the tutorial ts_06-dynamic_range.

Calibrated neurons that don't spike get one event, of weights up to several times that of a single
synapse, 63: larger weights take parallel synapses. The targets of the calibration are the defaults
of the vendor's, as in the nightly calibration that the tutorial loads (calix,
calix_generate_default_calibration.py, "spiking"): time constants of 10 us.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_N_CIRCUITS = 512
# Largest threshold that can be calibrated, LSB of the CADC. Postsynaptic potentials end at 160.
_OUT_OF_REACH = 220.0


@dataclass(frozen=True)
class Parameters:
    """What is stimulated, and for how long, as in the tutorial.

    Parameters
    ----------
    n_neurons : int
        Neurons, at equal distances over the chip's 512 circuits.
    weight_step, largest_weight : int
        Weights from 0 to the largest in steps, LSB.
    runtime : float
        Time for which each neuron is recorded at each weight, ms; the event comes halfway.
    timestep : float
        Interval between two samples of the MADC, ms; the chip has no time steps.

    Raises
    ------
    ValueError
        If a spread or a slope could not be told.
    """

    n_neurons: int = 8
    weight_step: int = 32
    largest_weight: int = 288
    runtime: float = 1.0
    timestep: float = 3.4e-5

    def __post_init__(self) -> None:
        """Check the numbers of neurons and of weights."""
        if not 2 <= self.n_neurons <= _N_CIRCUITS:
            raise ValueError(f"n_neurons={self.n_neurons}, need 2 to {_N_CIRCUITS} to compare")
        if not 0 < self.weight_step <= self.largest_weight:
            raise ValueError(
                f"weight_step={self.weight_step}, need 1 to largest_weight={self.largest_weight}"
            )


def simulate(
    sim: Any, parameters: Parameters, *, seed: int, progress: Callable[[float], None]
) -> tuple[dict[str, float], dict[str, npt.NDArray[Any]]]:
    """Record neuron by neuron, as the MADC does, at each weight of both signs.

    Parameters
    ----------
    sim : module
        The vendor's PyNN, after `setup`.
    parameters : Parameters
        What to stimulate.
    seed : int
        Of the chip; the experiment draws nothing itself.
    progress : callable
        Called with the completed fraction, 0 to 1.

    Returns
    -------
    metrics : dict of float
        `excitatory_slope`: LSB of the MADC per LSB of weight, of a line through all means over
        neurons. `inhibitory_depth`: how far the mean over neurons falls from no weight to the
        largest, LSB of the MADC. `excitatory_std`, `inhibitory_std`: standard deviation over
        neurons, mean over weights.
    arrays : dict of ndarray
        `weight`, shape (n_weights,); `excitatory` and `inhibitory`, shape (n_neurons, n_weights):
        highest and lowest reading of the MADC, LSB, noise included.
    """
    del seed
    circuits = range(0, _N_CIRCUITS, _N_CIRCUITS // parameters.n_neurons)[: parameters.n_neurons]
    sim.setup(neuronPermutation=list(circuits))
    cell = sim.cells.CalibHXNeuronCuba(v_thresh=_OUT_OF_REACH)
    neurons = sim.Population(parameters.n_neurons, cell)
    event = sim.cells.SpikeSourceArray(spike_times=[parameters.runtime / 2])
    source = sim.Population(1, event)
    projections = {
        receptor: sim.Projection(
            source,
            neurons,
            sim.AllToAllConnector(),
            synapse_type=sim.synapses.StaticSynapse(weight=0),
            receptor_type=receptor,
        )
        for receptor in ("excitatory", "inhibitory")
    }
    weights = np.arange(0, parameters.largest_weight + 1, parameters.weight_step)
    found = {receptor: np.empty((parameters.n_neurons, weights.size)) for receptor in projections}
    for index, (column, weight) in itertools.product(
        range(parameters.n_neurons), enumerate(weights.tolist())
    ):
        for receptor, sign, extremum in (("excitatory", 1, np.max), ("inhibitory", -1, np.min)):
            projections[receptor].set(weight=sign * weight)
            found[receptor][index, column] = extremum(
                _potential(sim, neurons, index, parameters.runtime)
            )
            projections[receptor].set(weight=0)
        progress((index + (column + 1) / weights.size) / parameters.n_neurons)
    excitatory, inhibitory = (found[receptor].mean(axis=0) for receptor in projections)
    metrics = {
        "excitatory_slope": np.polyfit(weights, excitatory, 1)[0],
        "inhibitory_depth": inhibitory[0] - inhibitory[-1],
    } | {f"{name}_std": values.std(axis=0, ddof=1).mean() for name, values in found.items()}
    return metrics, {"weight": weights, **found}


def _potential(sim: Any, neurons: Any, index: int, runtime: float) -> FloatArray:
    """Return the readings of a neuron's membrane in a run."""
    neuron = sim.PopulationView(neurons, [index])
    neuron.record("v")
    sim.run(runtime)
    (signal,) = neuron.get_data().segments[-1].irregularlysampledsignals
    sim.reset()
    neurons.record(None)
    return np.asarray(signal.magnitude)[:, 0]
