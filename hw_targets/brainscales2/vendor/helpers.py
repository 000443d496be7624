"""Stand-in for the vendor's demos' helpers: which chip a script runs on, and its calibration."""

from pathlib import Path

from hw_targets.brainscales2.calibration import Target, calibrate
from hw_targets.brainscales2.pynn import helper, logger
from hw_targets.brainscales2.pynn.configuration import configuration
from hw_targets.brainscales2.settings import Settings

_SPIKING = "spiking_cocolist.pbin"

#: Kind of the nightly calibrations of spiking neurons -> targets (calix,
#: scripts/calix_generate_default_calibration.py).
_TARGETS = {
    "spiking": helper.NIGHTLY,
    "spiking2": Target(
        leak=80.0,
        reset=80.0,
        threshold=150.0,
        tau_mem=6.0,
        tau_syn_exc=6.0,
        tau_syn_inh=6.0,
        synapse_dac_bias=1000,
    ),
}


def setup_hardware_client() -> None:
    """Log which chip is emulated, to which there is no connection to make."""
    log = logger.get("demo_helpers")
    log.info(f"Emulation of {helper.get_unique_identifier()}")


def get_nightly_calibration(filename: str = _SPIKING) -> Settings:
    """Return a nightly calibration of the emulated chip.

    Parameters
    ----------
    filename : str, optional
        The vendor's name of a calibration: one that starts with ``"spiking_"``, of calix's
        defaults, or ``"spiking2_"``, of shorter time constants, stronger synapses and a higher
        threshold.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        If it is another.
    """
    kind = Path(filename).name.partition("_")[0]
    if kind not in _TARGETS:
        raise ValueError(
            f"get_nightly_calibration: filename={filename!r}, but the emulation calibrates for "
            f"spiking neurons only: need {_SPIKING!r} or 'spiking2_cocolist.pbin'"
        )
    return calibrate(configuration().chip, _TARGETS[kind])


def save_nightly_calibration(
    filename: str = _SPIKING,
    source_folder: str | None = None,
    folder: str | Path | None = None,
) -> None:
    """Write a nightly calibration of the emulated chip, for `helper.chip_from_file`.

    Parameters
    ----------
    filename : str, optional
        As for `get_nightly_calibration`; also that of the file.
    source_folder : str, optional
        Without effect: calibrations of an emulated chip don't age.
    folder : str or Path, optional
        Where to write the file, by default where the script runs.

    Raises
    ------
    ValueError
        As `get_nightly_calibration`.
    """
    get_nightly_calibration(filename).save(Path(folder or ".") / filename)
