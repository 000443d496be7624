"""Does the calibration equalise an emulated BrainScaleS-2 chip as the vendor's does a real one?

All 512 circuits of twenty virtual chips. Left: how much of the spread of their properties remains
of that with equal settings, without the lowest and highest 5 %, beside the most that the vendor's
tests accept. Right: rates with the leak over the threshold, calibrated to 100 kHz, beside the
limits that 90 % of the circuits must keep. Limits: electronicvisions/calix on GitHub,
tests/hw/py/test_neuron_distribution.py and test_neuron_spiking.py. Properties are the true ones of
the circuits, without errors of a measurement, which the vendor's include.
"""

import argparse
from pathlib import Path

import numpy as np

from cosim.figures import PERCENTILES, figure, save, style
from cosim.options import parse_seeds
from hw_targets.brainscales2.calibration import (
    Target,
    calibrate,
    calibrate_leak_over_threshold,
)
from hw_targets.brainscales2.chip import Chip
from hw_targets.brainscales2.engine import Engine, Synapses
from hw_targets.brainscales2.pynn.helper import NIGHTLY

#: Field of the circuits -> label, power of it that is calibrated, largest accepted ratio.
PROPERTIES = {
    "leak_potential": ("leak potential", 1, 0.30),
    "reset_potential": ("reset potential", 1, 0.20),
    "threshold": ("threshold", 1, 0.35),
    "leak_rate": ("membrane time constant", -1, 0.45),
    "syn_rate_exc": ("exc. synaptic time constant", -1, 0.20),
    "syn_rate_inh": ("inh. synaptic time constant", -1, 0.20),
}
RATE_KHZ = 100.0
#: Most circuits must be above the one and below the other, relative to the target.
RATE_LIMITS = (0.9, 1.15)
SHARE = 0.9
DURATION_US = 200.0


def ratios(seed):
    """Return by property how much of its spread the calibration of a chip leaves."""
    chip = Chip.virtual(seed)
    # What a chip of nominal circuits needs: the same settings for all circuits.
    before = chip.circuits(calibrate(Chip.ideal(), NIGHTLY))
    after = chip.circuits(calibrate(chip, NIGHTLY))
    return {
        name: trimmed_std(getattr(after, name) ** float(power))
        / trimmed_std(getattr(before, name) ** float(power))
        for name, (_, power, _) in PROPERTIES.items()
    }


def trimmed_std(values):
    """Return the standard deviation without the lowest and highest 5 %."""
    low, high = np.percentile(values, PERCENTILES)
    return values[(values >= low) & (values <= high)].std()


def rates(seed):
    """Return the rates of all circuits of a chip, calibrated to `RATE_KHZ`, in kHz."""
    chip = Chip.virtual(seed)
    settings = calibrate(chip, Target(leak=140, reset=70, threshold=110))
    settings = calibrate_leak_over_threshold(chip, settings, RATE_KHZ)
    circuits = chip.circuits(settings, trial=0)
    engine = Engine(circuits, Synapses.none(), seed=seed)
    activity = engine.advance(DURATION_US)
    found = np.zeros(len(circuits))
    for circuit in range(len(circuits)):
        spikes = activity.spike_times_us[activity.spike_circuits == circuit]
        if spikes.size > 1:
            found[circuit] = 1e3 / np.diff(spikes).mean()
    return found


def draw(all_ratios, all_rates):
    """Return the figure of the ratios and the rates of each chip."""
    fig, (left, right) = figure("iop_double", 0.4, ncols=2)
    for row, (name, (_, _, limit)) in enumerate(PROPERTIES.items()):
        values = [found[name] for found in all_ratios]
        median = np.median(values)
        low, high = np.percentile(values, PERCENTILES)
        left.errorbar(median, row, xerr=[[median - low], [high - median]], fmt="o", color="C0")
        left.plot(limit, row, "k|", markersize=14, markeredgewidth=1.2)
    left.set_yticks(range(len(PROPERTIES)), [label for label, _, _ in PROPERTIES.values()])
    left.invert_yaxis()
    left.set_title("bars: what calix accepts")
    left.set_xlim(0)
    left.set_xlabel(f"spread, calibrated / equal settings\n(n = {len(all_ratios)} chips)")
    low, high = (RATE_KHZ * limit for limit in RATE_LIMITS)
    bins = np.arange(RATE_KHZ - 20, RATE_KHZ + 21)
    for found in all_rates:
        right.hist(found, bins, histtype="step", color="C0", alpha=0.4, lw=0.6)
    for limit in (low, high):
        right.axvline(limit, color="k")
    above = min((found > low).mean() for found in all_rates)
    below = min((found < high).mean() for found in all_rates)
    right.set_title(
        f"least of all chips: {100 * above:.1f} % above {low:g} kHz,\n"
        f"{100 * below:.1f} % below {high:g} kHz; limit {100 * SHARE:g} %"
    )
    right.set_xlabel("rate (kHz)")
    right.set_ylabel("circuits of each chip per kHz")
    return fig


def main():
    """Calibrate, run, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=parse_seeds, default=tuple(range(1, 21)))
    parser.add_argument("--figures", type=Path, default=Path("figures"))
    options = parser.parse_args()
    all_ratios, all_rates = (
        [measure(seed) for seed in options.seeds] for measure in (ratios, rates)
    )
    with style():
        fig = draw(all_ratios, all_rates)
        for path in save(fig, options.figures / "calibration_residuals"):
            print(path)


if __name__ == "__main__":
    main()
