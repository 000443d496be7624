"""Circuits run by the engine, and by a plain second implementation of their equations."""

import numpy as np

from hw_targets.brainscales2.engine import Engine, Probe, Synapses

DT = 0.01
"""Step of the plain implementation, Heun's method, in us."""


def simulate(circuits, times, weights=0.0, receptor="exc", at_us=0.0, seed=0):
    """Run circuits from their resets, with one event of a weight of each circuit.

    Returns potentials at `times`, of shape (times, circuits), and each circuit's spike times.
    """
    n = len(circuits)
    synapses = Synapses(
        n_inputs=1,
        source=np.zeros(n, dtype=int),
        target=np.arange(n),
        weight=np.broadcast_to(np.asarray(weights, dtype=float), n),
        inhibitory=np.full(n, receptor == "inh"),
    )
    engine = Engine(circuits, synapses, seed=seed)
    engine.set_potentials(
        np.where(circuits.can_spike, circuits.reset_potential, circuits.leak_potential)
    )
    until = np.ceil(times[-1] / 0.008) * 0.008
    probe = Probe(times_us=times, circuits=np.arange(n))
    activity = engine.advance(until, [at_us], [0], [probe])
    spikes = [activity.spike_times_us[activity.spike_circuits == k] for k in range(n)]
    return activity.samples[0], spikes


def integrate(circuits, duration_us, inputs=()):
    """Integrate circuits without noise from their leak potentials.

    `inputs` holds (time, "exc" or "inh", weight). Returns potentials, of shape (steps, circuits),
    and each circuit's spike times.
    """
    n = circuits.leak_potential.size
    potential = np.array(circuits.leak_potential)
    current = {"exc": np.zeros(n), "inh": np.zeros(n)}
    steps = round(duration_us / DT)
    trace = np.empty((steps, n))
    spikes = [[] for _ in range(n)]
    reset_until, silent_until = np.full(n, -np.inf), np.full(n, -np.inf)
    decay = {r: np.exp(-DT * getattr(circuits, f"syn_rate_{r}")) for r in current}
    events = {round(time / DT): (receptor, weight) for time, receptor, weight in inputs}
    for step in range(steps):
        now = step * DT
        if step in events:
            receptor, weight = events[step]
            current[receptor] = current[receptor] + weight * getattr(circuits, f"gain_{receptor}")
        later = {r: current[r] * decay[r] for r in current}
        in_reset = now < reset_until
        first = slope(circuits, potential, current, in_reset)
        second = slope(circuits, potential + DT * first, later, in_reset)
        potential = potential + 0.5 * DT * (first + second)
        current = later
        fires = circuits.can_spike & (now >= silent_until) & (potential >= circuits.threshold)
        for k in np.flatnonzero(fires):
            spikes[k].append(now + DT)
        reset_until[fires] = now + DT + circuits.refractory_time[fires]
        silent_until[fires] = reset_until[fires] + circuits.holdoff_time[fires]
        trace[step] = potential
    return trace, [np.array(times) for times in spikes]


def slope(circuits, potential, current, in_reset):
    """Time derivative of the potential."""
    leak = saturating(circuits.leak_potential - potential, circuits.leak_saturation)
    free = (
        circuits.leak_rate * leak
        + circuits.current
        + saturating(current["exc"], circuits.saturation_exc)
        - saturating(current["inh"], circuits.saturation_inh)
    )
    return np.where(in_reset, circuits.reset_rate * (circuits.reset_potential - potential), free)


def saturating(value, limit):
    """Value, limited as by a differential pair."""
    with np.errstate(invalid="ignore"):
        limited = limit * np.tanh(value / limit)
    return np.where(np.isinf(limit), value, limited)
