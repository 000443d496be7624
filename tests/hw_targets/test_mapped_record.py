"""What the chip had to change is kept in the record of a run."""

from pathlib import Path

import pytest

import cosim
from cosim.record import RunRecord


@pytest.fixture(autouse=True)
def _toys(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "toys"))


def test_the_record_has_the_mapping_report():
    record = cosim.run(cosim.RunSpec("chip_toys.mapped", "brainscales2", seed=3))
    assert record.status == "done", record.error
    again = RunRecord.from_json(record.to_json())
    for found in (record, again):
        (projection,) = found.mapping["projections"]
        assert projection["label"] == "ff"
        assert projection["n_delays"] == 6


def test_a_simulator_has_none():
    record = cosim.run(cosim.RunSpec("chip_toys.mapped", "nest", seed=3))
    assert record.status == "done", record.error
    assert record.mapping is None
    assert RunRecord.from_json(record.to_json()).mapping is None
