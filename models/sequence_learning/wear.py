"""What learning costs the devices: writes, and modelled energy."""

from typing import Any

import numpy as np

from devices import Memristor
from devices.energy import costs, priced


def wear(projection: Any, device: Memristor) -> dict[str, float]:
    """Return writes per device and the energy of writes and reads.

    Parameters
    ----------
    projection : Projection
        Plastic synapses after a run.
    device : Memristor
        Their device.

    Returns
    -------
    dict of float
        If writes are counted, which a finite endurance or known write energies make them:
        `writes_per_device`, `most_writes_of_a_device`. If what they cost is known:
        `write_energy_nj` (all devices, the whole run), likewise `read_energy_nj`, one read per
        presynaptic spike. Energies are modelled, see `devices.energy`, without peripheral
        circuits.
    """
    metrics: dict[str, float] = {}
    if projection.synapse_type.counts_writes:
        n_set, n_reset = _read(projection, "n_set"), _read(projection, "n_reset")
        metrics["writes_per_device"] = float(np.mean(n_set + n_reset))
        metrics["most_writes_of_a_device"] = float(np.max(n_set + n_reset))
        if priced(device, "set") and priced(device, "reset"):
            metrics["write_energy_nj"] = costs(device, n_set, n_reset, 0).energy_pj / 1e3
    if priced(device, "read"):
        reads = _read(projection, "n_spikes")
        metrics["read_energy_nj"] = costs(device, 0, 0, reads).energy_pj / 1e3
    return metrics


def _read(projection: Any, name: str) -> np.ndarray:
    return np.array(projection.get(name, format="list", with_address=False), dtype=np.float64)
