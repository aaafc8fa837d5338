"""Population coding: each variable drives a population of neurons with Gaussian receptive fields, which are learned.

    A_ij = exp(-(s_i - mu_ij)^2 / (2 sigma_ij^2))        variable i, neuron j; mu and sigma trainable

As in PopSAN (Tang et al. 2020, arXiv:2010.09635): ten neurons a variable, mu evenly over [-3, 3], sigma = sqrt(0.15).
What the network gets at a tick is one of the codings of Zhang et al. 2022 (MDC-SAN, arXiv:2106.07854):

    PopulationCode                I = A                                          Cpop
    BernoulliPopulationCode       I = 1[A > U],  U ~ U(0, 1)                     Cpop + Cuni; "Poisson" in PopSAN
    PoissonPopulationCode         I = 1[N >= 1], N ~ Poisson(A)                  Cpop + Cpoi
    DeterministicPopulationCode   V <- V + A;  I = 1[V > threshold];  V <- V - threshold I     Cpop + Cdet

Their fifth, a Poisson code without populations, is `PoissonCode`. Of the third they say "Poisson"; PopSAN calls so what is a
draw of probability A, which is the second. We take Poisson at its word, a spike if there is any event: probability
1 - exp(-A), at most 0.63. Spikes have the straight-through derivative 1, through the reset of V as well.

The equation knows sigma only by its square, so a sigma that training makes negative acts as |sigma|. Against a division by
zero the square is never taken below least_deviation^2; above that the published dynamics are untouched.
"""

import abc
import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.component import require, require_count, require_finite, require_positive
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.firing import bernoulli_spikes, poisson_spikes, straight_through


class ReceptiveFields(eqx.Module):
    """Trainable parameters of a population code: one Gaussian per neuron."""

    mean: Float[Array, "obs neurons"]  # mu: the value to which a neuron answers most, in units of the observation
    deviation: Float[Array, "obs neurons"]  # sigma: how far from it the answer reaches, likewise


class AbstractPopulationCode(AbstractEncoder):
    """What the population codes share: the receptive fields."""

    neurons_per_variable: int = 10  # neurons of each variable's population
    low: float = -3.0  # mean of a population's first neuron at the start, in units of the observation
    high: float = 3.0  # mean of its last
    deviation: float = math.sqrt(0.15)  # sigma at the start, in units of the observation
    least_deviation: float = 0.01  # sigma acts as at least this

    def __check_init__(self):
        require_count(self, "neurons_per_variable")
        require_finite(self, "low", "high")
        require(self, "high", lambda high: high > self.low, f"above low, {self.low}")
        require_positive(self, "deviation", "least_deviation")

    def size(self, obs_size):
        return obs_size * self.neurons_per_variable

    def init(self, obs_size, key):
        n = self.neurons_per_variable
        # A population of one answers to the middle.
        means = np.linspace(self.low, self.high, n) if n > 1 else np.full(1, 0.5 * (self.low + self.high))
        shape = (obs_size, n)
        return ReceptiveFields(jnp.asarray(np.broadcast_to(means, shape), float), jnp.full(shape, self.deviation))

    def step(self, params, state, obs, key):
        return self._fire(state, self.activity(params, obs), key)

    def activity(self, params: ReceptiveFields, obs: Float[Array, " obs"]) -> Float[Array, " input"]:
        """A, between 0 and 1, variable after variable."""
        variance = jnp.maximum(params.deviation**2, self.least_deviation**2)
        return jnp.ravel(jnp.exp(-0.5 * (obs[:, None] - params.mean) ** 2 / variance))

    @abc.abstractmethod
    def _fire(self, state: Any, activity: Float[Array, " input"], key: Any) -> tuple[Any, Float[Array, " input"]]:
        """One tick: the new state, and the input that this activity makes."""


class PopulationCode(AbstractPopulationCode):
    """Gaussian receptive fields, learned; their analogue activity at every tick (Zhang et al. 2022, Cpop)."""

    constant = True

    def _fire(self, state, activity, key):
        return state, activity


class BernoulliPopulationCode(AbstractPopulationCode):
    """Gaussian receptive fields, learned; a spike with their activity as its probability (Cuni; PopSAN's Poisson)."""

    stochastic = True

    def _fire(self, state, activity, key):
        return state, bernoulli_spikes(activity, key)


class PoissonPopulationCode(AbstractPopulationCode):
    """Gaussian receptive fields, learned; a spike if a Poisson process of their activity has any event (Cpoi)."""

    stochastic = True

    def _fire(self, state, activity, key):
        return state, poisson_spikes(activity, key)


class DeterministicPopulationCode(AbstractPopulationCode):
    """Gaussian receptive fields, learned; spikes at regular intervals, as often as their activity asks (PopSAN, Cdet)."""

    threshold: float = (
        0.999  # of the encoder's neurons; below 1, so that A = 1 fires at every tick in spite of rounding
    )

    def __check_init__(self):
        require_positive(self, "threshold")

    def init_state(self, params):
        return jnp.zeros(params.mean.size)

    def _fire(self, state, activity, key):
        v = state + activity
        spikes = straight_through((v > self.threshold).astype(v.dtype), v)
        return v - self.threshold * spikes, spikes
