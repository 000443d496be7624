"""Parameters of the plastic synapses and their published or chosen values."""

import dataclasses
from typing import Literal, NamedTuple, get_args

from models.sequence_learning.checks import check, check_not_negative, check_positive
from models.sequence_learning.task import Task

Rule = Literal["permanence", "binary", "analog"]


class Rates(NamedTuple):
    """Steps of the synaptic state relative to its range."""

    lambda_plus: float
    lambda_minus: float
    lambda_h: float


# permanence: Bouhadjar et al. (2022), doi:10.1371/journal.pcbi.1010233; lambda_minus as in the
#   authors' code: 0.0063 (set II) and 0.0058 (set III) where the paper prints 0.0061 and 0.0057.
# binary: of the same size as there. Its constant increment is the value that the trace gives it
#   at the pairing of consecutive elements, exp(-(40 + 2) / 20) = 0.1225 of lambda_plus.
# analog: set I found by a scan, studies/analog_rates.py and docs/analog_device.md; set II from the
#   supplementary comparison with weight-based plasticity of the 2022 model, lambda_plus converted
#   likewise.
RATES: dict[tuple[Rule, str], Rates] = {
    ("permanence", "I"): Rates(0.08, 0.0015, 0.014),
    ("permanence", "II"): Rates(0.28, 0.0063, 0.024),
    ("permanence", "III"): Rates(0.39, 0.0058, 0.034),
    ("binary", "I"): Rates(0.0098, 0.0015, 0.014),
    ("binary", "II"): Rates(0.0343, 0.0063, 0.024),
    ("binary", "III"): Rates(0.0478, 0.0058, 0.034),
    ("analog", "I"): Rates(0.02, 0.003, 0.02),
    ("analog", "II"): Rates(0.0527, 0.00588, 0.03),
}


@dataclasses.dataclass(frozen=True)
class Plasticity:
    """Plasticity of the synapses between excitatory neurons.

    The state of a synapse, its permanence, starts at a random value that is also its floor.

    Parameters
    ----------
    rule : {"permanence", "binary", "analog"}
        ``"permanence"``: the structural plasticity of Bouhadjar et al. (2022), potentiation
        proportional to a presynaptic trace. ``"binary"`` and ``"analog"``: the rules for abruptly
        and gradually switching ReRAM of Bouhadjar et al. (2023), constant potentiation of a hidden
        permanence or of the weight itself.
    lambda_plus, lambda_minus, lambda_h : float, optional
        Potentiation, depression and homeostasis, relative to the range of the state. None: from
        `RATES` for the rule and the sequence set; other sets than I, II and III use those of I.
    z_target : float
        Target of the dAP trace.
    tau_plus : float
        Time constant of the presynaptic trace, ms; used by rule ``"permanence"`` only.
    dt_min, dt_max : float
        Potentiation window, ms. `dt_max` None: twice the element interval for ``"permanence"``,
        50 ms for the others.
    theta_p, p_max : float
        Maturity threshold and upper limit of the permanence; not used by ``"analog"``, whose
        state goes from 0 to 1.
    p_init_min, p_init_max : float
        Bounds of the uniform distribution of the initial state. `p_init_max` None: 8, for
        ``"analog"`` 1 / 12.98 (up to 1 pA of the 12.98 pA of a mature synapse).

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    rule: Rule = "permanence"
    lambda_plus: float | None = None
    lambda_minus: float | None = None
    lambda_h: float | None = None
    z_target: float = 1.0
    tau_plus: float = 20.0
    dt_min: float = 4.0
    dt_max: float | None = None
    theta_p: float = 10.0
    p_max: float = 20.0
    p_init_min: float = 0.0
    p_init_max: float | None = None

    def __post_init__(self) -> None:
        """Validate what does not depend on other parameters."""
        check(
            self.rule in get_args(Rule),
            self,
            "rule",
            self.rule,
            f"one of {', '.join(get_args(Rule))}",
        )
        check_not_negative(self, "lambda_plus", "lambda_minus", "lambda_h", "z_target")
        check_not_negative(self, "dt_min", "p_init_min", "p_init_max")
        check_positive(self, "tau_plus", "dt_max", "theta_p", "p_max")
        check(
            self.theta_p < self.p_max,
            self,
            "theta_p",
            self.theta_p,
            f"less than p_max={self.p_max}, or no synapse can become mature",
        )

    @property
    def state_max(self) -> float:
        """Upper limit of the state under this rule."""
        return 1.0 if self.rule == "analog" else self.p_max

    @property
    def maturity_threshold(self) -> float:
        """State above which a synapse counts as mature; for ``"analog"`` half its range."""
        return 0.5 if self.rule == "analog" else self.theta_p

    def resolved(self, task: Task) -> "Plasticity":
        """Return a copy in which every None is replaced by the default for this task.

        Parameters
        ----------
        task : Task
            Its sequence set selects the rates, its element interval the potentiation window.

        Returns
        -------
        Plasticity
            Without any None.

        Raises
        ------
        ValueError
            If no default exists for this rule and set, or bounds contradict each other.
        """
        defaults: dict[str, float] = {
            "dt_max": 2 * task.delta_t if self.rule == "permanence" else 50.0,
            "p_init_max": 1 / 12.98 if self.rule == "analog" else 8.0,
            **self._default_rates(task),
        }
        values = {
            name: default for name, default in defaults.items() if getattr(self, name) is None
        }
        result = dataclasses.replace(self, **values)  # type: ignore[arg-type]
        result._check_bounds()
        return result

    def _default_rates(self, task: Task) -> dict[str, float]:
        names = [name for name in Rates._fields if getattr(self, name) is None]
        if not names:
            return {}
        published = task.sequence_set in ("I", "II", "III")
        sequence_set = str(task.sequence_set) if published else "I"
        check(
            (self.rule, sequence_set) in RATES,
            self,
            names[0],
            None,
            f"a number: there is no default for rule {self.rule!r} on sequence set {sequence_set}",
        )
        return RATES[self.rule, sequence_set]._asdict()

    def _check_bounds(self) -> None:
        assert self.dt_max is not None and self.p_init_max is not None
        check(
            self.dt_min < self.dt_max,
            self,
            "dt_min",
            self.dt_min,
            f"less than dt_max={self.dt_max}",
        )
        check(
            self.p_init_min <= self.p_init_max,
            self,
            "p_init_min",
            self.p_init_min,
            f"at most p_init_max={self.p_init_max}",
        )
        check(
            self.p_init_max <= self.state_max,
            self,
            "p_init_max",
            self.p_init_max,
            f"at most {self.state_max}, the largest state under rule {self.rule!r}",
        )
