"""Null baseline: actions drawn uniformly at random. It learns nothing, and every learner must beat it."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int

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

    def typical_env_steps(self, environment):
        return 1

    def init(self, environment, key):
        return RandomActionsState(begin(environment, self._actor(environment), key), jnp.zeros((), jnp.int32))

    def step(self, environment, state, key):
        interaction, moment = interact(environment, self._actor(environment), state.interaction, state.env_steps, key)
        one = jnp.ones((), jnp.int32)
        report = Report(one, _each(moment.episode), {})
        return RandomActionsState(interaction, state.env_steps + one), report

    def actor(self, environment, state):
        return self._actor(environment)

    def _actor(self, environment):
        return Actor(BlindPolicy(), (), environment.spec.actions, UniformRandom())


def _each(episode):
    return eqx.tree_at(
        lambda e: (e.ended, e.episode_return, e.length),
        episode,
        (episode.ended[None], episode.episode_return[None], episode.length[None]),
    )
