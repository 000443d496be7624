"""Memristive synapses: devices of a projection, and the rule that is executed periodically.

``docs/model_definition.md`` has the rule and the device; ``docs/brainscales2.md`` says how the rule
acts on what the chip observes.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosim.backends.standardmodels import MemristivePlasticity
from devices import Memristor, effects
from devices.noise import Key
from devices.programmed import ProgrammedWeights

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_HEADROOM = 3.0
"""What noise of a write or a read adds to the largest weight that is planned for, in its standard
deviations."""


class Observed(NamedTuple):
    """What the chip has observed of each synapse in a period.

    Attributes
    ----------
    causal, acausal : ndarray
        Correlations: sum over postsynaptic spikes of exp(-dt / tau_ms), dt after the latest
        presynaptic spike, and the other way round. In units of one pair without a distance.
    n_pre, n_post : ndarray of int64
        Spikes of the pre- and the postsynaptic cell.
    z : ndarray
        Trace of dendritic action potentials of the postsynaptic cell.
    tau_ms : float
        Time constant of the sensors.
    """

    causal: Array
    acausal: Array
    n_pre: IntArray
    n_post: IntArray
    z: Array
    tau_ms: float


class ReadDevices:
    """Devices whose weights on the chip are those of their last read."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        """Begin at time 0, before the first read."""
        self._n_reads = 0
        self._last_read: Array | None = None

    def weights(self, now_ms: float) -> Array:
        """Return the weights in nA or uS, shape (n,), without the noise of a read."""
        raise NotImplementedError

    def _sample(self, now_ms: float) -> Array:
        """Return the weights with the noise of read number `_n_reads`."""
        raise NotImplementedError

    def read(self, now_ms: float) -> Array:
        """Read all devices once; the weights in nA or uS, shape (n,), with the noise of a read."""
        self._last_read = self._sample(now_ms)
        self._n_reads += 1
        return self._last_read

    def in_use(self, now_ms: float) -> Array:
        """Return the weights that are on the chip: those of the last read, if there was one."""
        return self.weights(now_ms) if self._last_read is None else self._last_read


class PlasticDevices(ReadDevices):
    """The devices of a plastic projection, one per connection, in the order of the connections.

    Parameters
    ----------
    synapse_type : MemristivePlasticity
        Rule and device.
    permanence : ndarray, shape (n,)
        Initial states, which are also the floors; on levels.
    key : tuple of int
        Of the devices' noise.
    """

    #: What can be read of each device.
    STATE = ("permanence", "permanence_min", "n_events", "n_spikes", "n_set", "n_reset")

    def __init__(self, synapse_type: MemristivePlasticity, permanence: Array, key: Key) -> None:
        self._type = synapse_type
        self._device = synapse_type.device
        self._p_max = synapse_type.p_max
        self._rule = synapse_type.common_parameters()
        self._key = key
        self._index = np.arange(permanence.size)
        self.bounds = effects.sample_bounds(self._device, self._rule["w_max"], permanence.size, key)
        self.initialise(permanence)
        self.restart()

    @property
    def changes(self) -> bool:
        """Whether weights change."""
        return True

    @property
    def largest(self) -> Array:
        """Largest weight that each device can have, in nA."""
        written = _HEADROOM * self._device.sigma_write * (self.bounds.w_max - self.bounds.w_min)
        return np.asarray((self.bounds.w_max + written) * _highest_read(self._device))

    def initialise(self, permanence: Array) -> None:
        """Set states and floors, now and for `restart`."""
        self.permanence_min = permanence.copy()
        self.set_states(permanence)

    def set_states(self, permanence: Array) -> None:
        """Set states, now and for `restart`."""
        self._initial = permanence.copy()
        self.permanence = permanence.copy()
        self._last_read = None

    def restart(self) -> None:
        """Go back to the initial states, at time 0."""
        self.permanence = self._initial.copy()
        self.n_events, self.n_spikes, self.n_set, self.n_reset = (
            np.zeros(self._index.size, np.int64) for _ in range(4)
        )
        self._last_write_ms = np.zeros(self._index.size)
        self._begin()

    def weights(self, now_ms: float) -> Array:
        """Return the weights in nA, shape (n,), without the noise of a read."""
        low, high = self.bounds.w_min, self.bounds.w_max
        if self._type.binary:
            nominal = np.where(self.permanence > self._rule["theta_p"], high, low)
        else:
            nominal = low + (high - low) * (self.permanence / self._p_max)
        age_s = (now_ms - self._last_write_ms) / 1000.0
        return effects.conductance(
            self._device, nominal, high - low, self.n_events, self._key, self._index, age_s
        )

    def _sample(self, now_ms: float) -> Array:
        factor = effects.read_factor(self._device, self._n_reads, self._key, self._index)
        return np.asarray(self.weights(now_ms) * factor)

    def update(self, observed: Observed, now_ms: float) -> None:
        """Program the devices as the rule wants it after a period.

        Parameters
        ----------
        observed : Observed
            Arrays of shape (n,).
        now_ms : float
            End of the period.
        """
        wanted = self._wanted(observed)
        done = self.n_set + self.n_reset
        result = effects.program(
            self._device, self.permanence, wanted, self.permanence_min, self._p_max,
            self.n_events, self._key, self._index, done,
        )  # fmt: skip
        up = wanted > self.permanence
        self.n_set += np.where(up, result.n_writes, 0)
        self.n_reset += np.where(up, 0, result.n_writes)
        self._last_write_ms = np.where(result.n_writes > 0, now_ms, self._last_write_ms)
        self.permanence = result.state
        self.n_events += result.programmed
        self.n_spikes += observed.n_pre
        self._perturb(observed.n_pre)

    def _wanted(self, observed: Observed) -> Array:
        """States that the rule wants."""
        rule, tau = self._rule, observed.tau_ms
        most = np.minimum(observed.n_pre, observed.n_post)
        # Coincident spikes show up in one sensor or the other, depending on their order.
        either = observed.causal + observed.acausal
        paired = observed.causal > math.exp(-rule["dt_max"] / tau)
        paired &= either < most * math.exp(-rule["dt_min"] / tau)
        # Correlations don't tell one close pair from two distant ones: taken for pairs in the
        # middle of the window.
        middle = 0.5 * (rule["dt_min"] + rule["dt_max"])
        pairs = np.where(paired, np.minimum(observed.causal * math.exp(middle / tau), most), 0.0)
        increment = np.where(paired, observed.causal, 0.0) if self._type.pre_trace else pairs
        change = rule["lambda_plus"] * increment
        change += rule["lambda_h"] * (rule["z_target"] - observed.z) * pairs
        change -= rule["lambda_minus"] * observed.n_pre
        return np.clip(self.permanence + change * self._p_max, self.permanence_min, self._p_max)

    def _perturb(self, n_pre: IntArray) -> None:
        """Cycle-to-cycle noise of presynaptic spikes, one after the other."""
        if self._device.c2c_event != "pre_spike":
            return
        for number in range(int(n_pre.max(initial=0))):
            where = n_pre > number
            result = effects.perturb(
                self._device, self.permanence[where], self.permanence_min[where], self._p_max,
                self.n_events[where], self._key, self._index[where],
                (self.n_set + self.n_reset)[where],
            )  # fmt: skip
            self.permanence[where] = result.state
            self.n_events[where] += result.programmed


class ProgrammedDevices(ReadDevices):
    """The devices of a projection whose weights were programmed when it was made.

    Parameters
    ----------
    programmed : ProgrammedWeights
        The devices.
    changes : bool
        Whether weights change by drift or from read to read.
    """

    def __init__(self, programmed: ProgrammedWeights, changes: bool) -> None:
        super().__init__()
        self._programmed = programmed
        self.changes = changes

    @property
    def largest(self) -> Array:
        """Largest magnitude that each weight can have, in nA or uS."""
        made = self._programmed
        largest = np.abs(made.weights())
        if self.changes:
            # Each device of a weight has noise of its own.
            parts = np.linalg.norm(made.conductance * made.signs, axis=1)
            largest += (_highest_read(made.device) - 1.0) * np.abs(made.scale) * parts
        return largest

    def restart(self) -> None:
        """Go back to time 0."""
        self._begin()

    def weights(self, now_ms: float) -> Array:
        """Return the weights in nA or uS, shape (n,), without the noise of a read."""
        return self._programmed.weights(self._age_s(now_ms))

    def _sample(self, now_ms: float) -> Array:
        made = self._programmed
        factor = effects.read_factor(made.device, self._n_reads, made.key, made.device_index)
        conductances = made.conductances(self._age_s(now_ms)) * factor
        return np.asarray(made.scale * (conductances @ made.signs) + made.offset)

    def _age_s(self, now_ms: float) -> float | None:
        """Age that matters; None: no drift."""
        return now_ms / 1000.0 if self.changes else None


def _highest_read(device: Memristor) -> float:
    return 1.0 + _HEADROOM * math.hypot(device.sigma_read or 0.0, device.sigma_flicker or 0.0)
