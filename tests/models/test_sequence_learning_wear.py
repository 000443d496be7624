"""Writes and modelled energy of learning are those of its synapses."""

import numpy as np
import pytest

import cosim
from devices import Memristor, Update
from models.sequence_learning import Parameters, build, training_stimulus
from models.sequence_learning.wear import wear

SMALL = {"connectivity.n_e": 20, "connectivity.rho": 4, "task.episodes": 3}
COSTS = {
    "device.e_set_pj": 2.0, "device.e_reset_pj": 5.0, "device.t_set_ns": 50.0,
    "device.t_reset_ns": 60.0, "device.e_read_pj": 0.1, "device.t_read_ns": 10.0,
}  # fmt: skip


def metrics(**parameters):
    spec = cosim.RunSpec("sequence_learning", "nest", SMALL | parameters, seed=3)
    record = cosim.run(spec)
    assert record.status == "done", record.error
    return record.metrics


@pytest.mark.parametrize("rule", ["analog", "binary"])
def test_energies_are_counts_times_costs(rule):
    plain = metrics(**{"plasticity.rule": rule})
    assert not {"writes_per_device", "write_energy_nj", "read_energy_nj"} & plain.keys()
    priced = metrics(**{"plasticity.rule": rule}, **COSTS)
    assert {name: priced[name] for name in plain} == plain  # costs change nothing
    assert priced["writes_per_device"] > 0
    assert priced["most_writes_of_a_device"] >= priced["writes_per_device"]
    assert priced["write_energy_nj"] > 0 and priced["read_energy_nj"] > 0


class Counts:
    """A projection that has counted."""

    class synapse_type:  # noqa: N801
        counts_writes = True

    values = {"n_set": [3.0, 0.0], "n_reset": [1.0, 2.0], "n_spikes": [10.0, 20.0]}

    def get(self, name, format, with_address):
        return self.values[name]


def test_sums():
    device = Memristor(
        e_set_pj=2.0, e_reset_pj=5.0, t_set_ns=50.0, t_reset_ns=60.0, e_read_pj=0.1, t_read_ns=10.0
    )
    assert wear(Counts(), device) == {
        "writes_per_device": 3.0,
        "most_writes_of_a_device": 4.0,
        "write_energy_nj": pytest.approx((3 * 2.0 + 3 * 5.0) / 1e3),
        "read_energy_nj": pytest.approx(30 * 0.1 / 1e3),
    }


def test_only_what_is_known_is_priced():
    found = wear(Counts(), Memristor(endurance=1e6))
    assert found.keys() == {"writes_per_device", "most_writes_of_a_device"}


def test_wear_with_an_update_law_in_the_network():
    sim = cosim.backend("nest")
    parameters = Parameters(
        device=Memristor(
            endurance=1e9, update=Update(law="linear", step_up=0.01, step_down=0.01)
        )
    )  # fmt: skip
    sim.setup(timestep=0.1, rng_seed=1)
    network = build(sim, parameters, training_stimulus(parameters.task))
    sim.run(300.0)
    writes = np.array(network.ee.get(["n_set", "n_reset"], format="list", with_address=False))
    found = wear(network.ee, parameters.device)
    assert found["writes_per_device"] == pytest.approx(writes.sum() / len(writes))
