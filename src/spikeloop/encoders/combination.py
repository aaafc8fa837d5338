"""Combination code: every cell of a grid of observations has a spatio-temporal pattern of its own (Aenugu et al. 2019).

    cell    each variable is cut into `levels` equal parts between low and high; together they number the cells
    train   one input's pattern of `on` active ticks among `ticks`: C(ticks, on) trains in lexicographic order
    code    the c-th combination of `inputs` different trains: C(C(ticks, on), inputs) codes, C(10, 3) = 120 by default
    input   +1 at active ticks, else -1

Neighbouring cells may share no train, and distant ones may share two: what is near is for the learner to find out. Cell c
gets combination c + `skip`; the public code counts cells from 1 and combinations from 0, which is a skip of 1.
"""

import itertools
import math

import jax.numpy as jnp
import numpy as np

from spikeloop.component import require, require_count
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.bins import check_range, require_range
from spikeloop.errors import InvalidInput

MOST_TICKS, MOST_TRAINS, MOST_CELLS = 64, 10_000, 1_000_000  # what is written out in full must fit into memory


class CombinationCode(AbstractEncoder):
    """A combination of spike trains for each cell of the observations; as an input, +1 for a spike and -1 for none."""

    inputs: int = 3  # input neurons
    ticks: int = 5  # length of a train; it begins again afterwards
    on: int = 2  # spikes in a train
    levels: int = 2  # cells along each variable
    low: float | tuple[float, ...] = 0.0  # lower end of the cells: one for all variables, or one for each
    high: float | tuple[float, ...] = 1.0  # upper end; what lies beyond is in the outermost cell
    skip: int = 0  # combinations left out at first

    def __check_init__(self):
        require_count(self, "inputs", "ticks", "on", "levels")
        require_count(self, "skip", least=0)
        require(self, "ticks", lambda ticks: ticks <= MOST_TICKS, f"at most {MOST_TICKS}")
        require(self, "on", lambda on: on <= self.ticks, f"at most ticks, {self.ticks}")
        few = f"a number with which there are at most {MOST_TRAINS:,} trains"
        require(self, "on", lambda on: self._trains() <= MOST_TRAINS, few)
        require(
            self, "inputs", lambda inputs: inputs <= self._trains(), f"at most the {self._trains()} different trains"
        )
        require_range(self)

    def size(self, obs_size):
        check_range(self, obs_size)
        codes = min(math.comb(self._trains(), self.inputs) - self.skip, MOST_CELLS)
        if self.levels**obs_size > codes:
            raise InvalidInput(
                f"{obs_size} numbers of {self.levels} levels make {self.levels**obs_size} cells, and there are {codes} codes"
            )
        return self.inputs

    def init_state(self, params):
        return jnp.zeros((), jnp.int32)

    def step(self, params, state, obs, key):
        low, high = jnp.asarray(self.low, obs.dtype), jnp.asarray(self.high, obs.dtype)
        places = jnp.clip(jnp.floor((obs - low) * (self.levels / (high - low))), 0, self.levels - 1).astype(jnp.int32)
        cell = places @ jnp.asarray([self.levels**power for power in reversed(range(obs.size))], jnp.int32)
        codes = jnp.asarray(self._codes(self.levels**obs.size))
        return (state + 1) % self.ticks, codes[cell, state]

    def _trains(self):
        return math.comb(self.ticks, self.on)

    def _codes(self, count):
        """The codes of so many cells: [cell, tick, input]."""
        active = list(itertools.combinations(range(self.ticks), self.on))
        trains = np.asarray([[1.0 if tick in train else -1.0 for tick in range(self.ticks)] for train in active])
        chosen = itertools.islice(itertools.combinations(range(len(trains)), self.inputs), self.skip, self.skip + count)
        return np.swapaxes(trains[np.asarray(list(chosen))], 1, 2).astype(np.float32)
