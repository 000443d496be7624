"""The error for names of the vendor's packages that the emulation has no object for."""

from collections.abc import Callable
from typing import Any

ADVICE = (
    "the emulation has no registers to access; set parameters of populations and projections "
    "instead, and change them within a run between snippets: "
    "pynn.run(runtime, pynn.RunCommand.APPEND)"
)


def refuse(package: str) -> Callable[[str], Any]:
    """Make a module's ``__getattr__``, which refuses all names that the module doesn't have.

    Parameters
    ----------
    package : str
        Name of the vendor's package.

    Returns
    -------
    callable
    """

    def getattribute(name: str) -> Any:
        raise AttributeError(f"{package}.{name}: {ADVICE}")

    return getattribute
