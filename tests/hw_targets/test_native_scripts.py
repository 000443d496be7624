"""Scripts with the vendor's import, as users write them for the chip, run on the emulation."""

import runpy
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture
def run(installed):
    """Run a script on virtual chip 0 with noise; return its variables."""
    installed.configure(chip=0, noise=True)
    return lambda name: runpy.run_path(str(SCRIPTS / f"{name}.py"))


def test_dual_use(run):
    found = run("dual_use")
    assert found["membrane"].magnitude.max() > found["membrane"].magnitude.min() + 60
    assert len(found["spikes"]) > 0
    assert found["pynn"].simulator.state is None


def test_single_neuron(run):
    found = run("single_neuron")
    # Ten circuits of a real chip: 6.02 us, 13 %; jitter 0.4 %; peaks of 409 with a spread of 10.
    intervals = found["intervals_us"]
    assert abs(intervals.mean() - 6.02) < 3 * 0.79 / np.sqrt(10) + 0.5
    assert 0.05 < intervals.std(ddof=1) / intervals.mean() < 0.25
    assert 0.002 < found["jitter"].mean() < 0.01
    assert abs(found["peaks"].mean() - 409) < 25 and 3 < found["peaks"].std(ddof=1) < 30


def test_fi_curve(run):
    found = run("fi_curve")
    rates = np.array(found["rates_khz"])
    assert rates[0] == 0 and rates[-1] > 100
    above = np.flatnonzero(rates)
    assert 1 <= above[0] <= 8 and (np.diff(rates[above]) > 0).all()
    # Never faster than the refractory time allows.
    assert rates.max() < 1e3 / (120 / 125)


def test_lif_parameters(run):
    found = run("lif_parameters")
    resting = found["resting"]
    # 0.79 LSB of the MADC per LSB of the setting.
    np.testing.assert_allclose(np.diff(resting), 0.79 * 200, rtol=0.02)
    assert (np.diff(found["by_threshold"]) > 0).all()
    assert (np.diff(found["by_leak"]) < 0).all()
    assert (np.diff(found["by_capacitance"]) > 0).all()
    slower = np.diff(found["by_refractory_time"])
    # A longer reset, of 8 ns per count, also gets closer to the reset potential.
    assert slower[0] > 50 * 8e-3 * 0.99 and slower[1] > 150 * 8e-3 * 0.99


def test_synaptic_input(run):
    found = run("synaptic_input")
    excitatory, inhibitory = found["heights"]
    # 0.26 LSB of the CADC, at the nightly calibration's time constants of 10 us and DAC of 600, in
    # LSB of the MADC; maxima are of noisy traces.
    expected = 3 * 0.26 * found["weights"]
    for k in range(2):
        above_noise = excitatory[:, k] - excitatory[0, k]
        np.testing.assert_allclose(above_noise[1:], expected[1:], rtol=0.25)
        below_noise = inhibitory[:, k] - inhibitory[0, k]
        assert (np.diff(below_noise) < 0).all()
        # The inhibitory input saturates.
        assert 0.4 * expected[-1] < -below_noise[-1] < 0.9 * expected[-1]


def test_projections(run):
    found = run("projections")
    firsts = found["first_spikes"]
    assert np.isfinite(firsts).all()
    assert (np.diff(np.median(firsts, axis=1)) > 0).all()
    assert firsts.min() > 0.02
    # 3 * 400 pairs with a probability of 0.8: four standard deviations.
    assert abs(found["n_synapses"] - 960) < 4 * np.sqrt(1200 * 0.8 * 0.2)
    counts = found["counts_cut"].sum(axis=1)
    assert (counts[:2] > 0).all() and (counts[2:] == 0).all()


def test_synfire_chain(run):
    found = run("synfire_chain")
    # A volley passes each group once, in order; inhibition ends it.
    assert (found["counts"] == 1).all()
    first = found["first_us"]
    assert (first[1:].min(axis=1) > first[:-1].max(axis=1)).all()
    # Synapses have no delays: a link takes less than a time constant of the membrane.
    assert (np.diff(np.median(first, axis=1)) < 10).all()
    cut = found["CUT"]
    assert (found["counts_cut"][:cut] == 1).all()
    assert not found["counts_cut"][cut:].any()


def test_sudoku(run):
    found = run("sudoku")
    solution = found["solution"]
    for field, digit in found["CLUES"].items():
        assert solution[field] == digit
    digits = [1, 2, 3, 4]
    boxes = solution.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    for exclusive in (*solution, *solution.T, *boxes):
        assert sorted(exclusive) == digits


def test_dynamic_range(run):
    found = run("dynamic_range")
    weights, responses = found["WEIGHTS"], found["responses"]
    assert weights[-1] == 288 and (np.diff(responses) > 0).all()
    # Linear over the whole range: parallel synapses add up.
    np.testing.assert_allclose(responses[1:], responses[-1] / 288 * weights[1:], rtol=0.1)
    np.testing.assert_array_equal(found["n_synapses"][1:], np.ceil(weights[1:] / 63))
    assert found["largest_weight"] == 63
    assert found["chip_name"] == found["pynn"].helper.get_unique_identifier()


def test_poisson_on_chip(run):
    found = run("poisson_on_chip")
    n, runtime = found["N_SOURCES"], found["RUNTIME_MS"]
    for rate, counts, fano in zip(found["RATES_KHZ"], found["counts"], found["fano"], strict=True):
        # What the generator's registers make of the rate.
        clock = 125e3
        probability = (round(255 * rate * n / clock) + 1) / 256
        expected = clock / round(clock / (rate * n) * probability) * probability / n * runtime
        # Four standard deviations: of all events, of each source's, of the Fano factor.
        assert abs(sum(counts) - n * expected) < 4 * np.sqrt(n * expected)
        assert np.abs(np.array(counts) - expected).max() < 4 * np.sqrt(expected)
        assert abs(fano - 1) < 4 * np.sqrt(2 / 500)
    rates = found["rates_khz"]
    assert rates[0] < 1 and (np.diff(rates) > 0).all() and rates[-1] > 20


def test_multiple_configs(run):
    found = run("multiple_configs")
    counts = found["counts"]
    assert counts.shape == (5, 8) and found["n_segments"] == 1 and found["inside"]
    assert found["scheduled_ms"] == pytest.approx(2.5)
    # Weights that increase from snippet to snippet; 0 first.
    assert not counts[0].any() and (np.diff(counts[:4], axis=0) > 0).all()
    # Without a change a snippet continues as the one before; a long refractory time limits rates.
    assert np.abs(counts[4, :4] - counts[3, :4]).max() <= 3
    assert (counts[4, 4:] <= 500 / 25).all() and (counts[4, 4:] > 500 / 35).all()
    np.testing.assert_allclose(found["begins_ms"], 0.5 * np.arange(5), atol=1e-4)
    assert (found["means"][1:] > found["means"][0] + 5).all()


def test_conductance_based(run):
    found = run("conductance_based")
    assert all(found["calibrated"])
    # Proportional to the distance to the reversal potential; readings have noise of 0.1 LSB.
    rests = found["RESTS"]
    for responses, reversal in ((found["excitatory"], 300.0), (found["inhibitory"], 40.0)):
        distance = reversal - rests
        assert (np.sign(responses) == np.sign(distance)).all()
        slope = responses @ distance / (distance @ distance)
        np.testing.assert_allclose(responses, slope * distance, rtol=0.1, atol=0.3)
    assert (np.diff(found["excitatory"]) < 0).all() and (np.diff(found["inhibitory"]) < 0).all()


def test_adex(run):
    found = run("adex")
    # Spikes during the step of current only.
    counts = np.array(found["counts"])
    assert not counts[:, [0, 2]].any() and (counts[:, 1] > 20).all()
    regular, adapting, slow = found["regular"], found["adapting"], found["slow"]
    assert regular.std() < 0.01 * regular.mean()
    # Intervals grow from those without adaptation to a few times as much.
    assert adapting[0] < 1.2 * regular.mean()
    assert (np.diff(adapting[:8]) > 0).all() and adapting[-10:].mean() > 3 * regular.mean()
    # 30 cycles of 250 MHz / 2^7 instead of 250 MHz / 2^4, and a more complete reset.
    longer = 30 * (2**7 - 2**4) / 250
    assert longer < slow.mean() - regular.mean() < 1.05 * longer
