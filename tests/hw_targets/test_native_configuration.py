"""What only the emulation has: configuration and the vendor's import names."""

import importlib
import importlib.util
import sys
from types import ModuleType

import pytest

from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.pynn import configuration


def test_defaults(pynn):
    found = pynn.configure()
    assert (found.fidelity, found.dt_us) == ("emulated", 0.1)
    assert (found.noise, found.spike_loss) == (True, 0.0)
    assert found.chip.name == Chip.virtual(0).name


def test_environment(pynn, monkeypatch, tmp_path):
    Chip.virtual(5).save(tmp_path / "chip.json")
    for name, value in {
        "CHIP": str(tmp_path / "chip.json"), "FIDELITY": "emulated", "DT_US": "0.2", "NOISE": "0",
        "SPIKE_LOSS": "0.01",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"COSIM_BSS2_{name}", value)
    monkeypatch.setattr(configuration, "_configuration", None)
    found = configuration.configuration()
    assert (found.chip.name, found.dt_us, found.noise, found.spike_loss) == (
        "virtual 5", 0.2, False, 0.01
    )  # fmt: skip
    # An argument has precedence.
    assert pynn.configure(chip=3, noise=True).chip.name == "virtual 3"
    monkeypatch.setenv("COSIM_BSS2_FIDELITY", "ideal")
    assert pynn.configure().is_ideal


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fidelity": "perfect"}, "fidelity='perfect'"),
        ({"dt_us": 0.0}, "dt_us=0.0"),
        ({"dt_us": float("nan")}, "dt_us=nan"),
        ({"spike_loss": 1.1}, "spike_loss=1.1"),
    ],
)
def test_invalid_configurations(pynn, wrong, message):
    with pytest.raises(ValueError, match=message):
        pynn.configure(**wrong)


def test_invalid_environment(pynn, monkeypatch):
    monkeypatch.setenv("COSIM_BSS2_DT_US", "small")
    with pytest.raises(ValueError, match="COSIM_BSS2_DT_US='small'"):
        pynn.configure()


def test_a_configuration_takes_effect_at_the_next_setup(pynn):
    pynn.configure(chip=1)
    pynn.setup()
    pynn.configure(chip=2)
    assert pynn.simulator.state.configuration.chip.name == "virtual 1"
    pynn.setup()
    assert pynn.simulator.state.configuration.chip.name == "virtual 2"


def test_a_chip_object(pynn):
    chip = Chip.virtual(9)
    assert pynn.configure(chip=chip).chip is chip


def test_ideal_circuits_have_no_noise(pynn):
    assert not pynn.configure(fidelity="ideal", noise=True).noise


def test_hardware_is_the_vendors(pynn):
    pynn.configure(fidelity="hardware")
    with pytest.raises(RuntimeError, match="vendor's own PyNN"):
        pynn.setup()
    if importlib.util.find_spec("pynn_brainscales") is None:
        with pytest.raises(ImportError, match="not installed"):
            pynn.install()


def test_names_of_the_vendor(installed):
    vendor = importlib.import_module("pynn_brainscales.brainscales2")
    assert vendor is installed
    package = importlib.import_module("pynn_brainscales")
    for name in ("common", "random", "recording", "errors", "space", "descriptions",
                 "standardmodels", "parameters", "core", "serialization"):  # fmt: skip
        assert getattr(package, name).__name__ == f"pyNN.{name}"
    for name in ("simulator", "helper", "populations", "projections", "recording", "connectors",
                 "plasticity_rules", "standardmodels", "standardmodels.cells",
                 "standardmodels.synapses"):  # fmt: skip
        importlib.import_module(f"pynn_brainscales.brainscales2.{name}")
    scope: dict = {}
    exec(
        "from pynn_brainscales.brainscales2.standardmodels.synapses import StaticSynapse\n"
        "from pynn_brainscales.brainscales2 import Population, helper\n"
        "import pynn_brainscales.brainscales2.simulator as simulator\n",
        scope,
    )
    assert scope["StaticSynapse"] is installed.synapses.StaticSynapse
    assert scope["simulator"] is installed.simulator
    installed.install()


def test_the_vendors_own_is_not_replaced(pynn, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynn_brainscales", ModuleType("pynn_brainscales"))
    with pytest.raises(RuntimeError, match="imported already"):
        pynn.install()


def test_logger(pynn, caplog):
    log = pynn.logger.get("experiment")
    pynn.logger.set_loglevel(log, pynn.logger.LogLevel.INFO)
    log.INFO("calibrating")
    log.debug("not shown")
    assert [(r.name, r.levelname, r.message) for r in caplog.records] == [
        ("experiment", "INFO", "calibrating")
    ]
