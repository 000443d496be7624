"""Parameters of one kind of memristive device."""

import dataclasses
import math
import sys
from numbers import Integral, Real
from typing import Literal, NoReturn, get_args

C2CEvent = Literal["write", "pre_spike"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memristor:
    """Non-idealities of a memristive device; with the defaults every one is off.

    Numbers are stored as plain `int` and `float`, so that equal devices have equal hashes and
    equal JSON whatever numeric type they were made from.

    Parameters
    ----------
    on_off_ratio : float
        Mean of the highest over mean of the lowest conductance, > 1; `inf`: the lowest is 0.
    n_levels : int or None
        Number of equidistant programmable states, >= 2; None: continuous.
    sigma_d2d_g_max, sigma_d2d_g_min : float
        Device-to-device spread of the highest and of the lowest conductance: standard deviation
        relative to the mean, >= 0. With `on_off_ratio=inf` the lowest conductance has no spread.
    sigma_c2c : float
        Cycle-to-cycle (write) noise: standard deviation per programming event, >= 0, in units of
        the full range of the state, `P_max`.
    c2c_event : {"write", "pre_spike"}
        What carries the write noise: every update of the state, or every presynaptic spike.
    sigma_read : float
        Read noise: relative standard deviation of the weight per transmitted spike, >= 0.
    stuck_on, stuck_off : float
        Fractions of the devices stuck at their highest and at their lowest conductance, each in
        [0, 1], together at most 1.

    Raises
    ------
    ValueError
        If a parameter is outside its range or of another type.
    """

    on_off_ratio: float = math.inf
    n_levels: int | None = None
    sigma_d2d_g_max: float = 0.0
    sigma_d2d_g_min: float = 0.0
    sigma_c2c: float = 0.0
    c2c_event: C2CEvent = "write"
    sigma_read: float = 0.0
    stuck_on: float = 0.0
    stuck_off: float = 0.0

    def __post_init__(self) -> None:
        """Validate every parameter."""
        self._real("on_off_ratio", above=1.0, need="a number > 1, or inf for w_min = 0")
        for name in ("sigma_d2d_g_max", "sigma_d2d_g_min", "sigma_c2c", "sigma_read"):
            self._real(name, least=0.0, most=sys.float_info.max, need="a finite number >= 0")
        for name in ("stuck_on", "stuck_off"):
            self._real(name, least=0.0, most=1.0, need="a fraction of the devices in [0, 1]")
        if self.stuck_on + self.stuck_off > 1.0:
            raise ValueError(
                f"Memristor: stuck_on + stuck_off = {self.stuck_on + self.stuck_off}, "
                f"need <= 1: lower stuck_on={self.stuck_on} or stuck_off={self.stuck_off}"
            )
        if self.n_levels is not None:
            if not _is_number(self.n_levels, Integral) or self.n_levels < 2:
                self._refuse("n_levels", "an integer >= 2, or None for a continuous device")
            object.__setattr__(self, "n_levels", int(self.n_levels))
        if self.c2c_event not in get_args(C2CEvent):
            self._refuse("c2c_event", "'write' or 'pre_spike'")

    @property
    def ideal(self) -> bool:
        """Whether no non-ideality is on."""
        return dataclasses.replace(self, c2c_event="write") == Memristor()

    def _real(
        self,
        name: str,
        *,
        need: str,
        above: float = -math.inf,
        least: float = -math.inf,
        most: float = math.inf,
    ) -> None:
        value = getattr(self, name)
        # Written so that NaN, for which every comparison is false, is refused.
        if not (_is_number(value, Real) and value > above and least <= value <= most):
            self._refuse(name, need)
        object.__setattr__(self, name, float(value))

    def _refuse(self, name: str, need: str) -> NoReturn:
        raise ValueError(f"Memristor: {name}={getattr(self, name)!r}, need {need}")


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
