"""Integrate-and-fire models, with any receptors.

They do what the NEST models do that PyNN uses for them (iaf_psc_*, iaf_cond_*, aeif_cond_* and
iaf_cond_exp_sfa_rr).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .integration import FEHLBERG, RUNGE_KUTTA, explicit
from .model import MILLI, NANO, NeuronModel, translation
from .receptors import Response

_PARAMETERS = """
tau_m : second (constant)
c_m : farad (constant)
v_rest : volt (constant)
v_reset : volt (constant)
v_thresh : volt (constant)
i_offset : amp (constant)
i_inj : amp
refractory_period : second (constant)
"""

LEAKY_TRANSLATIONS = translation(
    ("v_rest", "v_rest", MILLI),
    ("v_reset", "v_reset", MILLI),
    ("cm", "c_m", NANO),
    ("tau_m", "tau_m", MILLI),
    ("tau_refrac", "tau_refrac", MILLI),
    ("v_thresh", "v_thresh", MILLI),
    ("i_offset", "i_offset", NANO),
)

ADAPTIVE_TRANSLATIONS = LEAKY_TRANSLATIONS | translation(
    ("a", "a", NANO),  # nS, as in PyNN
    ("b", "b", NANO),
    ("delta_T", "delta_T", MILLI),
    ("tau_w", "tau_w", MILLI),
    ("v_spike", "v_spike", MILLI),
)


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms)


def leaky(responses: Sequence[Response]) -> NeuronModel:
    """Return the leaky integrate-and-fire neuron.

    With current-based receptors alone it is solved exactly.

    Parameters
    ----------
    responses : sequence of Response
        Its receptors.
    """
    if any(response.conductance for response in responses):
        return _leaky_with_conductances(responses)
    return _leaky_with_currents(responses)


def _leaky_with_currents(responses: Sequence[Response]) -> NeuronModel:
    currents = _sum([r.signal for r in responses] + ["i_offset", "i_inj"])
    changes = _sum([r.potential for r in responses] + ["v_from_constant*(i_offset + i_inj)"])
    parts = "\n".join(f"{r.equations}\n{r.propagator_equations}" for r in responses)

    def propagators(parameters: Mapping[str, np.ndarray], dt: float) -> dict[str, np.ndarray]:
        tau_m = parameters["tau_m"]
        found = {
            "decay_m": np.exp(-dt / tau_m),
            "v_from_constant": tau_m / parameters["c_m"] * -np.expm1(-dt / tau_m),
        }
        for response in responses:
            found.update(response.propagators(parameters, dt))
        return found

    return NeuronModel(
        equations=f"""
dv/dt = (v_rest - v)/tau_m + ({currents})/c_m : volt (unless refractory)
decay_m : 1 (constant)
v_from_constant : ohm (constant)
{_PARAMETERS}
{parts}
""",
        # A potential that misses the threshold by rounding has reached it: NEST counts in mV, in
        # which thresholds and weights are round numbers.
        threshold="v >= v_thresh - 1e-16*volt",
        reset="v = v_reset",
        refractory="refractory_period",
        update="\n".join(
            [f"v = v_rest + decay_m*(v - v_rest) + {changes}", *(r.update for r in responses)]
        ),
        propagators=propagators,
    )


def _leaky_with_conductances(responses: Sequence[Response]) -> NeuronModel:
    parts = "\n".join(r.equations for r in responses)
    currents = _sum([r.current for r in responses] + ["i_offset", "i_inj"])
    return NeuronModel(
        equations=f"""
dv/dt = (v_rest - v_bound)/tau_m + ({currents})/c_m : volt (unless refractory)
v_bound = clip(v, -inf*volt, v_thresh) : volt
{_PARAMETERS}
{parts}
""",
        threshold="v >= v_thresh",
        reset="v = v_reset",
        refractory="refractory_period",
        method=explicit(FEHLBERG),
    )


def leaky_with_relative_refractoriness(responses: Sequence[Response]) -> NeuronModel:
    """Return the leaky neuron with conductances for adaptation and relative refractoriness.

    Muller et al. 2007, Neural Computation 19: 2958, doi:10.1162/neco.2007.19.11.2958.

    Parameters
    ----------
    responses : sequence of Response
        Its receptors.
    """
    parts = "\n".join(r.equations for r in responses)
    currents = _sum([r.current for r in responses] + ["i_adapt", "i_offset", "i_inj"])
    return NeuronModel(
        equations=f"""
dv/dt = (v_rest - v_bound)/tau_m + ({currents})/c_m : volt (unless refractory)
dg_sfa/dt = -g_sfa/tau_sfa : siemens
dg_rr/dt = -g_rr/tau_rr : siemens
i_adapt = g_sfa*(e_rev_sfa - v_bound) + g_rr*(e_rev_rr - v_bound) : amp
v_bound = v : volt
tau_sfa : second (constant)
e_rev_sfa : volt (constant)
q_sfa : siemens (constant)
tau_rr : second (constant)
e_rev_rr : volt (constant)
q_rr : siemens (constant)
{_PARAMETERS}
{parts}
""",
        threshold="v >= v_thresh",
        reset="v = v_reset\ng_sfa += q_sfa\ng_rr += q_rr",
        refractory="refractory_period",
        method=explicit(FEHLBERG),
    )


def adaptive(responses: Sequence[Response]) -> NeuronModel:
    """Return the adaptive exponential integrate-and-fire neuron.

    Brette & Gerstner 2005, J Neurophysiol 94: 3637, doi:10.1152/jn.00686.2005.

    Parameters
    ----------
    responses : sequence of Response
        Its receptors.
    """
    parts = "\n".join(r.equations for r in responses)
    currents = _sum([r.current for r in responses] + ["i_offset", "i_inj"])
    return NeuronModel(
        equations=f"""
dv/dt = (v_rest - v_bound + v_exp)/tau_m + ({currents} - w)/c_m : volt (unless refractory)
dw/dt = (a*(v_bound - v_rest) - w)/tau_w : amp
v_bound = int(fires)*v_reset + int(not fires)*clip(v, -inf*volt, v_spike) : volt
fires : boolean
v_exp = delta_T*exp((v_bound - v_thresh)*slope) : volt
a : siemens (constant)
b : amp (constant)
delta_T : volt (constant)
slope : 1/volt (constant)
tau_w : second (constant)
v_spike : volt (constant)
v_peak : volt (constant)
{_PARAMETERS}
{parts}
""",
        # Within the time step of a spike v explodes, and adaptation begins at once.
        threshold="fires",
        reset="v = v_reset\nfires = False",
        refractory="refractory_period",
        method=explicit(
            RUNGE_KUTTA,
            substeps=4,
            after_substep="""
crosses = v >= v_peak and not fires
w += int(crosses)*b
fires = fires or crosses
""",
        ),
        propagators=_spike_shape,
    )


def _spike_shape(parameters: Mapping[str, np.ndarray], dt: float) -> dict[str, np.ndarray]:
    """Return what decides on a spike; without exponential term it is the threshold."""
    delta = parameters["delta_T"]
    exponential = delta > 0.0
    return {
        "slope": np.divide(1.0, delta, out=np.zeros_like(delta), where=exponential),
        "v_peak": np.where(exponential, parameters["v_spike"], parameters["v_thresh"]),
    }
