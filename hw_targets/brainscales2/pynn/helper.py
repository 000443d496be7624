"""Calibrations of the chip that the vendor's labs provide: here those of the configured chip."""

from pathlib import Path

from cosim.backends.compiling import cache_dir
from hw_targets.brainscales2.calibration import Target, calibrate
from hw_targets.brainscales2.pynn.configuration import configuration
from hw_targets.brainscales2.settings import Settings

#: Target of the nightly calibration (calix, scripts/calib_generation.py, spiking2).
NIGHTLY = Target(
    leak=80.0,
    reset=80.0,
    threshold=150.0,
    tau_mem=6.0,
    tau_syn_exc=6.0,
    tau_syn_inh=6.0,
    synapse_dac_bias=1000,
)


def get_unique_identifier() -> str:
    """Return the name of the chip."""
    return configuration().chip.name.replace(" ", "-")


def nightly_calib_path() -> Path:
    """Return the file of the chip's nightly calibration, which is written if it isn't there."""
    path = cache_dir() / "brainscales2" / f"{get_unique_identifier()}.spiking2.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always anew: names don't tell chips apart that users make.
    chip_from_nightly().save(path)
    return path


def chip_from_file(path: str | Path) -> Settings:
    """Read settings of a chip, for ``setup(initial_config=...)``.

    Parameters
    ----------
    path : str or Path
        File that `Settings.save` wrote.

    Returns
    -------
    Settings
    """
    return Settings.load(path)


def chip_from_nightly() -> Settings:
    """Calibrate the chip to the targets of the nightly calibration.

    Returns
    -------
    Settings
    """
    return calibrate(configuration().chip, NIGHTLY)
