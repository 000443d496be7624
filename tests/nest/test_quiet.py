"""Users see what they print themselves, not what NEST, cmake and PyNN have to say."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import cosim.backends.nest as sim

sim.setup(timestep=0.1, rng_seed=3, threads=2)
exc = sim.Population(10, sim.IF_curr_exp_dAP(), label="exc")
inh = sim.Population(3, sim.IF_curr_exp(), label="inh")
cond = sim.Population(3, sim.IF_cond_exp(), label="cond")
array = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0, 5.0]))
poisson = sim.Population(3, sim.SpikeSourcePoisson(rate=100.0))
for pre, post, receptor, weight in (
    (array, exc, "dendritic", 0.1), (poisson, exc, "excitatory", 0.1),
    (inh, exc, "inhibitory", -0.1), (exc, inh, "excitatory", 0.1),
    (array, cond, "excitatory", 0.1), (inh, cond, "inhibitory", 0.1),
):
    connector = sim.FixedProbabilityConnector(0.5)
    sim.Projection(pre, post, connector, sim.StaticSynapse(weight=weight), receptor_type=receptor)
stdp = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(),
    weight_dependence=sim.AdditiveWeightDependence(w_max=1.0),
    weight=0.1,
)
for synapse in (stdp, sim.TsodyksMarkramSynapse(weight=0.1), sim.SimpleStochasticSynapse(p=0.5)):
    sim.Projection(array, inh, sim.OneToOneConnector(), synapse)
synapse = sim.MemristiveSTDP(permanence=0.3)
ee = sim.Projection(exc, exc, sim.AllToAllConnector(allow_self_connections=False), synapse)
exc.initialize(v=-1.0, dAP_trace=0.5)
inh.initialize(v=-65.0, isyn_exc=0.0)
exc.record(["spikes", "dAP", "v", "i_dend"])
inh.record(["spikes", "v"])
sim.run(50.0)
sim.run(50.0)
exc.get_data(clear=True)
inh.get_data()
ee.get("weight", "array")
ee.set(permanence=0.5)
sim.end()
"""


def test_a_simulation_prints_nothing(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYNEST", "PYTHONW"))}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
