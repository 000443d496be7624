"""What cell and synapse types with a plasticity rule have in common."""

from typing import Any


class PlasticityRuleHandle:
    """Base of cell and synapse types that a plasticity rule can act on.

    Parameters
    ----------
    plasticity_rule : PlasticityRule, optional
        The rule.
    """

    def __init__(self, plasticity_rule: Any = None) -> None:
        self.plasticity_rule = plasticity_rule
