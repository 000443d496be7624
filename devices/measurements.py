"""Measured pulse trains: what a device's conductance was after each of a series of pulses."""

import csv
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from devices.faults import Faults

#: Columns of which a file has exactly one, and what takes their values to µS.
CONDUCTANCE_COLUMNS = ("conductance_us", "conductance_ns", "conductance_s", "resistance_ohm")
REQUIRED_COLUMNS = ("device", "pulse", "direction")
OPTIONAL_COLUMNS = ("read", "time_s")

#: Least numbers of pulses of a device: in all, and in each direction. Its own bounds and steps,
#: four numbers, are fitted to them.
MIN_PULSES = 10
MIN_PULSES_PER_DIRECTION = 3

# Medians beyond these are in another unit than their column's name says. The lower limit of
# conductance_us is higher: who means less than 0.1 nS will not write it in µS.
_PLAUSIBLE_US = {
    "conductance_us": (1e-4, 1e5),
    "conductance_ns": (1e-6, 1e5),
    "conductance_s": (1e-6, 1e5),
    "resistance_ohm": (1e-6, 1e5),
}
_DIRECTIONS = {"up": 1, "+1": 1, "1": 1, "down": -1, "-1": -1, "none": 0, "0": 0}


@dataclasses.dataclass(frozen=True, eq=False)
class Pulses:
    """Readings of devices in series of pulses; one entry of each array per reading.

    Readings are sorted by device, pulse and read. The pulses of a device are numbered from 0
    without a gap; number 0 stands for its initial state, before any pulse.

    Parameters
    ----------
    names : tuple of str
        Names of the devices.
    device : ndarray of int, shape (n,)
        Position of the device in `names`.
    pulse : ndarray of int, shape (n,)
        Number of pulses that the device has had.
    direction : ndarray of int, shape (n,)
        Of the last of them: 1 up (to a higher conductance), -1 down, 0 for pulse 0.
    conductance : ndarray of float, shape (n,)
        What was read, µS, > 0.
    read : ndarray of int, shape (n,)
        Number of the reading of this state.
    time_s : ndarray of float, shape (n,), or None
        Time of the reading, s.
    source : str
        File or other origin, for messages.
    """

    names: tuple[str, ...]
    device: npt.NDArray[np.int64]
    pulse: npt.NDArray[np.int64]
    direction: npt.NDArray[np.int64]
    conductance: npt.NDArray[np.float64]
    read: npt.NDArray[np.int64]
    time_s: npt.NDArray[np.float64] | None = None
    source: str = "pulses"

    @property
    def n_devices(self) -> int:
        """Number of devices."""
        return len(self.names)

    @property
    def repeated(self) -> bool:
        """Whether some state was read more than once."""
        first = np.diff(self.device) == 0
        return bool(np.any(first & (np.diff(self.pulse) == 0)))


def read_pulses(path: str | Path) -> Pulses:
    """Read measured pulse trains from a CSV file.

    The first line names the columns: `device` (an integer or a name), `pulse` (number within the
    device's series, 0 for the initial state), `direction` of the pulse before this reading (``up``
    or ``1``, ``down`` or ``-1``; ``none``, ``0`` or empty at pulse 0), one of `conductance_us`,
    `conductance_ns`, `conductance_s` and `resistance_ohm`, and if wanted `read` (number of the
    reading of the same state) and `time_s`. Rows may be in any order; blank lines and lines that
    start with ``#`` are skipped.

    Parameters
    ----------
    path : str or Path
        The file, in UTF-8.

    Returns
    -------
    Pulses
        Conductances in µS.

    Raises
    ------
    ValueError
        If something in the file is missing, contradictory or implausible. The message has the
        first case of each kind of fault: its line, column, value, what is needed and what to do.
    OSError
        If the file cannot be read.
    """
    faults = Faults(Path(path).name)
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        rows = [
            (lines.line_num, [cell.strip() for cell in row])
            for row in lines
            if any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#")
        ]
    column = _header(rows, faults)
    faults.stop()
    readings = list(_readings(rows[1:], column, faults))
    faults.stop()
    if not readings:
        raise ValueError(f"{faults.file}: no readings, need one line for each: export them again")
    order = sorted(range(len(readings)), key=lambda i: readings[i].place)
    readings = [readings[i] for i in order]
    _check_series(readings, faults)
    _check_plausible(readings, next(c for c in CONDUCTANCE_COLUMNS if c in column), faults)
    faults.stop()
    return _pulses(readings, "time_s" in column, str(path))


@dataclasses.dataclass(frozen=True, slots=True)
class _Reading:
    line: int
    device: str
    pulse: int
    direction: int
    conductance: float
    read: int
    time_s: float

    @property
    def place(self) -> tuple[tuple[int, int, str], int, int]:
        """What readings are sorted by: devices by number, then by name."""
        number = int(self.device) if self.device.isdecimal() else -1
        return (number < 0, number, self.device), self.pulse, self.read


def _header(rows: list[tuple[int, list[str]]], faults: Faults) -> dict[str, int]:
    if not rows:
        raise ValueError(f"{faults.file}: empty, need a line with the names of the columns")
    line, names = rows[0]
    known = (*REQUIRED_COLUMNS, *CONDUCTANCE_COLUMNS, *OPTIONAL_COLUMNS)
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        faults.add(
            "separator",
            line,
            None,
            "columns are separated by ';' or tabs, need commas, "
            "and points in numbers: export the table as comma-separated values",
        )
        return {}
    for name in names:
        if name not in known:
            faults.add("unknown column", line, name,
                       f"unknown, known are {', '.join(known)}: rename or remove it")  # fmt: skip
        elif names.count(name) > 1:
            faults.add("repeated column", line, name, "appears twice: remove one")
    for name in REQUIRED_COLUMNS:
        if name not in names:
            faults.add(f"no {name}", line, name, "missing: add it, or the line with the names")
    given = [name for name in CONDUCTANCE_COLUMNS if name in names]
    if len(given) != 1:
        faults.add("conductance columns", line, None,
                   f"columns of the conductance: {', '.join(given) or 'none'}, need exactly one "
                   f"of {', '.join(CONDUCTANCE_COLUMNS)}")  # fmt: skip
    return {name: i for i, name in enumerate(names)}


def _readings(
    rows: list[tuple[int, list[str]]], column: dict[str, int], faults: Faults
) -> Iterator[_Reading]:
    """Read each line by itself; lines with a fault are left out."""
    quantity = next(name for name in CONDUCTANCE_COLUMNS if name in column)
    for line, row in rows:
        if len(row) != len(column):
            faults.add("cells", line, None, f"{len(row)} cells, need {len(column)} as in the first "
                       "line: is a number written with a comma?")  # fmt: skip
            continue
        cells = {name: row[i] for name, i in column.items()}
        if not cells["device"]:
            faults.add("device", line, "device", "empty, need the device's number or name")
        pulse = _count(cells["pulse"], line, "pulse", faults)
        read = _count(cells["read"], line, "read", faults) if "read" in cells else 0
        direction = _direction(cells["direction"], pulse, line, faults)
        value = _number(cells[quantity], line, quantity, faults)
        time_s = _number(cells["time_s"], line, "time_s", faults) if "time_s" in cells else 0.0
        if value is not None and value <= 0.0:
            faults.add("not positive", line, quantity, f"{cells[quantity]}, need a number > 0: "
                       "readings below the noise floor of the set-up tell nothing; remove the "
                       "device or correct the offset")  # fmt: skip
            continue
        if pulse is None or direction is None or value is None or read is None or time_s is None:
            continue
        if cells["device"]:
            conductance = _in_us(quantity, value)
            yield _Reading(line, cells["device"], pulse, direction, conductance, read, time_s)


def _in_us(quantity: str, value: float) -> float:
    scale = {"conductance_us": 1.0, "conductance_ns": 1e-3, "conductance_s": 1e6}
    return 1e6 / value if quantity == "resistance_ohm" else value * scale[quantity]


def _count(cell: str, line: int, column: str, faults: Faults) -> int | None:
    if cell.isascii() and cell.isdecimal():
        return int(cell)
    faults.add(f"{column} number", line, column,
               f"{cell!r}, need an integer >= 0: number them from 0")  # fmt: skip
    return None


def _number(cell: str, line: int, column: str, faults: Faults) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    faults.add(f"{column} value", line, column, f"{cell!r}, need a finite number: remove the "
               "device's series from this pulse on, or the device")  # fmt: skip
    return None


def _direction(cell: str, pulse: int | None, line: int, faults: Faults) -> int | None:
    direction = _DIRECTIONS.get(cell.lower(), None if cell else 0)
    if direction is None:
        faults.add("direction", line, "direction", f"{cell!r}, need up, 1, down or -1 (none or 0 "
                   "at pulse 0)")  # fmt: skip
    elif pulse == 0 and direction != 0:
        faults.add("initial direction", line, "direction", f"{cell!r} at pulse 0, need none or 0: "
                   "it is the reading before any pulse; if it follows a pulse, number this one 1 "
                   "and add the reading before it")  # fmt: skip
    elif pulse is not None and pulse > 0 and direction == 0:
        faults.add("no direction", line, "direction", f"{cell!r} at pulse {pulse}, need up or down:"
                   " the direction of the pulse before this reading")  # fmt: skip
    else:
        return direction
    return None


def _check_series(readings: list[_Reading], faults: Faults) -> None:
    """Check each device's series; readings are sorted."""
    start = 0
    for end in range(1, len(readings) + 1):
        if end == len(readings) or readings[end].device != readings[start].device:
            _check_device(readings[start:end], faults)
            start = end


def _check_device(series: list[_Reading], faults: Faults) -> None:
    name = series[0].device
    if series[0].pulse != 0:
        faults.add("initial reading", series[0].line, "pulse", f"device {name} starts at pulse "
                   f"{series[0].pulse}, need pulse 0: the reading before the first pulse; without "
                   "one take the first reading as pulse 0, direction 0")  # fmt: skip
    pulses = [series[0]]
    for before, now in zip(series, series[1:], strict=False):
        if now.pulse == before.pulse:
            _check_repeated(before, now, faults)
            continue
        pulses.append(now)
        if now.pulse != before.pulse + 1:
            faults.add("gap", now.line, "pulse", f"device {name} goes from pulse {before.pulse} to "
                       f"{now.pulse}, need consecutive numbers: number the pulses without gaps, "
                       "or give a device measured in pieces a name for each")  # fmt: skip
    directions = [reading.direction for reading in pulses[1:]]
    up, down = directions.count(1), directions.count(-1)
    if not (up and down) and directions:
        faults.add("one direction", pulses[-1].line, "direction", f"device {name} has {up} pulses "
                   f"up and {down} down, need both: measure the other direction too or remove the "
                   "device")  # fmt: skip
    elif up + down < MIN_PULSES or min(up, down) < MIN_PULSES_PER_DIRECTION:
        faults.add("too few", pulses[-1].line, "pulse", f"device {name} has {up} pulses up and "
                   f"{down} down, need at least {MIN_PULSES} in all and {MIN_PULSES_PER_DIRECTION}"
                   " each way: measure more or remove the device")  # fmt: skip


def _check_repeated(before: _Reading, now: _Reading, faults: Faults) -> None:
    if now.read == before.read:
        faults.add("duplicate", now.line, "pulse", f"device {now.device}, pulse {now.pulse} is "
                   f"already in line {before.line}: remove one, or number repeated readings of a "
                   "state in a column 'read'")  # fmt: skip
    elif now.direction != before.direction:
        faults.add("contradiction", now.line, "direction", f"{now.direction} for pulse {now.pulse} "
                   f"of device {now.device}, but {before.direction} in line {before.line}: repeated"
                   " readings follow the same pulse; correct one")  # fmt: skip


def _check_plausible(readings: list[_Reading], quantity: str, faults: Faults) -> None:
    median = float(np.median([reading.conductance for reading in readings]))
    low, high = _PLAUSIBLE_US[quantity]
    if not low <= median <= high:
        faults.add("unit", None, quantity, f"median conductance {median:.3g} µS, need "
                   f"{low:g} ... {high:g}: is the column in another unit? Name it accordingly: "
                   f"{', '.join(CONDUCTANCE_COLUMNS)}")  # fmt: skip
    change = {1: 0.0, -1: 0.0}
    for before, now in zip(readings, readings[1:], strict=False):
        if now.device == before.device and now.pulse == before.pulse + 1 and now.direction:
            change[now.direction] += now.conductance - before.conductance
    if change[1] < 0.0 < change[-1]:
        faults.add("exchanged", None, "direction", f"pulses up change the conductance by "
                   f"{change[1]:.3g} µS in all and pulses down by {change[-1]:+.3g} µS, need more "
                   "after pulses up: exchange the directions (up is towards a higher conductance,"
                   " whatever the sign of the voltage)")  # fmt: skip


def _pulses(readings: list[_Reading], timed: bool, source: str) -> Pulses:
    names = tuple(dict.fromkeys(reading.device for reading in readings))
    number = {name: i for i, name in enumerate(names)}

    def integers(field: str) -> npt.NDArray[np.int64]:
        return np.array([getattr(reading, field) for reading in readings], dtype=np.int64)

    return Pulses(
        names=names,
        device=np.array([number[reading.device] for reading in readings], dtype=np.int64),
        pulse=integers("pulse"),
        direction=integers("direction"),
        conductance=np.array([reading.conductance for reading in readings]),
        read=integers("read"),
        time_s=np.array([reading.time_s for reading in readings]) if timed else None,
        source=source,
    )
