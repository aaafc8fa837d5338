"""What the cells of a maze show: a code of bits for each cell, the same at every visit.

A maze asks for its codes once, before its first episode; no step computes any. Random codes stand here. Codes that a binary
convolutional network makes of pictures are in `spikeloop.papers.chevtchenko2021`.
"""

import abc

import numpy as np
from jaxtyping import Float

from spikeloop.component import Component, require_count


class AbstractCodes(Component):
    """A rule that gives every cell of a grid its code."""

    @property
    @abc.abstractmethod
    def bits(self) -> int:
        """Bits of one code."""

    @abc.abstractmethod
    def __call__(self, rows: int, columns: int) -> Float[np.ndarray, "rows columns bits"]:
        """The code of every cell, of zeros and ones; the same for every call with the same numbers."""


class RandomCodes(AbstractCodes):
    """Codes whose bits are 0 or 1 with equal probability, each drawn by itself."""

    size: int = 128  # bits of a code
    seed: int = 0  # the bits are drawn from it

    def __check_init__(self):
        require_count(self, "size")
        require_count(self, "seed", least=0)

    @property
    def bits(self):
        return self.size

    def __call__(self, rows, columns):
        return np.random.default_rng(self.seed).integers(0, 2, (rows, columns, self.size)).astype(np.float32)
