"""Random streams of one projection."""

import hashlib
import json
from dataclasses import dataclass
from operator import index

import numpy as np
from pyNN.connectors import _get_rng
from pyNN.random import AbstractRNG, NumpyRNG, RandomDistribution

# PyNN gives a connector without an rng a NumpyRNG with one fixed seed, in every projection of
# every run. That seed means "nobody chose".
_UNCHOSEN_SEEDS = (None, _get_rng(None).seed)


@dataclass(frozen=True)
class Streams:
    """Independent random streams of a projection, one for each role.

    A stream is a function of the seed, the label of the projection and the role of the numbers
    ("topology", "weight", ...). The seed is that of the PyNN rng the user passed, or the run
    seed where the user passed none or an unseeded one. The state of a PyNN rng is never used,
    so the order in which projections are built doesn't matter, and projections that share an
    rng still differ through their labels.

    Parameters
    ----------
    run_seed : int
        Seed of the run.
    label : str
        Label of the projection. Projections with equal labels draw equal numbers.
    """

    run_seed: int
    label: str

    def generator(self, role: str, rng: AbstractRNG | None = None) -> np.random.Generator:
        """Return the generator of a role, seeded by `rng` if it has a seed of the user's."""
        return np.random.Generator(self._bits(role, rng))

    def pynn_rng(self, role: str, rng: AbstractRNG | None = None) -> NumpyRNG:
        """Return the stream of a role in the form that PyNN's own code draws from."""
        wrapper = NumpyRNG(seed=0)
        wrapper.rng = np.random.RandomState(self._bits(role, rng))
        return wrapper

    def draw(self, distribution: RandomDistribution, role: str, n: int) -> np.ndarray:
        """Draw `n` values from a PyNN distribution, in one call."""
        rng = self.pynn_rng(role, distribution.rng)
        return rng.next(n, distribution.name, distribution.parameters)

    def _bits(self, role: str, rng: AbstractRNG | None) -> np.random.PCG64:
        seed = None if rng is None else rng.seed
        source = ("run", self.run_seed) if seed in _UNCHOSEN_SEEDS else ("user", seed)
        # JSON keeps the fields apart and is plain ASCII whatever the label is.
        key = json.dumps([source[0], index(source[1]), self.label, role])
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        return np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "little")))
