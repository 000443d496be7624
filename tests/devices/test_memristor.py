import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from devices import Memristor


def test_every_effect_is_off_by_default():
    device = Memristor()
    assert device.ideal
    assert device.on_off_ratio == math.inf
    assert device.n_levels is None


@pytest.mark.parametrize(
    "effect",
    [
        {"on_off_ratio": 10.0},
        {"n_levels": 2},
        {"sigma_d2d_g_max": 0.1},
        {"sigma_d2d_g_min": 0.1},
        {"sigma_c2c": 0.1},
        {"sigma_read": 0.1},
        {"stuck_on": 0.1},
        {"stuck_off": 0.1},
    ],
)
def test_any_effect_makes_the_device_non_ideal(effect):
    assert not Memristor(**effect).ideal


def test_the_carrier_of_absent_noise_is_no_effect():
    assert Memristor(c2c_event="pre_spike").ideal


@pytest.mark.parametrize(
    ("name", "value", "need"),
    [
        ("on_off_ratio", 1.0, "> 1"),
        ("on_off_ratio", 0.5, "> 1"),
        ("on_off_ratio", -math.inf, "> 1"),
        ("on_off_ratio", math.nan, "> 1"),
        ("on_off_ratio", True, "> 1"),
        ("on_off_ratio", "10", "> 1"),
        ("n_levels", 1, "an integer >= 2, or None for a continuous device"),
        ("n_levels", 0, "an integer >= 2"),
        ("n_levels", -4, "an integer >= 2"),
        ("n_levels", 4.0, "an integer >= 2"),
        ("n_levels", math.inf, "an integer >= 2"),
        ("n_levels", True, "an integer >= 2"),
        ("n_levels", "4", "an integer >= 2"),
        ("c2c_event", "read", "'write' or 'pre_spike'"),
        ("c2c_event", None, "'write' or 'pre_spike'"),
        *(
            (name, value, "a finite number >= 0")
            for name in ("sigma_d2d_g_max", "sigma_d2d_g_min", "sigma_c2c", "sigma_read")
            for value in (-0.1, math.nan, math.inf, True, "0.1", 1j)
        ),
        *(
            (name, value, r"a fraction of the devices in \[0, 1\]")
            for name in ("stuck_on", "stuck_off")
            for value in (-0.1, 1.1, math.nan, True)
        ),
    ],
)
def test_bad_value_is_refused_by_name_value_and_limit(name, value, need):
    with pytest.raises(ValueError, match=f"^Memristor: {name}=.*, need .*{need}") as error:
        Memristor(**{name: value})
    assert repr(value) in str(error.value)


def test_stuck_fractions_add_up_to_at_most_one():
    Memristor(stuck_on=0.4, stuck_off=0.6)
    with pytest.raises(
        ValueError,
        match=r"stuck_on \+ stuck_off \+ stuck_random = 1\.25, need <= 1: lower stuck_on",
    ):
        Memristor(stuck_on=0.5, stuck_off=0.75)


def test_parameters_are_keyword_only_and_frozen():
    with pytest.raises(TypeError):
        Memristor(10.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Memristor().n_levels = 4


def test_equal_devices_have_equal_hashes_and_json_whatever_their_numeric_types():
    plain = Memristor(on_off_ratio=10.0, n_levels=4, sigma_c2c=0.0, stuck_on=1.0)
    other = Memristor(on_off_ratio=10, n_levels=np.int64(4), sigma_c2c=0, stuck_on=np.float32(1))
    assert plain == other
    assert hash(plain) == hash(other)
    assert json.dumps(dataclasses.asdict(plain)) == json.dumps(dataclasses.asdict(other))


def test_import_needs_numpy_only():
    code = (
        "import sys; import numpy; before = set(sys.modules); import devices; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - set(sys.stdlib_module_names) - {'numpy', 'devices'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
