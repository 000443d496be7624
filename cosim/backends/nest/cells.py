"""Cell types added to PyNN's for NEST."""

from typing import Any

import nest
import numpy as np
import pyNN.nest
from pyNN.nest import simulator
from pyNN.parameters import LazyArray, Sequence
from pyNN.standardmodels import build_translations

from .. import standardmodels
from . import extension


class IF_curr_exp_dAP(standardmodels.IF_curr_exp_dAP):  # noqa: N801
    __doc__ = standardmodels.IF_curr_exp_dAP.__doc__

    translations = build_translations(
        ("v_rest", "E_L"),
        ("cm", "C_m", 1000.0),  # nF -> pF
        ("tau_m", "tau_m"),
        ("tau_refrac", "t_ref"),
        ("tau_syn_E", "tau_syn_ex"),
        ("tau_syn_I", "tau_syn_in"),
        ("tau_syn_D", "tau_syn_dend"),
        ("i_offset", "I_e", 1000.0),  # nA -> pA
        ("v_reset", "V_reset"),
        ("v_thresh", "V_th"),
        ("i_dAP", "I_dAP", 1000.0),
        ("theta_dAP", "theta_dAP", 1000.0),
        ("tau_dAP", "tau_dAP"),
        ("tau_h", "tau_h"),
    )
    variable_map = {
        "v": "V_m",
        "isyn_exc": "I_syn_ex",
        "isyn_inh": "I_syn_in",
        "i_dend": "I_dend",
        "dAP_trace": "dAP_trace",
    }
    scale_factors = {"v": 1, "isyn_exc": 0.001, "isyn_inh": 0.001, "i_dend": 0.001, "dAP_trace": 1}
    nest_name = {"on_grid": "iaf_psc_exp_dAP"}
    standard_receptor_type = False

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        extension.install()

    def get_receptor_type(self, name: str) -> int:
        """Return NEST's number of a receptor."""
        return nest.GetDefaults("iaf_psc_exp_dAP")["receptor_types"][name]


def _shifted(spike_times: LazyArray, by: float) -> LazyArray:
    """Shift spike times by a delay, without leaving the time grid by a rounding error."""

    def shift(times: Any) -> Any:
        if isinstance(times, Sequence):
            # NEST takes 1209.3000000000002 ms as a spike in the next time step.
            return Sequence(np.round(times.value + by, 9))
        return np.array([shift(t) for t in times], dtype=object)

    result = LazyArray(spike_times, shape=spike_times.shape)
    result.apply(shift)
    return result


class SpikeSourceArray(pyNN.nest.SpikeSourceArray):
    __doc__ = pyNN.nest.SpikeSourceArray.__doc__

    # NEST's spike generator reaches the network through a parrot neuron.
    translations = build_translations(
        (
            "spike_times",
            "spike_times",
            lambda spike_times, **_: _shifted(spike_times, -simulator.state.parrot_delay),
            lambda spike_times, **_: _shifted(spike_times, simulator.state.parrot_delay),
        ),
    )
