import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Memristor, Update, files
from devices.presets import preset, presets


@pytest.fixture
def path(tmp_path):
    return tmp_path / "device.json"


@pytest.mark.parametrize("name", presets())
def test_presets_come_back(path, name):
    device = preset(name).device
    files.save(device, path)
    assert files.load(path) == device


@given(
    on_off_ratio=st.none() | st.just(math.inf) | st.floats(1.5, 1e9),
    sigma=st.none() | st.floats(0, 1),
    endurance=st.none() | st.just(math.inf) | st.floats(1, 1e12),
    levels=st.sampled_from([(), (0.0, 0.3, 1.0)]),
    update=st.sampled_from(
        [
            Update(),
            Update(law="linear", step_up=0.1, step_down=0.2, slope_up=-1.5),
            Update(law="piecewise", step_up=0.1, step_down=0.2, nodes_up=(1, 2), nodes_down=(2, 1)),
        ]
    ),
)
def test_any_device_comes_back(tmp_path_factory, on_off_ratio, sigma, endurance, levels, update):
    device = Memristor(
        on_off_ratio=on_off_ratio,
        sigma_read=sigma,
        endurance=endurance,
        level_means=levels,
        d2d_truncation=3.0,
        update=update,
    )
    path = tmp_path_factory.mktemp("devices") / "device.json"
    files.save(device, path)
    assert files.load(path) == device


def test_file_is_strict_json_with_what_differs(path):
    files.save(Memristor(endurance=None, on_off_ratio=10, d2d_truncation=2), path)

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(path.read_text(), parse_constant=refuse)
    assert content == {
        "schema": 1,
        "device": {"endurance": None, "on_off_ratio": 10.0, "d2d_truncation": 2.0},
    }
    path.write_text('{"schema": 1, "device": {"endurance": {"__float__": "inf"}}}')
    assert files.load(path) == Memristor()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ("[]", 'need an object with "schema" and "device"'),
        ('{"schema": 9, "device": {}}', "schema 9, this version reads 1"),
        ('{"schema": 1, "device": []}', r"device: \[\], need an object"),
        ('{"schema": 1, "device": {"g_mx": 1}}', "device.g_mx is unknown: fields are"),
        ('{"schema": 1, "device": {"update": {"lw": 1}}}', "device.update.lw is unknown"),
        ('{"schema": 1, "device": {"update": null}}', "device.update: None, need an object"),
        ('{"schema": 1, "device": {"g_max": 1, "g_max": 2}}', "field 'g_max' is given twice"),
        ('{"schema": 1, "device": {"endurance": Infinity}}', "Infinity is not JSON"),
        ('{"schema": 1, "device": {"endurance": {"__float__": "nan"}}}', 'need "inf" or "-inf"'),
        ('{"schema": 1, "device": {"sigma_c2c": -1}}', "sigma_c2c=-1"),
        ('{"schema": 1, "device": {"sigma_c2c": "much"}}', "sigma_c2c='much'"),
        ('{"schema": 1, "device": {"update": {"law": "linear"}}}', "Update: step_up=None"),
    ],
)
def test_refused_files_are_named_with_the_field(path, text, message):
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        files.load(path)
    assert str(caught.value).startswith(str(path))


def test_missing_file(path):
    with pytest.raises(OSError):
        files.load(path)
