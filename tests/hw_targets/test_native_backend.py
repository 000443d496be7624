"""The native API as a backend: seeds are chips."""

import pytest

import cosim
from hw_targets.brainscales2 import native
from hw_targets.brainscales2.pynn import configuration

NAME = "hw_targets.brainscales2.native"


def test_seed_is_the_chip_whatever_the_environment_says(pynn, monkeypatch):
    monkeypatch.setenv("COSIM_BSS2_FIDELITY", "ideal")
    monkeypatch.setenv("COSIM_BSS2_SPIKE_LOSS", "0.5")
    monkeypatch.setenv("COSIM_BSS2_NOISE", "0")
    native.setup(timestep=0.1, min_delay="auto", threads=1, rng_seed=7)
    chosen = configuration.configuration()
    assert chosen.chip.seed == 7
    assert (chosen.fidelity, chosen.dt_us, chosen.noise, chosen.spike_loss) == (
        "emulated", 0.1, True, 0.0
    )  # fmt: skip


def test_second_setup_keeps_chip_and_takes_the_vendors_options(pynn):
    native.setup(rng_seed=7)
    chip = configuration.configuration().chip
    native.setup(neuronPermutation=[5])
    native.Population(1, native.cells.HXNeuron())
    native.run(None, native.RunCommand.PREPARE)
    assert configuration.configuration().chip is chip
    assert pynn.simulator.state.mapping.circuits.tolist() == [5]
    with pytest.raises(KeyError, match="unknown_option"):
        native.setup(unknown_option=1)


def test_all_else_is_the_vendors(pynn):
    assert cosim.backend(NAME) is native
    for name in set(pynn.__all__) - {"setup"}:
        assert getattr(native, name) is getattr(pynn, name)
    with pytest.raises(AttributeError, match="no_such_name"):
        native.no_such_name  # noqa: B018


def test_one_thread(pynn):
    with pytest.raises(ValueError, match="threads=2, need 1"):
        native.setup(rng_seed=1, threads=2)
