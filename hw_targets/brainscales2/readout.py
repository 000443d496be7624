"""The chip's two converters: from traces of potentials to samples.

Potentials are in LSB of the CADC, times in us. The MADC records up to two neurons fast and with 10
bit, the CADC all of them slowly and with 8 bit. Noise is a function of key, channel and sample, so
that a recording is the same whatever else is recorded.
"""

import numpy as np
import numpy.typing as npt

from devices.noise import Key, Stream, normal
from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.transfer import MADC_OFFSET, MADC_PER_CADC, Array

MADC_PERIOD_US = limits.MADC_CYCLES_PER_SAMPLE / limits.MADC_CLOCK_HZ * 1e6
"""Time between two samples of the MADC: 34 ns."""
MADC_NOISE = 1.5
"""Standard deviation of the MADC's samples in its LSB: potentials at rest in the figures of
brainscales2-demos vary by 1.1-1.7, those of model-hw-mc-attenuation by up to 3."""
CADC_NOISE = 1.0
"""Standard deviation of the CADC's samples in LSB; calix's test_cadc_calibration.py accepts a
spread of 3 of calibrated channels. Reconstructed: white, from sample to sample."""


def madc_times(start_us: float, stop_us: float) -> Array:
    """List the times at which the MADC samples.

    Parameters
    ----------
    start_us, stop_us : float
        Begin and end of the recording in us; the end is left out.

    Returns
    -------
    ndarray
        Times in us, 34 ns apart.

    Raises
    ------
    ValueError
        If the end is before the begin.
    """
    return _times(start_us, stop_us, MADC_PERIOD_US)


def cadc_times(start_us: float, stop_us: float) -> Array:
    """List the times at which the CADC samples; a recording ends after 100 samples.

    Parameters
    ----------
    start_us, stop_us : float
        Begin and end of the recording in us; the end is left out.

    Returns
    -------
    ndarray
        Times in us, 1.7 us apart.

    Raises
    ------
    ValueError
        If the end is before the begin.
    """
    return _times(start_us, stop_us, limits.CADC_PERIOD_US)[: limits.CADC_SAMPLES_MAX]


def madc(
    times: Array,
    traces: Array,
    sample_times: Array,
    key: Key | None,
    channels: npt.ArrayLike = 0,
    trial: int = 0,
) -> npt.NDArray[np.int64]:
    """Sample traces with the MADC.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Times of the traces in us, increasing.
    traces : ndarray, shape (..., n)
        Potentials in LSB of the CADC.
    sample_times : ndarray, shape (m,)
        When to sample, in us, within `times`.
    key : tuple of int or None
        Key of the noise; None for none.
    channels : array_like of int, shape (...), optional
        Circuits recorded, which tell their noise apart.
    trial : int, optional
        Number of the run.

    Returns
    -------
    ndarray of int, shape (..., m)
        Readings, 0 ... 1023.

    Raises
    ------
    ValueError
        If a sample lies outside the traces.
    """
    values = MADC_OFFSET + MADC_PER_CADC * _at(sample_times, times, traces)
    noise = _noise(key, channels, sample_times.size, trial, converter=0)
    return _convert(values + MADC_NOISE * noise, limits.MADC_MAX)


def cadc(
    times: Array,
    traces: Array,
    sample_times: Array,
    key: Key | None,
    channels: npt.ArrayLike = 0,
    trial: int = 0,
    offset: npt.ArrayLike = 0.0,
) -> npt.NDArray[np.int64]:
    """Sample traces with the CADC.

    Parameters
    ----------
    times, traces, sample_times, key, channels, trial
        As in `madc`.
    offset : array_like, shape (...), optional
        Offsets of the channels in LSB: `Chip.cadc_offset` or, calibrated, `Chip.cadc_residual`.

    Returns
    -------
    ndarray of int, shape (..., m)
        Readings, 0 ... 255.

    Raises
    ------
    ValueError
        If a sample lies outside the traces.
    """
    values = _at(sample_times, times, traces) + np.asarray(offset)[..., None]
    noise = _noise(key, channels, sample_times.size, trial, converter=1)
    return _convert(values + CADC_NOISE * noise, limits.CADC_MAX)


def _times(start_us: float, stop_us: float, period: float) -> Array:
    if stop_us < start_us:
        raise ValueError(f"recording from {start_us:g} us to {stop_us:g} us, need an end after it")
    # The tolerance keeps a sample out that is at the end but for rounding.
    return start_us + period * np.arange(np.ceil((stop_us - start_us) / period - 1e-9))


def _at(sample_times: Array, times: Array, traces: Array) -> Array:
    if sample_times.size and (sample_times[0] < times[0] or sample_times[-1] > times[-1]):
        raise ValueError(
            f"samples from {sample_times[0]:g} us to {sample_times[-1]:g} us, need them within the "
            f"traces, {times[0]:g} us to {times[-1]:g} us"
        )
    rows = np.asarray(traces).reshape(-1, times.size)
    values = np.array([np.interp(sample_times, times, row) for row in rows])
    return values.reshape(*np.shape(traces)[:-1], sample_times.size)


def _noise(key: Key | None, channels: npt.ArrayLike, n: int, trial: int, converter: int) -> Array:
    if key is None:
        return np.zeros(n)
    channel = np.asarray(channels)[..., None] * 2 + converter
    return normal(key, channel, np.arange(n), Stream.READ, trial)


def _convert(values: Array, maximum: int) -> npt.NDArray[np.int64]:
    return np.clip(np.rint(values), 0, maximum).astype(np.int64)
