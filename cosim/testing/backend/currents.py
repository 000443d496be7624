"""Injected currents."""

from typing import Any

import numpy as np
import pytest

from cosim.testing.backend.base import Contract, H, Simulator, resting, signal, source

_CM, _TAU = 0.5, 20.0


def _cells(sim: Simulator, size: int = 1) -> Any:
    return resting(sim, size, cm=_CM, tau_m=_TAU)


def _driven(current: np.ndarray) -> np.ndarray:
    """Return the potential under a current that is constant in each time step; (n_steps + 1,)."""
    decay = np.exp(-H / _TAU)
    v = np.zeros(len(current) + 1)
    for n, i in enumerate(current):
        v[n + 1] = v[n] * decay + i * _TAU / _CM * (1 - decay)
    return v


def _steps(n: int, *changes: tuple[float, float]) -> np.ndarray:
    """Return a current for each of `n` time steps from the times and values of its changes."""
    current = np.zeros(n)
    for time, amplitude in changes:
        current[round(time / H) :] = amplitude
    return current


def _amplitude(current: Any) -> float:
    parameters = current.get_parameters()
    parameters.shape = (1,)
    parameters.evaluate(simplify=True)
    return float(parameters["amplitude"])


class CurrentSourceContract(Contract):
    """A current that starts at t first acts in the step from t to t + h."""

    def test_constant_current(self, sim: Simulator) -> None:
        """From start to stop."""
        sim.setup()
        cells = _cells(sim)
        cells.inject(sim.DCSource(amplitude=0.3, start=10.0, stop=20.0))
        sim.run(30.0)
        expected = _driven(_steps(300, (10.0, 0.3), (20.0, 0.0)))
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("min_delay", [0.1, 1.0])
    def test_times_do_not_depend_on_delays(self, sim: Simulator, min_delay: float) -> None:
        """A source is connected without a delay."""
        sim.setup(min_delay=min_delay)
        cells = _cells(sim)
        cells.inject(sim.DCSource(amplitude=0.3, start=5.0, stop=7.5))
        sim.run(10.0)
        expected = _driven(_steps(100, (5.0, 0.3), (7.5, 0.0)))
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=1e-10, atol=1e-12)

    def test_from_the_first_step(self, sim: Simulator) -> None:
        """A source without a start acts like an offset current."""
        sim.setup()
        cells = _cells(sim, 3)
        cells[0:1].set(i_offset=0.3)
        cells[1:2].inject(sim.DCSource(amplitude=0.3))
        cells[2:3].inject(sim.StepCurrentSource(times=[0.0], amplitudes=[0.3]))
        sim.run(10.0)
        expected = _driven(_steps(100, (0.0, 0.3)))
        for column in signal(cells).T:
            np.testing.assert_allclose(column, expected, rtol=1e-10, atol=1e-12)

    def test_step_current(self, sim: Simulator) -> None:
        """0 before the first time, the last amplitude after the last one."""
        sim.setup()
        cells = _cells(sim)
        changes = [(5.0, 0.1), (8.3, -0.2), (12.0, 0.4)]
        times, amplitudes = zip(*changes, strict=True)
        cells.inject(sim.StepCurrentSource(times=list(times), amplitudes=list(amplitudes)))
        sim.run(20.0)
        expected = _driven(_steps(200, *changes))
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("times", [[1.0, 1.0], [2.0, 1.0], [-1.0, 1.0]])
    def test_unordered_steps_are_refused(self, sim: Simulator, times: list[float]) -> None:
        """When the source is made."""
        sim.setup()
        with pytest.raises(ValueError):
            sim.StepCurrentSource(times=times, amplitudes=[0.1, 0.2])

    def test_sine(self, sim: Simulator) -> None:
        """The phase is that at the start; held during each step, the value is that at its begin."""
        sim.setup()
        cells = _cells(sim)
        cells.inject(
            sim.ACSource(
                start=5.0, stop=45.0, amplitude=0.5, offset=0.1, frequency=50.0, phase=90.0
            )
        )
        sim.run(60.0)
        t = H * np.arange(600)
        wave = 0.1 + 0.5 * np.sin(2 * np.pi * 50.0 * (t - 5.0) / 1000 + np.pi / 2)
        inside = (t > 5.0 - H / 2) & (t < 45.0 - H / 2)
        np.testing.assert_allclose(
            signal(cells)[:, 0], _driven(np.where(inside, wave, 0.0)), atol=0.05
        )

    def test_noise(self, sim: Simulator) -> None:
        """Mean and deviation of the current, drawn anew every ``dt``; none outside its time."""
        sim.setup(rng_seed=21)
        cells = _cells(sim, 2)
        for cell, interval in zip((cells[0:1], cells[1:2]), (H, 1.0), strict=True):
            cell.inject(
                sim.NoisyCurrentSource(mean=0.5, stdev=0.2, start=10.0, stop=210.0, dt=interval)
            )
        sim.run(230.0)
        v = signal(cells)
        decay = np.exp(-H / _TAU)
        current = (v[1:] - v[:-1] * decay) * _CM / _TAU / (1 - decay)
        np.testing.assert_allclose(current[:100], 0.0, atol=1e-9)
        np.testing.assert_allclose(current[2100:], 0.0, atol=1e-9)
        for column, every in zip(current[100:2100].T, (1, 10), strict=True):
            held = column.reshape(-1, every)
            np.testing.assert_allclose(held, np.tile(held[:, :1], every), atol=1e-9)
            n = len(held)
            assert abs(held[:, 0].mean() - 0.5) < 5 * 0.2 / np.sqrt(n)
            assert abs(held[:, 0].std() - 0.2) < 5 * 0.2 / np.sqrt(2 * n)

    def test_currents_add_up(self, sim: Simulator) -> None:
        """Several sources in one cell, one source in several, and an offset."""
        sim.setup()
        cells = _cells(sim, 4)
        cells.set(i_offset=0.05)
        shared = sim.DCSource(amplitude=0.1, start=2.0, stop=8.0)
        cells[0:3].inject(shared)
        cells[2].inject(sim.DCSource(amplitude=0.2, start=4.0, stop=6.0))
        sim.run(10.0)
        offset = np.full(100, 0.05)
        first = offset + _steps(100, (2.0, 0.1), (8.0, 0.0))
        third = first + _steps(100, (4.0, 0.2), (6.0, 0.0))
        v = signal(cells)
        for column, current in zip(v.T, (first, first, third, offset), strict=True):
            np.testing.assert_allclose(column, _driven(current), rtol=1e-10, atol=1e-12)

    def test_injection_into_an_assembly(self, sim: Simulator) -> None:
        """Through the source's own method."""
        sim.setup()
        first, second = _cells(sim, 2), _cells(sim, 2)
        sim.DCSource(amplitude=0.3, start=1.0, stop=5.0).inject_into(first + second)
        sim.run(10.0)
        expected = _driven(_steps(100, (1.0, 0.3), (5.0, 0.0)))
        for column in np.hstack([signal(first), signal(second)]).T:
            np.testing.assert_allclose(column, expected, rtol=1e-10, atol=1e-12)

    def test_amplitudes_can_be_changed_between_runs(self, sim: Simulator) -> None:
        """They are read back in nA; they act soon, after two minimal delays at most."""
        sim.need("interactive")
        sim.setup(min_delay=H)
        cells = _cells(sim)
        current = sim.DCSource(amplitude=0.1, start=1.0)
        cells.inject(current)
        sim.run(10.0)
        assert _amplitude(current) == pytest.approx(0.1)
        current.amplitude = 0.2
        assert _amplitude(current) == pytest.approx(0.2)
        sim.run(10.0)
        v = signal(cells)[:, 0]
        before = _driven(_steps(200, (1.0, 0.1)))
        onset = int(np.flatnonzero(np.abs(v - before) > 1e-6)[0]) - 1
        assert 100 <= onset <= 103
        expected = _driven(_steps(200, (1.0, 0.1), (H * onset, 0.2)))
        np.testing.assert_allclose(v, expected, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize(
        ("kind", "parameters"),
        [
            ("DCSource", {"amplitude": 0.5, "start": 5.0, "stop": 8.0}),
            ("StepCurrentSource", {"times": [5.0, 8.0], "amplitudes": [0.5, 0.0]}),
        ],
    )
    def test_a_current_can_be_recorded(
        self, sim: Simulator, kind: str, parameters: dict[str, Any]
    ) -> None:
        """In nA, at every time step, with its values from start to before stop."""
        sim.setup()
        current = getattr(sim, kind)(**parameters)
        _cells(sim).inject(current)
        current.record()
        sim.run(10.0)
        found = current.get_data()
        times, samples = np.asarray(found.times.rescale("ms")), np.asarray(found.magnitude)[:, 0]
        np.testing.assert_allclose(times, H * np.arange(101), atol=1e-9)
        expected = np.append(_steps(100, (5.0, 0.5), (8.0, 0.0)), 0.0)
        np.testing.assert_allclose(samples, expected, atol=1e-12)

    def test_spike_sources_are_refused(self, sim: Simulator) -> None:
        """They have no membrane."""
        sim.setup()
        with pytest.raises(TypeError):
            source(sim, [1.0]).inject(sim.DCSource(amplitude=1.0))
