"""What the engine integrates of a neuron circuit, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_FLAGS = ("can_spike", "coba_exc", "coba_inh")
_POSITIVE = ("leak_saturation", "saturation_exc", "saturation_inh", "capacitance")
_NOT_NEGATIVE = (
    "leak_rate", "reset_rate", "refractory_time", "holdoff_time", "syn_rate_exc", "syn_rate_inh",
    "adaptation_rate", "exp_slope", "exp_rate", "threshold_noise", "membrane_noise",
)  # fmt: skip
_MAY_BE_INFINITE = (
    "leak_saturation", "saturation_exc", "saturation_inh", "reset_rate", "lowest", "highest",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Circuits:
    """Neuron circuits: an array of shape (n,) per parameter, numbers stand for all circuits.

    Potentials V are in LSB of the CADC, times in us. With sat(x, S) = S tanh(x / S), which is x for
    S = inf, outside the reset

        dV/dt = leak_rate sat(leak_potential - V, leak_saturation) + current
                + sat(I_exc, saturation_exc) c_exc(V) - sat(I_inh, saturation_inh) c_inh(V)
                + exp_rate exp_slope exp((V - exp_threshold) / exp_slope) - w
        dI_x/dt = -syn_rate_x I_x;  an event of weight k adds gain_x k to I_x
        dw/dt = adaptation_rate (adaptation_a (V - adaptation_potential) - w)

    with c_x = 1 or, for a conductance-based input, (reversal_x - V) / (reversal_x -
    coba_reference_x). When V reaches the threshold the circuit spikes and adaptation_b is added to
    w. Then dV/dt = reset_rate (reset_potential - V) for the refractory time, after which it does
    not spike for another hold-off time.

    Parameters
    ----------
    leak_potential : array_like
        LSB.
    leak_rate : array_like
        1/us, >= 0: the inverse of the membrane time constant.
    leak_saturation : array_like
        LSB, > 0; `inf`: linear.
    current : array_like
        Constant current in LSB/us.
    threshold : array_like
        LSB.
    can_spike : array_like of bool
        Whether the threshold is on.
    reset_potential : array_like
        LSB.
    reset_rate : array_like
        1/us, >= 0; `inf`: V is at once where it is reset to.
    refractory_time : array_like
        us, >= 0.
    holdoff_time : array_like
        us, >= 0.
    syn_rate_exc, syn_rate_inh : array_like
        1/us, >= 0: inverse of the synaptic time constants.
    gain_exc, gain_inh : array_like
        LSB/us per LSB of the weight.
    saturation_exc, saturation_inh : array_like
        LSB/us, > 0; `inf`: linear.
    coba_exc, coba_inh : array_like of bool
        Whether the input is conductance-based.
    reversal_exc, reversal_inh, coba_reference_exc, coba_reference_inh : array_like
        LSB; different from each other for a conductance-based input.
    adaptation_a : array_like
        1/us.
    adaptation_b : array_like
        LSB/us.
    adaptation_rate : array_like
        1/us, >= 0.
    adaptation_potential : array_like
        LSB.
    exp_slope : array_like
        LSB, >= 0; 0: no exponential current.
    exp_threshold : array_like
        LSB.
    exp_rate : array_like
        1/us, >= 0.
    capacitance : array_like
        Of the membrane, relative to a single circuit's largest, > 0. All rates hold for it
        already; it matters where circuits are merged or exchange currents.
    threshold_noise : array_like
        Standard deviation of the threshold from spike to spike in LSB.
    membrane_noise : array_like
        Strength of white noise on the membrane in LSB per square root of us. With a linear leak
        V has a standard deviation of membrane_noise / sqrt(2 leak_rate).
    lowest, highest : array_like
        LSB, at which V stops; infinite: it doesn't.

    Raises
    ------
    ValueError
        If a parameter has another length than the rest or is outside its range.
    """

    leak_potential: FloatArray
    leak_rate: FloatArray
    leak_saturation: FloatArray
    current: FloatArray
    threshold: FloatArray
    can_spike: BoolArray
    reset_potential: FloatArray
    reset_rate: FloatArray
    refractory_time: FloatArray
    holdoff_time: FloatArray
    syn_rate_exc: FloatArray
    syn_rate_inh: FloatArray
    gain_exc: FloatArray
    gain_inh: FloatArray
    saturation_exc: FloatArray
    saturation_inh: FloatArray
    coba_exc: BoolArray
    coba_inh: BoolArray
    reversal_exc: FloatArray
    reversal_inh: FloatArray
    coba_reference_exc: FloatArray
    coba_reference_inh: FloatArray
    adaptation_a: FloatArray
    adaptation_b: FloatArray
    adaptation_rate: FloatArray
    adaptation_potential: FloatArray
    exp_slope: FloatArray
    exp_threshold: FloatArray
    exp_rate: FloatArray
    capacitance: FloatArray
    threshold_noise: FloatArray
    membrane_noise: FloatArray = 0.0  # type: ignore[assignment]
    lowest: FloatArray = -np.inf  # type: ignore[assignment]
    highest: FloatArray = np.inf  # type: ignore[assignment]

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self)]
        given = [np.atleast_1d(getattr(self, name)) for name in names]
        n = max(values.size for values in given)
        for name, values in zip(names, given, strict=True):
            if values.ndim > 1 or values.size not in (1, n):
                raise ValueError(
                    f"Circuits: {name} of shape {values.shape}, need one number or {n}, as many as "
                    "other parameters have"
                )
            dtype = np.bool_ if name in _FLAGS else np.float64
            stored: npt.NDArray[Any] = np.array(np.broadcast_to(values, n), dtype=dtype)
            self._check_range(name, stored)
            stored.flags.writeable = False
            object.__setattr__(self, name, stored)
        for receptor in ("exc", "inh"):
            range_ = getattr(self, f"reversal_{receptor}") - getattr(
                self, f"coba_reference_{receptor}"
            )
            bad = getattr(self, f"coba_{receptor}") & (range_ == 0.0)
            if bad.any():
                raise ValueError(
                    f"Circuits: coba_reference_{receptor} of circuit {np.argmax(bad)} equals "
                    f"reversal_{receptor}, where the current is zero: move it away"
                )

    @staticmethod
    def _check_range(name: str, values: npt.NDArray[Any]) -> None:
        if name in _FLAGS:
            return
        if name in _POSITIVE:
            good, need = values > 0.0, "> 0"
        elif name in _NOT_NEGATIVE:
            good, need = values >= 0.0, ">= 0"
        else:
            good, need = ~np.isnan(values), "a number"
        if name not in _MAY_BE_INFINITE:
            good = good & np.isfinite(values)
        if not good.all():
            i = int(np.argmin(good))
            raise ValueError(f"Circuits: {name}={values[i]:g} of circuit {i}, need {need}")

    @classmethod
    def ideal(cls, n: int, **parameters: npt.ArrayLike) -> Self:
        """Make ideal integrate-and-fire neurons: linear, without noise, reset at once.

        Parameters
        ----------
        n : int
            Number of circuits.
        **parameters : array_like
            Parameters other than the defaults, which are those of a calibrated chip: leak 80,
            reset 70, threshold 125 LSB, time constants 10 us, refractory period 2 us, and a
            weight of 1 gives a post-synaptic potential of 0.27 LSB.

        Returns
        -------
        Circuits
        """
        defaults: dict[str, Any] = {
            "leak_potential": 80.0,
            "leak_rate": 0.1,
            "leak_saturation": np.inf,
            "current": 0.0,
            "threshold": 125.0,
            "can_spike": True,
            "reset_potential": 70.0,
            "reset_rate": np.inf,
            "refractory_time": 2.0,
            "holdoff_time": 0.0,
            "syn_rate_exc": 0.1,
            "syn_rate_inh": 0.1,
            # With equal time constants the potential peaks at gain tau / e.
            "gain_exc": 0.27 * np.e / 10.0,
            "gain_inh": 0.27 * np.e / 10.0,
            "saturation_exc": np.inf,
            "saturation_inh": np.inf,
            "coba_exc": False,
            "coba_inh": False,
            "reversal_exc": 300.0,
            "reversal_inh": 30.0,
            "coba_reference_exc": 80.0,
            "coba_reference_inh": 80.0,
            "adaptation_a": 0.0,
            "adaptation_b": 0.0,
            "adaptation_rate": 0.0,
            "adaptation_potential": 80.0,
            "exp_slope": 0.0,
            "exp_threshold": 125.0,
            "exp_rate": 0.0,
            "capacitance": 1.0,
            "threshold_noise": 0.0,
            "membrane_noise": 0.0,
        }
        given: dict[str, Any] = defaults | parameters
        # One array tells the number of circuits; numbers stand for all.
        given["can_spike"] = np.broadcast_to(given["can_spike"], n)
        return cls(**given)

    def __len__(self) -> int:
        return self.leak_potential.size

    def __getitem__(self, index: slice | Sequence[int] | npt.NDArray[Any]) -> Self:
        """Select circuits, in the order of the index."""
        return type(self)(**{name: values[index] for name, values in self._items()})

    @classmethod
    def concatenate(cls, parts: Sequence["Circuits"]) -> Self:
        """Put circuits one after the other.

        Parameters
        ----------
        parts : sequence of Circuits
            At least one.

        Returns
        -------
        Circuits
        """
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})

    def merged(self, groups: Sequence[Sequence[int]]) -> Self:
        """Connect membranes: each group of circuits becomes one.

        Currents and capacitances add up. So do the limits of saturating currents, as if all
        circuits of a group were driven alike, and an event into one of them moves the whole
        capacitance. What can't be summed is a mean. The first circuit of a group that can spike
        has its threshold, refractory time and exponential current.

        Parameters
        ----------
        groups : sequence of sequence of int
            Circuits of each group, at least one.

        Returns
        -------
        Circuits
            As many as groups.
        """
        return type(self).concatenate([self[np.asarray(group)]._as_one() for group in groups])

    def _items(self) -> list[tuple[str, npt.NDArray[Any]]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def _as_one(self) -> Self:
        leader = int(np.argmax(self.can_spike))
        share = self.capacitance / self.capacitance.sum()
        one: dict[str, Any] = {name: values[leader] for name, values in self._items()}
        for name in ("leak_rate", "current", "adaptation_a", "adaptation_b", "reset_rate",
                     "saturation_exc", "saturation_inh"):  # fmt: skip
            one[name] = np.sum(share * getattr(self, name))
        for name in ("gain_exc", "gain_inh"):
            one[name] = np.mean(share * getattr(self, name))
        for receptor in ("exc", "inh"):
            # An input that is off has no say.
            strength = np.abs(share * getattr(self, f"gain_{receptor}"))
            rate = f"syn_rate_{receptor}"
            one[rate] = _weighted_mean(getattr(self, rate), strength)
        for name in ("reversal_exc", "reversal_inh", "coba_reference_exc", "coba_reference_inh",
                     "adaptation_rate", "adaptation_potential"):  # fmt: skip
            one[name] = np.mean(getattr(self, name))
        leak = share * self.leak_rate
        one["leak_potential"] = _weighted_mean(self.leak_potential, leak)
        one["leak_saturation"] = _weighted_mean(self.leak_saturation, leak)
        reset = np.where(np.isinf(self.reset_rate), 1.0, share * self.reset_rate)
        one["reset_potential"] = _weighted_mean(self.reset_potential, reset)
        one["exp_rate"] = share[leader] * self.exp_rate[leader]
        one["membrane_noise"] = np.sqrt(np.sum((share * self.membrane_noise) ** 2))
        one["capacitance"] = self.capacitance.sum()
        return type(self)(**one)


def _weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    used = weights > 0.0
    if not used.any():
        return float(np.mean(values))
    return float(np.sum(weights[used] * values[used]) / np.sum(weights[used]))
