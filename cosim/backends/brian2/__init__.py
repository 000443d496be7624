"""Brian2 behind the PyNN 0.13 API: everything that `pyNN.brian2` has, and more.

- the time convention of the NEST backend, so that exactly integrated cells spike at the same times;
- `IF_curr_exp_dAP`, `MemristiveSTDP`, `MemristiveStructuralSTDP` and `MemristiveSynapse` as
  Brian2 equations;
- projections that are connected, read and written in bulk, with random numbers from the run seed
  and the projection's label alone;
- cells whose parameters may all differ.
"""

from typing import Any, NoReturn

from pyNN import common, errors, random, space  # noqa: F401
from pyNN.brian2 import simulator
from pyNN.connectors import *  # noqa: F403
from pyNN.connectors import FixedProbabilityConnector
from pyNN.network import Network  # noqa: F401
from pyNN.parameters import ParameterSpace, Sequence  # noqa: F401
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution  # noqa: F401
from pyNN.space import Space  # noqa: F401

from cosim.backends.checks import declare, lacking

from .cells import *  # noqa: F403
from .control import (  # noqa: F401
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    num_processes,
    rank,
    reset,
    run,
    run_for,
    run_until,
    setup,
)
from .dap import IF_curr_exp_dAP  # noqa: F401
from .electrodes import (  # noqa: F401
    ACSource,
    DCSource,
    NoisyCurrentSource,
    StepCurrentSource,
)
from .memristive import MemristiveSTDP, MemristiveStructuralSTDP  # noqa: F401
from .point_neurons import LIF, AdExp, PointNeuron  # noqa: F401
from .populations import Assembly, Population, PopulationView  # noqa: F401
from .programmed import MemristiveSynapse  # noqa: F401
from .projections import Projection
from .receptors import (  # noqa: F401
    AlphaPSR,
    CondAlphaPostSynapticResponse,
    CondExpPostSynapticResponse,
    CurrExpPostSynapticResponse,
    ExpPSR,
)
from .sources import SpikeSourceArray, SpikeSourcePoisson  # noqa: F401
from .synapses import *  # noqa: F403
from .synapses import StaticSynapse

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
set = common.set
record = common.build_record(simulator)


def record_v(source: Any, filename: str) -> None:
    """Record membrane potentials to a file, see PyNN."""
    record(["v"], source, filename)


def record_gsyn(source: Any, filename: str) -> None:
    """Record synaptic conductances to a file, see PyNN."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)


def list_standard_models() -> list[str]:
    """Return the names of the cell types."""
    return sorted(capabilities.cell_types)


capabilities = declare("brian2", globals(), threads=False, tau_minus_arrays=True)


def __getattr__(name: str) -> NoReturn:
    raise lacking(name, capabilities)
