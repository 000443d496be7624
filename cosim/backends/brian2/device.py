"""Devices as Brian2 functions: the same numbers as `devices.effects`.

C++ and Cython code include the header that the NEST extension uses, and find the parameters of the
device in an array, so that the code is the same whatever they are; numpy code calls
`devices.effects`.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import brian2
import numpy as np

from cosim.backends import device_parameters
from cosim.backends.compiling import INCLUDE_DIR
from devices import Memristor, effects
from devices.noise import Key

_HEADER = INCLUDE_DIR / "device_functions.h"
# Compiled code is found in caches by its text, of which the headers are no part.
_VERSION = hashlib.sha256(
    b"".join((INCLUDE_DIR / name).read_bytes() for name in (_HEADER.name, "device.h", "noise.h"))
).hexdigest()[:16]

_INTEGERS = {"device", "event", "n_events", "n_reads", "n_writes"}
_RETURN_INTEGERS = {"device_programs", "device_pulses", "device_perturbs"}
# The size of an array is part of a standalone program: few sizes make few programs.
_BLOCK = 64


class _InNumpy:
    """The functions of ``device_functions.h``, for arrays."""

    def __init__(self, device: Memristor, key: Key) -> None:
        self._device, self._key = device, key

    def device_programs(self, state: Any, wanted: Any, device: Any, n_writes: Any) -> np.ndarray:
        return ((wanted != state) & self._lives(device, n_writes)).astype(np.int32)

    def device_program(
        self, state: Any, wanted: Any, floor: Any, p_max: Any, device: Any, event: Any,
        n_writes: Any,
    ) -> np.ndarray:  # fmt: skip
        return self._program(state, wanted, floor, p_max, device, event, n_writes).state

    def device_pulses(
        self, state: Any, wanted: Any, p_max: Any, device: Any, event: Any, n_writes: Any
    ) -> np.ndarray:
        # How many there are does not depend on the floor.
        return self._program(state, wanted, 0.0, p_max, device, event, n_writes).n_writes

    def device_perturbs(self, device: Any, n_writes: Any) -> np.ndarray:
        return self._lives(device, n_writes).astype(np.int32)

    def device_perturb(
        self, state: Any, floor: Any, p_max: Any, device: Any, event: Any, n_writes: Any
    ) -> np.ndarray:
        return effects.perturb(
            self._device, state, floor, np.asarray(p_max).item(), event, self._key, device, n_writes
        ).state

    def device_conductance(
        self, w: Any, w_range: Any, device: Any, n_events: Any, age_s: Any
    ) -> np.ndarray:
        return effects.conductance(self._device, w, w_range, n_events, self._key, device, age_s)

    def device_read_factor(self, device: Any, n_reads: Any) -> np.ndarray:
        return effects.read_factor(self._device, n_reads, self._key, device)

    def _program(
        self, state: Any, wanted: Any, floor: Any, p_max: Any, device: Any, event: Any,
        n_writes: Any,
    ) -> effects.Programmed:  # fmt: skip
        return effects.program(
            self._device, state, wanted, floor, np.asarray(p_max).item(), event, self._key, device,
            n_writes,
        )  # fmt: skip

    def _lives(self, device: Any, n_writes: Any) -> np.ndarray:
        return n_writes < effects.life(self._device, self._key, device)


def device_functions(device: Memristor, key: Key, name: str) -> dict[str, brian2.Function]:
    """Return the functions of ``device_functions.h`` for one kind of device.

    Parameters
    ----------
    device : Memristor
        A resolved device.
    key : tuple of int
        Of its noise.
    name : str
        Name that no other kind of device has, the same in every run of a script.

    Returns
    -------
    dict of str to brian2.Function
        By their names in the code. Conductances may have any unit.
    """
    numbers = device_parameters.pack(device, key)
    parameters = _parameters(np.pad(numbers, (0, -len(numbers) % _BLOCK)), f"device_of_{name}")
    in_numpy = _InNumpy(device, key)
    public = [name for name in vars(_InNumpy) if name.startswith("device_")]
    return {name: _function(name, getattr(in_numpy, name), parameters) for name in public}


def _parameters(numbers: np.ndarray, name: str) -> brian2.Function:
    """Return the function of compiled code that gives the array of parameters."""
    function = brian2.Function(lambda: numbers, arg_units=[], return_unit=1)
    getters = {
        "cpp": f"static inline const double* device_parameters() {{ return _namespace{name}; }}",
        "cython": f"cdef inline const double* device_parameters() noexcept nogil:\n"
        f"    return _namespace{name}",
    }
    for target, code in getters.items():
        function.implementations.add_implementation(
            target, code, name="device_parameters", namespace={name: numbers}
        )
    return function


def _function(
    name: str, in_numpy: Callable[..., np.ndarray], parameters: brian2.Function
) -> brian2.Function:
    arguments = list(inspect.signature(in_numpy).parameters)
    types = ["integer" if argument in _INTEGERS else "float" for argument in arguments]
    units: dict[str, Any] = {"w": None, "w_range": "w"}
    function = brian2.Function(
        in_numpy,
        arg_names=arguments,
        arg_units=[units.get(argument, 1) for argument in arguments],
        arg_types=types,
        return_unit=(lambda w, *_: w) if arguments[0] == "w" else 1,
        return_type="integer" if name in _RETURN_INTEGERS else "float",
    )
    result = "int" if name in _RETURN_INTEGERS else "double"
    typed = ", ".join(
        f"{'int' if kind == 'integer' else 'double'} {argument}"
        for kind, argument in zip(types, arguments, strict=True)
    )
    passed = ", ".join(arguments)
    compiled = {
        "cpp": (
            f"static inline {result} {name}({typed})  // {_VERSION}\n"
            f"{{ return cosim::{name}(device_parameters(), {passed}); }}",
            {"include_dirs": [str(INCLUDE_DIR)], "headers": [f'"{_HEADER.name}"']},
        ),
        # With the header's path, since Brian2 2.9 forgets `include_dirs` in Cython code.
        "cython": (
            f"# {_VERSION}\n"
            f'cdef extern from "{_HEADER}" namespace "cosim":\n'
            f'    {result} _{name} "cosim::{name}"(const double* parameters, {typed}) nogil\n'
            f"cdef inline {result} {name}({typed}) noexcept nogil:\n"
            f"    return _{name}(device_parameters(), {passed})\n",
            {},
        ),
    }
    function.implementations.add_implementation("numpy", in_numpy)
    for target, (code, options) in compiled.items():
        function.implementations.add_implementation(
            target, code, name=name, dependencies={"device_parameters": parameters},
            compiler_kwds=options,
        )  # fmt: skip
    return function
