"""Stand-in for the vendor's demos' helpers: which chip a script runs on, and its calibration."""

from pathlib import Path

from hw_targets.brainscales2.pynn import helper, logger
from hw_targets.brainscales2.settings import Settings

_SPIKING = "spiking_cocolist.pbin"


def setup_hardware_client() -> None:
    """Log which chip is emulated, to which there is no connection to make."""
    log = logger.get("demo_helpers")
    log.info(f"Emulation of {helper.get_unique_identifier()}")


def get_nightly_calibration(filename: str = _SPIKING) -> Settings:
    """Return the nightly calibration of the emulated chip.

    Parameters
    ----------
    filename : str, optional
        The vendor's name of a calibration, of which there is that for spiking neurons.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        If it is another.
    """
    if not Path(filename).name.startswith("spiking"):
        raise ValueError(
            f"get_nightly_calibration: filename={filename!r}, but the emulation calibrates for "
            f"spiking neurons only: need {_SPIKING!r}"
        )
    return helper.chip_from_nightly()


def save_nightly_calibration(
    filename: str = _SPIKING,
    source_folder: str | None = None,
    folder: str | Path | None = None,
) -> None:
    """Write the nightly calibration of the emulated chip, for `helper.chip_from_file`.

    Parameters
    ----------
    filename : str, optional
        As for `get_nightly_calibration`; also that of the file.
    source_folder : str, optional
        Without effect: there is one calibration of a chip.
    folder : str or Path, optional
        Where to write the file, by default where the script runs.

    Raises
    ------
    ValueError
        As `get_nightly_calibration`.
    """
    get_nightly_calibration(filename).save(Path(folder or ".") / filename)
