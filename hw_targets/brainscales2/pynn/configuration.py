"""What only the emulation has: which chip it emulates, and how faithfully.

The chip's own PyNN rejects options it doesn't know, so these are no options of `setup`: a script
stays the same for chip and emulation. They come from `configure`, or from the environment:
``COSIM_BSS2_CHIP`` (a seed or the path of a chip saved as JSON), ``COSIM_BSS2_FIDELITY``,
``COSIM_BSS2_DT_US``, ``COSIM_BSS2_NOISE`` (0 or 1) and ``COSIM_BSS2_SPIKE_LOSS``.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from hw_targets.brainscales2.chip import Chip

Fidelity = Literal["ideal", "emulated", "hardware"]

_PREFIX = "COSIM_BSS2_"


@dataclass(frozen=True, eq=False)
class Configuration:
    """How the chip is emulated, see `configure`."""

    chip: Chip
    fidelity: Fidelity
    dt_us: float
    noise: bool
    spike_loss: float

    @property
    def is_ideal(self) -> bool:
        """Whether circuits are exact, without mismatch, noise or rounding."""
        return self.fidelity == "ideal"


_configuration: Configuration | None = None
_n_runs = 0


def configure(
    chip: int | str | Path | Chip | None = None,
    *,
    fidelity: Fidelity | None = None,
    dt_us: float | None = None,
    noise: bool | None = None,
    spike_loss: float | None = None,
) -> Configuration:
    """Choose what the next `setup` emulates. What is left out is as the environment says.

    Parameters
    ----------
    chip : int, str, Path or Chip, optional
        A virtual chip: its seed, a file that `Chip.save` wrote, or the chip itself; virtual chip 0
        by default. With the fidelity ``"ideal"`` it has no effect.
    fidelity : {"ideal", "emulated", "hardware"}, optional
        ``"ideal"``: exact circuits, equal, without noise, readings not rounded. ``"emulated"``, the
        default: those of the chip, with its mismatch, rounding and noise. ``"hardware"``: the
        vendor's own PyNN on a real chip, if it can be imported.
    dt_us : float, optional
        Longest step of the integration in us, 0.1 by default.
    noise : bool, optional
        Whether thresholds, runs and readings are noisy; they are by default.
    spike_loss : float, optional
        Probability that an event gets lost on the link to or from the chip, 0 by default; about
        0.02 is usual.

    Returns
    -------
    Configuration

    Raises
    ------
    ValueError
        If a value is out of range or can't be read.
    """
    global _configuration, _n_runs
    chosen = _fidelity(fidelity or _environment("FIDELITY", "emulated"))
    dt_us = _number("DT_US", 0.1) if dt_us is None else dt_us
    if not 0.0 < dt_us < float("inf"):
        raise ValueError(f"configure: dt_us={dt_us}, need a step > 0 us")
    spike_loss = _number("SPIKE_LOSS", 0.0) if spike_loss is None else spike_loss
    if not 0.0 <= spike_loss <= 1.0:
        raise ValueError(f"configure: spike_loss={spike_loss}, need a probability in 0 ... 1")
    if chip is None:
        chip = _environment("CHIP", "0")
    is_ideal = chosen == "ideal"
    _configuration = Configuration(
        chip=Chip.ideal() if is_ideal else _chip(chip),
        fidelity=chosen,
        dt_us=float(dt_us),
        noise=not is_ideal and (_number("NOISE", 1.0) != 0.0 if noise is None else bool(noise)),
        spike_loss=float(spike_loss),
    )
    _n_runs = 0
    return _configuration


def configuration() -> Configuration:
    """Return the present configuration; the environment's if `configure` wasn't called."""
    return _configuration or configure()


def next_run() -> int:
    """Count runs since the last `configure`: each has deviations and noise of its own."""
    global _n_runs
    _n_runs += 1
    return _n_runs - 1


def _fidelity(name: str) -> Fidelity:
    for known in get_args(Fidelity):
        if name == known:
            return cast(Fidelity, known)
    raise ValueError(f"configure: fidelity={name!r}, need one of {get_args(Fidelity)}")


def _chip(chip: int | str | Path | Chip) -> Chip:
    if isinstance(chip, Chip):
        return chip
    text = str(chip)
    if not text.isdigit():
        return Chip.load(text)
    return Chip.virtual(int(text))


def _environment(name: str, default: str) -> str:
    return os.environ.get(_PREFIX + name) or default


def _number(name: str, default: float) -> float:
    text = _environment(name, str(default))
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{_PREFIX}{name}={text!r}, need a number") from error
