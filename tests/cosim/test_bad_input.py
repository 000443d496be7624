"""Bad input to a real study: one clear line, exit code 2, and nothing has run."""

import pytest

from cosim.cli import main

STUDY = """
import cosim
sweep = cosim.Sweep("bad", model="sequence_learning", seeds=[1], **{fields})
if __name__ == "__main__":
    cosim.main(sweep)
"""


@pytest.mark.parametrize(
    ("fields", "options", "words"),
    [
        ({"base": {"device.onoff_ratio": 5}}, [], ["device.onoff_ratio", "device.on_off_ratio"]),
        ({"base": {"device.on_off_ratio": 1}}, [], ["on_off_ratio=1", "> 1"]),
        ({"base": {"device.n_levels": 1}}, [], ["n_levels=1", ">= 2"]),
        ({"base": {"device.sigma_read": -0.1}}, [], ["sigma_read=-0.1", ">= 0"]),
        ({"base": {"plasticity.rule": "binary", "device.stuck_on": 1.5}}, [], ["stuck_on=1.5"]),
        ({"base": {"task.episodes": 0}}, [], ["episodes=0", "1"]),
        (
            {"base": {"task.sequence_set": ("AB", "AX"), "task.alphabet": "AB"}},
            [],
            ["AX", "X", "alphabet"],
        ),
        ({}, ["--backends", "nset"], ["nset", "nest"]),
        ({}, ["--results", "{file}/results"], ["results", "{file}"]),
    ],
)
def test_bad_input_is_refused_before_anything_runs(tmp_path, capsys, fields, options, words):
    (tmp_path / "file").touch()
    study = tmp_path / "bad.py"
    study.write_text(STUDY.format(fields=fields))
    names = {"file": str(tmp_path / "file")}
    results = [] if "--results" in options else ["--results", str(tmp_path / "results")]
    code = main(["sweep", str(study), *results, *(o.format(**names) for o in options)])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.startswith("error: ") and len(captured.err.splitlines()) == 1, captured.err
    for word in words:
        assert word.format(**names) in captured.err
    assert not list(tmp_path.glob("results/bad/points/*"))
