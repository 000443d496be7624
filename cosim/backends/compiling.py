"""What compiling for NEST and for Brian2 has in common: the compiler, the cache and its lock."""

import fcntl
import os
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: C++ headers that the code for all simulators includes.
INCLUDE_DIR = Path(__file__).parent / "include"


class BuildError(RuntimeError):
    """Something cannot be compiled here; the message says what is missing."""


def cache_dir() -> Path:
    """Return the folder for compiled code, which need not exist yet.

    ``$COSIM_CACHE``, else ``$XDG_CACHE_HOME/cosim``, else ``~/.cache/cosim``.
    """
    if "COSIM_CACHE" in os.environ:
        return Path(os.environ["COSIM_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cosim"


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Make a folder and keep other processes from building in it.

    Parameters
    ----------
    folder : pathlib.Path
        Folder in the cache.

    Raises
    ------
    BuildError
        If it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "build.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise BuildError(
            f"cannot write to the cache {cache_dir()}: {error}. "
            "Set COSIM_CACHE to a folder you can write to."
        ) from error


def find_compiler() -> str:
    """Return the path of the C++ compiler: ``$CXX`` or the first one in the path.

    Raises
    ------
    BuildError
        If there is none.
    """
    wanted = os.environ.get("CXX")
    for name in [wanted] if wanted else ["g++", "c++", "clang++"]:
        path = shutil.which(name)
        if path:
            return path
    raise BuildError(
        f"no C++ compiler found ({'CXX=' + wanted if wanted else 'g++, c++ or clang++'}). "
        "Install one: Debian/Ubuntu `apt install g++`, Fedora `dnf install gcc-c++`, "
        "conda `conda install -c conda-forge cxx-compiler`."
    )


def check_python_headers() -> Path:
    """Return the folder with Python's C headers, which Brian2's compiled code needs.

    Raises
    ------
    BuildError
        If they are not there.
    """
    folder = Path(sysconfig.get_paths()["include"])
    if (folder / "Python.h").exists():
        return folder
    raise BuildError(
        f"Python's C headers not found in {folder}. Install them: Debian/Ubuntu "
        "`apt install python3-dev`, Fedora `dnf install python3-devel`; conda's Python has them."
    )


def find_make() -> str:
    """Return the path of make, which Brian2's standalone mode needs.

    Raises
    ------
    BuildError
        If there is none.
    """
    path = shutil.which("make")
    if path:
        return path
    raise BuildError(
        "make not found. Install it: Debian/Ubuntu `apt install make`, Fedora "
        "`dnf install make`, conda `conda install -c conda-forge make`."
    )
