"""Device noise in Brian2's code is that of devices/noise.py."""

import brian2
import numpy as np
import pytest

import cosim.backends.brian2 as sim
from cosim.backends.brian2.noise import FUNCTIONS
from devices.noise import Stream, normal, uniform

LARGEST_WORD = 2**32 - 1
LARGEST_INTEGER = 2**31 - 1  # Brian2's integers are signed
KEYS = [(0, 0), (LARGEST_WORD, LARGEST_WORD), (2**31, 2**31 - 1), (123456789, 3987654321)]
# The streams that synapses draw from; the others are drawn in Python when connecting.
STREAMS = [Stream.WRITE, Stream.LEVEL, Stream.READ]


def numbers():
    """Return devices and events: small and large ones, and the limits."""
    rng = np.random.default_rng(1)
    limits = np.array([0, 1, 2**16, LARGEST_INTEGER - 1, LARGEST_INTEGER])
    corners = np.array(np.meshgrid(limits, limits)).reshape(2, -1)
    devices, events = rng.integers(0, LARGEST_INTEGER, (2, 2000), endpoint=True)
    small_devices, small_events = rng.integers(0, 2000, (2, 2000))
    return (
        np.concatenate([corners[0], devices, small_devices]),
        np.concatenate([corners[1], events, small_events]),
    )


def in_brian2():
    """Return what Brian2 computes, by key and stream: (uniform, normal)."""
    sim.setup(timestep=0.1)
    device, event = numbers()
    outputs = [f"{kind}_{int(stream)}" for kind in ("uniform", "normal") for stream in STREAMS]
    group = brian2.NeuronGroup(
        device.size,
        "\n".join(
            ["word_0 : 1 (shared)", "word_1 : 1 (shared)", "device : integer", "event : integer"]
            + [f"{name} : 1" for name in outputs]
        ),
        namespace=FUNCTIONS,
        name="noise_test",
    )
    group.device, group.event = device, event
    group.run_regularly(
        "\n".join(
            f"{name} = device_{name[:-2]}(word_0, word_1, device, event, {name[-1]})"
            for name in outputs
        ),
        name="noise_test_draw",
    )
    network = brian2.Network(group)
    found = {}
    for key in KEYS:
        group.word_0, group.word_1 = key
        network.run(group.clock.dt, namespace={})
        for stream in STREAMS:
            drawn = [getattr(group, f"{kind}_{int(stream)}")[:] for kind in ("uniform", "normal")]
            found[key, stream] = np.array(drawn)
    return found


@pytest.mark.parametrize("target", ["numpy", "cython"])
def test_numbers_are_those_of_the_device_package(target, monkeypatch):
    monkeypatch.setitem(brian2.prefs, "codegen.target", target)
    device, event = numbers()
    for (key, stream), (ours_uniform, ours_normal) in in_brian2().items():
        expected = uniform(key, device, event, stream)
        np.testing.assert_array_equal(ours_uniform, expected)
        theirs = normal(key, device, event, stream)
        centre = np.abs(expected - 0.5) <= 0.425
        np.testing.assert_array_equal(ours_normal[centre], theirs[centre])
        # where two libraries may round a logarithm differently
        np.testing.assert_allclose(ours_normal, theirs, rtol=1e-14)
        assert np.abs(ours_normal).max() > 3
