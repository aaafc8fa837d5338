"""Null baseline: actions drawn uniformly at random. It learns nothing, and every learner must beat it."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from spikeloop.component import require_count
from spikeloop.interaction import Actor, Interaction, UniformRandom, begin, interact
from spikeloop.learners._base import AbstractLearner, Report
from spikeloop.policies import BlindPolicy


class RandomActionsState(eqx.Module):
    """The episode in progress."""

    interaction: Interaction
    env_steps: Int[Array, ""]


class RandomActions(AbstractLearner):
    """Acts uniformly at random for the whole budget and for ever after."""

    fixed_env_steps = True

    steps_per_iteration: int = 1  # environment steps per iteration

    def __check_init__(self):
        require_count(self, "steps_per_iteration")

    def typical_env_steps(self, environment):
        return self.steps_per_iteration

    def init(self, environment, key):
        return RandomActionsState(begin(environment, self._actor(environment), key), jnp.zeros((), jnp.int32))

    def step(self, environment, state, key):
        def act(carry, step_key):
            interaction, env_steps = carry
            interaction, moment = interact(environment, self._actor(environment), interaction, env_steps, step_key)
            return (interaction, env_steps + 1), moment.episode

        keys = jax.random.split(key, self.steps_per_iteration)
        (interaction, env_steps), episodes = jax.lax.scan(act, (state.interaction, state.env_steps), keys)
        taken = jnp.asarray(self.steps_per_iteration, jnp.int32)
        return RandomActionsState(interaction, env_steps), Report(taken, episodes, {})

    def actor(self, environment, state):
        return self._actor(environment)

    def _actor(self, environment):
        return Actor(BlindPolicy(), (), environment.spec.actions, UniformRandom())
