"""Neurons of several compartments."""

import copy
import runpy
from pathlib import Path

import numpy as np
import pytest
from pyNN.errors import NonExistentParameterError

from hw_targets.brainscales2 import transfer
from hw_targets.brainscales2.placement import PlacementError
from hw_targets.brainscales2.pynn.morphology import (
    Compartment,
    McCircuitParameters,
    SharedLineConnection,
    create_mc_neuron,
)
from hw_targets.brainscales2.pynn.morphology.wiring import line_links
from hw_targets.brainscales2.routing import UnsuccessfulRouting

SCRIPTS = Path(__file__).parent / "scripts"

#: Heights of the tutorial's figure (multicompartment_chain_solution.svg) in LSB of the MADC.
REFERENCE = np.array([[83, 52, 39, 33], [59, 73, 54, 47], [49, 52, 71, 61], [40, 45, 67, 93]])


def pair(**parameters):
    """Two compartments of one and two circuits."""
    return (
        [
            Compartment([0], "soma", connect_shared_line=[0]),
            Compartment([1, 2], "dendrite", connect_conductance=[(1, 200)], **parameters),
        ],
        [SharedLineConnection(start=0, stop=1, row=0)],
    )


@pytest.fixture
def Pair():
    return create_mc_neuron("Pair", *pair())


# ---- parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"positions": [0, 1, 0]},
        {"positions": 3},
        {"positions": [0.5]},
        {"positions": [-1]},
        {"positions": "01"},
        {"label": 3},
        {"label": None},
        {"connect_shared_line": 0},
        {"connect_shared_line": [0, 0]},
        {"connect_shared_line": [[0]]},
        {"connect_shared_line": [2]},
        {"connect_conductance": 0},
        {"connect_conductance": [(1, 100), (1, 200)]},
        {"connect_conductance": [(2, 100)]},
        {"connect_conductance": ([0], 100)},
        {"connect_conductance": [(0, 100, 10)]},
    ],
)
def test_compartments_check_their_arguments(arguments):
    with pytest.raises(TypeError, match="Compartment"):
        Compartment(**{"positions": [0, 1], "label": "soma", **arguments})


def test_compartment():
    compartment = Compartment([0, 1], "soma", leak_i_bias=[3, 4])
    assert (compartment.positions, compartment.label, compartment.size) == ([0, 1], "soma", 2)
    assert compartment.connect_shared_line == [] and compartment.connect_conductance == []
    assert compartment.parameters == {"leak_i_bias": [3, 4]}


@pytest.mark.parametrize(
    "argument",
    [
        {"compartments": 3},
        {"compartments": [(0, 1)]},
        {"connections": [(0, 1, 0)]},
        {"connections": 3},
    ],
)
def test_types_of_parts(argument):
    compartments, connections = pair()
    with pytest.raises(TypeError, match="need a sequence of"):
        create_mc_neuron(
            "Pair", **{"compartments": compartments, "connections": connections, **argument}
        )


def wrong(change):
    compartments, connections = copy.deepcopy(pair())
    change(compartments, connections)
    return compartments, connections


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, n: c.clear(), "no compartments"),
        (lambda c, n: n.clear(), "'dendrite' is not connected"),
        (lambda c, n: c[1].positions.append(0), "circuit 0 is in several compartments"),
        (lambda c, n: c[1].positions.append(9), "not all next to each other"),
        (lambda c, n: c[1].positions.append(512), "circuit 512"),
        (lambda c, n: c[1].connect_shared_line.append(1), "choose one|without resistance"),
        (
            lambda c, n: (c[1].connect_conductance.clear(), c[1].connect_shared_line.append(1)),
            "without resistance",
        ),
        (lambda c, n: n.append(SharedLineConnection(3, 2, 0)), "start < stop"),
        (lambda c, n: n.append(SharedLineConnection(2, 3, 2)), "start < stop"),
        (lambda c, n: c[1].parameters.update(leak_i_bias=[1, 2, 3]), "3 values"),
    ],
)
def test_neurons_that_can_not_be_wired(change, message):
    with pytest.raises(RuntimeError, match=message):
        create_mc_neuron("Pair", *wrong(change))


def test_unknown_parameters_of_compartments():
    compartments, connections = pair(leak=3)
    with pytest.raises(NonExistentParameterError, match="leak"):
        create_mc_neuron("Pair", compartments, connections)


def test_labels():
    compartments = [
        Compartment([0], "branch", connect_shared_line=[0]),
        Compartment([1], "branch", connect_conductance=[(1, 200)]),
        Compartment([2], "tuft", connect_conductance=[(2, 200)]),
    ]
    Tree = create_mc_neuron("Tree", compartments, [SharedLineConnection(0, 2, 0)])
    assert Tree.get_labels() == ["branch", "branch", "tuft"]
    assert Tree.get_label(0) == "branch" and Tree.get_label(2) == "tuft"
    assert Tree.get_compartment_ids(["tuft", "branch"]) == [2, 0, 1]
    with pytest.raises(KeyError):
        Tree.get_label(4)
    with pytest.raises(ValueError, match="does not exist"):
        Tree.get_compartment_ids(["soma"])


# ---- wiring ------------------------------------------------------------------------------------


def test_a_conductance_couples_its_compartment_to_that_on_the_line(Pair):
    assert line_links(Pair.wiring.lines, [0.0, 0.7, 3.0]) == [(1, 0, 0.7)]
    assert line_links(Pair.wiring.lines, [0.5, 0.0, 3.0]) == []


def test_conductances_that_meet_are_a_star():
    compartments = [Compartment([k], str(k), connect_conductance=[(k, 9)]) for k in range(3)]
    Star = create_mc_neuron("Star", compartments, [SharedLineConnection(0, 2, 0)])
    rates = [1.0, 2.0, 5.0]
    found = {(a, b): rate for a, b, rate in line_links(Star.wiring.lines, rates)}
    # Kirchhoff: with potentials v the wire is at the mean of v weighted by the conductances.
    potentials = np.array([0.3, -1.2, 2.0])
    wire = np.dot(rates, potentials) / np.sum(rates)
    for k in range(3):
        into = sum(
            rate * (potentials[a + b - k] - potentials[k])
            for (a, b), rate in found.items()
            if k in (a, b)
        )
        assert into == pytest.approx(rates[k] * (wire - potentials[k]))


def test_pieces_of_a_line_that_touch_are_one():
    compartments = [
        Compartment([0], "a", connect_shared_line=[0]),
        Compartment([4], "b", connect_conductance=[(4, 9)]),
    ]
    connections = [SharedLineConnection(0, 2, 0), SharedLineConnection(2, 4, 0)]
    Bridge = create_mc_neuron("Bridge", compartments, connections)
    # Circuits in between lead the line on.
    assert sorted(Bridge.circuit_offsets) == [(0, k) for k in range(5)]
    connections = [SharedLineConnection(0, 2, 0), SharedLineConnection(3, 4, 0)]
    with pytest.raises(RuntimeError, match="not connected"):
        create_mc_neuron("Bridge", compartments, connections)


# ---- parameters --------------------------------------------------------------------------------


def test_parameters_of_compartments(pynn):
    pynn.setup()
    Pair = create_mc_neuron("Pair", *pair(leak_v_leak=[2, 3]))
    default = McCircuitParameters([[0], [2, 3]])
    for size in (1, 5):
        population = pynn.Population(size, Pair())
        assert population.get("leak_v_leak") == default
        changed = McCircuitParameters([[7], [8, 9]])
        population.set(leak_v_leak=changed)
        assert population.get("leak_v_leak") == changed
        population.set(leak_v_leak=4)
        assert population.get("leak_v_leak") == 4
    assert pynn.Population(1, Pair(leak_v_leak=100)).get("leak_v_leak") == 100
    values = [default, changed]
    population = pynn.Population(2, Pair())
    population.set(leak_v_leak=np.array(values))
    assert list(population.get("leak_v_leak")) == values


def test_parameters_of_another_morphology(pynn, Pair):
    pynn.setup()
    pynn.Population(1, Pair(leak_v_leak=McCircuitParameters([[1], [2]])))
    with pytest.raises(ValueError, match=r"\(1, 1\).*need them for \(1, 2\)"):
        pynn.run(None, pynn.RunCommand.PREPARE)


def test_the_morphology_sets_its_switches(pynn, Pair):
    with pytest.raises(NonExistentParameterError):
        Pair(multicompartment_enable_conductance=True)
    pynn.setup()
    pynn.Population(2, Pair())
    pynn.run(None, pynn.RunCommand.PREPARE)
    settings = pynn.simulator.state.mapping.settings
    enabled = settings["multicompartment_enable_conductance"]
    np.testing.assert_array_equal(enabled[:6], [0, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(settings["multicompartment_i_bias_nmda"][:6], 2 * [0, 200, 0])
    rate = 200 / transfer.COMPARTMENT_TAU_US
    assert pynn.simulator.state.mapping.links == [(1, 0, rate), (3, 2, rate)]


def test_initial_configuration(pynn):
    config = pynn.helper.chip_from_nightly()
    pynn.setup(initial_config=config)
    Pair = create_mc_neuron("Pair", *pair(leak_v_leak=[2, 3]))
    population = pynn.Population(1, Pair(reset_v_reset=5))
    leak, threshold = config["leak_v_leak"], config["threshold_v_threshold"]
    assert population.get("leak_v_leak") == McCircuitParameters([[leak[0]], [2, 3]])
    assert population.get("threshold_v_threshold") == McCircuitParameters(
        [[threshold[0]], threshold[1:3]]
    )
    assert population.get("reset_v_reset") == 5
    assert population.get("multicompartment_i_bias_nmda") == McCircuitParameters([[0], [200, 0]])


@pytest.mark.parametrize("with_config", [False, True])
def test_single_active_circuit(pynn, with_config):
    pynn.setup(initial_config=pynn.helper.chip_from_nightly() if with_config else None)
    Two = create_mc_neuron("Two", [Compartment([0, 1], "soma")], single_active_circuit=True)
    population = pynn.Population(1, Two())
    pynn.run(None, pynn.RunCommand.PREPARE)
    settings = pynn.simulator.state.mapping.settings
    for name in ("leak_i_bias", "membrane_capacitance_capacitance", "threshold_enable"):
        assert settings[name][1] == 0
    assert settings["leak_enable_division"][1] == 1
    if with_config:
        assert settings["leak_i_bias"][0] > 0 and settings["threshold_enable"][0] == 1
    population.set(threshold_enable=False)
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert not pynn.simulator.state.mapping.settings["threshold_enable"][:2].any()


# ---- placement, locations ----------------------------------------------------------------------


def test_placement(pynn, Pair):
    pynn.setup(neuronPermutation=[0, 2, 4, 1, 3, 5, 6, 7])
    pynn.Population(1, pynn.cells.HXNeuron())
    neurons = pynn.Population(2, Pair())
    placement = pynn.simulator.state.neuron_placement
    # Neurons of several circuits are placed when they are created.
    assert [placement.circuits_of(cell) for cell in neurons.all_cells] == [(0, 1, 2), (4, 5, 6)]
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert [m.tolist() for m in pynn.simulator.state.mapping.members] == [
        [3], [0], [1, 2], [4], [5, 6]
    ]  # fmt: skip
    with pytest.raises(PlacementError):
        pynn.Population(1, Pair())


def test_rows_of_the_chip(pynn):
    pynn.setup()
    Tall = create_mc_neuron("Tall", [Compartment([0, 256], "soma")])
    neurons = pynn.Population(256, Tall())
    pynn.run(None, pynn.RunCommand.PREPARE)
    assert pynn.simulator.state.neuron_placement.circuits_of(neurons[7]) == (7, 263)


def test_locations_of_connections(pynn, Pair):
    pynn.setup()
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.01]))
    neurons = pynn.Population(2, Pair())
    for target, start in (("soma", None), ("dendrite", None), ("soma", "dendrite")):
        connector = pynn.AllToAllConnector(location_selector=target, source_location_selector=start)
        pynn.Projection(source if start is None else neurons, neurons, connector,
                        synapse_type=pynn.synapses.StaticSynapse(weight=3))  # fmt: skip
    pynn.run(None, pynn.RunCommand.PREPARE)
    synapses = pynn.simulator.state.mapping.synapses
    np.testing.assert_array_equal(synapses.target, [0, 2, 1, 3, 0, 2, 0, 2])
    n = synapses.n_inputs
    np.testing.assert_array_equal(synapses.source, [0, 0, 0, 0, n + 1, n + 1, n + 3, n + 3])


def test_locations_that_do_not_exist(pynn, Pair):
    pynn.setup()
    source = pynn.Population(1, pynn.cells.SpikeSourceArray())
    neurons = pynn.Population(1, Pair())
    with pytest.raises(ValueError, match="does not exist"):
        pynn.Projection(source, neurons, pynn.AllToAllConnector(location_selector="axon"))
    with pytest.raises(ValueError, match="one compartment"):
        pynn.Projection(source, neurons, pynn.AllToAllConnector(source_location_selector="soma"))
    with pytest.raises(ValueError, match="does not exist"):
        neurons.record("v", locations=["axon"])
    Twins = create_mc_neuron(
        "Twins",
        [
            Compartment([0], "twin", connect_shared_line=[0]),
            Compartment([1], "twin", connect_conductance=[(1, 200)]),
        ],
        [SharedLineConnection(0, 1, 0)],
    )
    twins = pynn.Population(1, Twins())
    with pytest.raises(ValueError, match="2 compartments of Twins"):
        pynn.Projection(source, twins, pynn.AllToAllConnector(location_selector="twin"))


def test_recorded_locations(pynn, Pair):
    pynn.setup(initial_config=pynn.helper.chip_from_nightly())
    neurons = pynn.Population(2, Pair())
    neurons.record("v", locations=["dendrite"], device="cadc")
    neurons.record("spikes", locations=["soma", "dendrite"])
    pynn.run(0.02)
    segment = neurons.get_data().segments[-1]
    signals = segment.irregularlysampledsignals
    assert [s.annotations["source_locations"] for s in signals] == [["dendrite"]] * 2
    assert [s.annotations["source_compartments"] for s in signals] == [[1]] * 2
    assert [t.annotations["source_location"] for t in segment.spiketrains] == [
        "soma", "dendrite", "soma", "dendrite"
    ]  # fmt: skip


def test_the_madc_records_circuits_of_both_parities(pynn, Pair):
    pynn.setup()
    neurons = pynn.Population(1, Pair())
    neurons.record("v", locations=["soma", "dendrite"])
    pynn.run(None, pynn.RunCommand.PREPARE)
    neurons.record(None)
    Wide = create_mc_neuron(
        "Wide",
        [
            Compartment([0, 1], "soma", connect_shared_line=[1]),
            Compartment([2], "dendrite", connect_conductance=[(2, 200)]),
        ],
        [SharedLineConnection(1, 2, 0)],
    )
    pynn.Population(1, Wide()).record("v", locations=["soma", "dendrite"])
    with pytest.raises(RuntimeError, match="MADC can't record"):
        pynn.run(None, pynn.RunCommand.PREPARE)


# ---- fan-in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("circuits", [1, 2, 4])
def test_fan_in_grows_with_the_circuits(pynn, circuits):
    pynn.setup()
    Merged = create_mc_neuron("Merged", [Compartment(list(range(circuits)), "soma")])
    neuron = pynn.Population(1, Merged())
    sources = pynn.Population(256 * circuits, pynn.cells.SpikeSourceArray())
    projection = pynn.Projection(
        sources, neuron, pynn.AllToAllConnector(),
        synapse_type=pynn.synapses.StaticSynapse(weight=1),
    )  # fmt: skip
    pynn.run(None, pynn.RunCommand.PREPARE)
    places = {synapse for (synapse,) in projection.placed_connections}
    assert len(places) == 256 * circuits
    assert {synapse.column for synapse in places} == set(range(circuits))
    one_more = pynn.Population(1, pynn.cells.SpikeSourceArray())
    pynn.Projection(one_more, neuron, pynn.AllToAllConnector(),
                    synapse_type=pynn.synapses.StaticSynapse(weight=1))  # fmt: skip
    with pytest.raises(UnsuccessfulRouting, match="in-degree"):
        pynn.run(None, pynn.RunCommand.PREPARE)


def test_capacitances_of_merged_circuits_add_up(pynn):
    """An event of twice the weight moves twice the capacitance as far; leaks add up, too."""
    pynn.configure(fidelity="ideal")
    traces = []
    for circuits in (1, 2):
        pynn.setup(initial_config=pynn.helper.chip_from_nightly())
        Merged = create_mc_neuron("Merged", [Compartment(list(range(circuits)), "soma")])
        neuron = pynn.Population(1, Merged(threshold_enable=False))
        source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.01]))
        pynn.Projection(source, neuron, pynn.AllToAllConnector(),
                        synapse_type=pynn.synapses.StaticSynapse(weight=50 * circuits))  # fmt: skip
        neuron.record("v")
        pynn.run(0.08)
        signal = neuron.get_data("v").segments[-1].irregularlysampledsignals[0]
        traces.append(np.asarray(signal)[:, 0])
    height = np.ptp(traces[0])
    assert height > 20
    # CapMem values of equal circuits are dithered.
    np.testing.assert_allclose(traces[1], traces[0], atol=0.03 * height)


# ---- attenuation -------------------------------------------------------------------------------


def run_chain(pynn, chip):
    pynn.configure(chip=chip, noise=False)
    return runpy.run_path(str(SCRIPTS / "multicompartment_chain.py"))["heights"]


def test_attenuation_along_a_chain(installed):
    """Each height of the figure within 20 %; its mirrored ones differ by up to 29 %."""
    heights = np.median([run_chain(installed, chip) for chip in range(20)], axis=0)
    np.testing.assert_allclose(heights, REFERENCE, rtol=0.2)


def test_smaller_conductances_attenuate_more(pynn):
    pynn.configure(fidelity="ideal")
    ratios = []
    for bias in (0, 50, 200, 1000):
        pynn.setup(initial_config=pynn.helper.chip_from_nightly())
        compartments, connections = pair()
        Pair = create_mc_neuron("Pair", compartments, connections)
        neuron = pynn.Population(1, Pair(threshold_enable=False))
        neuron.set(multicompartment_i_bias_nmda=bias)
        source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.01]))
        pynn.Projection(source, neuron, pynn.AllToAllConnector(location_selector="soma"),
                        synapse_type=pynn.synapses.StaticSynapse(weight=60))  # fmt: skip
        neuron.record("v", locations=["soma", "dendrite"], device="cadc")
        pynn.run(0.08)
        signals = neuron.get_data("v").segments[-1].irregularlysampledsignals
        soma, dendrite = (np.ptp(np.asarray(signal)) for signal in signals)
        ratios.append(dendrite / soma)
    assert ratios[0] < 0.02
    assert np.all(np.diff(ratios) > 0.05) and ratios[-1] < 1.0
