"""Where and with what a point was computed."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

_GIT_TIMEOUT_S = 10
_SLURM_VARIABLES = ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID")
# Recorded if loaded, so that the record names only what took part.
_PACKAGES = ("numpy", "pyNN", "nest", "brian2")


def provenance(project: Path) -> dict[str, Any]:
    """Describe this process and machine.

    Parameters
    ----------
    project : Path
        Folder inside the project whose git state is recorded.

    Returns
    -------
    dict
        ``versions``, ``git`` (None outside a repository), ``host``, ``platform``, ``cpu`` and
        ``slurm``, JSON-able.
    """
    return {
        "versions": versions(),
        "git": git_state(project),
        "host": platform.node(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "slurm": {name: os.environ[name] for name in _SLURM_VARIABLES if name in os.environ},
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, cosim, numpy and the simulators loaded."""
    import cosim

    found = {"python": platform.python_version(), "cosim": cosim.__version__}
    for name in _PACKAGES:
        if name in sys.modules:
            found[name] = sys.modules[name].__version__
    return found


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return the commit of the repository around `folder`.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    dict or None
        ``sha`` (None before the first commit) and ``dirty`` (tracked files differ from it);
        None outside a repository, without git, or for an installed package, which the
        repository around its environment does not describe.
    """
    if "site-packages" in folder.parts or _git(folder, "rev-parse", "--git-dir") is None:
        return None
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"sha": _git(folder, "rev-parse", "--verify", "--quiet", "HEAD"), "dirty": bool(status)}


def _git(folder: Path, *arguments: str) -> str | None:
    # Without optional locks, points that start together do not compete for the index.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # Not Linux.
    return platform.processor() or platform.machine()


def peak_rss_mb() -> float:
    """Return the largest resident memory of this process so far (MB, 1e6 bytes)."""
    try:
        # Not ru_maxrss: on Linux it survives exec, so a child starts with its parent's peak.
        with open("/proc/self/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass  # Not Linux.
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
