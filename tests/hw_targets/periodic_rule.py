"""The periodic plasticity rule in plain Python: one synapse, one spike, one period after another.

Only what a device makes of an event is left to `devices.effects`, which has tests of its own.
"""

import math
from dataclasses import dataclass

import numpy as np

from devices import effects

EPSILON = 1e-6


@dataclass
class Sensor:
    """Amplitudes and time constants of the causal and the acausal half; both in ms and LSB."""

    amplitude: tuple[float, float]
    tau: tuple[float, float]


@dataclass
class Result:
    """What has become of a synapse."""

    permanence: float
    weight: float
    used_weight: float | None
    n_events: int
    n_spikes: int
    n_set: int
    n_reset: int


def correlations(pre, post, begin, end, last, sensor):
    """Sum over nearest neighbours in (begin, end]; `last` keeps times of the latest spikes."""
    sums = [0.0, 0.0]
    found = sorted([(t, 0) for t in pre] + [(t, 1) for t in post])
    counts = [0, 0]
    for time, kind in found:
        if not begin + EPSILON < time <= end + EPSILON:
            continue
        counts[kind] += 1
        other = 1 - kind
        if last[other] is not None:
            # A postsynaptic spike adds to the causal sum, after the latest presynaptic one.
            half = 0 if kind == 1 else 1
            distance = time - last[other]
            sums[half] += sensor.amplitude[half] * math.exp(-distance / sensor.tau[half])
        last[kind] = time
    return sums, counts


def wanted(p, p_max, pre_trace, state, floor, sums, counts, z, tau):
    """The state that the rule wants after a period."""
    causal, acausal = sums
    n_pre, n_post = counts
    most = min(n_pre, n_post)
    change = 0.0
    if causal > math.exp(-p["dt_max"] / tau) and causal + acausal < most * math.exp(
        -p["dt_min"] / tau
    ):
        # As many as would give this correlation in the middle of the window.
        each = math.exp(-(p["dt_min"] + p["dt_max"]) / 2.0 / tau)
        pairs = causal / each if causal / each < most else most
        change += p["lambda_plus"] * (causal if pre_trace else pairs)
        change += p["lambda_h"] * (p["z_target"] - z) * pairs
    change -= p["lambda_minus"] * n_pre
    return min(max(state + change * p_max, floor), p_max)


def simulate(synapse, pre, post, daps, *, tau_h, period, until, key, index, n, permanence,
             sensor=None, integers=False, jumps=()):  # fmt: skip
    """Simulate one synapse.

    `synapse`: the synapse type. `pre`, `post`, `daps`: times of spikes and of dAP onsets in ms.
    `index` of the `n` devices. `integers`: whether sensors and counters are read as 8 bit.
    `jumps`: (time, permanence, with the floor) from outside, at the end of a run.
    """
    device, p = synapse.device, synapse.common_parameters()
    p_max = synapse.p_max
    bounds = effects.sample_bounds(device, p["w_max"], n, key)
    low, high = bounds.w_min[index], bounds.w_max[index]
    tau = min(max(p["tau_plus"], 2.0), 30.0)
    sensor = sensor or Sensor((1.0, 1.0), (tau, tau))
    unit = 2.0 if integers else 1.0
    state = floor = permanence
    n_events = n_spikes = n_set = n_reset = n_reads = 0
    written, z, used = 0.0, 0.0, None
    last = [None, None]
    jumps = list(jumps)

    def event(function, *arguments):
        result = function(*arguments)
        return float(result.state[0]), int(result.programmed[0]), int(result.n_writes[0])

    def one(value):
        return np.array([value])

    def weight(now):
        if synapse.binary:
            nominal = high if state > p["theta_p"] else low
        else:
            nominal = low + (high - low) * state / p_max
        age = (now - written) / 1000.0
        return float(effects.conductance(
            device, one(nominal), one(high - low), one(n_events), key, one(index), one(age)
        )[0])  # fmt: skip

    number = 0
    while True:
        number += 1
        end = number * period
        while jumps and jumps[0][0] < min(end, until + 2 * EPSILON) - EPSILON:
            _, state, with_floor = jumps.pop(0)
            floor = state if with_floor else floor
            used = None
        if end > until + EPSILON:
            break
        # An event at time 0 is of the first period.
        begin = end - period - (2 * EPSILON if number == 1 else 0.0)
        sums, counts = correlations(pre, post, begin, end, last, sensor)
        n_dap = sum(begin + EPSILON < t <= end + EPSILON for t in daps)
        if integers:
            sums = [min(max(round(value), 0), 255) / unit for value in sums]
            counts = [min(count, 255) for count in counts]
            n_dap = min(n_dap, 255)
        # Evenly spread over the period, each onset decays from then on.
        z = z * math.exp(-period / tau_h)
        z += n_dap * tau_h / period * (1.0 - math.exp(-period / tau_h))
        # Half a dAP more at a spike that one has predicted.
        at_spikes = z + 0.5 * (min(n_dap / counts[1], 1.0) if counts[1] else min(n_dap, 1))
        goal = wanted(p, p_max, synapse.pre_trace, state, floor, sums, counts, at_spikes, tau)
        up = goal > state
        state, programmed, writes = event(
            effects.program, device, one(state), one(goal), one(floor), p_max, one(n_events), key,
            one(index), one(n_set + n_reset),
        )  # fmt: skip
        n_events += programmed
        if up:
            n_set += writes
        else:
            n_reset += writes
        if writes:
            written = end
        n_spikes += counts[0]
        if device.c2c_event == "pre_spike":
            for _ in range(counts[0]):
                state, programmed, _ = event(
                    effects.perturb, device, one(state), one(floor), p_max, one(n_events), key,
                    one(index), one(n_set + n_reset),
                )  # fmt: skip
                n_events += programmed
        factor = effects.read_factor(device, n_reads, key, one(index))
        n_reads += 1
        used = weight(end) * float(factor[0])
    return Result(state, weight(until), used, n_events, n_spikes, n_set, n_reset)
