"""Parameters of one kind of memristive device."""

import dataclasses
import math
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from devices.checks import refuse, store_integer, store_numbers, store_real
from devices.update import Update

C2CEvent = Literal["write", "pre_spike"]
LevelSpacing = Literal["uniform", "geometric"]
Distribution = Literal["normal", "log-normal"]

# A strength may be None, unknown. Where effects are computed devices are `resolved`, so that type
# checkers need not see it.
if TYPE_CHECKING:
    Strength = float
else:
    Strength = float | None

#: Values at which an effect whose strength may be unknown is off.
OFF: dict[str, float] = {
    "on_off_ratio": math.inf,
    "sigma_d2d_g_max": 0.0,
    "sigma_d2d_g_min": 0.0,
    "sigma_d2d_gain": 0.0,
    "sigma_d2d_step": 0.0,
    "sigma_d2d_asymmetry": 0.0,
    "sigma_c2c": 0.0,
    "sigma_c2c_step": 0.0,
    "sigma_write": 0.0,
    "sigma_read": 0.0,
    "sigma_flicker": 0.0,
    "stuck_on": 0.0,
    "stuck_off": 0.0,
    "stuck_random": 0.0,
    "drift_nu": 0.0,
    "sigma_drift_nu": 0.0,
    "endurance": math.inf,
    "iv_quadratic": 0.0,
    "iv_cubic": 0.0,
}
_STUCK = ("stuck_on", "stuck_off", "stuck_random")
_ELECTRICAL = ("g_max", "v_set", "v_reset", "v_read", "t_set_ns", "t_reset_ns", "t_read_ns",
               "e_set_pj", "e_reset_pj", "e_read_pj")  # fmt: skip


class UnknownParameterError(ValueError):
    """Something is needed that nobody has measured or given."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memristor:
    """Non-idealities of a memristive device; with the defaults every one is off.

    The state of a device runs over its range, from its lowest to its highest conductance.
    ``docs/model_definition.md`` has the meaning of each parameter and the order in which the
    effects act, `devices.effects` computes them.

    Parameters
    ----------
    on_off_ratio : float
        Mean of the highest over mean of the lowest conductance, > 1; `inf`: the lowest is 0.
    g_max : float or None
        Mean of the highest conductance, µS. Needed for currents, energies and wires only.
    n_levels : int or None
        Number of programmable states, >= 2; None: continuous.
    level_spacing : {"uniform", "geometric"}
        Equal differences or, for a finite on-off ratio, equal ratios of the conductance.
    level_means, level_sigmas : tuple of float
        Instead of `level_spacing`: mean of each level as a fraction of the range, ascending, and
        standard deviation of the state in each; as many as levels.
    update : Update
        Response to programming pulses; by default a device takes the wanted state.
    sigma_d2d_g_max, sigma_d2d_g_min : float
        Device-to-device spread of the highest and of the lowest conductance: standard deviation
        relative to the mean, >= 0. With `on_off_ratio=inf` the lowest conductance has no spread.
    sigma_d2d_gain : float
        Device-to-device spread of a factor on both.
    sigma_d2d_step, sigma_d2d_asymmetry : float
        Device-to-device spread of the step of a pulse: of a factor on both directions, and of what
        is added to that factor upwards and subtracted downwards. Need an `update` with pulses.
    g_max_distribution, g_min_distribution, gain_distribution, step_distribution : str
        "normal" or "log-normal". Of a log-normal quantity the nominal value is the median and
        the spread that of its logarithm.
    d2d_truncation : float
        Draws of the bounds' spreads that are more standard deviations away are redrawn, >= 1.
    sigma_c2c : float
        Cycle-to-cycle noise of the state: standard deviation per programming event, or per pulse
        of an `update` with pulses, >= 0, as a fraction of the range.
    c2c_polynomial : tuple of float
        What is added to `sigma_c2c`: coefficients of its polynomial in G/g_max, the constant first;
        standard deviation of G/g_max. ``(0, a)`` is noise proportional to the conductance.
    sigma_c2c_step : float
        What is added per pulse, relative to the step.
    c2c_event : {"write", "pre_spike"}
        What carries `sigma_c2c` and `c2c_polynomial`: every update of the state, or every
        presynaptic spike.
    sigma_write : float
        Write noise of the conductance, not of the state: standard deviation as a fraction of the
        range, drawn anew at every programming event.
    sigma_read : float
        White read noise: relative standard deviation of the conductance per read or transmitted
        spike, >= 0.
    sigma_flicker : float
        1/f read noise, the same; its spectrum is that over the number of the read.
    stuck_on, stuck_off, stuck_random : float
        Fractions of the devices stuck at their highest, at their lowest and at a random
        conductance between, each in [0, 1], together at most 1.
    drift_nu, sigma_drift_nu : float
        Mean and device-to-device standard deviation of the exponent of the power law by which the
        conductance decays after a write.
    drift_t0_s : float
        Time after a write from which it decays, > 0, s.
    endurance : float
        Writes that a device survives: scale of a Weibull distribution, > 0. Then it is stuck.
    endurance_shape : float
        Shape of this distribution, > 0.
    iv_quadratic, iv_cubic : float
        Non-linearity of the read: ``I = G*(V + iv_quadratic*V*abs(V) + iv_cubic*V**3)``, 1/V, 1/V².
    v_set, v_reset, v_read : float or None
        Magnitudes of the voltages of pulses up, down and of a read, V.
    t_set_ns, t_reset_ns, t_read_ns : float or None
        Their durations, ns.
    e_set_pj, e_reset_pj, e_read_pj : float or None
        Their energies, pJ; None: from voltage, conductance and duration.
    unknown_is_off : bool
        Take effects whose strength is None, unknown, for absent. Otherwise they are refused where
        they are needed.

    Raises
    ------
    ValueError
        If a parameter is outside its range or of another type.

    Warns
    -----
    UserWarning
        If there are more levels than the noise of a write can resolve.

    Notes
    -----
    Every strength of an effect may be None: unknown, see `resolved`.
    """

    on_off_ratio: Strength = math.inf
    g_max: float | None = None
    n_levels: int | None = None
    level_spacing: LevelSpacing = "uniform"
    level_means: tuple[float, ...] = ()
    level_sigmas: tuple[float, ...] = ()
    update: Update = Update()
    sigma_d2d_g_max: Strength = 0.0
    sigma_d2d_g_min: Strength = 0.0
    sigma_d2d_gain: Strength = 0.0
    sigma_d2d_step: Strength = 0.0
    sigma_d2d_asymmetry: Strength = 0.0
    g_max_distribution: Distribution = "normal"
    g_min_distribution: Distribution = "normal"
    gain_distribution: Distribution = "normal"
    step_distribution: Distribution = "normal"
    d2d_truncation: float = math.inf
    sigma_c2c: Strength = 0.0
    c2c_polynomial: tuple[float, ...] = ()
    sigma_c2c_step: Strength = 0.0
    c2c_event: C2CEvent = "write"
    sigma_write: Strength = 0.0
    sigma_read: Strength = 0.0
    sigma_flicker: Strength = 0.0
    stuck_on: Strength = 0.0
    stuck_off: Strength = 0.0
    stuck_random: Strength = 0.0
    drift_nu: Strength = 0.0
    sigma_drift_nu: Strength = 0.0
    drift_t0_s: float = 1.0
    endurance: Strength = math.inf
    endurance_shape: float = 1.0
    iv_quadratic: Strength = 0.0
    iv_cubic: Strength = 0.0
    v_set: float | None = None
    v_reset: float | None = None
    v_read: float | None = None
    t_set_ns: float | None = None
    t_reset_ns: float | None = None
    t_read_ns: float | None = None
    e_set_pj: float | None = None
    e_reset_pj: float | None = None
    e_read_pj: float | None = None
    unknown_is_off: bool = False

    def __post_init__(self) -> None:
        """Validate every parameter."""
        self._check_strengths()
        self._check_choices()
        self._check_levels()
        self._warn_of_unresolved_levels()

    @classmethod
    def from_range(cls, g_min: float, g_max: float, **parameters: Any) -> "Memristor":
        """Make a device from its lowest and highest conductance.

        Parameters
        ----------
        g_min, g_max : float
            Mean conductances, µS.
        **parameters
            The others.

        Raises
        ------
        ValueError
            If ``0 <= g_min < g_max`` does not hold, or as `Memristor`.
        """
        if not 0.0 <= g_min < g_max < math.inf:
            raise ValueError(
                f"{cls.__name__}: g_min={g_min} µS, need 0 <= g_min < g_max={g_max} µS: "
                "were they exchanged, or resistances?"
            )
        return cls(g_max=g_max, on_off_ratio=g_max / g_min if g_min else math.inf, **parameters)

    @classmethod
    def named(cls, name: str) -> "Memristor":
        """Return the device of a preset; see `devices.presets`.

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        from devices import presets

        return presets.preset(name).device

    @property
    def ideal(self) -> bool:
        """Whether no non-ideality is on."""
        return (
            self.update.law == "direct"
            and self.n_levels is None
            and not self.c2c_polynomial
            and all(getattr(self, name) == value for name, value in OFF.items())
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the effects whose strength is unknown."""
        return tuple(name for name in OFF if getattr(self, name) is None)

    def resolved(self, *, but: Iterable[str] = ()) -> "Memristor":
        """Return the device for a use that needs all its effects.

        Parameters
        ----------
        but : iterable of str, optional
            Names of effects that are not needed.

        Returns
        -------
        Memristor
            With no strength unknown; what is not needed is off.

        Raises
        ------
        UnknownParameterError
            If effects are unknown and `unknown_is_off` is not set.
        """
        but = set(but)
        unknown = [name for name in self.unknown if name not in but]
        if unknown and not self.unknown_is_off:
            first = unknown[0]
            raise UnknownParameterError(
                f"{type(self).__name__}: unknown for this device: {', '.join(unknown)}; give each "
                f"a value ({first}={OFF[first]:g} is none) or set unknown_is_off=True"
            )
        off: dict[str, Any] = {
            name: OFF[name] for name in {*unknown, *but} if getattr(self, name) != OFF[name]
        }
        return dataclasses.replace(self, **off) if off else self

    def known(self, name: str, purpose: str) -> float:
        """Return a parameter that must be known for a purpose.

        Raises
        ------
        UnknownParameterError
            If it is None.
        """
        value = getattr(self, name)
        if value is None:
            raise UnknownParameterError(
                f"{type(self).__name__}: {name} is unknown and needed for {purpose}; give it a "
                f"value: dataclasses.replace(device, {name}=...)"
            )
        return float(value)

    def _check_strengths(self) -> None:
        for name in OFF:
            value = getattr(self, name)
            if value is None:
                continue
            if name == "on_off_ratio":
                need = "a number > 1, or inf for w_min = 0"
                store_real(self, name, above=1.0, infinite=True, need=need)
            elif name in _STUCK:
                need = "a fraction of the devices in [0, 1]"
                store_real(self, name, least=0.0, most=1.0, need=need)
            elif name == "endurance":
                need = "a number of writes > 0, or inf"
                store_real(self, name, above=0.0, infinite=True, need=need)
            elif name in ("iv_quadratic", "iv_cubic", "drift_nu"):
                store_real(self, name, need="a finite number")
            else:
                store_real(self, name, least=0.0, need="a finite number >= 0")
        stuck = sum(getattr(self, name) or 0.0 for name in _STUCK)
        if stuck > 1.0 + sys.float_info.epsilon:
            parts = ", ".join(f"{name}={getattr(self, name)}" for name in _STUCK)
            raise ValueError(
                f"{type(self).__name__}: stuck_on + stuck_off + stuck_random = {stuck}, need <= 1: "
                f"lower {parts}"
            )
        for name in _ELECTRICAL:
            if getattr(self, name) is not None:
                store_real(self, name, above=0.0, need="a finite number > 0, or None")
        for name in ("drift_t0_s", "endurance_shape"):
            store_real(self, name, above=0.0, need="a finite number > 0")
        need = "at least 1 standard deviation, or inf"
        store_real(self, "d2d_truncation", least=1.0, infinite=True, need=need)
        store_numbers(self, "c2c_polynomial", need="finite coefficients, the constant first")

    def _check_choices(self) -> None:
        if self.c2c_event not in get_args(C2CEvent):
            refuse(self, "c2c_event", "'write' or 'pre_spike'")
        for name in ("g_max", "g_min", "gain", "step"):
            if getattr(self, f"{name}_distribution") not in get_args(Distribution):
                refuse(self, f"{name}_distribution", "'normal' or 'log-normal'")
        if isinstance(self.update, Mapping):  # as it comes from JSON
            object.__setattr__(self, "update", Update(**self.update))
        if not isinstance(self.update, Update):
            refuse(self, "update", "a devices.Update")
        if self.update.law == "direct":
            for name in ("sigma_d2d_step", "sigma_d2d_asymmetry", "sigma_c2c_step"):
                if getattr(self, name):
                    refuse(self, name, "an update with pulses for it: set update.law")
        object.__setattr__(self, "unknown_is_off", bool(self.unknown_is_off))

    def _check_levels(self) -> None:
        need = "ascending fractions of the range in [0, 1], at least two"
        for name in ("level_means", "level_sigmas"):
            store_numbers(self, name, need=need)
        means, sigmas = self.level_means, self.level_sigmas
        if means:
            pairs = zip(means, means[1:], strict=False)
            if len(means) < 2 or not all(0.0 <= a < b <= 1.0 for a, b in pairs):
                refuse(self, "level_means", need)
            if self.n_levels is None:
                object.__setattr__(self, "n_levels", len(means))
            elif self.n_levels != len(means):
                refuse(self, "n_levels", f"None or {len(means)}, as many as level_means")
        if sigmas and (len(sigmas) != len(means) or min(sigmas) < 0.0):
            refuse(self, "level_sigmas", "as many numbers >= 0 as level_means")
        if self.n_levels is not None:
            need = "an integer >= 2, or None for a continuous device"
            store_integer(self, "n_levels", least=2, need=need)
        if self.level_spacing not in get_args(LevelSpacing):
            refuse(self, "level_spacing", "'uniform' or 'geometric'")
        if self.level_spacing == "geometric" and (
            self.n_levels is None or self.on_off_ratio in (None, math.inf) or means
        ):
            refuse(
                self,
                "level_spacing",
                "n_levels, a finite on_off_ratio and no level_means for it",
            )

    def _warn_of_unresolved_levels(self) -> None:
        sigma = self.sigma_c2c or 0.0
        if self.n_levels is None or self.level_means or not sigma:
            return
        # Neighbours two standard deviations apart on either side: 95 % of the writes.
        resolved = int(1.0 + 1.0 / (4.0 * sigma))
        if self.n_levels > max(resolved, 2):
            warnings.warn(
                f"{type(self).__name__}: n_levels={self.n_levels}, but with sigma_c2c={sigma:g} of "
                f"the range a write resolves {max(resolved, 1)} (four standard deviations apart)",
                stacklevel=4,
            )
