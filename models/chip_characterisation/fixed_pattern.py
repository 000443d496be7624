"""How much do neurons with equal raw settings differ? After the tutorial ts_00-single_neuron.

The leak potential lies above the threshold, so that each neuron spikes on its own: the spread of
intervals, thresholds and resets over neurons is the fixed pattern of the circuits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Spikes that a mean and a spread of intervals and one whole cycle need.
_MIN_SPIKES = 3


@dataclass(frozen=True)
class Parameters:
    """Settings of all neurons, as in the tutorial; CapMem settings are integers of 0 to 1022.

    Parameters
    ----------
    n_neurons : int
        Number of neurons.
    runtime : float
        Time for which each neuron is recorded, ms.
    leak_v_leak, leak_i_bias : int
        Leak potential and bias of the leak conductance.
    threshold_v_threshold : int
        Threshold.
    reset_v_reset, reset_i_bias : int
        Reset potential and bias of the reset conductance, which is multiplied.
    refractory_time : int
        Refractory time in cycles of 8 ns, 0 to 255.
    timestep : float
        Interval between two samples of the MADC, ms; the chip has no time steps.

    Raises
    ------
    ValueError
        If there are fewer than two neurons, whose spread could be told.
    """

    n_neurons: int = 10
    runtime: float = 0.2
    leak_v_leak: int = 1000
    leak_i_bias: int = 200
    threshold_v_threshold: int = 500
    reset_v_reset: int = 400
    reset_i_bias: int = 1022
    refractory_time: int = 255
    timestep: float = 3.4e-5

    def __post_init__(self) -> None:
        """Check the number of neurons; the chip checks its settings."""
        if self.n_neurons < 2:
            raise ValueError(f"n_neurons={self.n_neurons}, need at least 2 to compare")


def simulate(
    sim: Any, parameters: Parameters, *, seed: int, progress: Callable[[float], None]
) -> tuple[dict[str, float], dict[str, FloatArray]]:
    """Record one neuron after the other, as the MADC does.

    Parameters
    ----------
    sim : module
        The vendor's PyNN, after `setup`.
    parameters : Parameters
        Settings.
    seed : int
        Of the chip; the experiment draws nothing itself.
    progress : callable
        Called with the completed fraction, 0 to 1.

    Returns
    -------
    metrics : dict of float
        Over neurons: `interval_us`, `threshold` and `reset`, the means of what the arrays hold;
        `interval_cv`, the standard deviation of the intervals divided by their mean;
        `threshold_std` and `reset_std`. `interval_jitter`: standard deviation of a neuron's
        intervals from cycle to cycle divided by their mean, mean over neurons.
    arrays : dict of ndarray, shape (n_neurons,)
        Means over cycles: `interval_us`, the interspike interval in us; `threshold` and `reset`,
        highest and lowest potential in LSB of the MADC. `interval_jitter` as above.

    Raises
    ------
    RuntimeError
        If a neuron hardly spikes: its leak is not above its threshold.
    """
    del seed
    neurons = sim.Population(
        parameters.n_neurons,
        sim.cells.HXNeuron(
            leak_v_leak=parameters.leak_v_leak,
            leak_i_bias=parameters.leak_i_bias,
            threshold_enable=True,
            threshold_v_threshold=parameters.threshold_v_threshold,
            reset_v_reset=parameters.reset_v_reset,
            reset_i_bias=parameters.reset_i_bias,
            reset_enable_multiplication=True,
            refractory_period_refractory_time=parameters.refractory_time,
            membrane_capacitance_capacitance=63,
        ),
    )
    found = []
    for index in range(parameters.n_neurons):
        found.append(_cycles(sim, neurons, index, parameters.runtime))
        progress((index + 1) / parameters.n_neurons)
    interval, jitter, threshold, reset = np.transpose(found)
    metrics = {
        "interval_us": interval.mean(),
        "interval_cv": interval.std(ddof=1) / interval.mean(),
        "interval_jitter": jitter.mean(),
        "threshold": threshold.mean(),
        "threshold_std": threshold.std(ddof=1),
        "reset": reset.mean(),
        "reset_std": reset.std(ddof=1),
    }
    arrays = {
        "interval_us": interval,
        "interval_jitter": jitter,
        "threshold": threshold,
        "reset": reset,
    }
    return metrics, arrays


def _cycles(sim: Any, neurons: Any, index: int, runtime: float) -> tuple[float, ...]:
    """Return interval (us), its relative jitter, highest and lowest potential of a neuron."""
    neuron = sim.PopulationView(neurons, [index])
    neuron.record(["spikes", "v"])
    sim.run(runtime)
    segment = neuron.get_data().segments[-1]
    sim.reset()
    neurons.record(None)
    spikes = np.asarray(segment.spiketrains[0].magnitude)
    if spikes.size < _MIN_SPIKES:
        raise RuntimeError(
            f"neuron {index} spikes {spikes.size} times in {runtime:g} ms, need {_MIN_SPIKES}: "
            "raise leak_v_leak, lower threshold_v_threshold or extend the runtime"
        )
    (signal,) = segment.irregularlysampledsignals
    times, potential = np.asarray(signal.times.magnitude), np.asarray(signal.magnitude)[:, 0]
    # Each cycle ends before the first sample after its spike; what follows the last is left out.
    bounds = np.searchsorted(times, spikes)
    inside = potential[: bounds[-1]]
    intervals = np.diff(spikes) * 1e3
    return (
        intervals.mean(),
        intervals.std(ddof=1) / intervals.mean(),
        np.maximum.reduceat(inside, bounds[:-1]).mean(),
        np.minimum.reduceat(inside, bounds[:-1]).mean(),
    )
