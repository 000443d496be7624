"""Settings for all tests, made before any of them imports a simulator or matplotlib."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("PYNEST_QUIET", "1")
# Threads of NEST that wait for each other must not keep the other tests from their cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# The same examples on every run: a failure in CI is a failure on the desk. The first call of a
# function may compile or import, so that no deadline fits.
settings.register_profile("reproducible", deadline=None, derandomize=True)
settings.load_profile("reproducible")
