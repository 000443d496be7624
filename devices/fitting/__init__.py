"""Fit of a device to measured pulse trains; ``docs/your_device.md`` has the method.

`fit` takes what `devices.measurements.read_pulses` has read. Needs scipy and numba, so it is not
imported with `devices`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from devices.fitting import filter as filter_
from devices.fitting.choice import Candidate, candidates
from devices.fitting.estimate import Estimate
from devices.fitting.result import Fit, Parameter
from devices.fitting.series import Series, read_noise, series_of
from devices.fitting.shapes import LAWS, shapes
from devices.fitting.start import start_of
from devices.measurements import Pulses
from devices.update import Law

__all__ = ["Fit", "Parameter", "fit"]

FloatArray = npt.NDArray[np.float64]


def fit(pulses: Pulses, laws: Sequence[Law] = LAWS) -> Fit:
    """Fit a device to measured pulse trains.

    Bounds and steps of each device, the law that the devices share, noise that stays in the state
    and noise that does not are estimated together, by the likelihood of each reading given those
    before it. The law and the terms of the noise are chosen by the corrected Akaike criterion.

    Parameters
    ----------
    pulses : Pulses
        Complete series, as `devices.measurements.read_pulses` makes sure of.
    laws : sequence of str, optional
        Update laws to choose from.

    Returns
    -------
    Fit
        The device, ready for use, and how well it is known.

    Raises
    ------
    ValueError
        If a law is unknown, or no device responds to pulses.
    """
    wanted = shapes(tuple(law for law in LAWS if law in laws) + _unknown(laws))
    if not wanted:
        raise ValueError(f"fit: laws={tuple(laws)}, need some of {', '.join(LAWS)}")
    everything = series_of(pulses)
    stuck = everything.stuck()
    if np.all(np.ptp(everything.y[~stuck], axis=1) == 0.0):
        raise ValueError(f"fit: no device in {pulses.source} changes: check its columns")
    series = everything.select(~stuck)
    unit = float(np.median(series.y.max(axis=1)))
    series = dataclasses.replace(series, y=series.y / unit)
    start = start_of(series)
    found = read_noise(pulses)
    best, compared = candidates(series, start, found[0] if found else 0.0, wanted)
    estimate = Estimate(best, compared, start, unit, found, everything.y[stuck].mean(axis=1) / unit)

    own = np.full((stuck.size, filter_.N_OWN), np.nan)
    own[~stuck] = best.optimum.own
    residuals, r2_path, r2_change, autocorrelation = _checks(best, series)
    return Fit(
        device=estimate.device,
        parameters=tuple(estimate.parameters),
        pulses=pulses,
        g_min=own[:, 0] * unit,
        g_max=own[:, 1] * unit,
        step_up=np.exp(own[:, 2]),
        step_down=np.exp(own[:, 3]),
        stuck=stuck,
        residuals=residuals,
        r2_path=r2_path,
        r2_change=r2_change,
        autocorrelation=autocorrelation,
        candidates=tuple(compared),
        best=best,
    )


def _unknown(laws: Sequence[str]) -> tuple[Law, ...]:
    """Return laws that are none, for the error."""
    return tuple(law for law in laws if law not in LAWS)  # type: ignore[misc]


def _checks(best: Candidate, series: Series) -> tuple[FloatArray, float, float, float]:
    """Return residuals, both coefficients of determination and the autocorrelation."""
    optimum, problem = best.optimum, best.optimum.problem
    shape = series.y.shape[0], series.y.shape[1] - 1
    residuals, difference = np.full(shape, np.nan), np.full(shape, np.nan)
    paths = np.full(series.y.shape, np.nan)
    d, v = np.empty(shape[1]), np.empty(shape[1])
    for i, n in enumerate(series.n_pulses):
        row = series.y[i, : n + 1], series.direction[i, : n + 1]
        filter_.innovations(*row, series.n_reads[i, : n + 1], problem.code, optimum.shared,
                            optimum.own[i], problem.sigma_read, d, v)  # fmt: skip
        residuals[i, :n] = d[:n] / np.sqrt(v[:n])
        difference[i, :n] = d[:n]
        paths[i, : n + 1] = filter_.path(*row, problem.code, optimum.shared, optimum.own[i])
    measured = np.where(series.measured, series.y, np.nan)
    r2_path = 1.0 - np.nansum((measured - paths) ** 2) / np.nansum(
        (measured - np.nanmean(measured, axis=1, keepdims=True)) ** 2
    )
    r2_change = 1.0 - np.nansum(difference**2) / np.nansum(np.diff(measured) ** 2)
    product = residuals[:, 1:] * residuals[:, :-1]
    autocorrelation = np.nanmean(product) / np.nanmean(residuals**2)
    return residuals, float(r2_path), float(r2_change), float(autocorrelation)
