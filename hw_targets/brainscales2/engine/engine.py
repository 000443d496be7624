"""The engine: circuits and synapses, advanced from time to time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from devices.noise import noise_key
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine.clock import (
    CYCLE_US,
    CYCLES_PER_US,
    nearest_cycles,
    on_grid,
    whole_cycles,
)
from hw_targets.brainscales2.engine.compartments import Link, compartments
from hw_targets.brainscales2.engine.probe import Probe, schedule, split
from hw_targets.brainscales2.engine.propagators import propagators
from hw_targets.brainscales2.engine.synapses import Synapses, checked_weights

if TYPE_CHECKING:
    from hw_targets.brainscales2.engine.kernel import Memory, Network

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ROOM = 4096


@dataclass(frozen=True, eq=False)
class Activity:
    """What happened during an advance.

    Parameters
    ----------
    spike_times_us : ndarray, shape (n_spikes,)
        Ascending times in us, on the grid of 8 ns.
    spike_circuits : ndarray of int, shape (n_spikes,)
        The circuits that spiked.
    samples : list of ndarray, shape (n_times, n_circuits)
        What each probe saw.
    """

    spike_times_us: FloatArray
    spike_circuits: IntArray
    samples: list[FloatArray]


@dataclass(frozen=True, eq=False)
class State:
    """All that changes in an engine but for the weights; from `Engine.save`."""

    now: int
    arrays: tuple[npt.NDArray[Any], ...]


class Engine:
    """Integrates circuits and their synapses in hardware time.

    Time advances in steps that end at the next of: the grid of time steps, an external event, a
    spike, the end of a reset or of a hold-off. So an event acts when it occurs, a recurrent one
    without any delay, and what is linear is exact: an ideal integrate-and-fire neuron is on its
    solution at the end of each step. What is not is of second order. With steps of up to 0.1 us,
    time constants of 6 us and 90 events in 60 us, potentials differ from those of
    `scipy.integrate.solve_ivp` (tolerance 1e-9) by at most

    - linear: 4e-8 LSB, what solve_ivp leaves;
    - saturating synaptic inputs: 0.002 LSB; saturating leak, driven to three times its saturation:
      0.015 LSB; both: 0.006 LSB;
    - conductance-based inputs: 0.0004 LSB, with all saturations 0.002 LSB;
    - adaptation: 0.0002 LSB.

    With the exponential current single intervals between spikes differ by up to 24 ns.

    A circuit spikes at the first multiple of 8 ns at which its potential is at or above the
    threshold. Refractory and hold-off times are rounded to 4 ns.

    Parameters
    ----------
    circuits : Circuits
        Circuits.
    synapses : Synapses
        Synapses from external sources and between the circuits.
    dt_us : float, optional
        Longest step in us, a multiple of 4 ns. Noise on the membranes enters once per `dt_us`.
    seed : int
        Of all noise; >= 0.
    inter_compartment : sequence of (int, int, float), optional
        Conductances between circuits: two circuits and a rate in 1/us, the conductance over a
        capacitance of 1.

    Raises
    ------
    ValueError
        If a synapse's source or target, a link or the step is out of range.
    """

    def __init__(
        self,
        circuits: Circuits,
        synapses: Synapses,
        *,
        dt_us: float = 0.1,
        seed: int,
        inter_compartment: Sequence[Link] = (),
    ) -> None:
        # It needs numba, which takes time to import.
        from hw_targets.brainscales2.engine import kernel

        cycles = whole_cycles("Engine: dt_us", dt_us)
        if cycles < 1:
            raise ValueError(f"Engine: dt_us={dt_us:g}, need at least 0.004 us")
        n = len(circuits)
        key = noise_key(seed, "brainscales2.engine")
        _check_range("target", synapses.target, n)
        _check_range("source", synapses.source, synapses.n_inputs + n)
        self._kernel = kernel
        self._circuits = circuits
        self._synapses = synapses
        self._order = np.argsort(synapses.source, kind="stable")
        self._network: Network = kernel.Network(
            n_external=synapses.n_inputs,
            cycles=cycles,
            propagators=propagators(circuits, cycles),
            parameters=_parameters(circuits, cycles * CYCLE_US),
            reset_cycles=nearest_cycles(circuits.refractory_time),
            holdoff_cycles=nearest_cycles(circuits.holdoff_time),
            with_coba=bool((circuits.coba_exc | circuits.coba_inh).any()),
            with_adaptation=bool(
                ((circuits.adaptation_a != 0) | (circuits.adaptation_b != 0)).any()
            ),
            with_noise=bool((circuits.membrane_noise > 0.0).any()),
            exponential=np.flatnonzero((circuits.exp_slope > 0.0) & (circuits.exp_rate > 0.0)),
            first=np.searchsorted(
                synapses.source[self._order], np.arange(synapses.n_inputs + n + 1)
            ),
            target=((1 + synapses.inhibitory) * n + synapses.target)[self._order],
            charge=self._charge(synapses.weight),
            **compartments(inter_compartment, circuits.capacitance, cycles)._asdict(),
            key0=key[0],
            key1=key[1],
        )
        self._now = 0
        self._memory: Memory = kernel.Memory(
            y=np.zeros((kernel.N_STATE, n)),
            threshold=np.zeros(n),
            level=np.zeros(n),
            held=np.zeros(n),
            waits=np.zeros(n, dtype=np.bool_),
            reset_end=np.zeros(n, dtype=np.int64),
            silent_end=np.zeros(n, dtype=np.int64),
            n_spikes=np.zeros(n, dtype=np.int64),
        )
        self._memory.y[kernel.V] = circuits.leak_potential
        kernel.set_thresholds(self._network, self._memory)

    @property
    def now_us(self) -> float:
        """Time reached, in us."""
        return self._now * CYCLE_US

    def set_weights(self, weight: npt.ArrayLike) -> None:
        """Change the weights from now on.

        Parameters
        ----------
        weight : array_like
            Weights in LSB, >= 0, in the order of the synapses.

        Raises
        ------
        ValueError
            If they are negative, not finite, or of another number.
        """
        self._network.charge[:] = self._charge(
            checked_weights("Engine.set_weights", weight, len(self._synapses))
        )

    def set_potentials(self, potential: npt.ArrayLike) -> None:
        """Change the membrane potentials; at the begin they are the leak potentials.

        Parameters
        ----------
        potential : array_like
            LSB, one for all circuits or one for each.
        """
        self._memory.y[self._kernel.V] = potential

    def advance(
        self,
        until_us: float,
        event_times_us: npt.ArrayLike = (),
        event_sources: npt.ArrayLike = (),
        probes: Sequence[Probe] = (),
    ) -> Activity:
        """Integrate to a time.

        Parameters
        ----------
        until_us : float
            End in us, on the grid of 8 ns.
        event_times_us : array_like, shape (n_events,)
            Times of events of external sources, on the grid of 8 ns, from now to the end. Those at
            the end act with the present weights.
        event_sources : array_like of int, shape (n_events,)
            Their sources.
        probes : sequence of Probe, optional
            What to note, from now to the end: values before the events and spikes of that time,
            but after those of an earlier advance.

        Returns
        -------
        Activity
            Whether one advance or several lead to a time makes no difference to the last bit if
            the times between are multiples of `dt_us`, else none beyond the accuracy of a step.

        Raises
        ------
        ValueError
            If a time is off the grid or outside the advance, or a source or circuit doesn't exist.
        """
        until = int(on_grid("Engine.advance: until_us", until_us))
        if until < self._now:
            raise ValueError(
                f"Engine.advance: until_us={until_us:g}, need at least {self.now_us:g}, the time "
                "reached: restore a state to go back"
            )
        times, sources = self._events(event_times_us, event_sources, until)
        time, first, index, owner = schedule(probes, len(self._circuits), self._now, until)
        sampling = self._kernel.Sampling(time, first, index, np.empty(index.size))
        spike_times, spike_circuits = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        next_event = next_sample = 0
        room = max(_ROOM, 2 * len(self._circuits))
        while True:
            spike_time, spike_circuit = np.empty(room, np.int64), np.empty(room, np.int64)
            self._now, n_spikes, next_event, next_sample = self._kernel.advance(
                self._network, self._memory, self._now, until, times, sources, next_event,
                sampling, next_sample, spike_time, spike_circuit,
            )  # fmt: skip
            spike_times.append(spike_time[:n_spikes])
            spike_circuits.append(spike_circuit[:n_spikes])
            if self._now == until:
                break
        return Activity(
            np.concatenate(spike_times) / CYCLES_PER_US,
            np.concatenate(spike_circuits),
            split(probes, owner, first, sampling.value),
        )

    def save(self) -> State:
        """Copy the state.

        Returns
        -------
        State
        """
        return State(self._now, tuple(array.copy() for array in self._memory))

    def restore(self, state: State) -> None:
        """Return to a state, or continue that of an engine with other parameters.

        Parameters
        ----------
        state : State
            From `save`, of an engine with as many circuits.
        """
        self._now = state.now
        for array, saved in zip(self._memory, state.arrays, strict=True):
            array[:] = saved
        self._kernel.set_thresholds(self._network, self._memory)

    def _charge(self, weight: FloatArray) -> FloatArray:
        """Weights times gains, in the order of the sources."""
        s, c = self._synapses, self._circuits
        gain = np.where(s.inhibitory, c.gain_inh[s.target], c.gain_exc[s.target])
        return np.asarray((weight * gain)[self._order])

    def _events(
        self, times_us: npt.ArrayLike, sources: npt.ArrayLike, until: int
    ) -> tuple[IntArray, IntArray]:
        times = np.atleast_1d(on_grid("Engine.advance: event_times_us", times_us))
        which = np.atleast_1d(np.asarray(sources, dtype=np.int64))
        if which.shape != times.shape:
            raise ValueError(
                f"Engine.advance: {times.size} event_times_us and {which.size} event_sources, need "
                "one of each per event"
            )
        if times.size and (times.min() < self._now or times.max() > until):
            raise ValueError(
                f"Engine.advance: events at {times.min() * CYCLE_US:g} ... "
                f"{times.max() * CYCLE_US:g} us, need them from {self.now_us:g} to "
                f"{until * CYCLE_US:g} us"
            )
        _check_range("event_sources", which, self._synapses.n_inputs)
        order = np.argsort(times, kind="stable")
        return times[order], which[order]


def _check_range(name: str, indices: IntArray, n: int) -> None:
    outside = (indices < 0) | (indices >= n)
    if outside.any():
        raise ValueError(f"Engine: {name} {indices[outside][0]}, need 0 ... {n - 1}")


def _parameters(c: Circuits, dt_us: float) -> FloatArray:
    """Parameters in the order of `kernel`."""
    rows = [
        c.leak_potential,
        c.leak_rate * np.where(np.isinf(c.leak_saturation), 0.0, c.leak_saturation),
        1.0 / c.leak_saturation,
        c.current,
        np.where(np.isinf(c.saturation_exc), 0.0, c.saturation_exc),
        1.0 / c.saturation_exc,
        np.where(np.isinf(c.saturation_inh), 0.0, c.saturation_inh),
        1.0 / c.saturation_inh,
        c.reset_potential,
        c.adaptation_a,
        c.adaptation_b,
        c.adaptation_potential,
        c.coba_reference_exc,
        c.coba_reference_inh,
        _inverse_range(c.coba_exc, c.reversal_exc - c.coba_reference_exc),
        _inverse_range(c.coba_inh, c.reversal_inh - c.coba_reference_inh),
        c.exp_slope,
        c.exp_threshold,
        c.exp_rate,
        np.where(c.can_spike, c.threshold, np.inf),
        c.threshold_noise,
        c.membrane_noise * np.sqrt(_noise_time(c.leak_rate, dt_us)),
        c.lowest,
        c.highest,
    ]
    return np.array(rows)


def _inverse_range(on: npt.NDArray[np.bool_], range_: FloatArray) -> FloatArray:
    return np.where(on, 1.0 / np.where(on, range_, 1.0), 0.0)


def _noise_time(leak_rate: FloatArray, dt_us: float) -> FloatArray:
    """(1 - exp(-2 leak_rate dt)) / (2 leak_rate): the noise that a step leaves, by its strength."""
    x = 2.0 * leak_rate * dt_us
    safe = np.where(x == 0.0, 1.0, x)
    return np.asarray(dt_us * np.where(x == 0.0, 1.0, -np.expm1(-safe) / safe))
