"""How Brian2 compiles the code it generates, and where it keeps it.

The second run of a study compiles nothing: compiled code lies in the user's cache under a key made
of the code, and the code does not change between runs, since all objects have reproducible names
(see `control.State.name`).
"""

import warnings

import brian2

from cosim.backends.compiling import (
    BuildError,
    cache_dir,
    check_python_headers,
    find_compiler,
)

# Brian2's own flags let the compiler reorder sums, and make code for the processor it runs on:
# results would depend on the machine, and the nodes of a cluster could not share a cache.
# Contraction of a*b+c would make results depend on the processor, too.
FLAGS = ["-w", "-O3", "-std=c++17", "-ffp-contract=off"]


def configure() -> None:
    """Set Brian2's preferences, but none that the user has set.

    Warns
    -----
    UserWarning
        If code cannot be compiled, so that Brian2 runs its code in numpy.
    """
    _prefer("codegen.cpp.extra_compile_args_gcc", FLAGS)
    _prefer("codegen.runtime.cython.cache_dir", str(cache_dir() / "brian2-cython"))
    if brian2.prefs["codegen.target"] != "auto":
        return
    try:
        find_compiler()
        check_python_headers()
    except BuildError as error:
        warnings.warn(f"Brian2 runs its code in numpy, which is slow: {error}", stacklevel=3)
        brian2.prefs["codegen.target"] = "numpy"
    else:
        # "auto" compiles something to see whether it can.
        brian2.prefs["codegen.target"] = "cython"


def _prefer(name: str, value: object) -> None:
    category, _, key = name.rpartition(".")
    registered, _ = brian2.prefs.pref_register[category]
    if brian2.prefs[name] == registered[key].default:
        brian2.prefs[name] = value
