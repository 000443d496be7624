"""Electrochemical, ferroelectric and charge-trapping transistors, and capacitors."""

from devices.presets.neurosim import nonlinear_update
from devices.presets.provenance import Preset, Source, reported
from devices.presets.tools import NEUROSIM, aihwkit, crosssim
from devices.presets.weights import WeightScale

_TANG = "Tang et al. 2018, IEEE IEDM"
_KIM = "Kim et al. 2019, IEEE IEDM, 35.7"
_JERRY = "Jerry et al. 2017, IEEE IEDM, 6.2"
_AGRAWAL = "Agrawal et al. 2022, IEEE IEDM, 21.7"
_LI = "Li et al. 2018, IEEE Symposium on VLSI Technology, 25-26"

_LI_ECRAM_SCALE = WeightScale(dw_min=0.002, w_max=1.1724, w_min=-0.8276)
_MO_ECRAM_SCALE = WeightScale(dw_min=2.8214e-4, w_max=1.1714, w_min=-0.8286)
_CAPACITOR_SCALE = WeightScale(dw_min=0.005, w_max=1.0, w_min=-1.0)

_WEIGHTS = (
    "update",
    "sigma_d2d_g_max",
    "sigma_d2d_step",
    "sigma_d2d_asymmetry",
    "sigma_c2c",
    "sigma_c2c_step",
    "sigma_write",
)
_NO_CONDUCTANCE = (
    "The fit is of dimensionless weights: conductances and on-off ratio are unknown, and with them "
    "the spread of the lowest conductance"
)

#: Of SONOS the standard deviation of the current, 19.88665 nA*(1 - exp(-I/176.3115 nA)), relative
#: to the highest one, 1600 nA, as a polynomial of the current relative to it: least squares at
#: 2001 currents, within 0.6 % of the largest standard deviation.
SONOS_SPREAD = (0.0, 0.109115, -0.435977, 0.971452, -1.229493, 0.820600, -0.223336)

PRESETS = (
    Preset(
        "tang2018",
        "ECRAM, Li/WO3",
        reported(
            update=_LI_ECRAM_SCALE.linear_step(gamma_up=0.1153, gamma_down=0.5085),
            **_LI_ECRAM_SCALE.spreads(
                dw_min_dtod=0.1,
                up_down_dtod=0.01,
                w_max_dtod=0.05,
                w_min_dtod=0.05,
                dw_min_std=0.3,
                write_noise_std=0.0,
            ),
        ),
        (Source(_WEIGHTS, _TANG, "10.1109/IEDM.2018.8614551", aihwkit("EcRamPresetDevice"),
                "fitted"),),
        f"{_NO_CONDUCTANCE} (0.05 of the magnitude of the lowest weight).",
    ),
    Preset(
        "kim2019",
        "ECRAM, metal oxide",
        reported(
            update=_MO_ECRAM_SCALE.linear_step(gamma_up=0.4152, gamma_down=0.7342),
            **_MO_ECRAM_SCALE.spreads(
                dw_min_dtod=0.1,
                up_down_dtod=0.01,
                w_max_dtod=0.05,
                w_min_dtod=0.05,
                dw_min_std=2.0,
                write_noise_std=0.0,
            ),
        ),
        (Source(_WEIGHTS, _KIM, "10.1109/IEDM19573.2019.8993463", aihwkit("EcRamMOPresetDevice"),
                "fitted"),),
        f"{_NO_CONDUCTANCE} (0.05 of the magnitude of the lowest weight).",
    ),
    Preset(
        "jerry2017",
        "FeFET, Hf0.5Zr0.5O2",
        reported(
            on_off_ratio=45.0,
            g_max=1e6 / 559.28e3,
            update=nonlinear_update(32, 32, label_up=1.75, label_down=1.46),
            sigma_c2c=0.005,
            sigma_c2c_step=0.0,
            t_set_ns=75.0,
            t_reset_ns=75.0,
        ),
        (Source(("on_off_ratio", "g_max", "update", "sigma_c2c", "sigma_c2c_step", "t_set_ns",
                 "t_reset_ns"), _JERRY, "10.1109/IEDM.2017.8268338",
                NEUROSIM + ", of sigma_c2c its upper bound (below 0.5 %)", "fitted"),),
        "Pulses of growing amplitude, 3.65 V and -2.95 V in the table. They are left out, since a "
        "gate is charged: the energy of a pulse is not that of a conductance.",
    ),
    Preset(
        "agrawal2022",
        "SONOS, 40 nm",
        reported(
            on_off_ratio=1e7,
            sigma_c2c=0.0,
            c2c_polynomial=SONOS_SPREAD,
            sigma_read=0.0153,
        ),
        (
            Source(("on_off_ratio",), _AGRAWAL, "10.1109/IEDM45625.2022.10019564",
                   "suggested with " + crosssim("SONOS"), "assumed"),
            Source(("sigma_c2c", "c2c_polynomial"), _AGRAWAL, "10.1109/IEDM45625.2022.10019564",
                   "Fig. 10a (time 0), polynomial through " + crosssim("SONOS"), "fitted"),
            Source(("sigma_read",), _AGRAWAL, "10.1109/IEDM45625.2022.10019564",
                   "Fig. 11b at half the highest current: " + crosssim("SONOS"), "assumed"),
        ),
        "A transistor at one voltage: relative conductances are relative currents, up to 1.6 µA. "
        "The relative read noise falls with the current, from 5.8 % to 0.8 %; writing and "
        "device-to-device errors are one number. Its retention is no power law and is left out.",
    ),
    Preset(
        "li2018",
        "capacitor and read transistor, CMOS",
        reported(
            update=_CAPACITOR_SCALE.linear_step(gamma_up=0.05, gamma_down=0.05),
            **_CAPACITOR_SCALE.spreads(
                dw_min_dtod=0.1,
                up_down_dtod=0.06,
                w_max_dtod=0.07,
                w_min_dtod=0.07,
                dw_min_std=0.3,
                mult_noise=False,
                write_noise_std=0.0,
            ),
        ),
        (Source(_WEIGHTS, _LI, "10.1109/VLSIT.2018.8510648", aihwkit("CapacitorPresetDevice"),
                "fitted"),),
        f"{_NO_CONDUCTANCE} (0.07 of the magnitude of the lowest weight). The charge leaks, by an "
        "unknown amount per second, which is left out.",
    ),
)  # fmt: skip
