"""Contracts: tests that every backend and every memristive device must pass; needs pytest.

Subclass them in a test module of your own, see ``docs/backends.md``::

    from cosim.testing import BackendContract

    class TestMyBackend(BackendContract):
        backend = "my_package.my_backend"
"""

import pytest

pytest.register_assert_rewrite("cosim.testing.backend", "cosim.testing.device")

from cosim.testing.backend import BackendContract  # noqa: E402
from cosim.testing.device import DeviceContract  # noqa: E402

__all__ = ["BackendContract", "DeviceContract"]
