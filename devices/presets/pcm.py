"""Phase-change memory."""

from devices.presets.neurosim import nonlinear_update
from devices.presets.polynomials import polynomial_of_conductance, polynomial_of_fraction
from devices.presets.provenance import Preset, Source, reported
from devices.presets.tools import NEUROSIM, aihwkit, crosssim
from devices.presets.weights import WeightScale

_KUZUM = "Kuzum et al. 2011, Nano Letters 12(5), 2179-2186"
_NANDAKUMAR_2019 = "Nandakumar et al. 2019, IEEE ICECS"
_NANDAKUMAR_2020 = "Nandakumar et al. 2020, Frontiers in Neuroscience 14, 406"
_JOSHI = "Joshi et al. 2020, Nature Communications 11, 2473"

_PCM_SCALE = WeightScale(dw_min=0.01, w_max=2.0, w_min=0.0)

PRESETS = (
    Preset(
        "kuzum2011",
        "PCM, Ge2Sb2Te5",
        reported(
            on_off_ratio=19.8,
            g_max=1e6 / 4.71e3,
            update=nonlinear_update(100, 100, label_up=0.105, label_down=2.4),
            sigma_c2c=0.015,
            sigma_c2c_step=0.0,
            v_set=0.7,
            v_reset=3.0,
            t_set_ns=6e3,
            t_reset_ns=125.0,
        ),
        (
            Source(("on_off_ratio", "g_max", "sigma_c2c", "sigma_c2c_step", "v_set", "v_reset",
                    "t_set_ns", "t_reset_ns"), _KUZUM, "10.1021/nl201040y", NEUROSIM, "fitted"),
            Source(("update",), _KUZUM, "10.1021/nl201040y",
                   NEUROSIM + ", of the 100 to 120 levels the lower number", "fitted"),
        ),
        "The levels of the source are the pulses of the response, not a limit of the resolution.",
    ),
    Preset(
        "nandakumar2019",
        "PCM, Ge2Sb2Te5, doped, 90 nm CMOS",
        reported(
            g_max=25.0,
            sigma_c2c=0.0,
            c2c_polynomial=polynomial_of_fraction((0.26348, 1.9650, -1.1731), 25.0),
            drift_nu=0.049,
            sigma_drift_nu=0.008,
            drift_t0_s=20.0,
        ),
        (
            Source(("g_max", "sigma_c2c", "c2c_polynomial", "drift_t0_s"), _NANDAKUMAR_2019,
                   "10.1109/ICECS46596.2019.8964852", aihwkit("PCMLikeNoiseModel"), "fitted"),
            Source(("drift_nu", "sigma_drift_nu"), _NANDAKUMAR_2019,
                   "10.1109/ICECS46596.2019.8964852",
                   "of conductances above a third of g_max: " + aihwkit("PCMLikeNoiseModel"),
                   "fitted"),
        ),
        "Lower conductances drift more, with an exponent up to 0.1. Its 1/f noise depends on the "
        "conductance and the time since programming and is left out.",
    ),
    Preset(
        "nandakumar2020",
        "PCM, Ge2Sb2Te5, gradual SET, abrupt RESET",
        reported(
            update=_PCM_SCALE.exponential_step(
                a=-1.0, b=0.0, gamma_up=2.5, gamma_down=2.5, A_up=-27.235, A_down=-2.235
            ),
            **_PCM_SCALE.spreads(
                dw_min_dtod=0.2,
                up_down_dtod=0.05,
                w_max_dtod=0.1,
                w_min_dtod=0.0,
                dw_min_std=0.6,
                dw_min_std_add=0.042,
                dw_min_std_slope=0.108,
                write_noise_std=0.0,
            ),
        ),
        (
            Source(("update", "sigma_d2d_g_max", "sigma_d2d_g_min", "sigma_d2d_step",
                    "sigma_d2d_asymmetry", "sigma_c2c", "c2c_polynomial", "sigma_c2c_step",
                    "sigma_write"), _NANDAKUMAR_2020, "10.3389/fnins.2020.00406",
                   aihwkit("PCMPresetDevice"), "fitted"),
        ),
        "Used as a pair with refresh, since a pulse down erases. The residual conductance after it "
        "(0.005 of the range, spread 0.01) is left out, as is drift.",
    ),
    Preset(
        "joshi2020",
        "PCM, Ge2Sb2Te5, doped, 90 nm CMOS",
        reported(
            on_off_ratio=100.0,
            g_max=25.0,
            sigma_c2c=0.0,
            c2c_polynomial=polynomial_of_conductance((0.28638599, 0.07585724, -0.00178767), 25.0),
        ),
        (
            Source(("on_off_ratio", "g_max"), _JOSHI, "10.1038/s41467-020-16108-9",
                   "suggested with " + crosssim("PCMJoshi"), "assumed"),
            Source(("sigma_c2c", "c2c_polynomial"), _JOSHI, "10.1038/s41467-020-16108-9",
                   "Fig. 3b (27.36 s after programming), parabola of " + crosssim("PCMJoshi"),
                   "fitted"),
        ),
        "Drift is not part of the fit.",
    ),
)  # fmt: skip
