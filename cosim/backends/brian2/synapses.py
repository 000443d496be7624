"""Synapse types, and what they are to Brian2.

Plasticity acts at the times of spikes: a postsynaptic spike reaches the synapse after the delay,
which is dendritic, a presynaptic one at once, after postsynaptic ones of the same time. What a
synapse sends is evaluated then and arrives after the delay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pyNN import errors
from pyNN.brian2 import simulator
from pyNN.standardmodels import build_translations, synapses

from .in_flight import InFlight, places_needed

#: Synapse types and their parts.
__all__ = [
    "AdditivePotentiationMultiplicativeDepression",
    "AdditiveWeightDependence",
    "GutigWeightDependence",
    "MultiplicativeWeightDependence",
    "STDPMechanism",
    "SpikePairRule",
    "StaticSynapse",
    "TsodyksMarkramSynapse",
]


class Variable(NamedTuple):
    """A variable of a synapse.

    Parameters
    ----------
    unit : str
        Brian2's name of its unit.
    units : float
        How many of PyNN's units the SI unit has: dividing by exact powers of ten brings most
        decimal numbers back as they were.
    """

    unit: str
    units: float = 1.0


NUMBER = Variable("1")
INTEGER = Variable("integer")
MILLISECONDS = Variable("second", 1e3)
#: Brian2's clock step that would compute PyNN's time 0.
TIME_ZERO = -1

#: In the unit that a spike adds to the target, which depends on its cell type.
WEIGHT = Variable("{weight_unit}")


@dataclass(frozen=True)
class Pathway:
    """Code that is run at spikes.

    Parameters
    ----------
    code : str
        Brian2 code; ``{target}`` is the variable of the target that a spike adds to.
    side : {"pre", "post"}
        Whose spikes.
    slot : str
        Slot of the schedule, see `control.SCHEDULE`.
    order : int
        Order within the slot.
    delay : {"none", "dendritic", "transmission"}
        How long after the spike: at once; after the delay; after the delay, from a slot that
        comes before the one in which the spike is found.
    """

    code: str
    side: Literal["pre", "post"]
    slot: str
    order: int
    delay: Literal["none", "dendritic", "transmission"]


def transmission(code: str) -> Pathway:
    """Return a pathway at the arrival of presynaptic spikes."""
    return Pathway(code, "pre", "synapses", 0, "transmission")


def at_post(code: str) -> Pathway:
    """Return a pathway at postsynaptic spikes, as the synapse sees them."""
    return Pathway(code, "post", "end", 0, "dendritic")


def at_pre(code: str) -> Pathway:
    """Return a pathway at presynaptic spikes, after postsynaptic ones of the same time."""
    return Pathway(code, "pre", "end", 1, "none")


@dataclass(frozen=True)
class SynapseModel:
    """Synapse model in Brian2's terms.

    Parameters
    ----------
    parameters : mapping of str to Variable
        What does not change during a run, by PyNN's name.
    state : mapping of str to Variable
        What the code changes, by PyNN's name where it has one; starts at 0 if
        `SynapseTypeMixin.brian2_values` gives no value.
    pathways : mapping of str to Pathway
        What happens at spikes.
    places : int
        How many spikes of a presynaptic cell can be under way at once; 0 if it does not matter.
    post_places : int
        The same of a postsynaptic cell.
    namespace : mapping of str to object
        Brian2 functions that the code uses.
    """

    parameters: Mapping[str, Variable]
    state: Mapping[str, Variable]
    pathways: Mapping[str, Pathway]
    places: int = 0
    post_places: int = 0
    namespace: Mapping[str, Any] = field(default_factory=dict)


class SynapseTypeMixin:
    """What a PyNN synapse type has to say for Brian2; variables keep their PyNN names and units."""

    def brian2_values(self, projection: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters and initial state of all synapses of a projection, in PyNN units.

        Parameters
        ----------
        projection : Projection
            The projection, whose connections exist.
        parameters : mapping of str to float or numpy.ndarray, shape (n,)
            Its realised parameters; delays are multiples of the time step.

        Returns
        -------
        dict of str to float or numpy.ndarray, shape (n,)
            One number stands for all connections.
        """
        return dict(parameters)

    def brian2_model(self, projection: Any) -> SynapseModel:
        """Return equations and code for a projection; called before its first run."""
        raise NotImplementedError

    def derived(self, name: str, projection: Any) -> np.ndarray | None:
        """Return a variable that follows from others of a projection; None if it is not one."""
        return None

    def check_values(self, name: str, values: Mapping[str, Any]) -> None:
        """Refuse values of synapses.

        Parameters
        ----------
        name : str
            Of synapse type and projection, for the error.
        values : mapping of str to float or numpy.ndarray
            All parameters and state variables, in PyNN units.

        Raises
        ------
        pyNN.errors.ConnectionError
            If values are not possible.
        """

    def _get_minimum_delay(self) -> float:
        return simulator.state.default_delay


def refuse(name: str, variable: str, values: Any, allowed: Any, need: str) -> None:
    """Raise an error that names the first value that is not allowed.

    Raises
    ------
    pyNN.errors.ConnectionError
        If `allowed` is not true for all values.
    """
    values, allowed = np.broadcast_arrays(values, allowed)
    wrong = values[~allowed]
    if wrong.size:
        raise errors.ConnectionError(f"{name}: {variable}={wrong.flat[0]:g}, need {need}")


def sending(projection: Any, side: Literal["pre", "post"] = "pre") -> InFlight:
    """Return where a projection keeps what its synapses send until it arrives."""
    longest = float(np.max(projection.delay_steps)) * simulator.state.dt
    return InFlight("sent", places_needed(projection, getattr(projection, side), longest))


def in_flight_state(sent: InFlight) -> dict[str, Variable]:
    """Return the variables for what is under way."""
    return dict.fromkeys(sent.values, WEIGHT) | dict.fromkeys(sent.counters, INTEGER)


class StaticSynapse(SynapseTypeMixin, synapses.StaticSynapse):  # noqa: D101
    __doc__ = synapses.StaticSynapse.__doc__

    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def brian2_model(self, projection: Any) -> SynapseModel:  # noqa: D102
        return SynapseModel(
            parameters={"weight": WEIGHT},
            state={},
            pathways={"send": transmission("{target} += weight")},
        )


# ---- short-term plasticity ---------------------------------------------------------------------

# Exact solution from the last spike to this one: x recovered, y active, z inactive resources. Then
# what the spike releases.
_TSODYKS_MARKRAM = """\
interval = t - t_last
same = int(tau_psc == tau_rec)
decay = exp(-interval/tau_psc)
recovery = expm1(-interval/tau_rec)
both = (recovery*tau_rec - (decay - 1)*tau_psc)/(tau_psc - tau_rec + same*second)
both = (1 - same)*both + same*(1 - decay*(1 + interval/tau_psc))
u = u*int(tau_facil > 0*second)*exp(-interval/(tau_facil + int(tau_facil == 0*second)*second))
x = x + both*y - recovery*(1 - x - y)
y = y*decay
u = u + U*(1 - u)
released = u*x
x = x - released
y = y + released
t_last = t
"""


class TsodyksMarkramSynapse(SynapseTypeMixin, synapses.TsodyksMarkramSynapse):  # noqa: D101
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__

    translations = build_translations(
        ("weight", "weight"),
        ("delay", "delay"),
        ("U", "U"),
        ("tau_rec", "tau_rec"),
        ("tau_facil", "tau_facil"),
    )

    def brian2_values(self, projection: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters and initial state: nothing released, no facilitation."""
        return {
            **parameters,
            "tau_psc": projection._tau_psc(),
            "u": 0.0,
            "x": 1.0,
            "y": 0.0,
            "t_last": -simulator.state.dt,  # PyNN's time 0
        }

    def brian2_model(self, projection: Any) -> SynapseModel:  # noqa: D102
        sent = sending(projection)
        return SynapseModel(
            parameters={
                "weight": WEIGHT,
                "U": NUMBER,
                "tau_rec": MILLISECONDS,
                "tau_facil": MILLISECONDS,
                "tau_psc": MILLISECONDS,
            },
            state={
                "u": NUMBER,
                "x": NUMBER,
                "y": NUMBER,
                "t_last": MILLISECONDS,
                **in_flight_state(sent),
            },
            pathways={
                "send": transmission(sent.arrive + "{target} += sent"),
                "pre": at_pre(_TSODYKS_MARKRAM + sent.send("weight*released")),
            },
            places=sent.places,
        )

    def check_values(self, name: str, values: Mapping[str, Any]) -> None:  # noqa: D102
        for variable in ("U", "u"):
            value = np.asarray(values[variable])
            refuse(name, variable, value, (value >= 0) & (value <= 1), "values in 0 ... 1")
        for variable, allowed, need in (
            ("tau_rec", np.greater, "values > 0 ms"),
            ("tau_facil", np.greater_equal, "values >= 0 ms"),
        ):
            refuse(name, variable, values[variable], allowed(values[variable], 0), need)


# ---- spike-timing-dependent plasticity ---------------------------------------------------------

# `m` is the weight from w_min (0) to w_max (1). Traces are kept as of the last spike.
_AT_POST = """\
m = (weight - w_min)/(w_max - w_min)
trace = x*exp(-(t - pre_spike)/tau_plus)
weight = w_min + clip(m + A_plus*{potentiation}*trace, -inf, 1)*(w_max - w_min)
y = y*exp(-(t - post_spike)/tau_minus) + 1
post_spike = t
"""
# Of a postsynaptic spike at the same time only the potentiation counts.
_AT_PRE = """\
m = (weight - w_min)/(w_max - w_min)
trace = y*exp(-(t - post_spike)/tau_minus) - int(t == post_spike)
weight = w_min + clip(m - A_minus*{depression}*trace, 0, inf)*(w_max - w_min)
x = x*exp(-(t - pre_spike)/tau_plus) + 1
pre_spike = t
"""


class STDPMechanism(SynapseTypeMixin, synapses.STDPMechanism):  # noqa: D101
    __doc__ = synapses.STDPMechanism.__doc__

    base_translations = build_translations(
        ("weight", "weight"),
        ("delay", "delay"),
        ("dendritic_delay_fraction", "dendritic_delay_fraction"),
    )

    def __init__(
        self,
        timing_dependence: Any = None,
        weight_dependence: Any = None,
        voltage_dependence: Any = None,
        dendritic_delay_fraction: float = 1.0,
        weight: Any = 0.0,
        delay: Any = None,
    ) -> None:
        if dendritic_delay_fraction != 1:
            raise ValueError(
                f"STDPMechanism: dendritic_delay_fraction={dendritic_delay_fraction}, need 1: on "
                "Brian2, as on NEST, all delays of plastic synapses are dendritic"
            )
        for part, kind in ((timing_dependence, _TimingRule), (weight_dependence, _WeightRule)):
            if not isinstance(part, kind):
                raise errors.NoModelAvailableError(
                    f"STDPMechanism: no model on Brian2 for {type(part).__name__}; it needs a "
                    "SpikePairRule and one of the weight dependences of this backend"
                )
        if voltage_dependence is not None:
            raise errors.NoModelAvailableError(
                "STDPMechanism: no model on Brian2 with a voltage_dependence; leave it out"
            )
        super().__init__(
            timing_dependence, weight_dependence, None, dendritic_delay_fraction, weight, delay
        )

    def _build_translations(self) -> None:
        # PyNN changes the dictionary of the class.
        self.translations = {
            **self.base_translations,
            **self.timing_dependence.translations,
            **self.weight_dependence.translations,
        }

    def brian2_values(self, projection: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters and initial state: no spikes yet."""
        never = -1000.0
        return {**parameters, "x": 0.0, "y": 0.0, "pre_spike": never, "post_spike": never}

    def brian2_model(self, projection: Any) -> SynapseModel:  # noqa: D102
        sent = sending(projection)
        rule = self.weight_dependence
        return SynapseModel(
            parameters={
                "tau_plus": MILLISECONDS,
                "tau_minus": MILLISECONDS,
                "A_plus": NUMBER,
                "A_minus": NUMBER,
                "w_min": WEIGHT,
                "w_max": WEIGHT,
                **dict.fromkeys(rule.exponents, NUMBER),
            },
            state={
                "weight": WEIGHT,
                "x": NUMBER,
                "y": NUMBER,
                "pre_spike": MILLISECONDS,
                "post_spike": MILLISECONDS,
                **in_flight_state(sent),
            },
            pathways={
                "send": transmission(sent.arrive + "{target} += sent"),
                "post": at_post(_AT_POST.replace("{potentiation}", rule.potentiation)),
                "pre": at_pre(
                    _AT_PRE.replace("{depression}", rule.depression) + sent.send("weight")
                ),
            },
            places=sent.places,
        )

    def check_values(self, name: str, values: Mapping[str, Any]) -> None:  # noqa: D102
        fraction = values["dendritic_delay_fraction"]
        refuse(name, "dendritic_delay_fraction", fraction, np.equal(fraction, 1), "1 on Brian2")
        for variable in ("tau_plus", "tau_minus"):
            tau = np.asarray(values[variable])
            refuse(name, variable, tau, tau > 0, "values > 0 ms")
        weight, low, high = (np.asarray(values[k]) for k in ("weight", "w_min", "w_max"))
        refuse(name, "w_max", high, high != low, "values that differ from w_min")
        refuse(
            name,
            "weight",
            weight,
            (weight - low) * np.sign(high - low) >= 0,
            "values on the same side of w_min as w_max: weight and w_max have the same sign",
        )


class _TimingRule:
    """A timing dependence that Brian2 has."""


class SpikePairRule(_TimingRule, synapses.SpikePairRule):  # noqa: D101
    __doc__ = synapses.SpikePairRule.__doc__

    translations = build_translations(
        ("tau_plus", "tau_plus"),
        ("tau_minus", "tau_minus"),
        ("A_plus", "A_plus"),
        ("A_minus", "A_minus"),
    )


class _WeightRule:
    """A weight dependence that Brian2 has.

    `potentiation` and `depression` are the factors of ``A_plus`` and ``A_minus`` for the weight
    ``m``, which is 0 at ``w_min`` and 1 at ``w_max``.
    """

    translations = build_translations(("w_max", "w_max"), ("w_min", "w_min"))
    potentiation: ClassVar[str]
    depression: ClassVar[str]
    exponents: ClassVar[tuple[str, ...]] = ()


# PyNN's unit of an additive change is w_max.
_ADDITIVE = "w_max/(w_max - w_min)"


class AdditiveWeightDependence(_WeightRule, synapses.AdditiveWeightDependence):  # noqa: D101
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    potentiation = depression = _ADDITIVE


class MultiplicativeWeightDependence(_WeightRule, synapses.MultiplicativeWeightDependence):  # noqa: D101
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    potentiation, depression = "(1 - m)", "m"


class AdditivePotentiationMultiplicativeDepression(  # noqa: D101
    _WeightRule, synapses.AdditivePotentiationMultiplicativeDepression
):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    potentiation, depression = _ADDITIVE, "m"


class GutigWeightDependence(_WeightRule, synapses.GutigWeightDependence):  # noqa: D101
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = {
        **_WeightRule.translations,
        **build_translations(("mu_plus", "mu_plus"), ("mu_minus", "mu_minus")),
    }
    potentiation, depression = "clip(1 - m, 0, 1)**mu_plus", "m**mu_minus"
    exponents = ("mu_plus", "mu_minus")
