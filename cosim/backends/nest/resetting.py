"""Going back to time 0 in NEST, whose clock only goes on."""

from collections.abc import Iterable
from typing import Any

import numpy as np

_TIMES = frozenset({"start", "stop", "spike_times", "amplitude_times"})
# What depends on times, but need not change for silence.
_FOLLOWING = ("amplitude_times", "amplitude_values", "frequency", "phase")
# A threshold in mV that no potential reaches.
_OUT_OF_REACH = 1e6


class Silence:
    """Keeps a network from spiking while what is under way in it dies out.

    Spike and current sources are off, offset currents are 0, and the thresholds of
    integrate-and-fire neurons are out of reach.

    Parameters
    ----------
    populations : iterable of Population
        All populations.
    current_sources : iterable of NestCurrentSource
        All current sources.
    now : float
        NEST's time in ms.
    """

    def __init__(
        self, populations: Iterable[Any], current_sources: Iterable[Any], now: float
    ) -> None:
        self._saved: list[tuple[Any, list[dict[str, Any]]]] = []
        self._quiet = {"I_e": 0.0, "V_th": _OUT_OF_REACH, "spike_times": []}
        self._quiet |= {"start": now, "stop": now}
        for population in populations:
            self._add(getattr(population, "node_collection_source", population.node_collection))
        for source in current_sources:
            self._add(source._device)

    def _add(self, nodes: Any) -> None:
        status = nodes[0].get()
        quiet = {name: value for name, value in self._quiet.items() if name in status}
        if not status["model"].startswith("iaf"):
            quiet.pop("V_th", None)
        names = [*quiet, *(name for name in _FOLLOWING if name in status)]
        values = nodes.get(names)
        columns = [values[name] if len(nodes) > 1 else [values[name]] for name in names]
        self._saved.append(
            (nodes, [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])
        )
        nodes.set([quiet] * len(nodes))

    def end(self, shift: float) -> None:
        """Go back to what was, with all times later by `shift` ms."""
        for nodes, rows in self._saved:
            for row in rows:
                for name in _TIMES.intersection(row):
                    row[name] = np.asarray(row[name]) + shift
                if "phase" in row:
                    row["phase"] -= 360.0 * row["frequency"] * shift / 1000.0
            nodes.set(rows)
