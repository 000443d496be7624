"""The engine's inner loop, compiled with numba for one thread.

Time is counted in cycles of 4 ns. A step ends at the next of: the grid of time steps, an external
event, a spike, the end of a reset or of a hold-off. So within a step nothing jumps, and every
length of a step is a whole number of cycles, for which the propagators are at hand.

All is in one file because numba's cache of compiled code notices changes of this file only.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Rows of a state: the potential, synaptic currents, the adaptation current.
V, I_EXC, I_INH, W = range(4)
N_STATE = 4

# Rows of a propagator, see `propagators`.
LEAK, UNIT, EXC, EXC_V, INH, INH_V, RESET, ADAPT = range(8)

# Rows of the parameters: saturations and ranges as inverses, 0 where an effect is off.
(
    LEAK_POTENTIAL, LEAK_CURRENT_MAX, LEAK_INVERSE, CURRENT, EXC_MAX, EXC_INVERSE, INH_MAX,
    INH_INVERSE, RESET_POTENTIAL, ADAPTATION_A, ADAPTATION_B, ADAPTATION_POTENTIAL,
    COBA_REFERENCE_EXC, COBA_REFERENCE_INH, COBA_EXC, COBA_INH, EXP_SLOPE, EXP_THRESHOLD, EXP_RATE,
    THRESHOLD, THRESHOLD_NOISE, KICK, LOWEST, HIGHEST,
) = range(24)  # fmt: skip
N_PARAMETERS = 24

# Rows of what a step hands from pass to pass: the potential after exchange and exponential current,
# and currents of conductances and adaptation, with their slope over the potential.
_START, _EXTRA, _EXTRA_SLOPE = range(3)
_N_WORK = 3

EXP_LIMIT = 8.0
"""The exponential current grows up to exp_threshold + EXP_LIMIT exp_slope."""
CYCLE_US = 0.004
CYCLES_PER_TICK = 2
"""A tick of the time grid of spikes, 8 ns."""
_NEVER = 2**62

_MEMBRANE_STREAM, _THRESHOLD_STREAM = 0, 1

# Division as in numpy: by zero without an exception, which would keep loops from vectorising.
# Sums are not reordered: results depend on nothing but the machine.
_entry = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
_inner = njit(error_model="numpy", fastmath={"contract"})


class Network(NamedTuple):
    """What stays the same during an advance.

    `cycles` is the length of a time step; `propagators` has the shape (cycles + 1, 8, n),
    `parameters` (24, n), `reset_cycles` and `holdoff_cycles` (n,). Source s reaches the entries
    `first[s]` ... `first[s + 1]` of `target`, an index into a flat state, and `charge`.
    Compartments: circuits with conductances between them are the members `member_first[c]` ... of
    component c, `exchange[exchange_first[c] + (k m + i) m + j]` propagates them over k half cycles.
    """

    n_external: int
    cycles: int
    propagators: FloatArray
    parameters: FloatArray
    reset_cycles: IntArray
    holdoff_cycles: IntArray
    with_coba: bool
    with_adaptation: bool
    with_noise: bool
    exponential: IntArray
    first: IntArray
    target: IntArray
    charge: FloatArray
    component: IntArray
    member_first: IntArray
    member: IntArray
    exchange_first: IntArray
    exchange: FloatArray
    key0: int
    key1: int


class Memory(NamedTuple):
    """What changes: state (4, n), and per circuit (n,) the rest.

    `threshold` is infinite while a circuit can't spike, `level` what it is otherwise; `held` is 1
    during the reset, which lasts until `reset_end`; until `silent_end` lasts the hold-off, and the
    circuit `waits`.
    """

    y: FloatArray
    threshold: FloatArray
    level: FloatArray
    held: FloatArray
    waits: npt.NDArray[np.bool_]
    reset_end: IntArray
    silent_end: IntArray
    n_spikes: IntArray


class Sampling(NamedTuple):
    """When to note what.

    At `time[i]` the entries `first[i]` ... `first[i + 1]` of `entry`, indices into a flat state,
    are noted. Consecutive in `value`.
    """

    time: IntArray
    first: IntArray
    entry: IntArray
    value: FloatArray


@_entry
def advance(
    net: Network,
    memory: Memory,
    now: int,
    until: int,
    event_time: IntArray,
    event_source: IntArray,
    next_event: int,
    sampling: Sampling,
    next_sample: int,
    spike_time: IntArray,
    spike_circuit: IntArray,
) -> tuple[int, int, int, int]:
    """Integrate to a time, or until there is no more room for spikes.

    Parameters
    ----------
    net : Network
        Circuits and synapses.
    memory : Memory
        Changed in place.
    now, until : int
        Cycles.
    event_time, event_source : ndarray of int64
        External events in the order of their times, which are cycles.
    next_event, next_sample : int
        First event and sample that are still to come.
    sampling : Sampling
        Its values are written.
    spike_time, spike_circuit : ndarray of int64
        Room for spikes, at least as much as circuits.

    Returns
    -------
    now, n_spikes, next_event, next_sample : int
        The time reached, the spikes written, and what is still to come then.
    """
    n = memory.held.size
    a, b = memory.y.copy(), memory.y.copy()
    scratch, work = memory.y.copy(), np.zeros((_N_WORK, n))
    held, threshold = memory.held, memory.threshold
    n_spikes = 0
    waiting = np.empty(n, dtype=np.int64)
    release, n_waiting = _release(memory, now, waiting, _list_waiting(memory, waiting))
    while next_sample < sampling.time.size and sampling.time[next_sample] <= now:
        next_sample = _note(sampling, next_sample, a)
    while True:
        while next_event < event_time.size and event_time[next_event] <= now:
            _deliver(net, event_source[next_event], a)
            next_event += 1
        if release <= now:
            release, n_waiting = _release(memory, now, waiting, n_waiting)
        if now >= until or n_spikes + n > spike_time.size:
            break
        if net.with_noise and now % net.cycles == 0:
            _kick(net, now // net.cycles, held, a[V])
        end = min((now // net.cycles + 1) * net.cycles, until, release)
        if next_event < event_time.size:
            end = min(end, event_time[next_event])
        n_crossed = _step(net, end - now, a, b, held, threshold, work, 0, n)
        spiking = -1
        if n_crossed > 0:
            spiking, crossing = _first_crossing(net, now, end, memory, a, b, scratch, work)
            if spiking >= 0 and crossing < end:
                end = crossing
                _step(net, end - now, a, b, held, threshold, work, 0, n)
        while next_sample < sampling.time.size and sampling.time[next_sample] < end:
            k = sampling.time[next_sample] - now
            _step_to_sample(net, k, sampling, next_sample, a, scratch, held, threshold, work)
            next_sample = _note(sampling, next_sample, scratch)
        while next_sample < sampling.time.size and sampling.time[next_sample] == end:
            next_sample = _note(sampling, next_sample, b)
        a, b = b, a
        now = end
        if spiking >= 0:
            a[V, spiking] = max(a[V, spiking], threshold[spiking])
            n_before = n_spikes
            for i in range(n):
                if a[V, i] >= threshold[i]:
                    spike_time[n_spikes] = now
                    spike_circuit[n_spikes] = i
                    n_spikes += 1
                    _spike(net, memory, i, now, a)
                    waiting[n_waiting] = i
                    n_waiting += 1
                    release = min(release, memory.reset_end[i])
            for j in range(n_before, n_spikes):
                _deliver(net, net.n_external + spike_circuit[j], a)
    memory.y[:] = a
    return now, n_spikes, next_event, next_sample


@_entry
def set_thresholds(net: Network, memory: Memory) -> None:
    """Set the thresholds to what they are after the spikes so far.

    Parameters
    ----------
    net : Network
        Circuits.
    memory : Memory
        Its levels and thresholds are set.
    """
    for i in range(memory.held.size):
        memory.level[i] = _threshold(net, i, memory.n_spikes[i])
        memory.threshold[i] = math.inf if memory.waits[i] else memory.level[i]


# Events ------------------------------------------------------------------------------------------


@_inner
def _deliver(net: Network, source: int, y: FloatArray) -> None:
    """Let an event reach the synapses of its source."""
    flat = y.reshape(y.size)
    for j in range(net.first[source], net.first[source + 1]):
        flat[net.target[j]] += net.charge[j]


@_inner
def _spike(net: Network, memory: Memory, i: int, now: int, y: FloatArray) -> None:
    """Begin the reset of a circuit."""
    p = net.parameters
    # A propagator of 0 over a cycle: a jump.
    if net.propagators[1, RESET, i] == 0.0:
        y[V, i] = p[RESET_POTENTIAL, i]
    y[W, i] += p[ADAPTATION_B, i]
    memory.held[i] = 1.0
    memory.waits[i] = True
    memory.reset_end[i] = now + net.reset_cycles[i]
    memory.silent_end[i] = memory.reset_end[i] + net.holdoff_cycles[i]
    memory.n_spikes[i] += 1
    memory.level[i] = _threshold(net, i, memory.n_spikes[i])
    memory.threshold[i] = math.inf


@_inner
def _list_waiting(memory: Memory, waiting: IntArray) -> int:
    """List the circuits in reset or hold-off; return their number."""
    n_waiting = 0
    for i in range(memory.held.size):
        if memory.waits[i]:
            waiting[n_waiting] = i
            n_waiting += 1
    return n_waiting


@_inner
def _release(memory: Memory, now: int, waiting: IntArray, n_waiting: int) -> tuple[int, int]:
    """End resets and hold-offs whose time has come; return the next such time and how many wait."""
    release = _NEVER
    n_left = 0
    for j in range(n_waiting):
        i = waiting[j]
        if memory.reset_end[i] <= now:
            memory.held[i] = 0.0
        else:
            release = min(release, memory.reset_end[i])
        if memory.silent_end[i] <= now:
            memory.waits[i] = False
            memory.threshold[i] = memory.level[i]
        else:
            release = min(release, memory.silent_end[i])
            waiting[n_left] = i
            n_left += 1
    return release, n_left


@_inner
def _first_crossing(
    net: Network,
    now: int,
    end: int,
    memory: Memory,
    a: FloatArray,
    b: FloatArray,
    scratch: FloatArray,
    work: FloatArray,
) -> tuple[int, int]:
    """Find the circuit that is first at its threshold, and the first tick when it is.

    Of the circuits at their threshold at `end` only; -1 if none is at the last tick before.
    """
    first_tick = now + CYCLES_PER_TICK - now % CYCLES_PER_TICK
    crossing = end - end % CYCLES_PER_TICK
    spiking = -1
    if crossing < first_tick:
        return spiking, crossing
    for i in range(memory.held.size):
        if b[V, i] < memory.threshold[i]:
            continue
        if crossing < end or spiking >= 0:
            latest = crossing - (CYCLES_PER_TICK if spiking >= 0 else 0)
            if latest < first_tick or not _crossed(net, latest - now, memory, a, scratch, work, i):
                continue
            crossing = latest
        spiking = i
        # Below the threshold at `low`, at or above it at `crossing`; walk from a linear estimate.
        low = first_tick - CYCLES_PER_TICK
        fraction = (memory.threshold[i] - a[V, i]) / (b[V, i] - a[V, i])
        middle = now + int(min(max(fraction, 0.0), 1.0) * (end - now)) + 1
        middle -= middle % CYCLES_PER_TICK
        while crossing - low > CYCLES_PER_TICK:
            middle = min(max(middle, low + CYCLES_PER_TICK), crossing - CYCLES_PER_TICK)
            if _crossed(net, middle - now, memory, a, scratch, work, i):
                crossing = middle
                middle -= CYCLES_PER_TICK
            else:
                low = middle
                middle += CYCLES_PER_TICK
    return spiking, crossing


@_inner
def _crossed(
    net: Network,
    k: int,
    memory: Memory,
    a: FloatArray,
    scratch: FloatArray,
    work: FloatArray,
    i: int,
) -> bool:
    """Tell whether a circuit is at its threshold after a step of k cycles."""
    _step_one(net, k, a, scratch, memory.held, memory.threshold, work, i)
    return scratch[V, i] >= memory.threshold[i]


# Samples -----------------------------------------------------------------------------------------


@_inner
def _step_to_sample(
    net: Network,
    k: int,
    sampling: Sampling,
    i: int,
    a: FloatArray,
    b: FloatArray,
    held: FloatArray,
    threshold: FloatArray,
    work: FloatArray,
) -> None:
    """Make a step of what a sample notes."""
    n = held.size
    first, last = sampling.first[i], sampling.first[i + 1]
    # Many circuits at once are faster.
    if last - first > 8:
        _step(net, k, a, b, held, threshold, work, 0, n)
    else:
        for j in range(first, last):
            _step_one(net, k, a, b, held, threshold, work, sampling.entry[j] % n)


@_inner
def _note(sampling: Sampling, i: int, y: FloatArray) -> int:
    flat = y.reshape(y.size)
    for j in range(sampling.first[i], sampling.first[i + 1]):
        sampling.value[j] = flat[sampling.entry[j]]
    return i + 1


# One step ----------------------------------------------------------------------------------------


@_inner
def _step_one(
    net: Network,
    k: int,
    a: FloatArray,
    b: FloatArray,
    held: FloatArray,
    threshold: FloatArray,
    work: FloatArray,
    i: int,
) -> None:
    """Make a step of one circuit, with the compartments connected to it."""
    low, high = i, i + 1
    component = net.component[i]
    if component >= 0:
        first, last = net.member_first[component], net.member_first[component + 1]
        low, high = net.member[first], net.member[last - 1] + 1
    _step(net, k, a, b, held, threshold, work, low, high)


@_inner
def _step(
    net: Network,
    k: int,
    a: FloatArray,
    b: FloatArray,
    held: FloatArray,
    threshold: FloatArray,
    work: FloatArray,
    low: int,
    high: int,
) -> int:
    """Make a step of k cycles from state a to b, of the circuits `low` ... `high` - 1.

    Leak and synaptic currents, as far as they are linear, are exact. The rest, R(V, t), enters in
    second order: by its value at the begin, with mean synaptic currents, and its slope. Exchange
    between compartments and exponential currents have half steps before and after, each exact.

    Returns
    -------
    int
        Number of circuits at or above their thresholds.
    """
    propagator, p = net.propagators[k], net.parameters
    coupled = net.member.size > 0
    start = a[V]
    if coupled or net.exponential.size:
        start = work[_START]
        for i in range(np.uintp(low), np.uintp(high)):
            start[i] = a[V, i]
        _exchange(net, k, start, low, high)
        _exponential(net, k, start, held, low, high)
    if net.with_coba:
        _conductances(propagator, p, start, a, work, low, high)
    if net.with_adaptation:
        for i in range(np.uintp(low), np.uintp(high)):
            conductance = work[_EXTRA, i] if net.with_coba else 0.0
            work[_EXTRA, i] = conductance - a[W, i]
    n_crossed = _integrate(propagator, p, start, a, b, work, held, threshold, low, high)
    if net.with_adaptation:
        _adaptation(propagator, p, start, a, b, held, low, high)
    if coupled or net.exponential.size:
        _exponential(net, k, b[V], held, low, high)
        _exchange(net, k, b[V], low, high)
        _clamp(net, b[V], held, low, high)
    if coupled or net.exponential.size or net.with_adaptation:
        n_crossed = 0
        for i in range(np.uintp(low), np.uintp(high)):
            n_crossed += b[V, i] >= threshold[i]
    return n_crossed


@_inner
def _integrate(
    propagator: FloatArray,
    p: FloatArray,
    start: FloatArray,
    a: FloatArray,
    b: FloatArray,
    work: FloatArray,
    held: FloatArray,
    threshold: FloatArray,
    low: int,
    high: int,
) -> int:
    """Leak, synaptic currents and reset; return the number of circuits at their thresholds.

    First what is linear, with prediction and correction for what saturation takes from it.
    """
    decay, unit, exc, exc_v, inh, inh_v, reset = (
        propagator[LEAK], propagator[UNIT], propagator[EXC], propagator[EXC_V], propagator[INH],
        propagator[INH_V], propagator[RESET],
    )  # fmt: skip
    exc_max, exc_inverse, inh_max, inh_inverse = (
        p[EXC_MAX], p[EXC_INVERSE], p[INH_MAX], p[INH_INVERSE],
    )  # fmt: skip
    potential, leak_max, leak_inverse, current, reset_potential = (
        p[LEAK_POTENTIAL], p[LEAK_CURRENT_MAX], p[LEAK_INVERSE], p[CURRENT], p[RESET_POTENTIAL],
    )  # fmt: skip
    a_exc, a_inh, b_exc, b_inh, b_v = a[I_EXC], a[I_INH], b[I_EXC], b[I_INH], b[V]
    extra, extra_slope = work[_EXTRA], work[_EXTRA_SLOPE]
    lowest, highest = p[LOWEST], p[HIGHEST]
    n_crossed = 0
    for i in range(np.uintp(low), np.uintp(high)):
        b_exc[i] = a_exc[i] * exc[i]
        b_inh[i] = a_inh[i] * inh[i]
        distance = potential[i] - start[i]
        x_exc = 0.5 * (a_exc[i] + b_exc[i]) * exc_inverse[i]
        x_inh = 0.5 * (a_inh[i] + b_inh[i]) * inh_inverse[i]
        x_leak = distance * leak_inverse[i]
        p_exc, q_exc = _tanh(x_exc)
        p_inh, q_inh = _tanh(x_inh)
        p_leak, q_leak = _tanh(x_leak)
        # One division for three quotients.
        inverse = 1.0 / (q_exc * q_inh * q_leak)
        t_leak = p_leak * (q_exc * q_inh * inverse)
        less_exc = exc_max[i] * (p_exc * (q_inh * q_leak * inverse) - x_exc)
        less_inh = inh_max[i] * (p_inh * (q_exc * q_leak * inverse) - x_inh)
        less_leak = leak_max[i] * (t_leak - x_leak)
        slope = leak_max[i] * leak_inverse[i] * (t_leak * t_leak) + extra_slope[i]
        linear = potential[i] - distance * decay[i] + current[i] * unit[i]
        linear += exc_v[i] * a_exc[i] - inh_v[i] * a_inh[i]
        predicted = linear + unit[i] * (less_leak + (less_exc - less_inh) + extra[i])
        corrected = predicted + 0.5 * unit[i] * slope * (predicted - start[i])
        resetting = reset_potential[i] + (start[i] - reset_potential[i]) * reset[i]
        b_v[i] = min(max(resetting if held[i] > 0.0 else corrected, lowest[i]), highest[i])
        n_crossed += b_v[i] >= threshold[i]
    return n_crossed


@_inner
def _conductances(
    propagator: FloatArray,
    p: FloatArray,
    start: FloatArray,
    a: FloatArray,
    work: FloatArray,
    low: int,
    high: int,
) -> None:
    """Compute what conductance-based inputs add: their mean currents times c(V) - 1."""
    for i in range(np.uintp(low), np.uintp(high)):
        mean_exc = 0.5 * a[I_EXC, i] * (1.0 + propagator[EXC, i])
        mean_inh = 0.5 * a[I_INH, i] * (1.0 + propagator[INH, i])
        x_exc, x_inh = mean_exc * p[EXC_INVERSE, i], mean_inh * p[INH_INVERSE, i]
        p_exc, q_exc = _tanh(x_exc)
        p_inh, q_inh = _tanh(x_inh)
        mean_exc += p[EXC_MAX, i] * (p_exc / q_exc - x_exc)
        mean_inh += p[INH_MAX, i] * (p_inh / q_inh - x_inh)
        g_exc, g_inh = mean_exc * p[COBA_EXC, i], mean_inh * p[COBA_INH, i]
        work[_EXTRA, i] = g_exc * (p[COBA_REFERENCE_EXC, i] - start[i]) - g_inh * (
            p[COBA_REFERENCE_INH, i] - start[i]
        )
        work[_EXTRA_SLOPE, i] = g_inh - g_exc


@_inner
def _adaptation(
    propagator: FloatArray,
    p: FloatArray,
    start: FloatArray,
    a: FloatArray,
    b: FloatArray,
    held: FloatArray,
    low: int,
    high: int,
) -> None:
    """Adaptation at the end, and what its change takes from the potential."""
    for i in range(np.uintp(low), np.uintp(high)):
        middle = 0.5 * (start[i] + b[V, i])
        goal = p[ADAPTATION_A, i] * (middle - p[ADAPTATION_POTENTIAL, i])
        b[W, i] = goal + (a[W, i] - goal) * propagator[ADAPT, i]
        change = 0.5 * propagator[UNIT, i] * (b[W, i] - a[W, i])
        b[V, i] -= 0.0 if held[i] > 0.0 else change


@_inner
def _exponential(
    net: Network, k: int, v: FloatArray, held: FloatArray, low: int, high: int
) -> None:
    """Exact half step of the exponential currents alone.

    With u = (V - exp_threshold) / exp_slope, exp(-u) falls at exp_rate. Beyond EXP_LIMIT the
    current is constant.
    """
    p = net.parameters
    largest = math.exp(EXP_LIMIT)
    for i in net.exponential:
        if i < low or i >= high or held[i] > 0.0:
            continue
        # k half cycles, in us.
        growth = p[EXP_RATE, i] * k * (0.5 * CYCLE_US)
        u = (v[i] - p[EXP_THRESHOLD, i]) / p[EXP_SLOPE, i]
        if u < -40.0:
            # Less than rounding.
            continue
        current = math.exp(min(u, EXP_LIMIT))
        x = growth * current
        if u >= EXP_LIMIT:
            change = x
        elif x + current / largest >= 1.0:
            change = EXP_LIMIT - u + 1.0 - largest * (1.0 / current - growth)
        elif x < 1e-4:
            # -log(1 - x) to 1 part in 10^13.
            change = x * (1.0 + x * (0.5 + x / 3.0))
        else:
            change = -math.log1p(-x)
        v[i] += p[EXP_SLOPE, i] * change


@_inner
def _exchange(net: Network, k: int, v: FloatArray, low: int, high: int) -> None:
    """Exact half step of the currents between compartments alone, of whole components."""
    for c in range(net.member_first.size - 1):
        first, last = net.member_first[c], net.member_first[c + 1]
        if net.member[first] < low or net.member[last - 1] >= high:
            continue
        m = last - first
        base = net.exchange_first[c] + k * m * m
        if m == 2:
            # The most frequent case, without an array, which takes time to make.
            i, j = net.member[first], net.member[first + 1]
            difference = v[j] - v[i]
            v[i] += net.exchange[base + 1] * difference
            v[j] -= net.exchange[base + 2] * difference
            continue
        old = np.empty(m)
        for i in range(m):
            old[i] = v[net.member[first + i]]
        for i in range(m):
            # From differences, so that equal potentials stay equal to the last bit.
            change = 0.0
            for j in range(m):
                change += net.exchange[base + i * m + j] * (old[j] - old[i])
            v[net.member[first + i]] = old[i] + change


@_inner
def _clamp(net: Network, v: FloatArray, held: FloatArray, low: int, high: int) -> None:
    """Keep circuits in their range, and those that are reset at once where they are."""
    p = net.parameters
    for i in range(np.uintp(low), np.uintp(high)):
        v[i] = min(max(v[i], p[LOWEST, i]), p[HIGHEST, i])
        if held[i] > 0.0 and net.propagators[1, RESET, i] == 0.0:
            v[i] = net.parameters[RESET_POTENTIAL, i]


@_inner
def _tanh(x: float) -> tuple[float, float]:
    """Compute a hyperbolic tangent, as numerator and denominator, to 4.2e-9.

    Minimax approximation by x P(x^2) / Q(x^2) with P and Q of power 5 on -10 ... 10 (error
    1.2e-10), constant beyond (error of ±1: 4.1e-9). No branches: the compiler vectorises it.
    """
    x = min(max(x, -10.0), 10.0)
    u = x * x
    p = (3.217626757920454e-11 * u + 1.0357842890334587e-07) * u + 4.0920155015754866e-05
    p = ((p * u + 0.004372875164795444) * u + 0.14059263596801777) * u + 0.9999999993416274
    q = (2.674232457634905e-09 * u + 2.4792893611340552e-06) * u + 0.0004906652268159757
    q = ((q * u + 0.02901486785386499) * u + 0.47392596632345624) * u + 1.0
    return x * p, q


# Noise -------------------------------------------------------------------------------------------


@_inner
def _kick(net: Network, number: int, held: FloatArray, v: FloatArray) -> None:
    """Move the potentials by the noise of one time step.

    By a sum of four uniform numbers, not by a normal one: the sum over a membrane time constant,
    of many kicks, is normal all the same.
    """
    strength = net.parameters[KICK]
    for i in range(v.size):
        r0, r1, r2, r3 = _philox(
            i, number & 0xFFFFFFFF, _MEMBRANE_STREAM, number >> 32, net.key0, net.key1
        )
        # Variance 1 / 3 around a mean of 2 in units of 2^32, but for half a unit each.
        centred = ((float(r0) + float(r1)) + (float(r2) + float(r3)) + 2.0) * 2.0**-32 - 2.0
        v[i] += 0.0 if held[i] > 0.0 else strength[i] * math.sqrt(3.0) * centred


@_inner
def _threshold(net: Network, i: int, number: int) -> float:
    """Threshold of a circuit until its spike of a number."""
    level, sigma = net.parameters[THRESHOLD, i], net.parameters[THRESHOLD_NOISE, i]
    if sigma == 0.0:
        return level
    r0, r1, _, _ = _philox(i, number & 0xFFFFFFFF, _THRESHOLD_STREAM, 0, net.key0, net.key1)
    # Box and Muller's normal number.
    radius = math.sqrt(-2.0 * math.log((float(r0) + 0.5) * 2.0**-32))
    return level + sigma * radius * math.cos(2.0 * math.pi * float(r1) * 2.0**-32)


@_inner
def _philox(
    c0: int, c1: int, c2: int, c3: int, key0: int, key1: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Compute Philox4x32-10 (`devices.philox`): 32-bit words, in 64 bit."""
    low, high = np.uint64(0xFFFFFFFF), np.uint64(32)
    r0, r1, r2, r3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(key0), np.uint64(key1)
    for _ in range(10):
        product0, product1 = r0 * np.uint64(0xD2511F53), r2 * np.uint64(0xCD9E8D57)
        r0, r1, r2, r3 = (
            (product1 >> high) ^ r1 ^ k0,
            product1 & low,
            (product0 >> high) ^ r3 ^ k1,
            product0 & low,
        )
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return r0, r1, r2, r3
