"""The native API of the emulated BrainScaleS-2, fresh for each test."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import hw_targets.brainscales2.pynn as native
from hw_targets.brainscales2.pynn import configuration


@pytest.fixture
def pynn(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module, configured for virtual chip 1 without noise, without a network."""
    monkeypatch.setattr(configuration, "_configuration", None)
    monkeypatch.setattr(native.simulator, "state", None)
    for name in ("CHIP", "FIDELITY", "DT_US", "NOISE", "SPIKE_LOSS"):
        monkeypatch.delenv(f"COSIM_BSS2_{name}", raising=False)
    native.configure(chip=1, noise=False)
    yield native


@pytest.fixture
def ideal(pynn: ModuleType) -> ModuleType:
    """The module, configured for exact circuits, with a network to fill."""
    pynn.configure(fidelity="ideal")
    pynn.setup()
    return pynn


@pytest.fixture
def installed(pynn: ModuleType) -> Iterator[ModuleType]:
    """The module under the vendor's name."""
    install = importlib.import_module(f"{pynn.__name__}.install")
    vendors = ("pynn_brainscales", *(name.partition(".")[0] for name in install.STAND_INS))
    before = {name: module for name, module in sys.modules.items() if name.startswith(vendors)}
    pynn.install()
    yield pynn
    for name in [name for name in sys.modules if name.startswith(vendors)]:
        del sys.modules[name]
    sys.modules.update(before)
