"""Virtual chips: circuits that differ from each other and from run to run, as those of silicon."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from devices.noise import Stream, noise_key, normal
from hw_targets.brainscales2 import limits, mismatch
from hw_targets.brainscales2.circuits import Circuits
from hw_targets.brainscales2.physics import (
    adaptation,
    exponential,
    membrane,
    spikes,
    synaptic_input,
)
from hw_targets.brainscales2.settings import Settings
from hw_targets.brainscales2.storage import read_json, write_json
from hw_targets.brainscales2.transfer import RAILS, Array, Mismatch

FORMAT = "cosim.brainscales2.chip"
VERSION = 1

THRESHOLD_NOISE = 0.3
"""Standard deviation of the threshold from spike to spike in LSB: it makes the measured jitter of
the interspike intervals, 0.4-0.6 % (brainscales2-demos, single_neuron_fixed_pattern.svg and
single_neuron_lot.svg)."""
TRIAL_THRESHOLD = 1.0
"""Standard deviation of the threshold from run to run in LSB: 1.5 % of threshold less leak, as the
hardware-aware model of fastAndDeep has it (JulianGoeltz/fastAndDeep, experiment_configs)."""
TRIAL_LEAK = 1.0
"""Standard deviation of the leak from run to run in LSB. Reconstructed: baselines in the figure of
hxtorch's introduction to hxsnn lie within 5 % of threshold less leak, taken as two deviations."""
CADC_OFFSET = 10.0
"""Standard deviation of the offsets of the CADC's channels in LSB (cube 66)."""
CADC_RESIDUAL = 1.0
"""The same once the CADC is calibrated (calix, test_cadc_calibration.py, accepts 3)."""


@dataclass(frozen=True, eq=False)
class Chip:
    """One chip: what its circuits do with their settings.

    Chips are made by `virtual`, `ideal`, `from_calibration` and `load`.

    Parameters
    ----------
    name : str
        What the chip is.
    seed : int
        Seed of what differs from run to run and of the calibration's errors.
    mismatch : Mismatch
        How its circuits differ.
    cadc_offset, cadc_residual : ndarray, shape (512,)
        Offsets of the CADC's channels before and after its calibration, in LSB.
    threshold_noise, trial_threshold, trial_leak : float
        Standard deviations of the threshold from spike to spike, and of threshold and leak from
        run to run, in LSB.
    is_ideal : bool
        Whether amplifiers never saturate and resets are instantaneous.
    """

    name: str
    seed: int
    mismatch: Mismatch
    cadc_offset: Array
    cadc_residual: Array
    threshold_noise: float = THRESHOLD_NOISE
    trial_threshold: float = TRIAL_THRESHOLD
    trial_leak: float = TRIAL_LEAK
    is_ideal: bool = False

    @classmethod
    def virtual(cls, seed: int) -> Self:
        """Draw a chip.

        Parameters
        ----------
        seed : int
            Which chip, >= 0: one seed always gives the same.

        Returns
        -------
        Chip
        """
        offset, residual = _cadc_offsets(seed)
        return cls(f"virtual {seed}", seed, mismatch.draw(seed), offset, residual)

    @classmethod
    def ideal(cls) -> Self:
        """Chip of nominal circuits without noise, saturation or a reset that takes time.

        Returns
        -------
        Chip
        """
        zero = np.zeros(limits.N_CIRCUITS)
        return cls("ideal", 0, mismatch.none(), zero, zero, 0.0, 0.0, 0.0, is_ideal=True)

    @classmethod
    def from_calibration(cls, path: str | Path, seed: int = 0) -> Self:
        """Chip whose circuits are equalised by a given calibration.

        Parameters
        ----------
        path : str or Path
            CSV file of 512 rows: ``atomic_neuron`` in order, and the settings named in
            `mismatch.SPREADS` that make the circuits meet leak 80, reset 80, threshold 150, time
            constants of 6 us and i_synin_gm 500 at full capacitance.
        seed : int, optional
            Seed of all that a calibration doesn't show.

        Returns
        -------
        Chip

        Raises
        ------
        ValueError
            If the file is no such table.
        """
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if [row.get("atomic_neuron") for row in rows] != [str(k) for k in range(limits.N_CIRCUITS)]:
            raise ValueError(
                f"{path}: {len(rows)} rows, need a column atomic_neuron with "
                f"0 ... {limits.N_CIRCUITS - 1} in order"
            )
        needed = {}
        for name in mismatch.SPREADS:
            try:
                needed[name] = np.array([int(row[name]) for row in rows])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}: column {name}: {error}, need integers") from error
            if needed[name].min() < 1 or needed[name].max() > limits.CAPMEM_MAX:
                raise ValueError(
                    f"{path}: column {name} from {needed[name].min()} to {needed[name].max()}, "
                    f"need 1 ... {limits.CAPMEM_MAX}"
                )
        circuits = mismatch.from_settings(needed, mismatch.reset_conductance(seed))
        return cls(Path(path).stem, seed, circuits, *_cadc_offsets(seed))

    def circuits(
        self,
        settings: Settings,
        circuits: npt.ArrayLike | None = None,
        trial: int | None = None,
    ) -> Circuits:
        """Physics of circuits under given settings.

        Parameters
        ----------
        settings : Settings
            Settings of the whole chip.
        circuits : array_like of int, optional
            Circuits, in 0 ... 511; all if left out.
        trial : int, optional
            Number of the run, >= 0, whose deviations of threshold and leak are added. Without it
            they are those of the long-term mean.

        Returns
        -------
        Circuits
            In the order of `circuits`.
        """
        which = np.arange(limits.N_CIRCUITS) if circuits is None else np.asarray(circuits)
        differs = self.mismatch[which]
        setting = {name: np.asarray(values)[which] for name, values in settings.parameters.items()}
        clock_scale = np.where(
            setting["refractory_period_input_clock"],
            settings.clock_scale_fast,
            settings.clock_scale_slow,
        )
        dac_bias = np.asarray(settings.synapse_dac_bias)[which // limits.CIRCUITS_PER_QUADRANT]
        physics: dict[str, Any] = (
            membrane(setting, differs, settings.biases)
            | spikes(setting, differs, settings.biases, clock_scale)
            | synaptic_input(setting, differs, dac_bias, "exc")
            | synaptic_input(setting, differs, dac_bias, "inh")
            | adaptation(setting)
            | exponential(setting)
        )
        if trial is not None:
            threshold, leak = self._trial(trial)
            physics["threshold"] = physics["threshold"] + self.trial_threshold * threshold[which]
            physics["leak_potential"] = physics["leak_potential"] + self.trial_leak * leak[which]
        physics["threshold_noise"] = np.full(which.size, self.threshold_noise)
        physics["lowest"], physics["highest"] = RAILS
        if self.is_ideal:
            for name in ("leak_saturation", "saturation_exc", "saturation_inh", "reset_rate"):
                physics[name] = np.full(which.size, np.inf)
            physics["lowest"], physics["highest"] = -np.inf, np.inf
        return Circuits(**physics)

    def save(self, path: str | Path) -> None:
        """Write the chip to a JSON file, to the last bit.

        Parameters
        ----------
        path : str or Path
            File to write.
        """
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION} | {
            f.name: getattr(self, f.name) for f in fields(self)
        }
        for name in ("cadc_offset", "cadc_residual"):
            document[name] = document[name].tolist()
        document["mismatch"] = {
            f.name: getattr(self.mismatch, f.name).tolist() for f in fields(Mismatch)
        }
        write_json(path, document)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a chip written by `save`.

        Parameters
        ----------
        path : str or Path
            File to read.

        Returns
        -------
        Chip

        Raises
        ------
        ValueError
            If the file holds no chip of this version.
        """
        document = read_json(path, FORMAT, VERSION, {f.name for f in fields(cls)})
        if set(document["mismatch"]) != {f.name for f in fields(Mismatch)}:
            raise ValueError(
                f"{path}: mismatch of {sorted(document['mismatch'])}, "
                f"need {sorted(f.name for f in fields(Mismatch))}"
            )
        mismatches = {name: _array(path, v) for name, v in document["mismatch"].items()}
        arrays = {name: _array(path, document[name]) for name in ("cadc_offset", "cadc_residual")}
        return cls(**document | arrays | {"mismatch": Mismatch(**mismatches)})

    def _trial(self, trial: int) -> tuple[Array, Array]:
        key = noise_key(self.seed, "brainscales2 trial")
        draws = normal(key, np.arange(limits.N_CIRCUITS), trial, Stream.READ, np.arange(2)[:, None])
        return draws[0], draws[1]


def _cadc_offsets(seed: int) -> tuple[Array, Array]:
    key = noise_key(seed, "brainscales2 cadc")
    draws = normal(key, np.arange(limits.N_CIRCUITS), np.arange(2)[:, None], Stream.D2D_GAIN)
    return CADC_OFFSET * draws[0], CADC_RESIDUAL * draws[1]


def _array(path: str | Path, values: list[float]) -> Array:
    array = np.array(values, dtype=np.float64)
    if array.shape != (limits.N_CIRCUITS,):
        raise ValueError(f"{path}: array of shape {array.shape}, need ({limits.N_CIRCUITS},)")
    return array
