"""What is done to observations before a policy or a critic sees them, measured on the way.

    mean and variance of all observations so far, by the parallel form of Chan, Golub & LeVeque (1983):
    n' = n + m;   d = mean_batch - mean;   mean' = mean + d m / n';   M2' = M2 + M2_batch + d^2 n m / n'
    z = clip((s - mean) / sqrt(M2 / n + 1e-8), -limit, limit)

PopSAN (Tang et al. 2020) and MDC-SAN standardise so, with a limit of 3, also what they replay: a transition is stored as it
was seen, and standardised with what is known when it is used.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_positive
from spikeloop.policies import AbstractPolicy, StandardisedParams, StandardisedPolicy


class ObservationStatistics(eqx.Module):
    """How many observations there were, their mean, and the sum of their squared distances from it."""

    count: Float[Array, ""]
    mean: Float[Array, " obs"]
    squares: Float[Array, " obs"]

    @property
    def scale(self) -> Float[Array, " obs"]:
        """One over the standard deviation; 1 before anything was seen."""
        variance = jnp.where(self.count > 0, self.squares / jnp.maximum(self.count, 1.0), 1.0)
        return jax.lax.rsqrt(variance + 1e-8)


class AbstractNormalisation(Component):
    """How observations are prepared for the networks that see them."""

    @abc.abstractmethod
    def init(self, obs_size: int) -> Any:
        """What is known before the first observation."""

    @abc.abstractmethod
    def observe(self, known: Any, observations: Float[Array, "batch obs"]) -> Any:
        """What is known after a batch of observations more."""

    @abc.abstractmethod
    def __call__(self, known: Any, obs: Float[Array, " obs"]) -> Float[Array, " obs"]:
        """An observation, prepared."""

    @abc.abstractmethod
    def policy(self, policy: AbstractPolicy) -> AbstractPolicy:
        """The policy for observations as they come, given one for prepared observations."""

    @abc.abstractmethod
    def params(self, known: Any, params: Any) -> Any:
        """The parameters of that policy."""


class NoNormalisation(AbstractNormalisation):
    """Observations as they come."""

    def init(self, obs_size):
        return None

    def observe(self, known, observations):
        return None

    def __call__(self, known, obs):
        return obs

    def policy(self, policy):
        return policy

    def params(self, known, params):
        return params


class RunningStandardisation(AbstractNormalisation):
    """Each variable in standard deviations from its running mean, cut off at a limit (PopSAN, MDC-SAN)."""

    limit: float = 3.0  # largest magnitude, in standard deviations

    def __check_init__(self):
        require_positive(self, "limit")

    def init(self, obs_size):
        return ObservationStatistics(jnp.zeros(()), jnp.zeros(obs_size), jnp.zeros(obs_size))

    def observe(self, known, observations):
        batch = float(observations.shape[0])
        mean = jnp.mean(observations, axis=0)
        count = known.count + batch
        away = mean - known.mean
        squares = jnp.sum((observations - mean[None]) ** 2, axis=0) + away**2 * (known.count * batch / count)
        return ObservationStatistics(count, known.mean + away * (batch / count), known.squares + squares)

    def __call__(self, known, obs):
        return jnp.clip((obs - known.mean) * known.scale, -self.limit, self.limit)

    def policy(self, policy):
        return StandardisedPolicy(policy, self.limit)

    def params(self, known, params):
        return StandardisedParams(known.mean, known.scale, params)
