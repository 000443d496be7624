"""Programmed weights in Brian2: static synapses, unless their devices drift or have read noise."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from pyNN.brian2 import simulator
from pyNN.standardmodels import build_translations

from cosim.backends import standardmodels

from .device import device_functions
from .synapses import (
    INTEGER,
    TIME_ZERO,
    WEIGHT,
    StaticSynapse,
    SynapseModel,
    SynapseTypeMixin,
    at_pre,
    in_flight_state,
    sending,
    transmission,
)


class MemristiveSynapse(SynapseTypeMixin, standardmodels.MemristiveSynapse):  # noqa: D101
    __doc__ = standardmodels.MemristiveSynapse.__doc__

    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def brian2_values(self, projection: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Program the weights; in `projection.programmed` is what became of them."""
        programmed = projection._program(parameters["weight"], projection.noise_key)
        projection.programmed = programmed
        values = {"delay": parameters["delay"]}
        if not self.changes:
            return values | {"weight": programmed.weights()}
        first, second = programmed.shares()
        return values | {
            "index": np.arange(len(projection)),
            "first_share": first,
            "second_share": second,
        }

    def brian2_model(self, projection: Any) -> SynapseModel:
        """Return Brian2's equations and code."""
        if not self.changes:
            return StaticSynapse.brian2_model(self, projection)
        sent, programmed = sending(projection), projection.programmed
        age = f"(t_in_timesteps - ({TIME_ZERO}))*dt/second"

        def factor(index: str) -> str:
            drifted = f"device_conductance(1.0, 0.0, {index}, 0, {age})"
            return f"{drifted}*device_read_factor({index}, n_spikes)"

        if programmed.conductance.shape[1] == 1:
            weight = f"first_share*({factor('index')}) + second_share"
        else:
            weight = f"first_share*({factor('2*index')}) + second_share*({factor('2*index + 1')})"
        # The conductances have been drawn with their write noise.
        device = dataclasses.replace(programmed.device, sigma_write=0.0)
        return SynapseModel(
            parameters={"index": INTEGER, "first_share": WEIGHT, "second_share": WEIGHT},
            state={"n_spikes": INTEGER, **in_flight_state(sent)},
            pathways={
                "send": transmission(sent.arrive + "{target} += sent"),
                "pre": at_pre(sent.send(weight) + "n_spikes += 1\n"),
            },
            places=sent.places,
            namespace=device_functions(device, programmed.key, projection.brian2_name),
        )

    def derived(self, name: str, projection: Any) -> np.ndarray | None:
        """Return the weight, which follows from the age of the devices."""
        if name != "weight" or not self.changes:
            return None
        age_s = simulator.state.step * simulator.state.dt / 1000.0
        return projection.programmed.weights(age_s)
