import copy
import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys.behave import MODEL, Device

from cosim import InputError, RunSpec, resolve
from cosim.parameters import override
from devices import Memristor, Update

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
specs = st.builds(
    RunSpec,
    model=st.text(min_size=1, max_size=8),
    backend=st.text(min_size=1, max_size=8),
    parameters=st.dictionaries(st.text(max_size=8), values, max_size=4),
    seed=st.integers(1, 2**32 - 1),
    threads=st.integers(1, 64),
)


def refuse_constant(name):
    raise AssertionError(f"{name} is not JSON")


@given(specs)
def test_json_round_trip_keeps_content_and_id(spec):
    text = spec.to_json()
    json.loads(text, parse_constant=refuse_constant)
    back = RunSpec.from_json(text)
    assert back == spec
    assert hash(back) == hash(spec)
    assert back.id == spec.id
    assert repr(back.parameters) == repr(spec.parameters)


@given(specs)
def test_copies_are_equal(spec):
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert copy.deepcopy(spec) == spec


@given(st.integers(-(2**53), 2**53))
def test_equal_numbers_have_equal_ids(number):
    ids = {
        RunSpec("m", parameters={"a": form(number)}).id
        for form in (int, float, np.int64, np.float64, lambda n: np.array(n))
    }
    assert len(ids) == 1


def test_id_distinguishes_what_can_change_the_result():
    ids = [
        RunSpec("m").id,
        RunSpec("n").id,
        RunSpec("m", "brian2").id,
        RunSpec("m", seed=2).id,
        RunSpec("m", threads=2).id,
        *(
            RunSpec("m", parameters={"a": value}).id
            for value in (None, True, 1, "1", 1.5, math.inf, -math.inf, math.nan, "inf", (1,), ())
        ),
    ]
    assert len(set(ids)) == len(ids)
    assert all(len(identifier) == 12 for identifier in ids)


def test_id_does_not_change_between_versions():
    # Results on disk are found by it; a change needs a new cosim.spec.SCHEMA.
    spec = RunSpec("m", "nest", {"b.c": math.inf, "a": (1.0, None)}, 3, 2)
    canonical = (
        '{"schema":1,"model":"m","backend":"nest",'
        '"parameters":{"a":[1,null],"b.c":{"__float__":"inf"}},"seed":3,"threads":2}'
    )
    import hashlib

    assert spec.id == hashlib.sha256(canonical.encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": 0}, "seed=0: need 1 to 4294967295"),
        ({"seed": 2**32}, "need 1 to 4294967295"),
        ({"seed": 1.5}, "seed=1.5: need an integer"),
        ({"threads": 0}, "threads=0"),
        ({"parameters": {"a": object()}}, "parameter 'a'"),
        ({"parameters": {"a": {"b": 1}}}, "is a dict"),
    ],
)
def test_refused_fields(fields, message):
    with pytest.raises(InputError, match=message):
        RunSpec("m", **fields)


def test_other_schema_is_refused():
    content = RunSpec("m").to_dict() | {"schema": 999}
    with pytest.raises(InputError, match="schema 999"):
        RunSpec.from_dict(content)


def test_resolve_overrides_nested_fields_and_converts_numbers():
    overrides = {
        "timestep": 1,
        "device.n_levels": 16.0,
        "device.on_off_ratio": math.inf,
        "sequences": [["A", "B", "C"]],
        "delays": [1, 2],
    }
    parameters = resolve(RunSpec(MODEL, parameters=overrides))
    assert parameters.timestep == 1.0 and type(parameters.timestep) is float
    assert parameters.device.n_levels == 16 and type(parameters.device.n_levels) is int
    assert parameters.device.on_off_ratio == math.inf
    assert parameters.sequences == (("A", "B", "C"),)
    assert parameters.delays == (1.0, 2.0)
    assert parameters.device.ideal is False


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("device.on_of_ratio", 2, r"unknown parameter 'device.on_of_ratio' \(did you mean "),
        ("nothing_like_it", 2, "valid are timestep, behaviour.*device.n_levels"),
        ("device.on_off_ratio.x", 2, "unknown parameter"),
        ("device", 2, "is a group; set its members: device.on_off_ratio"),
        ("device.on_off_ratio", "high", "'high' is a str, need float"),
        ("device.on_off_ratio", True, "True is a bool, need float"),
        ("device.on_off_ratio", None, "need float"),
        ("device.n_levels", 2.5, r"need int \| None"),
        ("device.ideal", 1, "need bool"),
        ("behaviour", "dance", "need Literal"),
        ("sequences", "AB", "need tuple"),
        ("delays", [1.0], "need tuple"),
        ("device.on_off_ratio", 0.5, "on_off_ratio=0.5, need > 1"),
    ],
)
def test_resolve_refuses(name, value, message):
    with pytest.raises(InputError, match=message) as caught:
        resolve(RunSpec(MODEL, parameters={name: value}))
    assert "toys.behave" in str(caught.value)


def test_unknown_model():
    with pytest.raises(InputError, match="unknown model 'no.such'"):
        resolve(RunSpec("no.such"))


def test_module_that_is_no_model():
    with pytest.raises(InputError, match="lacks Parameters and simulate"):
        resolve(RunSpec("os.path"))


@dataclasses.dataclass(frozen=True)
class Memristive:
    device: Memristor = dataclasses.field(default_factory=Memristor)


def device_of(**parameters):
    return override(Memristive(), RunSpec("m", parameters=parameters).parameters).device


def test_a_group_is_given_by_name_and_its_members_on_top():
    named = Memristor.named("gong2018")
    assert device_of(device="gong2018") == named
    changed = device_of(**{"device": "gong2018", "device.sigma_read": 0.1, "device.g_max": 5})
    assert changed == dataclasses.replace(named, sigma_read=0.1, g_max=5.0)


def test_members_of_a_group_in_a_group_are_checked_together():
    law = {"law": "linear", "step_up": 0.1, "step_down": 0.2}
    parameters = {f"device.update.{name}": value for name, value in law.items()}
    assert device_of(**parameters).update == Update(**law)
    # Over a preset with another law, whose parameters must go.
    with pytest.raises(ValueError, match="amplitude_up=.*need law='exponential'"):
        device_of(device="gong2018", **parameters)
    assert device_of(
        device="gong2018", **{"device.update": "default"}, **parameters
    ) == dataclasses.replace(Memristor.named("gong2018"), update=Update(**law))


def test_an_instance_is_kept_as_its_leaves():
    device = Memristor(
        on_off_ratio=10, stuck_on=None, update=Update(law="linear", step_up=0.1, step_down=0.1)
    )
    spec = RunSpec("m", parameters={"device": device, "device.sigma_read": 0.5})
    assert spec.parameters == {
        "device": "default",
        "device.on_off_ratio": 10.0,
        "device.stuck_on": None,
        "device.update.law": "linear",
        "device.update.step_up": 0.1,
        "device.update.step_down": 0.1,
        "device.sigma_read": 0.5,
    }
    assert RunSpec.from_json(spec.to_json()) == spec
    found = override(Memristive(), spec.parameters).device
    assert found == dataclasses.replace(device, sigma_read=0.5)


def test_an_instance_replaces_the_defaults_of_the_model():
    # The model's own default differs from that of the class.
    @dataclasses.dataclass(frozen=True)
    class Parameters:
        device: Device = Device(n_levels=4)

    given = RunSpec("m", parameters={"device": Device(on_off_ratio=3.0)})
    assert override(Parameters(), given.parameters).device == Device(on_off_ratio=3.0)


def test_an_instance_below_another_replaces_its_leaves():
    linear = Memristor(update=Update(law="linear", step_up=0.1, step_down=0.1))
    direct = {"device": linear, "device.update": Update()}
    assert device_of(**direct) == Memristor()


def test_equal_instances_have_equal_ids_and_other_ones_do_not():
    ids = [
        RunSpec("m", parameters={"device": device}).id
        for device in (Memristor(n_levels=4), Memristor(n_levels=4), Memristor(), "gong2018")
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"device": "gong2019"}, "parameter 'device': no device preset 'gong2019' .did you mean"),
        ({"device.update": "gong2018"}, "'device.update' is a group; set its members"),
        ({"device": 3}, "'device' is a group; set its members"),
        ({"device": "gong2018", "device.x": 1}, "unknown parameter 'device.x'"),
        ({"device": "gong2018", "device.sigma_read": -1}, "sigma_read=-1"),
    ],
)
def test_refused_groups(parameters, message):
    with pytest.raises(ValueError, match=message):
        device_of(**parameters)


def test_an_instance_of_a_class_that_needs_arguments_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Needy:
        x: int

    with pytest.raises(InputError, match="parameter 'a': a Needy has fields without a default"):
        RunSpec("m", parameters={"a": Needy(1)})
