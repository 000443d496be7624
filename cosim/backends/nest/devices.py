"""NEST's recording devices, read as arrays."""

import numpy as np
from pyNN.nest import simulator
from pyNN.nest.recording import Multimeter as PyNNMultimeter
from pyNN.nest.recording import SpikeDetector as PyNNSpikeDetector

#: Times in ms that differ by less are the same time.
ROUNDING = 1e-9


class _Events:
    """What a device has recorded.

    NEST is one minimal delay ahead of PyNN's clock, so it holds more than PyNN may see yet. What
    that is must survive when recorded data are cleared.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, np.ndarray] = {}

    def between(self, start: float, stop: float) -> dict[str, np.ndarray]:
        """Return the events of an interval of PyNN's time in ms, both ends included.

        Parameters
        ----------
        start, stop : float
            Limits of the interval.

        Returns
        -------
        dict of str to numpy.ndarray
            ``times`` in PyNN's time, ``senders`` and the recorded variables, all of shape (n,);
            those of each sender are sorted by time.
        """
        events = self._all()
        times = events["times"] - simulator.state._time_offset
        inside = (times > start - ROUNDING) & (times < stop + ROUNDING)
        inside_times = np.minimum(times[inside], stop)
        return {**{name: values[inside] for name, values in events.items()}, "times": inside_times}

    def clear(self) -> None:
        """Forget what is older than PyNN's present time."""
        events = self._all()
        now = simulator.state.t + simulator.state._time_offset
        later = events["times"] > now - ROUNDING
        self._kept = {name: values[later] for name, values in events.items()}
        self.device.n_events = 0  # type: ignore[attr-defined]

    def _all(self) -> dict[str, np.ndarray]:
        events = self.device.get("events")  # type: ignore[attr-defined]
        if not self._kept:
            return events
        return {name: np.concatenate([self._kept[name], events[name]]) for name in events}


class SpikeDetector(_Events, PyNNSpikeDetector):
    """Records spikes."""


class Multimeter(_Events, PyNNMultimeter):
    """Records analog variables."""
