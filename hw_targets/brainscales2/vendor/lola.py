"""Stand-in for the vendor's containers of settings."""

from typing import Any

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.pynn import parameters
from hw_targets.brainscales2.pynn.chip_settings import ChipSettings
from hw_targets.brainscales2.vendor.absent import refuse
from hw_targets.brainscales2.vendor.hal import SynapseWeightQuad

__getattr__ = refuse("lola")


class AtomicNeuron(parameters.AtomicNeuron):  # noqa: D101
    __doc__ = parameters.AtomicNeuron.__doc__

    class Readout:
        """What is read of a circuit."""

        Source = parameters.ReadoutSource


class SynapseWeightRow:
    """Weights of one row of synapses, in ``values``, by column."""

    def __init__(self) -> None:
        self.values = _Weights()


class _Weights(list[SynapseWeightQuad.Value]):
    """Weights, checked as they are set."""

    def __init__(self) -> None:
        super().__init__([SynapseWeightQuad.Value()] * limits.N_COLUMNS)

    def __setitem__(self, column: Any, weight: Any) -> None:
        super().__setitem__(column, SynapseWeightQuad.Value(weight))


class Chip(ChipSettings):
    """Settings of a chip for ``setup(initial_config=...)``: those of the emulation.

    They are read by parameter, ``chip["leak_v_leak"]``, and changed by copying,
    ``chip.changed(circuits, leak_v_leak=500)``, or in place:
    ``chip.neuron_block.atomic_neurons[circuit].leak.v_leak = 500``.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"lola.Chip.{name}: the emulation keeps settings by parameter: read them as "
            "chip['leak_v_leak'] and make changed ones with chip.changed(circuits, "
            "leak_v_leak=...)"
        )
