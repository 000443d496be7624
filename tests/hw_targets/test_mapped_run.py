"""Running mapped networks: chips, pieces, resets, changes between runs, recording."""

from dataclasses import replace

import numpy as np
import pytest

from cosim.backends import backend
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.mapped import mapping, simulator
from hw_targets.brainscales2.mapped.neurons import realise
from hw_targets.brainscales2.readout import CADC_NOISE

sim = backend("hw_targets.brainscales2.mapped")


def begin(**options):
    sim.setup(**{"chip": 1, "quiet": True} | options)


def trains(cells, segment=0):
    found = cells.get_data("spikes").segments[segment].spiketrains
    return [train.magnitude.tolist() for train in found]


def potentials(cells, segment=0):
    (found,) = cells.get_data("v").segments[segment].analogsignals
    return np.asarray(found.magnitude)


def network(weight=0.02):
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=40.0), label="noise")
    cells = sim.Population(30, sim.IF_curr_exp(tau_refrac=2.0, i_offset=0.5), label="cells")
    made = sim.Projection(
        noise, cells, sim.FixedProbabilityConnector(0.5), sim.StaticSynapse(weight=0.15),
        label="in",
    )  # fmt: skip
    recurrent = sim.Projection(
        cells, cells, sim.FixedProbabilityConnector(0.2), sim.StaticSynapse(weight=weight),
        label="rec",
    )  # fmt: skip
    noise.record("spikes")
    cells.record(["spikes", "v"])
    return noise, cells, made, recurrent


def counts(**options):
    begin(**options)
    _, cells, *_ = network()
    sim.run(500.0)
    return [len(train) for train in trains(cells)]


@pytest.mark.parametrize("saturates", [True, False])
def test_spike_counts_on_five_chips(saturates, monkeypatch):
    exact = np.array(counts(fidelity="ideal"))
    assert exact.sum() > 200

    def without_saturation(*args):
        realised = realise(*args)
        infinite = np.full(len(realised.circuits), np.inf)
        return realised._replace(circuits=replace(realised.circuits, leak_saturation=infinite))

    if not saturates:
        monkeypatch.setattr(mapping, "realise", without_saturation)
    found = [counts(chip=chip) for chip in range(5)]
    # Same input, other circuits.
    assert len({tuple(count) for count in found}) == 5
    ratio = np.sum(found, axis=1) / exact.sum()
    if saturates:
        # i_offset lifts the potential by 110 atanh(47 / 110) = 50 LSB instead of 47, of 70 to
        # the threshold, which makes it easier to spike.
        assert ((ratio > 1.05) & (ratio < 1.5)).all()
    else:
        assert (np.abs(ratio - 1) < 0.1).all()
    assert np.corrcoef(np.mean(found, axis=0), exact)[0, 1] > 0.8


def test_the_seeds_decide():
    found = []
    for rng_seed, chip in ((3, None), (3, None), (3, 3), (3, 4), (4, 3)):
        begin(rng_seed=rng_seed, chip=chip)
        noise, cells, *_ = network()
        sim.run(100.0)
        found.append((trains(noise), trains(cells), potentials(cells).tolist()))
        assert sim.mapping_report().chip == f"virtual {rng_seed if chip is None else chip}"
    first, again, the_same_chip, another, other_input = found
    assert first == again == the_same_chip
    assert another[0] == first[0]
    assert another[1] != first[1]
    assert other_input[0] != first[0]


@pytest.mark.parametrize("fidelity", ["emulated", "ideal"])
def test_pieces_make_up_the_whole(fidelity):
    found = []
    for stops in ([60.0], [0.0, 0.1, 12.3, 30.0, 60.0]):
        begin(fidelity=fidelity)
        noise, cells, *_ = network()
        for stop in stops:
            assert sim.run_until(stop) == pytest.approx(stop)
        found.append((trains(noise), trains(cells), potentials(cells)))
    whole, pieces = found
    assert sum(map(len, whole[1])) > 10
    assert pieces[:2] == whole[:2]
    assert whole[2].shape == (601, 30)
    # Ends of runs that are no multiples of a step change the last digits, which rounding by the
    # CADC can turn into one LSB.
    difference = np.abs(pieces[2] - whole[2])
    assert (difference > 1e-6).mean() < 1e-3


def test_reset():
    begin(fidelity="ideal")
    cells = sim.Population(2, sim.IF_curr_exp(tau_refrac=2.0, i_offset=[0.9, 1.2]))
    inputs = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 20.0]))
    sim.Projection(inputs, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))
    cells.initialize(v=-60.0)
    cells.record(["spikes", "v"])
    for _ in range(2):
        sim.run(50.0)
        sim.reset()
        assert sim.get_current_time() == 0.0
    cells.set(i_offset=0.0)
    sim.run(50.0)
    first, second, third = range(3)
    assert trains(cells, first) == trains(cells, second) != trains(cells, third)
    np.testing.assert_array_equal(potentials(cells, first), potentials(cells, second))
    assert (potentials(cells, third)[0] == -60.0).all()


def test_each_run_after_a_reset_has_other_noise():
    begin()
    _, cells, *_ = network()
    for _ in range(2):
        sim.run(50.0)
        sim.reset()
    assert trains(cells, 0) != trains(cells, 1)


def test_weights_between_runs():
    begin(fidelity="ideal")
    inputs = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 110.0, 210.0]))
    cells = sim.Population(1, sim.IF_curr_exp())
    made = sim.Projection(inputs, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    cells.record("v")
    sim.run(100.0)
    made.set(weight=0.05)
    assert made.get("weight", format="array") == pytest.approx(0.05)
    sim.run(100.0)
    made.set(weight=0.2)
    sim.run(100.0)
    # The scale stays, so that twice the largest weight is out of range.
    assert sim.mapping_report().projections[0].n_clipped == 1
    v = potentials(cells)[:, 0] + 65.0
    first, second, third = (v[k : k + 990].max() for k in (0, 1000, 2000))
    assert second == pytest.approx(first / 2, rel=0.02)
    largest = 63 / sim.mapping_report().projections[0].lsb_per_unit[0]
    assert third == pytest.approx(first * largest / 0.1, rel=0.02)


def test_new_changes_are_printed(capsys):
    sim.setup(fidelity="ideal")
    inputs = sim.Population(1, sim.SpikeSourceArray())
    cells = sim.Population(1, sim.IF_curr_exp())
    made = sim.Projection(inputs, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))

    def printed(weight):
        made.set(weight=weight)
        sim.run(1.0)
        return capsys.readouterr().out

    assert "Nothing changed beyond rounding" in printed(0.1)
    assert printed(0.05) == ""
    assert "1 of 1 weights clipped to 63 LSB" in printed(0.2)
    assert printed(0.3) == ""


def test_parameters_and_potentials_between_runs():
    begin(fidelity="ideal")
    cells = sim.Population(2, sim.IF_curr_exp(tau_refrac=2.0))
    cells.record(["v", "spikes"])
    sim.run(10.0)
    cells[1:2].set(i_offset=0.5)
    sim.run(20.0)
    cells[0:1].initialize(v=-55.0)
    sim.run(10.0)
    v = potentials(cells)
    assert (v[:301, 0] == -65.0).all()
    # Runs end on the grid of 8 us.
    grown = -65.0 + 10.0 * (1 - np.exp(-20.0 / 20.0))
    assert v[300, 1] == pytest.approx(grown, abs=0.5 * 0.008)
    assert v[400, 0] == pytest.approx(-65.0 + 10.0 * np.exp(-0.5), abs=0.5 * 0.008)
    assert cells.get("i_offset").tolist() == [0.0, 0.5]


def test_a_network_that_has_run_does_not_grow():
    begin()
    cells = sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)
    with pytest.raises(RuntimeError, match="'more'.*reset"):
        sim.Population(1, sim.IF_curr_exp(), label="more")
    with pytest.raises(RuntimeError, match="cannot grow"):
        sim.Projection(cells, cells, sim.AllToAllConnector())
    sim.reset()
    sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)


def test_recorded_potentials_are_readings_of_the_cadc():
    chip = Chip.virtual(1)
    begin()
    cells = sim.Population(40, sim.IF_curr_exp())
    cells.record("v")
    sim.run(300.0)
    lsb = 80.0 + (potentials(cells)[2000:] + 65.0) * 70 / 15
    np.testing.assert_allclose(lsb, np.rint(lsb), rtol=0, atol=1e-6)
    # At rest each cell is where its leak, its inputs' currents and its channel put it.
    circuits = sim.simulator.state.mapping.circuits
    rest = circuits.leak_potential + circuits.current / circuits.leak_rate
    expected = rest + chip.cadc_residual[:40]
    assert expected.std() > 1.0
    spread = np.sqrt(CADC_NOISE**2 + 1 / 12)
    n = len(lsb)
    np.testing.assert_allclose(lsb.mean(axis=0), expected, rtol=0, atol=5 * spread / np.sqrt(n))
    assert lsb.std(axis=0).mean() == pytest.approx(spread, rel=5 / np.sqrt(2 * lsb.size))


def test_sampling_interval_and_later_cells():
    begin(fidelity="ideal")
    cells = sim.Population(3, sim.IF_curr_exp())
    cells[0:2].record("v", sampling_interval=0.5)
    sim.run(10.0)
    cells[2:3].record("v")
    sim.run(10.0)
    v = potentials(cells)
    assert v.shape == (41, 3)
    assert np.isnan(v[:21, 2]).all()
    assert (v[21:] == -65.0).all()
    with pytest.raises(ValueError, match="sampling_interval=0.25"):
        cells.record("v", sampling_interval=0.25)


def test_clearing():
    begin(fidelity="ideal")
    cells = sim.Population(1, sim.IF_curr_exp(i_offset=1.0, tau_refrac=2.0))
    cells.record(["v", "spikes"])
    sim.run(100.0)
    first = cells.get_data(clear=True).segments[0]
    sim.run(100.0)
    second = cells.get_data().segments[0]
    assert float(second.analogsignals[0].t_start) == 100.0
    assert first.analogsignals[0].shape == second.analogsignals[0].shape == (1001, 1)
    np.testing.assert_array_equal(first.analogsignals[0][-1], second.analogsignals[0][0])
    assert first.spiketrains[0].max() < 100.0 < second.spiketrains[0].min()


def test_what_is_cleared_takes_no_memory():
    begin(fidelity="ideal")
    cells = sim.Population(1, sim.IF_curr_exp(i_offset=1.0, tau_refrac=2.0))
    others = sim.Population(1, sim.SpikeSourceArray(spike_times=np.arange(1.0, 200.0)))
    cells.record(["v", "spikes"])
    others.record("spikes")
    n_spikes = 0
    for _ in range(10):
        sim.run(20.0)
        n_spikes += len(cells.get_data(clear=True).segments[0].spiketrains[0])
    assert n_spikes > 5
    (piece,) = cells.recorder._samples["v"]
    # The last sample is the first one of the next recording.
    assert len(piece[0]) == 1
    assert not np.isin(simulator.state.events("spikes")[0], cells.ids).any()
    # Others are kept.
    assert trains(others) == [list(range(1, 200))]


def test_spikes_lie_on_the_grid_of_the_chip():
    begin()
    inputs = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.1, 0.104, 1.0]))
    inputs.record("spikes")
    _, cells, *_ = network()
    sim.run(50.0)
    assert trains(inputs) == [[0.104, 0.104, 1.0]]
    for train in trains(cells):
        ticks = np.array(train) / 0.008
        np.testing.assert_allclose(ticks, np.rint(ticks), rtol=0, atol=1e-6)


def test_host_poisson_trains_are_those_of_nest():
    found = []
    for module in (backend("nest"), sim):
        options = {"quiet": True} if module is sim else {}
        module.setup(poisson="host", rng_seed=5, **options)
        noise = module.Population(10, module.SpikeSourcePoisson(rate=50.0), label="noise")
        noise.record("spikes")
        module.run(100.0)
        found.append(trains(noise))
        module.end()
    expected, ours = found
    assert sum(map(len, expected)) > 20
    for one, other in zip(ours, expected, strict=True):
        # Rounded up from 0.1 to 0.008 ms.
        late = np.array(one) - np.array(other)
        assert ((late > -1e-6) & (late < 0.008)).all()


@pytest.mark.parametrize("merge", [1, 4])
def test_merged_circuits_do_the_same(merge):
    begin(fidelity="ideal", merge=merge)
    _, cells, *_ = network()
    sim.run(60.0)
    merged = trains(cells)
    begin(fidelity="ideal")
    _, cells, *_ = network()
    sim.run(60.0)
    single = trains(cells)
    assert [len(train) for train in merged] == [len(train) for train in single]
    for one, other in zip(merged, single, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.0081)


def test_sources_alone_need_no_circuit():
    begin()
    inputs = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
    inputs.record("spikes")
    sim.run(1.5)
    sim.run(1.5)
    assert trains(inputs) == [[1.0, 2.0]]
    assert sim.mapping_report().n_circuits == 0


def test_what_is_lacking_is_refused():
    for name in ("HH_cond_exp", "STDPMechanism", "TsodyksMarkramSynapse", "DCSource"):
        with pytest.raises(AttributeError, match=f"'brainscales2' .*{name}.*use"):
            getattr(sim, name)
    assert sim.capabilities.cell_types == {
        "EIF_cond_exp_isfa_ista", "IF_curr_exp", "IF_curr_exp_dAP", "IF_cond_exp",
        "SpikeSourceArray", "SpikeSourcePoisson",
    }  # fmt: skip
    assert sim.capabilities.synapse_types == {
        "MemristiveSTDP", "MemristiveStructuralSTDP", "MemristiveSynapse", "StaticSynapse",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"threads": 2}, {"spike_precision": "off_grid"}, {"fidelity": "perfect"}, {"merge": 3},
        {"merge": 0}, {"parallel_rows": 0}, {"timestep": 0.004}, {"poisson": "other"},
        {"parallel_rows": 1.5}, {"chip": -1}, {"chip": 1.5}, {"chip": "seven"},
    ],
)  # fmt: skip
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=f"setup: {next(iter(options))}"):
        begin(**options)


def test_synapses_of_other_backends_are_refused():
    begin()
    cells = sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(Exception, match="StaticSynapse or a memristive synapse of this backend"):
        sim.Projection(cells, cells, sim.AllToAllConnector(), backend("nest").StaticSynapse())
    with pytest.raises(Exception, match="isyn_exc"):
        cells.initialize(isyn_exc=1.0)
    with pytest.raises(Exception, match="increasing order"):
        sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0, 1.0]))
