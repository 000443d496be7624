"""Simulators and emulated hardware behind the PyNN API, found by name."""

import importlib
from dataclasses import dataclass
from types import ModuleType

from cosim import registry
from cosim.errors import InputError

# How to get the simulators whose import name says nothing about their package.
_INSTALL = {
    "nest": "pip install nest-simulator (conda-forge: nest-simulator)",
    "brian2": "pip install brian2 (conda-forge: brian2)",
    "neuron": "pip install neuron",
    "pyNN": "pip install PyNN",
}


@dataclass(frozen=True)
class Capabilities:
    """What a backend can realise; a backend module exposes it as ``capabilities``.

    What a backend lacks is refused before the run, with what to use instead. Make it with
    `cosim.backends.checks.declare`, which finds the names of the types.

    Parameters
    ----------
    name : str
        Name of the backend.
    cell_types : frozenset of str
        Names of the PyNN cell types, the added ones included.
    synapse_types : frozenset of str
        Names of the PyNN synapse types, the added ones included.
    threads : bool
        Whether one simulation can use more than one thread.
    stdp_rules : frozenset of str
        Names of the timing and weight dependences of ``STDPMechanism``.
    current_sources : frozenset of str
        Names of the PyNN current sources.
    neuron_parts : frozenset of str
        Names of the neurons and postsynaptic responses that make up a ``PointNeuron``.
    off_grid_spikes : bool
        Whether spikes can lie between time steps (``setup(spike_precision="off_grid")``).
    interactive : bool
        Whether values can be read and written between the runs of one simulation, and `reset`.
    axonal_delays : bool
        Whether part of the delay of a plastic synapse can be axonal
        (``STDPMechanism(dendritic_delay_fraction=...)`` below 1).
    tau_minus_arrays : bool
        Whether ``tau_minus`` of ``SpikePairRule`` can differ between synapses onto one cell.
    """

    name: str
    cell_types: frozenset[str]
    synapse_types: frozenset[str]
    threads: bool
    stdp_rules: frozenset[str] = frozenset()
    current_sources: frozenset[str] = frozenset()
    neuron_parts: frozenset[str] = frozenset()
    off_grid_spikes: bool = False
    interactive: bool = True
    axonal_delays: bool = False
    tau_minus_arrays: bool = False


def available_backends() -> tuple[str, ...]:
    """Return the names of the registered backends, whether their simulator is installed or not."""
    return tuple(registry.registered(registry.BACKENDS))


def backend(name: str) -> ModuleType:
    """Import a backend.

    Parameters
    ----------
    name : str
        Entry-point name in the group ``cosim.backends``, or the dotted path of any module with
        the PyNN API, such as ``"pyNN.mock"``.

    Returns
    -------
    module
        With the PyNN 0.13 API.

    Raises
    ------
    InputError
        If there is no such backend, or its simulator is not installed.
    """
    path = registry.module_path(registry.BACKENDS, name)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        hint = _INSTALL.get(package, f"pip install the package that provides {package!r}")
        raise InputError(f"backend {name!r} needs {package!r}: {hint}") from error
    except ImportError as error:
        raise InputError(f"backend {name!r} ({path}) cannot be imported: {error}") from error


def check_threads(name: str, threads: int) -> None:
    """Refuse more than one thread on a backend that declares itself single-threaded.

    Raises
    ------
    InputError
        If the backend's `capabilities` exclude `threads`.
    """
    capabilities = getattr(backend(name), "capabilities", None)
    if threads > 1 and capabilities is not None and not capabilities.threads:
        raise InputError(f"backend {name!r} runs on one thread, asked for {threads}: use threads=1")
