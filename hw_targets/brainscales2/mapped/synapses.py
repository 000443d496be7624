"""PyNN's standard synapses that the chip can have."""

from pyNN.standardmodels import build_translations, synapses

from hw_targets.brainscales2.mapped import simulator


class StaticSynapse(synapses.StaticSynapse):  # noqa: D101
    __doc__ = synapses.StaticSynapse.__doc__
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def _get_minimum_delay(self) -> float:
        return simulator.state.min_delay
