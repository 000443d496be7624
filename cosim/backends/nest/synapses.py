"""Synapse types added to PyNN's for NEST."""

from itertools import count

import nest
from pyNN.nest.synapses import NESTSynapseMixin
from pyNN.standardmodels import build_translations

from devices import noise

from .. import standardmodels

_NUMBER = count()


class _MemristiveMixin(NESTSynapseMixin):
    nest_name = "memristive_synapse"

    # PyNN asks for the native names of what users read; units are converted by the projection.
    translations = build_translations(
        ("weight", "weight", 1000.0),
        ("delay", "delay"),
        ("permanence", "permanence"),
        ("permanence_min", "permanence_min"),
        ("device", "device"),
        ("n_events", "n_events"),
        ("n_spikes", "n_spikes"),
    )

    def make_nest_model(self, seed: int, label: str) -> str:
        """Make a NEST synapse model with the projection's common parameters; return its name."""
        name = f"{self.nest_name}_{next(_NUMBER)}"
        parameters = self.common_parameters()
        w_max = parameters.pop("w_max") * 1000.0
        device = self.device
        nest.CopyModel(
            self.nest_name,
            name,
            {
                "p_max": self.p_max,
                **parameters,
                "w_max": w_max,
                "w_min": w_max / device.on_off_ratio,
                "binary": self.binary,
                "pre_trace": self.pre_trace,
                "n_levels": device.n_levels or 0,
                "sigma_c2c": device.sigma_c2c,
                "c2c_at_pre_spike": device.c2c_event == "pre_spike",
                "sigma_read": device.sigma_read,
                "noise_key": list(noise.noise_key(seed, label)),
            },
        )
        return name


class MemristiveSTDP(_MemristiveMixin, standardmodels.MemristiveSTDP):
    __doc__ = standardmodels.MemristiveSTDP.__doc__


class MemristiveStructuralSTDP(_MemristiveMixin, standardmodels.MemristiveStructuralSTDP):
    __doc__ = standardmodels.MemristiveStructuralSTDP.__doc__
