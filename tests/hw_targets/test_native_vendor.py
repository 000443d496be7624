"""The vendor's low-level names that scripts touch."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.settings import Settings
from hw_targets.brainscales2.vendor import hal, halco, helpers, hxcomm, lola, sta

RANGED = {
    hal.Timer.Value: 2**32 - 1,
    hal.SynapseWeightQuad.Value: 63,
    hal.CapMemCell.Value: 1022,
    halco.NeuronColumnOnDLS: 255,
    halco.NeuronRowOnDLS: 1,
    halco.SynramOnDLS: 1,
    halco.CommonNeuronBackendConfigOnDLS: 1,
    halco.TimerOnDLS: 0,
}


# ---- import names ------------------------------------------------------------------------------


def test_import_names(installed):
    scope: dict = {}
    exec(
        "from dlens_vx_v3 import hal, halco, hxcomm, lola, sta, logger\n"
        "import dlens_vx_v3.lola\n"
        "import dlens_vx_v3.hal as hal_again\n"
        "from pynn_brainscales.brainscales2 import hal as native_hal\n"
        "import pyhalco_hicann_dls_vx_v3 as pyhalco\n"
        "from _static.common.helpers import setup_hardware_client, get_nightly_calibration, "
        "save_nightly_calibration\n",
        scope,
    )
    assert scope["hal"] is scope["hal_again"] is scope["native_hal"] is hal
    assert scope["halco"] is scope["pyhalco"] is halco
    assert scope["dlens_vx_v3"].lola is lola
    assert scope["logger"] is installed.logger
    assert scope["save_nightly_calibration"] is helpers.save_nightly_calibration
    installed.install()


def test_folders_of_the_demos_stay_importable(installed, tmp_path, monkeypatch):
    (tmp_path / "_static" / "own").mkdir(parents=True)
    (tmp_path / "_static" / "own" / "plots.py").write_text("color = 'red'\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("_static.own.plots").color == "red"


@pytest.mark.parametrize("name", ["dlens_vx_v3", "dlens_vx_v3.halco", "_static.common.helpers"])
def test_the_vendors_own_is_not_replaced(pynn, monkeypatch, name):
    present = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, present)
    monkeypatch.delitem(sys.modules, "pyhalco_hicann_dls_vx_v3", raising=False)
    with pytest.raises(RuntimeError, match=f"{name} .*imported already"):
        pynn.install()
    assert sys.modules[name] is present
    assert "pyhalco_hicann_dls_vx_v3" not in sys.modules


@pytest.mark.parametrize("name", ["hal", "halco", "lola", "sta"])
def test_names_of_the_native_interface(pynn, name):
    stand_in = getattr(pynn, name)
    assert stand_in is importlib.import_module(f"hw_targets.brainscales2.vendor.{name}")
    with pytest.raises(AttributeError, match=rf"{name}\.NoSuchThing: .*no registers.*APPEND"):
        stand_in.NoSuchThing  # noqa: B018


def test_other_names_are_refused(installed):
    with pytest.raises(AttributeError, match=r"hxcomm\.get_connection_from_env: .*no registers"):
        hxcomm.get_connection_from_env  # noqa: B018
    with pytest.raises(AttributeError, match=r"dlens_vx_v3\.tools: .*no registers"):
        importlib.import_module("dlens_vx_v3").tools  # noqa: B018


# ---- ranges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, largest", RANGED.items())
def test_ranges(kind, largest):
    assert kind() == kind.min == 0
    assert kind.max == largest and kind.size == largest + 1
    assert kind(np.int64(largest)).value() == largest
    with pytest.raises(OverflowError, match=f"{kind.__name__}.*0 ... {largest}"):
        kind(largest + 1)
    for wrong in (-1, 0.5, "1", None):
        with pytest.raises(TypeError, match=f"{kind.__name__}.*0 ... {largest}"):
            kind(wrong)


def test_values_are_integers():
    weights = np.array([0.5, 1.0]) * hal.SynapseWeightQuad.Value.max
    np.testing.assert_array_equal(weights, [31.5, 63.0])
    assert int(hal.Timer.Value.fpga_clock_cycles_per_us) == 125
    assert repr(hal.CapMemCell.Value(7)) == "Value(7)"


# ---- coordinates -------------------------------------------------------------------------------


def test_circuits():
    top, bottom = halco.NeuronRowOnDLS.top, halco.NeuronRowOnDLS.bottom
    assert (top, bottom) == (0, 1)
    circuit = halco.AtomicNeuronOnDLS(halco.NeuronColumnOnDLS(3), bottom)
    assert circuit == halco.AtomicNeuronOnDLS(bottom, halco.NeuronColumnOnDLS(3))
    assert circuit == halco.AtomicNeuronOnDLS(halco.common.Enum(259))
    assert circuit.toEnum() == 259
    assert circuit.toNeuronColumnOnDLS() == 3 and circuit.toNeuronRowOnDLS() is not top
    assert circuit.toNeuronRowOnDLS() == bottom
    assert halco.AtomicNeuronOnDLS() < circuit and len({circuit, circuit}) == 1
    assert circuit != 259
    assert repr(circuit) == "AtomicNeuronOnDLS(NeuronColumnOnDLS(3), NeuronRowOnDLS(1))"


def test_circuits_that_do_not_exist():
    with pytest.raises(OverflowError, match="0 ... 511"):
        halco.AtomicNeuronOnDLS(halco.common.Enum(512))
    for place in [(3,), (3, 1), (halco.NeuronColumnOnDLS(3),), (halco.NeuronRowOnDLS(0),) * 2]:
        with pytest.raises(TypeError, match="NeuronColumnOnDLS and a"):
            halco.AtomicNeuronOnDLS(*place)


def test_circuits_place_neurons(pynn):
    circuits = [*halco.iter_all(halco.AtomicNeuronOnDLS)][300:310]
    pynn.setup(neuronPermutation=[c.toEnum() for c in circuits])
    neurons = pynn.Population(2, pynn.cells.HXNeuron())
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert pynn.simulator.state.neuron_placement.id2first_circuit(neurons.all_cells) == [300, 301]


def test_logical_neurons():
    compartments = halco.LogicalNeuronCompartments(
        {halco.CompartmentOnLogicalNeuron(): [halco.AtomicNeuronOnLogicalNeuron()]}
    )
    anchor = halco.AtomicNeuronOnDLS(halco.common.Enum(17))
    neuron = halco.LogicalNeuronOnDLS(compartments, anchor)
    assert neuron.get_atomic_neurons() == [anchor]
    assert neuron.get_placed_compartments() == {halco.CompartmentOnLogicalNeuron(0): [anchor]}
    with pytest.raises(NotImplementedError, match="create_mc_neuron"):
        halco.LogicalNeuronCompartments({})


def test_iterate_over_places():
    assert [*halco.iter_all(halco.SynramOnDLS)] == [halco.SynramOnDLS.top, halco.SynramOnDLS.bottom]
    assert len([*halco.iter_all(halco.NeuronColumnOnDLS)]) == 256
    circuits = [*halco.iter_all(halco.AtomicNeuronOnDLS)]
    assert len(set(circuits)) == 512 and circuits == sorted(circuits)
    with pytest.raises(TypeError, match="Value"):
        halco.iter_all(hal.Timer.Value)


# ---- containers --------------------------------------------------------------------------------


def test_settings_of_circuits():
    neuron = lola.AtomicNeuron()
    neuron.leak.i_bias = 666
    assert neuron.values()["leak_i_bias"] == 666
    assert [source.name for source in lola.AtomicNeuron.Readout.Source] == [
        "membrane", "exc_synin", "inh_synin", "adaptation",
    ]  # fmt: skip


def test_rows_of_weights():
    row = lola.SynapseWeightRow()
    assert len(row.values) == 256
    row.values[3] = 63
    assert row.values[3] == 63 and sum(row.values) == 63
    with pytest.raises(OverflowError, match="0 ... 63"):
        row.values[3] = 64


def test_settings_of_the_chip(pynn):
    chip = lola.Chip().changed(leak_v_leak=400)
    pynn.setup(initial_config=chip)
    neurons = pynn.Population(1, pynn.cells.HXNeuron())
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert neurons.get("leak_v_leak") == 400
    with pytest.raises(AttributeError, match=r"lola\.Chip\.synapse_block: .*changed"):
        chip.synapse_block  # noqa: B018


@pytest.mark.parametrize("name", ["PlaybackProgramBuilder", "AbsoluteTimePlaybackProgramBuilder"])
def test_programs_are_refused_once_written(pynn, name):
    builder = getattr(sta, name)()
    assert builder.empty()
    pynn.setup(injected_config=pynn.InjectedConfiguration(inside_realtime=builder))
    with pytest.raises(NotImplementedError, match=f"{name}.write.*TimerOnDLS.*APPEND"):
        builder.write(halco.TimerOnDLS(), hal.Timer.Value(5))
    with pytest.raises(AttributeError, match=f"{name}.block_until: .*APPEND"):
        builder.block_until  # noqa: B018


# ---- connection and calibration ----------------------------------------------------------------


def test_connection(pynn):
    with hxcomm.ManagedConnection() as connection:
        assert connection.get_unique_identifier() == [pynn.helper.get_unique_identifier()]
        pynn.setup(connection=connection)


def test_nightly_calibration(pynn, tmp_path, monkeypatch):
    helpers.setup_hardware_client()
    calibrated = helpers.get_nightly_calibration()
    assert isinstance(calibrated, Settings)
    assert (calibrated["leak_v_leak"] != Settings()["leak_v_leak"]).any()
    default = pynn.helper.chip_from_nightly()
    np.testing.assert_array_equal(calibrated["leak_v_leak"], default["leak_v_leak"])
    helpers.save_nightly_calibration("spiking2_cocolist.pbin", folder=str(tmp_path))
    monkeypatch.chdir(tmp_path)
    helpers.save_nightly_calibration(source_folder="latest")
    for name in ("spiking2_cocolist.pbin", "spiking_cocolist.pbin"):
        read = pynn.helper.chip_from_file(Path(name))
        expected = helpers.get_nightly_calibration(name)
        np.testing.assert_array_equal(read["leak_v_leak"], expected["leak_v_leak"])


@pytest.mark.parametrize(
    ("name", "reset", "threshold", "tau", "dac"),
    [("spiking_cocolist.pbin", 70, 125, 10, 600), ("spiking2_cocolist.pbin", 80, 150, 6, 1000)],
)
def test_targets_of_the_nightly_calibrations(pynn, name, reset, threshold, tau, dac):
    """Those of calix, scripts/calix_generate_default_calibration.py."""
    settings = helpers.get_nightly_calibration(name)
    circuits = Chip.virtual(1).circuits(settings)
    # Means of 512 circuits whose calibration leaves up to 1.5 LSB and 4 %.
    error = 4 / np.sqrt(512)
    assert circuits.leak_potential.mean() == pytest.approx(80, abs=1.5 * error + 1)
    assert circuits.reset_potential.mean() == pytest.approx(reset, abs=1.5 * error)
    assert circuits.threshold.mean() == pytest.approx(threshold, abs=1.5 * error)
    for rate in (circuits.leak_rate, circuits.syn_rate_exc, circuits.syn_rate_inh):
        assert (1 / rate).mean() == pytest.approx(tau, rel=0.04 * error + 0.01)
    assert np.all(settings.synapse_dac_bias == dac)


def test_calibrations_of_other_kinds(pynn, tmp_path):
    with pytest.raises(ValueError, match="hagen_cocolist.pbin.*spiking neurons only"):
        helpers.get_nightly_calibration("hagen_cocolist.pbin")
    with pytest.raises(ValueError, match="hagen_cocolist.pbin"):
        helpers.save_nightly_calibration("hagen_cocolist.pbin", folder=tmp_path)
    assert not any(tmp_path.iterdir())


# ---- clocks ------------------------------------------------------------------------------------


def backends(pynn):
    return pynn.simulator.state.grenade_chip_config.neuron_block.backends


def intervals_us(pynn, neurons):
    pynn.run(0.5)
    train = neurons.get_data("spikes", clear=True).segments[-1].spiketrains[0]
    pynn.reset()
    return 1e3 * np.diff(train.magnitude)


@pytest.mark.parametrize("clock", ["slow", "fast"])
def test_clocks_of_raw_neurons(installed, clock):
    installed.setup()
    neurons = installed.Population(1, installed.cells.HXNeuron())
    # Set before the first run, which must keep it.
    neurons.set(
        leak_v_leak=1000, leak_i_bias=200, threshold_v_threshold=500, threshold_enable=True,
        membrane_capacitance_capacitance=63, reset_v_reset=400, reset_i_bias=1022,
        reset_enable_multiplication=True, refractory_period_refractory_time=200,
        refractory_period_input_clock=int(clock == "fast"),
    )  # fmt: skip
    neurons.record("spikes")
    for place in halco.iter_all(halco.CommonNeuronBackendConfigOnDLS):
        setattr(backends(installed)[place], f"clock_scale_{clock}", 3)
    assert [getattr(b, f"clock_scale_{clock}") for b in backends(installed)] == [3, 3]
    at_first = intervals_us(installed, neurons)
    setattr(backends(installed)[1], f"clock_scale_{clock}", 4)
    then = intervals_us(installed, neurons)
    # Cycles of 128 ns instead of 64 ns.
    np.testing.assert_allclose(then.mean() - at_first.mean(), 200 * 0.064, rtol=0.01)
    other = "fast" if clock == "slow" else "slow"
    for backend in backends(installed):
        setattr(backend, f"clock_scale_{other}", 7)
    np.testing.assert_allclose(intervals_us(installed, neurons).mean(), then.mean(), rtol=0.01)


def test_clocks_after_a_calibration(installed):
    installed.setup()
    neurons = installed.Population(1, installed.cells.CalibHXNeuronCuba(
        v_rest=150.0, v_thresh=120.0, tau_refrac=2.0,
    ))  # fmt: skip
    neurons.record("spikes")
    installed.run(None, installed.RunCommand.PREPARE)
    scale = backends(installed)[0].clock_scale_fast
    before = intervals_us(installed, neurons)
    for backend in backends(installed):
        backend.clock_scale_fast = scale + 3
    assert intervals_us(installed, neurons).mean() > before.mean() + 0.8 * 7 * 2.0
    # Another calibration chooses them anew.
    neurons.set(tau_m=9.0)
    installed.run(None, installed.RunCommand.PREPARE)
    assert backends(installed)[0].clock_scale_fast == scale


def test_clocks_that_are_refused(installed):
    installed.setup()
    backend = backends(installed)[0]
    backend.enable_clocks = True
    assert backend.enable_clocks is True
    with pytest.raises(ValueError, match="always on"):
        backend.enable_clocks = False
    with pytest.raises(OverflowError, match="0 ... 15"):
        backend.clock_scale_fast = 16
    with pytest.warns(UserWarning, match="clock_scale_post_pulse has no effect"):
        backend.clock_scale_post_pulse = 5
    with pytest.raises(AttributeError, match="force_reset: .*clock_scale_fast"):
        backend.force_reset = True
    with pytest.raises(AttributeError, match="force_reset"):
        backend.force_reset  # noqa: B018
