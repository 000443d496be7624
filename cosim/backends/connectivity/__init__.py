"""Connectivity realised once: a PyNN projection becomes arrays that every backend shares.

`realise` turns the connector and the synapse type of a projection into index and parameter
arrays, drawn from numpy generators that depend on nothing but the run seed, the label of the
projection and the seeds the user chose. A backend hands these arrays to its simulator in one
bulk call, so all backends simulate the same network.
"""

from cosim.backends.connectivity.realisation import Connectivity, realise

__all__ = ["Connectivity", "realise"]
