"""Brian2's C++ standalone mode behind the PyNN 0.13 API: the backend ``brian2``, compiled whole.

The same module as `cosim.backends.brian2`, several times faster for long runs, with one
restriction: the simulation takes place as a whole when the first value is read, so nothing can be
changed between runs, and there are neither `reset` nor injected currents.
"""

from typing import NoReturn

from cosim.backends.brian2 import *  # noqa: F403
from cosim.backends.brian2.standalone import reset, setup  # noqa: F401
from cosim.backends.checks import declare, lacking

# They change a variable while the simulation runs, which Brian2 leaves to Python.
for _name in ("ACSource", "DCSource", "NoisyCurrentSource", "StepCurrentSource"):
    del globals()[_name]

capabilities = declare(
    "brian2_standalone", globals(), threads=False, tau_minus_arrays=True, interactive=False
)


def __getattr__(name: str) -> NoReturn:
    raise lacking(name, capabilities)
