"""The contract of a backend; each module holds what belongs to one topic."""

from cosim.testing.backend.capabilities import CapabilitiesContract
from cosim.testing.backend.cells import CellContract
from cosim.testing.backend.connecting import ConnectionContract
from cosim.testing.backend.control import ControlContract
from cosim.testing.backend.currents import CurrentSourceContract
from cosim.testing.backend.dendrites import DendriteContract
from cosim.testing.backend.memristive import MemristiveContract
from cosim.testing.backend.parameters import ParameterContract
from cosim.testing.backend.plasticity import PlasticityContract
from cosim.testing.backend.programmed import ProgrammedWeightContract
from cosim.testing.backend.recording import RecordingContract
from cosim.testing.backend.resetting import ResetContract
from cosim.testing.backend.sources import SpikeSourceContract
from cosim.testing.backend.weights import WeightContract


class BackendContract(
    CapabilitiesContract,
    CellContract,
    ConnectionContract,
    ControlContract,
    CurrentSourceContract,
    DendriteContract,
    MemristiveContract,
    ParameterContract,
    PlasticityContract,
    ProgrammedWeightContract,
    RecordingContract,
    ResetContract,
    SpikeSourceContract,
    WeightContract,
):
    """What every backend must do; a subclass whose name starts with ``Test`` is a test class.

    Voltages are compared with closed forms or with a reference integration, spike times with the
    time convention of ``docs/model_definition.md``, connections with
    `cosim.backends.connectivity.realise`, plastic and programmed memristive synapses with
    `devices`.

    A test that needs what the backend's ``capabilities`` exclude is skipped, and the reason names
    the capability; nothing else is skipped.

    Attributes
    ----------
    backend : str
        Name of a registered backend or dotted path of a module with the PyNN API.
    setup_options : dict
        Keyword arguments for every ``setup()``; default: none.
    """


__all__ = ["BackendContract"]
