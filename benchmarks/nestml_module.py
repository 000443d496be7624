"""Builds the NEST extension module of NESTML's own sequence-learning models.

The two ``.nestml`` files are those that the nestml package installs: the neuron of its
sequence-learning tutorial and ``stdsp_synapse`` of its model library, unchanged. Code
generation and compilation are NESTML's own, with the options of the tutorial.
"""

import os
import shutil
import sys
import tempfile
from contextlib import chdir
from importlib import metadata
from pathlib import Path

NESTML_VERSION = "9.0.0"
NEURON = "iaf_psc_exp_nonlineardendrite_neuron"
SYNAPSE = "stdsp_synapse"
SUFFIX = "_nestml"
NEURON_MODEL = f"{NEURON}{SUFFIX}__with_{SYNAPSE}{SUFFIX}"
SYNAPSE_MODEL = f"{SYNAPSE}{SUFFIX}__with_{NEURON}{SUFFIX}"
MODULE = "sequencelearningmodule"
CXX_FLAGS = "-std=c++20 -fopenmp -O3 -DNDEBUG -D_GLIBCXX_USE_CXX11_ABI=0"
INSTALL_HINT = 'Install what the benchmarks need: pip install ".[bench]"'


def module_path() -> Path:
    """Path of the compiled module, built first if the cache has none for these versions."""
    require_nestml()
    try:
        nest_version = metadata.version("nest-simulator")
    except metadata.PackageNotFoundError:
        sys.exit("benchmark peer: it needs PyPI's NEST: pip install nest-simulator")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cosim" / "benchmarks"
    folder = cache / f"nestml-{NESTML_VERSION}-nest-{nest_version}-{python}"
    library = folder / f"{MODULE}.so"
    if not library.exists():
        build(folder, nest_version)
    return library


def require_nestml() -> None:
    """Exit with what to install unless the compared version of NESTML is there."""
    try:
        found = metadata.version("nestml")
    except metadata.PackageNotFoundError:
        sys.exit(f"benchmark peer: nestml {NESTML_VERSION} is not installed. {INSTALL_HINT}")
    if found != NESTML_VERSION:
        sys.exit(
            f"benchmark peer: nestml {found} is installed, but the comparison is with "
            f"{NESTML_VERSION} (the sign of negative weights changed there). {INSTALL_HINT}"
        )
    missing = [tool for tool in ("cmake", "make", "g++") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"benchmark peer: NESTML needs {', '.join(missing)} on the PATH to compile.")


def build(folder: Path, nest_version: str) -> None:
    """Generate and compile the module, and move it to `folder` once it is complete."""
    from pynestml.frontend.pynestml_frontend import generate_nest_target

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, chdir(scratch):
        work = Path(scratch)
        write_ltdl_header(work)
        write_nest_config(work)
        generate_nest_target(
            input_path=[
                str(installed_file("nestml", f"{NEURON}.nestml")),
                str(installed_file("nestml", f"{SYNAPSE}.nestml")),
            ],
            target_path=str(work / "generated"),
            install_path=str(work / "installed"),
            module_name=MODULE,
            suffix=SUFFIX,
            codegen_opts={
                "nest_path": str(work),
                "nest_version": f"v{nest_version}",
                "neuron_synapse_pairs": [
                    {
                        "neuron": NEURON,
                        "synapses": {
                            SYNAPSE: {"post_ports": ["post_spikes", ["dAP_trace", "dAP_trace"]]}
                        },
                    }
                ],
                "weight_variable": {SYNAPSE: "w"},
                "continuous_state_buffering_method": "post_spike_based",
            },
        )
        os.replace(work / "installed" / f"{MODULE}.so", folder / f"{MODULE}.so")


def write_ltdl_header(prefix: Path) -> None:
    """Write an ``include/ltdl.h`` with the one type that NEST's headers take from libtool.

    They only hold it as an opaque handle, so libtool's development files aren't needed.
    """
    header = prefix / "include" / "ltdl.h"
    header.parent.mkdir()
    header.write_text("#pragma once\ntypedef struct lt__handle* lt_dlhandle;\n")


def write_nest_config(prefix: Path) -> None:
    """Write a ``bin/nest-config`` that names the installed headers and a local compiler.

    The one in the PyPI wheel names paths of the machine on which the wheel was built.
    """
    answers = {
        "compiler": "g++",
        "cflags": CXX_FLAGS,
        "includes": " ".join(f"-I{path}" for path in [*include_paths(), prefix / "include"]),
        "libs": "",
        "prefix": str(prefix / "installed"),
        "libdir": "lib",
        "static-libraries": "",
    }
    cases = "\n".join(f"--{option}) echo '{answer}' ;;" for option, answer in answers.items())
    script = prefix / "bin" / "nest-config"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\nesac\n')
    script.chmod(0o755)


def include_paths() -> list[Path]:
    """Folders with the headers of NEST and, where PyPI's are installed, of Boost."""
    nest = installed_file("nest-simulator", "nest/include/nest/archiving_node.h").parent
    try:
        boost = installed_file("cmeel-boost", "include/boost/type_index.hpp").parents[1]
    except metadata.PackageNotFoundError:
        return [nest]
    return [nest, boost]


def installed_file(package: str, path: str) -> Path:
    """Path of the file of the installed `package` that ends in `path`."""
    for file in metadata.files(package) or []:
        if str(file).endswith(path):
            return Path(str(file.locate())).resolve()
    sys.exit(f"benchmark peer: the installed {package} has no file {path!r}. {INSTALL_HINT}")


if __name__ == "__main__":
    print(module_path())
