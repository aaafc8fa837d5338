"""Null baseline: hill climbing on the weights. A random change is kept if the score is no worse, else undone.

The simplest thing that uses its own past. A learner whose synapses act by themselves must beat it under the same number
of environment steps, or nothing is gained by letting them act.

One iteration: Gaussian noise is added to the best weights so far; they play `episodes` episodes; they are kept if their
mean return is at least that of the best. Its score is not measured again.
"""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from spikeloop.component import require_count, require_positive
from spikeloop.interaction import Actor, play_episode
from spikeloop.learners._base import AbstractLearner, BestSoFar, Report
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class HillClimbing(AbstractLearner):
    """Changes the best weights at random and keeps what is no worse: search without learning."""

    fixed_env_steps = False

    policy: AbstractPolicy = SpikingPolicy()  # whose weights are changed
    step_size: float = 0.3  # standard deviation of the change of a weight
    episodes: int = 1  # episodes that score a change

    def __check_init__(self):
        require_positive(self, "step_size")
        require_count(self, "episodes")

    def typical_env_steps(self, environment):
        return self.episodes * 20

    def init(self, environment, key):
        spec = environment.spec
        params = self.policy.init(spec.observation_size, spec.actions.output_size, key)
        return BestSoFar(params, jnp.full((), -jnp.inf))

    def step(self, environment, state, key):
        noise_key, play_key = jax.random.split(key)
        weights, unravel = ravel_pytree(state.best)
        # The first weights are those drawn: before anything was played, there is nothing to change.
        size = jnp.where(jnp.isinf(state.score), 0.0, self.step_size)
        tried = unravel(weights + size * jax.random.normal(noise_key, weights.shape))
        actor = Actor(self.policy, tried, environment.spec.actions)
        played = jax.vmap(lambda k: play_episode(environment, actor, k).episode)(
            jax.random.split(play_key, self.episodes)
        )
        score = jnp.mean(played.episode_return)
        state = state.after(tried, score, score >= state.score)
        return state, Report(jnp.sum(played.length, dtype=jnp.int32), played, {"best_return": state.score})

    def actor(self, environment, state):
        return Actor(self.policy, state.best, environment.spec.actions)
