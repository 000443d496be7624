"""Device noise as Brian2 functions, the same numbers as `devices.noise`.

`device_uniform` and `device_normal` take the two words of the noise key, the device index, the
event number and the stream. C++ and Cython code include the header that the NEST extension uses;
numpy code calls `devices.noise`.
"""

import hashlib
from typing import Any

import brian2
import numpy as np

from cosim.backends.compiling import INCLUDE_DIR
from devices import noise

_HEADER = INCLUDE_DIR / "device_noise.h"
# Compiled code is found in caches by its text, of which the headers are no part.
_VERSION = hashlib.sha256(
    _HEADER.read_bytes() + (INCLUDE_DIR / "noise.h").read_bytes()
).hexdigest()[:16]

_CPP = "using cosim::{name};  // {version}"

# With its path, since Brian2 2.9 forgets a function's `include_dirs` in Cython code.
_CYTHON = """
# {version}
cdef extern from "{header}" namespace "cosim":
    double {name}(double word_0, double word_1, int device, int event, int stream) nogil
"""


def _key(word_0: Any, word_1: Any) -> noise.Key:
    return int(np.ravel(word_0)[0]), int(np.ravel(word_1)[0])


def _uniform(word_0: Any, word_1: Any, device: Any, event: Any, stream: Any) -> np.ndarray:
    return noise.uniform(_key(word_0, word_1), device, event, noise.Stream(stream))


def _normal(word_0: Any, word_1: Any, device: Any, event: Any, stream: Any) -> np.ndarray:
    return noise.normal(_key(word_0, word_1), device, event, noise.Stream(stream))


def _function(name: str, in_numpy: Any) -> brian2.Function:
    function = brian2.Function(
        in_numpy,
        arg_units=[1, 1, 1, 1, 1],
        arg_types=["float", "float", "integer", "integer", "integer"],
        return_unit=1,
        return_type="float",
    )
    function.implementations.add_implementation(
        "cpp",
        _CPP.format(name=name, version=_VERSION),
        name=name,
        compiler_kwds={"include_dirs": [str(INCLUDE_DIR)], "headers": [f'"{_HEADER.name}"']},
    )
    function.implementations.add_implementation(
        "cython", _CYTHON.format(name=name, version=_VERSION, header=_HEADER), name=name
    )
    return function


#: Names in Brian2 code.
FUNCTIONS = {
    "device_uniform": _function("device_uniform", _uniform),
    "device_normal": _function("device_normal", _normal),
}
