"""What a backend declares, and that it refuses the rest."""

import inspect
from dataclasses import fields

import pytest

from cosim.backends import Capabilities
from cosim.backends.checks import field_of, standard_types
from cosim.testing.backend.base import Contract, Simulator, connect, source, spikes, values

_API = (
    "setup", "end", "run", "run_for", "run_until", "reset", "initialize", "create", "connect",
    "get_current_time", "get_time_step", "get_min_delay", "get_max_delay", "num_processes", "rank",
    "Population", "PopulationView", "Assembly", "Projection",
    "AllToAllConnector", "ArrayConnector", "CloneConnector",
    "DisplacementDependentProbabilityConnector", "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector", "FixedNumberPreConnector", "FixedProbabilityConnector",
    "FixedTotalNumberConnector", "FromFileConnector", "FromListConnector",
    "IndexBasedProbabilityConnector", "OneToOneConnector", "SmallWorldConnector",
)  # fmt: skip


class CapabilitiesContract(Contract):
    """`capabilities` tells the truth, and what is lacking is an error before the run."""

    def test_declaration(self, sim: Simulator) -> None:
        """A frozen `Capabilities` with a name and no unknown types."""
        declared = sim.capabilities
        assert isinstance(declared, Capabilities)
        assert declared.name
        for field in fields(declared):
            if field.type == frozenset[str]:
                names = getattr(declared, field.name)
                expected = {n for n, k in standard_types().items() if field_of(k) == field.name}
                assert names <= expected

    @pytest.mark.parametrize("name", _API)
    def test_interface(self, sim: Simulator, name: str) -> None:
        """Everything that PyNN's interface has, however little the backend can do."""
        assert callable(getattr(sim.module, name))

    @pytest.mark.parametrize("name", sorted(standard_types()))
    def test_standard_type(self, sim: Simulator, name: str) -> None:
        """It is there, or the error names it, the backend and what to use instead."""
        if name in getattr(sim.capabilities, field_of(standard_types()[name])):
            found = getattr(sim.module, name)
            assert inspect.isclass(found)
            assert issubclass(found, standard_types()[name])
        else:
            with pytest.raises(AttributeError) as caught:
                getattr(sim.module, name)
            for part in (name, repr(sim.capabilities.name), "use "):
                assert part in str(caught.value)

    def test_other_names_are_unknown(self, sim: Simulator) -> None:
        """As in any module."""
        assert not hasattr(sim.module, "no_such_name")

    def test_threads(self, sim: Simulator) -> None:
        """Results do not depend on their number; more than one is refused if not declared."""
        found = []
        for threads in (1, 2):
            if threads == 2 and not sim.capabilities.threads:
                with pytest.raises(ValueError, match="threads"):
                    sim.setup(threads=threads)
                return
            sim.setup(threads=threads)
            cells = sim.Population(4, sim.IF_curr_exp(i_offset=[0.5, 1.0, 1.5, 2.0]))
            made = connect(sim, cells, cells, 0.5, connector=sim.FixedProbabilityConnector(0.5))
            cells.record("spikes")
            sim.run(40.0)
            found.append((spikes(cells), values(made, "weight").tolist()))
        assert found[0] == found[1]

    def test_spikes_between_time_steps(self, sim: Simulator) -> None:
        """Kept if declared, refused if not."""
        if not sim.capabilities.off_grid_spikes:
            with pytest.raises(ValueError, match="spike_precision"):
                sim.setup(spike_precision="off_grid")
            return
        sim.setup(spike_precision="off_grid")
        sources = source(sim, [0.075, 2.34])
        sources.record("spikes")
        sim.run(5.0)
        train = sources.get_data().segments[0].spiketrains[0]
        assert train.magnitude.tolist() == pytest.approx([0.075, 2.34], abs=1e-12)

    def test_the_time_grid_is_the_default(self, sim: Simulator) -> None:
        """Also where spikes could lie between time steps."""
        sim.setup()
        cells = sim.Population(1, sim.IF_curr_exp(i_offset=1.234))
        cells.record("spikes")
        sim.run(50.0)
        assert spikes(cells)[0]
