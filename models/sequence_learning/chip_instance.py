"""The network at the size of the published instance on one BrainScaleS-2 chip.

4 symbols with 15 excitatory neurons of two circuits each, and all possible synapses but those of a
neuron onto itself: from the authors' code (Dietrich et al., LOD 2024). All other values are ours;
what the chip can do narrows them down:

- A dendritic action potential and a refractory period last 32 ms at most, so that elements follow
  each other after 20 ms, and the plateau falls below its threshold within a hold-off of 4 ms.
- Inhibitory currents saturate at a tenth of the distance from rest to threshold per ms, so that
  excitatory potentials must rise slowly, within 10 ms.
- A neuron's plateau outlasts its spike, which a long refractory period keeps from having
  consequences.
- Correlation sensors differ, and coincident spikes must not be taken for consecutive ones: the
  window of potentiation begins at 9 ms.
"""

import math
from typing import Any

from models.sequence_learning.parameters import Connectivity, Inhibitory, Neuron
from models.sequence_learning.plasticity import Plasticity
from models.sequence_learning.task import Task

_TASK = Task(
    sequence_set=("ADB", "CDA"),
    alphabet="ABCD",
    episodes=120,
    delta_t=20.0,
    delta_t_seq=85.0,
    t_probe=14.0,
)
_TAU_PLUS = 18.0
#: Potentiation of a pair of consecutive elements, relative to the range of the permanence.
_STEP = 0.02

CHIP_INSTANCE: dict[str, Any] = {
    "task": _TASK,
    "neuron": Neuron(
        tau_m=10.0,
        tau_refrac=20.0,
        tau_syn_E=10.0,
        tau_syn_I=5.0,
        tau_syn_D=4.0,
        i_dAP=0.25,
        theta_dAP=0.14,
        tau_dAP=28.0,
    ),
    "inhibitory": Inhibitory(tau_syn_E=2.0),
    "connectivity": Connectivity(
        n_e=15,
        p=59 / 60,
        rho=5,
        n_coincident=3,
        dap_reserve=1.3,
        psp_ex=1.2,
        psp_ie=1.6,
        psp_ei=-1.0,
        delay_ee=0.1,
    ),
    "plasticity": Plasticity(
        lambda_plus=_STEP / math.exp(-_TASK.delta_t / _TAU_PLUS),
        lambda_minus=0.004,
        lambda_h=0.025,
        tau_plus=_TAU_PLUS,
        dt_min=9.0,
        dt_max=34.0,
        p_init_max=8.0,
    ),
}
"""What differs from the defaults: ``Parameters(**CHIP_INSTANCE)``, or the ``base`` of a sweep."""
