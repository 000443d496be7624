"""PyNN's standard neurons, with the dynamics of the NEST models that PyNN uses for them.

In one time step a cell integrates with the input as of the step's start; then the input that
arrives at its end is added, then comes the threshold, then the reset.
"""

from pyNN.standardmodels import cells

from .integration import FEHLBERG, explicit
from .membranes import (
    ADAPTIVE_TRANSLATIONS,
    LEAKY_TRANSLATIONS,
    adaptive,
    leaky,
    leaky_with_relative_refractoriness,
)
from .model import MICRO, MILLI, NANO, Cell, NeuronModel, translation
from .point_neurons import LIF, AdExp, PointNeuron
from .receptors import (
    AlphaPSR,
    CondAlphaPostSynapticResponse,
    CondExpPostSynapticResponse,
    CurrExpPostSynapticResponse,
    ExpPSR,
    Response,
)

__all__ = [
    "AdExp",
    "AlphaPSR",
    "CondAlphaPostSynapticResponse",
    "CondExpPostSynapticResponse",
    "CurrExpPostSynapticResponse",
    "EIF_cond_alpha_isfa_ista",
    "EIF_cond_exp_isfa_ista",
    "ExpPSR",
    "HH_cond_exp",
    "IF_cond_alpha",
    "IF_cond_exp",
    "IF_cond_exp_gsfa_grr",
    "IF_curr_alpha",
    "IF_curr_delta",
    "IF_curr_exp",
    "Izhikevich",
    "LIF",
    "PointNeuron",
]

_EXC, _INH = "excitatory", "inhibitory"


def _pair(*, alpha: bool, conductance: bool) -> tuple[Response, Response]:
    return Response("e", alpha, conductance), Response("i", alpha, conductance)


def _targets(responses: tuple[Response, Response]) -> dict[str, str]:
    return {_EXC: responses[0].target, _INH: responses[1].target}


_EXPONENTIAL_CURRENTS = _pair(alpha=False, conductance=False)
_ALPHA_CURRENTS = _pair(alpha=True, conductance=False)
_EXPONENTIAL_CONDUCTANCES = _pair(alpha=False, conductance=True)
_ALPHA_CONDUCTANCES = _pair(alpha=True, conductance=True)

_CURRENT_PARAMETERS = translation(
    ("tau_syn_E", "tau_syn_e", MILLI), ("tau_syn_I", "tau_syn_i", MILLI)
)
_CONDUCTANCE_PARAMETERS = _CURRENT_PARAMETERS | translation(
    ("e_rev_E", "e_rev_e", MILLI), ("e_rev_I", "e_rev_i", MILLI)
)
_V = translation(("v", "v", MILLI))
_CURRENTS = _V | translation(("isyn_exc", "i_e", NANO), ("isyn_inh", "i_i", NANO))
_CONDUCTANCES = _V | translation(("gsyn_exc", "g_e", MICRO), ("gsyn_inh", "g_i", MICRO))


class IF_curr_exp(Cell, cells.IF_curr_exp):  # noqa: D101
    __doc__ = cells.IF_curr_exp.__doc__
    recordable = ["spikes", "v", "isyn_exc", "isyn_inh"]
    brian2_model = leaky(_EXPONENTIAL_CURRENTS)
    translations = LEAKY_TRANSLATIONS | _CURRENT_PARAMETERS
    state_variable_translations = _CURRENTS
    post_synaptic_variables = _targets(_EXPONENTIAL_CURRENTS)
    weight_scale = NANO


class IF_curr_alpha(Cell, cells.IF_curr_alpha):  # noqa: D101
    __doc__ = cells.IF_curr_alpha.__doc__
    recordable = ["spikes", "v", "isyn_exc", "isyn_inh"]
    brian2_model = leaky(_ALPHA_CURRENTS)
    translations = LEAKY_TRANSLATIONS | _CURRENT_PARAMETERS
    state_variable_translations = _CURRENTS
    post_synaptic_variables = _targets(_ALPHA_CURRENTS)
    weight_scale = NANO


class IF_curr_delta(Cell, cells.IF_curr_delta):  # noqa: D101
    __doc__ = cells.IF_curr_delta.__doc__
    # Input is lost while the cell is refractory: Brian2 adds none then.
    brian2_model = leaky(())
    translations = LEAKY_TRANSLATIONS
    state_variable_translations = _V
    post_synaptic_variables = {_EXC: "v", _INH: "v"}
    weight_scale = MILLI


class IF_cond_exp(Cell, cells.IF_cond_exp):  # noqa: D101
    __doc__ = cells.IF_cond_exp.__doc__
    brian2_model = leaky(_EXPONENTIAL_CONDUCTANCES)
    translations = LEAKY_TRANSLATIONS | _CONDUCTANCE_PARAMETERS
    state_variable_translations = _CONDUCTANCES
    post_synaptic_variables = _targets(_EXPONENTIAL_CONDUCTANCES)
    weight_scale = MICRO


class IF_cond_alpha(Cell, cells.IF_cond_alpha):  # noqa: D101
    __doc__ = cells.IF_cond_alpha.__doc__
    brian2_model = leaky(_ALPHA_CONDUCTANCES)
    translations = LEAKY_TRANSLATIONS | _CONDUCTANCE_PARAMETERS
    state_variable_translations = _CONDUCTANCES
    post_synaptic_variables = _targets(_ALPHA_CONDUCTANCES)
    weight_scale = MICRO


class IF_cond_exp_gsfa_grr(Cell, cells.IF_cond_exp_gsfa_grr):  # noqa: D101
    __doc__ = cells.IF_cond_exp_gsfa_grr.__doc__
    brian2_model = leaky_with_relative_refractoriness(_EXPONENTIAL_CONDUCTANCES)
    translations = (
        LEAKY_TRANSLATIONS
        | _CONDUCTANCE_PARAMETERS
        | translation(
            ("tau_sfa", "tau_sfa", MILLI),
            ("e_rev_sfa", "e_rev_sfa", MILLI),
            ("q_sfa", "q_sfa", NANO),  # nS, as in PyNN
            ("tau_rr", "tau_rr", MILLI),
            ("e_rev_rr", "e_rev_rr", MILLI),
            ("q_rr", "q_rr", NANO),
        )
    )
    state_variable_translations = _CONDUCTANCES | translation(
        ("g_s", "g_sfa", MICRO), ("g_r", "g_rr", MICRO)
    )
    post_synaptic_variables = _targets(_EXPONENTIAL_CONDUCTANCES)
    weight_scale = MICRO


class EIF_cond_exp_isfa_ista(Cell, cells.EIF_cond_exp_isfa_ista):  # noqa: D101
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    brian2_model = adaptive(_EXPONENTIAL_CONDUCTANCES)
    translations = ADAPTIVE_TRANSLATIONS | _CONDUCTANCE_PARAMETERS
    state_variable_translations = _CONDUCTANCES | translation(("w", "w", NANO))
    post_synaptic_variables = _targets(_EXPONENTIAL_CONDUCTANCES)
    weight_scale = MICRO


class EIF_cond_alpha_isfa_ista(Cell, cells.EIF_cond_alpha_isfa_ista):  # noqa: D101
    __doc__ = cells.EIF_cond_alpha_isfa_ista.__doc__
    brian2_model = adaptive(_ALPHA_CONDUCTANCES)
    translations = ADAPTIVE_TRANSLATIONS | _CONDUCTANCE_PARAMETERS
    state_variable_translations = _CONDUCTANCES | translation(("w", "w", NANO))
    post_synaptic_variables = _targets(_ALPHA_CONDUCTANCES)
    weight_scale = MICRO


class HH_cond_exp(Cell, cells.HH_cond_exp):  # noqa: D101
    __doc__ = cells.HH_cond_exp.__doc__
    recordable = ["spikes", "v", "gsyn_exc", "gsyn_inh", "m", "n", "h"]
    receptor_types = (_EXC, _INH)
    brian2_model = NeuronModel(
        equations="\n".join(r.equations for r in _EXPONENTIAL_CONDUCTANCES)
        + """
dv/dt = (-i_Na - i_K - i_leak + i_syn + i_offset + i_inj)/c_m : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
i_Na = gbar_Na*m**3*h*(v - e_rev_Na) : amp
i_K = gbar_K*n**4*(v - e_rev_K) : amp
i_leak = g_leak*(v - e_rev_leak) : amp
i_syn = g_e*(e_rev_e - v) + g_i*(e_rev_i - v) : amp
# exprel(x) = (exp(x) - 1)/x
u = (v - v_offset)/mV : 1
alpha_m = 1.28/exprel((13 - u)/4)/ms : Hz
beta_m = 1.4/exprel((u - 40)/5)/ms : Hz
alpha_n = 0.16/exprel((15 - u)/5)/ms : Hz
beta_n = 0.5*exp((10 - u)/40)/ms : Hz
alpha_h = 0.128*exp((17 - u)/18)/ms : Hz
beta_h = 4/(1 + exp((40 - u)/5))/ms : Hz
falls : boolean
gbar_Na : siemens (constant)
gbar_K : siemens (constant)
g_leak : siemens (constant)
e_rev_Na : volt (constant)
e_rev_K : volt (constant)
e_rev_leak : volt (constant)
v_offset : volt (constant)
c_m : farad (constant)
i_offset : amp (constant)
i_inj : amp
""",
        # A spike is a maximum above the limit, and pauses for 2 ms: NEST's values.
        threshold="v >= v_offset + 30*mV and falls",
        refractory="2*ms + dt",
        # NEST's solver makes shorter steps during a spike, too.
        method=explicit(
            FEHLBERG,
            before="_v_start = clip(v, -inf*volt, inf*volt)",  # copied: numpy adds to v in place
            substeps=4,
            after_substep="falls = v < _v_start",
        ),
    )
    translations = _CONDUCTANCE_PARAMETERS | translation(
        ("gbar_Na", "gbar_Na", MICRO),
        ("gbar_K", "gbar_K", MICRO),
        ("g_leak", "g_leak", MICRO),
        ("cm", "c_m", NANO),
        ("v_offset", "v_offset", MILLI),
        ("e_rev_Na", "e_rev_Na", MILLI),
        ("e_rev_K", "e_rev_K", MILLI),
        ("e_rev_leak", "e_rev_leak", MILLI),
        ("i_offset", "i_offset", NANO),
    )
    state_variable_translations = _CONDUCTANCES | translation(("m", "m"), ("n", "n"), ("h", "h"))
    post_synaptic_variables = _targets(_EXPONENTIAL_CONDUCTANCES)
    weight_scale = MICRO


class Izhikevich(Cell, cells.Izhikevich):  # noqa: D101
    __doc__ = cells.Izhikevich.__doc__
    brian2_model = NeuronModel(
        equations="""
dv/dt = 0.04/ms/mV*v**2 + 5/ms*v + 140*mV/ms - u + (i_offset + i_inj)/pF : volt
du/dt = a*(b*v - u) : volt/second
a : Hz (constant)
b : Hz (constant)
v_reset : volt (constant)
d : volt/second (constant)
i_offset : amp (constant)
i_inj : amp
""",
        threshold="v >= 30*mV",
        reset="v = v_reset\nu += d",
        method="euler",
    )
    translations = translation(
        ("a", "a", 1 / MILLI),
        ("b", "b", 1 / MILLI),
        ("c", "v_reset", MILLI),
        ("d", "d"),  # mV/ms
        ("i_offset", "i_offset", NANO),
    )
    state_variable_translations = _V | translation(("u", "u"))
    post_synaptic_variables = {_EXC: "v", _INH: "v"}
    weight_scale = MILLI
