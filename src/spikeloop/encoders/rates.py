"""Poisson spike trains in real time: a variable is a rate of up to 300 Hz, as of the vehicles of Bing et al. 2019.

    rate_i = f_max clip(s_i, 0, 1)        a spike in a tick of h if a Poisson process of that rate has any event in it

`SignedPoissonRates` gives every variable two inputs, s and -s, of which one is silent. Behind them stands a bias whose rate is
always f_max. Every input has `copies` neurons that fire independently of each other: within a window of 50 ms a single neuron fires
15 times at the highest rate, give or take 4, so what it says is known to a quarter; of n neurons, to that over sqrt(n). The paper,
as far as it is known to us, has one neuron each.
"""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_count, require_positive
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.firing import poisson_spikes


class AbstractPoissonRates(AbstractEncoder):
    """What both codes share: the rates, the bias and the copies."""

    stochastic = True

    highest: float = 300.0  # rate of a variable at 1 and of the bias, Hz
    tick: float = 1.0  # length of a tick, ms
    copies: int = 8  # neurons of each input

    def __check_init__(self):
        require_positive(self, "highest", "tick")
        require_count(self, "copies")

    def step(self, params, state, obs, key):
        levels = jnp.append(jnp.clip(self._inputs(obs), 0.0, 1.0), 1.0)
        events = self.highest * self.tick / 1000.0  # mean number in a tick at the highest rate
        return state, poisson_spikes(events * jnp.repeat(levels, self.copies), key)

    @abc.abstractmethod
    def _inputs(self, obs: Float[Array, " obs"]) -> Float[Array, " inputs"]:
        """What the neurons but the bias stand for."""


class PoissonRates(AbstractPoissonRates):
    """Poisson spikes whose rate is the variable, from 0 to 1, and a bias that always fires at the highest rate."""

    def size(self, obs_size):
        return (obs_size + 1) * self.copies

    def _inputs(self, obs):
        return obs


class SignedPoissonRates(AbstractPoissonRates):
    """The same for variables with a sign: one input for the positive side of each, and one for the negative."""

    def size(self, obs_size):
        return (2 * obs_size + 1) * self.copies

    def _inputs(self, obs):
        return jnp.concatenate([obs, -obs])
