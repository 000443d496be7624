"""The native API as a backend of studies, whose seeds are virtual chips.

``cosim.Sweep(..., backends=["hw_targets.brainscales2.native"], seeds=range(1, 21))`` runs a model
that speaks the vendor's PyNN, `hw_targets.brainscales2.pynn`, on twenty chips. It differs from that
module in `setup` alone, which here also takes what a study gives every backend. The backend for
models in standard PyNN is ``"brainscales2"``.
"""

from typing import Any

from hw_targets.brainscales2 import pynn


def setup(
    timestep: float = pynn.simulator.State.dt,
    min_delay: float | str = "auto",
    *,
    rng_seed: int | None = None,
    threads: int = 1,
    **extra_params: Any,
) -> None:
    """Start a new experiment on a virtual chip.

    Parameters
    ----------
    timestep, min_delay : optional
        Without effect: the chip has no time steps and no delays.
    rng_seed : int, optional
        Which chip, emulated with all its noise and without loss of spikes, whatever the environment
        says: a point of a study follows from its description alone. Left out, as in a second
        `setup` with other options, the chip stays the one it is, and its count of runs goes on.
    threads : int, optional
        1: the emulation runs on one thread.
    **extra_params
        Options of the vendor, see `hw_targets.brainscales2.pynn.setup`.

    Raises
    ------
    ValueError
        If `threads` is not 1.
    """
    if threads != 1:
        raise ValueError(f"setup: threads={threads}, need 1: the emulation runs on one thread")
    if rng_seed is not None:
        pynn.configure(chip=rng_seed, fidelity="emulated", dt_us=0.1, noise=True, spike_loss=0.0)
    pynn.setup(timestep, min_delay, **extra_params)


def __getattr__(name: str) -> Any:
    return getattr(pynn, name)
