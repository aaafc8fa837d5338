"""Pattern code: every level of a variable has a pattern of its own over that variable's inputs (Aenugu et al. 2019).

    level    floor((x - low) / (high - low) levels), and the outermost for what lies beyond
    pattern  the level-th combination of `on` of `inputs`, in lexicographic order;   input +1 where it is on, else -1

In lexicographic order the first inputs are hardly told apart: of 5 out of 10 the first ten patterns have inputs 1 to 3 on in
all of them. `OneHotBins` has no such favourites.
"""

import itertools
import math

import jax.numpy as jnp
import numpy as np

from spikeloop.component import require, require_count
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.bins import check_range, require_range


class PatternCode(AbstractEncoder):
    """So many of each variable's inputs are on, +1, and the others off, -1; which ones, tells the level."""

    constant = True

    inputs: int = 10  # of each variable
    on: int = 5  # of which so many are on
    levels: int = 10  # levels of each variable
    low: float | tuple[float, ...] = -1.0  # lower end of the levels: one for all variables, or one for each
    high: float | tuple[float, ...] = 1.0  # upper end

    def __check_init__(self):
        require_count(self, "inputs", "on", "levels")
        require(self, "on", lambda on: on <= self.inputs, f"at most inputs, {self.inputs}")
        patterns = math.comb(self.inputs, self.on)
        require(self, "levels", lambda levels: levels <= patterns, f"at most the {patterns} different patterns")
        require_range(self)

    def size(self, obs_size):
        check_range(self, obs_size)
        return obs_size * self.inputs

    def step(self, params, state, obs, key):
        low, high = jnp.asarray(self.low, obs.dtype), jnp.asarray(self.high, obs.dtype)
        level = jnp.clip(jnp.floor((obs - low) * (self.levels / (high - low))), 0, self.levels - 1).astype(jnp.int32)
        return state, jnp.ravel(jnp.asarray(self._patterns())[level])

    def _patterns(self):
        chosen = itertools.islice(itertools.combinations(range(self.inputs), self.on), self.levels)
        return np.asarray([[1.0 if i in on else -1.0 for i in range(self.inputs)] for on in chosen], np.float32)
