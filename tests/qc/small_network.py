"""One small network as plain arrays, for the comparison of a backend with the twin."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from tests.qc import twin

SYMBOLS = 3
NEURONS_PER_SYMBOL = 12
IN_DEGREE = 10
FIRST_STIMULUS = 30.0
INTERVAL = 40.0
PAUSE = 100.0
JITTER_STEPS = 30
SEQUENCES = ((0, 1, 2), (2, 0), (1, 2, 0))
ON_OFF_RATIO = 16


@dataclass(frozen=True)
class Synapses:
    """Arrays of one projection, sorted by (source, target): neuron indices, nA, ms."""

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: float
    receptor: str


@dataclass(frozen=True)
class PlasticSynapses:
    """Arrays of the plastic projection; the position of a synapse is its device index."""

    source: np.ndarray
    target: np.ndarray
    delay: float
    receptor: str
    permanence: np.ndarray
    w_min: np.ndarray
    w_max: np.ndarray


@dataclass(frozen=True)
class SmallNetwork:
    """Everything that defines one run; potentials start at `v_rest`.

    Populations: `exc` (36 neurons with dendritic action potentials, 12 per symbol), `inh` (one
    cell per symbol), `stimulus` (one spike source per symbol). Projections: `ex` stimulus -> exc,
    `ie` exc -> inh, `ei` inh -> exc, `ee` exc -> exc (plastic). Cell parameters bear PyNN's names
    and units.
    """

    h: float
    duration: float
    exc_size: int
    exc: Mapping[str, float]
    inh_size: int
    inh: Mapping[str, float]
    stimulus: tuple[tuple[float, ...], ...]
    ex: Synapses
    ie: Synapses
    ei: Synapses
    ee: PlasticSynapses
    plasticity: twin.Plasticity
    key: tuple[int, int]


@dataclass(frozen=True)
class TwinRun:
    """The twin's cells and synapses after a run; see `tests.qc.twin` for what they recorded."""

    exc: twin.DAPNeurons
    inh: twin.IFCurrExp
    ee: twin.PlasticProjection


def small_network(switching: str = "binary", seed: int = 1) -> SmallNetwork:
    """Build the network; `switching` is "binary" or "analog".

    Scaled from Bouhadjar et al. 2022 (doi:10.1371/journal.pcbi.1010233): three coincident mature
    synapses start a dendritic action potential, four spikes fire an inhibitory cell, and rates are
    large enough to learn within 3 s. Weights and potentials are exact binary fractions.
    """
    h, duration = 0.1, 3000.0
    rng = np.random.default_rng(seed)
    size = SYMBOLS * NEURONS_PER_SYMBOL
    neurons = np.arange(size)
    symbol = neurons // NEURONS_PER_SYMBOL

    pairs = sorted(
        (int(j), i)
        for i in range(size)
        for j in rng.choice(np.delete(neurons, i), IN_DEGREE, replace=False)
    )
    source, target = np.array(pairs).T
    devices = source.size
    w_max = (48 + rng.integers(0, 33, devices)) / 2.0**12  # 1/64 nA, +- 25 %

    plasticity, permanence = _plasticity(switching, rng.random(devices))
    return SmallNetwork(
        h=h,
        duration=duration,
        exc_size=size,
        exc={
            "v_rest": -60.0, "cm": 0.25, "tau_m": 10.0, "tau_refrac": 10.0, "tau_syn_E": 2.0,
            "tau_syn_I": 1.0, "tau_syn_D": 5.0, "v_reset": -62.0, "v_thresh": -40.0,
            "i_offset": 0.0078125, "i_dAP": 0.203125, "theta_dAP": 0.04296875, "tau_dAP": 60.0,
            "tau_h": 350.0,
        },
        inh_size=SYMBOLS,
        inh={
            "v_rest": -60.0, "cm": 0.25, "tau_m": 5.0, "tau_refrac": 2.0, "tau_syn_E": 0.5,
            "tau_syn_I": 1.65, "v_reset": -60.0, "v_thresh": -45.0, "i_offset": 0.0,
        },
        stimulus=_stimulus(rng, h, duration),
        ex=Synapses(
            symbol, neurons, 4 + rng.integers(0, 33, size) / 64, delay=0.1, receptor="excitatory"
        ),
        ie=Synapses(neurons, symbol, np.full(size, 2.90625), delay=0.1, receptor="excitatory"),
        ei=Synapses(symbol, neurons, np.full(size, -12.9375), delay=0.1, receptor="inhibitory"),
        ee=PlasticSynapses(
            source, target, delay=2.0, receptor="dendritic", permanence=permanence,
            w_min=w_max / ON_OFF_RATIO, w_max=w_max,
        ),
        plasticity=plasticity,
        key=(0x2F1B9C3D, 0x85A6D07E),
    )  # fmt: skip


def with_noisy_devices(network: SmallNetwork, c2c_event: str) -> SmallNetwork:
    """Give the devices of a network finite resolution, write noise and read noise."""
    plasticity = replace(
        network.plasticity, n_levels=64, sigma_c2c=0.01, c2c_event=c2c_event, sigma_read=0.125
    )
    return replace(network, plasticity=plasticity)


def _plasticity(switching: str, u: np.ndarray) -> tuple[twin.Plasticity, np.ndarray]:
    """Rule and initial states, from one uniform number per device."""
    if switching == "binary":
        return twin.Plasticity(
            switching, lambda_plus=0.75, lambda_minus=0.0125, lambda_h=0.0625, z_target=1.0,
            tau_plus=20.0, dt_min=4.0, dt_max=50.0, p_max=20.0, theta_p=10.0,
        ), 8 * u  # fmt: skip
    return twin.Plasticity(
        switching, lambda_plus=0.25, lambda_minus=0.025, lambda_h=0.0625, z_target=1.0,
        tau_plus=20.0, dt_min=4.0, dt_max=50.0, pre_trace=False,
    ), u / 8  # fmt: skip


def _stimulus(rng: np.random.Generator, h: float, duration: float) -> tuple[tuple[float, ...], ...]:
    """Spike times (ms) of each symbol: the sequences in turn, each element a little off time."""
    times: list[list[float]] = [[] for _ in range(SYMBOLS)]
    start, episode = FIRST_STIMULUS, 0
    while start + len(SEQUENCES[0]) * INTERVAL < duration - PAUSE:
        sequence = SEQUENCES[episode % len(SEQUENCES)]
        for position, symbol in enumerate(sequence):
            jitter = int(rng.integers(-JITTER_STEPS, JITTER_STEPS + 1))
            step = round((start + position * INTERVAL) / h) + jitter
            times[symbol].append(round(step * h, 6))
        start += (len(sequence) - 1) * INTERVAL + PAUSE
        episode += 1
    return tuple(tuple(own) for own in times)


def run_twin(network: SmallNetwork) -> TwinRun:
    """Simulate the network with the twin."""
    h = network.h
    exc = twin.DAPNeurons(network.exc_size, h, **network.exc)
    inh = twin.IFCurrExp(network.inh_size, h, **network.inh)
    stimulus = twin.SpikeSource([list(times) for times in network.stimulus], h)
    static = [
        twin.StaticProjection(pre, post, **asdict(synapses))
        for pre, post, synapses in (
            (stimulus, exc, network.ex),
            (exc, inh, network.ie),
            (inh, exc, network.ei),
        )
    ]
    ee = twin.PlasticProjection(
        exc, exc, **asdict(network.ee), rule=network.plasticity, key=network.key
    )
    twin.simulate([stimulus, exc, inh], [*static, ee], network.duration)
    return TwinRun(exc, inh, ee)
