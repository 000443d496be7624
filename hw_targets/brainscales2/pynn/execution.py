"""Runs: the snippets of an experiment, one after the other, on the engine."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from devices.noise import noise_key
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.engine import Activity, Engine, Probe, State
from hw_targets.brainscales2.pynn import observables
from hw_targets.brainscales2.pynn.configuration import Configuration, next_run
from hw_targets.brainscales2.pynn.inputs import Generator, Inputs, Span
from hw_targets.brainscales2.pynn.mapping import Mapping
from hw_targets.brainscales2.pynn.plasticity import Plan, Plasticity, Records
from hw_targets.brainscales2.pynn.recording_config import RecordingConfig, RecordingSite
from hw_targets.brainscales2.pynn.sources import CLOCKS_PER_MS

IntArray = npt.NDArray[np.int64]

_CLOCKS_PER_US = CLOCKS_PER_MS / 1000
_NO_ACTIVITY = Activity(np.empty(0), np.empty(0, dtype=np.int64), [])


class Samples(NamedTuple):
    """What a converter read of one site: variable, times in ms, readings in LSB."""

    variable: str
    times_ms: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


@dataclass(eq=False)
class Snippet:
    """A network as it is for some time of a run.

    Parameters
    ----------
    network : Mapping
        The network.
    recording : RecordingConfig
        What is recorded.
    span : Span
        When.
    inputs : Inputs
        Events from outside.
    plans : list of Plan
        Plasticity rules.
    spikes : dict of RecordingSite to ndarray
        Recorded spike times in ms, once it is executed.
    samples : dict of (str, RecordingSite) to Samples
        Recorded readings by device and site, once it is executed.
    observables : dict of (int, str) to list of TimedData
        What plasticity rules recorded, once it is executed.
    """

    network: Mapping
    recording: RecordingConfig
    span: Span
    inputs: Inputs
    plans: list[Plan] = field(default_factory=list)
    spikes: dict[RecordingSite, npt.NDArray[np.float64]] = field(default_factory=dict)
    samples: dict[tuple[str, RecordingSite], Samples] = field(default_factory=dict)
    observables: Records = field(default_factory=dict)

    @property
    def runtime_ms(self) -> float:
        """Duration in ms."""
        return self.span.end_ms - self.span.begin_ms

    def forget(self, cells: Set[int]) -> None:
        """Delete what was recorded of some cells."""
        self.spikes = {s: v for s, v in self.spikes.items() if s.cell_id not in cells}
        self.samples = {k: v for k, v in self.samples.items() if k[1].cell_id not in cells}

    def milliseconds(self, clock: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert clock cycles of the run to ms, as the chip's time stamps are converted."""
        since = np.asarray(clock, dtype=np.float64) - self.span.begin
        # Rounding must not carry the last cycle beyond the end.
        return np.minimum(since / 125.0 / 1000.0 + self.span.begin_ms, self.span.end_ms)


def execute(snippets: Sequence[Snippet], configuration: Configuration) -> None:
    """Execute snippets, and note in them what is recorded.

    Parameters
    ----------
    snippets : sequence of Snippet
        Snippets in the order of time.
    configuration : Configuration
        Chip and fidelity.
    """
    trial = next_run()
    word0, word1 = noise_key(configuration.chip.seed, f"brainscales2 run {trial}")
    seed = word0 | word1 << 32
    link = _Link(configuration.spike_loss, seed)
    plasticity = Plasticity(configuration)
    state: State | None = None
    for number, snippet in enumerate(snippets):
        clock, source = _events(snippet, number, link)
        if not snippet.network.circuits.size:
            _note_spikes(snippet, _NO_ACTIVITY, clock, source, link)
            continue
        circuits = snippet.network.physics(configuration, trial)
        strengths = snippet.network.strengths(configuration, trial)
        synapses = snippet.network.synapses
        engine = Engine(
            circuits,
            replace(synapses, weight=strengths * synapses.weight),
            dt_us=configuration.dt_us,
            seed=seed,
            inter_compartment=snippet.network.links,
        )
        if state is None:
            engine.set_potentials(_start(circuits, configuration, seed))
        else:
            engine.restore(state)
        readouts = _readouts(snippet)
        activity, snippet.observables = plasticity.advance(
            engine,
            snippet.network,
            strengths,
            snippet.plans,
            snippet.span,
            clock,
            source,
            [readout.probe for readout in readouts],
        )
        state = engine.save()
        _note_spikes(snippet, activity, clock, source, link)
        for readout, values in zip(readouts, activity.samples, strict=True):
            _note_samples(snippet, readout, values, circuits, configuration, trial, number)


class _Link:
    """The link to the chip, on which events get lost."""

    def __init__(self, loss: float, seed: int) -> None:
        self._loss = loss
        self._rng = np.random.Generator(np.random.PCG64([seed, 1]))

    def passes(self, n: int) -> npt.NDArray[np.bool_]:
        """Tell which of n events pass."""
        if self._loss == 0.0:
            return np.ones(n, dtype=bool)
        return self._rng.random(n) >= self._loss


def _start(circuits: Circuits, configuration: Configuration, seed: int) -> npt.NDArray[np.float64]:
    """Potentials at the begin: circuits have been left to themselves for long.

    Those that spike without input are somewhere between reset and threshold. Ideal neurons start
    at rest, as in simulators.
    """
    resting = _resting(circuits)
    if configuration.is_ideal:
        return resting
    phase = np.zeros(resting.size)
    if configuration.noise:
        phase = np.random.Generator(np.random.PCG64([seed, 2])).random(resting.size)
    between = circuits.reset_potential + phase * (circuits.threshold - circuits.reset_potential)
    return np.where(circuits.can_spike & (resting >= circuits.threshold), between, resting)


def _resting(circuits: Circuits) -> npt.NDArray[np.float64]:
    """Potentials at which leak and constant currents balance."""
    # As linear where the leak has no limit, at its limit where it can't balance the current.
    with np.errstate(divide="ignore", invalid="ignore"):
        linear = circuits.current / circuits.leak_rate
        share = np.clip(linear / circuits.leak_saturation, -0.999, 0.999)
        distance = np.where(
            np.isinf(circuits.leak_saturation),
            linear,
            circuits.leak_saturation * np.arctanh(share),
        )
    at_leak = circuits.leak_rate == 0.0
    return np.asarray(circuits.leak_potential + np.where(at_leak, 0.0, distance))


# ---- events ------------------------------------------------------------------------------------


def _events(snippet: Snippet, number: int, link: _Link) -> tuple[IntArray, IntArray]:
    """Events that reach the network, by time: those sent that pass, and those of generators."""
    passed = link.passes(snippet.inputs.clock.size)
    clocks, sources = [snippet.inputs.clock[passed]], [snippet.inputs.source[passed]]
    for generator in snippet.inputs.generators:
        clock, source = _generated(generator, snippet.span, number)
        clocks.append(clock)
        sources.append(source)
    clock, source = np.concatenate(clocks), np.concatenate(sources)
    order = np.argsort(clock, kind="stable")
    return clock[order], source[order]


def _generated(generator: Generator, span: Span, number: int) -> tuple[IntArray, IntArray]:
    rng = np.random.Generator(np.random.PCG64([generator.seed, number]))
    n_periods = (span.end - span.begin) // generator.period
    periods = np.empty(0, dtype=np.int64)
    last = 0
    while last <= n_periods:
        room = int((n_periods - last) * generator.probability * 1.1) + 16
        more = last + np.cumsum(rng.geometric(generator.probability, room))
        periods = np.concatenate([periods, more])
        last = int(more[-1])
    periods = periods[periods <= n_periods]
    source = generator.inputs[rng.integers(generator.inputs.size, size=periods.size)]
    return span.begin + periods * generator.period, source


def _note_spikes(
    snippet: Snippet, activity: Activity, clock: IntArray, source: IntArray, link: _Link
) -> None:
    spike_clock = np.rint(activity.spike_times_us * _CLOCKS_PER_US).astype(np.int64)
    network = snippet.network
    sites = sorted(snippet.recording.spikes)
    of_neurons = _by_owner(spike_clock, activity.spike_circuits)
    of_sources = _by_owner(clock, source)
    for site in sites:
        if site.cell_id in network.index:
            times = of_neurons.get(network.spiking(site.cell_id) + site.comp_id)
        elif site.cell_id in network.inputs:
            times = of_sources.get(network.inputs[site.cell_id])
        else:
            continue
        times = np.empty(0, dtype=np.int64) if times is None else times
        snippet.spikes[site] = snippet.milliseconds(times[link.passes(times.size)])


def _by_owner(times: IntArray, owner: IntArray) -> dict[int, IntArray]:
    order = np.argsort(owner, kind="stable")
    owners, first = np.unique(owner[order], return_index=True)
    return dict(zip(owners.tolist(), np.split(times[order], first[1:]), strict=False))


# ---- samples -----------------------------------------------------------------------------------


class _Readout(NamedTuple):
    """Sites that one converter samples one variable of."""

    device: str
    sites: list[RecordingSite]
    probe: Probe


def _readouts(snippet: Snippet) -> list[_Readout]:
    config, span = snippet.recording, snippet.span
    readouts = []
    for device, recorded in (("madc", config.madc), ("cadc", config.cadc)):
        times = observables.sample_times(
            device, span.begin / _CLOCKS_PER_US, span.end / _CLOCKS_PER_US
        )
        for variable in sorted({config.sources[site] for site in recorded}):
            sites = [site for site in recorded if config.sources[site] == variable]
            positions = _positions(snippet.network, sites)
            probe = Probe(times_us=times, circuits=positions, variable=variable)
            readouts.append(_Readout(device, sites, probe))
    return readouts


def _positions(network: Mapping, sites: Iterable[RecordingSite]) -> IntArray:
    return np.array([network.index[s.cell_id] + s.comp_id for s in sites], dtype=np.int64)


def _note_samples(
    snippet: Snippet,
    readout: _Readout,
    values: npt.NDArray[np.float64],
    circuits: Circuits,
    configuration: Configuration,
    trial: int,
    number: int,
) -> None:
    network, probe = snippet.network, readout.probe
    hardware = np.array([network.recorded_circuit(site) for site in readout.sites], dtype=np.int64)
    voltages = observables.voltage(
        probe.variable, values, circuits[probe.circuits], network.settings, hardware
    )
    found = observables.readings(
        readout.device,
        probe.times_us,
        np.ascontiguousarray(voltages.T),
        hardware,
        configuration,
        network.settings.biases == "calibrated",
        trial,
        number,
    )
    clock = probe.times_us * _CLOCKS_PER_US
    # The chip stamps samples with its clock.
    times = snippet.milliseconds(clock if configuration.is_ideal else np.floor(clock + 1e-6))
    for site, row in zip(readout.sites, found, strict=True):
        snippet.samples[readout.device, site] = Samples(probe.variable, times, row)
