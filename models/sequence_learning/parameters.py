"""Parameters of the spiking temporal memory; the defaults learn sequence set I.

Values: Bouhadjar et al. (2022), Sequence learning, prediction, and replay in networks of spiking
neurons, PLoS Comput Biol 18(6), doi:10.1371/journal.pcbi.1010233, and the authors' code.
"""

import dataclasses
import math
from dataclasses import dataclass, field

from devices import Memristor
from models.sequence_learning.checks import check, check_count, check_positive
from models.sequence_learning.plasticity import Plasticity
from models.sequence_learning.task import Task


@dataclass(frozen=True)
class Neuron:
    """Excitatory neuron, `IF_curr_exp_dAP`: field names and units are PyNN's.

    Parameters
    ----------
    v_rest, v_reset, v_thresh : float
        Resting potential, reset potential and threshold, mV.
    cm : float
        Membrane capacitance, nF.
    tau_m, tau_refrac : float
        Membrane time constant and refractory period, ms.
    tau_syn_E, tau_syn_I, tau_syn_D : float
        Time constants of excitatory, inhibitory and dendritic currents, ms.
    i_dAP, theta_dAP : float
        Plateau current of a dendritic action potential and its threshold, nA.
    tau_dAP : float
        Duration of a dendritic action potential, ms.
    tau_h : float, optional
        Time constant of the dAP trace, ms. None: the duration of one episode.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    v_rest: float = 0.0
    v_reset: float = 0.0
    v_thresh: float = 20.0
    cm: float = 0.25
    tau_m: float = 10.0
    tau_refrac: float = 10.0
    tau_syn_E: float = 2.0
    tau_syn_I: float = 1.0
    tau_syn_D: float = 5.0
    i_dAP: float = 0.2
    theta_dAP: float = 0.059
    tau_dAP: float = 60.0
    tau_h: float | None = None

    def __post_init__(self) -> None:
        """Validate every parameter."""
        check_positive(self, "cm", "tau_m", "tau_refrac", "tau_syn_E", "tau_syn_I", "tau_syn_D")
        check_positive(self, "i_dAP", "theta_dAP", "tau_dAP", "tau_h")
        _check_threshold(self)


@dataclass(frozen=True)
class Inhibitory:
    """Inhibitory neuron, `IF_curr_exp`: field names and units are PyNN's.

    Parameters
    ----------
    v_rest, v_reset, v_thresh : float
        Resting potential, reset potential and threshold, mV.
    cm : float
        Membrane capacitance, nF.
    tau_m, tau_refrac : float
        Membrane time constant and refractory period, ms.
    tau_syn_E, tau_syn_I : float
        Time constants of excitatory and inhibitory currents, ms; the latter receives no input.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    v_rest: float = 0.0
    v_reset: float = 0.0
    v_thresh: float = 15.0
    cm: float = 0.25
    tau_m: float = 5.0
    tau_refrac: float = 2.0
    tau_syn_E: float = 0.5
    tau_syn_I: float = 1.65

    def __post_init__(self) -> None:
        """Validate every parameter."""
        check_positive(self, "cm", "tau_m", "tau_refrac", "tau_syn_E", "tau_syn_I")
        _check_threshold(self)


@dataclass(frozen=True)
class Connectivity:
    """Sizes, strengths and delays.

    Each symbol has a subpopulation of `n_e` excitatory neurons and one inhibitory neuron.
    Two-letter suffixes name target and source: e excitatory, i inhibitory, x external.

    Parameters
    ----------
    n_e : int
        Excitatory neurons per subpopulation.
    p : float
        Connection probability between excitatory neurons, (0, 1]; the in-degree of every neuron
        is `int(p * n_symbols * n_e)`.
    rho : int
        Target number of active neurons per subpopulation, 1 ... `n_e`.
    n_coincident : int
        Mature synapses that must be active together to trigger a dendritic action potential.
    dap_reserve : float
        Peak dendritic current of `n_coincident` mature synapses relative to `theta_dAP`.
    psp_ex : float
        Peak potential of one external spike, relative to the distance from rest to threshold.
    psp_ie : float
        Peak potential in the inhibitory neuron of `rho` simultaneous spikes, relative to its
        distance from rest to threshold.
    psp_ei : float
        Peak potential of one inhibitory spike, < 0, relative to the same of the excitatory neuron.
    primer : float
        Peak dendritic current of the stimulus before a first element, relative to `theta_dAP`.
    delay_ee, delay_ex, delay_ie, delay_ei : float
        Delays, ms; `delay_ee` is dendritic.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    n_e: int = 150
    p: float = 0.2
    rho: int = 20
    n_coincident: int = 5
    dap_reserve: float = 1.1
    psp_ex: float = 1.1
    psp_ie: float = 1.2
    psp_ei: float = -2.0
    primer: float = 1.4
    delay_ee: float = 2.0
    delay_ex: float = 0.1
    delay_ie: float = 0.1
    delay_ei: float = 0.1

    def __post_init__(self) -> None:
        """Validate every parameter."""
        check_count(self, "n_e", "rho", "n_coincident")
        check(0 < self.p <= 1, self, "p", self.p, "a probability in (0, 1]")
        check(self.rho <= self.n_e, self, "rho", self.rho, f"at most n_e={self.n_e}")
        check_positive(self, "dap_reserve", "psp_ex", "psp_ie", "primer")
        check(self.psp_ei < 0, self, "psp_ei", self.psp_ei, "a number < 0: it inhibits")
        check_positive(self, "delay_ee", "delay_ex", "delay_ie", "delay_ei")


@dataclass(frozen=True)
class Parameters:
    """Everything that defines a run of the model but its random seed.

    Parameters
    ----------
    timestep : float
        Time step, ms.
    task : Task
        Sequences and timing.
    neuron : Neuron
        Excitatory neurons.
    inhibitory : Inhibitory
        Inhibitory neurons.
    connectivity : Connectivity
        Sizes, strengths and delays.
    plasticity : Plasticity
        Rule and rates of the plastic synapses.
    device : devices.Memristor
        Non-idealities of the plastic synapses; by default none.
    record_all : bool
        Whether spikes and dendritic action potentials of all episodes are returned, not only those
        of the last one.

    Raises
    ------
    ValueError
        If values contradict each other or a time is not a multiple of the time step.
    """

    timestep: float = 0.1
    task: Task = field(default_factory=Task)
    neuron: Neuron = field(default_factory=Neuron)
    inhibitory: Inhibitory = field(default_factory=Inhibitory)
    connectivity: Connectivity = field(default_factory=Connectivity)
    plasticity: Plasticity = field(default_factory=Plasticity)
    device: Memristor = field(default_factory=Memristor)
    record_all: bool = False

    def __post_init__(self) -> None:
        """Validate what involves more than one group."""
        check_positive(self, "timestep")
        self._check_grid()
        check(
            1 <= self.indegree < self.n_excitatory,
            self,
            "connectivity.p",
            self.connectivity.p,
            f"an in-degree from 1 to {self.n_excitatory - 1}, "
            f"here int(p * {self.n_excitatory} neurons) = {self.indegree}; change p or n_e",
        )
        if self.task.primes_first:
            check(
                self.connectivity.rho < self.connectivity.n_e,
                self,
                "connectivity.rho",
                self.connectivity.rho,
                f"less than n_e={self.connectivity.n_e} with task.sparse_first_char",
            )
        self.plasticity.resolved(self.task)

    def resolved(self) -> "Parameters":
        """Return the same parameters with every default that depends on others replaced by it."""
        return dataclasses.replace(
            self,
            plasticity=self.plasticity.resolved(self.task),
            neuron=dataclasses.replace(self.neuron, tau_h=self.tau_h),
            # Refuses a device of which too little is known.
            device=self.device.resolved(but=("iv_quadratic", "iv_cubic")),
        )

    def _check_grid(self) -> None:
        times = {
            "task": ("delta_t", "delta_t_seq", "t_start", "t_probe"),
            "neuron": ("tau_refrac", "tau_dAP"),
            "inhibitory": ("tau_refrac",),
            "connectivity": ("delay_ee", "delay_ex", "delay_ie", "delay_ei"),
        }
        for group, names in times.items():
            for name in names:
                value = getattr(getattr(self, group), name)
                steps = value / self.timestep
                check(
                    math.isclose(steps, round(steps), rel_tol=0.0, abs_tol=1e-6),
                    self,
                    f"{group}.{name}",
                    value,
                    f"a multiple of timestep={self.timestep}",
                )

    @property
    def n_symbols(self) -> int:
        """Number of subpopulations."""
        return len(self.task.symbols)

    @property
    def n_excitatory(self) -> int:
        """Number of excitatory neurons."""
        return self.n_symbols * self.connectivity.n_e

    @property
    def indegree(self) -> int:
        """Plastic synapses per excitatory neuron."""
        # The tolerance keeps products such as 0.29 * 100 = 28.999999999999996 from losing one.
        return math.floor(self.connectivity.p * self.n_excitatory + 1e-9)

    @property
    def tau_h(self) -> float:
        """Time constant of the dAP trace, ms."""
        if self.neuron.tau_h is None:
            return self.task.episode_duration
        return self.neuron.tau_h


def _check_threshold(neuron: Neuron | Inhibitory) -> None:
    for name in ("v_rest", "v_reset"):
        check(
            getattr(neuron, name) < neuron.v_thresh,
            neuron,
            "v_thresh",
            neuron.v_thresh,
            f"more than {name}={getattr(neuron, name)}",
        )
