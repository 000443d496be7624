"""The fitted device, how sure its parameters are, and how well it describes the readings."""

import dataclasses
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.array import DeviceArray
from devices.fitting.choice import Candidate
from devices.measurements import Pulses
from devices.memristor import Memristor

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of the device as it was estimated.

    Parameters
    ----------
    name : str
        As in `Memristor` or `Update`.
    value : float or None
        The estimate; None: the readings do not tell.
    low, high : float or None
        90 % interval.
    unit : str
        Of value and interval.
    note : str
        How it was obtained, or why not.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    note: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """A device fitted to measured pulse trains.

    Parameters
    ----------
    device : Memristor
        Ready for use. What the readings do not tell is None, unknown, and counts as absent.
    parameters : tuple of Parameter
        Every parameter that was looked for.
    pulses : Pulses
        The readings.
    g_min, g_max : ndarray, shape (devices,)
        Bounds of each device, µS; NaN for a stuck one.
    step_up, step_down : ndarray, shape (devices,)
        Nominal steps of each device, as fractions of its range; NaN for a stuck one.
    stuck : ndarray of bool, shape (devices,)
        Devices that do not respond to pulses.
    residuals : ndarray, shape (devices, n)
        Differences between readings and what the readings before them predict, over the predicted
        standard deviations; NaN where there are none.
    r2_path : float
        Share of the variance of the conductance that the law explains without noise, started from
        each device's first reading, with its own bounds and steps.
    r2_change : float
        Share of the mean square change from reading to reading that is predicted.
    autocorrelation : float
        Correlation of successive residuals; about 0 if the noise is described.
    candidates : tuple of Candidate
        The models that were compared.
    best : Candidate
        That which was chosen.
    """

    device: Memristor
    parameters: tuple[Parameter, ...]
    pulses: Pulses
    g_min: FloatArray
    g_max: FloatArray
    step_up: FloatArray
    step_down: FloatArray
    stuck: BoolArray
    residuals: FloatArray
    r2_path: float
    r2_change: float
    autocorrelation: float
    candidates: tuple[Candidate, ...]
    best: Candidate

    def __getitem__(self, name: str) -> Parameter:
        """Return a parameter by its name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(parameter.name for parameter in self.parameters)
        raise KeyError(f"Fit: no parameter {name!r}, there are {known}")

    def table(self) -> list[dict[str, Any]]:
        """Return the parameters as rows of a table, ready for `pandas.DataFrame`."""
        return [dataclasses.asdict(parameter) for parameter in self.parameters]

    def predicted(self, *, copies: int = 1, seed: int = 1) -> Pulses:
        """Simulate the measurement with the fitted device.

        Parameters
        ----------
        copies : int, optional
            Devices simulated for each one measured, with the same pulses.
        seed : int, optional
            Seed of the noise.

        Returns
        -------
        Pulses
            Readings of other devices of the same kind: their bounds and steps are drawn anew.
        """
        n, pulses = self.pulses.n_devices, self.pulses
        direction = np.zeros((n, int(pulses.pulse.max()) + 1), dtype=np.int8)
        direction[pulses.device, pulses.pulse] = pulses.direction
        first = np.zeros(n)
        initial = pulses.pulse == 0
        first[pulses.device[initial]] = pulses.conductance[initial]
        state = np.clip((first - self.g_min) / (self.g_max - self.g_min), 0.0, 1.0)
        array = DeviceArray(self.device, n * copies, seed=seed, label="predicted",
                            initial=np.tile(np.nan_to_num(state), copies))  # fmt: skip
        # The readings of a state have any numbers; here they count from 0.
        new_state = np.diff(pulses.device * direction.shape[1] + pulses.pulse, prepend=-1) != 0
        begin = np.maximum.accumulate(np.where(new_state, np.arange(new_state.size), 0))
        read = np.arange(new_state.size) - begin
        conductance = np.empty((copies, pulses.conductance.size))
        for k in range(direction.shape[1]):
            if k:
                array.pulse(np.tile(direction[:, k], copies))
            now = pulses.pulse == k
            for r in range(int(read[now].max()) + 1):
                rows = now & (read == r)
                values = array.read().reshape(copies, n)
                conductance[:, rows] = values[:, pulses.device[rows]]
        names = pulses.names if copies == 1 else tuple(
            f"{name}/{copy}" for copy in range(copies) for name in pulses.names
        )  # fmt: skip
        return Pulses(
            names=names,
            device=(pulses.device + n * np.arange(copies)[:, None]).reshape(-1),
            pulse=np.tile(pulses.pulse, copies),
            direction=np.tile(pulses.direction, copies),
            conductance=conductance.reshape(-1),
            read=np.tile(pulses.read, copies),
            source="predicted",
        )

    def report(self) -> str:
        """Return the fit as plain text."""
        pulses = self.pulses
        counts = np.bincount(pulses.device[pulses.direction != 0], minlength=pulses.n_devices)
        title = f"Device fitted to {Path(pulses.source).name}"
        lines = [
            title,
            "=" * len(title),
            f"{pulses.n_devices} devices ({int(self.stuck.sum())} do not respond), "
            f"{counts.min()} to {counts.max()} pulses each, {pulses.conductance.size} readings",
            f"Law and noise: {self.best.name}",
            "",
            *_columns(
                ("parameter", "value", "90 % interval", "unit", "note"),
                [(p.name, _number(p.value), _interval(p), p.unit, p.note) for p in self.parameters],
            ),
            "",
            f"Share of the conductance's variance that the law explains alone: {self.r2_path:.4f}",
            f"Share of the mean square change that is predicted:               "
            f"{self.r2_change:.4f}",
            f"Correlation of successive residuals (0: noise described):        "
            f"{self.autocorrelation:+.4f}",
            f"Standard deviation of the residuals (1: noise described):        "
            f"{np.nanstd(self.residuals):.4f}",
            "",
            "Models compared (BIC, differences from the least; of those within 2 the simplest is",
            "taken; noise terms are compared for the best law):",
        ]
        least = min(fitted.bic for fitted in self.candidates)
        rows: list[tuple[str, ...]] = [
            (
                fitted.name,
                f"{fitted.bic - least:.1f}",
                "" if fitted.optimum.converged else "not converged",
                "<- taken" if fitted is self.best else "",
            )
            for fitted in self.candidates
        ]
        lines += _columns(("model", "difference", "", ""), rows)
        unknown = ", ".join(self.device.unknown)
        lines += ["", "Not in the readings, counted as absent when the device is used:"]
        lines += textwrap.wrap(unknown, 96, initial_indent="  ", subsequent_indent="  ")
        lines += ["Set what you know of them: dataclasses.replace(device, name=value)."]
        return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.5g}"


def _interval(parameter: Parameter) -> str:
    if parameter.low is None or parameter.high is None:
        return ""
    return f"{parameter.low:.4g} ... {parameter.high:.4g}"


def _columns(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    table = [headers, *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
