"""Synaptic weights that follow from the wanted postsynaptic potentials."""

import math
from dataclasses import dataclass

from models.sequence_learning.parameters import Parameters


@dataclass(frozen=True)
class Weights:
    """Peak currents, nA; suffixes name target and source as in `Connectivity`.

    Parameters
    ----------
    ex, ie, ei : float
        Weights of the fixed synapses.
    mature : float
        Weight of a mature synapse between excitatory neurons.
    primer : float
        Weight of the dendritic stimulus before a first element.
    """

    ex: float
    ie: float
    ei: float
    mature: float
    primer: float


def derive_weights(parameters: Parameters) -> Weights:
    """Return the weights of the network.

    Parameters
    ----------
    parameters : Parameters
        Neurons and the relative strengths in `Connectivity`.

    Returns
    -------
    Weights
        In nA.
    """
    neuron, strength = parameters.neuron, parameters.connectivity
    theta_e = neuron.v_thresh - neuron.v_rest
    current = psp_to_psc(strength.psp_ex * theta_e, neuron.cm, neuron.tau_m, neuron.tau_syn_E)
    return Weights(
        ex=current,
        ie=inhibitory_drive(parameters, strength.rho),
        ei=psp_to_psc(strength.psp_ei * theta_e, neuron.cm, neuron.tau_m, neuron.tau_syn_I),
        mature=strength.dap_reserve * neuron.theta_dAP / strength.n_coincident,
        primer=strength.primer * neuron.theta_dAP,
    )


def inhibitory_drive(parameters: Parameters, n_spikes: int) -> float:
    """Return the weight with which `n_spikes` simultaneous spikes drive an inhibitory neuron.

    Parameters
    ----------
    parameters : Parameters
        Inhibitory neurons and `Connectivity.psp_ie`.
    n_spikes : int
        Excitatory spikes that reach `psp_ie` times the threshold together.

    Returns
    -------
    float
        Weight of one synapse, nA.
    """
    target = parameters.inhibitory
    psp = parameters.connectivity.psp_ie * (target.v_thresh - target.v_rest) / n_spikes
    return psp_to_psc(psp, target.cm, target.tau_m, target.tau_syn_E)


def psp_to_psc(psp: float, cm: float, tau_m: float, tau_syn: float) -> float:
    """Return the peak of the exponential current that evokes a potential of a given peak.

    Parameters
    ----------
    psp : float
        Peak deflection of the membrane potential, mV.
    cm : float
        Membrane capacitance, nF.
    tau_m, tau_syn : float
        Time constants of membrane and current, ms.

    Returns
    -------
    float
        Peak current, nA.
    """
    resistance = tau_m / cm
    if math.isclose(tau_m, tau_syn):
        return psp * math.e / resistance
    ratio = tau_m / tau_syn
    peak = ratio ** (-tau_m / (tau_m - tau_syn)) - ratio ** (-tau_syn / (tau_m - tau_syn))
    return psp / (resistance * tau_syn / (tau_syn - tau_m) * peak)
