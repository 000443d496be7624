"""Explicit Runge-Kutta methods with a fixed step, as integration methods of Brian2."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import brian2
from brian2.equations.equations import PARAMETER, SUBEXPRESSION
from brian2.utils.stringtools import word_substitute


@dataclass(frozen=True)
class Tableau:
    """Coefficients of a Runge-Kutta method, as fractions; "" is 0.

    Parameters
    ----------
    stages : tuple of tuple of str
        Weights of the earlier slopes in the state at which each slope is taken.
    weights : tuple of str
        Weights of the slopes in the result.
    """

    stages: tuple[tuple[str, ...], ...]
    weights: tuple[str, ...]


#: Fehlberg 1969, NASA TR R-315, table III: the fifth-order result, which NEST's solver takes, too.
FEHLBERG = Tableau(
    (
        (),
        ("1.0/4",),
        ("3.0/32", "9.0/32"),
        ("1932.0/2197", "-7200.0/2197", "7296.0/2197"),
        ("439.0/216", "-8.0", "3680.0/513", "-845.0/4104"),
        ("-8.0/27", "2.0", "-3544.0/2565", "1859.0/4104", "-11.0/40"),
    ),
    ("16.0/135", "", "6656.0/12825", "28561.0/56430", "-9.0/50", "2.0/55"),
)

#: The classical method of fourth order. None of its weights is negative: what explodes, explodes
#: in the right direction.
RUNGE_KUTTA = Tableau(
    ((), ("0.5",), ("", "0.5"), ("", "", "1.0")), ("1.0/6", "1.0/3", "1.0/3", "1.0/6")
)


def explicit(
    tableau: Tableau, *, before: str = "", substeps: int = 1, after_substep: str = ""
) -> Callable[..., str]:
    """Return an integration method for `brian2.NeuronGroup`.

    Parameters
    ----------
    tableau : Tableau
        The method.
    before : str
        Statements that come first.
    substeps : int
        Into how many equal steps to divide the time step.
    after_substep : str
        Statements that come after each of them.

    Returns
    -------
    callable
        Makes the code of one time step from `brian2.Equations`, which may not depend on time.
    """

    def method(equations: brian2.Equations, *_: Any, **__: Any) -> str:
        expressions = {eq.varname: eq.expr.code for eq in equations.ordered if eq.type != PARAMETER}
        auxiliary = {eq.varname for eq in equations.ordered if eq.type == SUBEXPRESSION}
        states = [name for name in expressions if name not in auxiliary]
        local = {name: f"_{name}_now" for name in expressions}
        step = "dt" if substeps == 1 else f"(dt/{substeps})"
        code = [before]
        for _substep in range(substeps):
            for number, row in enumerate(tableau.stages):
                code += [f"{local[name]} = {_combination(name, row)}" for name in states]
                for name, expression in expressions.items():
                    value = word_substitute(expression, local)
                    code.append(
                        f"{local[name]} = {value}"
                        if name in auxiliary
                        else f"_{name}_k{number} = {step}*({value})"
                    )
            code += [f"{name} = {_combination(name, tableau.weights)}" for name in states]
            code.append(after_substep)
        return "\n".join(code)

    return method


def _combination(state: str, coefficients: tuple[str, ...]) -> str:
    terms = [f" + ({c})*_{state}_k{k}" for k, c in enumerate(coefficients) if c]
    return state + "".join(terms)
