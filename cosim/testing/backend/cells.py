"""Cells: what their potential does, when they spike, in which units."""

from typing import Any

import numpy as np
import pytest
from pyNN.standardmodels import StandardCellType

from cosim.backends.checks import standard_types
from cosim.testing.backend import reference
from cosim.testing.backend.base import (
    Contract,
    H,
    Simulator,
    connect,
    jumping,
    resting,
    signal,
    source,
    spikes,
)

_PSP = {
    "IF_curr_exp": reference.exp_psp,
    "IF_curr_alpha": reference.alpha_psp,
    "IF_curr_delta": reference.delta_psp,
}
# Weight of an input that stays below threshold, and how far from the reference (mV) a simulator
# may be that integrates numerically.
_SUBTHRESHOLD = {
    "IF_cond_exp": (0.01, 0.05),
    "IF_cond_exp_gsfa_grr": (0.004, 0.05),
    "IF_cond_alpha": (0.01, 0.05),
    "EIF_cond_exp_isfa_ista": (0.005, 0.05),
    "EIF_cond_alpha_isfa_ista": (0.002, 0.05),
    "HH_cond_exp": (0.02, 0.5),
    "Izhikevich": (2.0, 0.3),
}
# A PointNeuron has no parameters of its own, sections are no numbers.
_CELLS = {
    name: kind
    for name, kind in sorted(standard_types().items())
    if issubclass(kind, StandardCellType) and name not in ("PointNeuron", "MultiCompartmentNeuron")
}


def _drawn(size: int, **ranges: tuple[float, float]) -> dict[str, np.ndarray]:
    """Return one value per cell for each parameter; those in ms are multiples of the step."""
    rng = np.random.default_rng(3)
    found = {name: rng.uniform(*limits, size) for name, limits in ranges.items()}
    if "tau_refrac" in found:
        found["tau_refrac"] = np.round(found["tau_refrac"], 1)
    return found


class CellContract(Contract):
    """Cells against closed forms, spike times by the time convention."""

    @pytest.mark.parametrize("delay", [H, 1.7])
    @pytest.mark.parametrize("cell_type", _PSP)
    def test_input_acts_one_delay_after_the_spike(
        self, sim: Simulator, cell_type: str, delay: float
    ) -> None:
        """Closed form of the potential, from the step after the arrival."""
        sim.setup()
        p = {"v_rest": -70.0, "cm": 0.3, "tau_m": 12.0}
        synaptic = {} if cell_type == "IF_curr_delta" else {"tau_syn_E": 2.5}
        cells = sim.Population(1, getattr(sim, cell_type)(**p, **synaptic))
        cells.initialize(v=p["v_rest"])
        connect(sim, source(sim, [3.0, 10.4]), cells, 0.4, delay)
        cells.record("v")
        sim.run(30.0)
        t = H * np.arange(301)
        psp = [_PSP[cell_type](t - s - delay + 1e-9, 0.4, 0.3, 12.0, 2.5) for s in (3.0, 10.4)]
        np.testing.assert_allclose(signal(cells)[:, 0], p["v_rest"] + sum(psp), atol=1e-6)

    def test_inhibition_has_a_time_constant_of_its_own(self, sim: Simulator) -> None:
        """Negative weights on the inhibitory receptor hyperpolarise."""
        sim.setup()
        cells = sim.Population(
            1, sim.IF_curr_exp(v_rest=-65.0, cm=0.5, tau_m=15.0, tau_syn_E=1.0, tau_syn_I=6.0)
        )
        cells.initialize(v=-65.0)
        connect(sim, source(sim, [2.0]), cells, -0.2, receptor="inhibitory")
        cells.record("v")
        sim.run(20.0)
        t = H * np.arange(201)
        expected = reference.exp_psp(t - 3.0, -0.2, 0.5, 15.0, 6.0)
        np.testing.assert_allclose(signal(cells)[:, 0] + 65.0, expected, atol=1e-9)

    @pytest.mark.parametrize("tau_syn", [15.0, 15.0 * (1 + 1e-9), 15.0 * (1 - 1e-5)])
    def test_equal_time_constants(self, sim: Simulator, tau_syn: float) -> None:
        """The closed form has a removable singularity at ``tau_syn == tau_m``."""
        sim.setup()
        cells = resting(sim, tau_m=15.0, tau_syn_E=tau_syn)
        connect(sim, source(sim, [1.0]), cells, 0.1, delay=1.0)
        sim.run(20.0)
        t = np.maximum(H * np.arange(201) - 2.0, 0.0)
        expected = 0.1 / 0.5 * t * np.exp(-t / 15.0)
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=1e-4, atol=1e-12)

    def test_integrate_and_fire_step_by_step(self, sim: Simulator) -> None:
        """Potentials and spikes of cells that differ in every parameter, under random input."""
        sim.setup()
        n_cells, n_sources, n_steps = 8, 6, 800
        p = _drawn(
            n_cells, cm=(0.2, 0.5), tau_m=(8, 20), tau_syn_E=(0.5, 4), tau_syn_I=(1, 8),
            v_rest=(-70, -65), v_reset=(-72, -66), v_thresh=(-60, -55), tau_refrac=(0.1, 4),
            i_offset=(0.1, 0.4),
        )  # fmt: skip
        rng = np.random.default_rng(4)
        times = [
            np.sort(rng.choice(np.arange(1, 700), 40, replace=False)) for _ in range(n_sources)
        ]
        sources = source(sim, [(H * t).tolist() for t in times], n_sources)
        cells = sim.Population(n_cells, sim.IF_curr_exp(**p))
        cells.initialize(v=p["v_rest"])
        inputs = {"E": np.zeros((n_cells, n_steps + 1)), "I": np.zeros((n_cells, n_steps + 1))}
        for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
            # Sums of such weights are exact, in whatever order they are taken.
            weight = sign * rng.integers(0, 800 if sign > 0 else 200, (n_sources, n_cells)) / 256
            delay = rng.integers(1, 60, (n_sources, n_cells))
            connect(sim, sources, cells, weight, H * delay, receptor)
            for i, j in np.ndindex(weight.shape):
                np.add.at(inputs[receptor[0].upper()][j], times[i] + delay[i, j], weight[i, j])
        cells.record(["v", "spikes"])
        sim.run(H * n_steps)
        v, found = signal(cells), spikes(cells)
        for j in range(n_cells):
            cell = {name: values[j] for name, values in p.items()} | {"v": p["v_rest"][j]}
            expected, expected_spikes = reference.run_if_curr_exp(
                cell, inputs["E"][j], inputs["I"][j], H
            )
            assert found[j] == expected_spikes
            np.testing.assert_allclose(v[:, j], expected, atol=1e-8)
        assert sum(map(len, found)) > 40

    @pytest.mark.parametrize("timestep", [0.1, 0.25, 1.0])
    def test_a_constant_current_makes_regular_spikes(self, sim: Simulator, timestep: float) -> None:
        """The refractory period lies between a spike and the next step that is integrated."""
        sim.setup(timestep=timestep)
        i_offset, tau_refrac = np.array([0.5, 0.7, 1.1]), np.array([1.0, 3.0, 5.0])
        cells = sim.Population(
            3,
            sim.IF_curr_exp(
                cm=0.25, tau_m=10.0, v_rest=0.0, v_reset=0.0, v_thresh=15.0,
                tau_refrac=tau_refrac, i_offset=i_offset,
            ),
        )  # fmt: skip
        cells.initialize(v=0.0)
        cells.record("spikes")
        sim.run(120.0)
        drive = i_offset * 10.0 / 0.25
        climb = np.ceil(10.0 * np.log(drive / (drive - 15.0)) / timestep).astype(int)
        period = climb + np.rint(tau_refrac / timestep).astype(int)
        last = round(120.0 / timestep)
        expected = [list(range(c, last + 1, d)) for c, d in zip(climb, period, strict=True)]
        assert spikes(cells, h=timestep) == expected

    def test_a_spike_at_the_threshold(self, sim: Simulator) -> None:
        """The threshold is crossed where it is reached."""
        sim.setup()
        cells = jumping(sim, 2, v_thresh=[1.0, 1.0 + 1e-6])
        connect(sim, source(sim, [5.0]), cells, 1.0)
        sim.run(10.0)
        assert spikes(cells) == [[60], []]

    @pytest.mark.parametrize("cell_type", _SUBTHRESHOLD)
    def test_potential_below_threshold(self, sim: Simulator, cell_type: str) -> None:
        """Offset current and synaptic input against a fine integration of the equations."""
        sim.setup()
        kind = standard_types()[cell_type]
        weight, tolerance = _SUBTHRESHOLD[cell_type]
        offset = 0.002 if cell_type == "Izhikevich" else 0.05
        p = kind.default_parameters | kind.default_initial_values | {"i_offset": offset}
        cells = sim.Population(1, getattr(sim, cell_type)(i_offset=offset))
        connect(sim, source(sim, [10.0, 18.0]), cells, weight)
        cells.record("v")
        sim.run(40.0)
        expected = reference.MODELS[cell_type].potential(p, [(110, weight), (190, weight)], 400, H)
        assert np.ptp(expected) > 10 * tolerance
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=0, atol=tolerance)

    @pytest.mark.parametrize(
        ("cell_type", "adapting"),
        [
            ("IF_cond_exp", False),
            ("IF_cond_exp_gsfa_grr", True),
            ("EIF_cond_exp_isfa_ista", True),
            ("EIF_cond_alpha_isfa_ista", True),
        ],
    )
    def test_adaptation(self, sim: Simulator, cell_type: str, adapting: bool) -> None:
        """Intervals grow in cells that adapt, and in no other."""
        sim.setup()
        cells = sim.Population(1, getattr(sim, cell_type)(i_offset=3.0))
        cells.record("spikes")
        sim.run(100.0)
        intervals = np.diff(spikes(cells)[0])
        assert len(intervals) >= 3
        if adapting:
            assert intervals[-1] > 1.1 * intervals[0]
        else:
            assert np.ptp(intervals[1:]) <= 1

    @pytest.mark.parametrize("cell_type", _CELLS)
    def test_parameters_keep_their_values(self, sim: Simulator, cell_type: str) -> None:
        """Defaults and values that differ between cells, in PyNN's units."""
        sim.setup()
        defaults = {
            name: value
            for name, value in _CELLS[cell_type].default_parameters.items()
            if isinstance(value, int | float)
        }
        cells = sim.Population(3, getattr(sim, cell_type)())
        for name, expected in defaults.items():
            assert cells.get(name) == pytest.approx(expected, rel=1e-12)
        factors = np.array([1, 2, 3])
        own: dict[str, Any] = {name: value * factors for name, value in defaults.items()}
        if "tau_refrac" in own:
            own["tau_refrac"] = np.array([0.1, 1.0, 2.5])
        cells = sim.Population(3, getattr(sim, cell_type)(**own))
        for name, expected in own.items():
            np.testing.assert_allclose(cells.get(name, simplify=False), expected, rtol=1e-12)

    @pytest.mark.parametrize(
        "cell_type", [name for name, kind in _CELLS.items() if kind.receptor_types]
    )
    def test_every_recordable_variable_is_recorded(self, sim: Simulator, cell_type: str) -> None:
        """From the initial value on, in PyNN's units."""
        sim.setup()
        kind = _CELLS[cell_type]
        cells = sim.Population(2, getattr(sim, cell_type)())
        names = [name for name in kind.recordable if name in kind.default_initial_values]
        cells.record(names)
        sim.run(1.0)
        for name in names:
            found = signal(cells, name)
            assert found.shape == (11, 2)
            assert np.isfinite(found).all()
            np.testing.assert_allclose(found[0], kind.default_initial_values[name], rtol=1e-12)
