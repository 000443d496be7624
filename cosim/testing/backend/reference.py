"""What models compute, written down once more in numpy: closed forms and reference integrations.

Units are PyNN's: ms, mV, nA, nF, uS.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Parameters = Mapping[str, float]


def step_response(t: np.ndarray, current: float, cm: float, tau_m: float) -> np.ndarray:
    """Return the depolarisation `t` ms after the onset of a constant current; 0 before it."""
    t = np.maximum(t, 0.0)
    return -current * tau_m / cm * np.expm1(-t / tau_m)


def exp_psp(t: np.ndarray, weight: float, cm: float, tau_m: float, tau_syn: float) -> np.ndarray:
    """Return the response to a current that jumps to `weight` and decays exponentially."""
    t = np.maximum(t, 0.0)
    scale = weight / cm * tau_m * tau_syn / (tau_m - tau_syn)
    return scale * (np.exp(-t / tau_m) - np.exp(-t / tau_syn))


def alpha_psp(t: np.ndarray, weight: float, cm: float, tau_m: float, tau_syn: float) -> np.ndarray:
    """Return the response to an alpha-shaped current of peak `weight`."""
    t = np.maximum(t, 0.0)
    beta = 1.0 / tau_syn - 1.0 / tau_m
    slow, fast = np.exp(-t / tau_m), np.exp(-t / tau_syn)
    return weight * np.e / tau_syn / cm * ((slow - fast) / beta**2 - t * fast / beta)


def delta_psp(t: np.ndarray, weight: float, cm: float, tau_m: float, tau_syn: float) -> np.ndarray:
    """Return the response to a jump of the membrane potential by `weight` mV."""
    return np.where(t >= 0.0, weight * np.exp(-np.maximum(t, 0.0) / tau_m), 0.0)


def run_if_curr_exp(
    cell: Parameters, excitatory: np.ndarray, inhibitory: np.ndarray, h: float
) -> tuple[np.ndarray, list[int]]:
    """Integrate IF_curr_exp step by step, in the order of ``docs/model_definition.md``.

    Parameters
    ----------
    cell : mapping of str to float
        Parameters of IF_curr_exp; ``v`` is the initial potential.
    excitatory, inhibitory : numpy.ndarray
        Summed weight in nA that arrives at the end of each step, of shape (n_steps + 1,).
    h : float
        Time step in ms.

    Returns
    -------
    v : numpy.ndarray
        Potential at the end of each step, of shape (n_steps + 1,).
    spikes : list of int
        Steps at whose end the cell spikes.
    """
    decay_m = np.exp(-h / cell["tau_m"])
    gain = {
        s: exp_psp(np.array(h), 1.0, cell["cm"], cell["tau_m"], cell[f"tau_syn_{s}"]) for s in "EI"
    }
    decay = {s: np.exp(-h / cell[f"tau_syn_{s}"]) for s in "EI"}
    constant = cell["i_offset"] * cell["tau_m"] / cell["cm"]
    refractory_steps = round(cell["tau_refrac"] / h)
    v = np.empty(len(excitatory))
    v[0], current, until, spikes = cell["v"], {"E": 0.0, "I": 0.0}, 0, []
    for n in range(1, len(v)):
        if n > until:
            target = cell["v_rest"] + constant
            v[n] = target + (v[n - 1] - target) * decay_m
            v[n] += gain["E"] * current["E"] + gain["I"] * current["I"]
        else:
            v[n] = cell["v_reset"]
        current = {
            "E": current["E"] * decay["E"] + excitatory[n],
            "I": current["I"] * decay["I"] + inhibitory[n],
        }
        if n > until and v[n] >= cell["v_thresh"]:
            spikes.append(n)
            v[n], until = cell["v_reset"], n + refractory_steps
    return v, spikes


def run_stdp(
    pre: np.ndarray,
    post: np.ndarray,
    weight: float,
    w_max: float,
    *,
    tau_plus: float,
    tau_minus: float,
    a_plus: float,
    a_minus: float,
    mu: tuple[float, float],
) -> tuple[float, list[float]]:
    """Apply pair-based STDP to one synapse: all pairs, but not those of simultaneous spikes.

    Parameters
    ----------
    pre, post : numpy.ndarray
        Times in ms at which spikes reach the synapse, in ascending order.
    weight, w_max : float
        Initial and largest weight; the smallest is 0.
    tau_plus, tau_minus, a_plus, a_minus : float
        Parameters of ``SpikePairRule``.
    mu : tuple of float
        Exponents of the distance to the limits, in potentiation and in depression
        (Guetig et al. 2003).

    Returns
    -------
    weight : float
        Weight after the last presynaptic spike.
    sent : list of float
        Weight with which each presynaptic spike is sent.
    """
    x, sent = weight / w_max, []
    for n, t in enumerate(pre):
        since = post[(post > pre[n - 1]) & (post <= t)] if n else []
        for s in since:
            trace = np.exp((pre[pre < s] - s) / tau_plus).sum()
            x = min(x + a_plus * (1 - x) ** mu[0] * trace, 1.0)
        trace = np.exp((post[post < t] - t) / tau_minus).sum()
        x = max(x - a_minus * x ** mu[1] * trace, 0.0)
        sent.append(x * w_max)
    return x * w_max, sent


def run_tsodyks_markram(
    times: Sequence[float], U: float, tau_rec: float, tau_facil: float, tau_syn: float
) -> list[float]:
    """Return the part of the resources that each spike activates (Tsodyks et al. 2000, eq. 3-4)."""
    recovered, active, u, last, found = 1.0, 0.0, 0.0, -np.inf, []
    for t in times:
        dt = t - last
        inactive = 1.0 - recovered - active
        fast, slow = np.exp(-dt / tau_syn), np.exp(-dt / tau_rec)
        through = 1 + (tau_syn * fast - tau_rec * slow) / (tau_rec - tau_syn)
        recovered += active * through + inactive * (1 - slow)
        active *= fast
        u = u * np.exp(-dt / tau_facil) if tau_facil else 0.0
        u += U * (1 - u)
        found.append(u * recovered)
        recovered -= found[-1]
        active += found[-1]
        last = t
    return found


@dataclass(frozen=True)
class Model:
    """A model given by differential equations.

    Parameters
    ----------
    derivative : callable
        ``derivative(y, p)`` of the state `y` with the cell's parameters `p`.
    initial : callable
        ``initial(p)`` returns the state at time 0; its first entry is the potential.
    jump : callable
        ``jump(y, p, weight)`` returns the state after an excitatory input.
    """

    derivative: Callable[[np.ndarray, Parameters], np.ndarray]
    initial: Callable[[Parameters], np.ndarray]
    jump: Callable[[np.ndarray, Parameters, float], np.ndarray]

    def potential(
        self, p: Parameters, inputs: Sequence[tuple[int, float]], n_steps: int, h: float
    ) -> np.ndarray:
        """Integrate with 20 Runge-Kutta steps in each time step.

        Parameters
        ----------
        p : mapping of str to float
            Parameters of the cell.
        inputs : sequence of (int, float)
            Step at whose end an excitatory input arrives, and its weight.
        n_steps : int
            Number of time steps.
        h : float
            Time step in ms.

        Returns
        -------
        numpy.ndarray
            Potential at the end of each step, of shape (n_steps + 1,).
        """
        weights = dict(inputs)
        y, found, dt = self.initial(p), [], h / 20
        for n in range(n_steps + 1):
            for _ in range(20 if n else 0):
                k1 = self.derivative(y, p)
                k2 = self.derivative(y + dt / 2 * k1, p)
                k3 = self.derivative(y + dt / 2 * k2, p)
                k4 = self.derivative(y + dt * k3, p)
                y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            if n in weights:
                y = self.jump(y, p, weights[n])
            found.append(y[0])
        return np.array(found)


def _passive(v: float, p: Parameters) -> float:
    return (p["v_rest"] - v) / p["tau_m"] + p["i_offset"] / p["cm"]


def _if_cond_exp(y: np.ndarray, p: Parameters) -> np.ndarray:
    v, g = y
    return np.array([_passive(v, p) + g * (p["e_rev_E"] - v) / p["cm"], -g / p["tau_syn_E"]])


def _if_cond_alpha(y: np.ndarray, p: Parameters) -> np.ndarray:
    v, g, rise = y
    tau = p["tau_syn_E"]
    return np.array(
        [_passive(v, p) + g * (p["e_rev_E"] - v) / p["cm"], rise - g / tau, -rise / tau]
    )


def _adaptive(y: np.ndarray, p: Parameters) -> np.ndarray:
    """Adaptive exponential cell; y = (v, w, g); Brette and Gerstner 2005."""
    v, w, g = y
    upstroke = p["delta_T"] / p["tau_m"] * np.exp((v - p["v_thresh"]) / p["delta_T"])
    synaptic = (g * (p["e_rev_E"] - v) - w) / p["cm"]
    slow = (0.001 * p["a"] * (v - p["v_rest"]) - w) / p["tau_w"]
    return np.array([_passive(v, p) + upstroke + synaptic, slow, -g / p["tau_syn_E"]])


def _adaptive_alpha(y: np.ndarray, p: Parameters) -> np.ndarray:
    v, w, g, rise = y
    dv, dw, _ = _adaptive(np.array([v, w, g]), p)
    return np.array([dv, dw, rise - g / p["tau_syn_E"], -rise / p["tau_syn_E"]])


def _izhikevich(y: np.ndarray, p: Parameters) -> np.ndarray:
    v, u = y
    drive = 1000.0 * p["i_offset"]  # a current of 1 pA moves the potential by 1 mV/ms
    return np.array([0.04 * v**2 + 5 * v + 140 - u + drive, p["a"] * (p["b"] * v - u)])


def _hh_rates(v: float, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return opening and closing rates of the gates m, h, n; Traub and Miles 1991."""
    x = v - p["v_offset"]
    opening = [
        0.32 * (13 - x) / np.expm1((13 - x) / 4),
        0.128 * np.exp((17 - x) / 18),
        0.032 * (15 - x) / np.expm1((15 - x) / 5),
    ]
    closing = [
        0.28 * (x - 40) / np.expm1((x - 40) / 5),
        4 / (1 + np.exp((40 - x) / 5)),
        0.5 * np.exp((10 - x) / 40),
    ]
    return np.array(opening), np.array(closing)


def _hh_cond_exp(y: np.ndarray, p: Parameters) -> np.ndarray:
    v, m, h, n, g = y
    current = (
        p["gbar_Na"] * m**3 * h * (p["e_rev_Na"] - v)
        + p["gbar_K"] * n**4 * (p["e_rev_K"] - v)
        + p["g_leak"] * (p["e_rev_leak"] - v)
        + g * (p["e_rev_E"] - v)
        + p["i_offset"]
    )
    opening, closing = _hh_rates(v, p)
    gates = opening * (1 - y[1:4]) - closing * y[1:4]
    return np.array([current / p["cm"], *gates, -g / p["tau_syn_E"]])


def _hh_initial(p: Parameters) -> np.ndarray:
    return np.array([p["v"], p["m"], p["h"], p["n"], 0.0])


def _adding(index: int, factor: Callable[[Parameters], float] = lambda p: 1.0) -> Any:
    def jump(y: np.ndarray, p: Parameters, weight: float) -> np.ndarray:
        y = y.copy()
        y[index] += weight * factor(p)
        return y

    return jump


def _at_rest(n_other: int) -> Callable[[Parameters], np.ndarray]:
    return lambda p: np.array([p["v"], *[0.0] * n_other])


def _peak(p: Parameters) -> float:
    """Return the initial slope of an alpha function whose peak is 1."""
    return np.e / p["tau_syn_E"]


#: Cell types that simulators integrate numerically.
MODELS = {
    "IF_cond_exp": Model(_if_cond_exp, _at_rest(1), _adding(1)),
    "IF_cond_exp_gsfa_grr": Model(_if_cond_exp, _at_rest(1), _adding(1)),
    "IF_cond_alpha": Model(_if_cond_alpha, _at_rest(2), _adding(2, _peak)),
    "EIF_cond_exp_isfa_ista": Model(_adaptive, _at_rest(2), _adding(2)),
    "EIF_cond_alpha_isfa_ista": Model(_adaptive_alpha, _at_rest(3), _adding(3, _peak)),
    "HH_cond_exp": Model(_hh_cond_exp, _hh_initial, _adding(4)),
    "Izhikevich": Model(_izhikevich, lambda p: np.array([p["v"], p["u"]]), _adding(0)),
}
