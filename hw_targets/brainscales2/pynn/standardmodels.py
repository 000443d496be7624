"""Cell and synapse types, as PyNN's backends arrange them."""

from hw_targets.brainscales2.pynn import cells, synapses

__all__ = ["cells", "synapses"]
