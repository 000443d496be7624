"""Weights that are programmed into memristive devices and then only read."""

import dataclasses
import math
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from devices import effects
from devices.checks import is_number
from devices.effects import Bounds
from devices.mapping import Mapping, check_mapping, readout, wanted_states, weights_of
from devices.memristor import Memristor
from devices.noise import Key
from devices.write_verify import WriteVerify, write_and_verify, write_once

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class ProgrammedWeights:
    """Devices that `n` weights were programmed into, `d` for each weight.

    A weight is ``scale*(conductance @ signs) + offset``.

    Parameters
    ----------
    device : Memristor
        The kind of device, without unknown strengths.
    key : tuple of int
        Of the noise.
    w_max : float
        Nominal weight of a device at its highest conductance.
    bounds : devices.effects.Bounds
        Range and faults of each of the ``n*d`` devices, in the order of their indices.
    state : ndarray of float64, shape (n, d)
        State of each device, as a fraction of its range.
    conductance : ndarray of float64, shape (n, d)
        Conductances in the unit of the weights, with write noise, without drift and read noise.
    device_index : ndarray of int64, shape (n, d)
        Index of each device, which its noise depends on: ``weight*d + device``.
    signs : ndarray of float64, shape (d,)
        Sign of each device of a weight, times its place value if a weight has slices.
    scale : float or ndarray of float64, shape (n,)
        Factor on the sum over the devices.
    offset : float
        What is added to it.
    n_events, n_set, n_reset : ndarray of int64, shape (n, d)
        Programming events of each device so far, and pulses up and down in them.
    failed : ndarray of bool, shape (n, d)
        Devices that write-and-verify has found too far off.
    n_clipped : int
        Weights of a smaller magnitude than `w_max` over the on-off ratio, which a single device
        cannot have.
    """

    device: Memristor
    key: Key
    w_max: float
    bounds: Bounds
    state: FloatArray
    conductance: FloatArray
    device_index: IntArray
    signs: FloatArray
    scale: float | FloatArray
    offset: float
    n_events: IntArray
    n_set: IntArray
    n_reset: IntArray
    failed: npt.NDArray[np.bool_]
    n_clipped: int

    @property
    def n_failed(self) -> int:
        """Number of devices that write-and-verify has found too far off."""
        return int(self.failed.sum())

    @property
    def redraws(self) -> int:
        """Draws of device-to-device spreads that were thrown away."""
        return self.bounds.redraws

    def conductances(self, age_s: float | None = None) -> FloatArray:
        """Return the conductances with write noise and drift, without read noise.

        Parameters
        ----------
        age_s : float or None, optional
            Time since the devices were programmed, s; None: no drift.

        Returns
        -------
        ndarray of float64, shape (n, d)
            In the unit of the weights.
        """
        if age_s is None:
            return self.conductance
        return _conductance(self.device, self.key, self.bounds, self.state, self.n_events, age_s)

    def shares(self) -> tuple[FloatArray, FloatArray | float]:
        """Return what the weights consist of, for weights of one or two devices.

        Returns
        -------
        first : ndarray of float64, shape (n,)
            What the first device of each weight adds to it.
        second : ndarray of float64, shape (n,), or float
            What the second device adds, or else the offset.
        """
        shares = self.conductance * self.signs
        shares = shares * np.broadcast_to(self.scale, len(shares))[:, np.newaxis]
        return shares[:, 0], shares[:, 1] if shares.shape[1] == 2 else self.offset

    def weights(self, age_s: float | None = None) -> FloatArray:
        """Return the weights that the devices make, without read noise.

        Parameters
        ----------
        age_s : float or None, optional
            Time since the devices were programmed, s; None: no drift.

        Returns
        -------
        ndarray of float64, shape (n,)
            The weights.
        """
        return weights_of(self.conductances(age_s), self.signs, self.scale, self.offset)


def program_weights(
    weights: npt.ArrayLike,
    device: Memristor,
    key: Key,
    *,
    w_max: float | None = None,
    mapping: Mapping = "single",
    verify: WriteVerify | None = None,
    n_slices: int = 1,
    after: ProgrammedWeights | None = None,
) -> ProgrammedWeights:
    """Program weights into memristive devices.

    ``docs/model_definition.md``, section "Programmed weights", has the equations. The states that
    a mapping wants are rounded to the nearest level before they are programmed.

    Parameters
    ----------
    weights : array_like of float, shape (n,)
        The weights, in any unit.
    device : Memristor
        The kind of device; its endurance plays no role.
    key : tuple of int
        From `devices.noise.noise_key`.
    w_max : float or None, optional
        Nominal weight of a device at its highest conductance. Default: the largest magnitude.
    mapping : {"single", "differential", "two_sided", "offset"}, optional
        How a weight is made of devices.
    verify : WriteVerify or None, optional
        Write and verify; by default every device is programmed by a single event.
    n_slices : int, optional
        Slices of a weight, each in devices of its own: the digits, least significant first, of the
        wanted state to the base `n_levels`. The devices of a weight are those of its first slice,
        then those of the second, and so on.
    after : ProgrammedWeights or None, optional
        What the same devices were programmed to before: the events start from there.

    Returns
    -------
    ProgrammedWeights
        The devices.

    Raises
    ------
    devices.UnknownParameterError
        If the strength of an effect is unknown.
    ValueError
        If a weight is not finite or larger than `w_max`, or a parameter is outside its range.

    References
    ----------
    Slices: Shafiee et al. (2016), ISAAC, doi:10.1109/ISCA.2016.12.
    """
    weights = np.asarray(weights, dtype=np.float64)
    check_mapping("program_weights", mapping)
    w_max = _checked_limit(weights, w_max)
    device = _checked_device(device, n_slices)
    ratio = float(device.on_off_ratio or math.inf)

    wanted = wanted_states(mapping, weights, w_max, ratio)
    signs, scale, offset = readout(mapping, weights, w_max, ratio)
    if n_slices > 1:
        assert device.n_levels is not None
        wanted = _digits(wanted, device.n_levels, n_slices)
        signs = _with_place_values(signs, device.n_levels, n_slices)

    shape, n = wanted.shape, wanted.size
    state: FloatArray = np.zeros(n)
    counts: IntArray = np.zeros((3, n), dtype=np.int64)
    if after is None:
        bounds = effects.sample_bounds(device, w_max, n, key)
    else:
        bounds, state = after.bounds, after.state.reshape(n)
        counts = np.stack([a.reshape(n) for a in (after.n_events, after.n_set, after.n_reset)])
    if verify is None:
        written = write_once(device, wanted.reshape(n), state, counts[0], key)
    else:
        written = write_and_verify(
            device, wanted.reshape(n), state, counts[0], key, bounds, w_max, verify
        )

    n_events, n_set, n_reset = (
        (before + new).reshape(shape)
        for before, new in zip(
            counts, (written.n_events, written.n_set, written.n_reset), strict=True
        )
    )
    reached = written.state.reshape(shape)
    return ProgrammedWeights(
        device=device,
        key=key,
        w_max=w_max,
        bounds=bounds,
        state=reached,
        conductance=_conductance(device, key, bounds, reached, n_events, None),
        device_index=np.arange(n).reshape(shape),
        signs=signs,
        scale=scale,
        offset=offset,
        n_events=n_events,
        n_set=n_set,
        n_reset=n_reset,
        failed=written.failed.reshape(shape),
        n_clipped=int((np.abs(weights) < w_max / ratio).sum()) if mapping == "single" else 0,
    )


def _conductance(
    device: Memristor,
    key: Key,
    bounds: Bounds,
    state: FloatArray,
    n_events: IntArray,
    age_s: float | None,
) -> FloatArray:
    w_range = bounds.w_max - bounds.w_min
    w = bounds.w_min + w_range * state.reshape(-1)
    index = np.arange(state.size)
    g = effects.conductance(device, w, w_range, n_events.reshape(-1), key, index, age_s)
    return g.reshape(state.shape)


def _checked_limit(weights: FloatArray, w_max: float | None) -> float:
    if weights.ndim != 1:
        raise ValueError(f"program_weights: weights of shape {weights.shape}, need (n,)")
    bad = np.flatnonzero(~np.isfinite(weights))
    if bad.size:
        raise ValueError(
            f"program_weights: {bad.size} of {weights.size} weights are not finite, the first is "
            f"weights[{bad[0]}]={weights[bad[0]]}: need finite numbers"
        )
    largest = float(np.abs(weights).max(initial=0.0))
    if w_max is None:
        if weights.size and largest == 0.0:
            raise ValueError(
                "program_weights: w_max=None, but all weights are 0, so that there is no largest "
                "one: give w_max, the weight of a device at its highest conductance"
            )
        return largest or 1.0
    if not (is_number(w_max, Real) and 0.0 < w_max < math.inf):
        raise ValueError(f"program_weights: w_max={w_max!r}, need a finite number > 0")
    bad = np.flatnonzero(np.abs(weights) > w_max)
    if bad.size:
        raise ValueError(
            f"program_weights: {bad.size} of {weights.size} weights are larger than w_max={w_max}, "
            f"the first is weights[{bad[0]}]={weights[bad[0]]}: raise w_max to at least {largest} "
            "or clip the weights"
        )
    return float(w_max)


def _checked_device(device: Memristor, n_slices: int) -> Memristor:
    device = device.resolved(but=["endurance"])
    if device.c2c_event == "pre_spike" and (device.sigma_c2c or device.c2c_polynomial):
        raise ValueError(
            "program_weights: c2c_event='pre_spike', but programmed weights stay as they are at "
            "presynaptic spikes: set c2c_event='write'"
        )
    if not is_number(n_slices, Integral) or n_slices < 1:
        raise ValueError(f"program_weights: n_slices={n_slices!r}, need an integer >= 1")
    if n_slices == 1:
        return device
    if device.n_levels is None or device.level_spacing != "uniform" or device.level_means:
        raise ValueError(
            f"program_weights: n_slices={n_slices}, need a device with uniform levels for digits: "
            f"set n_levels (it is {device.n_levels}), level_spacing='uniform' and no level_means"
        )
    if device.n_levels**n_slices > 2**53:
        raise ValueError(
            f"program_weights: n_slices={n_slices} with n_levels={device.n_levels} is more than "
            "the 53 bits of a weight: use fewer slices"
        )
    return device


def _digits(wanted: FloatArray, base: int, n_slices: int) -> FloatArray:
    """Return the states of all slices, (n, d) -> (n, n_slices*d)."""
    number = np.floor(wanted * (base**n_slices - 1) + 0.5).astype(np.int64)
    digits = [number // base**place % base for place in range(n_slices)]
    return np.concatenate(digits, axis=1) / (base - 1)


def _with_place_values(signs: FloatArray, base: int, n_slices: int) -> FloatArray:
    """Return the sign of each device times its place value; place values add up to 1."""
    places = np.array([base**place for place in range(n_slices)])
    return np.kron(places * (base - 1) / (base**n_slices - 1), signs)
