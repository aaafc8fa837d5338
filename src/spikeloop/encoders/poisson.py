"""Poisson coding of the observation itself, without populations: the weakest of the codings of Zhang et al. 2022 (Cpoi).

    lambda_i = clip((s_i - low) / (high - low), 0, 1)        o = 1[N >= 1],  N ~ Poisson(lambda_i)

The paper does not say how a variable with a sign becomes a rate. Here the range [-3, 3] to which observations are clipped
once they have mean 0 and deviation 1 is laid evenly over [0, 1], so that 0 means one half. A spike falls with probability
1 - exp(-lambda), as in `PoissonPopulationCode`; its derivative by the rate is 1.
"""

import jax.numpy as jnp

from spikeloop.component import require, require_finite
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.firing import poisson_spikes


class PoissonCode(AbstractEncoder):
    """One neuron for each variable; a spike if a Poisson process whose rate the variable is has any event."""

    stochastic = True

    low: float = -3.0  # value of rate 0, in units of the observation; so is what lies below
    high: float = 3.0  # value of rate 1; so is what lies above

    def __check_init__(self):
        require_finite(self, "low", "high")
        require(self, "high", lambda high: high > self.low, f"above low, {self.low}")

    def size(self, obs_size):
        return obs_size

    def step(self, params, state, obs, key):
        rate = jnp.clip((obs - self.low) / (self.high - self.low), 0.0, 1.0)
        return state, poisson_spikes(rate, key)
