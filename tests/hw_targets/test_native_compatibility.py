"""What scripts for the chip find in the vendor's interface besides its main road."""

import importlib
from copy import deepcopy

import numpy as np
import pytest

from hw_targets.brainscales2.pynn.plasticity_rules import ObservablePerSynapse

# ---- connectors --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_post", [1, 3])
def test_one_presynaptic_cell_with_connectors_that_use_masks(pynn, n_post):
    pynn.setup()
    one = pynn.Population(1, pynn.cells.SpikeSourceArray())
    post = pynn.Population(n_post, pynn.cells.HXNeuron())
    synapse = pynn.synapses.StaticSynapse(weight=np.arange(1.0, n_post + 1).reshape(1, -1))
    first = pynn.Projection(one, post, pynn.OneToOneConnector(), synapse)
    assert first.get("weight", format="list") == [(0, 0, 1)]
    chosen = pynn.ArrayConnector(np.eye(1, n_post, n_post - 1, dtype=bool))
    last = pynn.Projection(one, post, chosen, synapse)
    assert last.get("weight", format="list") == [(0, n_post - 1, n_post)]
    every = pynn.Projection(one, post, pynn.FixedProbabilityConnector(1.0), synapse)
    assert len(every) == n_post
    none = pynn.Projection(one, post, pynn.FixedProbabilityConnector(0.0), synapse)
    assert len(none) == 0


# ---- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("connectors", "AllToAllConnector"),
        ("morphology.builder", "MorphologyBuilder"),
        ("morphology.mechanisms", "CurrentBasedSynapse"),
        ("morphology", "create_mc_neuron"),
        ("morphology.parameters", "McCircuitParameters"),
        ("morphology.parts", "PlacedCompartment"),
        ("morphology.parts", "SharedLineConnection"),
        ("plasticity_rules", "PlasticityRuleHandle"),
        ("recording_data", "RecordingSite"),
        ("standardmodels.cells_base", "ExternalNeuron"),
        ("standardmodels.cells_base", "NeuronCellType"),
    ],
)
def test_modules_of_the_vendor_are_those_of_the_emulation(installed, module, name):
    found = getattr(importlib.import_module(f"pynn_brainscales.brainscales2.{module}"), name)
    assert found.__module__.startswith(installed.__name__)


def test_types_that_have_a_plasticity_rule(pynn):
    pynn.setup()
    rule = pynn.PlasticityRule(pynn.Timer(start=0, period=1, num_periods=1))
    other = pynn.PlasticityRule(pynn.Timer(start=0, period=2, num_periods=1))
    handle = pynn.plasticity_rules.PlasticityRuleHandle
    kinds = [
        pynn.cells.HXNeuron(plasticity_rule=rule),
        pynn.cells.CalibHXNeuronCuba(rule),
        pynn.synapses.PlasticSynapse(plasticity_rule=rule),
    ]
    for kind in kinds:
        assert isinstance(kind, handle)
        assert kind.plasticity_rule is rule
        kind.plasticity_rule = other
        assert kind.plasticity_rule is other
    recording = pynn.synapses.StaticRecordingSynapse(rule.timer, 1, {"weights"})
    assert isinstance(recording, handle)
    assert not isinstance(pynn.synapses.StaticSynapse(), handle)
    assert handle().plasticity_rule is None


def test_sources_of_a_rules_readout_have_names(pynn):
    pynn.setup()
    source = pynn.cells.HXNeuron.ReadoutSource
    assert pynn.cells.CalibHXNeuronCoba.ReadoutSource is source
    wanted = [source.membrane, source.exc_synin, source.adaptation]
    cells = pynn.Population(3, pynn.cells.HXNeuron(plasticity_rule_readout_source=wanted))
    found = cells.get("plasticity_rule_readout_source", simplify=False)
    assert [source(int(value)) for value in found] == wanted


def test_observables_of_a_recording_synapse_can_be_changed(pynn):
    pynn.setup()
    projection = _recorded_weights(pynn)
    synapse = projection.synapse_type
    assert synapse.observables == {"weights"}
    with pytest.raises(ValueError, match="voltages"):
        synapse.observables = {"voltages"}
    with pytest.raises(RuntimeError, match="not possible"):
        synapse.plasticity_rule = None
    synapse.observables = {"correlation_causal"}
    pynn.run(0.3)
    assert len(projection.get_data("correlation_causal")[0]) == 2
    with pytest.raises(RuntimeError, match="'weights'"):
        projection.get_data("weights")


def test_units_of_variables(pynn):
    pynn.setup()
    cells = pynn.Population(1, pynn.cells.HXNeuron())
    assert cells.find_units("v") == "dimensionless"


def test_settings_of_a_circuit_as_parameters(pynn):
    neuron = pynn.lola.AtomicNeuron()
    neuron.leak.v_leak = 500
    values = pynn.helper.get_values_of_atomic_neuron(neuron, exclude=["leak_i_bias"])
    assert set(values) == set(pynn.cells.HXNeuron.default_parameters) - {
        "leak_i_bias", "plasticity_rule_readout_source", "plasticity_rule_enable_readout_source"
    }  # fmt: skip
    assert (values["leak_v_leak"], values["threshold_enable"]) == (500.0, False)
    assert isinstance(values["leak_v_leak"], float) and values["threshold_enable"] is False
    assert pynn.helper.decompose_in_member_names("membrane_capacitance_capacitance") == (
        "membrane_capacitance", "capacitance"
    )  # fmt: skip
    with pytest.raises(ValueError, match="no_such_name"):
        pynn.helper.decompose_in_member_names("no_such_name")


# ---- parts of a morphology ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positions", [1]),
        ("positions", [0, 0, 1]),
        ("positions", 3),
        ("label", 4),
        ("connect_shared_line", [5]),
        ("connect_conductance", [(7, 1)]),
        ("connect_conductance", [1]),
    ],
)
def test_compartments_are_checked_when_they_are_changed(pynn, name, value):
    part = pynn.morphology.PlacedCompartment(
        positions=[0, 1], label="part", connect_shared_line=[0], connect_conductance=[(1, 200)]
    )
    before = getattr(part, name)
    with pytest.raises(TypeError):
        setattr(part, name, value)
    assert getattr(part, name) == before


def test_compartments_can_be_changed(pynn):
    part = pynn.morphology.PlacedCompartment(positions=[0, 1], label="part")
    part.positions = [2, 3, 4]
    part.label = "other"
    part.connect_shared_line = [2]
    part.connect_conductance = [(4, 100)]
    assert (part.size, part.label) == (3, "other")
    assert (part.connect_shared_line, part.connect_conductance) == ([2], [(4, 100)])


# ---- settings of a chip ------------------------------------------------------------------------


def test_initial_configuration_changed_in_place(pynn):
    chip = pynn.lola.Chip()
    enum = pynn.halco.common.Enum
    block = chip.neuron_block
    block.atomic_neurons[pynn.halco.AtomicNeuronOnDLS(enum(0))].leak.i_bias = 666
    block.atomic_neurons[1].leak.i_bias = 420
    neuron = pynn.lola.AtomicNeuron()
    neuron.leak.i_bias = 99
    block.atomic_neurons[pynn.halco.AtomicNeuronOnDLS(enum(2))] = neuron
    for where in pynn.halco.iter_all(pynn.halco.CommonNeuronBackendConfigOnDLS):
        block.backends[where].enable_clocks = True
        block.backends[where].clock_scale_fast = 2
    pynn.setup(initial_config=chip)
    cells = pynn.Population(3, pynn.cells.HXNeuron())
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert cells.get("leak_i_bias").tolist() == [666, 420, 99]
    used = pynn.simulator.state.grenade_chip_config.neuron_block.backends[where]
    assert used.clock_scale_fast == 2
    assert pynn.simulator.state.mapping.settings.clock_scale_fast == 2


def test_calibration_changed_in_place(pynn, tmp_path):
    found = pynn.helper.chip_from_nightly()
    found.save(tmp_path / "chip.json")
    for chip in (found, pynn.helper.chip_from_file(tmp_path / "chip.json")):
        for neuron in chip.neuron_block.atomic_neurons:
            neuron.threshold.enable = False
        pynn.setup(initial_config=chip)
        cells = pynn.Population(2, pynn.cells.HXNeuron())
        pynn.run(None, pynn.RunCommand.PREPARE)
        assert cells.get("threshold_enable") is False
        settings = pynn.simulator.state.mapping.settings
        assert (settings["leak_v_leak"] == chip["leak_v_leak"]).all()
        assert (settings.biases, settings.synapse_dac_bias.tolist()) == (
            chip.biases, chip.synapse_dac_bias.tolist()
        )  # fmt: skip


def test_wrong_changes_of_a_configuration(pynn):
    chip = pynn.lola.Chip()
    chip.neuron_block.backends[0].clock_scale_slow = 3
    with pytest.warns(UserWarning, match="'clock_scale_slow': 3"):
        pynn.setup(initial_config=chip)
    assert pynn.simulator.state.initial_config.clock_scale_slow == 3
    chip.neuron_block.backends[1].clock_scale_slow = 3
    chip.neuron_block.atomic_neurons[511].leak.v_leak = 1023
    with pytest.raises(OverflowError, match="leak_v_leak=1023"):
        pynn.setup(initial_config=chip)


def test_changes_in_place_are_kept(pynn, tmp_path):
    chip = pynn.lola.Chip()
    chip.neuron_block.atomic_neurons[3].leak.v_leak = 321
    chip.neuron_block.backends[0].clock_scale_slow = 3
    chip.neuron_block.backends[1].clock_scale_slow = 3
    assert chip["leak_v_leak"][3] == 321
    chip.save(tmp_path / "chip.json")
    for copy in (
        deepcopy(chip),
        chip.changed([5], leak_v_leak=500),
        pynn.helper.chip_from_file(tmp_path / "chip.json"),
    ):
        assert copy["leak_v_leak"][3] == 321
        assert copy.neuron_block.atomic_neurons[3].leak.v_leak == 321
        assert copy.clock_scale_slow == 3
        copy.neuron_block.atomic_neurons[3].leak.v_leak = 4
        assert chip["leak_v_leak"][3] == 321


def test_digital_settings_changed_in_place_are_named(pynn):
    chip = pynn.lola.Chip()
    chip.neuron_block.atomic_neurons[3].event_routing.enable_bypass_excitatory = True
    with pytest.warns(UserWarning, match="event_routing_enable_bypass_excitatory"):
        pynn.setup(initial_config=chip)


def test_initial_configuration_of_compartments(pynn):
    chip = pynn.lola.Chip()
    for number, neuron in enumerate(chip.neuron_block.atomic_neurons):
        neuron.leak.v_leak = number
    parts = [
        pynn.morphology.PlacedCompartment(
            positions=[0], label="a", connect_shared_line=[0], leak_v_leak=700
        ),
        pynn.morphology.PlacedCompartment(positions=[1], label="b", connect_conductance=[(1, 200)]),
    ]
    lines = [pynn.morphology.SharedLineConnection(start=0, stop=1, row=0)]
    pynn.setup(initial_config=chip, neuronPermutation=range(20, 30))
    cells = pynn.Population(1, pynn.morphology.create_mc_neuron("Pair", parts, lines)())
    assert cells.get("leak_v_leak") == pynn.morphology.McCircuitParameters([[700], [21]])


# ---- neurons that are built of mechanisms ------------------------------------------------------


def _chain(pynn, length=3, strength=10e-6, **synapse):
    """A chain of compartments, of which the first fires."""
    parts = pynn.morphology.mechanisms
    types = []
    for name in ("Passive", "Active"):
        builder = pynn.morphology.CompartmentBuilder()
        builder.add(parts.MembraneCapacitance(capacitance=2.2e-12), label="cap")
        builder.add(parts.CurrentBasedSynapse(**synapse), label="syn")
        builder.add(parts.CurrentBasedSynapse("inhibitory", **synapse), label="inh")
        builder.add(parts.Leak(v_leak=80, tau_mem=10e-6), label="leak")
        if name == "Active":
            builder.add(parts.Fire(v_threshold=120, v_reset=70, tau_ref=2e-6), label="fire")
        types.append(builder.done(name))
    passive, active = types
    builder = pynn.morphology.MorphologyBuilder()
    nodes = [
        builder.add_compartment(passive() if n else active(), label=f"C{n}") for n in range(length)
    ]
    connect = pynn.morphology.Connection
    pairs = zip(nodes[:-1], nodes[1:], strict=True)
    builder.connect([connect(a, b, strength) for a, b in pairs])
    return builder.done("Chain")


def _stimulate(pynn, cells, compartment, times, n=1, receptor="syn", weight=63):
    source = pynn.Population(n, pynn.cells.SpikeSourceArray(spike_times=times))
    connector = pynn.AllToAllConnector(location_selector=compartment)
    synapse = pynn.synapses.StaticSynapse(weight=weight)
    return pynn.Projection(source, cells, connector, synapse, receptor_type=receptor)


def test_parameters_of_a_built_neuron(pynn):
    pynn.setup()
    given = {"C0.fire.v_threshold": 130, "C1.cap.capacitance": 1e-12}
    for size in (1, 5):
        cells = pynn.Population(size, _chain(pynn)(**given))
        assert cells.get("C0.fire.v_threshold") == 130
        assert cells.get(list(given)) == [130, 1e-12]
        assert cells.get("connection.C1...C2.conductance") == 10e-6
    cells.set(**{"C0.fire.v_threshold": np.arange(121, 126)})
    assert cells.get("C0.fire.v_threshold").tolist() == [121, 122, 123, 124, 125]
    cells[1:3].set(**{"C0.leak.v_leak": 60})
    assert cells.get("C0.leak.v_leak").tolist() == [80, 60, 60, 80, 80]


def test_labels_of_a_built_neuron(pynn):
    kind = _chain(pynn)
    assert kind.get_labels() == ["C0", "C1", "C2"]
    assert kind.get_label(2) == "C2"
    assert kind.get_compartment_ids(["C2", "C0"]) == [2, 0]
    with pytest.raises(ValueError, match="C7"):
        kind.get_compartment_ids(["C7"])
    with pytest.raises(RuntimeError, match="7"):
        kind.get_label(7)
    assert sorted(kind.recordable) == ["cap", "fire", "inh", "syn"]
    assert sorted(kind.receptor_types) == ["inh", "syn"]


def test_potentials_fall_off_along_a_built_chain(ideal):
    kind = _chain(ideal)
    cells = ideal.Population(1, kind(**{"C0.fire.v_threshold": 220}))
    _stimulate(ideal, cells, "C0", [0.01])
    cells.record("cap", locations=["C0", "C1", "C2"], device="cadc")
    ideal.run(0.08)
    signals = cells.get_data("cap").segments[0].irregularlysampledsignals
    assert [signal.name for signal in signals] == ["cap"] * 3
    assert [s.annotations["source_locations"] for s in signals] == [["C0"], ["C1"], ["C2"]]
    heights = [float(s.magnitude.max() - s.magnitude[0, 0]) for s in signals]
    assert heights[0] > 1.5 * heights[1] > 1.5 * 1.5 * heights[2] > 0.0


def _steady(ideal, strength):
    """Potentials of two compartments of one circuit that rest at 60 and 80 LSB on their own."""
    cells = ideal.Population(1, _chain(ideal, 2, strength)(**{"C0.leak.v_leak": 60.0}))
    cells.record("cap", locations=["C0", "C1"], device="cadc")
    ideal.run(0.2)
    signals = cells.get_data("cap").segments[0].irregularlysampledsignals
    return [float(signal.magnitude[-1, 0]) for signal in signals]


def test_strength_of_a_connection_is_a_time_constant(ideal):
    # Leaks and conductance have the same time constant: each end is a third of the way from its
    # own resting potential to the other's.
    assert _steady(ideal, 10e-6) == pytest.approx([60 + 20 / 3, 80 - 20 / 3], abs=1.0)


def test_receptors_of_a_built_neuron(ideal):
    cells = ideal.Population(1, _chain(ideal)())
    for receptor, weight in (("syn", 63), ("inh", -63)):
        _stimulate(ideal, cells, "C1", [0.01], receptor=receptor, weight=weight)
        with pytest.raises(ideal.errors.ConnectionError):
            _stimulate(ideal, cells, "C1", [0.01], receptor=receptor, weight=-weight)
    with pytest.raises(ideal.errors.ConnectionError):
        _stimulate(ideal, cells, "C0", [0.01], receptor="excitatory")
    with pytest.raises(ValueError, match="nowhere"):
        _stimulate(ideal, cells, "nowhere", [0.01])


def test_a_built_neuron_fires_and_reaches_others(pynn):
    pynn.setup()
    cells = pynn.Population(2, _chain(pynn)())
    followers = pynn.Population(2, pynn.cells.CalibHXNeuronCuba())
    _stimulate(pynn, cells[0:1], "C0", [0.01], n=10)
    pynn.Projection(
        cells,
        followers,
        pynn.OneToOneConnector(source_location_selector="C0"),
        pynn.synapses.StaticSynapse(weight=63 * 5),
    )
    cells.record("fire")
    followers.record("spikes")
    pynn.run(0.1)
    first, second = cells.get_data("fire").segments[0].spiketrains
    assert first.size > 0
    assert second.size == 0
    assert first.annotations["source_location"] == "C0"
    assert [t.size > 0 for t in followers.get_data("spikes").segments[0].spiketrains] == [
        True, False
    ]  # fmt: skip
    pynn.reset()
    assert len(cells.get_data("fire").segments[0].spiketrains) == 2
    assert not cells.get_data("cap").segments[0].spiketrains


def test_calibration_of_a_built_neuron_keeps_that_of_others(pynn):
    settings = []
    for built in (False, True):
        pynn.setup(neuronPermutation=range(100, 200))
        calibrated = pynn.Population(3, pynn.cells.CalibHXNeuronCuba(tau_m=7.0))
        if built:
            pynn.Population(2, _chain(pynn)())
        pynn.run(None, pynn.RunCommand.PREPARE)
        settings.append(calibrated.actual_hwparams)
    # But for the clock of the refractory time, which all circuits share.
    for without, beside in zip(*settings, strict=True):
        for neuron in (without, beside):
            del neuron.refractory_period
        assert without == beside


def _conductance_based(pynn):
    parts = pynn.morphology.mechanisms
    builder = pynn.morphology.CompartmentBuilder()
    builder.add(parts.MembraneCapacitance(capacitance=2.2e-12), label="cap")
    synapse = parts.ConductanceBasedSynapse(strength=180, potential=300, reference=120)
    builder.add(synapse, label="syn")
    builder.add(parts.Fire(v_threshold=120, v_reset=70, tau_ref=8e-6, holdoff_time=4e-6), label="f")
    compartment = builder.done("Compartment")
    builder = pynn.morphology.MorphologyBuilder()
    builder.add_compartment(compartment(), label="soma")
    return builder.done("Neuron")()


def test_calibration_does_not_depend_on_the_order_of_populations(pynn):
    settings = []
    for built_first in (False, True):
        pynn.setup(neuronPermutation=range(0, 2) if built_first else [1, 0])
        coba = pynn.cells.CalibHXNeuronCoba(v_rest=130, v_thresh=180, synapse_dac_bias=600)
        kinds = [coba, _conductance_based(pynn)]
        cells = [pynn.Population(1, kind) for kind in kinds[:: -1 if built_first else 1]]
        pynn.run(None, pynn.RunCommand.PREPARE)
        settings.append(cells[-1 if built_first else 0].actual_hwparams[0])
    assert settings[0] == settings[1]


def test_clocks_of_both_kinds_of_neurons_are_the_same(pynn):
    pynn.setup()
    pynn.Population(1, pynn.cells.CalibHXNeuronCuba())
    pynn.Population(1, _conductance_based(pynn))
    pynn.run(None, pynn.RunCommand.PREPARE)
    current, conductance = (c.settings for c in pynn.simulator.state.calibrations.values())
    assert current.clock_scale_fast == conductance.clock_scale_fast
    assert current.clock_scale_slow == conductance.clock_scale_slow


def test_errors_of_strengths_name_what_is_out_of_range(pynn):
    pynn.setup()
    cells = pynn.Population(2, _chain(pynn)())
    cells.set(**{"connection.C0...C1.conductance": [1e-6, 1e-3]})
    with pytest.raises(ValueError, match="=0.001 s"):
        pynn.run(None, pynn.RunCommand.PREPARE)


def test_circuits_of_a_built_neuron(pynn):
    parts = pynn.morphology.mechanisms
    builder = pynn.morphology.CompartmentBuilder()
    builder.add(parts.MembraneCapacitance(capacitance=3 * 2.2e-12), label="cap")
    builder.add(parts.CurrentBasedSynapse(), label="one")
    builder.add(parts.CurrentBasedSynapse(), label="two")
    large = builder.done("Large")
    builder = pynn.morphology.MorphologyBuilder()
    builder.add_compartment(large(), label="soma")
    pynn.setup(neuronPermutation=range(10, 20))
    cells = pynn.Population(2, builder.done("Neuron")())
    pynn.run(None, pynn.RunCommand.PREPARE)
    members = pynn.simulator.state.mapping.members
    assert [m.tolist() for m in members] == [[10, 11, 12], [13, 14, 15]]
    neurons = cells.celltype.neurons()
    assert {n.membrane_capacitance.capacitance for n in neurons} == {63}
    assert not any(n.threshold.enable or n.inhibitory_input.enable for n in neurons)
    assert all(n.excitatory_input.enable and n.leak.i_bias == 0 for n in neurons)
    cells.set(**{"soma.two.time_constant": 5e-6})
    with pytest.raises(NotImplementedError, match=r"soma\.one\.time_constant"):
        pynn.run(None, pynn.RunCommand.PREPARE)


def test_targets_of_a_built_neuron_are_checked(pynn):
    pynn.setup()
    cells = pynn.Population(1, _chain(pynn)())
    for name, value, error in (
        ("C0.leak.tau_mem", 10.0, ValueError),
        ("C1.cap.capacitance", 9e-12, ValueError),
        ("connection.C0...C1.conductance", 1.0, ValueError),
        ("C0.syn.global_strength", 500.0, AttributeError),
    ):
        before = cells.get(name)
        cells.set(**{name: value})
        with pytest.raises(error, match=name.rpartition(".")[0].partition(".")[0]):
            pynn.run(None, pynn.RunCommand.PREPARE)
        cells.set(**{name: before})
    pynn.run(None, pynn.RunCommand.PREPARE)


def test_recording_what_a_compartment_does_not_have(pynn):
    pynn.setup()
    cells = pynn.Population(1, _chain(pynn)())
    with pytest.raises(RuntimeError, match="C1"):
        cells.record("fire", locations=["C1"])
    with pytest.raises(pynn.errors.RecordingError):
        cells.record("spikes")


def test_branches_and_copies(pynn):
    morphology = pynn.morphology
    compartment = morphology.CompartmentBuilder().done("Empty")
    builder = morphology.MorphologyBuilder()
    a, b = (builder.add_compartment(compartment(), label=label) for label in "ab")
    branch = builder.connect([morphology.Connection(a, b, 1e-6)], label="left")
    twin = builder.clone(branch, label="right")
    a_of_twin = builder.get_ref_in_node(twin, a)
    assert a_of_twin is not a
    assert builder.get_ref_in_node(branch, a) is a
    with pytest.raises(ValueError, match="2 parts"):
        builder.done("Neuron")
    whole = builder.connect([morphology.Connection(a, a_of_twin, 2e-6)])
    assert builder.nodes == [whole]
    kind = builder.done("Neuron")
    assert kind.get_labels() == ["left.a", "left.b", "right.a", "right.b"]
    assert kind.default_parameters == {
        "connection.left.a...right.a.conductance": 2e-6,
        "connection.left.a...left.b.conductance": 1e-6,
        "connection.right.a...right.b.conductance": 1e-6,
    }
    assert builder.nodes == []


def test_errors_of_the_builders(pynn):
    morphology = pynn.morphology
    part = morphology.CompartmentBuilder()
    part.add(morphology.mechanisms.Leak(), label="leak")
    with pytest.raises(KeyError, match="leak"):
        part.add(morphology.mechanisms.Leak(), label="leak")
    compartment = part.done("Part")
    builder = morphology.MorphologyBuilder()
    a, b = (builder.add_compartment(compartment(), label="same") for _ in range(2))
    stranger = morphology.MorphologyBuilder().add_compartment(compartment(), label="c")
    with pytest.raises(ValueError, match="not found"):
        builder.connect([morphology.Connection(a, stranger, 1e-6)])
    builder.connect([morphology.Connection(a, b, 1e-6)])
    with pytest.raises(ValueError, match="tree"):
        builder.connect([morphology.Connection(a, b, 1e-6)])
    with pytest.raises(ValueError, match="label of its own"):
        builder.done("Neuron")
    for mechanism in (morphology.mechanisms.Leak(), morphology.mechanisms.Fire()):
        part.add(mechanism, label="x")
        builder.add_compartment(part.done("Part")(), label=type(mechanism).__name__)
    builder.nodes = builder.nodes[-2:]
    branch = builder.connect([morphology.Connection(*builder.nodes, 1e-6)], label="branch")
    with pytest.raises(ValueError, match="Leak and Fire.*'x'"):
        builder.done("Neuron")
    c = builder.add_compartment(compartment(), label="c")
    builder.connect([morphology.Connection(c, branch, 1e-6)])
    with pytest.raises(ValueError, match="branch 'branch'"):
        builder.done("Neuron")
    with pytest.raises(RuntimeError, match="excitatory and inhibitory"):
        morphology.mechanisms.CurrentBasedSynapse("shunting")


# ---- recorded data -----------------------------------------------------------------------------


def _recorded_weights(pynn):
    source = pynn.Population(1, pynn.cells.SpikeSourceArray())
    neuron = pynn.Population(1, pynn.cells.HXNeuron())
    timer = pynn.Timer(start=0.0, period=0.1, num_periods=2)
    synapse = pynn.synapses.StaticRecordingSynapse(timer, 7, {"weights"})
    return pynn.Projection(source, neuron, pynn.AllToAllConnector(), synapse)


def test_observables_before_the_run_are_an_error(pynn):
    pynn.setup()
    projection = _recorded_weights(pynn)
    with pytest.raises(RuntimeError, match="only available after"):
        projection.get_data("weights")
    pynn.run(0.3, pynn.RunCommand.APPEND)
    with pytest.raises(RuntimeError, match="only available after"):
        projection.get_data("weights")


def test_observables_outlive_a_reset(pynn):
    pynn.setup()
    projection = _recorded_weights(pynn)
    pynn.run(0.3)
    pynn.reset()
    (snippet,) = projection.get_data("weights")
    assert [entry.data.tolist() for entry in snippet] == [[7], [7]]


def test_observables_of_neurons_before_the_run_are_an_error(pynn):
    pynn.setup()
    timer = pynn.Timer(start=0.0, period=0.1, num_periods=1)
    rule = pynn.PlasticityRule(timer, {"rates": pynn.PlasticityRule.ObservablePerNeuron()})
    cells = pynn.Population(1, pynn.cells.HXNeuron(plasticity_rule=rule))
    with pytest.raises(RuntimeError, match="only available after"):
        cells.get_plasticity_data("rates")


def test_arrays_before_the_run_are_an_error(pynn):
    pynn.setup()
    observables = {"a": pynn.PlasticityRule.ObservableArray(), "b": ObservablePerSynapse()}
    rule = pynn.PlasticityRule(pynn.Timer(start=0.0, period=0.1, num_periods=1), observables)
    with pytest.raises(RuntimeError, match="only available after"):
        rule.get_observable_array("a")
    with pytest.raises(TypeError):
        rule.get_observable_array("b")


def test_assemblies_record_with_a_device(pynn):
    pynn.setup()
    first, second = (pynn.Population(2, pynn.cells.CalibHXNeuronCuba()) for _ in range(2))
    (first + second).record("v", device="cadc")
    pynn.run(0.01)
    for cells in (first, second):
        signals = cells.get_data("v").segments[0].irregularlysampledsignals
        assert [signal.annotations["device"] for signal in signals] == ["cadc", "cadc"]


def test_places_of_synapses_under_the_vendors_names(pynn):
    pynn.setup(neuronPermutation=[3, 256 + 7])
    source = pynn.Population(1, pynn.cells.SpikeSourceArray())
    cells = pynn.Population(2, pynn.cells.HXNeuron())
    projection = pynn.Projection(source, cells, pynn.AllToAllConnector())
    pynn.run(None, pynn.RunCommand.PREPARE)
    (top,), (bottom,) = projection.placed_connections
    assert (top.synapse_on_row, bottom.synapse_on_row) == (3, 7)
    assert 0 <= top.synapse_row < 256 <= bottom.synapse_row < 512
    assert bottom.synapse_row == 256 + bottom.row


def test_state_is_preprocessed_for_a_time(pynn):
    pynn.setup(neuronPermutation=[9])
    pynn.Population(1, pynn.cells.HXNeuron())
    pynn.simulator.state.preprocess(0, 0)
    assert pynn.simulator.state.mapping.circuits.tolist() == [9]
