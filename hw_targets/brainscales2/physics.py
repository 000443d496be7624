"""All that the engine integrates of a circuit, from its settings and its mismatch."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import transfer
from hw_targets.brainscales2.transfer import Array, Mismatch

Settings = Mapping[str, npt.NDArray[np.int64]]


def membrane(setting: Settings, differs: Mismatch, biases: str) -> dict[str, Array]:
    """Leak, capacitance and constant currents.

    Parameters
    ----------
    setting : mapping
        Parameter name -> values, one per circuit.
    differs : Mismatch
        Mismatch of these circuits.
    biases : {"raw", "calibrated"}
        State of the shared bias cells.

    Returns
    -------
    dict
        Fields of `Circuits`.
    """
    capacitance = transfer.membrane_capacitance(setting["membrane_capacitance_capacitance"])
    switches = transfer.conductance_switches(
        setting["leak_enable_multiplication"], setting["leak_enable_division"]
    )
    degeneration = np.where(setting["leak_enable_degeneration"], transfer.DEGENERATION, 1.0)
    rate = transfer.leak_rate(setting["leak_i_bias"]) * switches * differs.leak_conductance
    offset = np.where(setting["constant_current_type"], -1.0, 1.0) * transfer.CURRENT
    current = setting["constant_current_enable"] * offset * setting["constant_current_i_offset"]
    for receptor, name, sign in (("exc", "excitatory_input", 1.0), ("inh", "inhibitory_input", -1)):
        shift = setting[f"{name}_i_shift_reference"] - getattr(differs, f"shift_{receptor}")
        strength = _strength(setting, differs, receptor, name)
        current = current + sign * transfer.SHIFT_CURRENT * shift * strength
    return {
        "capacitance": capacitance,
        "leak_potential": transfer.LINES[biases]["leak"](setting["leak_v_leak"])
        + differs.leak_offset,
        "leak_rate": rate / degeneration / capacitance,
        "leak_saturation": transfer.LEAK_SATURATION * degeneration,
        "current": current / capacitance,
    }


def spikes(
    setting: Settings, differs: Mismatch, biases: str, clock_scale: npt.NDArray[np.int64]
) -> dict[str, Array]:
    """Threshold, reset and refractory period.

    Parameters
    ----------
    setting, differs, biases
        As in `membrane`.
    clock_scale : ndarray of int
        Scale of the refractory clock that each circuit selects.

    Returns
    -------
    dict
        Fields of `Circuits`.
    """
    lines = transfer.LINES[biases]
    capacitance = transfer.membrane_capacitance(setting["membrane_capacitance_capacitance"])
    switches = transfer.conductance_switches(
        setting["reset_enable_multiplication"], setting["reset_enable_division"]
    )
    degeneration = np.where(setting["reset_enable_degeneration"], transfer.DEGENERATION, 1.0)
    full_rate = 1.0 / (
        transfer.RESET_TIME_US[biases] * transfer.RESET_SETTING[biases] * transfer.SWITCH_FACTOR
    )
    reset, holdoff = transfer.refractory_period(
        setting["refractory_period_refractory_time"],
        setting["refractory_period_reset_holdoff"],
        clock_scale,
    )
    return {
        "threshold": lines["threshold"](setting["threshold_v_threshold"])
        + differs.threshold_offset,
        "can_spike": setting["threshold_enable"] == 1,
        "reset_potential": lines["reset"](setting["reset_v_reset"]) + differs.reset_offset,
        "reset_rate": setting["reset_i_bias"]
        * full_rate
        * switches
        * differs.reset_conductance
        / degeneration
        / capacitance,
        "refractory_time": reset,
        "holdoff_time": holdoff,
    }


def synaptic_input(
    setting: Settings, differs: Mismatch, dac_bias: npt.NDArray[np.int64], receptor: str
) -> dict[str, Array]:
    """Synaptic input of one receptor.

    Parameters
    ----------
    setting, differs
        As in `membrane`.
    dac_bias : ndarray of int
        synapse_dac_bias of each circuit's quadrant.
    receptor : {"exc", "inh"}
        Which input.

    Returns
    -------
    dict
        Fields of `Circuits`.
    """
    name = {"exc": "excitatory_input", "inh": "inhibitory_input"}[receptor]
    capacitance = transfer.membrane_capacitance(setting["membrane_capacitance_capacitance"])
    strength = _strength(setting, differs, receptor, name) / capacitance
    rate = transfer.synaptic_rate(
        setting[f"{name}_i_bias_tau"], setting[f"{name}_enable_high_resistance"], receptor
    )
    reversal = transfer.DIRECT(setting[f"{name}_v_rev_coba"])
    distance = transfer.COBA_SETTING / np.maximum(setting[f"{name}_i_bias_coba"], 1)
    return {
        f"syn_rate_{receptor}": rate / getattr(differs, f"tau_{receptor}"),
        f"gain_{receptor}": transfer.GAIN * strength * dac_bias / transfer.DAC_TARGET,
        # Off, an input has neither current nor limit.
        f"saturation_{receptor}": np.where(
            strength > 0, transfer.SATURATION[receptor] * strength, np.inf
        ),
        f"coba_{receptor}": setting[f"{name}_enable_coba_mode"] == 1,
        f"reversal_{receptor}": reversal,
        f"coba_reference_{receptor}": reversal + (-distance if receptor == "exc" else distance),
    }


def adaptation(setting: Settings) -> dict[str, Array]:
    """Adaptation's current.

    Parameters
    ----------
    setting : mapping
        Parameter name -> values, one per circuit.

    Returns
    -------
    dict
        Fields of `Circuits`.
    """
    capacitance = transfer.membrane_capacitance(setting["membrane_capacitance_capacitance"])
    sign_a = np.where(setting["adaptation_invert_a"], -1.0, 1.0) * setting["adaptation_enable"]
    sign_b = np.where(setting["adaptation_invert_b"], -1.0, 1.0) * setting["adaptation_enable"]
    return {
        "adaptation_a": sign_a * transfer.leak_rate(setting["adaptation_i_bias_a"]) / capacitance,
        "adaptation_b": sign_b
        * setting["adaptation_enable_pulse"]
        * transfer.ADAPTATION_B
        * setting["adaptation_i_bias_b"]
        / capacitance,
        "adaptation_rate": setting["adaptation_i_bias_tau"] / transfer.ADAPTATION_TAU_US,
        "adaptation_potential": transfer.DIRECT(setting["adaptation_v_leak"]),
    }


def exponential(setting: Settings) -> dict[str, Array]:
    """Exponential current.

    Parameters
    ----------
    setting : mapping
        Parameter name -> values, one per circuit.

    Returns
    -------
    dict
        Fields of `Circuits`.
    """
    capacitance = transfer.membrane_capacitance(setting["membrane_capacitance_capacitance"])
    return {
        "exp_slope": np.where(setting["exponential_enable"], transfer.EXPONENTIAL_SLOPE, 0.0),
        "exp_threshold": transfer.DIRECT(setting["exponential_v_exp"]),
        "exp_rate": transfer.leak_rate(setting["exponential_i_bias"]) / capacitance,
    }


def _strength(setting: Settings, differs: Mismatch, receptor: str, name: str) -> Array:
    gm = transfer.synaptic_strength(setting[f"{name}_i_bias_gm"], receptor)
    return np.asarray(setting[f"{name}_enable"] * gm * getattr(differs, f"gain_{receptor}"))
