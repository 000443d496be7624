"""Set-up and control of a simulation."""

import numpy as np
import pytest

from cosim.testing.backend.base import Contract, Simulator, connect, signal, source, spikes


class ControlContract(Contract):
    """`setup`, `run`, `run_until`, `run_for`, callbacks, seeds, `end`."""

    @pytest.mark.parametrize("min_delay", ["auto", 0.1, 1.0])
    def test_time_goes_on_as_far_as_asked(self, sim: Simulator, min_delay: float | str) -> None:
        """To the time step, whatever the delays are; samples come with it."""
        sim.need("interactive")
        sim.setup(min_delay=min_delay)
        cells = sim.Population(2, sim.IF_curr_exp())
        connect(sim, cells, cells, 0.1, delay=1.5)
        cells.record("v")
        for call, argument, expected in (
            (sim.run, 10.0, 10.0), (sim.run_until, 12.3, 12.3), (sim.run_until, 12.3, 12.3),
            (sim.run_for, 0.7, 13.0), (sim.run, 0.0, 13.0),
        ):  # fmt: skip
            assert call(argument) == pytest.approx(expected, abs=1e-9)
            assert sim.get_current_time() == pytest.approx(expected, abs=1e-9)
        assert signal(cells).shape == (131, 2)

    def test_the_past_is_refused(self, sim: Simulator) -> None:
        """`run_until` a time that has gone by is an error."""
        sim.setup()
        sim.Population(1, sim.IF_curr_exp())
        sim.run_until(5.0)
        with pytest.raises(ValueError, match="past"):
            sim.run_until(4.0)

    def test_callbacks(self, sim: Simulator) -> None:
        """A callback is called at time 0 and whenever it asked to be, the end included."""
        sim.need("interactive")
        sim.setup()
        sim.Population(1, sim.IF_curr_exp())
        seen = []

        def callback(t: float) -> float:
            seen.append(round(t, 6))
            return t + 2.5

        sim.run_until(10.0, callbacks=[callback])
        assert seen == [0.0, 2.5, 5.0, 7.5, 10.0]

    @pytest.mark.parametrize("timestep", [0.05, 0.1, 1.0])
    def test_time_step_and_delays(self, sim: Simulator, timestep: float) -> None:
        """What `setup` was told can be asked for."""
        sim.setup(timestep=timestep, min_delay=2.0, max_delay=20.0)
        assert sim.get_time_step() == pytest.approx(timestep, rel=1e-12)
        assert sim.get_min_delay() == pytest.approx(2.0, rel=1e-12)
        assert sim.get_max_delay() == pytest.approx(20.0, rel=1e-12)
        assert sim.get_current_time() == 0.0
        assert (sim.num_processes(), sim.rank()) == (1, 0)

    def test_a_synapse_without_a_delay_gets_the_smallest(self, sim: Simulator) -> None:
        """The time step, or ``min_delay``, whatever else is connected already."""
        for min_delay, expected in (("auto", 0.1), (1.0, 1.0)):
            sim.setup(min_delay=min_delay)
            cells = sim.Population(2, sim.IF_curr_exp())
            connect(sim, cells, cells, 0.1, delay=3.0)
            made = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse())
            found = made.get("delay", format="list", with_address=False)
            np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_setup_starts_anew(self, sim: Simulator) -> None:
        """Nothing is left of an earlier simulation."""
        for _ in range(2):
            sim.setup()
            assert sim.get_current_time() == 0.0
            cells = sim.Population(1, sim.IF_curr_exp(i_offset=2.0))
            cells.record(["spikes", "v"])
            sim.run(50.0)
            data = cells.get_data()
            assert len(data.segments) == 1
            assert signal(cells).shape == (501, 1)
            found = spikes(cells)
            sim.end()
            assert len(found[0]) > 1

    def test_pieces_of_a_run_make_up_the_whole(self, sim: Simulator) -> None:
        """``run(x + y)`` is ``run(x)`` and ``run(y)``, to the last digit."""
        sim.need("interactive")
        found = []
        for stops in ([40.0], [0.1, 12.3, 20.0, 20.1, 33.7, 40.0]):
            sim.setup()
            inputs = source(sim, [np.arange(0.3 * k, 40.0, 1.7 * k).tolist() for k in (1, 2, 3)], 3)
            cells = sim.Population(4, sim.IF_curr_exp(tau_refrac=1.0))
            connect(sim, inputs, cells, np.outer([1, 1, 1], [2.0, 1.0, 3.0, 1.5]), delay=1.3)
            connect(sim, cells, cells, 0.5, delay=2.7)
            cells.record(["v", "spikes"])
            for stop in stops:
                sim.run_until(stop)
            found.append((signal(cells), spikes(cells)))
        (whole, whole_spikes), (pieces, pieces_spikes) = found
        assert sum(map(len, whole_spikes)) > 3
        assert pieces_spikes == whole_spikes
        np.testing.assert_allclose(pieces, whole, rtol=1e-13)

    def test_the_seed_decides(self, sim: Simulator) -> None:
        """Equal seeds give equal runs; other seeds other spikes, noise and connections."""
        found = []
        for seed in (1, 1, 2):
            sim.setup(rng_seed=seed)
            noise = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0))
            noise.record("spikes")
            cells = sim.Population(20, sim.IF_curr_exp())
            made = connect(
                sim, noise, cells, 1.0, connector=sim.FixedProbabilityConnector(0.3), label="c"
            )
            cells.inject(sim.NoisyCurrentSource(mean=0.1, stdev=0.1, start=1.0, stop=40.0, dt=0.1))
            cells.record("v")
            sim.run(50.0)
            pairs = [tuple(row[:2]) for row in made.get("weight", format="list")]
            found.append((spikes(noise), pairs, signal(cells)))
        first, same, other = found
        assert first[:2] == same[:2]
        np.testing.assert_array_equal(first[2], same[2])
        for one, two in zip(first[:2], other[:2], strict=True):
            assert one != two
        assert not np.allclose(first[2][-1], other[2][-1])

    def test_equal_scripts_make_equal_networks(self, sim: Simulator) -> None:
        """Also without labels, whatever ran before in the same process."""
        found = []
        for _ in range(2):
            sim.setup()
            cells = sim.Population(10, sim.IF_curr_exp())
            made = connect(sim, cells, cells, 0.5, connector=sim.FixedProbabilityConnector(0.3))
            found.append(made.get("weight", format="list"))
        assert found[0] == found[1]

    def test_procedural_interface(self, sim: Simulator) -> None:
        """`create`, `connect` and `initialize` do what the classes do."""
        sim.setup()
        cells = sim.create(sim.IF_curr_exp(v_rest=0.0, v_thresh=1000.0), n=2)
        inputs = sim.create(sim.SpikeSourceArray(spike_times=[1.0]))
        made = sim.connect(inputs, cells, weight=0.2, delay=1.0, receptor_type="excitatory")
        sim.initialize(cells, v=0.0)
        cells.record("v")
        sim.run(5.0)
        assert len(made) == 2
        assert signal(cells)[-1, 0] == signal(cells)[-1, 1] > 0.1

    def test_data_are_written_at_the_end(self, sim: Simulator, tmp_path: object) -> None:
        """`record` with a file writes at `end`, `write_data` at once; both the same."""
        from neo.io import get_io

        sim.setup()
        cells = sim.Population(3, sim.IF_curr_exp(i_offset=0.2))
        cells.record("v", to_file=f"{tmp_path}/end.pkl")
        sim.run(2.0)
        cells.write_data(f"{tmp_path}/now.pkl")
        sim.end()
        for name in ("now", "end"):
            (block,) = get_io(f"{tmp_path}/{name}.pkl").read()
            found = np.asarray(block.segments[0].analogsignals[0].magnitude)
            assert found.shape == (21, 3)
            assert (np.diff(found[:, 0]) > 0).all()

    def test_spikes_of_a_source_drive_at_every_step(self, sim: Simulator) -> None:
        """No decimal number is taken for a neighbouring time step."""
        sim.setup()
        steps = np.arange(1, 2000)
        inputs = source(sim, (0.1 * steps).tolist())
        inputs.record("spikes")
        sim.run(200.0)
        assert spikes(inputs) == [steps.tolist()]
