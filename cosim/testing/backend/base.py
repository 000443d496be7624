"""What the tests of all topics share."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

from cosim.backends import Capabilities, backend
from cosim.backends.checks import field_of, standard_types

#: Time step in ms of all tests that do not say otherwise.
H = 0.1


class Simulator:
    """A backend's module as the tests see it.

    Asking for a standard type that its capabilities exclude skips the test.

    Parameters
    ----------
    module : module
        With the PyNN API and ``capabilities``.
    options : mapping of str to object
        Keyword arguments for every `setup`.
    """

    def __init__(self, module: ModuleType, options: Mapping[str, Any]) -> None:
        self.module = module
        self.capabilities: Capabilities = module.capabilities
        self._options = options

    def __getattr__(self, name: str) -> Any:
        kind = standard_types().get(name)
        if kind is not None:
            field = field_of(kind)
            if name not in getattr(self.capabilities, field):
                self._skip(f"{name} in capabilities.{field}")
        return getattr(self.module, name)

    def setup(self, timestep: float = H, min_delay: float | str = "auto", **options: Any) -> int:
        """Start a new simulation."""
        return int(self.module.setup(timestep, min_delay, **{**self._options, **options}))

    def need(self, flag: str) -> None:
        """Skip the test unless the backend has a capability that is a field of its own."""
        if not getattr(self.capabilities, flag):
            self._skip(f"capabilities.{flag}")

    def _skip(self, capability: str) -> None:
        pytest.skip(f"backend {self.capabilities.name!r} declares no {capability}")


class Contract:
    """Base of the contract's topics."""

    backend: ClassVar[str]
    setup_options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def sim(self) -> Simulator:
        """Return the backend's module."""
        return Simulator(backend(self.backend), self.setup_options)


def steps(times: Any, h: float = H) -> list[int]:
    """Return times in ms as numbers of time steps; they must lie on the time grid."""
    exact = np.asarray(getattr(times, "magnitude", times), float) / h
    rounded = np.rint(exact)
    np.testing.assert_allclose(exact, rounded, rtol=0, atol=1e-6)
    return [int(step) for step in rounded]


def spikes(cells: Any, segment: int = -1, h: float = H) -> list[list[int]]:
    """Return the time steps of the recorded spikes of each recorded cell."""
    trains = cells.get_data("spikes").segments[segment].spiketrains
    return [sorted(steps(train, h)) for train in trains]


def signal(cells: Any, name: str = "v", segment: int = -1) -> np.ndarray:
    """Return the samples of a recorded variable, of shape (n_samples, n_cells)."""
    (found,) = cells.get_data(name).segments[segment].filter(name=name)
    return np.asarray(found.magnitude)


def resting(sim: Any, size: int = 1, **parameters: Any) -> Any:
    """Make IF_curr_exp cells that rest at 0 mV and have a threshold far away."""
    cell = {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1000.0, "cm": 0.5, "tau_m": 20.0}
    cells = sim.Population(size, sim.IF_curr_exp(**(cell | parameters)))
    cells.initialize(v=0.0)
    cells.record("v")
    return cells


def jumping(sim: Any, size: int = 1, **parameters: Any) -> Any:
    """Make IF_curr_delta cells that rest at 0 mV and have a threshold far away."""
    cell = {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1000.0}
    cells = sim.Population(size, sim.IF_curr_delta(**(cell | parameters)))
    cells.initialize(v=0.0)
    cells.record(["v", "spikes"])
    return cells


def source(sim: Any, times: Any, size: int = 1) -> Any:
    """Make spike sources; `times` in ms are those of all or a list for each."""
    return sim.Population(size, sim.SpikeSourceArray(spike_times=times))


def connect(
    sim: Any,
    pre: Any,
    post: Any,
    weight: Any,
    delay: Any = 1.0,
    receptor: str = "excitatory",
    connector: Any = None,
    label: str | None = None,
) -> Any:
    """Connect with static synapses, all to all unless there is a connector."""
    return sim.Projection(
        pre,
        post,
        connector or sim.AllToAllConnector(),
        sim.StaticSynapse(weight=weight, delay=delay),
        receptor_type=receptor,
        label=label,
    )


def values(projection: Any, *names: str) -> np.ndarray:
    """Return variables of all connections as columns, shape (n, len(names)), without addresses."""
    return np.array(projection.get(list(names), format="list", with_address=False))
