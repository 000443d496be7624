"""Which contenders are compared, and on which phases."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """One script with its arguments, run as a process of its own."""

    label: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Benchmark:
    """Contenders that do the same work; the first is the one whose speed-up is stated.

    `compared` maps what is compared to the phases it sums; without phases, to all. The phases of
    `details` are shown too.
    """

    title: str
    contenders: tuple[Contender, ...]
    compared: dict[str, tuple[str, ...]]
    details: tuple[str, ...] = ()


BENCHMARKS = {
    "sequence_learning": Benchmark(
        title="Sequence learning, set I: 900 + 6 neurons, 162 000 plastic synapses, 37.87 s "
        "of biological time, time step and shortest delay 0.1 ms",
        contenders=(
            Contender("cosim, with prediction error", ("sequence_learning_cosim.py",)),
            Contender(
                "NESTML models, as in NESTML's tutorial",
                ("sequence_learning_tutorial.py",),
            ),
            Contender(
                "NESTML models, tuned, with prediction error",
                ("sequence_learning_nestml.py", "--read-out"),
            ),
            Contender("NESTML models, tuned, spikes only", ("sequence_learning_nestml.py",)),
            Contender("900 idle `iaf_psc_exp`, no synapses", ("idle_neurons.py", "iaf_psc_exp")),
            Contender(
                "900 idle `parrot_neuron`, no synapses", ("idle_neurons.py", "parrot_neuron")
            ),
        ),
        compared={"total": ()},
        details=("build", "simulate", "read"),
    ),
    "connect": Benchmark(
        title="1.6 million random synapses: 4000 x 4000 neurons, p = 0.1",
        contenders=(
            Contender("cosim", ("connect_cosim.py",)),
            Contender("stock pyNN.nest", ("connect_stock.py",)),
            Contender("PyNEST without PyNN", ("connect_pynest.py",)),
        ),
        compared={"connect": ("connect",), "weights as a list": ("read list",)},
        details=("read array",),
    ),
}
