import itertools
import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from devices.noise import Stream, noise_key, normal, philox4x32, uniform
from devices.ppnd16 import ppnd16

FFFF = 0xFFFFFFFF
word = st.integers(0, FFFF)
KEY = noise_key(20221, "ee")
N = 200_000


def philox_of_integers(counter, key):
    """Philox4x32-10 word by word in Python integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(c[0] * 0xD2511F53, 2**32)
        high1, low1 = divmod(c[2] * 0xCD9E8D57, 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((FFFF,) * 4, (FFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_known_answers(counter, key, words):
    """Known-answer vectors published with Random123."""
    assert tuple(int(w) for w in philox4x32(*counter, key)) == words


@settings(max_examples=30, deadline=None)
@given(
    counters=st.lists(st.tuples(word, word, word, word), min_size=1, max_size=5),
    key=st.tuples(word, word),
)
def test_philox_vectorised_equals_word_by_word(counters, key):
    words = np.stack(philox4x32(*np.array(counters, dtype=np.uint32).T, key), axis=1)
    assert words.dtype == np.uint32
    assert words.tolist() == [philox_of_integers(counter, key) for counter in counters]


@settings(max_examples=30, deadline=None)
@given(device=word, event=word, stream=st.sampled_from(Stream), key=st.tuples(word, word))
def test_uniform_is_the_documented_fraction_exactly(device, event, stream, key):
    r0, r1, _, _ = philox_of_integers((device, event, int(stream), 0), key)
    expected = Fraction((r1 * 2**32 + r0) >> 12, 2**52) + Fraction(1, 2**53)
    assert Fraction(float(uniform(key, device, event, stream))) == expected


def test_uniform_stays_inside_the_open_interval(monkeypatch):
    for bits, value in ((0, 2.0**-53), (FFFF, 1.0 - 2.0**-53)):
        words = (np.full(1, bits, dtype=np.uint32),) * 4
        monkeypatch.setattr("devices.noise.philox4x32", lambda *_, words=words: words)
        u = uniform(KEY, [0], 0, Stream.WRITE)
        assert u == value
        assert np.isfinite(normal(KEY, [0], 0, Stream.WRITE)).all()
        assert 0.0 < u < 1.0


def test_numbers_are_pinned():
    """A change here changes every published result."""
    # sha256 of b"1\0ee" begins with the bytes fe ee 1c 66 3b 2b 0d 20.
    key = noise_key(1, "ee")
    assert key == (0x661CEEFE, 0x200D2B3B)
    assert [x.hex() for x in uniform(key, [0, 1, 2], 7, Stream.READ).tolist()] == [
        "0x1.af24ee6b9f705p-1",
        "0x1.79f1c91c62f07p-1",
        "0x1.685ce5bf21b85p-1",
    ]


def test_key_depends_on_seed_and_label():
    keys = {noise_key(seed, label) for seed in range(50) for label in ("", "e", "ee", "1ee", "é")}
    assert len(keys) == 250
    assert all(0 <= half <= FFFF for key in keys for half in key)
    assert noise_key(np.int64(3), "e") == noise_key(3, "e")
    assert noise_key(2**100, "e") != noise_key(0, "e")


@pytest.mark.parametrize(
    ("seed", "label", "message"),
    [
        (-1, "ee", r"noise_key: seed=-1, need an integer >= 0"),
        (1.0, "ee", r"noise_key: seed=1\.0, need an integer"),
        (True, "ee", r"noise_key: seed=True, need an integer"),
        (1, b"ee", r"noise_key: label=b'ee', need a string"),
        (1, None, r"noise_key: label=None, need a string"),
    ],
)
def test_bad_key_arguments_are_refused(seed, label, message):
    with pytest.raises(ValueError, match=message):
        noise_key(seed, label)


@pytest.mark.parametrize("bad", [-1, 2**32, [0, 2**40], 0.0, True, [1.5]])
@pytest.mark.parametrize("name", ["device", "event"])
def test_counters_beyond_32_bit_are_refused_not_wrapped(name, bad):
    arguments = {"device": 0, "event": 0} | {name: bad}
    with pytest.raises(
        ValueError, match=rf"noise: {name} of type .* need integers in 0 \.\.\. 4294967295"
    ):
        uniform(KEY, **arguments, stream=Stream.WRITE)


def test_ppnd16_centre_has_the_same_bits_as_another_as241():
    """The standard library's AS 241 keeps the published order of operations, too."""
    u = np.concatenate(
        [np.linspace(0.075, 0.925, 20_001), uniform(KEY, np.arange(20_000), 0, Stream.WRITE)]
    )
    u = u[np.abs(u - 0.5) <= 0.425]
    reference = NormalDist()
    assert ppnd16(u).tolist() == [reference.inv_cdf(x) for x in u.tolist()]


@pytest.mark.parametrize(
    "u",
    [
        np.linspace(0.001, 0.999, 9_998),
        np.logspace(math.log10(2.0**-53), -0.5, 10_000),
        1.0 - np.logspace(math.log10(2.0**-53), -0.5, 10_000),
    ],
    ids=["centre", "lower tail", "upper tail"],
)
def test_ppnd16_is_the_normal_quantile(u):
    # Both sides are good to a few units in the last place (2.2e-16).
    np.testing.assert_allclose(ppnd16(u), special.ndtri(u), rtol=2e-15, atol=1e-17)


def test_ppnd16_branches_join_and_are_odd():
    for edge in (0.075, math.exp(-25.0)):
        u = np.array([np.nextafter(edge, 0), edge, np.nextafter(edge, 1)])
        assert np.ptp(ppnd16(u)) < 1e-14
    u = np.arange(1, 1024) / 1024  # 1 - u is exact
    assert ppnd16(u).tolist() == (-ppnd16(1.0 - u)).tolist()
    assert ppnd16(0.5) == 0.0


def test_distributions():
    # Kolmogorov-Smirnov: sqrt(n) * distance exceeds 2.3 with a probability below 1e-4.
    for stream in Stream:
        u = uniform(KEY, np.arange(N), 3, stream)
        assert stats.kstest(u, "uniform").statistic < 2.3 / math.sqrt(N)
        x = normal(KEY, np.arange(N), 3, stream)
        assert stats.kstest(x, "norm").statistic < 2.3 / math.sqrt(N)


def test_streams_devices_events_and_keys_are_independent():
    index = np.arange(N)
    samples = [normal(KEY, index, 0, stream) for stream in Stream]
    samples += [
        normal(KEY, index, 1, Stream.WRITE),  # another event
        normal(KEY, index + 1, 0, Stream.WRITE),  # the next device
        normal(KEY, 0, index, Stream.WRITE),  # events of one device
        normal(noise_key(20222, "ee"), index, 0, Stream.WRITE),  # another run
        normal(noise_key(20221, "ei"), index, 0, Stream.WRITE),  # another projection
    ]
    for a, b in itertools.combinations(samples, 2):
        # Under independence a correlation has the standard deviation 1/sqrt(N).
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / math.sqrt(N)
        assert abs(np.corrcoef(a**2, b**2)[0, 1]) < 5 / math.sqrt(N)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), n=st.integers(1, 40))
def test_order_and_chunks_do_not_matter(data, n):
    device = np.array(data.draw(st.lists(word, min_size=n, max_size=n)))
    event = np.array(data.draw(st.lists(word, min_size=n, max_size=n)))
    order = np.array(data.draw(st.permutations(range(n))))
    cut = data.draw(st.integers(0, n))
    whole = normal(KEY, device, event, Stream.LEVEL)
    parts = [
        normal(KEY, device[part], event[part], Stream.LEVEL) for part in (order[:cut], order[cut:])
    ]
    assert np.concatenate(parts).tolist() == whole[order].tolist()
    assert [float(normal(KEY, d, e, Stream.LEVEL)) for d, e in zip(device, event, strict=True)] == (
        whole.tolist()
    )


def test_shapes_broadcast():
    whole = uniform(KEY, np.arange(4)[:, None], np.arange(3), Stream.READ)
    assert whole.shape == (4, 3)
    assert whole[2, 1] == uniform(KEY, 2, 1, Stream.READ)
    assert uniform(KEY, [], 0, Stream.READ).shape == (0,)
