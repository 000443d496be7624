"""NEST behind the PyNN 0.13 API: everything that `pyNN.nest` has, and more.

- `IF_curr_exp_dAP`, `MemristiveSTDP` and `MemristiveStructuralSTDP`, realised by a compiled
  extension;
- projections that are connected, read and written in bulk, with random numbers from the run seed
  and the projection's label alone;
- spikes on the time grid by default.
"""

from . import _import  # noqa: F401, I001  (must come before anything of pyNN.nest)

from pyNN.nest import *  # noqa: F403
from pyNN.nest import (  # noqa: F401
    Assembly,
    PopulationView,
    Space,
    end,
    errors,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    nest,
    num_processes,
    rank,
    reset,
    run,
    run_for,
    run_until,
    simulator,
    space,
)

from pyNN import common
from pyNN.nest import FixedProbabilityConnector, StaticSynapse
from pyNN.standardmodels import StandardCellType, StandardSynapseType

from cosim.backends import Capabilities

from .cells import IF_curr_exp_dAP, SpikeSourceArray  # noqa: F401
from .control import setup  # noqa: F401
from .populations import Population
from .projections import Projection
from .synapses import (  # noqa: F401
    GutigWeightDependence,
    MemristiveSTDP,
    MemristiveStructuralSTDP,
)

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)


def _names(kind: type) -> frozenset[str]:
    types = (t for t in globals().values() if isinstance(t, type) and issubclass(t, kind))
    return frozenset(t.__name__ for t in types if t is not kind)


def _known_to_nest(synapse_type: str) -> bool:
    # PyNN's own NEST extension has one of its models, but cannot be built everywhere (see _import).
    name = getattr(globals()[synapse_type], "nest_name", None)
    return name is None or name in nest.synapse_models or name == MemristiveSTDP.nest_name


capabilities = Capabilities(
    name="nest",
    cell_types=_names(StandardCellType),
    synapse_types=frozenset(filter(_known_to_nest, _names(StandardSynapseType))),
    threads=True,
)
