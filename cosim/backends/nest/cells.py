"""Cell types added to PyNN's for NEST."""

import nest
import pyNN.nest
import pyNN.standardmodels.cells
from pyNN.errors import InvalidModelError
from pyNN.nest import simulator
from pyNN.standardmodels import build_translations

from .. import standardmodels


class IF_curr_exp_dAP(standardmodels.IF_curr_exp_dAP):  # noqa: D101
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
    standard_receptor_type = False

    @property
    def nest_name(self) -> dict[str, str]:
        """NEST's model by spike precision.

        Raises
        ------
        pyNN.errors.InvalidModelError
            If spikes may lie between time steps.
        """
        if simulator.state.spike_precision != "on_grid":
            raise InvalidModelError(
                f"IF_curr_exp_dAP: spike_precision={simulator.state.spike_precision!r}, need "
                "'on_grid', the default of setup()"
            )
        return {"on_grid": "iaf_psc_exp_dAP"}

    def get_receptor_type(self, name: str) -> int:
        """Return NEST's number of a receptor."""
        return nest.GetDefaults("iaf_psc_exp_dAP")["receptor_types"][name]


class IF_curr_delta(pyNN.nest.IF_curr_delta):  # noqa: D101
    __doc__ = pyNN.nest.IF_curr_delta.__doc__

    # PyNN has forgotten that NEST's model calls the potential by another name.
    variable_map = {"v": "V_m"}
    scale_factors = {"v": 1}


class IF_cond_exp_gsfa_grr(pyNN.nest.IF_cond_exp_gsfa_grr):  # noqa: D101
    __doc__ = pyNN.nest.IF_cond_exp_gsfa_grr.__doc__

    # PyNN's standard type has other names for these two.
    variable_map = {**pyNN.nest.IF_cond_exp_gsfa_grr.variable_map, "g_r": "g_rr", "g_s": "g_sfa"}
    scale_factors = {**pyNN.nest.IF_cond_exp_gsfa_grr.scale_factors, "g_r": 1, "g_s": 1}


# PyNN does not know that NEST's renewal processes have a start and a stop, too.
_START_AND_STOP = build_translations(
    ("start", "start"), ("duration", "stop", "start+duration", "stop-start")
)


class SpikeSourcePoissonRefractory(pyNN.nest.SpikeSourcePoissonRefractory):  # noqa: D101
    __doc__ = pyNN.nest.SpikeSourcePoissonRefractory.__doc__
    translations = {**pyNN.nest.SpikeSourcePoissonRefractory.translations, **_START_AND_STOP}


class SpikeSourceGamma(pyNN.nest.SpikeSourceGamma):  # noqa: D101
    __doc__ = pyNN.nest.SpikeSourceGamma.__doc__
    translations = {**pyNN.nest.SpikeSourceGamma.translations, **_START_AND_STOP}


class SpikeSourceArray(pyNN.standardmodels.cells.SpikeSourceArray):  # noqa: D101
    __doc__ = pyNN.standardmodels.cells.SpikeSourceArray.__doc__

    # A neuron in NEST's eyes: unlike PyNN's spike generator it needs no relay, whose delay would
    # have to be taken off all spike times, and which loses spikes earlier than that.
    nest_name = {"on_grid": "spike_train_injector", "off_grid": "spike_train_injector"}
    uses_parrot = False
    translations = build_translations(
        (
            "spike_times",
            "spike_times",
            lambda spike_times, **_: spike_times,
            # PyNN adds the offset itself when it sets parameters.
            lambda spike_times, **_: spike_times - simulator.state._time_offset,
        ),
    )

    @property
    def extra_parameters(self) -> dict[str, bool]:
        """Let spike times lie between time steps; on the grid they count at the next step."""
        on_grid = simulator.state.spike_precision == "on_grid"
        return {"allow_offgrid_times" if on_grid else "precise_times": True}
