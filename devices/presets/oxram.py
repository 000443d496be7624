"""Resistive memory: oxides, and silver in silicon."""

from devices.memristor import Memristor
from devices.presets.neurosim import nonlinear_update
from devices.presets.polynomials import polynomial_of_conductance
from devices.presets.provenance import Preset, Source, reported
from devices.presets.tools import NEUROSIM, aihwkit, crosssim
from devices.presets.weights import WeightScale

_DALGATY = "Dalgaty et al. 2021, Nature Electronics 4, 151-161"
_LETI_FDSOI = "CEA-Leti 2025, Frontiers in Nanotechnology 7, 1549547"
_MILO = "Milo et al. 2021, IEEE IRPS"
_WAN = "Wan et al. 2022, Nature 608, 504-512"
_FALCONE = "Falcone et al. 2025, arXiv:2502.04524"
_GONG = "Gong et al. 2018, Nature Communications 9, 2102"
_GONG_RASCH = "Gong, Rasch et al. 2022, IEEE IEDM"
_WU = "Wu et al. 2018, IEEE Symposium on VLSI Technology"
_JO = "Jo et al. 2010, Nano Letters 10(4), 1297-1301"
_PARK = "Park et al. 2013, IEEE IEDM, 625-628"
_WOO = "Woo et al. 2016, IEEE Electron Device Letters 37(8), 994-997"
_CHOI = "Choi et al. 2018, Nature Materials 17, 335-340"

_GONG_SCALE = WeightScale(dw_min=0.00135, w_max=1.0, w_min=-1.0, up_down=0.259359)
_HFO2_SCALE = WeightScale(dw_min=0.4622, w_max=1.0, w_min=-1.0)
_OPTIMISED_SCALE = WeightScale(dw_min=0.0949, w_max=1.0, w_min=-1.0)

_WEIGHTS = (
    "sigma_d2d_g_max",
    "sigma_d2d_step",
    "sigma_d2d_asymmetry",
    "sigma_c2c",
    "sigma_c2c_step",
    "sigma_write",
    "update",
)
_BENCHMARK = (
    "on_off_ratio",
    "g_max",
    "update",
    "sigma_c2c",
    "sigma_c2c_step",
    "v_set",
    "v_reset",
    "t_set_ns",
    "t_reset_ns",
)
_STUCK = ("stuck_on", "stuck_off", "stuck_random")
_NO_CONDUCTANCE = (
    "The fit is of dimensionless weights: conductances and on-off ratio are unknown, and with them "
    "the spread of the lowest conductance."
)
_ALL_CORRUPT = "the devices that do not respond, taken as stuck at uniform conductances; "
_PULSES_NOT_LEVELS = (
    "The levels of the source are the pulses of the response, not a limit of the resolution."
)


def _gong_rasch(
    name: str, array: str, device: Memristor, model: str, spread_of_g_min: str
) -> Preset:
    return Preset(
        name,
        f"ReRAM, 14 nm CMOS array, {array}",
        device,
        (
            Source((*_WEIGHTS, "step_distribution"), _GONG_RASCH,
                   "10.1109/IEDM45625.2022.10019569", aihwkit(model), "fitted"),
            Source(("stuck_random",), _GONG_RASCH, "10.1109/IEDM45625.2022.10019569",
                   _ALL_CORRUPT + aihwkit(model), "measured"),
            Source(("stuck_on", "stuck_off"), _GONG_RASCH, "10.1109/IEDM45625.2022.10019569",
                   "counted in stuck_random", "assumed"),
        ),
        f"{_NO_CONDUCTANCE} Its spread is {spread_of_g_min} of the magnitude of the lowest weight.",
    )  # fmt: skip


PRESETS = (
    Preset(
        "dalgaty2021",
        "OxRAM, HfO2, 130 nm CMOS, 1T1R",
        reported(endurance=1e7),
        (
            Source(("endurance",), _DALGATY, "10.1038/s41928-020-00523-3",
                   "abstract: robust at ten million cycles, taken for the scale of the lifetimes",
                   "assumed"),
        ),
        "The variability is in its Fig. 2 and not in a form that could be entered.",
    ),
    Preset(
        "leti2025",
        "OxRAM, HfO2, 28 nm FDSOI, 1T1R",
        reported(n_levels=11, endurance=1e6),
        (
            Source(("n_levels",), _LETI_FDSOI, "10.3389/fnano.2025.1549547", "abstract",
                   "measured"),
            Source(("endurance",), _LETI_FDSOI, "10.3389/fnano.2025.1549547",
                   "abstract: a million cycles, taken for the scale of the lifetimes", "assumed"),
        ),
        "The levels are resilient to 1e9 inference cycles.",
    ),
    Preset(
        "milo2021",
        "OxRAM, HfO2, IHP 130 nm, 1T1R",
        reported(
            on_off_ratio=225.0 / 50.0,
            g_max=225.0,
            sigma_c2c=0.0,
            c2c_polynomial=polynomial_of_conductance((4.782321, -0.009107), 225.0),
        ),
        (
            Source(("on_off_ratio", "g_max"), _MILO, "10.1109/IRPS46558.2021.9405119",
                   "Fig. 4, as in " + crosssim("RRAMMilo"), "measured"),
            Source(("sigma_c2c", "c2c_polynomial"), _MILO, "10.1109/IRPS46558.2021.9405119",
                   "Fig. 4 (algorithm IGVVA-100), line of " + crosssim("RRAMMilo"), "fitted"),
        ),
        "After program and verify. Its currents are not linear in the voltage (Fig. 1), by a "
        "factor that depends on the conductance and is left out.",
    ),
    Preset(
        "wan2022",
        "RRAM, NeuRRAM chip, 130 nm CMOS, 1T1R",
        reported(
            g_max=39.26,
            sigma_c2c=0.0,
            c2c_polynomial=polynomial_of_conductance(
                (1.053, 2.374e-1, -1.167e-2, 1.536e-4), 39.26
            ),
        ),
        (
            Source(("g_max",), _WAN, "10.1038/s41586-022-04992-8",
                   "range of the cubic of " + crosssim("RRAMWan"), "fitted"),
            Source(("sigma_c2c", "c2c_polynomial"), _WAN, "10.1038/s41586-022-04992-8",
                   "Extended Data Fig. 3 (1 s after programming), cubic of " + crosssim("RRAMWan"),
                   "fitted"),
        ),
        "After program and verify; includes the relaxation of the first second.",
    ),
    Preset(
        "falcone2025",
        "ReRAM, conductive metal oxide/HfOx, 130 nm CMOS, 1T1R",
        reported(
            on_off_ratio=88.19 / 9.0,
            g_max=88.19,
            sigma_c2c=0.0,
            c2c_polynomial=polynomial_of_conductance((0.00081107, 0.00106879), 88.19),
        ),
        (
            Source(("on_off_ratio", "g_max"), _FALCONE, "10.48550/arXiv.2502.04524",
                   "9 to 88.19 µS: " + aihwkit("ReRamCMONoiseModel"), "fitted"),
            Source(("sigma_c2c", "c2c_polynomial"), _FALCONE, "10.48550/arXiv.2502.04524",
                   "acceptance range 0.2 %: " + aihwkit("ReRamCMONoiseModel"), "fitted"),
        ),
        "More than 32 states (abstract). Its relaxation is a shift of -0.089 µS per e-fold of time "
        "at every conductance, which is no power law and is left out.",
    ),
    Preset(
        "gong2018",
        "ReRAM",
        reported(
            update=_GONG_SCALE.exponential_step(
                a=-0.5, b=-0.5, gamma_up=5.0, gamma_down=5.0, A_up=-1.18445, A_down=-0.081404
            ),
            **_GONG_SCALE.spreads(
                dw_min_dtod=0.2,
                up_down_dtod=0.05,
                w_max_dtod=0.3,
                w_min_dtod=0.3,
                dw_min_std=5.0,
                write_noise_std=75.0,
            ),
        ),
        (
            Source(_WEIGHTS, _GONG, "10.1038/s41467-018-04485-1", aihwkit("ReRamESPresetDevice"),
                   "fitted"),
        ),
        f"{_NO_CONDUCTANCE} Its spread is 0.3 of the magnitude of the lowest weight.",
    ),
    _gong_rasch(
        "gong_rasch2022_hfo2",
        "baseline HfO2",
        reported(
            update=_HFO2_SCALE.soft_bounds(),
            stuck_random=0.0977,
            stuck_on=0.0,
            stuck_off=0.0,
            **_HFO2_SCALE.spreads(
                dw_min_dtod=0.7125,
                dw_min_dtod_log_normal=True,
                up_down_dtod=0.01,
                w_max_dtod=0.4295,
                w_min_dtod=0.5990,
                dw_min_std=0.2174,
                mult_noise=False,
                write_noise_std=0.5841,
            ),
        ),
        "ReRamArrayHfO2PresetDevice",
        "0.599",
    ),
    _gong_rasch(
        "gong_rasch2022_optimised",
        "optimised material",
        reported(
            update=_OPTIMISED_SCALE.soft_bounds(),
            stuck_random=0.1348,
            stuck_on=0.0,
            stuck_off=0.0,
            **_OPTIMISED_SCALE.spreads(
                dw_min_dtod=0.7829,
                dw_min_dtod_log_normal=True,
                up_down_dtod=0.01,
                w_max_dtod=0.3499,
                w_min_dtod=0.5695,
                dw_min_std=0.4158,
                mult_noise=False,
                write_noise_std=1.4113,
            ),
        ),
        "ReRamArrayOMPresetDevice",
        "0.5695",
    ),
    Preset(
        "wu2018",
        "RRAM, TaOx/HfOx",
        reported(
            on_off_ratio=10.0,
            g_max=1e6 / 100e3,
            update=nonlinear_update(128, 128, label_up=0.04, label_down=-0.63),
            sigma_c2c=0.037,
            sigma_c2c_step=0.0,
            v_set=1.6,
            v_reset=1.6,
            t_set_ns=50.0,
            t_reset_ns=50.0,
        ),
        (Source(_BENCHMARK, _WU, None, NEUROSIM, "fitted"),),
        _PULSES_NOT_LEVELS,
    ),
    Preset(
        "jo2010",
        "CBRAM, Ag:a-Si",
        reported(
            on_off_ratio=12.5,
            g_max=1e6 / 26e6,
            update=nonlinear_update(97, 97, label_up=2.4, label_down=-4.88),
            sigma_c2c=0.035,
            sigma_c2c_step=0.0,
            v_set=3.2,
            v_reset=2.8,
            t_set_ns=300e3,
            t_reset_ns=300e3,
        ),
        (Source(_BENCHMARK, _JO, "10.1021/nl904092h", NEUROSIM, "fitted"),),
        _PULSES_NOT_LEVELS,
    ),
    Preset(
        "park2013",
        "ReRAM, PCMO",
        reported(
            on_off_ratio=6.84,
            g_max=1e6 / 23e6,
            update=nonlinear_update(50, 50, label_up=3.68, label_down=-6.76),
            sigma_c2c=0.01,
            sigma_c2c_step=0.0,
            v_set=2.0,
            v_reset=2.0,
            t_set_ns=1e6,
            t_reset_ns=1e6,
        ),
        (Source(_BENCHMARK, _PARK, None,
                NEUROSIM + ", of sigma_c2c its upper bound (below 1 %)", "fitted"),),
        _PULSES_NOT_LEVELS,
    ),
    Preset(
        "woo2016",
        "RRAM, AlOx/HfO2",
        reported(
            on_off_ratio=4.43,
            g_max=1e6 / 16.9e3,
            update=nonlinear_update(40, 40, label_up=1.94, label_down=-0.61),
            sigma_c2c=0.05,
            sigma_c2c_step=0.0,
            v_set=0.9,
            v_reset=1.0,
            t_set_ns=100e3,
            t_reset_ns=100e3,
        ),
        (Source(_BENCHMARK, _WOO, None, NEUROSIM, "fitted"),),
        _PULSES_NOT_LEVELS,
    ),
    Preset(
        "choi2018",
        "EpiRAM, Ag in epitaxial SiGe",
        reported(
            on_off_ratio=50.2,
            g_max=1e6 / 81e3,
            update=nonlinear_update(64, 64, label_up=0.5, label_down=-0.5),
            sigma_c2c=0.02,
            sigma_c2c_step=0.0,
            v_set=5.0,
            v_reset=3.0,
            t_set_ns=5e3,
            t_reset_ns=5e3,
        ),
        (Source(_BENCHMARK, _CHOI, "10.1038/s41563-017-0001-5", NEUROSIM, "fitted"),),
        _PULSES_NOT_LEVELS,
    ),
)  # fmt: skip
