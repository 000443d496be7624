"""Parameters of a device's response to pulses."""

import dataclasses
from typing import TYPE_CHECKING, Literal, get_args

from devices.checks import refuse, store_numbers, store_real

# None where there are no pulses; type checkers need not see it.
if TYPE_CHECKING:
    Step = float
else:
    Step = float | None

Law = Literal["direct", "linear", "exponential", "power", "piecewise"]

# A train over the whole range has at most a million pulses.
SMALLEST_STEP = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Update:
    """How a programming pulse changes the state, which is taken from 0 to 1 here.

    One pulse up changes the state `s` by ``step_up * f_up(s)``, one pulse down by
    ``-step_down * f_down(s)``; the device then stays in its bounds. With ``law="direct"`` there
    are no pulses: a programming event takes the state to the wanted one.

    =============  ====================================  =======================================
    law            f_up(s)                               f_down(s)
    =============  ====================================  =======================================
    linear         ``1 - slope_up*s``                    ``1 - slope_down*(1 - s)``
    exponential    ``max(1 - amplitude_up                ``max(1 - amplitude_down
                   *exp(rate_up*s), 0)``                 *exp(rate_down*(1 - s)), 0)``
    power          ``(1 - s)**exponent_up``              ``s**exponent_down``
    piecewise      ``nodes_up``, equidistant over s,     ``nodes_down``
                   linearly interpolated
    =============  ====================================  =======================================

    Linear with slopes of 1 are soft bounds (Fusi and Abbott 2007, doi:10.1038/nn1859, whose
    general form is the power law); with slopes of 0 the step is constant. The exponential step is
    that of Gong et al. 2018, doi:10.1038/s41467-018-04485-1.

    Parameters
    ----------
    law : {"direct", "linear", "exponential", "power", "piecewise"}
        Which law.
    step_up, step_down : float
        Nominal step, as a fraction of the range of the state, in [1e-6, 1]; unless direct.
    slope_up, slope_down : float
        Loss of step over the range, at most 1.
    amplitude_up, amplitude_down : float
        Amplitudes of the exponential law, of any sign.
    rate_up, rate_down : float
        Rates of the exponential law, of any sign.
    exponent_up, exponent_down : float
        Exponents of the power law, >= 0.
    nodes_up, nodes_down : tuple of float
        At least two values >= 0 each.

    Raises
    ------
    ValueError
        If a parameter is outside its range or of another type, or one of another law is given.
    """

    law: Law = "direct"
    step_up: Step = None  # type: ignore[assignment]
    step_down: Step = None  # type: ignore[assignment]
    slope_up: float = 0.0
    slope_down: float = 0.0
    amplitude_up: float = 0.0
    amplitude_down: float = 0.0
    rate_up: float = 0.0
    rate_down: float = 0.0
    exponent_up: float = 0.0
    exponent_down: float = 0.0
    nodes_up: tuple[float, ...] = ()
    nodes_down: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Validate every parameter."""
        if self.law not in get_args(Law):
            refuse(self, "law", f"one of {', '.join(get_args(Law))}")
        for name in ("nodes_up", "nodes_down"):
            store_numbers(self, name, need="at least two numbers >= 0")
        self._refuse_other_laws()
        if self.law == "direct":
            return
        for name in ("step_up", "step_down"):
            need = f"a fraction of the range in [{SMALLEST_STEP:g}, 1]"
            store_real(self, name, least=SMALLEST_STEP, most=1.0, need=need)
        for name in ("slope_up", "slope_down"):
            store_real(self, name, most=1.0, need="a number <= 1, or pulses act backwards")
        for name in ("amplitude_up", "amplitude_down", "rate_up", "rate_down"):
            store_real(self, name, need="a finite number")
        for name in ("exponent_up", "exponent_down"):
            store_real(self, name, least=0.0, need="a finite number >= 0")
        for name in ("nodes_up", "nodes_down"):
            nodes = getattr(self, name)
            if min(nodes, default=0.0) < 0 or (self.law == "piecewise" and len(nodes) < 2):
                refuse(self, name, "at least two numbers >= 0")

    def _refuse_other_laws(self) -> None:
        owners = {"slope": "linear", "amplitude": "exponential", "rate": "exponential",
                  "exponent": "power", "nodes": "piecewise"}  # fmt: skip
        for item in dataclasses.fields(self):
            prefix = item.name.partition("_")[0]
            foreign = self.law == "direct" if prefix == "step" else self.law != owners.get(prefix)
            if item.name != "law" and foreign and getattr(self, item.name) != item.default:
                need = "a law with pulses" if prefix == "step" else f"law={owners[prefix]!r}"
                refuse(self, item.name, f"{need} for it, or leave it out of law={self.law!r}")
