import json
import subprocess
import sys

import numpy as np
import pytest

import cosim
from cosim import InputError
from cosim.store import Store, read_record, write_record


@pytest.fixture
def stored(toy_spec, tmp_path):
    """Return a store, a record in it and its folder."""
    record = cosim.run(toy_spec())
    store = Store(tmp_path, "study")
    store.prepare()
    folder = store.point(record.spec.id)
    folder.mkdir()
    write_record(folder, record)
    return store, record, folder


def test_round_trip(stored):
    store, record, _ = stored
    back = store.record(record.spec.id)
    assert back.to_json() == record.to_json()
    arrays = back.arrays
    assert arrays.keys() == {"spikes", "file"}
    np.testing.assert_array_equal(arrays["file"], record.arrays["file"])
    assert arrays["spikes"].dtype == record.arrays["spikes"].dtype


def test_array_that_is_not_there(stored):
    store, record, _ = stored
    with pytest.raises(KeyError, match="voltage"):
        store.record(record.spec.id).arrays["voltage"]


def test_no_record(tmp_path):
    assert read_record(tmp_path) is None


def test_every_truncation_of_a_record_is_ignored(stored):
    _, _, folder = stored
    complete = (folder / "record.json").read_bytes()
    for length in range(len(complete)):
        (folder / "record.json").write_bytes(complete[:length])
        assert read_record(folder) is None, f"read the first {length} bytes"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.pop("metrics"),
        lambda content: content.pop("spec"),
        lambda content: content.update(schema=0),
        lambda content: content.update(parameters=None),
        lambda content: content.update(unknown=1),
    ],
)
def test_damaged_record_is_ignored(stored, damage):
    _, _, folder = stored
    content = json.loads((folder / "record.json").read_text())
    damage(content)
    (folder / "record.json").write_text(json.dumps(content))
    assert read_record(folder) is None


def test_record_without_its_arrays_is_ignored(stored):
    _, _, folder = stored
    (folder / "arrays.npz").unlink()
    assert read_record(folder) is None


def test_record_of_another_point_is_ignored(stored):
    store, _, folder = stored
    folder.rename(store.point("0123456789ab"))
    assert store.record("0123456789ab") is None


def test_failed_write_leaves_the_old_record(stored, monkeypatch):
    store, record, folder = stored

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr("cosim.store.os.fsync", fail)
    before = (folder / "record.json").read_bytes()
    with pytest.raises(OSError, match="disk full"):
        write_record(folder, record)
    assert (folder / "record.json").read_bytes() == before
    assert store.record(record.spec.id) is not None


def test_unwritable_folder(not_a_folder):
    with pytest.raises(InputError, match="results folder .* is not writable"):
        Store(not_a_folder, "study").prepare()


def test_lock_excludes_another_process_and_ends_with_it(tmp_path):
    code = (
        "import sys\nfrom cosim.store import Store\n"
        f"with Store({str(tmp_path)!r}, 'study').lock():\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    store = Store(tmp_path, "study")
    store.prepare()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"already being run by process {other.pid} on "):
            with store.lock():
                pass
        other.kill()
        other.wait()
    with store.lock():
        pass
