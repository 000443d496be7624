"""Neurons on Brian2 against the same neurons on NEST, and against closed forms."""

import numpy as np
import pytest
import quantities as pq
from pyNN.errors import InvalidParameterValueError

import cosim.backends.brian2 as sim
import cosim.backends.nest as nest
from cosim.backends.brian2.propagators import response_alpha, response_exponential

H = 0.1
N = 12
N_SOURCES = 8
DURATION = 120.0


def parameters(name):
    """Return parameters that all differ between the cells."""
    rng = np.random.default_rng(3)
    if name == "Izhikevich":
        return {
            "a": rng.uniform(0.02, 0.1, N), "b": rng.uniform(0.2, 0.25, N),
            "c": rng.uniform(-65, -50, N), "d": rng.uniform(0.05, 8, N),
            "i_offset": rng.uniform(0, 0.015, N),
        }  # fmt: skip
    if name == "HH_cond_exp":
        return {
            "i_offset": rng.uniform(0, 1, N), "tau_syn_E": rng.uniform(0.5, 3, N),
            "gbar_K": rng.uniform(5, 7, N), "e_rev_leak": rng.uniform(-67, -63, N),
        }  # fmt: skip
    values = {
        "tau_m": rng.uniform(5, 20, N), "cm": rng.uniform(0.5, 1.5, N),
        "tau_refrac": rng.integers(0, 30, N) * H, "v_thresh": rng.uniform(-55, -50, N),
        "v_reset": rng.uniform(-70, -60, N), "v_rest": rng.uniform(-66, -64, N),
        "i_offset": rng.uniform(0, 0.6, N),
    }  # fmt: skip
    if name != "IF_curr_delta":
        values["tau_syn_E"] = rng.uniform(1, 5, N)
        values["tau_syn_I"] = rng.uniform(1, 5, N)
        values["tau_syn_E"][0] = values["tau_m"][0]  # propagators have no special case
        values["tau_syn_I"][1] = values["tau_m"][1] * (1 + 1e-9)
    if name.startswith("EIF"):
        values["tau_refrac"] = np.maximum(values["tau_refrac"], H)
        values |= {"b": rng.uniform(0, 0.1, N), "delta_T": rng.uniform(1.5, 3, N)}
    return values


WEIGHTS = {"curr": 1.0, "cond": 0.02, "delta": 5.0, "Izhikevich": 3.0, "HH": 0.01}


def network(backend, name, h=H, record=("v",), duration=DURATION):
    """Run cells with spikes from several sources over several delays; return values and trains."""
    backend.setup(timestep=h)
    rng = np.random.default_rng(5)
    cells = backend.Population(N, getattr(backend, name)(**parameters(name)))
    cells.initialize(v=rng.uniform(-66, -58, N))
    times = [np.sort(rng.choice(np.arange(1, 1000), 40, replace=False)) for _ in range(N_SOURCES)]
    sources = backend.Population(
        N_SOURCES, backend.SpikeSourceArray(spike_times=[backend.Sequence(t * H) for t in times])
    )
    scale = next(weight for part, weight in reversed(WEIGHTS.items()) if part in name)
    for receptor in ("excitatory", "inhibitory"):
        sign = -1 if receptor == "inhibitory" and not cells.conductance_based else 1
        strength = scale if receptor == "excitatory" else 0.4 * scale
        weights = sign * strength * rng.uniform(0.5, 2.0, (N_SOURCES, N))
        delays = rng.integers(1, 30, (N_SOURCES, N)) * H
        backend.Projection(
            sources, cells, backend.AllToAllConnector(),
            backend.StaticSynapse(weight=weights, delay=delays), receptor_type=receptor,
        )  # fmt: skip
    cells.record(["spikes", *record])
    backend.run(duration)
    segment = cells.get_data().segments[0]
    every = round(H / h)
    signals = {s.name: s.magnitude[::every] for s in segment.analogsignals}
    return signals, [np.rint(train.magnitude / h).astype(int) for train in segment.spiketrains]


def largest_difference(one, other):
    return max(np.abs(one[name] - other[name]).max() for name in one)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("IF_curr_exp", ("v", "isyn_exc", "isyn_inh")),
        ("IF_curr_alpha", ("v", "isyn_exc", "isyn_inh")),
        ("IF_curr_delta", ("v",)),
    ],
)
def test_linear_cells_are_the_same_as_on_nest(name, record, monkeypatch):
    monkeypatch.setattr(getattr(nest, name), "recordable", ["spikes", *record])
    on_nest, spikes_on_nest = network(nest, name, record=record)
    on_brian2, spikes = network(sim, name, record=record)
    assert sum(map(len, spikes)) > 5 * N
    assert all(map(np.array_equal, spikes_on_nest, spikes))
    # rounding errors of potentials around -100 mV add up over a membrane time constant
    assert largest_difference(on_nest, on_brian2) < 1e-11


def test_equal_but_for_rounding_of_a_single_potential():
    """Without large inhibition there is nothing to hide behind."""
    traces = []
    for backend in (nest, sim):
        backend.setup(timestep=H)
        cells = backend.Population(3, backend.IF_curr_exp(i_offset=[0.1, 0.7, 0.9]))
        cells.record("v")
        backend.run(100.0)
        traces.append(cells.get_data().segments[0].analogsignals[0].magnitude)
    np.testing.assert_allclose(*traces, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "record", "tolerance"),
    [
        # the step of NEST's solver is the time step, unless its error is too large: here never,
        ("IF_cond_exp", ("v", "gsyn_exc", "gsyn_inh"), 1e-12),
        # seldom,
        ("IF_cond_alpha", ("v", "gsyn_exc", "gsyn_inh"), 1e-4),
        ("IF_cond_exp_gsfa_grr", ("v",), 1e-3),
        # and not at all
        ("Izhikevich", ("v", "u"), 1e-6),
    ],
)
def test_nonlinear_cells_are_nearly_the_same_as_on_nest(name, record, tolerance):
    on_nest, spikes_on_nest = network(nest, name, record=record)
    on_brian2, spikes = network(sim, name, record=record)
    assert sum(map(len, spikes)) > N
    assert all(map(np.array_equal, spikes_on_nest, spikes))
    assert largest_difference(on_nest, on_brian2) < tolerance


@pytest.mark.parametrize("name", ["EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista"])
def test_adaptive_exponential_cells_converge_to_nest(name):
    """NEST's solver makes steps as short as it takes to find the time of a spike."""
    differences = []
    for h in (0.1, 0.05, 0.02):
        reference, spikes_on_nest = network(nest, name, h=h, duration=30.0)
        signals, spikes = network(sim, name, h=h, duration=30.0)
        assert sum(map(len, spikes)) > N
        # here and there a spike is found one step earlier or later, with consequences
        same = [np.array_equal(*trains) for trains in zip(spikes, spikes_on_nest, strict=True)]
        assert np.mean(same) >= 0.75
        # v explodes in the last step before a spike, where nothing can be compared
        quiet = np.where(reference["v"] < -52, np.abs(signals["v"] - reference["v"]), 0.0)
        differences.append(np.median(quiet[:, same].max(axis=0)))
    assert differences[0] < 0.1
    assert differences[2] < differences[1] < differences[0]


def test_a_spike_that_explodes_is_a_spike():
    """The slope grows by a factor of 1e12 within the step."""
    sim.setup(timestep=H)
    cells = sim.Population(
        2, sim.EIF_cond_exp_isfa_ista(v_spike=0.0, i_offset=1.5, tau_refrac=[0.1, 2.0])
    )
    cells.record(["spikes", "v", "w"])
    sim.run(100.0)
    segment = cells.get_data().segments[0]
    assert all(len(train) > 3 for train in segment.spiketrains)
    signals = {s.name: s.magnitude for s in segment.analogsignals}
    assert -75 < signals["v"].min() and signals["v"].max() < 0.0
    assert 0 <= signals["w"].min() and signals["w"].max() < 1.0


def test_hodgkin_huxley_converges_to_nest():
    reference, spikes_on_nest = network(nest, "HH_cond_exp", h=0.01, duration=15.0)
    errors = {}
    for h in (0.1, 0.05):
        signals, spikes = network(sim, "HH_cond_exp", h=h, duration=15.0)
        assert sum(map(len, spikes)) > N
        # a spike is found in the step after the maximum
        for train, reference_train in zip(spikes, spikes_on_nest, strict=True):
            assert len(train) == len(reference_train)
            assert np.abs(train * h - reference_train * 0.01).max(initial=0) < 2 * h
        errors[h] = np.abs(signals["v"] - reference["v"]).max()
    assert errors[0.05] < errors[0.1] / 4
    assert errors[0.1] < 2.0  # mV, during a spike


# ---- refractoriness, thresholds, input ---------------------------------------------------------


def one_cell(cell, *inputs, duration=20.0, receptor="excitatory", v=None):
    """Run one cell with (weight, step of arrival) inputs; return its spike steps and potential."""
    sim.setup(timestep=H)
    cells = sim.Population(1, cell)
    cells.initialize(v=cell.parameter_space["v_rest"].base_value if v is None else v)
    for weight, step in inputs:
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[(step - 1) * H]))
        synapse = sim.StaticSynapse(weight=weight, delay=H)
        sim.Projection(
            source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor
        )  # fmt: skip
    cells.record(["spikes", "v"])
    sim.run(duration)
    segment = cells.get_data().segments[0]
    spikes = np.rint(segment.spiketrains[0].magnitude / H).astype(int)
    return spikes.tolist(), segment.analogsignals[0].magnitude[:, 0]


def test_a_weight_that_reaches_the_threshold_exactly_is_enough():
    """-65 mV + 15 mV is -50 mV in PyNN's units, whatever it is in V."""
    for thresh in (-50.0, -51.3, -64.9, -40.7):
        cell = sim.IF_curr_delta(v_thresh=thresh, tau_refrac=1.0)
        assert one_cell(cell, (thresh + 65.0, 30))[0] == [30]
    assert one_cell(sim.IF_curr_delta(), (14.99999999, 30))[0] == []


@pytest.mark.parametrize(("tau_refrac", "steps"), [(0.1, 1), (2.0, 20), (2.04, 21), (0.0, 0)])
def test_length_of_the_refractory_period(tau_refrac, steps):
    cell = sim.IF_curr_delta(tau_refrac=tau_refrac, v_reset=-70.0)
    spikes, v = one_cell(cell, (20.0, 30), duration=10.0)
    assert spikes == [30]
    assert (v[30 : 30 + steps + 1] == -70.0).all()
    assert v[30 + steps + 1] > -70.0


def test_delta_input_is_lost_while_refractory():
    cell = sim.IF_curr_delta(tau_refrac=1.0)
    spikes, v = one_cell(cell, (20.0, 30), (7.0, 40), (7.0, 41))
    assert spikes == [30]
    assert v[40] == -65.0
    assert v[41] == pytest.approx(-58.0, abs=1e-12)


def test_input_of_the_step_of_a_spike_stays():
    """Current that arrives together with the spike is not reset with the potential."""
    cell = sim.IF_curr_exp(tau_refrac=0.1, v_reset=-65.0, tau_syn_E=5.0, tau_m=20.0, cm=1.0)
    spikes, v = one_cell(cell, (2000.0, 29), (1.0, 30), duration=3.4)
    assert spikes[0] == 30
    current = 2000.0 * np.exp(-2 * H / 5.0) + np.exp(-H / 5.0)  # when integration goes on
    assert spikes[1] == 32
    fast = one_cell(
        sim.IF_curr_exp(tau_refrac=0.1, v_thresh=1e9), (current, 31), duration=3.4, v=-65.0
    )[1]
    assert fast[32] > -50.0


def test_a_potential_starts_from_its_initial_value():
    _, v = one_cell(sim.IF_curr_exp(tau_m=10.0), duration=1.0, v=-60.0)
    np.testing.assert_allclose(v, -65 + 5 * np.exp(-np.arange(11) * H / 10), atol=1e-13)


@pytest.mark.parametrize("ratio", [1e-3, 0.5, 1 - 1e-6, 1.0, 1 + 1e-12, 1.5, 300.0])
def test_propagators(ratio):
    tau_m, t = 10.0, 0.1
    tau_s = np.array([tau_m * ratio])
    # integrals by Gauss-Legendre, exact to rounding for such smooth functions
    nodes, weights = np.polynomial.legendre.leggauss(60)
    s = t * (nodes + 1) / 2
    kernel = np.exp(-(t - s) / tau_m) * np.exp(-s / tau_s) * weights * t / 2 / tau_m
    found = response_exponential(t, tau_s, np.array([tau_m]))
    assert found == pytest.approx(kernel.sum(), rel=1e-13)
    found = response_alpha(t, tau_s, np.array([tau_m]))
    assert found == pytest.approx((kernel * s).sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("tau_m", [1.0, -1.0], r"'cells': IF_curr_exp tau_m=-1 of cell 1, need a value > 0"),
        ("cm", 0.0, "cm=0 of cell 0, need a value > 0"),
        ("tau_refrac", -0.1, "tau_refrac=-0.1 of cell 0, need a value >= 0"),
        ("v_reset", -50.0, "v_reset=-50 of cell 0, need a value below v_thresh"),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, message):
    sim.setup(timestep=H)
    with pytest.raises(InvalidParameterValueError, match=message):
        sim.Population(2, sim.IF_curr_exp(**{parameter: value}), label="cells")
    cells = sim.Population(2, sim.IF_curr_exp(), label="cells")
    with pytest.raises(InvalidParameterValueError, match=message):
        cells.set(**{parameter: value})
    assert cells.get("tau_m") == 20.0  # nothing has changed


# ---- composed neurons --------------------------------------------------------------------------


def composed(backend, neuron, responses, weights):
    backend.setup(timestep=H)
    receptors = {
        name: getattr(backend, kind)(**values) for name, (kind, values) in responses.items()
    }
    cells = backend.Population(2, backend.PointNeuron(neuron(backend), **receptors))
    cells.initialize(v=-65.0)
    source = backend.Population(2, backend.SpikeSourceArray(spike_times=[5.0, 10.0, 30.0]))
    for delay, (name, weight) in enumerate(weights.items(), start=1):
        backend.Projection(
            source, cells, backend.AllToAllConnector(),
            backend.StaticSynapse(weight=weight, delay=float(delay)), receptor_type=name,
        )  # fmt: skip
    cells.record([*cells.celltype.recordable])
    backend.run(60.0)
    segment = cells.get_data().segments[0]
    return {s.name: s.magnitude for s in segment.analogsignals}, segment.spiketrains[0].magnitude


def test_composed_neuron_with_currents_is_the_same_as_on_nest():
    responses = {
        name: ("CurrExpPostSynapticResponse", {"tau_syn": tau})
        for name, tau in {"A": 1.0, "B": 3.0, "C": 25.0}.items()
    }
    runs = [
        composed(b, lambda b: b.LIF(i_offset=0.7), responses, {"A": 2.0, "B": -0.5, "C": 0.4})
        for b in (nest, sim)
    ]
    assert len(runs[1][1]) > 2
    np.testing.assert_allclose(runs[0][1], runs[1][1], atol=1e-9)
    assert largest_difference(runs[0][0], runs[1][0]) < 1e-12


def test_composed_adaptive_neuron_is_nearly_the_same_as_on_nest():
    responses = {
        "AMPA": ("AlphaPSR", {"tau_syn": 1.0, "e_syn": 0.0}),
        "GABA": ("AlphaPSR", {"tau_syn": 4.0, "e_syn": -70.0}),
    }
    weights = {"AMPA": 0.02, "GABA": 0.01}
    runs = [composed(b, lambda b: b.AdExp(i_offset=0.4), responses, weights) for b in (nest, sim)]
    assert set(runs[1][0]) == {"v", "w", "AMPA.gsyn", "GABA.gsyn"}
    assert largest_difference(runs[0][0], runs[1][0]) < 1e-2


def test_parameters_of_a_receptor():
    sim.setup(timestep=H)
    receptors = {"AMPA": sim.ExpPSR(tau_syn=1.0, e_syn=0.0), "GABA": sim.AlphaPSR(e_syn=-70.0)}
    cells = sim.Population(3, sim.PointNeuron(sim.LIF(cm=0.5), **receptors))
    cells.set(**{"AMPA.tau_syn": [1.0, 2.0, 3.0]})
    cells[1:].set(**{"GABA.e_syn": -75.0})
    assert cells.get("AMPA.tau_syn").tolist() == [1.0, 2.0, 3.0]
    assert cells.get("GABA.e_syn").tolist() == [-70.0, -75.0, -75.0]
    assert cells.get(["cm", "GABA.tau_syn"]) == [0.5, 5.0]
    cells.initialize(**{"GABA.gsyn": 0.01, "v": -65.0})
    cells.record(["GABA.gsyn"])
    sim.run(1.0)
    signal = cells.get_data().segments[0].analogsignals[0]
    assert signal.units == pq.uS and signal[0, 2].item() == pytest.approx(0.01)
