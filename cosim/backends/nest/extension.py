"""The compiled extension in the running process: install its models, read and write synapses."""

import ctypes
from functools import cache
from pathlib import Path

import nest
import numpy as np

from . import build

_DOUBLES = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
_LONGS = np.ctypeslib.ndpointer(np.int64, flags="C_CONTIGUOUS")


@cache
def library() -> ctypes.CDLL:
    """Return the loaded extension; it is built first if need be.

    Raises
    ------
    build.BuildError
        If it cannot be built.
    """
    lib = ctypes.CDLL(str(_path()))
    lib.cosim_select.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_long]
    lib.cosim_select.restype = ctypes.c_void_p
    lib.cosim_keep_one.argtypes = [ctypes.c_void_p, ctypes.c_long]
    lib.cosim_release.argtypes = [ctypes.c_void_p]
    lib.cosim_size.argtypes = [ctypes.c_void_p]
    lib.cosim_size.restype = ctypes.c_long
    lib.cosim_addresses.argtypes = [ctypes.c_void_p, _LONGS, _LONGS]
    for function in (lib.cosim_read, lib.cosim_write):
        function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, _DOUBLES]
        function.restype = ctypes.c_int
    lib.cosim_delivered_until.restype = ctypes.c_long
    lib.cosim_last_error.restype = ctypes.c_char_p
    for function in (lib.cosim_time_ms, lib.cosim_time_step_ms, lib.cosim_min_delay_ms):
        function.restype = ctypes.c_double
    for function in (lib.cosim_normal, lib.cosim_uniform):
        function.argtypes = [ctypes.c_uint32] * 6
        function.restype = ctypes.c_double
    lib.cosim_normal_quantile.argtypes = [ctypes.c_double]
    lib.cosim_normal_quantile.restype = ctypes.c_double
    return lib


@cache
def _path() -> Path:
    return build.find_or_build()


def install() -> None:
    """Make the extension's models known to NEST, whose kernel forgets them at each reset."""
    if "iaf_psc_exp_dAP" not in nest.node_models:
        nest.Install(str(_path()))


class Synapses:
    """The synapses of a projection as NEST holds them now; use as a context manager.

    NEST reorders synapses when a simulation starts, so a selection is only good until then.

    Parameters
    ----------
    model : str
        Name of the NEST synapse model.
    labels : range
        NEST's synapse labels, in whose order the synapses come; empty: all synapses of the model.
    """

    #: Models that can be visited in bulk, our own for all their variables; others are asked one by
    #: one.
    _OWN = ("memristive_synapse", "programmed_synapse")
    _VISITABLE = ("static_synapse", *_OWN)

    def __init__(self, model: str, labels: range) -> None:
        self._library = library()
        self._visitable = model.startswith(self._VISITABLE)
        self._own = model.startswith(self._OWN)
        self._handle = self._library.cosim_select(model.encode(), labels.start, len(labels))
        if not self._handle:
            self._raise()

    def __enter__(self) -> "Synapses":
        return self

    def __exit__(self, *exception: object) -> None:
        self._library.cosim_release(self._handle)

    def __len__(self) -> int:
        return int(self._library.cosim_size(self._handle))

    def keep_one(self, index: int) -> None:
        """Go on with one of the synapses only."""
        self._library.cosim_keep_one(self._handle, index)

    def addresses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the node ids of sources and targets, int64 of shape (n,)."""
        sources, targets = np.empty(len(self), np.int64), np.empty(len(self), np.int64)
        self._library.cosim_addresses(self._handle, sources, targets)
        return sources, targets

    def read(self, variable: str) -> np.ndarray:
        """Return a variable of each synapse in NEST units, float64 of shape (n,)."""
        values = np.empty(len(self))
        by_visit = self._visitable and (self._own or variable in ("weight", "delay"))
        if self._library.cosim_read(self._handle, variable.encode(), by_visit, values):
            self._raise()
        return values

    def write(self, variable: str, values: np.ndarray) -> None:
        """Set a variable of each synapse, in NEST units."""
        values = np.ascontiguousarray(np.broadcast_to(values, (len(self),)), dtype=float)
        by_visit = self._own and variable != "delay"
        if self._library.cosim_write(self._handle, variable.encode(), by_visit, values):
            self._raise()

    def _raise(self) -> None:
        raise nest.NESTError(self._library.cosim_last_error().decode())
