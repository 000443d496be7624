"""Synapse types: weights are whole numbers, there are no delays."""

from collections.abc import Collection
from typing import Any

from pyNN.standardmodels import build_translations
from pyNN.standardmodels import synapses as standard

from hw_targets.brainscales2.pynn.plasticity_rules import (
    NeuronView,
    Observable,
    ObservablePerSynapse,
    PlasticityRule,
    PlasticityRuleHandle,
    Recording,
    SynapseView,
    Timer,
)


class StaticSynapse(standard.StaticSynapse):
    """A synapse of fixed weight.

    Parameters
    ----------
    weight : float, optional
        Weight in LSB, rounded; beyond 63 it takes several synapses in parallel. Negative for
        inhibition of neurons with current-based synapses.
    delay : float, optional
        0: the chip has no delays.
    """

    default_parameters = {"weight": 0.0, "delay": 0.0}
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def _get_minimum_delay(self) -> float:
        return 0.0


class PlasticSynapse(StaticSynapse, PlasticityRuleHandle):
    """A synapse whose weight a plasticity rule changes during a run.

    Parameters
    ----------
    weight : float, optional
        Weight in LSB at the begin of a run, up to 63; negative as for `StaticSynapse`.
    delay : float, optional
        0: the chip has no delays.
    plasticity_rule : PlasticityRule, optional
        The rule.
    """

    def __init__(
        self, weight: Any = 0, delay: Any = 0, plasticity_rule: PlasticityRule | None = None
    ) -> None:
        super().__init__(weight=weight, delay=delay)  # type: ignore[call-arg]
        self.plasticity_rule = plasticity_rule


class _RecordingRule(PlasticityRule):
    """Records weights and correlations."""

    def emulate(
        self, synapses: list[SynapseView], neurons: list[NeuronView], recording: Recording
    ) -> None:
        for view in synapses:
            for name in self.observables:
                view.record(name, getattr(view, name))


class StaticRecordingSynapse(StaticSynapse, PlasticityRuleHandle):
    """A synapse of fixed weight, of which weight and correlations are recorded.

    Parameters
    ----------
    timer : Timer
        When they are recorded.
    weight : float
        Weight in LSB, up to 63; negative as for `StaticSynapse`.
    observables : set of str
        ``weights``, ``correlation_causal``, ``correlation_acausal``.

    Raises
    ------
    ValueError
        If there is no such observable.
    """

    POSSIBLE_OBSERVABLES = ("weights", "correlation_causal", "correlation_acausal")

    def __init__(self, timer: Timer, weight: Any, observables: Collection[str]) -> None:
        recorded = self._checked(observables)
        super().__init__(weight=weight)  # type: ignore[call-arg]
        self._rule = _RecordingRule(timer, recorded)

    @property
    def plasticity_rule(self) -> Any:
        """Rule that records."""
        return self._rule

    @plasticity_rule.setter
    def plasticity_rule(self, rule: Any) -> None:
        raise RuntimeError("Plasticity rule assignment not possible for StaticRecordingSynapse.")

    @property
    def observables(self) -> set[str]:
        """What is recorded."""
        return set(self._rule.observables)

    @observables.setter
    def observables(self, observables: Collection[str]) -> None:
        self._rule.observables = self._checked(observables)

    def _checked(self, observables: Collection[str]) -> dict[str, Observable]:
        unknown = set(observables) - set(self.POSSIBLE_OBSERVABLES)
        if unknown:
            raise ValueError(
                f"StaticRecordingSynapse: observables {sorted(unknown)}, need some of "
                f"{self.POSSIBLE_OBSERVABLES}"
            )
        return {name: ObservablePerSynapse() for name in sorted(observables)}
