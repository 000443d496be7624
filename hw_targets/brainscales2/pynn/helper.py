"""Calibrations of the chip that the vendor's labs provide: here those of the configured chip."""

from collections.abc import Collection
from pathlib import Path

from cosim.backends.compiling import cache_dir
from hw_targets.brainscales2.calibration import Target, calibrate
from hw_targets.brainscales2.pynn.chip_settings import ChipSettings
from hw_targets.brainscales2.pynn.configuration import configuration
from hw_targets.brainscales2.pynn.parameters import DEFAULTS, AtomicNeuron, split_name

#: Targets of the nightly calibration that the vendor loads, spiking_cocolist: calix's defaults
#: (calix, scripts/calix_generate_default_calibration.py).
NIGHTLY = Target()


def get_unique_identifier() -> str:
    """Return the name of the chip."""
    return configuration().chip.name.replace(" ", "-")


def nightly_calib_path() -> Path:
    """Return the file of the chip's nightly calibration, which is written if it isn't there."""
    path = cache_dir() / "brainscales2" / f"{get_unique_identifier()}.spiking.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always anew: names don't tell chips apart that users make.
    chip_from_nightly().save(path)
    return path


def chip_from_file(path: str | Path) -> ChipSettings:
    """Read settings of a chip, for ``setup(initial_config=...)``.

    Parameters
    ----------
    path : str or Path
        File that `Settings.save` wrote.

    Returns
    -------
    ChipSettings
    """
    return ChipSettings.load(path)


def chip_from_nightly() -> ChipSettings:
    """Calibrate the chip to the targets of the nightly calibration.

    Returns
    -------
    ChipSettings
    """
    return ChipSettings.of(calibrate(configuration().chip, NIGHTLY))


def get_values_of_atomic_neuron(
    atomic_neuron: AtomicNeuron, exclude: Collection[str] | None = None
) -> dict[str, bool | float]:
    """Return the settings of a circuit by the names that `HXNeuron` gives them.

    Parameters
    ----------
    atomic_neuron : AtomicNeuron
        Settings.
    exclude : collection of str, optional
        Names to leave out.

    Returns
    -------
    dict of str to bool or float
    """
    return {
        name: bool(value) if isinstance(DEFAULTS[name], bool) else float(value)
        for name, value in atomic_neuron.values().items()
        if name not in (exclude or ())
    }


def decompose_in_member_names(joined_name: str) -> tuple[str, str]:
    """Return block and attribute of a parameter: ``leak_v_leak`` is ``("leak", "v_leak")``.

    Parameters
    ----------
    joined_name : str
        Name of a parameter of `HXNeuron`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If there is no such block.
    """
    return split_name(joined_name)
