"""Results on disk: one folder per study, one folder per point, one atomic record in each.

::

    <results>/<study>/sweep.json            what was asked for last
    <results>/<study>/results.parquet, .csv
    <results>/<study>/points/<id>/spec.json, record.json, arrays.npz, log.txt

A file is complete or absent: it is written under another name, flushed to disk and renamed.
`record.json` is written last, so a point that has one is finished.
"""

import dataclasses
import fcntl
import io
import os
import socket
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim import jsonable
from cosim.errors import InputError
from cosim.record import RunRecord
from cosim.spec import RunSpec

if TYPE_CHECKING:
    import numpy

_LOG_TAIL_BYTES = 4096


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that readers, and whoever comes after a crash, see all of it or nothing."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def ensure_writable(folder: Path, purpose: str) -> None:
    """Create a folder and check that files can be written into it.

    Raises
    ------
    InputError
        If not; the message names the `purpose` of the folder.
    """
    probe = folder / f".probe-{socket.gethostname()}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{purpose} folder {folder} is not writable ({error.strerror}): choose another"
        ) from error


def write_spec(folder: Path, spec: RunSpec) -> None:
    """Write ``spec.json`` into the folder of a point."""
    write_atomic(folder / "spec.json", spec.to_json().encode())


def read_spec(folder: Path) -> RunSpec:
    """Read ``spec.json`` from the folder of a point."""
    return RunSpec.from_json((folder / "spec.json").read_text(encoding="utf-8"))


def write_record(folder: Path, record: RunRecord) -> None:
    """Write the arrays and then ``record.json`` into the folder of a point."""
    if record.arrays:
        import numpy as np

        buffer = io.BytesIO()
        # Not numpy.savez: an array called 'file' would clash with its first argument.
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in record.arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        write_atomic(folder / "arrays.npz", buffer.getvalue())
    write_atomic(folder / "record.json", record.to_json().encode())


def read_record(folder: Path) -> RunRecord | None:
    """Return the record of a point, or None if there is no complete one.

    Parameters
    ----------
    folder : Path
        Folder of the point.

    Returns
    -------
    RunRecord or None
        Its arrays are read from disk when they are asked for.
    """
    try:
        record = RunRecord.from_json((folder / "record.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None  # Absent, damaged, or of another schema: the point is computed again.
    if record.array_names and not (folder / "arrays.npz").is_file():
        return None
    return dataclasses.replace(record, arrays=_StoredArrays(folder, record.array_names))


class _StoredArrays(Mapping[str, "numpy.ndarray"]):
    """The arrays of a point, each read when it is asked for: those of a study may fill memory."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._path = folder / "arrays.npz"
        self._names = names

    def __getitem__(self, name: str) -> "numpy.ndarray":
        import numpy as np

        if name not in self._names:
            raise KeyError(name)
        with np.load(self._path, allow_pickle=False) as file:
            return file[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def log_tail(folder: Path) -> str:
    """Return the last lines that a point printed."""
    path = folder / "log.txt"
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LOG_TAIL_BYTES))
        return file.read().decode(errors="replace").strip()


class Store:
    """The folder of one study.

    Parameters
    ----------
    results : path-like
        Folder that holds all studies.
    study : str
        Name of the study.
    """

    def __init__(self, results: str | os.PathLike[str], study: str) -> None:
        self.folder = Path(results) / study
        self.study = study

    def prepare(self) -> None:
        """Create the folder and check that it can be written.

        Raises
        ------
        InputError
            If it cannot.
        """
        ensure_writable(self.folder, "results")
        ensure_writable(self.folder / "points", "results")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the study, so that no second sweep runs the same points.

        The kernel releases the lock when the process ends, however it ends.

        Raises
        ------
        InputError
            If another process holds it.
        """
        path = self.folder / ".lock"
        with open(path, "a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise InputError(
                    f"study {self.study!r} in {self.folder} is already being run by "
                    f"{file.read().strip() or 'another process'}: wait for it or stop it"
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
            yield

    def point(self, identifier: str) -> Path:
        """Return the folder of a point."""
        return self.folder / "points" / identifier

    def record(self, identifier: str) -> RunRecord | None:
        """Return the record of a point, or None if it is not finished."""
        record = read_record(self.point(identifier))
        return record if record is not None and record.spec.id == identifier else None

    def write_sweep(self, description: dict[str, Any]) -> None:
        """Write what was asked for, with the ids of all points."""
        content = jsonable.dumps(description, indent=1)
        write_atomic(self.folder / "sweep.json", content.encode())

    def read_sweep(self) -> dict[str, Any]:
        """Return what was asked for last."""
        return jsonable.loads((self.folder / "sweep.json").read_text(encoding="utf-8"))
