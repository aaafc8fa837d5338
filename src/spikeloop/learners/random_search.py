"""Null baseline: random weight search. New weights are drawn again and again, and the best ever seen are kept.

It needs no learning at all, yet on CartPole the best of a few hundred random networks plays surprisingly well; a learner
that does not beat it under the same number of environment steps has not been shown to learn.

One iteration: `candidates` new sets of weights play `episodes` episodes each; the set of largest mean score is kept.
"""

import jax
import jax.numpy as jnp

from spikeloop.component import require_count
from spikeloop.interaction import AbstractScore, AbstractSelection, Actor, EpisodeReturn, Greedy, play_episode
from spikeloop.learners._base import AbstractLearner, BestSoFar, Report
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class RandomSearch(AbstractLearner):
    """Draws weights at random and keeps the best: search without learning."""

    fixed_env_steps = False

    policy: AbstractPolicy = SpikingPolicy()  # whose weights are drawn
    candidates: int = 8  # sets of weights drawn per iteration
    episodes: int = 1  # episodes played by each
    score: AbstractScore = EpisodeReturn()  # what an episode is worth
    selection: AbstractSelection = Greedy()  # from the output to an action

    def __check_init__(self):
        require_count(self, "candidates", "episodes")

    def typical_env_steps(self, environment):
        return self.candidates * self.episodes * 20

    def init(self, environment, key):
        return BestSoFar(self._draw(environment, key), jnp.full((), -jnp.inf))

    def step(self, environment, state, key):
        draw_key, play_key = jax.random.split(key)
        drawn = jax.vmap(lambda k: self._draw(environment, k))(jax.random.split(draw_key, self.candidates))

        def play(params, keys):
            actor = Actor(self.policy, params, environment.spec.actions, self.selection)
            return jax.vmap(lambda k: play_episode(environment, actor, k, self.score))(keys)

        played = jax.vmap(play)(drawn, jax.random.split(play_key, (self.candidates, self.episodes)))
        scores = jnp.mean(played.score, axis=1)
        winner = jnp.argmax(scores)
        best = jax.tree.map(lambda leaf: leaf[winner], drawn)
        state = state.after(best, scores[winner], scores[winner] > state.score)
        episodes = jax.tree.map(jnp.ravel, played.episode)
        metrics = {"best_score": state.score, "mean_score": jnp.mean(scores)}
        return state, Report(jnp.sum(episodes.length, dtype=jnp.int32), episodes, metrics)

    def actor(self, environment, state):
        return Actor(self.policy, state.best, environment.spec.actions, self.selection)

    def _draw(self, environment, key):
        spec = environment.spec
        return self.policy.init(spec.observation_size, spec.actions.output_size, key)
