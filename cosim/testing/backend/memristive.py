"""Memristive synapses against the numpy functions of `devices`."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from cosim.testing.backend.base import (
    Contract,
    H,
    Simulator,
    connect,
    signal,
    source,
    spikes,
    values,
)
from cosim.testing.backend.rule import Rule, run_rule
from devices import Memristor, Update, effects, noise

_SEED = 23
_DELAY = 2.0
_RULES = {
    "MemristiveSTDP": Rule(
        binary=False, w_max=0.02, p_max=1.0, lambda_plus=0.08, lambda_minus=0.01, lambda_h=0.02,
        z_target=1.0, tau_plus=20.0, dt_min=4.0, dt_max=50.0,
    ),
    "MemristiveStructuralSTDP": Rule(
        binary=True, w_max=0.02, p_max=20.0, lambda_plus=0.2, lambda_minus=0.01, lambda_h=0.05,
        z_target=1.0, tau_plus=20.0, dt_min=4.0, dt_max=80.0, theta_p=10.0,
    ),
}  # fmt: skip
_STEPS: dict[str, Any] = {"step_up": 0.02, "step_down": 0.005}
_DEVICES = {
    "ideal": Memristor(),
    "on-off ratio": Memristor(on_off_ratio=5.0),
    "spread of the bounds": Memristor(
        on_off_ratio=5.0, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.4, sigma_d2d_gain=0.1,
        g_min_distribution="log-normal", d2d_truncation=2.0,
    ),
    "stuck": Memristor(on_off_ratio=4.0, stuck_on=0.2, stuck_off=0.2, stuck_random=0.3),
    "levels": Memristor(n_levels=16, on_off_ratio=10.0),
    "geometric levels": Memristor(n_levels=16, on_off_ratio=10.0, level_spacing="geometric"),
    "table of levels": Memristor(
        level_means=(0.05, 0.2, 0.3, 0.55, 0.7, 1.0),
        level_sigmas=(0.01, 0.02, 0.01, 0.03, 0.02, 0.01),
    ),
    "write noise": Memristor(sigma_c2c=0.05),
    "write noise at each spike": Memristor(sigma_c2c=0.05, c2c_event="pre_spike"),
    "write noise that depends on the conductance": Memristor(
        on_off_ratio=5.0, c2c_polynomial=(0.01, 0.05, -0.02)
    ),
    "write noise of the conductance": Memristor(on_off_ratio=5.0, sigma_write=0.2),
    "linear law": Memristor(
        update=Update(law="linear", slope_up=1.0, slope_down=0.5, **_STEPS), sigma_d2d_step=0.3,
    ),
    "exponential law": Memristor(
        update=Update(
            law="exponential", amplitude_up=0.1, rate_up=2.0, amplitude_down=-0.8, rate_down=-3.0,
            **_STEPS,
        ),
        sigma_c2c_step=0.5, sigma_d2d_asymmetry=0.1,
    ),
    "power law": Memristor(
        update=Update(law="power", exponent_up=1.5, exponent_down=0.7, **_STEPS),
        sigma_d2d_step=0.7, step_distribution="log-normal", sigma_c2c=0.01,
    ),
    "piecewise law": Memristor(
        update=Update(
            law="piecewise", nodes_up=(1.2, 0.9, 0.2, 0.0), nodes_down=(0.0, 0.7, 1.1), **_STEPS
        ),
        n_levels=200,
    ),
    "read noise": Memristor(sigma_read=0.1, sigma_flicker=0.2),
    "drift": Memristor(drift_nu=0.1, sigma_drift_nu=0.02, drift_t0_s=0.005),
    "endurance": Memristor(endurance=8.0, endurance_shape=2.0),
    "endurance of pulses": Memristor(
        update=Update(law="linear", **_STEPS), endurance=10.0, drift_nu=0.1, drift_t0_s=0.005
    ),
    "everything": Memristor(
        on_off_ratio=10.0, n_levels=32, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.1, sigma_c2c=0.004,
        sigma_read=0.1, stuck_on=0.1, stuck_off=0.1, stuck_random=0.1, sigma_d2d_step=0.2,
        update=Update(law="linear", slope_up=0.5, slope_down=0.5, **_STEPS), sigma_c2c_step=0.3,
        c2c_polynomial=(0.0, 0.01), sigma_write=0.03, sigma_flicker=0.1, drift_nu=0.05,
        sigma_drift_nu=0.01, drift_t0_s=0.005, endurance=60.0, e_set_pj=1.0, e_reset_pj=2.0,
    ),
}  # fmt: skip


def _synapse(sim: Simulator, name: str, **options: Any) -> Any:
    rule = _RULES[name]
    return getattr(sim, name)(**(rule.parameters() | {"delay": _DELAY} | options))


def _cells(sim: Simulator, size: int, z: float = 0.0) -> Any:
    """Return cells without dendritic action potentials, whose trace stays at `z`."""
    cells = sim.Population(
        size, sim.IF_curr_exp_dAP(tau_syn_E=0.1, tau_refrac=1.0, tau_h=1e15, theta_dAP=1e3)
    )
    cells.initialize(dAP_trace=z)
    cells.record(["spikes", "i_dend"])
    return cells


class MemristiveContract(Contract):
    """State, weight and noise of every synapse."""

    @pytest.mark.parametrize(
        ("device", "pre_trace"), [*((name, True) for name in _DEVICES), ("ideal", False)]
    )
    @pytest.mark.parametrize("name", _RULES)
    def test_memristive_synapses_step_by_step(
        self, sim: Simulator, name: str, device: str, pre_trace: bool
    ) -> None:
        """Every state, and every weight that is sent, equals the numpy reference."""
        rng = np.random.default_rng(9)
        rule, memristor = _RULES[name], _DEVICES[device]
        pre = [np.sort(rng.choice(np.arange(50, 1900), 20, replace=False)) for _ in range(4)]
        post = [20 * np.sort(rng.choice(np.arange(3, 95), 12, replace=False)) for _ in range(2)]
        sim.setup(rng_seed=_SEED)
        z = 0.4
        cells = _cells(sim, 2, z)
        kicks = source(sim, [np.round(H * (n - 2), 1).tolist() for n in post], 2)
        connect(sim, kicks, cells, 100.0, H, connector=sim.OneToOneConnector())
        inputs = source(sim, [np.round(H * n, 1).tolist() for n in pre], 4)
        permanence = rule.p_max * rng.uniform(0.2, 0.6, (4, 2))
        made = sim.Projection(
            inputs, cells, sim.AllToAllConnector(),
            _synapse(sim, name, device=memristor, pre_trace=pre_trace, permanence=permanence),
            label="memristive",
        )  # fmt: skip
        key = noise.noise_key(_SEED, "memristive")
        bounds = effects.sample_bounds(memristor, rule.w_max, 8, key)
        sim.run(200.0)
        assert spikes(cells) == [n.tolist() for n in post]

        shift = round(_DELAY / H)
        expected: list[tuple[float, float]] = []
        writes: list[tuple[int, int]] = []
        sent: list[list[tuple[int, float]]] = [[], []]
        for index, (i, j) in enumerate(np.ndindex(4, 2)):
            outcome = run_rule(
                rule, memristor, key, index, (bounds.w_min[index], bounds.w_max[index]),
                float(permanence[i, j]), pre[i], post[j] + shift, round(200.0 / H), z, H,
                pre_trace=pre_trace,
            )  # fmt: skip
            expected.append((outcome.state, outcome.weight))
            writes.append((outcome.n_set, outcome.n_reset))
            sent[j] += zip(pre[i] + shift, outcome.sent, strict=True)
        found = values(made, "permanence", "weight")
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        if made.synapse_type.counts_writes:
            assert values(made, "n_set", "n_reset").tolist() == [list(pair) for pair in writes]
        for j in range(2):
            current = _dendritic_current(sent[j], post[j], 2000)
            np.testing.assert_allclose(signal(cells, "i_dend")[:, j], current, atol=1e-9)

    @pytest.mark.parametrize(
        ("lag", "potentiated"), [(4.0, False), (4.1, True), (49.9, True), (50.0, False)]
    )
    def test_both_ends_of_the_window_are_excluded(
        self, sim: Simulator, lag: float, potentiated: bool
    ) -> None:
        """`lag`: from the presynaptic spike to when the postsynaptic one reaches the synapse."""
        sim.setup()
        cells = _cells(sim, 1)
        connect(sim, source(sim, [round(20.0 + lag - _DELAY - 2 * H, 1)]), cells, 100.0, H)
        made = sim.Projection(
            source(sim, [20.0]), cells, sim.AllToAllConnector(),
            _synapse(sim, "MemristiveSTDP", permanence=0.5),
        )  # fmt: skip
        sim.run(90.0)
        assert spikes(cells) == [[round((20.0 + lag - _DELAY) / H)]]
        assert (values(made, "permanence")[0, 0] > 0.5) == potentiated

    def test_device_to_device_variability(self, sim: Simulator) -> None:
        """A device is known by its position, sorted by (pre, post), the seed and the label."""
        device = Memristor(
            on_off_ratio=4.0, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.2, stuck_on=0.1, stuck_off=0.1
        )
        for seed, label in ((1, "a"), (1, "b"), (2, "a")):
            sim.setup(rng_seed=seed)
            cells = _cells(sim, 5)
            made = sim.Projection(
                source(sim, [], 10), cells, sim.FixedProbabilityConnector(0.6),
                _synapse(sim, "MemristiveSTDP", device=device, permanence=0.25), label=label,
            )  # fmt: skip
            bounds = effects.sample_bounds(device, 0.02, len(made), noise.noise_key(seed, label))
            expected = bounds.w_min + 0.25 * (bounds.w_max - bounds.w_min)
            np.testing.assert_allclose(values(made, "weight")[:, 0], expected, rtol=1e-9)

    def test_read_noise(self, sim: Simulator) -> None:
        """Each spike is sent with a factor of its own; the state does not change."""
        device = Memristor(sigma_read=0.3)
        sim.setup(rng_seed=_SEED)
        cells = _cells(sim, 1)
        made = sim.Projection(
            source(sim, np.arange(5.0, 100.0, 5.0).tolist()), cells, sim.AllToAllConnector(),
            _synapse(sim, "MemristiveSTDP", device=device, permanence=0.5, lambda_minus=0.0),
            label="read",
        )  # fmt: skip
        sim.run(120.0)
        factor = effects.read_factor(device, np.arange(19), noise.noise_key(_SEED, "read"), 0)
        sent = zip(np.arange(50, 1000, 50) + 20, 0.01 * factor, strict=True)
        expected = _dendritic_current(sent, np.array([], int), 1200)
        np.testing.assert_allclose(signal(cells, "i_dend")[:, 0], expected, atol=1e-10)
        np.testing.assert_allclose(values(made, "permanence", "weight"), [[0.5, 0.01]], rtol=1e-9)

    def test_states_can_be_set(self, sim: Simulator) -> None:
        """`set` changes the state above its floor, `initialize` state and floor."""
        sim.setup()
        made = sim.Projection(
            source(sim, [], 2), _cells(sim, 2), sim.AllToAllConnector(),
            _synapse(sim, "MemristiveSTDP", permanence=0.2),
        )  # fmt: skip
        made.set(permanence=np.array([[0.3, 0.4], [0.5, 0.6]]))
        np.testing.assert_allclose(values(made, "permanence")[:, 0], [0.3, 0.4, 0.5, 0.6])
        with pytest.raises(ValueError, match="permanence=0.1"):
            made.set(permanence=0.1)
        made.initialize(permanence=0.1)
        np.testing.assert_allclose(values(made, "permanence", "weight"), [[0.1, 0.002]] * 4)

    def test_states_are_rounded_to_levels(self, sim: Simulator) -> None:
        """When given and when set."""
        sim.setup()
        given = np.array([[0.1, 0.49], [0.51, 0.9]])
        made = sim.Projection(
            source(sim, [], 2), _cells(sim, 2), sim.AllToAllConnector(),
            _synapse(sim, "MemristiveSTDP", permanence=given, device=Memristor(n_levels=5)),
        )  # fmt: skip
        np.testing.assert_allclose(values(made, "permanence")[:, 0], [0.0, 0.5, 0.5, 1.0])

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"weight": 0.1}, "weight"),
            ({"permanence": 1.5}, "permanence"),
            ({"w_max": -1.0}, "w_max"),
            ({"dt_min": 60.0}, "dt_max"),
            ({"device": "ideal"}, "device"),
        ],
    )
    def test_impossible_values_are_refused(
        self, sim: Simulator, options: dict[str, Any], name: str
    ) -> None:
        """Before the run; the error names the parameter."""
        sim.setup()
        with pytest.raises((ValueError, TypeError), match=name):
            sim.Projection(
                source(sim, []), _cells(sim, 1), sim.AllToAllConnector(),
                _synapse(sim, "MemristiveSTDP", **options),
            )  # fmt: skip

    def test_cells_without_a_dendrite_are_refused(self, sim: Simulator) -> None:
        """They lack the receptor."""
        sim.setup()
        cells = sim.Population(1, sim.IF_curr_exp())
        with pytest.raises(errors.ConnectionError, match="IF_curr_exp; .* needs IF_curr_exp_dAP"):
            sim.Projection(source(sim, []), cells, sim.AllToAllConnector(), sim.MemristiveSTDP())


def _dendritic_current(sent: Iterable[Any], post: np.ndarray, n: int) -> np.ndarray:
    """Return the dendritic current of a cell, which each somatic spike sets to 0.

    Input is lost at a spike's step and in the refractory period, 10 steps.
    """
    current = np.zeros(n + 1)
    lost = {step + k for step in post.tolist() for k in range(11)}
    for arrival, weight in sent:
        if arrival in lost or arrival > n:
            continue
        later = post[post > arrival]
        end = int(later[0]) if later.size else n + 1
        t = H * np.arange(end - arrival)
        current[arrival:end] += weight * np.e / 5.0 * t * np.exp(-t / 5.0)
    return current
