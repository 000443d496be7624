"""A soma and a dendrite that are joined by a conductance, solved by scipy, in PyNN's units.

The dendrite's potential u above rest stands for I_D = u cm g (g in 1/ms: conductance over
capacitance, the same of both; u in mV of the soma). What flows back through the conductance makes

    dV/dt   = -(V - v_rest)/tau_m + (I_D + I_E)/cm
    dI_D/dt = -I_D/tau_syn_D + D + g^2 cm (V - v_rest)

of the equations of ``docs/model_definition.md``, which have no g.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import lambertw

GRID = 0.008
"""Spikes lie on this grid, ms."""


def feedback(p, g):
    """Largest deviation of V or I_D by the conductance, relative to the largest of V or I_D.

    The way from V through the dendrite back to V has the kernel g^2 exp(-t/tau_m) * exp(-t/
    tau_syn_D), whose integral is e = g^2 tau_m tau_syn_D; e + e^2 + ... is what it adds at most.
    """
    e = g**2 * p["tau_m"] * p["tau_syn_D"]
    return e / (1.0 - e)


def onset(p, weight, theta=None):
    """Time from an event to the threshold: I_D = w e t/tau exp(1 - t/tau)."""
    theta = p["theta_dAP"] if theta is None else theta
    return float(-p["tau_syn_D"] * lambertw(-theta / (weight * np.e)).real)


def integrate(p, g, inputs, until, times=(), holdoff=0.0, v=None):
    """Integrate one cell.

    Parameters: of the cell; g in 1/ms; inputs (time, weight, is dendritic) in nA; end; when to note
    V; hold-off in ms. Returns V at the times, and the times of spikes and of dAPs.
    """
    rest, tau_d, cm = p["v_rest"], p["tau_syn_D"], p["cm"]
    times = np.asarray(times, float)
    noted = np.full(times.size, np.nan)
    spikes, daps = [], []
    inputs = sorted(inputs)
    now, y = 0.0, np.array([rest if v is None else v, 0.0, 0.0, 0.0])
    refractory = plateau = silent = -1.0
    while now < until:
        while inputs and inputs[0][0] <= now:
            _, weight, dendritic = inputs.pop(0)
            y[2 if dendritic else 3] += weight * (np.e / tau_d if dendritic else 1.0)
        held, active = now < refractory, now < plateau

        def slope(_, y, held=held, active=active):
            v, i_d, d, i_e = y
            return [
                0.0 if held else -(v - rest) / p["tau_m"] + (i_d + i_e) / cm,
                0.0 if active else d - i_d / tau_d + g**2 * cm * (v - rest),
                -d / tau_d,
                -i_e / p["tau_syn_E"],
            ]

        def spike(_, y):
            return y[0] - p["v_thresh"]

        def dap(_, y):
            return y[1] - p["theta_dAP"]

        for event in (spike, dap):
            event.terminal, event.direction = True, 1.0
        watched = [e for e, on in ((spike, not held), (dap, now >= silent)) if on]
        if now >= silent and y[1] >= p["theta_dAP"]:
            found, end = dap, now
        else:
            ends = [t for t in (refractory, plateau, silent) if t > now]
            ends += [inputs[0][0]] if inputs else []
            end = min([*ends, until])
            path = solve_ivp(slope, (now, end), y, "DOP853", rtol=1e-11, atol=1e-13, max_step=0.5,
                             events=watched, dense_output=True)  # fmt: skip
            found = None
            if path.status == 1:
                found = next(e for e, t in zip(watched, path.t_events, strict=True) if t.size)
                end = float(np.ceil(path.t[-1] / GRID - 1e-9) * GRID)
            chosen = (times > now) & (times <= end) | (times == now) & np.isnan(noted)
            if chosen.any():
                noted[chosen] = path.sol(times[chosen])[0]
            # On to the grid: a step so short that nothing else happens in it.
            y = path.sol(end) if end > path.t[-1] else path.y[:, -1]
        now = end
        if found is spike:
            spikes.append(now)
            y[0] = p["v_reset"]
            refractory = now + p["tau_refrac"]
        elif found is dap:
            daps.append(now)
            y[1] = p["i_dAP"]
            plateau = now + p["tau_dAP"]
            silent = plateau + holdoff
    return noted, np.array(spikes), np.array(daps)
