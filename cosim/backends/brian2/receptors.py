"""Post-synaptic responses: what a receptor adds to the equations of a cell, and PyNN's classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyNN.standardmodels import receptors

from .model import MICRO, MILLI, NANO, translation
from .propagators import response_alpha, response_exponential


@dataclass(frozen=True)
class Response:
    """One receptor of a cell.

    Parameters
    ----------
    name : str
        Distinguishes its variables from those of other receptors.
    alpha : bool
        Alpha-shaped (a weight is the peak), or exponential.
    conductance : bool
        Whether a weight is a conductance or a current.
    """

    name: str
    alpha: bool
    conductance: bool

    @property
    def signal(self) -> str:
        """Name of the conductance or current."""
        return f"{'g' if self.conductance else 'i'}_{self.name}"

    @property
    def target(self) -> str:
        """Name of the variable that a spike's weight is added to."""
        return f"y_{self.name}" if self.alpha else self.signal

    @property
    def tau(self) -> str:
        """Name of the time constant."""
        return f"tau_syn_{self.name}"

    @property
    def e_rev(self) -> str:
        """Name of the reversal potential."""
        return f"e_rev_{self.name}"

    @property
    def current(self) -> str:
        """Current into the cell, at the potential ``v_bound``."""
        return f"{self.signal}*({self.e_rev} - v_bound)" if self.conductance else self.signal

    @property
    def equations(self) -> str:
        """Brian2 equations."""
        signal, unit, tau = self.signal, "siemens" if self.conductance else "amp", self.tau
        lines = [f"{tau} : second (constant)"]
        if self.conductance:
            lines.append(f"{self.e_rev} : volt (constant)")
        if self.alpha:
            lines += [
                f"d{signal}/dt = (e*{self.target} - {signal})/{tau} : {unit}",
                f"d{self.target}/dt = -{self.target}/{tau} : {unit}",
            ]
        else:
            lines.append(f"d{signal}/dt = -{signal}/{tau} : {unit}")
        return "\n".join(lines)

    # ---- exact solution, of currents -----------------------------------------------------------

    @property
    def propagator_equations(self) -> str:
        """Declarations of what `propagators` returns."""
        lines = [f"decay_{self.name} : 1 (constant)", f"v_from_{self.signal} : ohm (constant)"]
        if self.alpha:
            lines += [f"rise_{self.name} : 1 (constant)", f"v_from_{self.target} : ohm (constant)"]
        return "\n".join(lines)

    @property
    def potential(self) -> str:
        """What the current adds to the potential in one time step."""
        terms = [f"v_from_{self.signal}*{self.signal}"]
        if self.alpha:
            terms.append(f"v_from_{self.target}*{self.target}")
        return " + ".join(terms)

    @property
    def update(self) -> str:
        """Statements that solve the current for one time step."""
        decay = f"decay_{self.name}"
        if not self.alpha:
            return f"{self.signal} = {decay}*{self.signal}"
        return (
            f"{self.signal} = {decay}*{self.signal} + rise_{self.name}*{self.target}\n"
            f"{self.target} = {decay}*{self.target}"
        )

    def propagators(self, parameters: Mapping[str, np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the coefficients of `potential` and `update`; see `model.Propagators`."""
        tau, tau_m = parameters[self.tau], parameters["tau_m"]
        resistance = tau_m / parameters["c_m"]
        decay = np.exp(-dt / tau)
        found = {
            f"decay_{self.name}": decay,
            f"v_from_{self.signal}": resistance * response_exponential(dt, tau, tau_m),
        }
        if self.alpha:
            slope = np.e / tau
            found[f"rise_{self.name}"] = slope * dt * decay
            found[f"v_from_{self.target}"] = resistance * slope * response_alpha(dt, tau, tau_m)
        return found


class _PostSynapticResponse:
    """What Brian2 needs to know of a PyNN response, under the name of its receptor."""

    alpha: bool
    conductance_based: bool
    recordable: list[str]

    def response(self, name: str) -> Response:
        """Return what it adds to the equations."""
        return Response(name, self.alpha, self.conductance_based)

    def translations(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the translations of its parameters."""
        response = self.response(name)
        entries = [(f"{name}.tau_syn", response.tau, MILLI)]
        if response.conductance:
            entries.append((f"{name}.e_syn", response.e_rev, MILLI))
        return translation(*entries)

    def state_variable_translations(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the translations of its state variables."""
        response = self.response(name)
        units = MICRO if response.conductance else NANO
        (variable,) = self.recordable
        return translation((f"{name}.{variable}", response.signal, units))


class CurrExpPostSynapticResponse(  # noqa: D101
    _PostSynapticResponse, receptors.CurrExpPostSynapticResponse
):
    __doc__ = receptors.CurrExpPostSynapticResponse.__doc__
    alpha = False
    recordable = ["isyn"]


class CondExpPostSynapticResponse(  # noqa: D101
    _PostSynapticResponse, receptors.CondExpPostSynapticResponse
):
    __doc__ = receptors.CondExpPostSynapticResponse.__doc__
    alpha = False
    recordable = ["gsyn"]


class CondAlphaPostSynapticResponse(  # noqa: D101
    _PostSynapticResponse, receptors.CondAlphaPostSynapticResponse
):
    __doc__ = receptors.CondAlphaPostSynapticResponse.__doc__
    alpha = True
    recordable = ["gsyn"]


ExpPSR = CondExpPostSynapticResponse
AlphaPSR = CondAlphaPostSynapticResponse
