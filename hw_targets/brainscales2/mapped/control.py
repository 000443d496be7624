"""Set-up and control of a simulation."""

import math
from numbers import Integral
from typing import Any

from pyNN import common
from pyNN.recording import get_io

from cosim.backends.checks import refuse_options
from cosim.backends.poisson import begin_setup
from devices.checks import is_number
from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.mapped import simulator
from hw_targets.brainscales2.mapped.mapping import PERIOD_MS, Options
from hw_targets.brainscales2.mapped.projections import Projection
from hw_targets.brainscales2.mapped.report import MappingReport

FIDELITIES = ("emulated", "ideal")


def setup(
    timestep: float = 0.1,
    min_delay: float | str = "auto",
    *,
    rng_seed: int = 42,
    max_delay: float | str = "auto",
    poisson: str = "native",
    chip: int | None = None,
    fidelity: str = "emulated",
    merge: int = 1,
    parallel_rows: int | None = None,
    plasticity_period: float = PERIOD_MS,
    strict: bool = False,
    quiet: bool = False,
    **extra_params: Any,
) -> int:
    """Start a new simulation.

    Parameters
    ----------
    timestep : float
        Time step in ms, of recordings and of the ends of runs. Spikes lie on a grid of 0.008 ms,
        whatever it is.
    min_delay : float or "auto"
        Delay in ms of synapses that are given none; "auto": 0, what the chip has.
    rng_seed : int
        Seed of connectivity, sources and noise.
    max_delay : float or "auto"
        Of no effect; all delays are dropped.
    poisson : str
        ``"native"``: Poisson sources on the grid of the chip. ``"host"``: spike trains that are
        the same on every backend, see ``docs/parity.md``.
    chip : int, optional
        Which virtual chip, by seed; `rng_seed` if left out.
    fidelity : {"emulated", "ideal"}
        ``"ideal"``: weights are not rounded, circuits do exactly what they are calibrated to, have
        no noise and never saturate. What is out of range is clipped all the same.
    merge : int
        Circuits of each neuron, 1 or an even number: it multiplies the fan-in.
    parallel_rows : int
        Rows of synapses that one connection may take: it multiplies the largest weight.
    plasticity_period : float
        Time in ms, rounded up to the grid of 0.008 ms, from one activity of the processor to the
        next: it executes the rules of memristive synapses, and reads devices whose weights drift or
        have read noise. The first is at the end of the first period.
    strict : bool
        Whether anything that would change the network beyond rounding is an error.
    quiet : bool
        Don't print the report.
    **extra_params
        Options of other backends have no effect, but ``threads`` must be 1 and
        ``spike_precision`` ``"on_grid"``.

    Returns
    -------
    int
        0, the rank of the only process.

    Raises
    ------
    ValueError
        If an option is out of range, or asks for what the emulation doesn't have.
    """
    refuse_options(
        extra_params,
        ("threads", 1, "the emulation runs on one thread"),
        ("spike_precision", "on_grid", "spikes lie on the chip's grid of 0.008 ms"),
    )
    _check(timestep, chip, fidelity, merge, parallel_rows, plasticity_period)
    begin_setup(poisson)
    common.setup(timestep, min_delay, rng_seed=rng_seed, max_delay=max_delay, **extra_params)
    is_ideal = fidelity == "ideal"
    period = simulator.to_grid(plasticity_period) * simulator.GRID_MS
    virtual = Chip.ideal() if is_ideal else Chip.virtual(rng_seed if chip is None else chip)
    simulator.state.begin(
        float(timestep),
        0.0 if min_delay == "auto" else float(min_delay),
        None if max_delay == "auto" else float(max_delay),
        int(rng_seed),
        Options(virtual, int(merge), parallel_rows, bool(strict), period),
        poisson,
        quiet,
    )
    # Random numbers follow from labels, so a network must not depend on those made before it.
    common.Population._nPop = common.Projection._nProj = 0
    Projection._labels_used.clear()
    return 0


def _check(
    timestep: float,
    chip: int | None,
    fidelity: str,
    merge: int,
    parallel_rows: int | None,
    plasticity_period: float,
) -> None:
    if not timestep >= simulator.GRID_MS:
        raise ValueError(
            f"setup: timestep={timestep:g} ms, need at least {simulator.GRID_MS:g} ms, the chip's "
            "grid of spikes"
        )
    if chip is not None and not (is_number(chip, Integral) and chip >= 0):
        raise ValueError(f"setup: chip={chip!r}, need an integer of at least 0, or None")
    if fidelity not in FIDELITIES:
        raise ValueError(f"setup: fidelity={fidelity!r}, need one of {FIDELITIES}")
    if not (merge == 1 or (0 < merge <= limits.N_CIRCUITS and merge % 2 == 0)):
        raise ValueError(
            f"setup: merge={merge}, need 1 or an even number up to {limits.N_CIRCUITS}: a neuron "
            "takes circuits of both rows"
        )
    if parallel_rows is not None and not (
        is_number(parallel_rows, Integral) and 1 <= parallel_rows <= limits.N_ROWS
    ):
        raise ValueError(
            f"setup: parallel_rows={parallel_rows!r}, need an integer in 1 ... {limits.N_ROWS}, or "
            "None"
        )
    if not simulator.GRID_MS <= plasticity_period < math.inf:
        raise ValueError(
            f"setup: plasticity_period={plasticity_period:g} ms, need a finite number of at least "
            f"{simulator.GRID_MS:g} ms, the chip's grid of spikes"
        )


def end(compatible_output: bool = True) -> None:
    """Write what was to be written at the end."""
    for population, variables, filename in simulator.state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state.write_on_end = []


def check() -> MappingReport:
    """Map the network to the chip without running it.

    Returns
    -------
    MappingReport
        What is changed.

    Raises
    ------
    MappingError
        If the network doesn't fit or, with ``setup(strict=True)``, is changed; it lists all
        reasons.
    """
    return simulator.state.mapping.report


mapping_report = check

run, run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)
