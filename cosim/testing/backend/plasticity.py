"""Plastic synapses of PyNN: pair-based STDP and short-term plasticity."""

from typing import Any

import numpy as np
import pytest

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
    values,
)
from cosim.testing.backend.reference import exp_psp, run_stdp, run_tsodyks_markram

# Exponents of the weight in potentiation and depression.
_WEIGHT_DEPENDENCES = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": (0.3, 0.6),
}
_TAU_M = 10.0


def _mechanism(sim: Simulator, dependence: str = "AdditiveWeightDependence", **options: Any) -> Any:
    mu = _WEIGHT_DEPENDENCES[dependence]
    exponents = {"mu_plus": mu[0], "mu_minus": mu[1]} if dependence.startswith("Gutig") else {}
    rule = {"tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.05, "A_minus": 0.03}
    timing = {name: options.pop(name) for name in list(options) if name in rule}
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(**(rule | timing)),
        weight_dependence=getattr(sim, dependence)(w_min=0.0, w_max=0.8, **exponents),
        **({"weight": 0.4, "delay": 1.5} | options),
    )


def _network(sim: Simulator, pre: list[Any], post: list[Any], synapse: Any) -> tuple[Any, Any]:
    """Return cells that spike at the times `post`, and their plastic synapses."""
    cells = jumping(sim, len(post), v_thresh=50.0, tau_m=_TAU_M, tau_refrac=H)
    kicks = source(sim, [[round(t - H, 1) for t in times] for times in post], len(post))
    connect(sim, kicks, cells, 1000.0, H, connector=sim.OneToOneConnector())
    made = sim.Projection(
        source(sim, pre, len(pre)), cells, sim.AllToAllConnector(), synapse,
        receptor_type="excitatory",
    )  # fmt: skip
    return cells, made


class PlasticityContract(Contract):
    """Changes of weights as sums over all pairs of spikes; delays are dendritic."""

    @pytest.mark.parametrize("delay", [0.1, 4.0])
    @pytest.mark.parametrize("dependence", _WEIGHT_DEPENDENCES)
    def test_every_pair_of_spikes_counts(
        self, sim: Simulator, dependence: str, delay: float
    ) -> None:
        """Every weight, and the weight that every spike is sent with."""
        sim.setup()
        rng = np.random.default_rng(8)
        # Presynaptic spikes arrive at even steps, postsynaptic ones lie at odd steps: the
        # potential then shows every arrival. A last presynaptic spike settles what is pending.
        shift = round(delay / H)
        pre = [
            [*(2 * np.sort(rng.choice(700, 12, replace=False)) + 100 - shift), 1900 - shift]
            for _ in range(3)
        ]
        post = [2 * np.sort(rng.choice(700, 15, replace=False)) + 101 for _ in range(2)]
        cells, made = _network(
            sim, [np.round(H * np.array(n), 1).tolist() for n in pre],
            [np.round(H * n, 1).tolist() for n in post],
            _mechanism(sim, dependence, delay=delay),
        )  # fmt: skip
        sim.run(200.0)
        assert spikes(cells) == [n.tolist() for n in post]
        v = signal(cells)
        arrived = v[1:] - v[:-1] * np.exp(-H / _TAU_M)
        sent = np.zeros((2, 2001))
        final = []
        for steps in pre:
            for j in range(2):
                weight, every = run_stdp(
                    H * np.array(steps), H * (post[j] + shift), 0.4, 0.8,
                    tau_plus=15.0, tau_minus=25.0, a_plus=0.05, a_minus=0.03,
                    mu=_WEIGHT_DEPENDENCES[dependence],
                )  # fmt: skip
                final.append(weight)
                np.add.at(sent[j], np.array(steps) + shift, every)
        np.testing.assert_allclose(values(made, "weight")[:, 0], final, rtol=1e-9)
        assert np.ptp(final) > 0.05
        for j in range(2):
            at = np.flatnonzero(sent[j])
            at = at[~np.isin(at - 1, post[j])]  # input to a refractory cell is lost
            np.testing.assert_allclose(arrived[at - 1, j], sent[j][at], rtol=1e-6)

    @pytest.mark.parametrize(
        ("lag", "sign"), [(-20.0, -1), (-0.1, -1), (0.0, 0), (0.1, 1), (9.0, 1)]
    )
    def test_one_pair(self, sim: Simulator, lag: float, sign: int) -> None:
        """`lag`: from the presynaptic spike to the postsynaptic one, when it reaches the synapse.

        Spikes that reach the synapse at one time are no pair.
        """
        sim.setup()
        delay = 1.5
        # A second presynaptic spike settles what is pending; its own part is known.
        _, made = _network(
            sim, [[50.0, 150.0]], [[round(50.0 + lag - delay, 1)]],
            _mechanism(sim, delay=delay, tau_plus=10.0, tau_minus=5.0),
        )  # fmt: skip
        sim.run(160.0)
        later = -0.03 * np.exp(-(100.0 - lag) / 5.0)
        change = {1: 0.05 * np.exp(-lag / 10.0), -1: -0.03 * np.exp(lag / 5.0), 0: 0.0}[sign]
        np.testing.assert_allclose(
            values(made, "weight")[0, 0], 0.4 + 0.8 * (change + later), rtol=1e-9
        )

    def test_weights_stay_in_their_range(self, sim: Simulator) -> None:
        """Neither pairing goes beyond ``w_min`` and ``w_max``."""
        for lag, expected in ((5.0, 0.8), (-5.0, 0.0)):
            sim.setup()
            times = np.arange(20.0, 120.0, 10.0)
            _, made = _network(
                sim, [[*times.tolist(), 150.0]], [np.round(times + lag - 1.5, 1).tolist()],
                _mechanism(sim, A_plus=0.5, A_minus=0.5 if lag < 0 else 0.0, tau_plus=5.0),
            )  # fmt: skip
            sim.run(151.0)
            np.testing.assert_allclose(values(made, "weight")[0, 0], expected, atol=1e-9)

    def test_parameters_can_be_read(self, sim: Simulator) -> None:
        """Those of the rule as they were given, zeros included."""
        sim.setup()
        cells = sim.Population(3, sim.IF_cond_exp())
        synapse = _mechanism(sim, A_plus=0.0, A_minus=0.5)
        made = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
        names = ["weight", "delay", "A_plus", "A_minus", "tau_plus", "tau_minus"]
        np.testing.assert_allclose(
            values(made, *names), np.tile([0.4, 1.5, 0.0, 0.5, 15.0, 25.0], (9, 1)), rtol=1e-12
        )

    def test_initial_weights_of_each_synapse(self, sim: Simulator) -> None:
        """Plastic weights can be given and set in every way that static ones can."""
        sim.setup()
        cells = sim.Population(3, sim.IF_cond_exp())
        weights = np.arange(9.0).reshape(3, 3) / 20
        made = sim.Projection(
            cells, cells, sim.AllToAllConnector(), _mechanism(sim, weight=weights)
        )
        np.testing.assert_allclose(made.get("weight", format="array"), weights, rtol=1e-12)
        made.set(weight=weights.T.copy())
        np.testing.assert_allclose(made.get("weight", format="array"), weights.T, rtol=1e-12)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"U": 0.5, "tau_rec": 100.0, "tau_facil": 0.0},
            {"U": 0.1, "tau_rec": 20.0, "tau_facil": 200.0},
        ],
        ids=["depressing", "facilitating"],
    )
    def test_short_term_plasticity(self, sim: Simulator, parameters: dict[str, float]) -> None:
        """Each spike's efficacy, as the potential shows it; Tsodyks, Uziel and Markram 2000."""
        sim.setup()
        times = [2.0, 12.0, 17.0, 20.3, 45.0]
        cells = resting(sim, tau_syn_E=3.0)
        synapse = sim.TsodyksMarkramSynapse(weight=0.5, delay=1.0, **parameters)
        sim.Projection(
            source(sim, times), cells, sim.AllToAllConnector(), synapse, receptor_type="excitatory"
        )
        sim.run(60.0)
        efficacy = run_tsodyks_markram(times, tau_syn=3.0, **parameters)
        t = H * np.arange(601)
        expected = sum(
            exp_psp(t - time - 1.0, 0.5 * e, 0.5, 20.0, 3.0)
            for time, e in zip(times, efficacy, strict=True)
        )
        np.testing.assert_allclose(signal(cells)[:, 0], expected, rtol=1e-6, atol=1e-9)

    def test_differing_tau_minus(self, sim: Simulator) -> None:
        """Refused where it belongs to the postsynaptic cell, at once."""
        sim.setup()
        cells = sim.Population(2, sim.IF_cond_exp())
        synapse = _mechanism(sim, tau_minus=np.array([[20.0, 21.0], [22.0, 23.0]]))
        if sim.capabilities.tau_minus_arrays:
            made = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
            np.testing.assert_allclose(values(made, "tau_minus")[:, 0], [20.0, 21.0, 22.0, 23.0])
        else:
            with pytest.raises(ValueError, match="tau_minus"):
                sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)

    def test_differing_tau_minus_of_projections(self, sim: Simulator) -> None:
        """A second projection must not change the rule of the first one."""
        sim.setup()
        cells = sim.Population(2, sim.IF_cond_exp())
        first = sim.Projection(
            cells, cells, sim.AllToAllConnector(), _mechanism(sim, tau_minus=20.0)
        )
        second = _mechanism(sim, tau_minus=30.0)
        if sim.capabilities.tau_minus_arrays:
            sim.Projection(cells, cells, sim.AllToAllConnector(), second)
        else:
            with pytest.raises(ValueError, match="tau_minus"):
                sim.Projection(cells, cells, sim.AllToAllConnector(), second)
        np.testing.assert_allclose(values(first, "tau_minus"), 20.0)

    def test_axonal_delays(self, sim: Simulator) -> None:
        """Part of the delay before the synapse: refused where all delays are dendritic."""
        sim.setup()
        cells = sim.Population(2, sim.IF_cond_exp())
        if sim.capabilities.axonal_delays:
            synapse = _mechanism(sim, dendritic_delay_fraction=0.5)
            sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
        else:
            with pytest.raises(ValueError, match="axonal|dendritic_delay_fraction"):
                synapse = _mechanism(sim, dendritic_delay_fraction=0.5)
                sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
