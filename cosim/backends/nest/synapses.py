"""Synapse types added to PyNN's for NEST."""

from itertools import count

import nest
import pyNN.nest
from pyNN.nest.synapses import NESTSynapseMixin
from pyNN.standardmodels import build_translations

from devices import noise

from .. import standardmodels

_NUMBER = count()


class GutigWeightDependence(pyNN.nest.GutigWeightDependence):  # noqa: D101
    __doc__ = pyNN.nest.GutigWeightDependence.__doc__

    # PyNN 0.13's for NEST ignores both exponents.
    def __init__(
        self, w_min: float = 0.0, w_max: float = 1.0, mu_plus: float = 0.5, mu_minus: float = 0.5
    ) -> None:
        super().__init__(w_min, w_max)
        self.parameter_space.update(mu_plus=mu_plus, mu_minus=mu_minus)


class _MemristiveMixin(NESTSynapseMixin):
    nest_name = "memristive_synapse"

    translations = build_translations(
        ("weight", "weight", 1000.0),
        ("delay", "delay"),
        ("permanence", "permanence"),
        ("permanence_min", "permanence_min"),
        ("device", "device"),
        ("n_events", "n_events"),
        ("n_spikes", "n_spikes"),
        ("w_max", "w_max", 1000.0),
        ("theta_p", "theta_p"),
        ("p_max", "p_max"),
        ("lambda_plus", "lambda_plus"),
        ("lambda_minus", "lambda_minus"),
        ("lambda_h", "lambda_h"),
        ("z_target", "z_target"),
        ("tau_plus", "tau_plus"),
        ("dt_min", "dt_min"),
        ("dt_max", "dt_max"),
    )

    def make_nest_model(self, key: noise.Key) -> str:
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
                "noise_key": list(key),
            },
        )
        return name


class MemristiveSTDP(_MemristiveMixin, standardmodels.MemristiveSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveSTDP.__doc__


class MemristiveStructuralSTDP(_MemristiveMixin, standardmodels.MemristiveStructuralSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveStructuralSTDP.__doc__
