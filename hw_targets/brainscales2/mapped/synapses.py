"""Standard synapses that the chip can have."""

from pyNN.standardmodels import build_translations, synapses

from cosim.backends import standardmodels
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.memristive import PlasticDevices


class StaticSynapse(synapses.StaticSynapse):  # noqa: D101
    __doc__ = synapses.StaticSynapse.__doc__
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def _get_minimum_delay(self) -> float:
        return simulator.state.min_delay


class _Memristive(standardmodels.MemristivePlasticity):
    def _get_minimum_delay(self) -> float:
        return simulator.state.min_delay


def _translations(kind: type[standardmodels.MemristivePlasticity]) -> dict:
    names = dict.fromkeys((*kind.default_parameters, "weight", *PlasticDevices.STATE))
    return build_translations(*((name, name) for name in names))


class MemristiveSTDP(_Memristive, standardmodels.MemristiveSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveSTDP.__doc__
    translations = _translations(standardmodels.MemristiveSTDP)


class MemristiveStructuralSTDP(_Memristive, standardmodels.MemristiveStructuralSTDP):  # noqa: D101
    __doc__ = standardmodels.MemristiveStructuralSTDP.__doc__
    translations = _translations(standardmodels.MemristiveStructuralSTDP)


class MemristiveSynapse(standardmodels.MemristiveSynapse):  # noqa: D101
    __doc__ = standardmodels.MemristiveSynapse.__doc__
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def _get_minimum_delay(self) -> float:
        return simulator.state.min_delay
