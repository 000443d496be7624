"""What the study says about agreement is what the records hold."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import cosim
from cosim.figures import style

EPISODES = 3
DURATION = 440.0  # of an episode of sequence set I, ms
START = 30.0


def record(backend, spikes, permanence):
    """Return what the study reads of a record; spikes are (episode, neuron)."""
    spec = cosim.RunSpec("sequence_learning", backend, {"task.episodes": EPISODES})
    episode, neuron = np.array(spikes).T
    return SimpleNamespace(
        spec=spec,
        parameters={"task.episodes": EPISODES, "task.t_start": START, "timestep": 0.1},
        arrays={
            "prediction_error": np.array([1.0, 0.5, 0.0]),
            "spike_times": START + DURATION * episode,
            "spike_senders": neuron,
            "dap_times": START + DURATION * (episode + 1),
            "dap_senders": neuron,
            "ee_permanence": np.array(permanence, dtype=np.float32),
        },
    )


@pytest.fixture
def runs():
    """One network on three backends, the last of which differs."""
    same = [(0, 1), (1, 1), (1, 2)], [1.0, 2.0]
    records = {
        "a": record("nest", *same),
        "b": record("brian2", *same),
        "c": record("third", [(0, 1), (1, 1), (1, 3), (2, 1)], [1.0, 7.0]),
    }
    table = pd.DataFrame(
        {
            "point": list(records),
            "backend": [run.spec.backend for run in records.values()],
            "variant": "ideal synapses",
            "seed": 1,
        }
    )
    return table, records


def test_every_episode_is_compared_with_the_first_backend(load_study, runs):
    found = load_study("cross_backend_agreement").analysis(*runs).set_index("backend")
    assert found.loc["nest", "spikes"].isna().all()
    agreeing, differing = found.loc["brian2"], found.loc["third"]
    assert list(agreeing["spikes"]) == [1, 2, 0]
    assert not agreeing[["differing_spikes", "differing_daps"]].any(axis=None)
    assert list(differing["spikes"]) == [1, 3, 1]
    assert list(differing["differing_spikes"]) == [0, 2, 1]
    # The last ones happen in the last step of the run.
    assert list(differing["differing_daps"]) == [0, 0, 3]
    assert list(differing["largest_difference"].dropna()) == [5.0 / 20.0]


def test_figure_states_the_numbers(load_study, runs):
    study = load_study("cross_backend_agreement")
    with style():
        fig = study.figure(study.analysis(*runs))
        fig.canvas.draw()
    (ax,) = fig.axes
    assert ax.texts[0].get_text().splitlines() == [
        "brian2 and nest (n = 1) differ in",
        "0 of 3 spikes, 0 of 3 dAPs,",
        "in the state of a synapse by 0 at most",
        "third and nest (n = 1) differ in",
        "3 of 5 spikes, 3 of 5 dAPs,",
        "in the state of a synapse by 0.25 at most",
    ]
    labels = [text.get_text() for text in fig.legends[0].get_texts()]
    assert labels == ["nest (n = 1)", "brian2 (n = 1)", "third (n = 1)"]


def test_one_backend_is_drawn_without_comparison(load_study, runs):
    study = load_study("cross_backend_agreement")
    table, records = runs
    with style():
        fig = study.figure(study.analysis(table[:1], records))
        fig.canvas.draw()
    assert fig.axes[0].texts[0].get_text() == ""
