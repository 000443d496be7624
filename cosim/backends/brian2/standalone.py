"""Simulations as one compiled program: Brian2's C++ standalone mode behind the PyNN API.

Brian2 writes a C++ program for the whole simulation. Here its compiled form is kept in the user's
cache and used again by every simulation that differs in numbers only: all of them, the seed and
the duration included, are read from files. How many cells, synapses and given spikes there are is
part of the program. `run` notes for how long to simulate; the program runs when a value is read.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2.core.names import find_name
from brian2.core.variables import DynamicArrayVariable
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices

from cosim.backends.compiling import (
    BuildError,
    cache_dir,
    find_compiler,
    find_make,
    locked_folder,
)

from . import control

_DEVICE = "cosim_standalone"


class Device(CPPStandaloneDevice):
    """Brian2's device, with numbers in files instead of code."""

    def fill_with_array(self, var: Any, arr: Any) -> None:
        """Set the values of a variable; one value for all is repeated."""
        values = np.asarray(arr)
        dynamic = isinstance(var, DynamicArrayVariable)
        if values.size == 1 and not dynamic:
            values = np.full(var.size, values.item(), dtype=var.dtype)
        if values.size != 1:
            super().fill_with_array(var, values)
            return
        # What follows is Brian2's way for arrays, which it does not go for a single number.
        self.array_cache[var] = None if dynamic else values.astype(var.dtype)
        name = self.get_array_name(var, access_data=False)
        value = self.static_array(name, values.astype(var.dtype))
        size = f"{name}.size()" if dynamic else f"_num_{name}"
        self.insert_code("main", f"for (int i = 0; i < {size}; i++) {name}[i] = {value}[0];")

    def code_object(self, owner: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a code object, with a name that does not depend on earlier simulations."""
        return super().code_object(owner, find_name(name, self.code_objects), *args, **kwargs)

    def seed(self, seed: int | None = None) -> None:
        """Seed Brian2's own random numbers."""
        if seed is None:
            super().seed()
            return
        name = self.static_array("seed", np.array([seed], dtype=np.int64))
        self.insert_code("main", f"brian::_random_generators[0].seed({name}[0]);")

    def network_run(self, net: Any, duration: Any, *args: Any, **kwargs: Any) -> None:
        """Add a run to the program."""
        super().network_run(net, duration, *args, **kwargs)
        name = self.static_array("duration", np.array([float(duration)]))
        literal, value = f"run({float(duration)!r},", f"run({name}[0],"
        position = max(i for i, (kind, _) in enumerate(self.main_queue) if kind == "run_network")
        kind, (network, lines) = self.main_queue[position]
        lines = [line.replace(literal, value) for line in lines]
        self.main_queue[position] = (kind, (network, lines))


all_devices[_DEVICE] = Device()


class State(control.State):
    """State of a simulation that runs as one program."""

    def clear(self) -> None:
        """Forget everything, for a new simulation."""
        self._folder: tempfile.TemporaryDirectory | None = None
        self._steps = 0
        self._has_run = False
        brian2.set_device(_DEVICE, build_on_run=False)
        brian2.device.reinit()
        brian2.device.activate(build_on_run=False)
        self._begin()

    @property
    def step(self) -> int:
        """Number of time steps asked for so far."""
        return self._steps

    def run_until(self, tstop: float) -> None:
        """Note that the simulation is to go on to a time in ms."""
        if self._has_run:
            raise RuntimeError(
                f"run: the simulation to {self.t} ms has taken place, since values were read, and "
                "a standalone program cannot go on. Read values after the last run, or use the "
                "backend 'brian2'"
            )
        self._steps += max(self._steps_until(tstop), 0)
        self.running = True

    def check_changeable(self, what: str) -> None:
        """Refuse to change a value after the first `run`.

        Raises
        ------
        RuntimeError
            After the first `run`.
        """
        if self.running:
            raise RuntimeError(
                f"{what}: cannot be changed after run(): a standalone simulation takes place as a "
                "whole. Change it before, or use the backend 'brian2'"
            )

    def settle(self) -> None:
        """Run the simulation that `run` asked for."""
        if self._has_run or not self.running:
            return
        self._prepare(self.t)
        self.network.run(self._steps * self.network.clock.dt, namespace={})
        self._has_run = True
        self._folder = tempfile.TemporaryDirectory(prefix="cosim-brian2-")
        device = brian2.device
        device.build(directory=self._folder.name, compile=False, run=False)
        program = find_or_build(Path(self._folder.name))
        brian2.prefs["devices.cpp_standalone.run_cmd_unix"] = [str(program)]
        device.run(with_output=False)


def find_or_build(project: Path) -> Path:
    """Return the compiled program of a project, compiling it if it is not in the cache.

    Parameters
    ----------
    project : pathlib.Path
        Folder with the sources and the makefile that Brian2 has written.

    Raises
    ------
    BuildError
        If there is no compiler or make, or they fail.
    """
    compiler = find_compiler()
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    key = hashlib.sha256(version.stdout.encode())
    sources = [p for p in project.rglob("*") if p.suffix in {".cpp", ".h"} or p.name == "makefile"]
    for source in sorted(sources):
        key.update(str(source.relative_to(project)).encode() + b"\0" + source.read_bytes())
    folder = cache_dir() / f"brian2-standalone-{key.hexdigest()[:16]}"
    program = folder / "main"
    if not program.exists():
        with locked_folder(folder):
            if not program.exists():
                _build(project, program)
    return program


def _build(project: Path, program: Path) -> None:
    print("cosim: compiling the Brian2 simulation, once, about 20 s ...", flush=True)
    make = subprocess.run(
        [find_make(), "-j", "2"], cwd=project, capture_output=True, text=True, check=False
    )
    if make.returncode != 0:
        lines = [line for line in make.stderr.splitlines() if "error" in line] or [make.stderr]
        raise BuildError("the C++ compiler failed on Brian2's code:\n  " + "\n  ".join(lines[:5]))
    # Renamed into its place, so that it is never found half written.
    copy = program.with_suffix(".new")
    copy.write_bytes((project / "main").read_bytes())
    copy.chmod(0o755)
    copy.replace(program)


setup = control.build_setup(State)


def reset(annotations: Any = None) -> None:
    """Refuse to go back.

    Raises
    ------
    RuntimeError
        Always.
    """
    raise RuntimeError(
        "reset: a standalone program runs once; call setup() and build the network anew, or use "
        "the backend 'brian2'"
    )
