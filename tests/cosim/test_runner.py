import math

import numpy as np
import pytest

import cosim
from cosim import InputError, RunRecord, RunSpec


def test_done_record(toy_spec):
    fractions = []
    spec = toy_spec(seed=3, **{"device.on_off_ratio": 4, "duration_s": 0.05})
    record = cosim.run(spec, fractions.append)
    assert record.status == "done" and record.error is None and record.traceback is None
    assert record.spec == spec
    assert record.metrics["score"] == 12.0
    assert math.isnan(record.metrics["latency"])
    assert record.parameters["device.on_off_ratio"] == 4.0
    assert record.parameters["device.n_levels"] is None
    assert record.parameters["sequences"] == (("A", "B"),)
    np.testing.assert_array_equal(record.arrays["spikes"], [0, 1, 2])
    assert fractions and all(0 <= fraction <= 1 for fraction in fractions)
    assert record.wall_s >= 0.05
    assert record.cpu_s >= 0
    # More than a bare interpreter, less than any machine: catches a wrong unit.
    assert 10 < record.peak_rss_mb < 100_000


def test_provenance(toy_spec, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    origin = cosim.run(toy_spec()).provenance
    assert {"python", "cosim", "numpy", "pyNN"} <= origin["versions"].keys()
    assert origin["slurm"] == {"SLURM_JOB_ID": "42"}
    assert origin["host"] and origin["cpu"] and origin["platform"]
    assert origin["git"] is None or origin["git"].keys() == {"sha", "dirty"}


def test_failure_is_recorded_with_its_traceback(toy_spec):
    record = cosim.run(toy_spec(behaviour="raise"))
    assert record.status == "failed"
    assert record.error == "RuntimeError: told to raise"
    assert "in simulate" in record.traceback and "in two lines" in record.traceback
    assert record.metrics == {}


def test_nan_is_an_error_unless_the_model_allows_it(toy_spec):
    record = cosim.run(toy_spec(behaviour="nan"))
    assert record.status == "failed"
    assert "metrics score are NaN" in record.error
    assert math.isnan(record.metrics["score"])


def test_metric_with_the_name_of_a_column(toy_spec):
    record = cosim.run(toy_spec(behaviour="clash"))
    assert record.status == "failed"
    assert "metric 'wall_s'" in record.error


@pytest.mark.parametrize("spec", [RunSpec("toys.behave", "no.such"), RunSpec("no.such")])
def test_input_errors_are_raised(spec):
    with pytest.raises(InputError):
        cosim.run(spec)


@pytest.mark.parametrize("behaviour", ["succeed", "raise", "nan"])
def test_record_round_trip(toy_spec, behaviour):
    record = cosim.run(toy_spec(behaviour=behaviour))
    back = RunRecord.from_json(record.to_json())
    assert back.to_json() == record.to_json()
    assert back.parameters == record.parameters
    assert back.array_names == record.array_names
    assert math.isnan(back.metrics["latency"]) if back.metrics else behaviour == "raise"
