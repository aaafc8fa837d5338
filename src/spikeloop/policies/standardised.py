"""A policy behind a standardisation of what it sees.

    z = clip((s - mean) scale, -limit, limit),   action = policy(z)

Mean and scale are parameters that no gradient reaches: the learner that gathers experience measures them
(`interaction.RunningStandardisation`) and hands them over with the policy, so that who loads it needs nothing else.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_positive
from spikeloop.policies._base import AbstractPolicy
from spikeloop.policies.spiking import SpikingPolicy
from spikeloop.policies.wrapped import AbstractWrappedPolicy


class StandardisedParams(eqx.Module):
    """The standardisation, and the parameters of the policy behind it."""

    mean: Float[Array, " obs"]
    scale: Float[Array, " obs"]  # one over the standard deviation
    policy: Any


class StandardisedPolicy(AbstractWrappedPolicy):
    """Any policy, seeing each observed variable in standard deviations from its mean, cut off at a limit."""

    policy: AbstractPolicy = SpikingPolicy()  # what decides
    limit: float = 3.0  # largest magnitude that it sees, in standard deviations

    def __check_init__(self):
        require_positive(self, "limit")

    def inner(self, params):
        return params.policy

    def seen(self, params, obs):
        mean, scale = jax.lax.stop_gradient((params.mean, params.scale))
        return jnp.clip((jnp.ravel(obs) - mean) * scale, -self.limit, self.limit)

    def init(self, obs_size, out_size, key):
        return StandardisedParams(jnp.zeros(obs_size), jnp.ones(obs_size), self.policy.init(obs_size, out_size, key))
