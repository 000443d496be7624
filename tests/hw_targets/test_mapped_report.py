"""What the mapping says, against arithmetic of its own."""

import json

import numpy as np
import pytest

from cosim.backends import backend

sim = backend("hw_targets.brainscales2.mapped")

#: LSB/us per nA of a cell with 1 nF and 15 mV from rest to threshold.
PER_NA = 70 / 15


def begin(**options):
    sim.setup(**{"chip": 1, "quiet": True} | options)


def cells(n=1, **parameters):
    return sim.Population(n, sim.IF_curr_exp(**{"tau_refrac": 2.0} | parameters), label="cells")


def sources(n):
    return sim.Population(n, sim.SpikeSourceArray(spike_times=[1.0]), label="sources")


def connect(pre, post, weight, label="p", connector=None, delay=None, receptor_type="excitatory"):
    return sim.Projection(
        pre, post, connector or sim.AllToAllConnector(),
        sim.StaticSynapse(weight=weight, delay=delay), receptor_type=receptor_type, label=label,
    )  # fmt: skip


def test_weights():
    begin()
    weights = np.array([[0.5], [0.25], [0.1], [0.001], [0.0]])
    connect(sources(5), cells(cm=2.0), weights)
    report = sim.check()
    (found,) = report.projections
    # The strongest event makes 63 LSB: its current over that of a weight of 1.
    current = 0.5 * PER_NA / 2.0
    unit = 0.26 * np.e / 10 * (500 / 500) / 600
    dac = int(np.ceil(current / (63 * unit)))
    assert report.synapse_dac_bias == dac
    gm = int(np.ceil(500 * current / (63 * unit * dac)))
    assert report.populations[0].i_synin_gm == {"excitatory": gm, "inhibitory": 500}
    per_na = PER_NA / 2.0 / (unit * dac * gm / 500)
    assert found.lsb_per_unit == pytest.approx((per_na, per_na), rel=1e-12)
    exact = weights[:, 0] * per_na
    error = np.rint(exact) / per_na - weights[:, 0]
    assert found.rms_error == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-9)
    assert found.relative_rms_error == pytest.approx(
        found.rms_error / np.sqrt(np.mean(weights**2)), rel=1e-9
    )
    assert (found.n, found.n_synapses, found.n_clipped, found.n_zeroed) == (5, 5, 0, 1)
    assert found.largest_weight == 63
    assert found.unit == "nA"
    assert (report.n_circuits, report.largest_fan_in, report.available_fan_in) == (1, 5, 256)
    assert report.n_rows == 5


def test_inhibition_has_its_own_scale():
    begin()
    neurons = cells(2)
    connect(sources(1), neurons, 0.2)
    connect(sources(1), neurons, -0.1, receptor_type="inhibitory")
    report = sim.check()
    excitatory, inhibitory = report.projections
    assert inhibitory.lsb_per_unit[0] == pytest.approx(2 * excitatory.lsb_per_unit[0], rel=0.01)
    # The limit of the inhibitory input falls with its strength: 7.2 LSB/us at 500.
    gm = report.populations[0].i_synin_gm["inhibitory"]
    current = inhibitory.largest_weight / inhibitory.lsb_per_unit[0] * PER_NA
    assert inhibitory.of_saturation == pytest.approx(current / (7.2 * gm / 500), rel=1e-9)
    assert report.n_rows == 2


def test_conductances():
    begin(fidelity="ideal")
    neurons = sim.Population(
        1, sim.IF_cond_exp(tau_refrac=2.0, cm=0.5, e_rev_E=-10.0, e_rev_I=-72.0)
    )
    connect(sources(1), neurons, 0.01)
    report = sim.check()
    (found,), (population,) = report.projections, report.populations
    assert found.unit == "uS"
    # Halfway between rest and threshold a conductance is as strong as a current.
    reference = 0.5 * (-65.0 - 50.0)
    current = 0.01 / 0.5 * (-10.0 - reference) * population.lsb_per_mv
    gain = 0.26 * np.e / 10 * report.synapse_dac_bias / 600
    gain *= population.i_synin_gm["excitatory"] / 500
    assert found.largest_weight == pytest.approx(current / gain, rel=1e-9)


def test_clipping_and_parallel_rows():
    found = {}
    for rows in (1, 3):
        begin(parallel_rows=rows)
        connect(sources(2), cells(cm=0.25), np.array([[1.0], [0.1]]))
        report = sim.check()
        found[rows] = report.projections[0]
        assert report.synapse_dac_bias == (1022 if rows == 1 else report.synapse_dac_bias)
    # 1 nA into 0.25 nF at gm 500 and synapse_dac_bias 1022.
    wanted = PER_NA / 0.25 / (0.26 * np.e / 10 * 1022 / 600)
    assert 63 < wanted < 189
    assert (found[1].n_clipped, found[1].largest_weight, found[1].n_synapses) == (1, 63, 2)
    assert found[1].rms_error == pytest.approx(
        np.hypot(1 - 63 / wanted, 0.1 - np.rint(0.1 * wanted) / wanted) / np.sqrt(2)
    )
    assert (found[3].n_clipped, found[3].largest_weight) == (0, 189)
    assert found[3].n_synapses == 3 + 1


def test_delays():
    begin()
    connect(sources(3), cells(), 0.1, delay=np.array([[0.5], [2.0], [0.0]]))
    found = sim.check().projections[0]
    assert (found.n_delays, found.delays) == (2, (0.5, 2.0))
    begin()
    connect(sources(3), cells(), 0.1)
    assert sim.check().projections[0].delays is None


def test_parameters_out_of_range():
    begin()
    cells(3, tau_m=[0.1, 20.0, 70.0], tau_syn_E=[5.0, 5.0, 40.0], tau_refrac=[0.0, 1.0, 40.0])
    found = {c.parameter: c for c in sim.check().populations[0].clipped}
    assert {name: (c.n, c.asked, c.limits) for name, c in found.items()} == {
        "tau_m": (2, (0.1, 70.0), (0.5, 60.0)),
        "tau_syn_E": (1, (40.0, 40.0), (0.3, 30.0)),
        # The reset takes 0.5 us, so 2 us.
        "tau_refrac": (3, (0.0, 40.0), (2.0, 32.0)),
    }


def test_currents():
    begin()
    cells(3, i_offset=[0.1, -0.3, 100.0])
    (found,) = sim.check().populations
    lsb = 100.0 / 3.0 / (6.0 * 158.09)  # LSB/us: 500 raise a membrane of 1.9 us by 33 LSB
    (clipped,) = found.clipped
    limit = 1022 * lsb / PER_NA
    assert (clipped.parameter, clipped.n, clipped.asked) == ("i_offset", 1, (100.0, 100.0))
    assert clipped.limits == pytest.approx((-limit, limit))
    errors = [np.rint(i * PER_NA / lsb) * lsb / PER_NA - i for i in (0.1, 0.3)]
    assert found.current_rms_error == pytest.approx(np.sqrt(np.mean([*np.square(errors), 0.0])))


@pytest.mark.parametrize(("n", "merge", "fits"), [(256, 1, True), (257, 1, False), (257, 2, True)])
def test_fan_in(n, merge, fits):
    begin(merge=merge)
    connect(sources(n), cells(2), 0.01)
    if fits:
        report = sim.check()
        assert (report.largest_fan_in, report.available_fan_in) == (n, 256 * merge)
        assert report.n_circuits == 2 * merge
        return
    with pytest.raises(sim.MappingError, match="2 cells have more synapses .* 256 .*merge=2"):
        sim.check()


def test_rows_of_a_bus():
    # Neurons of columns 0 ... 31 and 128 ... 159 send on the same bus of 64 rows.
    begin()
    neurons = cells(256)
    senders = neurons[:32] + neurons[128:160]
    connect(senders, neurons[:1], 0.01)
    assert sim.check().n_rows == 64
    connect(neurons[:1], neurons[:1], 0.01)
    with pytest.raises(sim.MappingError, match="64 rows .* bus 0 .*merge"):
        sim.check()


@pytest.mark.parametrize(("n", "merge"), [(513, 1), (257, 2)])
def test_too_many_neurons(n, merge):
    begin(merge=merge)
    cells(n - 1)
    sim.check()
    cells(1)
    with pytest.raises(sim.MappingError, match=rf"{n} neurons .*need at most {n - 1}"):
        sim.check()


def test_all_problems_are_found_at_once():
    begin()
    neurons = cells(513, cm=[0.0] + 512 * [1.0])
    connect(sources(300), neurons[:1], 0.1)
    connect(sources(1), neurons[:1], 0.1).set(weight=-0.1)
    with pytest.raises(sim.MappingError) as caught:
        sim.run(1.0)
    text = str(caught.value)
    for part in ("513 neurons", "cm=0 nF", "needs 301", "weight=-0.1 on receptor 'excitatory'"):
        assert part in text
    assert len(caught.value.problems) == 4


def test_strict_refuses_all_changes_at_once():
    begin(strict=True, parallel_rows=1)
    neurons = cells(2, tau_m=[20.0, 99.0], cm=0.25)
    connect(sources(2), neurons, np.array([[1.0, 1.0], [0.001, 0.5]]), delay=1.5)
    with pytest.raises(sim.MappingError) as caught:
        sim.run(1.0)
    text = str(caught.value)
    for part in ("tau_m of 1 cells", "3 of 4 weights clipped", "1 of 4 weights became 0",
                 "delays of 1.5 ms of 4 connections"):  # fmt: skip
        assert part in text
    assert len(caught.value.problems) == 4


def test_strict_allows_rounding():
    begin(strict=True)
    connect(sources(2), cells(2), np.array([[0.3, 0.2], [0.1, 0.123]]))
    sim.run(1.0)
    report = sim.mapping_report()
    assert report.changes() == []
    assert report.projections[0].rms_error > 0
    assert "Nothing changed beyond rounding" in str(report)


def test_the_report_is_printed_once_unless_quiet(capsys):
    begin(quiet=False)
    connect(sources(1), cells(), 0.1)
    sim.run(1.0)
    sim.run(1.0)
    printed = capsys.readouterr().out
    assert printed == f"{sim.mapping_report()}\n"
    begin(quiet=True)
    cells()
    sim.run(1.0)
    assert capsys.readouterr().out == ""


def test_the_report_as_json():
    begin()
    connect(sources(1), cells(tau_m=99.0), 0.1, delay=1.0)
    report = sim.mapping_report()
    found = json.loads(json.dumps(report.to_dict()))
    assert found["projections"][0]["delays"] == [1.0, 1.0]
    assert found["populations"][0]["clipped"][0]["parameter"] == "tau_m"
    assert found["chip"] == "virtual 1"
