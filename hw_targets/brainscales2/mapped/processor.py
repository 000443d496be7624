"""The chip's processor: reads memristive devices and executes their rule periodically."""

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
from hw_targets.brainscales2.mapped.scaling import hardware_weights

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AMPLITUDE = AMPLITUDE_RANGE[1]
"""Target of the calibration of the sensors: the largest, since readings are whole numbers."""


@dataclass(frozen=True, eq=False)
class MemristiveConnections:
    """Where the connections of a memristive projection are on the chip.

    Parameters
    ----------
    projection : Projection
        The connections.
    where : slice
        Their places among all connections of the network.
    lsb_per_unit : ndarray
        Scale of their weights, negative if weights of this receptor are.
    rows : ndarray
        Rows that they take.
    """

    projection: Any
    where: slice
    lsb_per_unit: Array
    rows: Array

    def weights(self, now_ms: float, is_ideal: bool) -> Array:
        """Read the devices; return the weights in LSB as the processor writes them."""
        wanted = self.projection.devices.read(now_ms) * self.lsb_per_unit
        # Noise doesn't change the sign, which is the row's.
        return hardware_weights(np.maximum(wanted, 0.0), self.rows, is_ideal)


@dataclass(frozen=True, eq=False)
class PlasticConnections(MemristiveConnections):
    """Where the connections of a projection with a rule are on the chip.

    Correlations are measured between events and the spikes of the circuit that a synapse belongs
    to. The plastic synapses are the dendrite's; so each connection has a second synapse, of weight
    0 and at the soma, as its sensor.

    Parameters
    ----------
    source : ndarray of int64
        Source of the events, as in `engine.Synapses`.
    soma, dendrite : ndarray of int64
        Circuits of the postsynaptic cells.
    sensor : ndarray of int64
        Synapses of the sensors: (256 array + row) 256 + column.
    """

    source: IntArray
    soma: IntArray
    dendrite: IntArray
    sensor: IntArray


class Processor:
    """What the processor keeps between executions of the rule.

    Parameters
    ----------
    plastic : sequence of PlasticConnections
        All projections with a rule.
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
        self._sensors = []
        for each in plastic:
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

    def execute(self, plastic: Sequence[PlasticConnections], now_ms: float) -> None:
        """Execute the rule of all projections at the end of a period.

        Parameters
        ----------
        plastic : sequence of PlasticConnections
            Those that it was made of.
        now_ms : float
            Time.
        """
        counts = self._counts
        if not self._is_ideal:
            counts = np.minimum(counts, limits.SPIKE_COUNT_MAX)
        daps = counts[self._n_inputs :]
        # The counters don't tell when in the period a dendrite was active: evenly.
        tau_h = np.ones(self._z.size)
        for each in plastic:
            tau_h[each.dendrite] = each.projection.post_values("tau_h")
        x = self._period_ms / tau_h
        # Without a decay all is left.
        left = np.where(x > 0.0, -np.expm1(-x) / np.where(x > 0.0, x, 1.0), 1.0)
        self._z = self._z * np.exp(-x) + daps * left
        for each, sensors in zip(plastic, self._sensors, strict=True):
            causal, acausal = (sensors.reading(row, self._is_ideal) / AMPLITUDE for row in (0, 1))
            sensors.reset()
            n_post = counts[self._n_inputs + each.soma]
            # At a spike that a dendritic action potential has predicted, the trace is half a
            # potential above its mean.
            predicted = np.minimum(daps[each.dendrite] / np.maximum(n_post, 1), 1.0)
            observed = Observed(
                causal,
                acausal,
                counts[each.source],
                n_post,
                self._z[each.dendrite] + 0.5 * predicted,
                sensor_tau(each.projection.synapse_type),
            )
            each.projection.devices.update(observed, now_ms)
        self._counts[:] = 0


def sensor_tau(synapse_type: Any) -> float:
    """Return the time constant in us that sensors are calibrated to: tau_plus, in their range."""
    return float(np.clip(synapse_type.common_parameters()["tau_plus"], *TAU_RANGE_US))
