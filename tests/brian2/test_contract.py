"""The contract of every backend, on Brian2."""

from cosim.testing import BackendContract


class TestBrian2(BackendContract):
    backend = "cosim.backends.brian2"
