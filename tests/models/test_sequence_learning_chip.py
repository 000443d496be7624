"""The network at the size of one chip, on the simulator and on an emulated chip."""

import dataclasses

import numpy as np
import pytest

import cosim
from devices import Memristor
from models.sequence_learning import CHIP_INSTANCE, Parameters, simulate


def train(backend, on_off_ratio=np.inf, seed=1):
    parameters = Parameters(**CHIP_INSTANCE, device=Memristor(on_off_ratio=on_off_ratio))
    sim = cosim.backend(backend)
    options = {"quiet": True} if backend == "brainscales2" else {}
    sim.setup(timestep=parameters.timestep, rng_seed=seed, **options)
    progress = []
    metrics, arrays = simulate(sim, parameters, seed=seed, progress=progress.append)
    report = sim.mapping_report() if backend == "brainscales2" else None
    sim.end()
    assert progress[-1] == 1.0
    return metrics, arrays, report


@pytest.mark.parametrize(("backend", "latest"), [("nest", 30), ("brainscales2", 110)])
def test_it_learns_with_ideal_devices(backend, latest):
    # The table of docs/sequence_learning.md: all of 20 seeds do.
    metrics, arrays, _ = train(backend)
    assert arrays["prediction_error"][0] == 1.0
    assert metrics["episodes_to_solution"] < latest
    # Five of fifteen neurons are to stand for a symbol in its context.
    assert 0.2 < metrics["relative_active_neurons"] < 0.7


@pytest.mark.parametrize("backend", ["nest", "brainscales2"])
def test_it_does_not_with_an_on_off_ratio_of_5(backend):
    # 15 immature synapses exceed the threshold of a dendrite from a ratio of 6.5 down.
    metrics, *_ = train(backend, on_off_ratio=5.0)
    assert metrics["prediction_error_mean_last_10"] >= 1.0
    assert metrics["relative_active_neurons"] > 0.9


def test_it_fits_on_the_chip():
    _, _, report = train("brainscales2")
    assert report.n_circuits == 2 * 60 + 4
    # Only delays are dropped; nothing is clipped.
    assert all("delays" in change for change in report.changes())
    (dendrite,) = report.dendrites
    assert dendrite.n_uncalibrated == 0


def test_each_seed_is_another_chip():
    first, again, other = (train("brainscales2", seed=seed)[1] for seed in (1, 1, 2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(first["prediction_error"], other["prediction_error"])


def test_defaults_of_the_model_do_not_fit():
    sim = cosim.backend("brainscales2")
    sim.setup(quiet=True)
    sim.Population(
        1, sim.IF_curr_exp_dAP(**dataclasses.asdict(Parameters().neuron) | {"tau_h": 1.0})
    )
    with pytest.raises(sim.MappingError, match="theta_dAP of at least"):
        sim.check()
