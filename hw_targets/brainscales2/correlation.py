"""Correlation sensors: each synapse measures how close events and spikes of its neuron follow.

A spike of the neuron adds amplitude exp(-dt / tau) to the causal sensor, dt after the last event of
the synapse; an event adds the same to the acausal sensor, dt after the last spike of the neuron.
Sensors of a chip differ: amplitudes and time constants of each synapse are drawn from the seed of
the chip.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from numba import njit

from devices.noise import Stream, noise_key, normal

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AMPLITUDE = 0.5
"""Target of the calibration for one pair without delay, in LSB of the CADC (calix,
synapse correlation sensors)."""
TAU_US = 5.0
"""Target of the calibration for the time constant in us (ibid.)."""
AMPLITUDE_RANGE = (0.2, 2.0)
TAU_RANGE_US = (2.0, 30.0)
"""Feasible targets (ibid.)."""
AMPLITUDE_SPREAD = 0.3
TAU_SPREAD = 0.2
"""Standard deviations of the logarithms of amplitude and time constant of calibrated sensors.
Reconstructed: no numbers are published; calix' tests accept percentiles 30 and 70 within a factor
of two of the target, a spread of up to 1.3."""
READING_MAX = 255
"""Largest reading of the CADC, at which an accumulated correlation saturates."""


@dataclass(frozen=True, eq=False)
class SensorParameters:
    """Amplitudes in LSB and time constants in us of sensors; rows causal and acausal.

    Parameters
    ----------
    amplitude, tau_us : ndarray, shape (2, n)
        One column for each synapse.
    """

    amplitude: FloatArray
    tau_us: FloatArray

    @classmethod
    def ideal(cls, n: int, amplitude: float = AMPLITUDE, tau_us: float = TAU_US) -> Self:
        """Make n equal sensors, see `virtual`."""
        return cls(np.full((2, n), amplitude), np.full((2, n), tau_us))

    @classmethod
    def virtual(
        cls, seed: int, synapse: IntArray, amplitude: float = AMPLITUDE, tau_us: float = TAU_US
    ) -> Self:
        """Draw the sensors of some synapses of a chip.

        Parameters
        ----------
        seed : int
            Seed of the chip.
        synapse : ndarray of int64, shape (n,)
            Synapses: (256 array + row) 256 + column, see `routing`.
        amplitude, tau_us : float, optional
            Targets of the calibration.

        Returns
        -------
        SensorParameters
            A synapse of a seed is always the same.
        """
        key = noise_key(seed, "brainscales2 correlation")
        part = np.arange(4)[:, None]
        draws = normal(key, synapse[None, :], 0, Stream.D2D_GAIN, part)
        return cls(
            amplitude * np.exp(AMPLITUDE_SPREAD * draws[:2]),
            tau_us * np.exp(TAU_SPREAD * draws[2:]),
        )


class CorrelationSensors:
    """The sensors of some synapses.

    Parameters
    ----------
    parameters : SensorParameters
        What each sensor does.
    source, target : ndarray of int64, shape (n,)
        Source and circuit of each synapse, as in `engine.Synapses`.
    n_inputs, n_circuits : int
        Numbers of external sources and of circuits: circuit i is source n_inputs + i.
    """

    def __init__(
        self,
        parameters: SensorParameters,
        source: IntArray,
        target: IntArray,
        n_inputs: int,
        n_circuits: int,
    ) -> None:
        self._parameters = parameters
        self._n_inputs = n_inputs
        self._outgoing = _by(source, n_inputs + n_circuits)
        self._incoming = _by(target, n_circuits)
        #: Accumulated causal and acausal correlation in LSB, time of the last event and spike.
        self.state = np.zeros((4, source.size))
        self.state[2:] = -np.inf

    def advance(self, times_us: FloatArray, sources: IntArray) -> None:
        """Take events and spikes in.

        Parameters
        ----------
        times_us : ndarray, shape (m,)
            Ascending times.
        sources : ndarray of int64, shape (m,)
            External source or circuit of each.
        """
        p = self._parameters
        _accumulate(times_us, sources, self._n_inputs, *self._outgoing, *self._incoming,
                    p.amplitude, 1.0 / p.tau_us, self.state)  # fmt: skip

    def reading(self, row: int, exact: bool) -> npt.NDArray[np.float64]:
        """Return what the CADC reads of the causal (0) or acausal (1) sensors, less its offset.

        Parameters
        ----------
        row : int
            Which.
        exact : bool
            Whether readings are neither rounded nor saturate.

        Returns
        -------
        ndarray, shape (n,)
            LSB, 0 ... 255.
        """
        values = self.state[row]
        return values.copy() if exact else np.clip(np.rint(values), 0, READING_MAX)

    def reset(self) -> None:
        """Clear what has been accumulated."""
        self.state[:2] = 0.0


def _by(index: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Synapses by their index, and where those of each begin."""
    order = np.argsort(index, kind="stable")
    return order, np.searchsorted(index[order], np.arange(n + 1))


@njit(cache=True, error_model="numpy")
def _accumulate(
    times: FloatArray,
    sources: IntArray,
    n_inputs: int,
    outgoing: IntArray,
    first_outgoing: IntArray,
    incoming: IntArray,
    first_incoming: IntArray,
    amplitude: FloatArray,
    rate: FloatArray,
    state: FloatArray,
) -> None:
    for k in range(times.size):
        now, source = times[k], sources[k]
        for j in range(first_outgoing[source], first_outgoing[source + 1]):
            i = outgoing[j]
            state[1, i] += amplitude[1, i] * math.exp(-(now - state[3, i]) * rate[1, i])
            state[2, i] = now
        if source >= n_inputs:
            circuit = source - n_inputs
            for j in range(first_incoming[circuit], first_incoming[circuit + 1]):
                i = incoming[j]
                state[0, i] += amplitude[0, i] * math.exp(-(now - state[2, i]) * rate[0, i])
                state[3, i] = now
