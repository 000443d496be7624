"""Minimal twin of the sequence-learning network: docs/model_definition.md, sentence by sentence.

Independent of every backend and of the packages. Slow, plain and meant to be obviously right: time
is stepped, each linear system is advanced by the exponential of its matrix, traces are sums over
all past events, and the plasticity runs through synapses one by one at the moment of each event.

Units: ms, mV, nA, nF (so that I/cm is in mV/ms). Steps are integers; step n is the time n·h.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import e, exp, floor

import numpy as np
from scipy.linalg import expm

from tests.qc import twin_noise

V, I_E, I_I, ONE, I_D, D = range(6)
RECEPTORS = ("excitatory", "inhibitory", "dendritic")


def steps(time: float, h: float) -> int:
    """The whole number of steps in a time."""
    n = round(time / h)
    if abs(n * h - time) > 1e-6 * h:
        raise ValueError(f"twin: time {time} ms is no multiple of the time step {h} ms")
    return n


class Population:
    """What all populations share: pending input, spikes found, and how close the calls were."""

    def __init__(self, size: int, h: float) -> None:
        self.size = size
        self.h = h
        self.input = {receptor: np.zeros(size) for receptor in RECEPTORS}
        self.spikes: list[tuple[int, int]] = []
        self.margin_v = np.inf

    def receive(self, receptor: str, index: int, weight: float) -> None:
        """Add a weight (nA) to the input that arrives at the step about to be made."""
        self.input[receptor][index] += weight

    def take(self, receptor: str) -> np.ndarray:
        arrived = self.input[receptor]
        self.input[receptor] = np.zeros(self.size)
        return arrived

    def step(self, n: int) -> list[int]:
        """Advance from step n-1 to step n and return the neurons that spike at n."""
        found = [int(i) for i in self.advance(n)]
        self.spikes += [(n, i) for i in found]
        return found

    def advance(self, n: int) -> np.ndarray:
        raise NotImplementedError


class SpikeSource(Population):
    """Neurons that spike at given times, one list of times (ms, > 0) per neuron."""

    def __init__(self, times: list[list[float]], h: float) -> None:
        super().__init__(len(times), h)
        self.steps = [{steps(t, h) for t in own} for own in times]

    def advance(self, n: int) -> np.ndarray:
        return np.array([i for i in range(self.size) if n in self.steps[i]], dtype=int)


class IFCurrExp(Population):
    """Leaky integrate-and-fire neuron with exponential currents; spikes at V >= v_thresh."""

    def __init__(
        self, size: int, h: float, *, v_rest: float, cm: float, tau_m: float, tau_refrac: float,
        tau_syn_E: float, tau_syn_I: float, v_reset: float, v_thresh: float, i_offset: float,
    ) -> None:  # fmt: skip
        super().__init__(size, h)
        self.v_reset, self.v_thresh = v_reset, v_thresh
        self.refractory_steps = steps(tau_refrac, h)
        a = np.zeros((4, 4))
        a[V, [V, I_E, I_I]] = -1 / tau_m, 1 / cm, 1 / cm
        a[V, ONE] = v_rest / tau_m + i_offset / cm
        a[I_E, I_E] = -1 / tau_syn_E
        a[I_I, I_I] = -1 / tau_syn_I
        self.propagator = expm(a * h)
        self.state = np.zeros((4, size))
        self.state[V] = v_rest
        self.state[ONE] = 1
        self.refractory_until = np.zeros(size, dtype=int)

    def advance(self, n: int) -> np.ndarray:
        refractory = n <= self.refractory_until
        x = self.propagator @ self.state
        x[V, refractory] = self.v_reset
        x[I_E] += self.take("excitatory")
        x[I_I] += self.take("inhibitory")
        free = ~refractory
        if free.any():
            self.margin_v = min(self.margin_v, np.abs(x[V, free] - self.v_thresh).min())
        spiking = free & (x[V] >= self.v_thresh)
        x[V, spiking] = self.v_reset
        self.refractory_until[spiking] = n + self.refractory_steps
        self.state = x
        return np.flatnonzero(spiking)


class DAPNeurons(Population):
    """`IF_curr_exp_dAP`: the neuron with a dendritic action potential."""

    def __init__(
        self, size: int, h: float, *, v_rest: float, cm: float, tau_m: float, tau_refrac: float,
        tau_syn_E: float, tau_syn_I: float, tau_syn_D: float, v_reset: float, v_thresh: float,
        i_offset: float, i_dAP: float, theta_dAP: float, tau_dAP: float, tau_h: float,
    ) -> None:  # fmt: skip
        super().__init__(size, h)
        self.v_reset, self.v_thresh = v_reset, v_thresh
        self.i_dAP, self.theta_dAP, self.tau_h = i_dAP, theta_dAP, tau_h
        self.jump_D = e / tau_syn_D
        self.refractory_steps = steps(tau_refrac, h)
        self.dAP_steps = steps(tau_dAP, h)
        a = np.zeros((6, 6))
        a[V, [V, I_E, I_I, I_D]] = -1 / tau_m, 1 / cm, 1 / cm, 1 / cm
        a[V, ONE] = v_rest / tau_m + i_offset / cm
        a[I_E, I_E] = -1 / tau_syn_E
        a[I_I, I_I] = -1 / tau_syn_I
        a[I_D, [I_D, D]] = -1 / tau_syn_D, 1
        a[D, D] = -1 / tau_syn_D
        self.propagator = expm(a * h)
        a[[I_D, D]] = 0  # during a dendritic action potential the dendritic current is constant
        self.propagator_dAP = expm(a * h)
        self.state = np.zeros((6, size))
        self.state[V] = v_rest
        self.state[ONE] = 1
        self.refractory_until = np.zeros(size, dtype=int)
        self.dAP_onset = np.full(size, -1)
        self.dAPs: list[tuple[int, int]] = []
        self.dAPs_aborted: list[tuple[int, int]] = []
        self.dAP_history: list[list[int]] = [[] for _ in range(size)]
        self.margin_d = np.inf
        self.recorded_v: list[np.ndarray] = []
        self.recorded_d: list[np.ndarray] = []

    def z(self, i: int, n: int) -> float:
        """dAP trace of neuron i at step n, a dendritic action potential at n included."""
        return sum(exp(-(n - m) * self.h / self.tau_h) for m in self.dAP_history[i])

    def advance(self, n: int) -> np.ndarray:
        refractory = n <= self.refractory_until
        lasting = self.dAP_onset >= 0

        # 1. integrate
        x = np.where(lasting, self.propagator_dAP @ self.state, self.propagator @ self.state)
        x[V, refractory] = self.v_reset
        x[I_D, refractory] = x[D, refractory] = 0

        # 2. input
        x[I_E] += self.take("excitatory")
        x[I_I] += self.take("inhibitory")
        x[D] += np.where(refractory | lasting, 0, self.take("dendritic") * self.jump_D)

        # 3. end of a dendritic action potential
        ending = lasting & (n == self.dAP_onset + self.dAP_steps)
        x[I_D, ending] = x[D, ending] = 0
        self.dAP_onset[ending] = -1

        # 4. start of a dendritic action potential
        ready = ~lasting & ~refractory
        starting = ready & (x[I_D] > self.theta_dAP)
        if ready.any():
            self.margin_d = min(self.margin_d, np.abs(x[I_D, ready] - self.theta_dAP).min())
        x[I_D, starting] = self.i_dAP
        x[D, starting] = 0
        self.dAP_onset[starting] = n
        for i in np.flatnonzero(starting):
            self.dAPs.append((n, int(i)))
            self.dAP_history[i].append(n)

        # 5. somatic spike
        free = ~refractory
        spiking = free & (x[V] > self.v_thresh)
        if free.any():
            self.margin_v = min(self.margin_v, np.abs(x[V, free] - self.v_thresh).min())
        aborted = spiking & (self.dAP_onset >= 0)
        self.dAPs_aborted += [(n, int(i)) for i in np.flatnonzero(aborted)]
        x[V, spiking] = self.v_reset
        x[I_D, spiking] = x[D, spiking] = 0
        self.dAP_onset[spiking] = -1
        self.refractory_until[spiking] = n + self.refractory_steps

        self.state = x
        self.recorded_v.append(x[V].copy())
        self.recorded_d.append(x[I_D].copy())
        return np.flatnonzero(spiking)


class Projection:
    """Synapses `source[k] -> target[k]`, each with its own delay (ms)."""

    def __init__(
        self, pre: Population, post: Population, source: np.ndarray, target: np.ndarray,
        delay: np.ndarray, receptor: str,
    ) -> None:  # fmt: skip
        self.pre, self.post, self.receptor = pre, post, receptor
        self.target = [int(i) for i in target]
        self.delay = [steps(d, pre.h) for d in np.broadcast_to(delay, len(self.target))]
        if min(self.delay, default=1) < 1:
            raise ValueError("twin: a delay is shorter than the time step")
        self.outgoing: dict[int, list[int]] = defaultdict(list)
        self.incoming: dict[int, list[int]] = defaultdict(list)
        for k, (j, i) in enumerate(zip(source, target, strict=True)):
            self.outgoing[int(j)].append(k)
            self.incoming[int(i)].append(k)
        self.underway: dict[int, list[tuple[int, float]]] = defaultdict(list)

    def deliver(self, n: int) -> None:
        """Hand over what arrives at step n."""
        for i, weight in self.underway.pop(n, ()):
            self.post.receive(self.receptor, i, weight)

    def send(self, n: int, k: int, weight: float) -> None:
        self.underway[n + self.delay[k]].append((self.target[k], weight))

    def spikes(self, n: int, pre: list[int], post: list[int]) -> None:
        """Take note of the spikes that the two populations fired at step n."""
        raise NotImplementedError


class StaticProjection(Projection):
    """Synapses of fixed weights (nA)."""

    def __init__(
        self, pre: Population, post: Population, source: np.ndarray, target: np.ndarray,
        weight: np.ndarray, delay: np.ndarray, receptor: str,
    ) -> None:  # fmt: skip
        super().__init__(pre, post, source, target, delay, receptor)
        self.weight = [float(w) for w in np.broadcast_to(weight, len(self.target))]

    def spikes(self, n: int, pre: list[int], post: list[int]) -> None:
        for j in pre:
            for k in self.outgoing[j]:
                self.send(n, k, self.weight[k])


@dataclass(frozen=True)
class Plasticity:
    """Parameters of the rule and the device, named as those of the standard types."""

    switching: str  # "binary" (MemristiveStructuralSTDP) or "analog" (MemristiveSTDP)
    lambda_plus: float
    lambda_minus: float
    lambda_h: float
    z_target: float
    tau_plus: float
    dt_min: float
    dt_max: float
    pre_trace: bool = True
    p_max: float = 1.0
    theta_p: float | None = None
    n_levels: int | None = None
    sigma_c2c: float = 0.0
    c2c_event: str = "write"
    sigma_read: float = 0.0


class PlasticProjection(Projection):
    """Memristive synapses with homeostasis; synapse k is device k.

    `P` is up to date; `P_at_last_pre[k]` is the state right after the synapse's latest presynaptic
    spike (what an implementation knows that evaluates the rule at presynaptic spikes only).
    `history` has one `(step, k, P)` for each evaluation of the rule.
    """

    def __init__(
        self, pre: Population, post: DAPNeurons, source: np.ndarray, target: np.ndarray,
        delay: np.ndarray, receptor: str, *, rule: Plasticity, permanence: np.ndarray,
        w_min: np.ndarray, w_max: np.ndarray, key: tuple[int, int],
    ) -> None:  # fmt: skip
        super().__init__(pre, post, source, target, delay, receptor)
        size = len(self.target)
        self.source = [int(j) for j in source]
        self.neuron, self.h, self.rule, self.key = post, post.h, rule, key
        self.w_min = [float(w) for w in np.broadcast_to(w_min, size)]
        self.w_max = [float(w) for w in np.broadcast_to(w_max, size)]
        self.P = [float(p) for p in np.broadcast_to(permanence, size)]
        self.level = None
        if rule.n_levels is not None:
            self.level = rule.p_max / (rule.n_levels - 1)
            self.P = [self.level * floor(p / self.level + 0.5) for p in self.P]
        self.P_min = list(self.P)
        self.P_at_last_pre = list(self.P)
        self.event = [0] * size
        self.pre_steps: list[list[int]] = [[] for _ in range(pre.size)]
        self.post_events: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self.history: list[tuple[int, int, float]] = []
        self.margin_theta = np.inf
        self.margin_window = np.inf
        self.margin_level = np.inf

    def spikes(self, n: int, pre: list[int], post: list[int]) -> None:
        for i in post:
            z = self.neuron.z(i, n)
            for k in self.incoming[i]:
                self.post_events[n + self.delay[k]].append((k, z))
        for k, z in self.post_events.pop(n, ()):
            self.potentiate(n, k, z)
        for j in pre:
            for k in self.outgoing[j]:
                self.presynaptic_spike(n, k)
            self.pre_steps[j].append(n)

    def potentiate(self, n: int, k: int, z: float) -> None:
        """Handle the postsynaptic spike that reaches synapse k at step n."""
        rule = self.rule
        earlier = self.pre_steps[self.source[k]]
        if not earlier:
            return
        dt = (n - earlier[-1]) * self.h
        self.margin_window = min(self.margin_window, abs(dt - rule.dt_min), abs(dt - rule.dt_max))
        if not rule.dt_min < dt < rule.dt_max:
            return
        x = 1.0
        if rule.pre_trace:
            x = sum(exp(-(n - m) * self.h / rule.tau_plus) for m in earlier)
        q = min(self.P[k] + rule.lambda_plus * x * rule.p_max, rule.p_max)
        q = q + rule.lambda_h * (rule.z_target - z) * rule.p_max
        self.program(k, self.clip(k, q))
        self.history.append((n, k, self.P[k]))

    def presynaptic_spike(self, n: int, k: int) -> None:
        """Depress synapse k and send its weight."""
        rule = self.rule
        self.program(k, max(self.P[k] - rule.lambda_minus * rule.p_max, self.P_min[k]))
        if rule.c2c_event == "pre_spike":
            self.write(k, self.P[k], noisy=True)
        self.history.append((n, k, self.P[k]))
        self.P_at_last_pre[k] = self.P[k]
        factor = 1.0
        if rule.sigma_read > 0:
            seen = len(self.pre_steps[self.source[k]])
            xi = twin_noise.normal(self.key, k, seen, twin_noise.READ)
            factor = max(0.0, 1 + rule.sigma_read * xi)
        self.send(n, k, self.weight(k) * factor)

    def weight(self, k: int) -> float:
        """Weight (nA) without read noise."""
        if self.rule.switching == "analog":
            return self.w_min[k] + (self.w_max[k] - self.w_min[k]) * self.P[k]
        self.margin_theta = min(self.margin_theta, abs(self.P[k] - self.rule.theta_p))
        return self.w_max[k] if self.P[k] > self.rule.theta_p else self.w_min[k]

    def program(self, k: int, q: float) -> None:
        """Bring the state of device k to q, as far as the device can."""
        if q != self.P[k]:
            self.write(k, q, noisy=self.rule.c2c_event == "write")

    def write(self, k: int, q: float, noisy: bool) -> None:
        """Make one programming event."""
        rule = self.rule
        if noisy and rule.sigma_c2c > 0:
            xi = twin_noise.normal(self.key, k, self.event[k], twin_noise.WRITE)
            q += rule.sigma_c2c * rule.p_max * xi
        q = self.clip(k, q)
        if self.level is not None:
            u = twin_noise.uniform(self.key, k, self.event[k], twin_noise.LEVEL)
            raised = q / self.level + u
            self.margin_level = min(self.margin_level, abs(raised - round(raised)))
            q = self.clip(k, self.level * floor(raised))
        self.P[k] = q
        self.event[k] += 1

    def clip(self, k: int, q: float) -> float:
        return min(max(q, self.P_min[k]), self.rule.p_max)


def simulate(populations: list[Population], projections: list[Projection], duration: float) -> None:
    """Run a freshly built network from time 0 for the given duration (ms)."""
    h = populations[0].h
    for n in range(1, steps(duration, h) + 1):
        for projection in projections:
            projection.deliver(n)
        fired = {id(population): population.step(n) for population in populations}
        for projection in projections:
            projection.spikes(n, fired[id(projection.pre)], fired[id(projection.post)])
