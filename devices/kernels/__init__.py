"""Pulses on many devices and their conductances, compiled.

The same as `devices.effects` in machine code. `compiled` is imported only where it is used: it
needs numba, which takes a second to import.
"""
