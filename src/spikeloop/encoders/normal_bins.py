"""Bins of equal probability: each variable drives exactly one of its inputs, in bins that are quantiles of a normal distribution.

    input_i = amplitude [ i = floor(bins Phi((x - mean) / deviation)) ]

Phi is the normal distribution function, so every bin is met equally often by a normal variable of that mean and standard deviation,
and the outer two are open. Hasegan et al. 2022 use 20 bins and an amplitude of 50 Hz, the rate of a regular source; their
means and deviations are those that a trained model met on CartPole.
"""

import math

import jax
import jax.numpy as jnp

from spikeloop.component import require, require_count, require_finite
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.errors import InvalidInput


class NormalBins(AbstractEncoder):
    """Bins that are equally probable under a normal distribution; exactly one of each variable's inputs is driven."""

    constant = True

    bins: int = 20  # bins of each variable
    mean: float | tuple[float, ...] = 0.0  # mean: one for all variables, or one for each
    deviation: float | tuple[float, ...] = 1.0  # standard deviation, likewise
    amplitude: float = 50.0  # the driven input; a rate in Hz where the network has a source

    def __check_init__(self):
        require_count(self, "bins")
        require(
            self, "mean", lambda mean: all(map(math.isfinite, _entries(mean))), "a finite number or a tuple of them"
        )
        positive = "a positive finite number or a tuple of them"
        require(self, "deviation", lambda s: all(math.isfinite(x) and x > 0 for x in _entries(s)), positive)
        require_finite(self, "amplitude")

    def size(self, obs_size):
        for field in ("mean", "deviation"):
            value = getattr(self, field)
            if isinstance(value, tuple) and len(value) != obs_size:
                raise InvalidInput(f"{field} has {len(value)} entries, but an observation has {obs_size} numbers")
        return obs_size * self.bins

    def step(self, params, state, obs, key):
        z = (obs - jnp.asarray(self.mean, obs.dtype)) / jnp.asarray(self.deviation, obs.dtype)
        index = jnp.minimum(jnp.floor(self.bins * jax.scipy.special.ndtr(z)).astype(jnp.int32), self.bins - 1)
        return state, jnp.ravel(self.amplitude * jax.nn.one_hot(index, self.bins, dtype=obs.dtype))


def _entries(value):
    return value if isinstance(value, tuple) else (value,)
