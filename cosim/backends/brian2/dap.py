"""The integrate-and-fire neuron with dendritic action potentials in Brian2.

The code of a step is ``docs/model_definition.md`` line by line.
"""

from collections.abc import Mapping

import numpy as np

from cosim.backends import standardmodels

from .model import MILLI, NANO, Cell, NeuronModel, translation
from .propagators import response_alpha, response_exponential

_EQUATIONS = """
dv/dt = (v_rest - v)/tau_m + (isyn_exc + isyn_inh + i_dend + i_offset + i_inj)/c_m : volt
disyn_exc/dt = -isyn_exc/tau_syn_e : amp
disyn_inh/dt = -isyn_inh/tau_syn_i : amp
di_dend/dt = d_dend - i_dend/tau_syn_d : amp
dd_dend/dt = -d_dend/tau_syn_d : amp/second
ddAP_trace/dt = -dAP_trace/tau_h : 1
in_exc : amp
in_inh : amp
in_dend : amp
i_inj : amp
# Steps for which the neuron stays refractory, and for which a dendritic action potential lasts.
steps_refrac : 1
steps_dAP : 1
fires : 1
starts_dAP : 1
# The trace at the last somatic spike.
z_spike : 1
v_rest : volt (constant)
c_m : farad (constant)
tau_m : second (constant)
tau_syn_e : second (constant)
tau_syn_i : second (constant)
tau_syn_d : second (constant)
i_offset : amp (constant)
v_reset : volt (constant)
v_thresh : volt (constant)
i_dAP : amp (constant)
theta_dAP : amp (constant)
tau_h : second (constant)
P_v : 1 (constant)
P_v_exc : ohm (constant)
P_v_inh : ohm (constant)
P_v_dend : ohm (constant)
P_v_d : ohm*second (constant)
P_v_const : ohm (constant)
P_exc : 1 (constant)
P_inh : 1 (constant)
P_dend : 1 (constant)
P_trace : 1 (constant)
jump_d : Hz (constant)
refrac_steps : 1 (constant)
dAP_steps : 1 (constant)
"""

_STEP = """
active = 1.0*int(steps_refrac <= 0)
clamped = 1.0*int(steps_dAP > 0)
free = 1 - clamped
receptive = active*free
by_synapses = P_v_exc*isyn_exc + P_v_inh*isyn_inh  # 1. Integration with the old currents.
by_constants = P_v_const*(i_offset + i_inj + clamped*i_dend)
by_dendrite = free*(P_v_dend*i_dend + P_v_d*d_dend)
integrated = v_rest + P_v*(v - v_rest) + by_synapses + by_constants + by_dendrite
v = active*integrated + (1 - active)*v
i_dend = clamped*i_dend + free*P_dend*(i_dend + dt*d_dend)
d_dend = P_dend*d_dend
dAP_trace = P_trace*dAP_trace
isyn_exc = P_exc*isyn_exc + in_exc  # 2. Input.
isyn_inh = P_inh*isyn_inh + in_inh
d_dend += receptive*jump_d*in_dend
in_exc = 0*amp
in_inh = 0*amp
in_dend = 0*amp
steps_refrac -= 1 - active  # 3. End of a dendritic action potential.
steps_dAP -= clamped
ends = clamped*int(steps_dAP <= 0)
starts_dAP = receptive*int(i_dend > theta_dAP)  # 4. Start of a dendritic action potential.
kept = (1 - starts_dAP)*(1 - ends)
i_dend = starts_dAP*i_dAP + kept*i_dend
d_dend = kept*d_dend
steps_dAP += starts_dAP*dAP_steps
dAP_trace += starts_dAP
fires = active*int(v > v_thresh + 1e-15*volt)  # 5. Somatic spike.
v = fires*v_reset + (1 - fires)*v
i_dend = (1 - fires)*i_dend
d_dend = (1 - fires)*d_dend
steps_dAP = (1 - fires)*steps_dAP
steps_refrac += fires*refrac_steps
z_spike = fires*dAP_trace + (1 - fires)*z_spike
"""


def _propagators(p: Mapping[str, np.ndarray], dt: float) -> dict[str, np.ndarray]:
    """Return the factors of one step, from parameters in SI units."""
    resistance = p["tau_m"] / p["c_m"]

    def response(tau: np.ndarray) -> np.ndarray:
        return resistance * response_exponential(dt, tau, p["tau_m"])

    return {
        "P_v": np.exp(-dt / p["tau_m"]),
        "P_v_exc": response(p["tau_syn_e"]),
        "P_v_inh": response(p["tau_syn_i"]),
        "P_v_dend": response(p["tau_syn_d"]),
        "P_v_d": resistance * response_alpha(dt, p["tau_syn_d"], p["tau_m"]),
        "P_v_const": -resistance * np.expm1(-dt / p["tau_m"]),
        "P_exc": np.exp(-dt / p["tau_syn_e"]),
        "P_inh": np.exp(-dt / p["tau_syn_i"]),
        "P_dend": np.exp(-dt / p["tau_syn_d"]),
        "P_trace": np.exp(-dt / p["tau_h"]),
        "jump_d": np.e / p["tau_syn_d"],
        "refrac_steps": _steps(p["tau_refrac"], dt),
        "dAP_steps": _steps(p["tau_dAP"], dt),
    }


def _steps(duration: np.ndarray, dt: float) -> np.ndarray:
    return np.ceil(np.round(duration / dt, 6))


class IF_curr_exp_dAP(Cell, standardmodels.IF_curr_exp_dAP):  # noqa: D101
    __doc__ = standardmodels.IF_curr_exp_dAP.__doc__

    brian2_model = NeuronModel(
        equations=_EQUATIONS,
        threshold="fires > 0",
        update=_STEP,
        propagators=_propagators,
        events={"dAP": "starts_dAP > 0"},
        after_input=True,
    )
    translations = translation(
        ("v_rest", "v_rest", MILLI),
        ("cm", "c_m", NANO),
        ("tau_m", "tau_m", MILLI),
        ("tau_refrac", "tau_refrac", MILLI),
        ("tau_syn_E", "tau_syn_e", MILLI),
        ("tau_syn_I", "tau_syn_i", MILLI),
        ("tau_syn_D", "tau_syn_d", MILLI),
        ("i_offset", "i_offset", NANO),
        ("v_reset", "v_reset", MILLI),
        ("v_thresh", "v_thresh", MILLI),
        ("i_dAP", "i_dAP", NANO),
        ("theta_dAP", "theta_dAP", NANO),
        ("tau_dAP", "tau_dAP", MILLI),
        ("tau_h", "tau_h", MILLI),
    )
    state_variable_translations = translation(
        ("v", "v", MILLI),
        ("isyn_exc", "isyn_exc", NANO),
        ("isyn_inh", "isyn_inh", NANO),
        ("i_dend", "i_dend", NANO),
        ("dAP_trace", "dAP_trace"),
    )
    post_synaptic_variables = {
        "excitatory": "in_exc",
        "inhibitory": "in_inh",
        "dendritic": "in_dend",
    }
    weight_scale = NANO

    def check(self, parameters: Mapping[str, np.ndarray], label: str) -> None:  # noqa: D102
        values = {
            name: entry["reverse_transform"](**parameters)
            for name, entry in self.translations.items()
        }
        self.check_values(label, values)
