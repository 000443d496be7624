"""The vendor's import names for the emulation, so that scripts for the chip run unedited."""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

_VENDOR = "pynn_brainscales"
_OWN = "hw_targets.brainscales2.pynn"

#: Modules under ``pynn_brainscales.brainscales2`` -> modules here.
MODULES = {
    "connectors": "connectors",
    "helper": "helper",
    "morphology": "morphology",
    "morphology.builder": "morphology.builder",
    "morphology.mechanisms": "morphology.mechanisms",
    "morphology.parameters": "morphology.parameters",
    "morphology.parts": "morphology.parts",
    "plasticity_rules": "plasticity_rules",
    "populations": "populations",
    "projections": "projections",
    "recording": "recording",
    "recording_data": "recording_config",
    "simulator": "simulator",
    "standardmodels": "standardmodels",
    "standardmodels.cells": "cells",
    "standardmodels.cells_base": "cells",
    "standardmodels.synapses": "synapses",
}

_LOW_LEVEL = "dlens_vx_v3"
_VENDORS = "hw_targets.brainscales2.vendor"

#: Other modules of the vendor -> stand-ins.
STAND_INS = {
    **{f"{_LOW_LEVEL}.{name}": f"{_VENDORS}.{name}"
       for name in ("hal", "halco", "hxcomm", "lola", "sta")},
    f"{_LOW_LEVEL}.logger": f"{_OWN}.logger",
    "pyhalco_hicann_dls_vx_v3": f"{_VENDORS}.halco",
    "pylola_vx_v3": f"{_VENDORS}.lola",
    # Without its parents: in the vendor's demos they are folders that hold more.
    "_static.common.helpers": f"{_VENDORS}.helpers",
    "_static.common.measure_voltage": f"{_VENDORS}.measure_voltage",
}  # fmt: skip

_PYNN = ("common", "core", "descriptions", "errors", "parameters", "random", "recording",
         "serialization", "space", "standardmodels")  # fmt: skip


def install() -> None:
    """Let ``import pynn_brainscales.brainscales2`` import the emulation in this process.

    Low-level packages of the vendor that scripts import besides are stand-ins then, see
    `hw_targets.brainscales2.vendor`. With the fidelity ``"hardware"`` the vendor's own is left to
    be imported.

    Raises
    ------
    RuntimeError
        If the vendor's own has been imported already.
    ImportError
        With the fidelity ``"hardware"``, if it can't be imported.
    """
    # These import this package.
    from hw_targets.brainscales2.pynn.configuration import configuration
    from hw_targets.brainscales2.vendor.absent import refuse

    if configuration().fidelity == "hardware":
        if importlib.util.find_spec(_VENDOR) is None:
            raise ImportError(
                "fidelity 'hardware' needs the vendor's pynn_brainscales, which is not installed: "
                "see https://github.com/electronicvisions/pynn-brainscales, or configure another "
                "fidelity"
            )
        return
    backend = importlib.import_module(_OWN)
    modules = {f"{_VENDOR}.brainscales2": backend} | {
        f"{_VENDOR}.brainscales2.{name}": importlib.import_module(f"{_OWN}.{own}")
        for name, own in MODULES.items()
    }
    modules |= {name: importlib.import_module(own) for name, own in STAND_INS.items()}
    pynn = {name: importlib.import_module(f"pyNN.{name}") for name in _PYNN}
    modules[_VENDOR] = _package(_VENDOR, brainscales2=backend, **pynn)
    modules[_LOW_LEVEL] = _package(
        _LOW_LEVEL,
        __getattr__=refuse(_LOW_LEVEL),
        **{
            name.removeprefix(f"{_LOW_LEVEL}."): module
            for name, module in modules.items()
            if name.startswith(f"{_LOW_LEVEL}.")
        },
    )
    for name, module in modules.items():
        present = sys.modules.get(name, module)
        if present is not module and not hasattr(present, "__emulated__"):
            raise RuntimeError(
                f"install: {name} of {present.__spec__} has been imported already; call install() "
                "before the first import of it"
            )
    sys.modules.update(modules)


def _package(name: str, **content: Any) -> ModuleType:
    package = ModuleType(name, "The emulation, under the name of the vendor's package.")
    package.__dict__.update(__path__=[], __emulated__=True, **content)
    return package
