"""Import PyNN's NEST backend quietly.

At import PyNN 0.13 tries to build its own NEST extension with cmake. On PyPI's NEST that cannot
work, and it prints pages of cmake output. What it would add (three stochastic synapse models) is
then simply not there, as on any NEST without the extension.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _silent() -> Iterator[None]:
    """Send what C++ code prints to nowhere; Python's own streams share the descriptors."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        os.dup2(null, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        for descriptor in (null, *saved):
            os.close(descriptor)


def _import_nest() -> None:
    try:
        import nest  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"the NEST backend needs NEST, which cannot be imported ({error}). Install it with "
            "`pip install 'nest-simulator>=3.10,<3.11'` or "
            "`conda install -c conda-forge nest-simulator=3.10`."
        ) from error


def import_pynn_nest() -> None:
    """Import ``nest`` and ``pyNN.nest`` without their output.

    Raises
    ------
    ImportError
        If NEST is not installed.
    """
    if "pyNN.nest" in sys.modules:
        return
    os.environ.setdefault("PYNEST_QUIET", "1")
    import pyNN.core

    find = pyNN.core.find
    try:
        # Without nest-config PyNN does not start cmake.
        pyNN.core.find = lambda command: None if command == "nest-config" else find(command)
        with _silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _import_nest()
            import pyNN.nest  # noqa: F401
    finally:
        pyNN.core.find = find
    # PyNN 0.13 uses calls that NEST 3.10 deprecates; nothing its users could do about it.
    warnings.filterwarnings("ignore", r"\s*[GS]etStatus\(\) is deprecated", UserWarning)


import_pynn_nest()
