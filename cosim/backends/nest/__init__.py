"""NEST behind the PyNN 0.13 API: everything that `pyNN.nest` has, and more.

- `IF_curr_exp_dAP`, `MemristiveSTDP`, `MemristiveStructuralSTDP` and `MemristiveSynapse`, realised
  by a compiled extension;
- projections that are connected, read and written in bulk, with random numbers from the run seed
  and the projection's label alone;
- spikes on the time grid by default.
"""

from . import _import  # noqa: F401, I001  (must come before anything of pyNN.nest)

from pyNN.nest import *  # noqa: F403
from pyNN.nest import (  # noqa: F401
    Assembly,
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

from typing import NoReturn

from pyNN import common
from pyNN.nest import FixedProbabilityConnector, StaticSynapse

from cosim.backends.checks import declare, lacking

from .cells import (  # noqa: F401
    IF_cond_exp_gsfa_grr,
    IF_curr_delta,
    IF_curr_exp_dAP,
    SpikeSourceArray,
    SpikeSourceGamma,
    SpikeSourcePoissonRefractory,
)
from .control import setup  # noqa: F401
from .electrodes import (  # noqa: F401
    ACSource,
    DCSource,
    NoisyCurrentSource,
    StepCurrentSource,
)
from .populations import Population, PopulationView  # noqa: F401
from .projections import Projection
from .synapses import (  # noqa: F401
    GutigWeightDependence,
    MemristiveSTDP,
    MemristiveStructuralSTDP,
    MemristiveSynapse,
)

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)


# PyNN's own NEST extension has the models of some types, but cannot be built everywhere (see
# _import).
for _name in ("SimpleStochasticSynapse", "StochasticTsodyksMarkramSynapse", "MultiQuantalSynapse"):
    if globals()[_name].nest_name not in nest.synapse_models:
        del globals()[_name]
if "inh_gamma_generator" not in nest.node_models:  # of earlier versions
    del globals()["SpikeSourceInhGamma"]

capabilities = declare("nest", globals(), threads=True, off_grid_spikes=True)


def __getattr__(name: str) -> NoReturn:
    raise lacking(name, capabilities)
