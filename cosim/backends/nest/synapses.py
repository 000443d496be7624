"""Synapse types added to PyNN's for NEST."""

from itertools import count

import nest
import pyNN.nest
from pyNN.nest.synapses import NESTSynapseMixin
from pyNN.standardmodels import build_translations

from devices import noise
from devices.programmed import ProgrammedWeights

from .. import device_parameters, standardmodels

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
        ("n_set", "n_set"),
        ("n_reset", "n_reset"),
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

    def make_nest_model(self, key: noise.Key, n: int, time_zero: int) -> str:
        """Make a NEST synapse model with what the synapses of a projection have in common.

        Parameters
        ----------
        key : tuple of int
            Of the devices' noise.
        n : int
            Number of synapses.
        time_zero : int
            NEST's time step at which the devices count as written.

        Returns
        -------
        str
            Its name.
        """
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
                "device_parameters": device_parameters.pack(device, key),
                "counts_writes": self.counts_writes,
                "device_time_zero": time_zero,
                "n_devices": n,
            },
        )
        return name


class MemristiveSTDP(_MemristiveMixin, standardmodels.MemristiveSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveSTDP.__doc__


class MemristiveStructuralSTDP(_MemristiveMixin, standardmodels.MemristiveStructuralSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveStructuralSTDP.__doc__


class MemristiveSynapse(NESTSynapseMixin, standardmodels.MemristiveSynapse):  # noqa: D101
    __doc__ = standardmodels.MemristiveSynapse.__doc__

    # Of weights that do not change once they are programmed.
    nest_name = "static_synapse"
    translations = build_translations(("weight", "weight", 1000.0), ("delay", "delay"))

    def make_nest_model(self, programmed: ProgrammedWeights, time_zero: int) -> str:
        """Make a NEST synapse model of weights that change; return its name.

        Parameters
        ----------
        programmed : devices.programmed.ProgrammedWeights
            The devices.
        time_zero : int
            NEST's time step at which they count as written.

        Returns
        -------
        str
            Its name.
        """
        name = f"programmed_synapse_{next(_NUMBER)}"
        nest.CopyModel(
            "programmed_synapse",
            name,
            {
                "device_parameters": device_parameters.pack(programmed.device, programmed.key),
                "devices_per_weight": programmed.conductance.shape[1],
                "device_time_zero": time_zero,
            },
        )
        return name
