"""Declare what a backend has, and refuse what it lacks before anything is built."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pyNN.standardmodels import (
    StandardCellType,
    StandardCellTypeComponent,
    StandardCurrentSource,
    StandardIonChannelModel,
    StandardPostSynapticResponse,
    StandardSynapseType,
    STDPTimingDependence,
    STDPWeightDependence,
    cells,
    electrodes,
    ion_channels,
    receptors,
    synapses,
)

from cosim.backends import Capabilities, standardmodels

# Which field of `Capabilities` lists the types of a kind.
_FIELDS = {
    StandardCellType: "cell_types",
    StandardSynapseType: "synapse_types",
    STDPTimingDependence: "stdp_rules",
    STDPWeightDependence: "stdp_rules",
    StandardCurrentSource: "current_sources",
    StandardCellTypeComponent: "neuron_parts",
    StandardPostSynapticResponse: "neuron_parts",
    StandardIonChannelModel: "neuron_parts",
}
_ABSTRACT = (*_FIELDS, standardmodels.MemristivePlasticity)

_DRAWN = "SpikeSourceArray with spike times drawn beforehand"
_POINT = "a point neuron, such as IF_curr_exp_dAP with its active dendrite"
_PYTHON_IN_THE_LOOP = "the backend 'brian2' or 'nest'"
_INSTEAD = {
    "GIF_cond_exp": "EIF_cond_exp_isfa_ista",
    "HH_cond_exp": "EIF_cond_exp_isfa_ista",
    "IF_cond_exp_gsfa_grr": "EIF_cond_exp_isfa_ista",
    "IF_facets_hardware1": "IF_cond_exp with cm=0.2, tau_m=5, tau_refrac=1, e_rev_E=0 and the rest",
    "SpikeSourceGamma": _DRAWN,
    "SpikeSourceInhGamma": _DRAWN,
    "SpikeSourcePoissonRefractory": _DRAWN,
    "PointNeuron": "a cell type with fixed receptors, such as IF_cond_exp",
    "MultiCompartmentNeuron": _POINT,
    "NaChannel": _POINT,
    "KdrChannel": _POINT,
    "PassiveLeak": _POINT,
    "PassiveLeakHH": _POINT,
    "CondBetaPostSynapticResponse": "CondAlphaPostSynapticResponse",
    "ElectricalSynapse": "StaticSynapse; gap junctions need PyNN's NEURON backend",
    "SimpleStochasticSynapse": "StaticSynapse with the mean weight, p times the weight",
    "MultiQuantalSynapse": "TsodyksMarkramSynapse, its mean",
    "StochasticTsodyksMarkramSynapse": "TsodyksMarkramSynapse, its mean",
    "Vogels2011Rule": "SpikePairRule",
    "ACSource": _PYTHON_IN_THE_LOOP,
    "DCSource": f"the cells' i_offset, or {_PYTHON_IN_THE_LOOP}",
    "NoisyCurrentSource": _PYTHON_IN_THE_LOOP,
    "StepCurrentSource": _PYTHON_IN_THE_LOOP,
}


def field_of(kind: type) -> str:
    """Return the field of `Capabilities` that lists the types of this kind."""
    return next(field for base, field in _FIELDS.items() if issubclass(kind, base))


def standard_types() -> Mapping[str, Any]:
    """Return every standard type of PyNN and of `cosim.backends.standardmodels`, by name.

    Returns
    -------
    mapping of str to type
        Cells, synapses, parts of ``STDPMechanism``, current sources and parts of neurons.
    """
    modules = (cells, synapses, electrodes, receptors, ion_channels, standardmodels)
    return MappingProxyType({k: v for m in modules for k, v in _types(vars(m)).items()})


def declare(name: str, namespace: Mapping[str, Any], **flags: bool) -> Capabilities:
    """Make the capabilities of a backend from the standard types that its module has.

    Parameters
    ----------
    name : str
        Name of the backend.
    namespace : mapping of str to object
        ``globals()`` of the backend's module.
    **flags : bool
        The other fields of `Capabilities`, such as ``threads``.

    Returns
    -------
    Capabilities
        With every standard type of the module.
    """
    names: dict[str, set[str]] = {field: set() for field in _FIELDS.values()}
    for type_name, kind in _types(namespace).items():
        if type_name in standard_types():
            names[field_of(kind)].add(type_name)
    fields: dict[str, Any] = {field: frozenset(found) for field, found in names.items()}
    fields.update(flags)
    return Capabilities(name=name, **fields)


def lacking(name: str, capabilities: Capabilities) -> AttributeError:
    """Make the error for a name that a backend module does not have.

    Use it as the module's ``__getattr__``::

        def __getattr__(name):
            raise lacking(name, capabilities)

    Parameters
    ----------
    name : str
        What was asked for.
    capabilities : Capabilities
        Of the backend.

    Returns
    -------
    AttributeError
        If `name` is a standard type it says what to use instead.
    """
    if name not in standard_types():
        return AttributeError(f"backend {capabilities.name!r} has no {name!r}")
    field = field_of(standard_types()[name])
    has = ", ".join(sorted(getattr(capabilities, field))) or "none"
    instead = _INSTEAD.get(name, f"another of the backend's {field}")
    return AttributeError(
        f"backend {capabilities.name!r} lacks the standard type {name}: use {instead} "
        f"({field}: {has})"
    )


def refuse_options(options: Mapping[str, Any], *only: tuple[str, Any, str]) -> None:
    """Refuse values of NEST's options of `setup` that would do nothing on a backend.

    Parameters
    ----------
    options : mapping of str to object
        What `setup` was given beside its own arguments.
    *only : tuple
        Name of an option, the only value that it may have, and why.

    Raises
    ------
    ValueError
        If an option has another value.
    """
    for name, here, why in only:
        if options.get(name, here) != here:
            raise ValueError(
                f"setup: {name}={options[name]!r}, need {here!r}: {why}; leave it out, or use the "
                "backend 'nest'"
            )


def _types(namespace: Mapping[str, Any]) -> dict[str, type]:
    return {
        name: kind
        for name, kind in namespace.items()
        if isinstance(kind, type)
        and issubclass(kind, tuple(_FIELDS))
        and kind not in _ABSTRACT
        and name == kind.__name__
    }
