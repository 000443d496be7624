"""Mechanisms of a compartment that `CompartmentBuilder` builds.

Potentials are in LSB of the CADC, times in s and capacitances in F, as the vendor's mechanisms have
them (pygrenade_vx, network/abstract/multicompartment/mechanisms.py).
"""

from typing import Any, ClassVar

__all__ = [
    "ConductanceBasedSynapse", "CurrentBasedSynapse", "Fire", "Leak", "MembraneCapacitance",
]  # fmt: skip


class Mechanism:
    """Base of mechanisms.

    Parameters
    ----------
    **parameters : float
        Parameters by name, in the units of the mechanism.

    Attributes
    ----------
    observable : str or None
        What recording the mechanism records: ``spikes`` or an analog variable of the circuits.
    """

    observable: str | None = None
    #: Parameter -> target of the calibration, and the factor to its unit.
    targets: ClassVar[dict[str, tuple[str, float]]] = {}

    def __init__(self, **parameters: float) -> None:
        # As floats: the type of a default is the type of the neuron's parameter.
        self.parameters = {name: float(value) for name, value in parameters.items()}

    def circuit_targets(self) -> dict[str, tuple[str, float]]:
        """Return for each parameter the calibration's target, and the factor to its unit."""
        return self.targets


class MembraneCapacitance(Mechanism):
    """Capacitance of the membrane; recording it records the membrane's potential.

    Parameters
    ----------
    capacitance : float, optional
        In F; one circuit has up to 2.2e-12.
    """

    observable = "v"

    def __init__(self, capacitance: float = 0.0) -> None:
        super().__init__(capacitance=capacitance)


class Leak(Mechanism):
    """Leak.

    Parameters
    ----------
    v_leak : float, optional
        Resting potential, 50-160. Its default is assumed.
    tau_mem : float, optional
        Membrane time constant in s, 0.5e-6 to 60e-6. Its default is assumed.
    """

    targets = {"v_leak": ("leak", 1.0), "tau_mem": ("tau_mem", 1e6)}

    def __init__(self, v_leak: float = 80.0, tau_mem: float = 10e-6) -> None:
        super().__init__(v_leak=v_leak, tau_mem=tau_mem)


class Fire(Mechanism):
    """Threshold and reset; recording it records spikes.

    Parameters
    ----------
    v_threshold : float, optional
        Threshold, 50-220.
    v_reset : float, optional
        Reset potential, 50-160.
    tau_ref : float, optional
        Refractory time in s, 0.04e-6 to 32e-6.
    holdoff_time : float, optional
        Part of it, in s, in which the reset is released; up to 4e-6.
    """

    observable = "spikes"
    targets = {
        "v_threshold": ("threshold", 1.0),
        "v_reset": ("reset", 1.0),
        "tau_ref": ("refractory_time", 1e6),
        "holdoff_time": ("holdoff_time", 1e6),
    }

    def __init__(
        self,
        v_threshold: float = 110.0,
        v_reset: float = 60.0,
        tau_ref: float = 5e-6,
        holdoff_time: float = 1e-6,
    ) -> None:
        super().__init__(
            v_threshold=v_threshold, v_reset=v_reset, tau_ref=tau_ref, holdoff_time=holdoff_time
        )


class Synapse(Mechanism):
    """Base of synaptic inputs.

    Parameters
    ----------
    receptor_type : str
        ``excitatory`` or ``inhibitory``.
    **parameters : float
        Parameters.

    Raises
    ------
    RuntimeError
        If there is no such receptor.
    """

    conductance_based: ClassVar[bool]

    def __init__(self, receptor_type: str, **parameters: float) -> None:
        if receptor_type not in ("excitatory", "inhibitory"):
            raise RuntimeError(
                f"{type(self).__name__}: receptor_type={receptor_type!r}; only excitatory and "
                "inhibitory synapses are supported"
            )
        super().__init__(**parameters)
        self.receptor_type = receptor_type
        self.observable = f"{self._short}_synin"

    @property
    def _short(self) -> str:
        return self.receptor_type[:3]

    def circuit_targets(self) -> dict[str, tuple[str, float]]:  # noqa: D102
        return {
            "strength": (f"i_synin_gm_{self._short}", 1.0),
            "time_constant": (f"tau_syn_{self._short}", 1e6),
            "global_strength": ("synapse_dac_bias", 1.0),
        }


class CurrentBasedSynapse(Synapse):
    """Current-based synaptic input; recording it records the input's voltage.

    Parameters
    ----------
    receptor_type : str, optional
        ``excitatory`` or ``inhibitory``.
    strength : float, optional
        Strength, 30-800.
    time_constant : float, optional
        Synaptic time constant in s, 0.3e-6 to 30e-6.
    global_strength : float, optional
        Bias of the synapses' current, 30-1022; the same for all neurons of the chip.
    """

    conductance_based = False

    def __init__(
        self,
        receptor_type: str = "excitatory",
        *,
        strength: float = 500.0,
        time_constant: float = 10e-6,
        global_strength: float = 600.0,
    ) -> None:
        super().__init__(
            receptor_type,
            strength=strength,
            time_constant=time_constant,
            global_strength=global_strength,
        )


class ConductanceBasedSynapse(Synapse):
    """Conductance-based synaptic input; recording it records the input's voltage.

    Parameters
    ----------
    receptor_type : str, optional
        ``excitatory`` or ``inhibitory``.
    strength : float, optional
        Strength, 30-800.
    potential : float, optional
        Reversal potential, 25-355. The default is the vendor's, which is out of range.
    reference : float, optional
        Potential, 60-160, where the input is as strong as a current-based one. The default is the
        vendor's, which is out of range.
    time_constant : float, optional
        Synaptic time constant in s, 0.3e-6 to 30e-6.
    global_strength : float, optional
        Bias of the synapses' current, 30-1022; the same for all neurons of the chip.
    """

    conductance_based = True

    def __init__(
        self,
        receptor_type: str = "excitatory",
        *,
        strength: float = 500.0,
        potential: float = 800.0,
        reference: float = 400.0,
        time_constant: float = 10e-6,
        global_strength: float = 600.0,
    ) -> None:
        super().__init__(
            receptor_type,
            strength=strength,
            potential=potential,
            reference=reference,
            time_constant=time_constant,
            global_strength=global_strength,
        )

    def circuit_targets(self) -> dict[str, tuple[str, Any]]:  # noqa: D102
        return {
            **super().circuit_targets(),
            "potential": (f"e_coba_reversal_{self._short}", 1.0),
            "reference": ("e_coba_reference", 1.0),
        }
