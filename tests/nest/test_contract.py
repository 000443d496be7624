"""The contract of every backend, on NEST."""

import pytest

from cosim.testing import BackendContract

# PyNN says with every reset that NEST has none of its own.
pytestmark = pytest.mark.filterwarnings("ignore:Full reset functionality")


class TestNest(BackendContract):
    backend = "cosim.backends.nest"
    setup_options = {"t_flush": 500.0}

    test_from_the_first_step = pytest.mark.xfail(
        strict=True, reason="NEST's devices act one minimal delay and one step later at time 0"
    )(BackendContract.test_from_the_first_step)
