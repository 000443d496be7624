"""Fidelity "ideal": neurons are exact integrate-and-fire neurons."""

import numpy as np
import pytest

from hw_targets.brainscales2.transfer import GAIN, MADC_OFFSET, MADC_PER_CADC

GRID = 8e-6


def test_interspike_intervals(ideal):
    rest, reset, threshold = 160.0, np.array([60.0, 70.0]), 125.0
    tau, refractory = np.array([8.0, 20.0]), np.array([2.0, 5.0])
    neurons = ideal.Population(
        2,
        ideal.cells.CalibHXNeuronCuba(
            v_rest=rest, v_reset=reset, v_thresh=threshold, tau_m=tau, tau_refrac=refractory
        ),
    )
    neurons.record("spikes")
    ideal.run(1.0)
    expected = refractory + tau * np.log((rest - reset) / (rest - threshold))
    for train, interval in zip(neurons.get_data().segments[-1].spiketrains, expected, strict=True):
        # Spikes are on the first point of the grid after the threshold.
        np.testing.assert_allclose(np.diff(train.magnitude), interval * 1e-3, atol=1.01 * GRID)


def test_postsynaptic_potentials(ideal):
    tau_m, tau_s, weight = 12.0, 5.0, np.array([[40, 20]])
    neurons = ideal.Population(2, ideal.cells.CalibHXNeuronCuba(tau_m=tau_m, tau_syn_E=tau_s,
                                                                tau_syn_I=tau_s))  # fmt: skip
    times_of_spikes = np.array([0.016, 0.024, 0.048])
    source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=times_of_spikes))
    for k, (receptor, sign) in enumerate((("excitatory", 1), ("inhibitory", -1))):
        ideal.Projection(
            source,
            neurons[k : k + 1],
            ideal.AllToAllConnector(),
            receptor_type=receptor,
            synapse_type=ideal.synapses.StaticSynapse(weight=sign * weight[0, k]),
        )
    neurons.record("v")
    ideal.run(0.2)
    signals = neurons.get_data().segments[-1].irregularlysampledsignals
    for signal, amplitude in zip(signals, (40, -20), strict=True):
        t = signal.times.magnitude.astype(float) * 1e3
        v = np.full(t.size, 80.0)
        for onset in times_of_spikes * 1e3:
            since = np.maximum(t - onset, 0.0)
            kernel = (np.exp(-since / tau_m) - np.exp(-since / tau_s)) / (1 / tau_s - 1 / tau_m)
            v += GAIN * amplitude * kernel
        # In single precision, at sample times rounded to 4 ns.
        np.testing.assert_allclose(signal.magnitude[:, 0], MADC_OFFSET + MADC_PER_CADC * v,
                                   atol=2e-2)  # fmt: skip


def test_all_circuits_are_equal(ideal):
    neurons = ideal.Population(512, ideal.cells.CalibHXNeuronCuba(v_rest=140.0))
    neurons.record("spikes")
    ideal.run(0.2)
    trains = neurons.get_data().segments[-1].spiketrains
    first = trains[0].magnitude
    assert len(first) > 5
    assert all(np.array_equal(train.magnitude, first) for train in trains)


def test_conductance_based_inputs_vanish_at_the_reversal_potential(ideal):
    neurons = ideal.Population(2, ideal.cells.CalibHXNeuronCoba(v_rest=[60.0, 110.0], e_rev_I=60.0))
    source = ideal.Population(1, ideal.cells.SpikeSourceArray(spike_times=[0.02]))
    ideal.Projection(source, neurons, ideal.AllToAllConnector(), receptor_type="inhibitory",
                     synapse_type=ideal.synapses.StaticSynapse(weight=63))  # fmt: skip
    neurons.record("v")
    ideal.run(0.1)
    there, above = neurons.get_data().segments[-1].irregularlysampledsignals
    assert np.ptp(there.magnitude) < 1e-3
    assert np.ptp(above.magnitude) > 10


def test_settings_changed_by_hand_are_used(ideal):
    neurons = ideal.Population(2, ideal.cells.CalibHXNeuronCuba())
    neurons.record("v")
    ideal.run(None, ideal.RunCommand.PREPARE)
    neurons.actual_hwparams[1].leak.v_leak += 40
    ideal.run(0.05)
    first, second = neurons.get_data().segments[-1].irregularlysampledsignals
    assert float(first.magnitude[-1, 0]) == pytest.approx(MADC_OFFSET + MADC_PER_CADC * 80)
    # The slope of the leak's setting, 0.79 LSB of the MADC, and rounding of settings.
    difference = float(second.magnitude[-1, 0] - first.magnitude[-1, 0])
    assert difference == pytest.approx(0.79 * 40, abs=1.5)


def test_mismatch_and_noise_are_those_of_the_emulated_chip_only(pynn):
    def potentials(**configuration):
        pynn.configure(**configuration)
        pynn.setup()
        neurons = pynn.Population(100, pynn.cells.CalibHXNeuronCuba())
        neurons.record("v", device="cadc")
        pynn.run(0.05)
        found = neurons.get_data().segments[-1].irregularlysampledsignals
        return np.array([signal.magnitude[:, 0] for signal in found])

    assert np.ptp(potentials(fidelity="ideal")) == 0.0
    quiet = potentials(chip=1, noise=False)
    assert np.ptp(quiet, axis=1).max() == 0.0 and quiet[:, 0].std() > 0.5
    assert np.ptp(potentials(chip=1, noise=True), axis=1).min() > 1.0
    assert not np.array_equal(quiet, potentials(chip=2, noise=False))
