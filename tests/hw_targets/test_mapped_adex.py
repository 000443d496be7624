"""Adaptive exponential neurons on the chip."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.backends import backend
from hw_targets.brainscales2 import transfer
from hw_targets.brainscales2.calibration import RANGES
from hw_targets.brainscales2.mapped import MappingError, adex, mapping
from hw_targets.brainscales2.mapped.neurons import realise

sim = backend("hw_targets.brainscales2.mapped")

#: Step of NEST: the chip's grid of spikes, and NEST's shortest delay, which the chip doesn't have.
STEP = 0.008
#: What an interval differs from an exact one by at most, with the engine's steps of 0.1 us (its
#: docstring), and a tick, to which both round spikes up. NEST's solver is exact beside that: it
#: adapts its steps to errors of 1e-6.
INTERVAL = 0.024 + STEP
#: What intervals add up to in 20 spikes, as in the engine's own tests.
TRAIN = 0.1

#: Firing patterns (Naud et al. 2008, Biol Cybern 99: 335), around the cell of Brette and Gerstner
#: 2005, which is PyNN's default. The least number of spikes in 400 ms.
PATTERNS = {
    "tonic": ({"a": 0.0, "b": 0.0, "i_offset": 0.8}, 15),
    "adapting": ({"i_offset": 1.0}, 10),
    "strongly adapting": ({"b": 0.3, "i_offset": 1.2}, 6),
    "initial burst": ({"v_reset": -49.0, "i_offset": 0.8, "e_rev_I": -75.0}, 8),
    "regular bursting": ({"v_reset": -47.0, "i_offset": 0.8, "e_rev_I": -75.0}, 10),
    # Faster than the setting of the exponential current allows by itself.
    "fast": (
        {"tau_m": 1.1, "v_thresh": -64.0, "v_spike": -52.0, "i_offset": 2.1, "tau_w": 20.0},
        20,
    ),
    # Adaptation that amplifies, and a step that speeds up.
    "accelerating": ({"a": -3.0, "b": -0.02, "tau_w": 60.0, "i_offset": 0.55}, 6),
}


def begin(**options):
    sim.setup(**{"chip": 1, "quiet": True} | options)


def ideal(**options):
    begin(**{"fidelity": "ideal", "strict": True, "parallel_rows": 2} | options)


def cells_of(module, size=1, **parameters):
    values = {"tau_refrac": 2.0} | parameters
    cells = module.Population(size, module.EIF_cond_exp_isfa_ista(**values), label="cells")
    cells.initialize(v=-70.6)
    return cells


def trains(cells):
    found = cells.get_data("spikes").segments[0].spiketrains
    return [np.asarray(train.magnitude) for train in found]


def potentials(cells):
    (found,) = cells.get_data("v").segments[0].analogsignals
    return np.asarray(found.magnitude)


def run(module, duration, parameters, drive=None, **options):
    if module is sim:
        ideal(**options)
    else:
        module.setup(timestep=STEP, min_delay=STEP)
    cells = cells_of(module, **parameters)
    if drive is not None:
        drive(module, cells)
    cells.record(["spikes", "v"])
    module.run(duration)
    found = trains(cells)[0], potentials(cells)[:, 0]
    module.end()
    return found


def check_agreement(ours, theirs, shift=0):
    """Spike times, intervals, and potentials every 0.2 ms; NEST is late by `shift` steps."""
    (spikes, v), (expected, v_nest) = ours, theirs
    assert spikes.size == expected.size
    np.testing.assert_allclose(spikes, expected - shift * STEP, rtol=0, atol=TRAIN)
    np.testing.assert_allclose(np.diff(spikes), np.diff(expected), rtol=0, atol=INTERVAL)
    # A potential differs by what it does in the time that one's spikes are late; samples between
    # one's spike and the other's by all the way from peak to reset.
    late = np.abs(spikes - (expected - shift * STEP)).max() + STEP
    slope = np.abs(np.gradient(v_nest, STEP))[shift:-1:25]
    error = np.abs(v[:-2:2] - v_nest[shift:-1:25])
    assert (error < 0.01 + late * slope).mean() > 0.98


@pytest.mark.parametrize("pattern", PATTERNS)
def test_firing_patterns_are_those_of_nest(pattern):
    parameters, least = PATTERNS[pattern]
    ours = run(sim, 400.0, parameters)
    assert ours[0].size >= least
    check_agreement(ours, run(backend("nest"), 400.0, parameters))


def test_patterns_are_what_they_are_called():
    intervals = {name: np.diff(run(sim, 400.0, p)[0]) for name, (p, _) in PATTERNS.items()}
    assert np.ptp(intervals["tonic"]) <= 0.0081
    assert intervals["adapting"][-1] > 1.5 * intervals["adapting"][0]
    assert intervals["accelerating"][-1] < intervals["accelerating"][0]
    first, *rest = np.flatnonzero(intervals["regular bursting"] > 100.0)
    assert first > 2 and len(rest) >= 1
    assert np.median(intervals["regular bursting"]) < 10.0


def drive(module, cells):
    rng = np.random.default_rng(4)
    times = [np.sort(np.rint(rng.uniform(1, 290, 60) / STEP) * STEP).tolist() for _ in range(8)]
    sources = module.Population(8, module.SpikeSourceArray(spike_times=times))
    excite = module.StaticSynapse(weight=rng.uniform(0.005, 0.02, (6, 1)))
    module.Projection(sources[:6], cells, module.AllToAllConnector(), excite)
    inhibit = module.StaticSynapse(weight=0.01)
    module.Projection(
        sources[6:], cells, module.AllToAllConnector(), inhibit, receptor_type="inhibitory"
    )


def test_conductances():
    parameters = {"tau_syn_E": 3.0, "tau_syn_I": 8.0, "i_offset": 0.1}
    ours = run(sim, 300.0, parameters, drive)
    assert ours[0].size > 5
    check_agreement(ours, run(backend("nest"), 300.0, parameters, drive), shift=1)


@pytest.mark.parametrize("merge", [2, 16])
@pytest.mark.parametrize("pattern", ["adapting", "regular bursting", "fast"])
def test_merged_circuits_do_the_same(pattern, merge):
    parameters, _ = PATTERNS[pattern]
    single, _ = run(sim, 100.0, parameters)
    merged, _ = run(sim, 100.0, parameters, merge=merge)
    assert merged.size == single.size > 2
    # Of 16 circuits the exponential current of one, as fast as that, ends at its limit before
    # v_spike: a tick.
    np.testing.assert_allclose(np.diff(merged), np.diff(single), rtol=0, atol=0.0081)


def test_merged_circuits_are_calibrated():
    # At the end of the range of their setting one exponential current in 40 would miss its rate.
    for merge in (1, 8, 12):
        begin(merge=merge)
        cells_of(sim, 40)
        cells_of(sim, 2, tau_m=0.6)
        assert all(p.n_uncalibrated == 0 for p in sim.mapping_report().populations)


def counts(parameters, **options):
    begin(**options)
    cells = cells_of(sim, 40, **parameters)
    cells.record("spikes")
    sim.run(500.0)
    return np.array([train.size for train in trains(cells)])


@pytest.mark.parametrize("merge", [1, 2])
@pytest.mark.parametrize("saturates", [True, False])
@pytest.mark.parametrize("pattern", ["tonic", "adapting", "strongly adapting"])
def test_spike_counts_on_five_chips(pattern, saturates, merge, monkeypatch):
    parameters, _ = PATTERNS[pattern]
    exact = counts(parameters, fidelity="ideal")[0]

    def without_saturation(*args):
        realised = realise(*args)
        infinite = np.full(len(realised.circuits), np.inf)
        return realised._replace(circuits=replace(realised.circuits, leak_saturation=infinite))

    if not saturates:
        monkeypatch.setattr(mapping, "realise", without_saturation)
    found = np.array([counts(parameters, chip=chip, merge=merge) for chip in range(5)])
    assert len({tuple(count) for count in found}) == 5
    ratio = found.mean(axis=1) / exact
    if saturates:
        # 20 mV below the exponential threshold, 81 LSB, the leak is 15 % weaker than a linear one.
        assert ((ratio > 1.0) & (ratio < 1.25)).all()
    else:
        assert (np.abs(ratio - 1.0) < 0.06).all()
    # The calibration's errors: up to 4 % of the leak and 1.3 LSB of the exponential threshold.
    assert (found.std(axis=1) / exact < 0.15).all()


def test_a_burster_bursts_on_five_chips():
    for chip in range(5):
        begin(chip=chip)
        cells = cells_of(sim, 10, **PATTERNS["regular bursting"][0])
        cells.record("spikes")
        sim.run(500.0)
        for train in trains(cells):
            intervals = np.diff(train)
            assert (intervals > 60.0).sum() >= 2
            assert np.median(intervals) < 12.0


# The map of potentials


def voltage(**parameters):
    ideal(strict=False)
    cells_of(sim, **parameters)
    return sim.mapping_report().populations[0]


def test_the_slope_sets_the_scale():
    for slope in (2.0, 2.5, 5.0):
        found = voltage(delta_T=slope)
        assert found.lsb_per_mv == pytest.approx(transfer.EXPONENTIAL_SLOPE / slope)
        assert found.clipped == ()


def test_a_far_v_spike_is_clipped_and_hardly_matters():
    assert voltage(v_spike=20.0).lsb_per_mv == pytest.approx(4.0)
    (clipped,) = voltage(v_spike=20.0).clipped
    assert (clipped.parameter, clipped.asked) == ("v_spike", (20.0, 20.0))
    end = (clipped.limits[1] + 50.4) / 2.0
    assert end > adex.UPSTROKE
    parameters = {"v_spike": 20.0, "i_offset": 0.8, "a": 0.0, "b": 0.0}
    ours = run(sim, 200.0, parameters, strict=False)
    theirs = run(backend("nest"), 200.0, parameters)
    # The rest of each upstroke: tau_m exp(-end), which is less than a tick.
    assert 9.4 * np.exp(-end) < STEP
    check_agreement(ours, theirs)


def test_reversal_potentials_shrink_the_scale_and_widen_the_slope():
    found = voltage(delta_T=1.0)
    low, high = RANGES["e_coba_reversal_exc"]
    assert found.lsb_per_mv == pytest.approx((high - low) / 80.0)
    (clipped,) = found.clipped
    assert (clipped.parameter, clipped.asked, clipped.unit) == ("delta_T", (1.0, 1.0), "mV")
    assert clipped.limits == pytest.approx((8.0 * 80.0 / 330.0,) * 2)


@given(
    rest=st.floats(-90, -40), up=st.floats(-20, 60), slope=st.floats(0.05, 30),
    spike=st.floats(0.1, 150), reset=st.floats(0.1, 150),
)  # fmt: skip
def test_all_potentials_but_v_spike_are_in_range(rest, up, slope, spike, reset):
    values = {
        "v_rest": [rest, rest + 1.0], "v_thresh": rest + up, "delta_T": slope,
        "v_spike": rest + up + spike, "v_reset": rest + up + spike - reset,
        "e_rev_E": 0.0, "e_rev_I": -80.0,
    }  # fmt: skip
    values = {name: np.atleast_1d(np.asarray(value)) for name, value in values.items()}
    found = adex._voltage_map(values)
    assert 0 < found.scale <= transfer.EXPONENTIAL_SLOPE / slope * (1 + 1e-9)
    ranges = {key: RANGES[target] for key, target in adex.POTENTIALS.items() if key != "v_spike"}
    for name, (low, high) in (ranges | {"v_thresh": adex.THRESHOLD_RANGE}).items():
        assert low - 1e-6 <= found.lsb(values[name]).min()
        assert found.lsb(values[name]).max() <= high + 1e-6
    assert found.lsb(values["v_spike"]).min() >= RANGES["threshold"][0] - 1e-6


# What is out of range


def test_clipping_is_reported():
    ideal(strict=False)
    cells_of(
        sim, 3, delta_T=[2.0, 2.0, 5.0], tau_w=[144.0, 5.0, 2000.0], a=[4.0, 400.0, -500.0],
        b=[0.0805, 0.5, 2.0],
    )  # fmt: skip
    found = {clipped.parameter: clipped for clipped in sim.mapping_report().populations[0].clipped}
    # The scale is that of the mean delta_T, 3 mV.
    assert set(found) == {"delta_T", "tau_w", "a", "b"}
    assert found["delta_T"].n == 3
    assert found["delta_T"].limits == pytest.approx((3.0, 3.0))
    assert (found["tau_w"].n, found["tau_w"].asked) == (2, (5.0, 2000.0))
    assert found["tau_w"].limits == (20.0, 1000.0)
    assert (found["a"].n, found["a"].asked, found["a"].unit) == (2, (-500.0, 400.0), "nS")
    assert found["a"].limits == pytest.approx((-281.0, 281.0))
    assert (found["b"].n, found["b"].asked, found["b"].unit) == (1, (2.0, 2.0), "nA")
    assert found["b"].limits[1] == pytest.approx(10.0 / (8.0 / 3.0) * 0.281)


def test_what_is_clipped_is_clipped():
    ideal(strict=False)
    cells_of(sim, tau_w=5.0, a=400.0, b=2.0)
    circuits = sim.simulator.state.mapping.circuits
    assert circuits.adaptation_a[0] == 1.0
    assert circuits.adaptation_b[0] == 10.0
    assert circuits.adaptation_rate[0] == 1 / 20.0


def test_strict_refuses_what_is_clipped():
    begin(strict=True)
    cells_of(sim, tau_w=5.0)
    with pytest.raises(MappingError, match="tau_w of 1 cells, 5 ms, clipped to 20 ... 1000 ms"):
        sim.run(1.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"delta_T": 0.0}, "'cells': delta_T=0 mV, need > 0; IF_cond_exp"),
        ({"delta_T": [2.0, -1.0]}, "'cells': delta_T=-1 mV"),
        ({"v_spike": -75.0}, "'cells': v_spike=-75 mV, need more than v_reset=-70.6 mV"),
        ({"cm": 0.0}, "'cells': cm=0 nF, need > 0"),
        ({"e_rev_E": -75.0}, "'cells': e_rev_I=-80 mV and e_rev_E=-75 mV leave no room"),
    ],
)
def test_impossible_values(parameters, message):
    begin()
    cells_of(sim, 2, **parameters)
    with pytest.raises(MappingError, match=message):
        sim.check()


def test_a_reset_above_v_thresh_is_possible():
    ideal()
    cells_of(sim, v_reset=-47.0, e_rev_I=-75.0)
    sim.check()


# Beside other cells, and between runs


@pytest.mark.parametrize("options", [{"fidelity": "ideal"}, {"chip": 1}])
def test_other_cells_neither_adapt_nor_have_an_exponential_current(options):
    begin(**options)
    cells_of(sim, 2)
    sim.Population(3, sim.IF_cond_exp(tau_refrac=2.0))
    sim.Population(3, sim.IF_curr_exp(tau_refrac=2.0))
    circuits = sim.simulator.state.mapping.circuits
    assert (circuits.adaptation_a != 0).tolist() == [True] * 2 + [False] * 6
    assert (circuits.adaptation_b != 0).tolist() == [True] * 2 + [False] * 6
    active = (circuits.exp_slope > 0) & (circuits.exp_rate > 0)
    assert active.tolist() == [True] * 2 + [False] * 6


def test_parameters_between_runs():
    ideal()
    cells = cells_of(sim, 2, i_offset=1.0)
    cells.record("spikes")
    sim.run(200.0)
    cells[0:1].set(b=0.0, a=0.0)
    sim.run(200.0)
    without, with_adaptation = trains(cells)
    assert (without < 200.0).sum() == (with_adaptation < 200.0).sum()
    assert (without > 200.0).sum() > 1.5 * (with_adaptation > 200.0).sum()


def test_recordable():
    begin()
    cells = cells_of(sim)
    assert cells.can_record("v") and not cells.can_record("w")
    with pytest.raises(Exception, match="w"):
        cells.record("w")
