"""PyNN's standard cells that the chip can have."""

from collections.abc import Iterable

from pyNN.standardmodels import build_translations, cells

__all__ = ["IF_cond_exp", "IF_curr_exp", "SpikeSourceArray", "SpikeSourcePoisson"]


def _same(names: Iterable[str]) -> dict:
    """Parameters that are kept in PyNN's units."""
    return build_translations(*((name, name) for name in names))


class IF_curr_exp(cells.IF_curr_exp):  # noqa: D101
    __doc__ = cells.IF_curr_exp.__doc__
    recordable = ["spikes", "v"]
    translations = _same(cells.IF_curr_exp.default_parameters)


class IF_cond_exp(cells.IF_cond_exp):  # noqa: D101
    __doc__ = cells.IF_cond_exp.__doc__
    recordable = ["spikes", "v"]
    translations = _same(cells.IF_cond_exp.default_parameters)


class SpikeSourceArray(cells.SpikeSourceArray):  # noqa: D101
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same(cells.SpikeSourceArray.default_parameters)


class SpikeSourcePoisson(cells.SpikeSourcePoisson):  # noqa: D101
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same(cells.SpikeSourcePoisson.default_parameters)
