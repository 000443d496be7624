"""The extension draws the same numbers as devices/noise.py."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cosim.backends.nest.extension import library
from devices.noise import Stream, normal, uniform
from devices.ppnd16 import ppnd16

WORD = st.integers(0, 2**32 - 1)
STREAM = st.sampled_from(Stream)
MANY = settings(max_examples=500)


@MANY
@given(key=st.tuples(WORD, WORD), device=WORD, event=WORD, stream=STREAM, part=WORD)
@example(key=(0, 0), device=0, event=0, stream=Stream.WRITE, part=0)
@example(
    key=(2**32 - 1, 2**32 - 1), device=2**32 - 1, event=2**32 - 1, stream=Stream.READ,
    part=2**32 - 1,
)  # fmt: skip
def test_uniform_is_equal_to_the_last_bit(key, device, event, stream, part):
    ours = library().cosim_uniform(*key, device, event, stream, part)
    assert ours == uniform(key, device, event, stream, part)


@MANY
@given(key=st.tuples(WORD, WORD), device=WORD, event=WORD, stream=STREAM, part=WORD)
def test_normal_is_equal_to_the_last_bit_but_in_the_tails(key, device, event, stream, part):
    ours = library().cosim_normal(*key, device, event, stream, part)
    theirs = float(normal(key, device, event, stream, part))
    if abs(uniform(key, device, event, stream, part) - 0.5) <= 0.425:
        assert ours == theirs
    else:
        # where two libraries may round a logarithm differently
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@MANY
@given(exponent=st.floats(1.0, 53.0), upper=st.booleans())
@example(exponent=53.0, upper=False)
@example(exponent=53.0, upper=True)
def test_normal_quantile_far_in_the_tails(exponent, upper):
    """Beyond what drawing would ever find: the smallest uniform number is 2^-53."""
    u = 1.0 - 2.0**-exponent if upper else 2.0**-exponent
    np.testing.assert_allclose(
        library().cosim_normal_quantile(u), ppnd16(u), rtol=1e-14, atol=1e-15
    )
