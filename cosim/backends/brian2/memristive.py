"""Memristive plasticity in Brian2: the rule and the device of ``docs/model_definition.md``."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pyNN.brian2 import simulator
from pyNN.standardmodels import build_translations

from cosim.backends import standardmodels
from devices import Memristor, effects, noise
from devices.noise import Stream

from .in_flight import InFlight, places_needed
from .noise import FUNCTIONS
from .synapses import (
    INTEGER,
    MILLISECONDS,
    NUMBER,
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

# ---- the device --------------------------------------------------------------------------------


def _noise(kind: str, event: str, stream: Stream) -> str:
    return f"device_{kind}(key_0, key_1, device, {event}, {int(stream)})"


def _program(device: Memristor, *, noisy: bool) -> str:
    """Return the code of one programming event: it turns ``wanted`` into what comes out."""
    code = ""
    if noisy:
        code += f"wanted += sigma_c2c*p_max*{_noise('normal', 'n_events', Stream.WRITE)}\n"
    code += "wanted = clip(wanted, permanence_min, p_max)\n"
    if device.n_levels is not None:
        code += (
            f"wanted = p_max*(floor(wanted/(p_max/n_steps) + "
            f"{_noise('uniform', 'n_events', Stream.LEVEL)})/n_steps)\n"
            "wanted = clip(wanted, permanence_min, p_max)\n"
        )
    return code


def _update(device: Memristor, condition: str) -> str:
    """Return the code that moves the state to ``wanted`` where that is a change."""
    noisy = device.sigma_c2c > 0 and device.c2c_event == "write"
    return (
        f"changes = {condition}\n"
        + _program(device, noisy=noisy)
        + "permanence = int(changes)*wanted + int(not changes)*permanence\n"
        "n_events += int(changes)\n"
    )


def _perturb(device: Memristor) -> str:
    if device.sigma_c2c == 0 or device.c2c_event != "pre_spike":
        return ""
    return (
        "wanted = permanence\n"
        + _program(device, noisy=True)
        + "permanence = wanted\nn_events += 1\n"
    )


# ---- the rule ----------------------------------------------------------------------------------


def _at_post_spike(device: Memristor, *, pre_trace: bool, z: str) -> str:
    increment = "lambda_plus*p_max"
    if pre_trace:
        increment = "lambda_plus*(trace*exp(-(interval*dt)/tau_plus))*p_max"
    return (
        "interval = t_in_timesteps - last_spike\n"
        "pairs = n_spikes > 0 and interval >= first_step and interval <= last_step\n"
        f"wanted = clip(permanence + {increment}, permanence_min, p_max)\n"
        f"wanted = clip(wanted + lambda_h*(z_target - {z})*p_max, permanence_min, p_max)\n"
        + _update(device, "pairs and wanted != permanence")
    )


def _at_pre_spike(device: Memristor, *, binary: bool, pre_trace: bool, sent: InFlight) -> str:
    if binary:
        mature = "int(permanence > theta_p)"
        weight = f"w_max*{mature} + w_min*(1 - {mature})"
    else:
        weight = "w_min + (w_max - w_min)*(permanence/p_max)"
    code = (
        "wanted = clip(permanence - lambda_minus*p_max, permanence_min, p_max)\n"
        + _update(device, "wanted != permanence")
        + _perturb(device)
        + f"conductance = {weight}\n"
    )
    if device.sigma_read:
        factor = f"1 + sigma_read*{_noise('normal', 'n_spikes', Stream.READ)}"
        code += f"conductance *= clip({factor}, 0, inf)\n"
    code += sent.send("conductance")
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
        key = noise.noise_key(projection.seed, projection.stream_label)
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
            "key_0": float(key[0]),
            "key_1": float(key[1]),
            "sigma_c2c": device.sigma_c2c,
            "sigma_read": device.sigma_read,
            "n_steps": (device.n_levels or 1) - 1.0,
        }
        if device.sigma_d2d_g_max or device.sigma_d2d_g_min or device.stuck_on or device.stuck_off:
            projection.bounds = bounds = effects.sample_bounds(device, w_max * 1000.0, n, key)
            values |= {"w_max": bounds.w_max / 1000.0, "w_min": bounds.w_min / 1000.0}
        return values

    def brian2_model(self, projection: Any) -> SynapseModel:
        """Return Brian2's equations and code."""
        device, binary, pre_trace = self.device, self.binary, self.pre_trace
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
            "sigma_c2c": NUMBER if device.sigma_c2c else None,
            "sigma_read": NUMBER if device.sigma_read else None,
            "n_steps": NUMBER if device.n_levels is not None else None,
        }
        if device.sigma_c2c or device.sigma_read or device.n_levels is not None:
            used |= {"device": INTEGER, "key_0": NUMBER, "key_1": NUMBER}
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
            namespace=FUNCTIONS,
        )

    def derived(self, name: str, read: Callable[[str], np.ndarray]) -> np.ndarray | None:
        """Return the weight, which follows from the state of the device."""
        if name != "weight":
            return None
        permanence, w_min, w_max = read("permanence"), read("w_min"), read("w_max")
        if self.binary:
            return np.where(permanence > read("theta_p"), w_max, w_min)
        return w_min + (w_max - w_min) * (permanence / self.p_max)


class MemristiveSTDP(_Memristive, standardmodels.MemristiveSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveSTDP.__doc__


class MemristiveStructuralSTDP(_Memristive, standardmodels.MemristiveStructuralSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveStructuralSTDP.__doc__
