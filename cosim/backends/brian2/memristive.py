"""Memristive plasticity in Brian2: the rule and the device of ``docs/model_definition.md``."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from pyNN.brian2 import simulator
from pyNN.standardmodels import build_translations

from cosim.backends import standardmodels
from devices import effects

from .device import device_functions
from .device_code import DeviceCode
from .in_flight import InFlight, places_needed
from .synapses import (
    INTEGER,
    MILLISECONDS,
    NUMBER,
    TIME_ZERO,
    WEIGHT,
    Pathway,
    SynapseModel,
    SynapseTypeMixin,
    at_post,
    at_pre,
    transmission,
)

# A time that differs from the limits of the potentiation window by less, in steps, equals them.
_ROUNDING = 1e-6

# ---- the rule ----------------------------------------------------------------------------------


def _at_post_spike(device: DeviceCode, *, pre_trace: bool, z: str) -> str:
    increment = "lambda_plus*p_max"
    if pre_trace:
        increment = "lambda_plus*(trace*exp(-(interval*dt)/tau_plus))*p_max"
    return (
        "interval = t_in_timesteps - last_spike\n"
        "pairs = n_spikes > 0 and interval >= first_step and interval <= last_step\n"
        f"wanted = clip(permanence + {increment}, permanence_min, p_max)\n"
        f"wanted = clip(wanted + lambda_h*(z_target - {z})*p_max, permanence_min, p_max)\n"
        + device.program("pairs")
    )


def _at_pre_spike(device: DeviceCode, *, binary: bool, pre_trace: bool, sent: InFlight) -> str:
    if binary:
        mature = "int(permanence > theta_p)"
        weight = f"w_max*{mature} + w_min*(1 - {mature})"
    else:
        weight = "w_min + (w_max - w_min)*(permanence/p_max)"
    code = (
        "wanted = clip(permanence - lambda_minus*p_max, permanence_min, p_max)\n"
        + device.program()
        + device.perturb()
        + f"conductance = {weight}\n"
        + device.read()
        + sent.send("conductance")
    )
    if pre_trace:
        code += "trace = 1 + trace*exp(-((t_in_timesteps - last_spike)*dt)/tau_plus)\n"
    return code + "last_spike = t_in_timesteps\nn_spikes += 1\n"


class _Memristive(SynapseTypeMixin, standardmodels.MemristivePlasticity):
    translations = build_translations(
        *[
            (name, name)
            for name in (
                "weight",
                "delay",
                "permanence",
                "permanence_min",
                "device",
                "n_events",
                "n_spikes",
                "n_set",
                "n_reset",
                "w_max",
                "theta_p",
                "p_max",
                "lambda_plus",
                "lambda_minus",
                "lambda_h",
                "z_target",
                "tau_plus",
                "dt_min",
                "dt_max",
            )
        ]
    )

    def brian2_values(self, projection: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters and initial state of all synapses, in PyNN units."""
        device, n = self.device, len(projection)
        permanence = projection._checked_permanence(parameters["permanence"], 0.0)
        common = self.common_parameters()
        w_max = common.pop("w_max")
        dt = simulator.state.dt
        values = {
            **common,
            "p_max": self.p_max,
            "delay": parameters["delay"],
            "permanence": permanence,
            "permanence_min": permanence,
            "device": np.arange(n),
            "w_max": w_max,
            "w_min": w_max / device.on_off_ratio,
            "first_step": math.floor(common["dt_min"] / dt + _ROUNDING) + 1,
            "last_step": math.ceil(common["dt_max"] / dt - _ROUNDING) - 1,
            "last_write": TIME_ZERO,
        }
        if effects.spreads_bounds(device):
            projection.bounds = bounds = effects.sample_bounds(
                device, w_max * 1000.0, n, projection.noise_key
            )
            values |= {"w_max": bounds.w_max / 1000.0, "w_min": bounds.w_min / 1000.0}
        return values

    def brian2_model(self, projection: Any) -> SynapseModel:
        """Return Brian2's equations and code."""
        device = DeviceCode(self.device, counts_writes=self.counts_writes)
        binary, pre_trace = self.binary, self.pre_trace
        dt = simulator.state.dt
        longest = float(np.max(projection.delay_steps)) * dt
        sent = InFlight("w_sent", places_needed(projection, projection.pre, longest))
        used = {
            "p_max": NUMBER,
            "lambda_plus": NUMBER,
            "lambda_minus": NUMBER,
            "lambda_h": NUMBER,
            "z_target": NUMBER,
            "w_max": WEIGHT,
            "w_min": WEIGHT,
            "first_step": INTEGER,
            "last_step": INTEGER,
            "theta_p": NUMBER if binary else None,
            "tau_plus": MILLISECONDS if pre_trace else None,
            "device": INTEGER if device.functions_used else None,
        }
        state = {
            "permanence": NUMBER,
            "permanence_min": NUMBER,
            "last_spike": INTEGER,
            "n_events": INTEGER,
            "n_spikes": INTEGER,
            **dict.fromkeys(sent.values, WEIGHT),
            **dict.fromkeys(sent.counters, INTEGER),
        }
        if pre_trace:
            state["trace"] = NUMBER
        if device.counts_writes:
            state |= {"n_set": INTEGER, "n_reset": INTEGER}
        if device.drifts:
            state["last_write"] = INTEGER
        pathways = {
            "send": transmission(sent.arrive + "{target} += w_sent"),
            "pre": at_pre(
                _at_pre_spike(device, binary=binary, pre_trace=pre_trace, sent=sent),
            ),
        }
        # The trace of dendritic action potentials is that at the postsynaptic spike. The neuron
        # keeps it until its next spike, the synapse for longer delays.
        places = places_needed(projection, projection.post, longest + dt)
        # Not "z_spike": in Brian2's synapses this would be the neuron's variable.
        z = InFlight("z_then", places)
        if places == 1:
            pathways["post"] = at_post(
                _at_post_spike(device, pre_trace=pre_trace, z="z_spike_post")
            )
        else:
            state |= dict.fromkeys(z.values, NUMBER) | dict.fromkeys(z.counters, INTEGER)
            pathways["post"] = at_post(
                z.arrive + _at_post_spike(device, pre_trace=pre_trace, z="z_then")
            )
            pathways["note"] = Pathway(
                z.send("z_spike_post"), side="post", slot="end", order=1, delay="none"
            )
        return SynapseModel(
            parameters={name: variable for name, variable in used.items() if variable},
            state=state,
            pathways=pathways,
            places=sent.places,
            post_places=z.places,
            namespace=device_functions(self.device, projection.noise_key, projection.brian2_name),
        )

    def derived(self, name: str, projection: Any) -> np.ndarray | None:
        """Return the weight, which follows from the state of the device."""
        if name != "weight":
            return None
        read = projection.read_all
        permanence, w_min, w_max = read("permanence"), read("w_min"), read("w_max")
        if self.binary:
            w = np.where(permanence > read("theta_p"), w_max, w_min)
        else:
            w = w_min + (w_max - w_min) * (permanence / self.p_max)
        n_events, last_write = (read(name).astype(np.int64) for name in ("n_events", "last_write"))
        age_s = (simulator.state.step + TIME_ZERO - last_write) * simulator.state.dt / 1000.0
        return effects.conductance(
            self.device, w, w_max - w_min, n_events, projection.noise_key, np.arange(w.size),
            age_s,
        )  # fmt: skip


class MemristiveSTDP(_Memristive, standardmodels.MemristiveSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveSTDP.__doc__


class MemristiveStructuralSTDP(_Memristive, standardmodels.MemristiveStructuralSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveStructuralSTDP.__doc__
