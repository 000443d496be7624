"""Standard cells that the chip can have."""

from collections.abc import Iterable

from pyNN.standardmodels import build_translations, cells

from cosim.backends import standardmodels

__all__ = [
    "EIF_cond_exp_isfa_ista",
    "IF_cond_exp",
    "IF_curr_exp",
    "IF_curr_exp_dAP",
    "SpikeSourceArray",
    "SpikeSourcePoisson",
]


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


class EIF_cond_exp_isfa_ista(cells.EIF_cond_exp_isfa_ista):  # noqa: D101
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    recordable = ["spikes", "v"]
    translations = _same(cells.EIF_cond_exp_isfa_ista.default_parameters)


class IF_curr_exp_dAP(standardmodels.IF_curr_exp_dAP):  # noqa: D101, N801
    __doc__ = standardmodels.IF_curr_exp_dAP.__doc__
    recordable = ["spikes", "v", "i_dend", "dAP"]
    translations = _same(standardmodels.IF_curr_exp_dAP.default_parameters)


class SpikeSourceArray(cells.SpikeSourceArray):  # noqa: D101
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same(cells.SpikeSourceArray.default_parameters)


class SpikeSourcePoisson(cells.SpikeSourcePoisson):  # noqa: D101
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same(cells.SpikeSourcePoisson.default_parameters)
