"""cosim: networks described once in PyNN, run on simulators and emulated neuromorphic hardware.

Importing this package is cheap: simulators, pandas and matplotlib are loaded when first needed.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosim.backends import Capabilities, available_backends, backend
    from cosim.errors import InputError
    from cosim.record import RunRecord
    from cosim.runner import run
    from cosim.spec import RunSpec, resolve
    from cosim.study import main
    from cosim.sweep import Sweep
    from cosim.sweep_runner import run_sweep

# Public name to the module that defines it.
_PUBLIC = {
    "Capabilities": "cosim.backends",
    "available_backends": "cosim.backends",
    "backend": "cosim.backends",
    "InputError": "cosim.errors",
    "RunRecord": "cosim.record",
    "run": "cosim.runner",
    "RunSpec": "cosim.spec",
    "resolve": "cosim.spec",
    "main": "cosim.study",
    "Sweep": "cosim.sweep",
    "run_sweep": "cosim.sweep_runner",
}

__all__ = [
    "Capabilities",
    "InputError",
    "RunRecord",
    "RunSpec",
    "Sweep",
    "__version__",
    "available_backends",
    "backend",
    "main",
    "resolve",
    "run",
    "run_sweep",
]


def _refuse_shadowed_rooms() -> None:
    """Raise ImportError if a foreign package takes the place of one installed beside cosim."""
    root = Path(__file__).resolve().parent.parent
    for name in ("models", "devices"):
        if not (root / name / "__init__.py").is_file():
            continue
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue  # Ours is off the path: importing it says so itself.
        ours = root / name
        found = Path(spec.origin or "").resolve()
        if ours not in found.parents:
            raise ImportError(
                f"the package {name!r} of cosim ({ours}) is hidden by another one of the same "
                f"name, {found}: rename or uninstall that one, or start Python from another folder"
            )


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("cosim")
        except PackageNotFoundError:
            return "0+uninstalled"  # Run from a source tree.
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'cosim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_refuse_shadowed_rooms()
