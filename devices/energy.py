"""Energy and latency of writing and reading memristive devices.

An event costs the energy that the device is given (``e_set_pj``, ``e_reset_pj``, ``e_read_pj``) or,
where that is unknown, the Joule heat ``V²·G·t`` of a pulse of its voltage and duration. Peripheral
circuits are not included.
"""

import dataclasses
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from devices.memristor import Memristor

Event = Literal["set", "reset", "read"]


@dataclasses.dataclass(frozen=True)
class Cost:
    """Energy and latency of a number of events.

    Parameters
    ----------
    energy_pj : float
        Energy of all events, pJ.
    latency_ns_sequential : float
        Time they take one after another, ns.
    latency_ns_parallel : float
        Time they take if all devices are written and read side by side, ns.
    """

    energy_pj: float
    latency_ns_sequential: float
    latency_ns_parallel: float


def priced(device: Memristor, event: Event) -> bool:
    """Whether everything is known that `costs` needs for an event.

    Parameters
    ----------
    device : Memristor
        The device.
    event : {"set", "reset", "read"}
        Kind of event.

    Returns
    -------
    bool
        Whether its energy, or what it follows from, and its duration are known.
    """
    needed = {f"t_{event}_ns"}
    if getattr(device, f"e_{event}_pj") is None:
        needed |= {f"v_{event}", "g_max", "on_off_ratio"}
    return all(getattr(device, name) is not None for name in needed)


def costs(
    device: Memristor,
    n_set: npt.ArrayLike,
    n_reset: npt.ArrayLike,
    n_reads: npt.ArrayLike,
    conductance_us: npt.ArrayLike | None = None,
) -> Cost:
    """Return what events cost.

    Parameters
    ----------
    device : Memristor
        Its energies, voltages and durations are used; those of an event that does not occur may be
        unknown.
    n_set, n_reset, n_reads : array_like of int
        Pulses up, pulses down and reads of each device, >= 0; broadcast against each other.
    conductance_us : array_like of float or None, optional
        Conductance of each device in these events, µS, for the energies that are not given.
        Default: the middle of the device's nominal range.

    Returns
    -------
    Cost
        Sums over all devices.

    Raises
    ------
    devices.UnknownParameterError
        If a parameter is needed and unknown.
    ValueError
        If a number is negative.
    """
    counts = np.broadcast_arrays(
        *(np.asarray(n, dtype=np.float64) for n in (n_set, n_reset, n_reads))
    )
    energy_pj = 0.0
    duration_ns = np.zeros(counts[0].shape)
    for event, n in zip(get_args(Event), counts, strict=True):
        if not (n >= 0.0).all():
            raise ValueError(f"costs: {n[~(n >= 0.0)].flat[0]} {event} events, need a number >= 0")
        if n.any():
            energy_pj += float(np.sum(n * _event_pj(device, event, conductance_us)))
            duration_ns += n * device.known(f"t_{event}_ns", f"the latency of a {event}")
    return Cost(energy_pj, float(duration_ns.sum()), float(duration_ns.max(initial=0.0)))


def _event_pj(
    device: Memristor, event: str, conductance_us: npt.ArrayLike | None
) -> npt.NDArray[np.float64]:
    given = getattr(device, f"e_{event}_pj")
    if given is not None:
        return np.asarray(given)
    purpose = f"the energy of a {event} (e_{event}_pj is not given)"
    volts = device.known(f"v_{event}", purpose)
    duration_ns = device.known(f"t_{event}_ns", purpose)
    if conductance_us is None:
        ratio = device.known("on_off_ratio", purpose)
        conductance_us = device.known("g_max", purpose) * (1.0 + 1.0 / ratio) / 2.0
    # V² · µS · ns = 1e-15 J
    return volts**2 * np.asarray(conductance_us, dtype=np.float64) * duration_ns * 1e-3
