"""Populations: PyNN's for NEST with our recorder."""

from typing import Any

import numpy as np
import pyNN.nest

from .recording import Recorder


class Population(pyNN.nest.Population):  # noqa: D101
    __doc__ = pyNN.nest.Population.__doc__
    _recorder_class = Recorder

    def _set_initial_value_array(self, variable: str, value: Any) -> None:
        # PyNN hands over what is in its own units as if it were in NEST's.
        value = value / getattr(self.celltype, "scale_factors", {}).get(variable, 1)
        if value.is_homogeneous and self._has_value(variable, value.evaluate(simplify=True)):
            return
        super()._set_initial_value_array(variable, value)

    def _has_value(self, variable: str, value: float) -> bool:
        """Whether NEST has this value already; it refuses to set some, even to what they are."""
        native = getattr(self.celltype, "variable_map", {}).get(variable, variable)
        try:
            return bool(np.all(np.asarray(self.node_collection.get(native)) == value))
        except (KeyError, pyNN.nest.nest.NESTError):
            return value == 0  # what NEST does not show starts at 0
