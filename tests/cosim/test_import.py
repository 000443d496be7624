import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cosim

ROOT = Path(cosim.__file__).parents[1]


def python(code, *path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_import_is_cheap():
    code = "import sys, cosim, cosim.cli; print(*sys.modules)"
    result = python(code, ROOT)
    assert result.returncode == 0, result.stderr
    heavy = {"nest", "brian2", "pyNN", "numpy", "pandas", "pyarrow", "matplotlib", "rich"}
    assert not heavy & set(result.stdout.split())


def test_public_names():
    for name in cosim.__all__:
        assert getattr(cosim, name) is not None
    assert set(cosim.__all__) <= set(dir(cosim))
    assert callable(cosim.run)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        cosim.nothing  # noqa: B018


@pytest.fixture
def installed(tmp_path):
    """Return a folder with cosim and its packages models and devices."""
    folder = tmp_path / "installed"
    shutil.copytree(ROOT / "cosim", folder / "cosim", ignore=shutil.ignore_patterns("backends"))
    for name in ("models", "devices"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    return folder


@pytest.mark.parametrize("name", ["models", "devices"])
@pytest.mark.parametrize("as_package", [True, False])
def test_foreign_package_of_the_same_name_is_named(installed, tmp_path, name, as_package):
    foreign = tmp_path / "foreign" / (f"{name}/__init__.py" if as_package else f"{name}.py")
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    result = python("import cosim", tmp_path / "foreign", installed)
    assert result.returncode == 1
    message = result.stderr.splitlines()[-1]
    assert message.startswith(f"ImportError: the package '{name}' of cosim")
    assert str(foreign) in message and str(installed / name) in message


def test_own_packages_are_accepted(installed, tmp_path):
    (tmp_path / "data" / "models").mkdir(parents=True)
    assert python("import cosim", tmp_path / "data", installed).returncode == 0
