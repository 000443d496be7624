import math

import pandas as pd
import pytest
from toys.behave import MODEL

from cosim import InputError, Sweep, jsonable, run_sweep, table
from cosim import sweep as sweep_module
from cosim.store import Store
from devices import Memristor


def test_points_are_the_product_with_seeds_fastest(toy_sweep):
    sweep = toy_sweep(
        axes={"device.on_off_ratio": [2, 10], "timestep": [0.1]},
        base={"duration_s": 0},
        seeds=range(1, 4),
        backends=["pyNN.mock", "nest"],
    )
    points = sweep.points()
    assert len(points) == 2 * 2 * 3
    assert [spec.seed for spec in points[:4]] == [1, 2, 3, 1]
    assert points[0].parameters == {"device.on_off_ratio": 2, "timestep": 0.1, "duration_s": 0}
    assert points[3].parameters["device.on_off_ratio"] == 10
    assert [spec.backend for spec in points] == ["pyNN.mock"] * 6 + ["nest"] * 6


def test_variants_vary_together(toy_sweep):
    sweep = toy_sweep(
        axes={"timestep": [0.1, 1.0]},
        variants={
            "analog": {"device.n_levels": None},
            "binary": {"device.n_levels": 2, "device.ideal": True},
        },
    )
    labels = [label for label, _ in sweep.labelled_points]
    assert labels == ["analog", "analog", "binary", "binary"]
    assert sweep.swept == ("timestep", "device.n_levels", "device.ideal")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "a/b"}, "sweep name 'a/b'"),
        ({"axes": {"timestep": []}}, "axis 'timestep': no values"),
        ({"axes": {"timestep": 0.1}}, "axis 'timestep': 0.1 is one value"),
        ({"axes": {"behaviour": "raise"}}, "is one value"),
        ({"backends": "nest"}, "backends: 'nest' is one value"),
        ({"seeds": []}, "seeds: no values"),
        ({"seeds": [0]}, "seed=0"),
        ({"seeds": [1, 1]}, "same point twice"),
        ({"axes": {"timestep": [1, 1.0]}}, "same point twice"),
        ({"axes": {"timestep": [1]}, "base": {"timestep": 1}}, "timestep is set in both base and"),
        (
            {"axes": {"timestep": [1]}, "variants": {"a": {"timestep": 1}}},
            "set in both axes and variants",
        ),
    ],
)
def test_refused_when_described(toy_sweep, fields, message):
    with pytest.raises(InputError, match=message):
        toy_sweep(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"axes": {"device.on_of_ratio": [2]}}, "unknown parameter 'device.on_of_ratio'"),
        ({"axes": {"device.on_off_ratio": [2, "high"]}}, "'high' is a str, need float"),
        ({"axes": {"device.on_off_ratio": [2, 0.5]}}, "on_off_ratio=0.5, need > 1"),
        ({"variants": {"a": {"nothing": 1}}}, "unknown parameter 'nothing'"),
        ({"backends": ["pyNN.mock", "no_such"]}, "unknown backend 'no_such'"),
        ({"model": "no.such"}, "unknown model"),
    ],
)
def test_bad_input_stops_before_anything_runs(toy_sweep, tmp_path, fields, message):
    journal = tmp_path / "journal"
    with pytest.raises(InputError, match=message):
        run_sweep(toy_sweep(base={"journal": str(journal)}, **fields), tmp_path / "results")
    assert not journal.exists()
    assert not (tmp_path / "results").exists()


def test_unwritable_results_folder_stops_before_anything_runs(toy_sweep, tmp_path, not_a_folder):
    journal = tmp_path / "journal"
    with pytest.raises(InputError, match="not writable"):
        run_sweep(toy_sweep(base={"journal": str(journal)}), not_a_folder)
    assert not journal.exists()


def test_jobs_must_be_positive(toy_sweep, tmp_path):
    with pytest.raises(InputError, match="jobs=0"):
        run_sweep(toy_sweep(), tmp_path, jobs=0)


def test_parameter_with_the_name_of_a_column(monkeypatch, toy_sweep):
    monkeypatch.setattr(sweep_module, "RESERVED_COLUMNS", frozenset({"timestep"}))
    with pytest.raises(InputError, match="timestep is also a column"):
        toy_sweep(axes={"timestep": [0.1]}).validate()


def test_table_has_typed_columns_and_survives_parquet(toy_sweep, tmp_path):
    sweep = Sweep(
        "types",
        MODEL,
        axes={
            "device.on_off_ratio": [2, math.inf],
            "device.n_levels": [None, 16],
            "device.ideal": [False, True],
            "behaviour": ["succeed"],
            "sequences": [[["A"]], [["A", "B"], ["C"]]],
        },
        seeds=[1],
        backends=["pyNN.mock"],
    )
    records = [None] * len(sweep.points())
    frame = table.build(sweep, records)
    assert len(frame) == 16
    assert frame["point"].is_unique
    assert set(frame["status"]) == {"pending"}
    assert set(frame["device.on_off_ratio"]) == {2.0, math.inf}
    assert frame["device.n_levels"].dtype == "Int64"
    assert frame["device.ideal"].dtype == bool
    assert set(frame["sequences"]) == {'[["A"]]', '[["A","B"],["C"]]'}
    store = Store(tmp_path, "types")
    store.prepare()
    table.write(frame, sweep, records, store.folder)
    pd.testing.assert_frame_equal(pd.read_parquet(store.folder / "results.parquet"), frame)
    assert len(pd.read_csv(store.folder / "results.csv")) == 16


def test_table_gives_the_default_where_a_variant_sets_nothing(toy_sweep):
    sweep = toy_sweep(variants={"ideal": {"device.on_off_ratio": 1e6}, "real": {}})
    frame = table.build(sweep, [None, None])
    assert list(frame["variant"]) == ["ideal", "real"]
    assert list(frame["device.on_off_ratio"]) == [1e6, 10.0]


def test_devices_as_an_axis_by_name_and_as_instances():
    own = Memristor(n_levels=4)
    sweep = Sweep(
        "devices",
        "sequence_learning",
        axes={"device": ["jo2010", own]},
        base={"device.unknown_is_off": True},
        seeds=[1],
    )
    sweep.validate()
    assert sweep.swept == ("device", "device.n_levels")
    assert jsonable.loads(jsonable.dumps(sweep.describe()))["axes"] == {
        "device": ["jo2010", {"device": "default", "device.n_levels": 4}]
    }
    frame = table.build(sweep, [None, None])
    assert list(frame["device"]) == ["jo2010", "default"]
    assert frame["device.n_levels"].isna().tolist() == [True, False]
