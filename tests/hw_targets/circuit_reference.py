"""One circuit by scipy's solve_ivp: the equations of `Circuits`, written down a second time."""

import numpy as np
from scipy.integrate import solve_ivp

TICK = 0.008
EXP_LIMIT = 8.0


def saturated(x, limit):
    return x if np.isinf(limit) else limit * np.tanh(x / limit)


def derivative(c):
    """Right-hand side for (V, I_exc, I_inh, w) of a single circuit."""
    p = {name: getattr(c, name)[0] for name in c.__dataclass_fields__}

    def factor(v, receptor):
        if not p[f"coba_{receptor}"]:
            return 1.0
        reversal = p[f"reversal_{receptor}"]
        return (reversal - v) / (reversal - p[f"coba_reference_{receptor}"])

    def f(t, y, held):
        v, exc, inh, w = y
        dw = p["adaptation_rate"] * (p["adaptation_a"] * (v - p["adaptation_potential"]) - w)
        if held:
            dv = p["reset_rate"] * (p["reset_potential"] - v)
        else:
            dv = p["leak_rate"] * saturated(p["leak_potential"] - v, p["leak_saturation"])
            dv += p["current"] - w
            dv += saturated(exc, p["saturation_exc"]) * factor(v, "exc")
            dv -= saturated(inh, p["saturation_inh"]) * factor(v, "inh")
            if p["exp_slope"] > 0:
                u = min((v - p["exp_threshold"]) / p["exp_slope"], EXP_LIMIT)
                dv += p["exp_rate"] * p["exp_slope"] * np.exp(u)
        return [dv, -p["syn_rate_exc"] * exc, -p["syn_rate_inh"] * inh, dw]

    return f, p


def solve(c, until, times, exc_events=(), inh_events=(), start=None):
    """Solve a single circuit with events (time, weight); return V at `times`, and spike times."""
    f, p = derivative(c)
    y = np.array([p["leak_potential"] if start is None else start, 0.0, 0.0, 0.0])
    jumps = [(t, 1, w * p["gain_exc"]) for t, w in exc_events]
    jumps = sorted(jumps + [(t, 2, w * p["gain_inh"]) for t, w in inh_events])
    trace, spikes = np.empty(len(times)), []
    t, held, silent = 0.0, False, 0.0

    def crossing(t, y, held):
        return y[0] - p["threshold"]

    crossing.terminal, crossing.direction = True, 1
    while t < until - 1e-9:
        while jumps and jumps[0][0] <= t + 1e-9:
            _, row, charge = jumps.pop(0)
            y[row] += charge
        end = min([until, *(jump[0] for jump in jumps[:1])])
        if silent > t + 1e-9:
            end = min(end, silent)
        watched = crossing if p["can_spike"] and silent <= t + 1e-9 and not held else None
        kwargs = {"rtol": 1e-9, "atol": 1e-11, "args": (held,)}
        run = solve_ivp(f, (t, end), y, dense_output=True, events=watched, **kwargs)
        spiking = watched is not None and run.t_events[0].size > 0
        # A spiking circuit goes on to the next tick, where its reset starts at the threshold.
        stop = np.ceil(run.t_events[0][0] / TICK - 1e-6) * TICK if spiking else end
        if spiking:
            spiking, stop = stop <= end + 1e-9, min(stop, end)
            run = solve_ivp(f, (t, stop), y, dense_output=True, **kwargs)
        inside = (times >= t - 1e-9) & (times <= stop + 1e-9)
        if inside.any():
            trace[inside] = run.sol(times[inside])[0]
        y = run.y[:, -1]
        t = stop
        if spiking:
            spikes.append(t)
            y[0] = p["reset_potential"] if np.isinf(p["reset_rate"]) else p["threshold"]
            y[3] += p["adaptation_b"]
            held, silent = p["refractory_time"] > 0, t + p["refractory_time"]
        elif held and t >= silent - 1e-9:
            held = False
    return trace, np.array(spikes)
