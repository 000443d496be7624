"""Sources of spikes: arrays and Poisson processes outside the chip, generators on it.

Events from outside enter on the chip's grid of 8 ns, to which their times are cut off.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyNN.parameters import ArrayParameter
from pyNN.standardmodels import StandardCellType, build_translations, cells

from hw_targets.brainscales2 import limits

CLOCKS_PER_MS = round(limits.EVENT_CLOCK_HZ / 1e3)
"""Clock cycles of the time grid, 8 ns each."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def clocks(times_ms: Any) -> IntArray:
    """Convert times to clock cycles, cut off.

    Parameters
    ----------
    times_ms : array_like
        Times in ms.

    Returns
    -------
    ndarray of int64
    """
    # In this order of operations, whose rounding decides about times on the grid.
    return np.asarray(np.asarray(times_ms, dtype=float) * 1000.0 * 125.0).astype(np.int64)


class ExternalNeuron(StandardCellType):
    """Base of sources outside the chip's neuron circuits."""

    conductance_based = False
    injectable = False
    receptor_types = ()
    recordable = ["spikes"]
    units = {"spikes": "dimensionless"}

    def can_record(self, variable: str, location: Any = None) -> bool:
        """Tell whether a variable can be recorded: ``spikes`` only."""
        return variable in self.recordable


class SpikeSourceArray(ExternalNeuron, cells.SpikeSourceArray):
    """Spikes at given times.

    Parameters
    ----------
    spike_times : array_like, optional
        Times in ms of hardware time, of all sources or, as a list of several, of each.
    """

    receptor_types = ()
    recordable = ["spikes"]
    default_parameters = {"spike_times": ArrayParameter([])}
    translations = build_translations(("spike_times", "spike_times"))

    def trains(self) -> list[FloatArray]:
        """Return the spike times in ms of each source."""
        trains = self.parameter_space["spike_times"]
        return [np.asarray(train.value, dtype=float) for train in trains]


class SpikeSourcePoisson(ExternalNeuron, cells.SpikeSourcePoisson):
    """Spikes of Poisson processes, drawn once with numpy's global random numbers.

    They are drawn anew when parameters change.

    Parameters
    ----------
    start : float
        Begin in ms of hardware time.
    rate : float
        Rate in Hz of hardware time.
    duration : float
        In ms of hardware time.
    """

    receptor_types = ()
    recordable = ["spikes"]
    translations = build_translations(
        ("start", "start"), ("rate", "rate"), ("duration", "duration")
    )

    def __init__(self, start: Any, rate: Any, duration: Any) -> None:
        super().__init__(start=start, rate=rate, duration=duration)
        self._drawn: dict[int, tuple[tuple[float, ...], FloatArray]] = {}

    def trains(self) -> list[FloatArray]:
        """Return the spike times in ms of each source; not sorted."""
        space = self.parameter_space
        given = zip(space["start"], space["rate"], space["duration"], strict=True)
        for index, parameters in enumerate(given):
            if index not in self._drawn or self._drawn[index][0] != parameters:
                start, rate, duration = parameters
                # Of the whole number of expected spikes, as the vendor's.
                n = np.random.poisson(int(duration * (rate / 1000)))
                times = start + np.random.rand(n) * duration
                self._drawn[index] = (parameters, times)
        return [self._drawn[index][1] for index in range(len(space["rate"]))]


class SpikeSourcePoissonOnChip(ExternalNeuron):
    """Poisson processes of one of the chip's own generators.

    The generator sends an event in each of its periods with a probability of up to 1, and draws
    which of the population's sources it belongs to. Period and probability are rounded as the
    vendor rounds them: with periods of few clock cycles the rate differs from what is asked for,
    of one source at 1 MHz by half.

    Parameters
    ----------
    rate : float
        Rate of each source in Hz of hardware time, equal for all.
    seed : int
        Seed of the generator, equal for all.
    """

    default_parameters = {"rate": 1.0, "seed": 1}
    translations = build_translations(("rate", "rate"), ("seed", "seed"))

    def __init__(self, rate: Any, seed: Any) -> None:
        super().__init__(rate=rate, seed=seed)

    def generator(self) -> tuple[int, float, int]:
        """Return what the generator is set to.

        Returns
        -------
        period : int
            In clock cycles of 8 ns.
        probability : float
            Of an event in a period.
        seed : int

        Raises
        ------
        RuntimeError
            If its rate would be too high.
        ValueError
            If rates or seeds of the population differ, or the rate is not positive.
        """
        for name in ("rate", "seed"):
            values = np.asarray(self.parameter_space[name])
            if (values != values[0]).any():
                raise ValueError(
                    f"SpikeSourcePoissonOnChip: {name}={values.tolist()}, need the same for all "
                    "sources of a population: they share one generator"
                )
        rate = float(self.parameter_space["rate"][0])
        if not rate > 0.0:
            raise ValueError(f"SpikeSourcePoissonOnChip: rate={rate:g} Hz, need a rate > 0")
        total = rate * len(self.parameter_space["rate"])
        if total > limits.BACKGROUND_RATE_MAX_HZ:
            raise RuntimeError(
                "The chosen Poisson rate can not be realized on hardware. The product of rate and "
                f"number of neurons is {total:g} Hz, need at most "
                f"{limits.BACKGROUND_RATE_MAX_HZ:g} Hz"
            )
        # Registers of 8 and 16 bit (haldls, background.h).
        probability = (round(255 * total / limits.BACKGROUND_RATE_MAX_HZ) + 1) / 256
        period = round(limits.EVENT_CLOCK_HZ / total * probability)
        return min(max(period, 1), 2**16), probability, int(self.parameter_space["seed"][0])


class SpikeIOCell(ExternalNeuron):
    """Base of cells whose events come from or go to devices outside.

    Parameters
    ----------
    enable_internal_loopback : bool, optional
        Whether what is sent comes back.
    data_rate_scaler : int, optional
        Divisor of the data rate.
    label : list of int
        Label of each cell.

    Raises
    ------
    ValueError
        Without labels.
    """

    default_parameters = {"enable_internal_loopback": True, "data_rate_scaler": 1, "label": 0}
    translations = build_translations(
        ("enable_internal_loopback", "enable_internal_loopback"),
        ("data_rate_scaler", "data_rate_scaler"),
        ("label", "label"),
    )

    def __init__(
        self,
        *,
        enable_internal_loopback: bool = True,
        data_rate_scaler: int = 1,
        label: list[int] | None = None,
    ) -> None:
        if label is None or len(label) == 0:
            raise ValueError(f"{type(self).__name__}: label must be provided (one per neuron).")
        super().__init__(
            enable_internal_loopback=enable_internal_loopback,
            data_rate_scaler=data_rate_scaler,
            label=label,
        )


class OffChipSource(SpikeIOCell):
    """Events of a device outside; the emulation has none, so it is refused before a run."""
