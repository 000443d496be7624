"""Pulses on many devices and their conductances, compiled with numba for one thread.

The numbers are those of `devices.effects`, to the bit but for exponentials, logarithms and powers.
Work goes through the devices in blocks that stay in the
cache. Each effect is a loop over a block, without branches, so that the compiler vectorises it.

All is in one file because numba's cache of compiled code notices changes of this file only.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

from devices.effects import FLICKER_OCTAVES
from devices.kernels.rule import LAWS, Direction, Rule
from devices.noise import Key, Stream
from devices.ppnd16 import _CENTRE, _FAR_TAIL, _TAIL

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.uint32]
SignArray = npt.NDArray[np.int8]

_BLOCK = 1024
_LINEAR, _EXPONENTIAL, _POWER = (LAWS.index(law) for law in ("linear", "exponential", "power"))
_WRITE, _LEVEL, _LEVEL_SPREAD = int(Stream.WRITE), int(Stream.LEVEL), int(Stream.LEVEL_SPREAD)
_APPARENT, _READ, _FLICKER = int(Stream.APPARENT), int(Stream.READ), int(Stream.FLICKER)
_OUTPUT = int(Stream.OUTPUT)

# Division as in numpy: by zero without an exception, which would keep loops from vectorising.
_entry = njit(cache=True, nogil=True, error_model="numpy")
_inner = njit(error_model="numpy")


class _Room(NamedTuple):
    """Room to work in, for one block."""

    change: FloatArray
    down: FloatArray
    target: FloatArray
    xi: FloatArray
    u: FloatArray
    tail: FloatArray
    value: FloatArray
    where: npt.NDArray[np.int64]
    sign: SignArray


@_inner
def _make_room() -> _Room:
    return _Room(
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK, dtype=np.int64),
        np.empty(_BLOCK, dtype=np.int8),
    )


@_entry
def pulse_all(
    state: FloatArray,
    n_events: CountArray,
    n_more: int,
    up: bool,
    n: int,
    rule: Rule,
    factor: FloatArray,
    key: Key,
) -> None:
    """Apply `n` pulses in one direction to all devices; states change in place.

    Parameters
    ----------
    state : ndarray of float64, shape (n_devices,)
        States as fractions of the range; of the devices with the indices 0 ... n_devices - 1.
    n_events : ndarray of uint32, shape (n_devices,)
        Programming events of each device so far. The caller counts those from here.
    n_more : int
        What is to be added to all of them.
    up : bool
        Direction.
    n : int
        Number of pulses, each an event of its own.
    rule : Rule
        Of the device.
    factor : ndarray of float64, shape (n_devices,) or (0,)
        Factors on the step, if devices differ in it.
    key : tuple of int
        From `devices.noise.noise_key`.
    """
    room = _make_room()
    direction = rule.up if up else rule.down
    for first in range(0, state.size, _BLOCK):
        s, events = state[first : first + _BLOCK], n_events[first : first + _BLOCK]
        change, xi = room.change[: s.size], room.xi[: s.size]
        for event in range(n_more, n_more + n):
            _steps(rule.law, direction, up, factor, first, s, change)
            if _is_noisy(rule):
                _normals(key, first, events, event, _WRITE, 0, xi, room)
            _move(rule, s, change, xi)
            _resolve(rule, key, first, events, event, s, room)


@_entry
def pulse_each(
    state: FloatArray,
    n_events: CountArray,
    n_set: CountArray,
    n_reset: CountArray,
    direction: SignArray,
    n: int,
    rule: Rule,
    factor_up: FloatArray,
    factor_down: FloatArray,
    life: FloatArray,
    key: Key,
) -> None:
    """Apply `n` pulses to each device in its direction; states and counters change in place.

    Parameters
    ----------
    state, n, rule, key
        As in `pulse_all`.
    n_events, n_set, n_reset : ndarray of uint32, shape (n_devices,)
        Programming events, writes up and writes down of each device so far.
    direction : ndarray of int8, shape (n_devices,)
        Above 0: up, below 0: down, 0: no pulse.
    factor_up, factor_down : ndarray of float64, shape (n_devices,) or (0,)
        Factors on the steps, if devices differ in them.
    life : ndarray of float64, shape (n_devices,) or (0,)
        Writes that each device survives, if that is finite.
    """
    room = _make_room()
    for first in range(0, state.size, _BLOCK):
        last = min(first + _BLOCK, state.size)
        s, events = state[first:last], n_events[first:last]
        sets, resets = n_set[first:last], n_reset[first:last]
        change, down, target = room.change[: s.size], room.down[: s.size], room.target[: s.size]
        xi, sign = room.xi[: s.size], room.sign[: s.size]
        for _ in range(n):
            _find_pulsed(direction[first:last], life[first:last], sets, resets, sign)
            _steps(rule.law, rule.up, True, factor_up, first, s, change)
            _steps(rule.law, rule.down, False, factor_down, first, s, down)
            # Loaded before the choice, or a jump that is hard to predict decides what to load.
            for i in range(s.size):
                up_change, down_change = change[i], down[i]
                change[i] = up_change if sign[i] > 0 else down_change
            if _is_noisy(rule):
                _normals(key, first, events, 0, _WRITE, 0, xi, room)
            target[:] = s
            _move(rule, target, change, xi)
            _resolve(rule, key, first, events, 0, target, room)
            for i in range(s.size):
                before, after = s[i], target[i]
                s[i] = before if sign[i] == 0 else after
                sets[i] += np.uint32(sign[i] > 0)
                resets[i] += np.uint32(sign[i] < 0)
                events[i] += np.uint32(sign[i] != 0)


@_entry
def conductances(
    state: FloatArray,
    w_min: FloatArray,
    w_range: FloatArray,
    n_events: CountArray,
    n_more: int,
    sigma_write: float,
    key: Key,
) -> FloatArray:
    """Return the conductances with write noise.

    Parameters
    ----------
    state, n_events, n_more, key
        As in `pulse_all`.
    w_min, w_range : ndarray of float64, shape (n_devices,) or (1,)
        Lowest conductance of each device and what it has above it, in any unit; one number if
        devices do not differ.
    sigma_write : float
        Standard deviation as a fraction of the device's own range.

    Returns
    -------
    ndarray of float64, shape (n_devices,)
        In the unit of `w_min`.
    """
    out = np.empty(state.size)
    room = _make_room()
    alike = w_min.size == 1
    low, span = np.full(_BLOCK, w_min[0]), np.full(_BLOCK, w_range[0])
    for first in range(0, state.size, _BLOCK):
        last = min(first + _BLOCK, state.size)
        s, w = state[first:last], out[first:last]
        if not alike:
            low, span = w_min[first:last], w_range[first:last]
        for i in range(w.size):
            w[i] = low[i] + span[i] * s[i]
        if sigma_write > 0.0:
            xi = room.xi[: w.size]
            _normals(key, first, n_events[first:last], n_more, _APPARENT, 0, xi, room)
            for i in range(w.size):
                w[i] = max(w[i] + sigma_write * span[i] * xi[i], 0.0)
    return out


@_entry
def read_factors(
    n_devices: int, n_reads: int, sigma_read: float, sigma_flicker: float, key: Key
) -> FloatArray:
    """Return `devices.effects.read_factor` of the devices of an array.

    Parameters
    ----------
    n_devices : int
        Their indices are 0 ... n_devices - 1.
    n_reads : int
        Number of reads that all of them have seen before this one.
    sigma_read, sigma_flicker : float
        Relative standard deviations of white and of 1/f noise.
    key : tuple of int
        From `devices.noise.noise_key`.

    Returns
    -------
    ndarray of float64, shape (n_devices,)
        Factors on the conductances, >= 0.
    """
    out = np.empty(n_devices)
    room = _make_room()
    none = np.zeros(_BLOCK, dtype=np.uint32)
    for first in range(0, n_devices, _BLOCK):
        factor = out[first : first + _BLOCK]
        total, xi, before = room.change[: factor.size], room.xi[: factor.size], none[: factor.size]
        factor[:] = 1.0
        if sigma_read > 0.0:
            _normals(key, first, before, n_reads, _READ, 0, xi, room)
            for i in range(factor.size):
                factor[i] += sigma_read * xi[i]
        if sigma_flicker > 0.0:
            total[:] = 0.0
            for octave in range(FLICKER_OCTAVES):
                _normals(key, first, before, n_reads >> octave, _FLICKER, octave, xi, room)
                for i in range(factor.size):
                    total[i] += xi[i]
            for i in range(factor.size):
                factor[i] += sigma_flicker * (total[i] / math.sqrt(FLICKER_OCTAVES))
        for i in range(factor.size):
            factor[i] = max(factor[i], 0.0)
    return out


@_entry
def output_normals(n_outputs: int, first: int, n_reads: int, key: Key) -> FloatArray:
    """Return standard normal numbers for the outputs of reads, `devices.noise.normal`.

    Parameters
    ----------
    n_outputs : int
        Their indices are 0 ... n_outputs - 1.
    first, n_reads : int
        Number of the first read, and how many there are.
    key : tuple of int
        From `devices.noise.noise_key`.

    Returns
    -------
    ndarray of float64, shape (n_reads, n_outputs)
        Of the stream OUTPUT.
    """
    out = np.empty((n_reads, n_outputs))
    room = _make_room()
    none = np.zeros(_BLOCK, dtype=np.uint32)
    for read in range(n_reads):
        for column in range(0, n_outputs, _BLOCK):
            part = out[read, column : column + _BLOCK]
            _normals(key, column, none[: part.size], first + read, _OUTPUT, 0, part, room)
    return out


# One pulse on a block ----------------------------------------------------------------------------


@_inner
def _find_pulsed(
    direction: SignArray, life: FloatArray, sets: CountArray, resets: CountArray, sign: SignArray
) -> None:
    """Write the directions of the pulses into `sign`: 0 at the end of a device's life."""
    sign[:] = direction
    for i in range(life.size):
        sign[i] = sign[i] if float(sets[i] + resets[i]) < life[i] else 0


@_inner
def _steps(
    law: int,
    direction: Direction,
    up: bool,
    factor: FloatArray,
    first: int,
    s: FloatArray,
    change: FloatArray,
) -> None:
    """Write the steps without noise, with their sign, into `change`."""
    # f(s) = f_up(s), or f_down in terms of the way 1 - s.
    start, way = (0.0, 1.0) if up else (1.0, -1.0)
    if law == _LINEAR:
        for i in range(s.size):
            change[i] = 1.0 - direction.slope * (start + way * s[i])
    elif law == _EXPONENTIAL:
        for i in range(s.size):
            growth = _exp(direction.rate * (start + way * s[i]))
            change[i] = max(1.0 - direction.amplitude * growth, 0.0)
    elif law == _POWER:
        for i in range(s.size):
            base = 1.0 - s[i] if up else s[i]
            change[i] = base**direction.exponent
    else:
        nodes = direction.nodes
        for i in range(s.size):
            place = s[i] * (nodes.size - 1)
            below = min(int(place), nodes.size - 2)
            change[i] = nodes[below] + (nodes[below + 1] - nodes[below]) * (place - below)
    step = way * direction.step
    if factor.size:
        factors = factor[first : first + s.size]
        for i in range(s.size):
            change[i] = step * factors[i] * change[i]
    else:
        for i in range(s.size):
            change[i] = step * change[i]


@_inner
def _is_noisy(rule: Rule) -> bool:
    return rule.sigma_c2c_step > 0.0 or rule.sigma_c2c > 0.0 or rule.c2c_polynomial.size > 0


@_inner
def _move(rule: Rule, s: FloatArray, change: FloatArray, xi: FloatArray) -> None:
    """Change the states, with cycle-to-cycle noise, within their range."""
    coefficients = rule.c2c_polynomial
    if not _is_noisy(rule):
        for i in range(s.size):
            s[i] = min(max(s[i] + change[i], 0.0), 1.0)
    elif coefficients.size == 0:
        for i in range(s.size):
            sigma = rule.sigma_c2c_step * abs(change[i]) + rule.sigma_c2c
            s[i] = min(max(s[i] + (change[i] + sigma * xi[i]), 0.0), 1.0)
    else:
        for i in range(s.size):
            x = rule.lowest + (1.0 - rule.lowest) * s[i]
            value = 0.0
            for j in range(coefficients.size - 1, -1, -1):
                value = value * x + coefficients[j]
            absolute = rule.sigma_c2c + value / (1.0 - rule.lowest)
            sigma = max(rule.sigma_c2c_step * abs(change[i]) + absolute, 0.0)
            s[i] = min(max(s[i] + (change[i] + sigma * xi[i]), 0.0), 1.0)


@_inner
def _resolve(
    rule: Rule, key: Key, first: int, events: CountArray, n_more: int, q: FloatArray, room: _Room
) -> None:
    """Round states to levels, if there are any."""
    if rule.n_levels == 0:
        return
    n_steps = rule.n_levels - 1
    means, sigmas = rule.level_means, rule.level_sigmas
    xi, u = room.xi[: q.size], room.u[: q.size]
    if sigmas.size:
        _normals(key, first, events, n_more, _LEVEL_SPREAD, 0, xi, room)
    _uniforms(key, first, events, n_more, _LEVEL, 0, u)
    if means.size == 0:
        for i in range(q.size):
            level = math.floor(q[i] / (1.0 / n_steps) + u[i]) / n_steps
            q[i] = min(max(level, 0.0), 1.0)
        return
    for i in range(q.size):
        below = np.searchsorted(means, q[i], side="right") - 1
        below = min(max(below, 0), n_steps - 1)
        fraction = (q[i] - means[below]) / (means[below + 1] - means[below])
        level = min(below + int(min(max(fraction, 0.0), 1.0) + u[i]), n_steps)
        value = means[level]
        if sigmas.size:
            value += sigmas[level] * xi[i]
        q[i] = min(max(value, 0.0), 1.0)


# Random numbers ----------------------------------------------------------------------------------

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW_32 = np.uint64(0xFFFFFFFF)
_12, _32, _52 = (np.uint64(bits) for bits in (12, 32, 52))
_BITS_OF_1 = np.uint64(0x3FF0000000000000)

_A0, _A1, _A2, _A3, _A4, _A5, _A6, _A7 = _CENTRE[0]
_, _B1, _B2, _B3, _B4, _B5, _B6, _B7 = _CENTRE[1]
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7 = _TAIL[0]
_, _D1, _D2, _D3, _D4, _D5, _D6, _D7 = _TAIL[1]
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7 = _FAR_TAIL[0]
_, _F1, _F2, _F3, _F4, _F5, _F6, _F7 = _FAR_TAIL[1]


def _bitcast(source: Any, result: Any) -> Any:
    """Make a function for compiled code that takes the bits of a number for one of another type."""

    def compiled(context: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(result))

        return result(source), generate

    return intrinsic(compiled)


_float_of = _bitcast(types.uint64, types.float64)
_bits_of = _bitcast(types.float64, types.uint64)


@_inner
def _uniforms(
    key: Key, first: int, events: CountArray, n_more: int, stream: int, part: int, u: FloatArray
) -> None:
    """Draw `devices.noise.uniform` of the devices from `first` on.

    The event number of each is that in `events` and `n_more`.
    """
    for i in range(u.size):
        c0, c1 = np.uint64(first + i), np.uint64(events[i] + n_more)
        c2, c3 = np.uint64(stream), np.uint64(part)
        # Masked, so that the compiler sees that products have 32-bit factors.
        k0, k1 = np.uint64(key[0]) & _LOW_32, np.uint64(key[1]) & _LOW_32
        for _ in range(10):
            product0, product1 = c0 * _MULTIPLIER_0, c2 * _MULTIPLIER_1
            c0, c1 = (product1 >> _32) ^ c1 ^ k0, product1 & _LOW_32
            c2, c3 = (product0 >> _32) ^ c3 ^ k1, product0 & _LOW_32
            k0, k1 = (k0 + _WEYL_0) & _LOW_32, (k1 + _WEYL_1) & _LOW_32
        # The 52 bits are the fraction of a number in [1, 2): exact, and faster than a conversion.
        bits = ((c1 << _32) | c0) >> _12
        u[i] = (_float_of(bits | _BITS_OF_1) - 1.0) + 2.0**-53


@_inner
def _normals(
    key: Key,
    first: int,
    events: CountArray,
    n_more: int,
    stream: int,
    part: int,
    x: FloatArray,
    room: _Room,
) -> None:
    """Draw `devices.noise.normal`, as `_uniforms`."""
    u = room.u[: x.size]
    _uniforms(key, first, events, n_more, stream, part, u)
    _quantiles(u, x, room.tail, room.value, room.where)


@_inner
def _quantiles(
    u: FloatArray,
    x: FloatArray,
    tail: FloatArray,
    value: FloatArray,
    where: npt.NDArray[np.int64],
) -> None:
    """Compute `devices.ppnd16.ppnd16` of `u`; the other arrays are room to work in.

    What holds in the centre is computed for all numbers, the tails for the 15 % that are in them.
    """
    for i in range(x.size):
        q = u[i] - 0.5
        r = 0.180625 - q * q
        x[i] = (
            q
            * (((((((_A7*r + _A6)*r + _A5)*r + _A4)*r + _A3)*r + _A2)*r + _A1)*r + _A0)
            / (((((((_B7*r + _B6)*r + _B5)*r + _B4)*r + _B3)*r + _B2)*r + _B1)*r + 1.0)
        )  # fmt: skip
    n_tail = 0
    for i in range(x.size):
        where[n_tail] = i
        tail[n_tail] = u[i]
        n_tail += abs(u[i] - 0.5) > 0.425
    n_far = 0
    for j in range(n_tail):
        r = math.sqrt(-_log(min(tail[j], 1.0 - tail[j])))
        n_far += r > 5.0
        tail[j] = r
    for j in range(n_tail):
        r = tail[j] - 1.6
        value[j] = (
            (((((((_C7*r + _C6)*r + _C5)*r + _C4)*r + _C3)*r + _C2)*r + _C1)*r + _C0)
            / (((((((_D7*r + _D6)*r + _D5)*r + _D4)*r + _D3)*r + _D2)*r + _D1)*r + 1.0)
        )  # fmt: skip
    # One number in 36 billion.
    if n_far:
        for j in range(n_tail):
            if tail[j] > 5.0:
                r = tail[j] - 5.0
                value[j] = (
                    (((((((_E7*r + _E6)*r + _E5)*r + _E4)*r + _E3)*r + _E2)*r + _E1)*r + _E0)
                    / (((((((_F7*r + _F6)*r + _F5)*r + _F4)*r + _F3)*r + _F2)*r + _F1)*r + 1.0)
                )  # fmt: skip
    for j in range(n_tail):
        i = where[j]
        x[i] = math.copysign(value[j], x[i])


# Exponential and logarithm, in a way that the compiler can vectorise ------------------------------

_LOG2_E = 1.0 / math.log(2.0)
# ln 2 in two parts, the first with few enough bits that its multiples are exact.
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
# Added to a number it leaves the nearest integer in the last bits.
_ROUNDER = 1.5 * 2.0**52
_T0, _T1, _T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12, _T13 = (
    1.0 / math.factorial(n) for n in range(14)
)
_H0, _H1, _H2, _H3, _H4, _H5, _H6, _H7, _H8, _H9, _H10 = (2.0 / (2 * n + 1) for n in range(11))
_BITS_OF_SQRT_HALF = np.uint64(np.float64(math.sqrt(0.5)).view(np.uint64))
_BITS_OF_2_TO_52 = np.uint64(0x4330000000000000)
_1024 = np.uint64(1024)


@_inner
def _exp(x: float) -> float:
    """Compute an exponential to 1 part in 10^15.

    x = k ln 2 + r with an integer k, exp(r) from its Taylor series to the power 13, whose
    remainder at |r| = ln(2)/2 is below 5e-18. Beyond exp(±700) it stays there.
    """
    x = min(max(x, -700.0), 700.0)
    shifted = x * _LOG2_E + _ROUNDER
    k = shifted - _ROUNDER
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    # Even and odd powers apart, which the processor works on at the same time.
    y = r * r
    even = (((((_T12*y + _T10)*y + _T8)*y + _T6)*y + _T4)*y + _T2)*y + _T0  # fmt: skip
    odd = (((((_T13*y + _T11)*y + _T9)*y + _T7)*y + _T5)*y + _T3)*y + _T1  # fmt: skip
    series = even + r * odd
    return series * _float_of((_bits_of(shifted) << _52) + _BITS_OF_1)


@_inner
def _log(x: float) -> float:
    """Compute the logarithm of a number from 2^-53 to 0.08 to 1 part in 10^15.

    x = m 2^e with m in sqrt(1/2) ... sqrt(2), ln(m) = 2 artanh(z) with z = (m - 1)/(m + 1) from its
    Taylor series to the power 21, whose remainder is below 1e-18.
    """
    bits = _bits_of(x)
    # e + 1024, which is positive.
    exponent = (bits - _BITS_OF_SQRT_HALF + (_1024 << _52)) >> _52
    e = _float_of(exponent | _BITS_OF_2_TO_52) - (2.0**52 + 1024.0)
    m = _float_of(bits - ((exponent - _1024) << _52))
    z = (m - 1.0) / (m + 1.0)
    y = z * z
    series = ((((_H10*y + _H9)*y + _H8)*y + _H7)*y + _H6)*y + _H5  # fmt: skip
    series = ((((series*y + _H4)*y + _H3)*y + _H2)*y + _H1)*y + _H0  # fmt: skip
    return e * _LN2_HIGH + (series * z + e * _LN2_LOW)
