"""The chip's processor: observes memristive synapses and executes their rule periodically."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.correlation import (
    AMPLITUDE_RANGE,
    TAU_RANGE_US,
    CorrelationSensors,
    SensorParameters,
)
from hw_targets.brainscales2.mapped.memristive import Observed

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AMPLITUDE = AMPLITUDE_RANGE[1]
"""Target of the calibration of the sensors: the largest, since readings are whole numbers."""


@dataclass(frozen=True, eq=False)
class PlasticConnections:
    """Where the connections of a memristive projection are on the chip.

    Correlations are measured between events and the spikes of the circuit that a synapse belongs
    to. The plastic synapses are the dendrite's; so each connection has a second synapse, of weight
    0 and at the soma, as its sensor.

    Parameters
    ----------
    projection : Projection
        The connections.
    where : slice
        Their places among all connections of the network.
    lsb_per_na : ndarray
        Scale of their weights.
    rows : ndarray
        Rows that they take.
    source : ndarray of int64
        Source of the events, as in `engine.Synapses`.
    soma, dendrite : ndarray of int64
        Circuits of the postsynaptic cells.
    sensor : ndarray of int64
        Synapses of the sensors: (256 array + row) 256 + column.
    """

    projection: Any
    where: slice
    lsb_per_na: Array
    rows: Array
    source: IntArray
    soma: IntArray
    dendrite: IntArray
    sensor: IntArray


class Processor:
    """What the processor keeps between executions of the rule.

    Parameters
    ----------
    plastic : sequence of PlasticConnections
        All memristive projections.
    n_inputs, n_circuits : int
        Numbers of external sources and of circuits.
    chip : Chip
        Chip.
    period_ms : float
        Time from execution to execution.
    """

    def __init__(
        self,
        plastic: Sequence[PlasticConnections],
        n_inputs: int,
        n_circuits: int,
        chip: Chip,
        period_ms: float,
    ) -> None:
        self._n_inputs = n_inputs
        self._is_ideal = chip.is_ideal
        self._period_ms = period_ms
        self._counts = np.zeros(n_inputs + n_circuits, np.int64)
        self._z = np.zeros(n_circuits)
        self._tau_h = np.full(n_circuits, np.inf)
        self._sensors = []
        for each in plastic:
            self._tau_h[each.dendrite] = each.projection.post_values("tau_h")
            tau_us = sensor_tau(each.projection.synapse_type)
            parameters = (
                SensorParameters.ideal(each.sensor.size, AMPLITUDE, tau_us)
                if chip.is_ideal
                else SensorParameters.virtual(chip.seed, each.sensor, AMPLITUDE, tau_us)
            )
            self._sensors.append(
                CorrelationSensors(parameters, each.source, each.soma, n_inputs, n_circuits)
            )

    def observe(self, times_us: Array, sources: IntArray) -> None:
        """Take events and spikes in.

        Parameters
        ----------
        times_us : ndarray, shape (m,)
            Times, in any order.
        sources : ndarray of int64, shape (m,)
            External source, or n_inputs + circuit.
        """
        order = np.argsort(times_us, kind="stable")
        self._counts += np.bincount(sources, minlength=self._counts.size)
        for sensors in self._sensors:
            sensors.advance(times_us[order], sources[order])

    def execute(self, plastic: Sequence[PlasticConnections], now_ms: float) -> list[Array]:
        """Execute the rule of all projections at the end of a period.

        Parameters
        ----------
        plastic : sequence of PlasticConnections
            Those that it was made of.
        now_ms : float
            Time.

        Returns
        -------
        list of ndarray
            The new weights of each projection, in nA.
        """
        counts = self._counts
        if not self._is_ideal:
            counts = np.minimum(counts, limits.SPIKE_COUNT_MAX)
        # The counters don't tell when in the period a dendrite was active: evenly.
        decay = np.exp(-self._period_ms / self._tau_h)
        rate = counts[self._n_inputs :] / self._period_ms
        with np.errstate(invalid="ignore"):
            reached = np.where(np.isinf(self._tau_h), 0.0, rate * self._tau_h)
        self._z = self._z * decay + reached * (1.0 - decay)
        weights = []
        for each, sensors in zip(plastic, self._sensors, strict=True):
            causal, acausal = (sensors.reading(row, self._is_ideal) / AMPLITUDE for row in (0, 1))
            sensors.reset()
            devices = each.projection.devices
            observed = Observed(
                causal,
                acausal,
                counts[each.source],
                counts[self._n_inputs + each.soma],
                self._z[each.dendrite],
                sensor_tau(each.projection.synapse_type),
            )
            devices.update(observed, now_ms)
            weights.append(devices.read(now_ms))
        self._counts[:] = 0
        return weights


def sensor_tau(synapse_type: Any) -> float:
    """Return the time constant in us that sensors are calibrated to: tau_plus, in their range."""
    return float(np.clip(synapse_type.common_parameters()["tau_plus"], *TAU_RANGE_US))
