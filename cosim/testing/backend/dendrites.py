"""The neuron with a dendritic action potential."""

from typing import Any

import numpy as np
import pytest

from cosim.testing.backend.base import (
    Contract,
    H,
    Simulator,
    connect,
    signal,
    source,
    spikes,
    steps,
)
from cosim.testing.backend.reference import step_response

_CELL = {
    "v_rest": 0.0, "v_reset": 0.0, "cm": 0.25, "tau_m": 10.0, "tau_syn_D": 5.0, "i_dAP": 0.2,
    "theta_dAP": 0.059, "tau_dAP": 12.0, "tau_h": 440.0,
}  # fmt: skip


def _onsets(cells: Any, segment: int = -1) -> list[tuple[int, int]]:
    """Return (step, index) of the onsets of dendritic action potentials."""
    (event,) = cells.get_data("dAP").segments[segment].events
    index = event.array_annotations["source_index"]
    return list(zip(steps(event.times), index.tolist(), strict=True))


def _alpha(n: int, weight: float) -> np.ndarray:
    """Return the dendritic current `n` steps long after an input; (n + 1,)."""
    t = H * np.arange(n + 1)
    return weight * np.e / 5.0 * t * np.exp(-t / 5.0)


class DendriteContract(Contract):
    """`IF_curr_exp_dAP`, as ``docs/model_definition.md`` has it, to the time step."""

    def _run(self, sim: Simulator, weight: float, size: int = 1, **parameters: Any) -> Any:
        sim.setup()
        cells = sim.Population(size, sim.IF_curr_exp_dAP(**(_CELL | parameters)))
        cells.record(["v", "i_dend", "dAP_trace", "dAP", "spikes"])
        connect(sim, source(sim, [5.0]), cells, weight, receptor="dendritic")
        return cells

    def test_dendritic_input_below_threshold(self, sim: Simulator) -> None:
        """An alpha-shaped current whose peak is the weight."""
        cells = self._run(sim, 0.05)
        sim.run(30.0)
        expected = np.concatenate([np.zeros(60), _alpha(240, 0.05)])
        np.testing.assert_allclose(signal(cells, "i_dend")[:, 0], expected, atol=1e-12)
        assert _onsets(cells) == []
        assert not signal(cells, "dAP_trace").any()

    def test_dendritic_action_potential(self, sim: Simulator) -> None:
        """Onset, clamp, end, trace and potential."""
        cells = self._run(sim, 0.1)
        sim.run(40.0)
        onset = 60 + int(np.flatnonzero(_alpha(100, 0.1) > 0.059)[0])
        end = onset + 120
        assert _onsets(cells) == [(onset, 0)]
        current = signal(cells, "i_dend")[:, 0]
        np.testing.assert_allclose(current[60:onset], _alpha(onset - 61, 0.1), atol=1e-12)
        np.testing.assert_allclose(current[onset:end], 0.2, rtol=1e-12)
        assert not current[end:].any()
        trace = signal(cells, "dAP_trace")[:, 0]
        assert not trace[:onset].any()
        t = H * np.arange(401 - onset)
        np.testing.assert_allclose(trace[onset:], np.exp(-t / 440.0), rtol=1e-12)
        v = signal(cells)[:, 0]
        t = H * np.arange(121)
        clamped = v[onset] * np.exp(-t / 10.0) + step_response(t, 0.2, 0.25, 10.0)
        np.testing.assert_allclose(v[onset : end + 1], clamped, rtol=1e-10)
        np.testing.assert_allclose(v[end + 1 :], v[end] * np.exp(-H / 10 * np.arange(1, 401 - end)))

    def test_a_somatic_spike_ends_it(self, sim: Simulator) -> None:
        """And dendritic input is lost while the neuron is refractory."""
        cells = self._run(sim, 0.1, v_thresh=20.0, tau_refrac=10.0, tau_syn_E=0.1)
        connect(sim, source(sim, [9.0]), cells, 100.0)
        connect(sim, source(sim, [14.0]), cells, 10.0, receptor="dendritic")
        sim.run(40.0)
        assert spikes(cells) == [[101]]
        assert len(_onsets(cells)) == 1
        current = signal(cells, "i_dend")[:, 0]
        assert current[100] == pytest.approx(0.2)
        assert not current[101:].any()
        v = signal(cells)[:, 0]
        assert not v[101 : 101 + 101].any()

    def test_a_predicted_neuron_spikes_earlier(self, sim: Simulator) -> None:
        """The clamped current brings the potential closer to threshold."""
        sim.setup()
        cells = sim.Population(2, sim.IF_curr_exp_dAP(**(_CELL | {"tau_dAP": 60.0})))
        cells.record(["spikes", "dAP"])
        dendritic = source(sim, [5.0])
        connect(sim, dendritic, cells[1:2], 0.1, receptor="dendritic")
        # the ramp of one strong input; the clamp alone is below threshold
        connect(sim, source(sim, [30.0]), cells, 6.0)
        sim.run(50.0)
        (plain,), (predicted,) = spikes(cells)
        assert predicted < plain
        assert [index for _, index in _onsets(cells)] == [1]

    def test_onsets_of_views_and_assemblies(self, sim: Simulator) -> None:
        """Annotated with the cell's index in its population and the population."""
        sim.setup()
        cells = [sim.Population(n, sim.IF_curr_exp_dAP(**_CELL), label=f"p{n}") for n in (2, 3)]
        both = cells[0] + cells[1]
        both[1:4].record("dAP")
        connect(sim, source(sim, [5.0]), both, 0.1, receptor="dendritic")
        sim.run(20.0)
        found: list[tuple[str, int]] = []
        for event in both.get_data("dAP").segments[0].events:
            notes = event.array_annotations
            found += zip(notes["source_population"], notes["source_index"].tolist(), strict=True)
        assert sorted(found) == [("p2", 1), ("p3", 0), ("p3", 1)]
        assert [index for _, index in _onsets(cells[1])] == [0, 1]
