"""An actor: a policy with its parameters and a way to choose actions. What training yields, and what evaluation plays."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from spikeloop.environments import Box, Discrete
from spikeloop.interaction.selection import AbstractSelection, Greedy
from spikeloop.policies import AbstractPolicy, Decision, SpikingPolicy


class Act(eqx.Module):
    """An action and the decision behind it."""

    action: Shaped[Array, "..."]
    decision: Decision


class AbstractActor(eqx.Module):
    """A policy, its parameters, and how it chooses."""

    policy: AbstractPolicy
    params: Any
    actions: Discrete | Box
    selection: AbstractSelection = Greedy()

    def init_state(self) -> Any:
        """The policy's state at rest, as an episode begins with."""
        return self.policy.init_state(self.params)

    def __call__(self, state: Any, obs: Float[Array, "..."], key: Any, env_steps=None) -> tuple[Any, Act]:
        """One decision. ``env_steps`` is how far training has come, for selections that follow a schedule."""
        env_steps = jnp.zeros((), jnp.int32) if env_steps is None else env_steps
        policy_key, selection_key = None, key
        if self.policy.stochastic:
            policy_key, selection_key = jax.random.split(key)
        state, decision = self._decide(state, obs, policy_key)
        return state, Act(self.selection(decision.output, self.actions, env_steps, selection_key), decision)

    @abc.abstractmethod
    def _decide(self, state: Any, obs: Float[Array, "..."], key: Any) -> tuple[Any, Decision]:
        """The policy's decision."""


class Actor(AbstractActor):
    """A policy, its parameters, and how it chooses: everything needed to act."""

    def _decide(self, state, obs, key):
        return self.policy(self.params, state, obs, key)


class WatchedActor(AbstractActor):
    """An actor whose every spike is seen, for local rules: the record of its decisions is a `WatchedDecision`."""

    policy: SpikingPolicy

    def _decide(self, state, obs, key):
        state, watched = self.policy.watch(self.params, state, obs, key)
        return state, Decision(watched.decision.output, watched.decision.spikes, watched)
