"""Devices with every effect: each alone, then all together."""

from devices import Memristor, Update

_STEPS = {"step_up": 0.05, "step_down": 0.02}
_LINEAR = Update(law="linear", slope_up=0.9, slope_down=0.5, **_STEPS)
_EXPONENTIAL = Update(
    law="exponential", amplitude_up=0.1, rate_up=2.0, amplitude_down=-0.8, rate_down=-3.0, **_STEPS
)
_POWER = Update(law="power", exponent_up=1.5, exponent_down=0.7, **_STEPS)
_PIECEWISE = Update(
    law="piecewise", nodes_up=(1.2, 0.9, 0.2, 0.1), nodes_down=(0.1, 0.7, 1.1), **_STEPS
)
_TABLE = {
    "level_means": (0.05, 0.2, 0.3, 0.45, 0.6, 0.7, 0.85, 1.0),
    "level_sigmas": (0.01, 0.02, 0.01, 0.0, 0.02, 0.01, 0.02, 0.01),
}

_PARAMETERS = {
    "ideal": {},
    "spread": {"sigma_d2d_g_max": 0.1, "sigma_d2d_g_min": 0.2},
    "log-normal spread": {
        "sigma_d2d_g_max": 0.1, "sigma_d2d_g_min": 0.4, "sigma_d2d_gain": 0.1,
        "g_max_distribution": "log-normal", "g_min_distribution": "log-normal",
        "gain_distribution": "log-normal", "d2d_truncation": 2.0,
    },
    "stuck": {"stuck_on": 0.1, "stuck_off": 0.15, "stuck_random": 0.1},
    "levels": {"n_levels": 32},
    "geometric levels": {"n_levels": 24, "level_spacing": "geometric"},
    "table of levels": _TABLE,
    "write noise": {"sigma_c2c": 0.02},
    "write noise at spikes": {"sigma_c2c": 0.02, "c2c_event": "pre_spike"},
    "write noise by conductance": {"c2c_polynomial": (0.01, 0.05, -0.02)},
    "write noise by conductance at spikes": {
        "c2c_polynomial": (0.01, 0.03), "c2c_event": "pre_spike",
    },
    "write noise of the conductance": {"sigma_write": 0.1},
    "linear law": {"update": _LINEAR},
    "exponential law": {"update": _EXPONENTIAL},
    "power law": {"update": _POWER},
    "piecewise law": {"update": _PIECEWISE},
    "spread of steps": {
        "update": _LINEAR, "sigma_d2d_step": 0.3, "step_distribution": "log-normal",
        "sigma_d2d_asymmetry": 0.2,
    },
    "noise of steps": {"update": _POWER, "sigma_c2c_step": 0.5, "sigma_d2d_step": 0.3},
    "noise of steps and at spikes": {
        "update": _LINEAR, "sigma_c2c_step": 0.5, "sigma_c2c": 0.01, "c2c_event": "pre_spike",
    },
    "read noise": {"sigma_read": 0.2},
    "flicker": {"sigma_flicker": 0.2},
    "drift": {"drift_nu": 0.1, "sigma_drift_nu": 0.03, "drift_t0_s": 0.005},
    "drift after pulses": {"update": _LINEAR, "drift_nu": 0.1, "drift_t0_s": 0.005},
    "counted writes": {"e_set_pj": 1.0},
    "endurance": {"endurance": 15.0, "endurance_shape": 2.0},
    "endurance of pulses": {"update": _LINEAR, "endurance": 20.0},
    "endurance and noise at spikes": {
        "sigma_c2c": 0.02, "c2c_event": "pre_spike", "endurance": 15.0,
    },
}  # fmt: skip

_FIXED = _PARAMETERS["log-normal spread"] | _PARAMETERS["stuck"]
_READ = {
    "sigma_write": 0.03, "sigma_read": 0.1, "sigma_flicker": 0.1, "drift_nu": 0.05,
    "sigma_drift_nu": 0.01, "drift_t0_s": 0.005,
}  # fmt: skip
_PARAMETERS["all"] = {
    **_FIXED, **_READ, "n_levels": 64, "sigma_c2c": 0.003, "c2c_polynomial": (0.0, 0.01),
    "endurance": 25.0,
}  # fmt: skip
_PARAMETERS["all, with pulses"] = {
    **_FIXED, **_READ, **_TABLE, "update": _EXPONENTIAL, "sigma_c2c": 0.01, "sigma_c2c_step": 0.3,
    "sigma_d2d_step": 0.2, "sigma_d2d_asymmetry": 0.1, "endurance": 60.0, "endurance_shape": 1.5,
}  # fmt: skip
_PARAMETERS["all, noise at spikes"] = {
    **_FIXED, **_READ, "n_levels": 20, "level_spacing": "geometric", "update": _PIECEWISE,
    "sigma_c2c": 0.01, "c2c_polynomial": (0.0, 0.01), "c2c_event": "pre_spike",
    "sigma_c2c_step": 0.3, "endurance": 60.0,
}  # fmt: skip

DEVICES = {
    name: Memristor(**{"on_off_ratio": 12.0} | parameters)
    for name, parameters in _PARAMETERS.items()
}

#: What differs in the synapse's code, and everything together.
FEW = (
    "ideal", "counted writes", "drift after pulses", "endurance", "all", "all, with pulses",
    "all, noise at spikes",
)  # fmt: skip
ALL = tuple(DEVICES)
