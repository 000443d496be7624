"""The network: excitatory subpopulations, one inhibitory neuron each, plastic synapses between."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.sequence_learning.parameters import Connectivity, Neuron, Parameters
from models.sequence_learning.stimulus import FloatArray, IntArray, Stimulus
from models.sequence_learning.weights import Weights, derive_weights

# Label of the plastic projection; its device noise and initial states are drawn from it.
EE = "EE"


@dataclass(frozen=True, eq=False)
class Network:
    """Populations and projections of the model.

    Cells of symbol `k` are `excitatory[k * n_e:(k + 1) * n_e]` and `inhibitory[k]`.

    Parameters
    ----------
    excitatory, inhibitory, external : Population
        Neurons, and one spike source per symbol.
    ee, ex, ie, ei : Projection
        Named target first: `ie` is excitatory to inhibitory.
    primer : Population, optional
        One spike source per symbol, if first elements are preceded by a dendritic stimulus.
    """

    excitatory: Any
    inhibitory: Any
    external: Any
    ee: Any
    ex: Any
    ie: Any
    ei: Any
    primer: Any = None


def build(sim: Any, parameters: Parameters, stimulus: Stimulus) -> Network:
    """Build the network with plastic synapses and record what the metrics need.

    Parameters
    ----------
    sim : module
        PyNN 0.13 API with the types `IF_curr_exp_dAP`, `MemristiveStructuralSTDP` and
        `MemristiveSTDP`; `sim.setup` has been called.
    parameters : Parameters
        Of the model.
    stimulus : Stimulus
        Input, for instance `training_stimulus(parameters.task)`.

    Returns
    -------
    Network
        Ready to run.
    """
    weights = derive_weights(parameters)
    connector = sim.FixedNumberPreConnector(
        parameters.indegree, allow_self_connections=False, with_replacement=False
    )
    return assemble(
        sim,
        parameters,
        stimulus,
        neuron=parameters.neuron,
        strength=parameters.connectivity,
        weights=weights,
        ee_connector=connector,
        ee_synapse=plastic_synapse(sim, parameters, weights.mature),
    )


def assemble(
    sim: Any,
    parameters: Parameters,
    stimulus: Stimulus,
    *,
    neuron: Neuron,
    strength: Connectivity,
    weights: Weights,
    ee_connector: Any,
    ee_synapse: Any,
) -> Network:
    """Build the network with given neurons, weights and excitatory synapses.

    Parameters
    ----------
    sim : module
        PyNN 0.13 API.
    parameters : Parameters
        Of the model; sizes, inhibitory neurons and the time constant of the dAP trace are used.
    stimulus : Stimulus
        Input.
    neuron : Neuron
        Excitatory neurons.
    strength : Connectivity
        Delays.
    weights : Weights
        Of the synapses other than `ee`.
    ee_connector, ee_synapse
        Connector and synapse type between excitatory neurons.

    Returns
    -------
    Network
        Spikes and dendritic action potentials of the excitatory neurons are recorded.
    """
    n_symbols, n_e = parameters.n_symbols, strength.n_e
    cell = sim.IF_curr_exp_dAP(**dataclasses.asdict(neuron) | {"tau_h": parameters.tau_h})
    excitatory = sim.Population(parameters.n_excitatory, cell, label="E")
    excitatory.initialize(v=neuron.v_rest)
    inhibitory = sim.Population(
        n_symbols, sim.IF_curr_exp(**dataclasses.asdict(parameters.inhibitory)), label="I"
    )
    inhibitory.initialize(v=parameters.inhibitory.v_rest)
    external = _sources(sim, stimulus.external, "X")

    subpopulation = _pairs(n_symbols, n_e, n_e)
    network = Network(
        excitatory=excitatory,
        inhibitory=inhibitory,
        external=external,
        ee=sim.Projection(
            excitatory, excitatory, ee_connector, ee_synapse, receptor_type="dendritic", label=EE
        ),
        ex=sim.Projection(
            external,
            excitatory,
            sim.FromListConnector(subpopulation, column_names=()),
            sim.StaticSynapse(weight=weights.ex, delay=strength.delay_ex),
            receptor_type="excitatory",
            label="EX",
        ),
        ie=sim.Projection(
            excitatory,
            inhibitory,
            sim.FromListConnector(subpopulation[:, ::-1], column_names=()),
            sim.StaticSynapse(weight=weights.ie, delay=strength.delay_ie),
            receptor_type="excitatory",
            label="IE",
        ),
        ei=sim.Projection(
            inhibitory,
            excitatory,
            sim.FromListConnector(subpopulation, column_names=()),
            sim.StaticSynapse(weight=weights.ei, delay=strength.delay_ei),
            receptor_type="inhibitory",
            label="EI",
        ),
        primer=_prime(sim, stimulus, excitatory, strength, weights.primer),
    )
    excitatory.record(["spikes", "dAP"])
    return network


def plastic_synapse(sim: Any, parameters: Parameters, w_max: float) -> Any:
    """Return the synapse type of the plasticity rule.

    Parameters
    ----------
    sim : module
        PyNN 0.13 API with the memristive synapse types.
    parameters : Parameters
        Plasticity and device are used.
    w_max : float
        Weight of a mature synapse, nA.

    Returns
    -------
    SynapseType
        `MemristiveSTDP` for rule ``"analog"``, else `MemristiveStructuralSTDP`.
    """
    rule = parameters.plasticity.resolved(parameters.task)
    common = {
        "w_max": w_max,
        # Without a generator of its own it is drawn from the run's seed.
        "permanence": sim.RandomDistribution("uniform", low=rule.p_init_min, high=rule.p_init_max),
        "lambda_plus": rule.lambda_plus,
        "lambda_minus": rule.lambda_minus,
        "lambda_h": rule.lambda_h,
        "z_target": rule.z_target,
        "tau_plus": rule.tau_plus,
        "dt_min": rule.dt_min,
        "dt_max": rule.dt_max,
        "pre_trace": rule.rule == "permanence",
        "delay": parameters.connectivity.delay_ee,
        "device": parameters.device,
    }
    if rule.rule == "analog":
        return sim.MemristiveSTDP(**common)
    return sim.MemristiveStructuralSTDP(theta_p=rule.theta_p, p_max=rule.p_max, **common)


def _sources(sim: Any, times: tuple[FloatArray, ...], label: str) -> Any:
    return sim.Population(len(times), sim.SpikeSourceArray(spike_times=list(times)), label=label)


def _prime(
    sim: Any, stimulus: Stimulus, excitatory: Any, strength: Connectivity, weight: float
) -> Any:
    if stimulus.primer is None:
        return None
    sources = _sources(sim, stimulus.primer, "primer")
    # The neurons of a subpopulation are exchangeable: the first ones stand for a random choice.
    sim.Projection(
        sources,
        excitatory,
        sim.FromListConnector(
            _pairs(len(stimulus.primer), strength.n_e, strength.rho + 1), column_names=()
        ),
        sim.StaticSynapse(weight=weight, delay=strength.delay_ex),
        receptor_type="dendritic",
        label="primer",
    )
    return sources


def _pairs(n_symbols: int, n_e: int, n_targets: int) -> IntArray:
    """Connect each symbol to the first `n_targets` of its `n_e` neurons: rows (symbol, neuron)."""
    symbol = np.repeat(np.arange(n_symbols), n_targets)
    neuron = symbol * n_e + np.tile(np.arange(n_targets), n_symbols)
    return np.column_stack([symbol, neuron])
