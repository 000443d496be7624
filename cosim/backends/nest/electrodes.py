"""Current sources: PyNN's for NEST, on time whatever else is connected."""

from typing import Any

import nest
import pyNN.nest
from pyNN import common
from pyNN.nest import simulator


class _OnTime:
    """Takes effect at its time.

    A current needs a delay to reach a cell, by which PyNN's sources begin earlier. PyNN takes the
    smallest delay in use for it: if that is 2 ms, a source with ``start=0`` is 2 ms late, and
    sources made before and after a projection differ.
    """

    _device: Any

    @property
    def min_delay(self) -> float:
        """Delay in ms between a source and its cells."""
        return simulator.state.default_delay

    @min_delay.setter
    def min_delay(self, value: float) -> None:
        """Ignore what PyNN would take."""

    def inject_into(self, cells: Any) -> None:
        """Inject this current into some cells, see PyNN."""
        for cell in cells:
            if not cell.celltype.injectable:
                raise TypeError("Can't inject current into a spike source.")
        if isinstance(cells, common.Population | common.PopulationView | common.Assembly):
            nodes = cells.node_collection
        else:
            nodes = nest.NodeCollection(sorted(cells))
        self.cell_list = nodes
        nest.Connect(self._device, nodes, syn_spec={"delay": self.min_delay})


class DCSource(_OnTime, pyNN.nest.DCSource):  # noqa: D101
    __doc__ = pyNN.nest.DCSource.__doc__


class ACSource(_OnTime, pyNN.nest.ACSource):  # noqa: D101
    __doc__ = pyNN.nest.ACSource.__doc__


class StepCurrentSource(_OnTime, pyNN.nest.StepCurrentSource):  # noqa: D101
    __doc__ = pyNN.nest.StepCurrentSource.__doc__


class NoisyCurrentSource(_OnTime, pyNN.nest.NoisyCurrentSource):  # noqa: D101
    __doc__ = pyNN.nest.NoisyCurrentSource.__doc__
