"""A model that does what it is told: succeed, raise, or take its process down.

Second line, which no summary shows.
"""

import os
import sys
import time
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

MODEL = "toys.behave"

nan_metrics = frozenset({"latency"})


@dataclass(frozen=True)
class Device:
    on_off_ratio: float = 10.0
    n_levels: int | None = None
    ideal: bool = False

    def __post_init__(self):
        if self.on_off_ratio <= 1:
            raise ValueError(f"on_off_ratio={self.on_off_ratio}, need > 1")


@dataclass(frozen=True)
class Parameters:
    timestep: float = 0.1
    behaviour: Literal["succeed", "raise", "abort", "exit", "hang", "nan", "clash"] = "succeed"
    duration_s: float = 0.0
    journal: str = ""
    sequences: tuple[tuple[str, ...], ...] = (("A", "B"),)
    delays: tuple[float, float] = (1.0, 2.0)
    device: Device = field(default_factory=Device)


def simulate(sim, parameters, *, seed, progress):
    _note(parameters.journal, f"start {seed} {os.getpid()}")
    if parameters.behaviour == "hang":
        time.sleep(60)
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.run(1.0)
    end = time.monotonic() + parameters.duration_s
    while time.monotonic() < end:
        progress(1 - (end - time.monotonic()) / parameters.duration_s)
        time.sleep(0.01)
    if parameters.behaviour == "raise":
        raise RuntimeError("told to raise\nin two lines")
    if parameters.behaviour == "abort":
        print("about to abort")
        os.abort()
    if parameters.behaviour == "exit":
        print("about to exit")
        sys.exit(3)
    metrics = {
        "score": parameters.device.on_off_ratio * seed,
        "latency": float("nan"),
        "n_cells": np.int64(cells.size),
    }
    if parameters.behaviour == "nan":
        metrics["score"] = float("nan")
    if parameters.behaviour == "clash":
        metrics["wall_s"] = 1.0
    _note(parameters.journal, f"end {seed} {os.getpid()}")
    return metrics, {"spikes": np.arange(3), "file": np.ones((2, 2))}


def _note(journal, line):
    if journal:
        with open(journal, "a", buffering=1) as file:
            file.write(line + "\n")
