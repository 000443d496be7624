"""Build the NEST extension on first use, against PyPI's wheel and a conda NEST alike.

The library is kept in the user's cache (`compiling.cache_dir`) under a key made of everything that
decides what comes out: the sources, NEST's configuration, the compiler and its flags. Processes
that need it at the same time wait for one build.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosim.backends.compiling import (
    INCLUDE_DIR,
    BuildError,
    cache_dir,
    find_compiler,
    locked_folder,
)

SOURCE_DIR = Path(__file__).parent / "module"
LIBRARY_NAME = "cosim_module.so"
SUPPORTED_NEST = "3.10"

# Contraction of a*b+c would make results depend on the processor.
FLAGS = ("-std=c++20", "-fopenmp", "-O3", "-DNDEBUG", "-fPIC", "-ffp-contract=off")


@dataclass(frozen=True)
class Toolchain:
    """What the extension is compiled with and against."""

    compiler: str
    nest_headers: Path
    nest_version: str
    boost_headers: Path | None
    old_string_abi: bool

    def flags(self) -> list[str]:
        """Return the compiler flags, include folders last."""
        include = [f"-I{INCLUDE_DIR}", f"-isystem{self.nest_headers}"]
        if self.boost_headers is not None:
            include.append(f"-isystem{self.boost_headers}")
        # Only where the system has no libltdl header of its own.
        include.append(f"-idirafter{SOURCE_DIR / 'fallback'}")
        abi = ["-D_GLIBCXX_USE_CXX11_ABI=0"] if self.old_string_abi else []
        return [*FLAGS, *abi, *include]


def find_toolchain() -> Toolchain:
    """Find compiler, NEST headers and Boost headers.

    Raises
    ------
    BuildError
        If one of them is missing; the message names the package to install.
    """
    package = find_nest_package()
    headers = find_nest_headers(package)
    version = _nest_version(headers)
    if not version.startswith(SUPPORTED_NEST):
        raise BuildError(
            f"NEST {version} found in {package}; cosim's extension is written for NEST "
            f"{SUPPORTED_NEST}. Install nest-simulator {SUPPORTED_NEST}."
        )
    return Toolchain(
        compiler=find_compiler(),
        nest_headers=headers,
        nest_version=version,
        boost_headers=find_boost_headers(),
        old_string_abi=_has_old_string_abi(package),
    )


def find_or_build() -> Path:
    """Return the compiled extension, building it if it is not in the cache.

    Raises
    ------
    BuildError
        If something needed for the build is missing or the compiler fails.
    """
    toolchain = find_toolchain()
    library = _library_path(toolchain)
    if library.exists():
        return library
    with locked_folder(library.parent):
        if not library.exists():
            _build(toolchain, library)
    return library


def status() -> tuple[bool, str]:
    """Say whether the extension is built, without building it."""
    try:
        library = _library_path(find_toolchain())
    except BuildError as error:
        return False, str(error)
    if library.exists():
        return True, f"built: {library}"
    return False, "not built yet; it is built on first use (`cosim doctor` does not build)"


def find_nest_package() -> Path:
    """Return the folder of NEST's Python package, without importing it.

    Raises
    ------
    BuildError
        If NEST is not installed.
    """
    spec = importlib.util.find_spec("nest")
    if spec is None or spec.origin is None:
        raise BuildError(
            "NEST is not installed. Install it with `pip install nest-simulator==3.10.*` "
            "or `conda install -c conda-forge nest-simulator=3.10`."
        )
    return Path(spec.origin).parent


def find_nest_headers(package: Path) -> Path:
    """Return the folder with NEST's C++ headers.

    Parameters
    ----------
    package : pathlib.Path
        Folder of NEST's Python package.

    Raises
    ------
    BuildError
        If the headers are not there.
    """
    # The wheel's nest-config names paths of the machine that built it, so it is not asked.
    candidates = [package / "include" / "nest", Path(sys.prefix) / "include" / "nest"]
    for folder in candidates:
        if (folder / "nest_extension_interface.h").exists():
            return folder
    raise BuildError(
        "NEST's C++ headers not found in " + " or ".join(map(str, candidates)) + ". "
        "Reinstall NEST from PyPI (nest-simulator) or conda-forge; both bring them."
    )


def _nest_version(headers: Path) -> str:
    match = re.search(r'#define NEST_VERSION "([^"]+)"', (headers / "config.h").read_text())
    if match is None:
        raise BuildError(f"{headers / 'config.h'} does not say which NEST version it belongs to.")
    return match.group(1)


def find_boost_headers() -> Path | None:
    """Return the folder with Boost's headers, None if the compiler finds them by itself.

    Raises
    ------
    BuildError
        If the headers are not there.
    """
    probe = Path("boost") / "type_index.hpp"
    if (Path("/usr/include") / probe).exists():
        return None
    folders = [Path(sys.prefix) / "include"]
    # PyPI's cmeel-boost, an ordinary dependency of cosim.
    folders += [Path(p) / "cmeel.prefix" / "include" for p in sys.path]
    for folder in folders:
        if (folder / probe).exists():
            return folder
    raise BuildError(
        "Boost headers not found. Install them: `pip install cmeel-boost`, Debian/Ubuntu "
        "`apt install libboost-dev`, conda `conda install -c conda-forge libboost-headers`."
    )


def _has_old_string_abi(package: Path) -> bool:
    """PyPI's wheel is built with the C++ string ABI from before 2011, conda's is not."""
    for library in package.glob("nestkernel_api*.so"):
        # A method that returns a string carries an ABI tag in its name under the new ABI.
        return b"_ZNK4nest4Node8get_nameB5cxx11Ev" not in library.read_bytes()
    raise BuildError(f"NEST's kernel library nestkernel_api*.so not found in {package}.")


def _sources() -> list[Path]:
    folders = (SOURCE_DIR, INCLUDE_DIR)
    return sorted(p for f in folders for p in f.rglob("*") if p.suffix in {".h", ".cpp"})


def _library_path(toolchain: Toolchain) -> Path:
    key = hashlib.sha256()
    for source in _sources():
        key.update(source.name.encode() + b"\0" + source.read_bytes())
    key.update((toolchain.nest_headers / "config.h").read_bytes())
    compiler = subprocess.run(
        [toolchain.compiler, "--version"], capture_output=True, text=True, check=False
    )
    key.update(repr((compiler.stdout, toolchain.flags())).encode())
    folder = f"nest-{toolchain.nest_version}-{key.hexdigest()[:16]}"
    return cache_dir() / folder / LIBRARY_NAME


def _build(toolchain: Toolchain, library: Path) -> None:
    print("cosim: building the NEST extension, once, about 15 s ...", file=sys.stderr, flush=True)
    for left_over in library.parent.glob("build-*"):  # of a process that was killed
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=library.parent, prefix="build-") as folder:
        units = [p for p in _sources() if p.suffix == ".cpp"]
        objects = [Path(folder) / unit.with_suffix(".o").name for unit in units]
        _run_all(
            [toolchain.compiler, *toolchain.flags(), "-c", str(unit), "-o", str(obj)]
            for unit, obj in zip(units, objects, strict=True)
        )
        # Nothing is linked: NEST has loaded its kernel and OpenMP runtime for all to see.
        linked = Path(folder) / LIBRARY_NAME
        _run_all([[toolchain.compiler, "-shared", "-o", str(linked), *map(str, objects)]])
        os.replace(linked, library)


def _run_all(commands: Iterator[list[str]] | list[list[str]]) -> None:
    """Run the commands side by side and wait for all of them."""
    running = [
        (
            command,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True),
        )
        for command in commands
    ]
    outputs = [
        (command, process.communicate()[0], process.returncode) for command, process in running
    ]
    for command, output, code in outputs:
        if code != 0:
            errors = [line for line in output.splitlines() if "error" in line] or [output]
            raise BuildError(
                "the C++ compiler failed on cosim's NEST extension:\n  "
                + "\n  ".join(errors[:5])
                + f"\nCommand: {' '.join(command)}"
            )
