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


class StandardisedParams(eqx.Module):
    """The standardisation, and the parameters of the policy behind it."""

    mean: Float[Array, " obs"]
    scale: Float[Array, " obs"]  # one over the standard deviation
    policy: Any


class StandardisedPolicy(AbstractPolicy):
    """Any policy, seeing each observed variable in standard deviations from its mean, cut off at a limit."""

    policy: AbstractPolicy = SpikingPolicy()  # what decides
    limit: float = 3.0  # largest magnitude that it sees, in standard deviations

    def __check_init__(self):
        require_positive(self, "limit")

    @property
    def stochastic(self):
        return self.policy.stochastic

    @property
    def carries_state(self):
        return self.policy.carries_state

    @property
    def ticks_per_decision(self):
        return self.policy.ticks_per_decision

    def populations(self, out_size):
        return self.policy.populations(out_size)

    def init(self, obs_size, out_size, key):
        return StandardisedParams(jnp.zeros(obs_size), jnp.ones(obs_size), self.policy.init(obs_size, out_size, key))

    def init_state(self, params):
        return self.policy.init_state(params.policy)

    def __call__(self, params, state, obs, key):
        return self.policy(params.policy, state, self._standardised(params, obs), key)

    def trace(self, params, state, obs, key):
        return self.policy.trace(params.policy, state, self._standardised(params, obs), key)

    def probe(self, params, state, obs, key):
        return self.policy.probe(params.policy, state, self._standardised(params, obs), key)

    def memory(self, params):
        return self.policy.memory(params.policy)

    def activity(self, params, state, obs, key):
        return self.policy.activity(params.policy, state, self._standardised(params, obs), key)

    def _standardised(self, params, obs):
        mean, scale = jax.lax.stop_gradient((params.mean, params.scale))
        return jnp.clip((jnp.ravel(obs) - mean) * scale, -self.limit, self.limit)
