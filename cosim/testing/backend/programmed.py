"""Programmed memristive weights against `devices.programmed`."""

from typing import Any

import numpy as np
import pytest

from cosim.testing.backend.base import Contract, H, Simulator, jumping, source, values
from devices import Memristor, UnknownParameterError, WriteVerify, effects, noise
from devices.mapping import MAPPINGS
from devices.programmed import ProgrammedWeights, program_weights

_SEED = 5
_LABEL = "programmed"
_TAU_M = 20.0
_DEVICES = {
    "ideal": Memristor(),
    "leaky": Memristor(on_off_ratio=8.0),
    "errors": Memristor(
        on_off_ratio=8.0, n_levels=16, sigma_d2d_g_max=0.1, sigma_c2c=0.01, sigma_write=0.02,
        stuck_off=0.1, stuck_random=0.1,
    ),
    "read noise": Memristor(on_off_ratio=8.0, sigma_read=0.1, sigma_flicker=0.1),
    "drift": Memristor(on_off_ratio=8.0, drift_nu=0.1, sigma_drift_nu=0.03, drift_t0_s=0.01),
    "everything": Memristor(
        on_off_ratio=8.0, sigma_d2d_g_max=0.1, sigma_d2d_g_min=0.1, sigma_write=0.02,
        stuck_on=0.1, sigma_read=0.1, drift_nu=0.1, drift_t0_s=0.01,
    ),
}  # fmt: skip
_UNKNOWN: dict[str, Any] = {"sigma_read": None}
_WEIGHTS = np.array([[0.5, -1.0, 0.0], [0.25, 2.0, -0.125]])


def _sent(made: ProgrammedWeights, time: float, n_reads: int) -> np.ndarray:
    """Return the weights with which the spikes of a time are sent; one for each synapse."""
    g = made.conductances(time / 1000.0)
    g = g * effects.read_factor(made.device, n_reads, made.key, made.device_index)
    return made.scale * (g @ made.signs) + made.offset


class ProgrammedWeightContract(Contract):
    """`MemristiveSynapse`: weights with the errors of the devices they are made of."""

    def _project(self, sim: Simulator, cells: Any, sources: Any, **options: Any) -> Any:
        synapse = sim.MemristiveSynapse(**({"weight": _WEIGHTS, "delay": 2.0} | options))
        return sim.Projection(
            sources, cells, sim.AllToAllConnector(), synapse, receptor_type="excitatory",
            label=_LABEL,
        )  # fmt: skip

    @pytest.mark.parametrize("mapping", MAPPINGS)
    @pytest.mark.parametrize("name", _DEVICES)
    def test_each_spike_is_sent_with_the_weight_of_the_devices(
        self, sim: Simulator, name: str, mapping: Any
    ) -> None:
        """With their errors, their drift and their read noise, as in numpy."""
        device = _DEVICES[name]
        sim.setup(rng_seed=_SEED)
        cells = jumping(sim, 3, tau_m=_TAU_M)
        times = [[10.0, 40.0, 50.0], [20.0, 60.0]]
        made = self._project(sim, cells, source(sim, times, 2), device=device, mapping=mapping)
        key = noise.noise_key(_SEED, _LABEL)
        expected = program_weights(_WEIGHTS.ravel(), device, key, mapping=mapping)
        np.testing.assert_allclose(values(made, "weight")[:, 0], expected.weights(), rtol=1e-12)
        sim.run(100.0)
        (v,) = cells.get_data("v").segments[0].filter(name="v")
        v = v.magnitude
        jumps = v[1:] - v[:-1] * np.exp(-H / _TAU_M)
        for row, train in enumerate(times):
            for number, time in enumerate(train):
                step = round((time + 2.0) / H)
                sent = _sent(expected, time, number).reshape(_WEIGHTS.shape)[row]
                np.testing.assert_allclose(jumps[step - 1], sent, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(values(made, "weight")[:, 0], expected.weights(0.1), rtol=1e-12)

    def test_weights_can_be_verified(self, sim: Simulator) -> None:
        """Write-and-verify brings them within its tolerance."""
        device = Memristor(on_off_ratio=100.0, sigma_c2c=0.05, sigma_d2d_g_max=0.1)
        verify = WriteVerify(tolerance=0.01, max_pulses=1000)
        sim.setup(rng_seed=_SEED)
        made = self._project(
            sim, jumping(sim, 3), source(sim, [], 2), device=device, verify=verify, w_max=3.0,
            mapping="differential",
        )  # fmt: skip
        weights = values(made, "weight")[:, 0]
        assert np.abs(weights - _WEIGHTS.ravel()).max() <= 2 * 0.01 * 3.0
        expected = program_weights(
            _WEIGHTS.ravel(), device, noise.noise_key(_SEED, _LABEL), w_max=3.0,
            mapping="differential", verify=verify,
        )  # fmt: skip
        np.testing.assert_allclose(weights, expected.weights(), rtol=1e-12)

    def test_conductances_of_conductance_based_cells(self, sim: Simulator) -> None:
        """Weights are in µS then."""
        sim.setup(rng_seed=_SEED)
        cells = sim.Population(3, sim.IF_cond_exp())
        made = self._project(
            sim, cells, source(sim, [], 2), device=_DEVICES["errors"], weight=abs(_WEIGHTS)
        )
        expected = program_weights(
            abs(_WEIGHTS).ravel(), _DEVICES["errors"], noise.noise_key(_SEED, _LABEL)
        )
        np.testing.assert_allclose(values(made, "weight")[:, 0], expected.weights(), rtol=1e-12)

    def test_programmed_weights_cannot_be_set(self, sim: Simulator) -> None:
        """A new projection programs anew."""
        sim.setup(rng_seed=_SEED)
        made = self._project(sim, jumping(sim, 3), source(sim, [], 2))
        with pytest.raises((AttributeError, ValueError), match="weight.*new"):
            made.set(weight=0.5)

    @pytest.mark.parametrize(
        ("options", "error", "text"),
        [
            ({"device": "ideal"}, TypeError, "device='ideal'"),
            ({"verify": 0.1}, TypeError, "verify=0.1"),
            ({"mapping": "pair"}, ValueError, "mapping='pair', need one of single"),
            ({"w_max": -1.0}, ValueError, "w_max=-1.0"),
            ({"w_max": 1.0}, ValueError, "w_max=1.0.*raise w_max to at least 2.0"),
            ({"device": Memristor(**_UNKNOWN)}, UnknownParameterError, "sigma_read"),
        ],
    )
    def test_impossible_programmed_weights_are_refused(
        self, sim: Simulator, options: dict[str, Any], error: type[Exception], text: str
    ) -> None:
        """Before the run; the error names the parameter."""
        sim.setup()
        with pytest.raises(error, match=text):
            self._project(sim, jumping(sim, 3), source(sim, [], 2), **options)
