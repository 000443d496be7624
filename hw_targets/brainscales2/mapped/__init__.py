"""BrainScaleS-2 behind the PyNN 0.13 API in biological units, mapped to the emulated chip.

`cosim.backend("brainscales2")`: scripts in mV, nA and ms of biological time. Before the run the
network is mapped to the chip; `mapping_report` says what that has changed, `check` whether it fits.
"""

from typing import Any, NoReturn

from pyNN import common, errors, random, space  # noqa: F401
from pyNN.connectors import *  # noqa: F403
from pyNN.connectors import FixedProbabilityConnector
from pyNN.network import Network  # noqa: F401
from pyNN.parameters import ParameterSpace, Sequence  # noqa: F401
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution  # noqa: F401
from pyNN.space import Space  # noqa: F401

from cosim.backends.checks import declare, lacking
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.cells import (  # noqa: F401
    EIF_cond_exp_isfa_ista,
    IF_cond_exp,
    IF_curr_exp,
    IF_curr_exp_dAP,
    SpikeSourceArray,
    SpikeSourcePoisson,
)
from hw_targets.brainscales2.mapped.control import (  # noqa: F401
    check,
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    mapping_report,
    num_processes,
    rank,
    reset,
    run,
    run_for,
    run_until,
    setup,
)
from hw_targets.brainscales2.mapped.populations import (  # noqa: F401
    Assembly,
    Population,
    PopulationView,
)
from hw_targets.brainscales2.mapped.projections import Projection
from hw_targets.brainscales2.mapped.report import MappingError, MappingReport  # noqa: F401
from hw_targets.brainscales2.mapped.synapses import (  # noqa: F401
    MemristiveSTDP,
    MemristiveStructuralSTDP,
    MemristiveSynapse,
    StaticSynapse,
)

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
set = common.set
record = common.build_record(simulator)


def record_v(source: Any, filename: str) -> None:
    """Record membrane potentials to a file, see PyNN."""
    record(["v"], source, filename)


def list_standard_models() -> list[str]:
    """Return the names of the cell types."""
    return sorted(capabilities.cell_types)


capabilities = declare("brainscales2", globals(), threads=False)


def __getattr__(name: str) -> NoReturn:
    raise lacking(name, capabilities)
