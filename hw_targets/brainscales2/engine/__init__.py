"""Integration of circuits and their synapses in hardware time.

`Engine` takes `Circuits` and `Synapses`, advances by any time, takes events of external sources
and returns spikes and what `Probe` asks for.
"""

from hw_targets.brainscales2.engine.engine import Activity, Engine, State
from hw_targets.brainscales2.engine.probe import Probe
from hw_targets.brainscales2.engine.synapses import Synapses

__all__ = ["Activity", "Engine", "Probe", "State", "Synapses"]
