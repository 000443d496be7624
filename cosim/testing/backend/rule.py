"""The memristive plasticity of one synapse, on the numpy functions of `devices`."""

from dataclasses import asdict, dataclass

import numpy as np

from devices import Memristor, effects, noise


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Parameters of `MemristiveSTDP` or `MemristiveStructuralSTDP`, in PyNN's units."""

    binary: bool
    w_max: float
    p_max: float
    lambda_plus: float
    lambda_minus: float
    lambda_h: float
    z_target: float
    tau_plus: float
    dt_min: float
    dt_max: float
    theta_p: float = 0.0

    def parameters(self) -> dict[str, float]:
        """Return the keyword arguments of the synapse type."""
        without = {"binary"} if self.binary else {"binary", "p_max", "theta_p"}
        return {name: value for name, value in asdict(self).items() if name not in without}


@dataclass(frozen=True)
class Outcome:
    """What the spikes of a simulation did to one synapse.

    Attributes
    ----------
    state, weight : float
        At the end.
    sent : list of float
        Weight with which each presynaptic spike is sent.
    n_set, n_reset : int
        Writes in either direction.
    """

    state: float
    weight: float
    sent: list[float]
    n_set: int
    n_reset: int


def run_rule(
    rule: Rule,
    device: Memristor,
    key: noise.Key,
    index: int,
    bounds: tuple[float, float],
    permanence: float,
    pre: np.ndarray,
    post: np.ndarray,
    end: int,
    z: float,
    h: float,
    *,
    pre_trace: bool,
) -> Outcome:
    """Apply the spikes of a simulation to one synapse, see ``docs/model_definition.md``.

    Parameters
    ----------
    rule, device : Rule, Memristor
        The synapse's parameters.
    key, index : tuple of int, int
        Key of the projection's noise and index of the device in the projection.
    bounds : tuple of float
        The device's own smallest and largest weight.
    permanence : float
        Initial state.
    pre, post : numpy.ndarray of int
        Steps at which spikes reach the synapse, in ascending order.
    end : int
        Last step of the simulation.
    z : float
        Trace of dendritic action potentials of the postsynaptic cell, constant.
    h : float
        Time step in ms.
    pre_trace : bool
        Whether potentiation scales with the presynaptic trace.

    Returns
    -------
    Outcome
        After all spikes.
    """
    p_max, (w_min, w_max) = rule.p_max, bounds
    state = floor = float(effects.initial_state(device, permanence, p_max))
    n_events, trace, written = 0, 0.0, 0
    writes = {True: 0, False: 0}
    last: int | None = None
    sent: list[float] = []

    def weight(step: int) -> float:
        if rule.binary:
            w = w_max if state > rule.theta_p else w_min
        else:
            w = w_min + (w_max - w_min) * state
        age = (step - written) * h / 1000.0
        return float(effects.conductance(device, w, w_max - w_min, n_events, key, index, age))

    # A postsynaptic spike comes before a presynaptic one of the same step.
    events = sorted([(int(n), 0) for n in post] + [(int(n), 1) for n in pre])
    for step, is_pre in events:
        if is_pre:
            wanted = max(state - rule.lambda_minus * p_max, floor)
        else:
            if last is None:
                continue
            dt = (step - last) * h
            if not rule.dt_min + h / 2 < dt < rule.dt_max - h / 2:
                continue
            x = trace * np.exp(-dt / rule.tau_plus) if pre_trace else 1.0
            wanted = min(state + rule.lambda_plus * x * p_max, p_max)
            wanted += rule.lambda_h * (rule.z_target - z) * p_max
            wanted = min(max(wanted, floor), p_max)
        done = sum(writes.values())
        new, programmed, count = effects.program(
            device, state, wanted, floor, p_max, n_events, key, index, done
        )
        writes[wanted > state] += int(count)
        written = step if count else written
        state, n_events = float(new), n_events + int(programmed)
        if is_pre:
            done = sum(writes.values())
            new, programmed, _ = effects.perturb(
                device, state, floor, p_max, n_events, key, index, done
            )
            state, n_events = float(new), n_events + int(programmed)
            factor = effects.read_factor(device, len(sent), key, index)
            sent.append(weight(step) * float(factor))
            decay = np.exp(-(step - last) * h / rule.tau_plus) if last is not None else 0.0
            trace, last = trace * decay + 1.0, step
    return Outcome(state, weight(end), sent, n_set=writes[True], n_reset=writes[False])
