import numpy as np
import pytest

from devices.measurements import MIN_PULSES, read_pulses

HEADER = "device,pulse,direction,conductance_us"


def rows(device="1", n_up=8, n_down=8):
    """Cells of a complete series: up from 2 µS in steps of 1, then down."""
    directions = ["none", *["up"] * n_up, *["down"] * n_down]
    g = [2.0 + k for k in range(n_up + 1)] + [1.0 + n_up - k for k in range(n_down)]
    return [[device, str(k), d, f"{g[k]}"] for k, d in enumerate(directions)]


def write(path, cells, header=HEADER):
    file = path / "trains.csv"
    file.write_text("\n".join([header, *(",".join(row) for row in cells)]) + "\n")
    return file


def changed(row, column, value):
    """Rows with one cell changed; row 0 is in line 2 of the file."""
    cells = rows()
    cells[row][column] = value
    return cells


def refusal(file):
    with pytest.raises(ValueError) as caught:
        read_pulses(file)
    text = str(caught.value)
    assert text.startswith("trains.csv: ")
    return text


def test_a_complete_file(tmp_path):
    pulses = read_pulses(write(tmp_path, rows("7") + rows("b", 5, 6) + rows("10")))
    assert pulses.names == ("7", "10", "b")
    assert pulses.n_devices == 3
    assert pulses.device.tolist() == [0] * 17 + [1] * 17 + [2] * 12
    assert pulses.pulse[:17].tolist() == list(range(17))
    assert pulses.direction[:17].tolist() == [0] + [1] * 8 + [-1] * 8
    assert pulses.conductance[:3].tolist() == [2.0, 3.0, 4.0]
    assert not pulses.repeated
    assert pulses.time_s is None


def test_rows_in_any_order_comments_blank_lines_and_signs(tmp_path):
    signs = {"none": "", "up": "+1", "down": "-1"}
    cells = [[d, k, signs[sign], g] for d, k, sign, g in rows()]
    file = write(tmp_path, [["# measured on Monday"], *reversed(cells), [""]])
    expected = read_pulses(write(tmp_path, rows()))
    found = read_pulses(write(tmp_path, [["# measured on Monday"], *reversed(cells), [""]]))
    assert file.exists()
    for name in ("device", "pulse", "direction", "conductance", "read"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("conductance_us", "40"),
        ("conductance_ns", "4e4"),
        ("conductance_s", "4e-5"),
        ("resistance_ohm", "25000"),
    ],
)
def test_units_are_converted_to_microsiemens(tmp_path, column, value):
    cells = [[*row[:3], value] for row in rows()]
    header = HEADER.replace("conductance_us", column)
    found = read_pulses(write(tmp_path, cells, header)).conductance
    np.testing.assert_allclose(found, 40.0, rtol=1e-15)


def test_repeated_reads_and_times(tmp_path):
    cells = [[*row, str(read), f"{k}.5"] for k, row in enumerate(rows()) for read in (1, 2)]
    pulses = read_pulses(write(tmp_path, cells, HEADER + ",read,time_s"))
    assert pulses.repeated
    assert pulses.read[:4].tolist() == [1, 2, 1, 2]
    assert pulses.time_s[:4].tolist() == [0.5, 0.5, 1.5, 1.5]


@pytest.mark.parametrize(
    ("header", "needed"),
    [
        (HEADER.replace("pulse", "n"), ["column 'n': unknown", "column 'pulse': missing"]),
        ("device,pulse,direction", ["columns of the conductance: none", "exactly one"]),
        (HEADER + ",resistance_ohm", ["conductance_us, resistance_ohm", "exactly one"]),
        (HEADER + ",pulse", ["line 1, column 'pulse': appears twice"]),
        (HEADER.replace(",", ";"), ["separated by ';'", "comma-separated"]),
    ],
)
def test_columns(tmp_path, header, needed):
    text = refusal(write(tmp_path, rows(), header))
    for part in needed:
        assert part in text


@pytest.mark.parametrize(
    ("cells", "needed"),
    [
        (changed(3, 3, "high"), ["line 5, column 'conductance_us': 'high'", "finite number"]),
        (changed(3, 3, "nan"), ["line 5, column 'conductance_us': 'nan'"]),
        (changed(3, 3, ""), ["line 5, column 'conductance_us': ''"]),
        (changed(3, 3, "-2.5"), ["line 5, column 'conductance_us': -2.5", "> 0", "offset"]),
        (changed(3, 3, "0"), ["line 5, column 'conductance_us': 0", "> 0"]),
        (changed(3, 0, ""), ["line 5, column 'device': empty"]),
        (changed(3, 1, "3.5"), ["line 5, column 'pulse': '3.5'", "integer >= 0"]),
        (changed(3, 2, "left"), ["line 5, column 'direction': 'left'", "up, 1, down or -1"]),
        (changed(3, 2, "0"), ["line 5, column 'direction': '0' at pulse 3", "up or down"]),
        (changed(0, 2, "up"), ["line 2, column 'direction': 'up' at pulse 0", "number this one 1"]),
        (rows()[1:], ["line 2, column 'pulse': device 1 starts at pulse 1", "need pulse 0"]),
        (rows()[:5] + rows()[6:], ["line 7, column 'pulse'", "from pulse 4 to 6", "gaps"]),
        (rows() + rows()[-1:], ["line 19, column 'pulse'", "already in line 18", "'read'"]),
        (rows(n_down=0, n_up=12), ["line 14, column 'direction'", "12 pulses up and 0 down"]),
        (rows(n_up=4, n_down=4), ["line 10", "4 pulses up and 4 down", f"at least {MIN_PULSES}"]),
        (rows(n_up=12, n_down=2), ["12 pulses up and 2 down", "3 each way"]),
        ([*rows(), ["2", "0"]], ["line 19: 2 cells, need 4"]),
        ([], ["no readings"]),
    ],
)
def test_faults_of_rows(tmp_path, cells, needed):
    text = refusal(write(tmp_path, cells))
    assert "kinds of fault" not in text
    for part in needed:
        assert part in text


def test_repeated_readings_must_agree_on_the_direction(tmp_path):
    cells = [[*row, read] for row in rows() for read in ("0", "1")]
    cells[7][2] = "down"
    text = refusal(write(tmp_path, cells, HEADER + ",read"))
    assert "line 9, column 'direction': -1 for pulse 3 of device 1, but 1 in line 8" in text


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_a_wrong_unit_is_noticed(tmp_path, factor):
    cells = [[*row[:3], f"{factor * float(row[3])}"] for row in rows()]
    text = refusal(write(tmp_path, cells))
    assert "column 'conductance_us': median conductance" in text
    assert "conductance_ns" in text


def test_a_small_conductance_can_be_given_in_nanosiemens(tmp_path):
    cells = [[*row[:3], f"{1e-2 * float(row[3])}"] for row in rows()]
    pulses = read_pulses(write(tmp_path, cells, HEADER.replace("_us", "_ns")))
    assert pulses.conductance.max() == pytest.approx(1e-4)


def test_exchanged_directions_are_noticed(tmp_path):
    other = {"up": "down", "down": "up", "none": "none"}
    text = refusal(write(tmp_path, [[d, k, other[sign], g] for d, k, sign, g in rows()]))
    assert "column 'direction': pulses up change the conductance by -8 µS" in text
    assert "exchange" in text


def test_the_first_fault_of_each_kind_is_reported(tmp_path):
    cells = rows()
    cells[2][3], cells[5][3], cells[9][2] = "x", "y", "sideways"
    text = refusal(write(tmp_path, cells))
    assert "2 kinds of fault" in text
    assert "line 4, column 'conductance_us': 'x'" in text
    assert "(and 1 more like it)" in text
    assert "line 11, column 'direction': 'sideways'" in text


def test_an_empty_file(tmp_path):
    file = tmp_path / "trains.csv"
    file.write_text("")
    assert "empty" in refusal(file)
