"""Evolution: the parameters of a policy are an individual, the episodes that it plays are its fitness.

One iteration is one generation: the strategy is asked for a population, every individual plays `episodes` episodes, all at
once, and the strategy is told the mean of their scores. Every environment step of every individual counts, also where the
strategy keeps an older fitness. Where there are more devices than seeds, the individuals of a generation are spread over them.

With `CommonStart` all individuals of a generation meet the same beginnings and the same chance (Yegenoglu et al. 2022), so
that what differs between them is themselves.
"""

import abc
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import PRNGKeyArray

from spikeloop.component import Component, require_count
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractScore, Actor, EpisodeReturn, over_individuals, play_episode
from spikeloop.learners._base import AbstractLearner, Report, played_rates
from spikeloop.learners.strategies import AbstractStrategy, Genetic
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class AbstractStart(Component):
    """Which episodes the individuals of a generation play."""

    @abc.abstractmethod
    def __call__(self, individuals: int, episodes: int, key: PRNGKeyArray) -> PRNGKeyArray:
        """The key of every episode of every individual: ``[individuals, episodes]``."""


class CommonStart(AbstractStart):
    """All the same ones, and others in the next generation."""

    def __call__(self, individuals, episodes, key):
        return jnp.broadcast_to(jax.random.split(key, episodes), (individuals, episodes))


class OwnStart(AbstractStart):
    """Each its own."""

    def __call__(self, individuals, episodes, key):
        return jax.random.split(key, (individuals, episodes))


class Evolution(AbstractLearner):
    """Lets a population of policies play, and a strategy make the next from their scores: no gradient, one number an episode."""

    fixed_env_steps = False

    policy: AbstractPolicy = SpikingPolicy()  # whose parameters evolve
    strategy: AbstractStrategy = Genetic()  # how a generation follows from the last
    episodes: int = 1  # played by each individual
    start: AbstractStart = CommonStart()  # which episodes
    score: AbstractScore = EpisodeReturn()  # what an episode is worth

    def __check_init__(self):
        require_count(self, "episodes")

    @property
    def individuals(self):
        return self.strategy.population

    def typical_env_steps(self, environment):
        return self.individuals * self.episodes * 20

    def init(self, environment, key):
        template_key, strategy_key = jax.random.split(key)
        template = self._draw(environment, template_key)
        if not template.size:
            raise InvalidInput(f"Evolution needs a policy with parameters, and {type(self.policy).__name__} has none")
        return self.strategy.init(template, lambda k: self._draw(environment, k), strategy_key)

    def step(self, environment, state, key):
        ask_key, start_key = jax.random.split(key)
        population = self.strategy.ask(state, ask_key)
        unravel = self._unravel(environment)

        def play(individual, keys):
            actor = Actor(self.policy, unravel(individual), environment.spec.actions)
            return jax.vmap(lambda k: play_episode(environment, actor, k, self.score))(keys)

        played = over_individuals(play, population, self.start(self.individuals, self.episodes, start_key))
        fitness = jnp.mean(played.score, axis=1)
        state = self.strategy.tell(state, population, fitness)
        played = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), played)
        finite = jnp.isfinite(fitness)
        metrics = {
            "best_fitness": jnp.nanmax(jnp.where(finite, fitness, jnp.nan)),
            "mean_fitness": jnp.nanmean(jnp.where(finite, fitness, jnp.nan)),
            "not_finite": jnp.sum(~finite, dtype=jnp.float32),
        }
        for place, rates in enumerate(played_rates(self.policy, played), start=1):
            metrics[f"firing_rate_{place}"] = jnp.mean(rates)
        return state, Report(jnp.sum(played.episode.length, dtype=jnp.int32), played.episode, metrics)

    def actor(self, environment, state):
        params = self._unravel(environment)(self.strategy.best(state))
        return Actor(self.policy, params, environment.spec.actions)

    def _draw(self, environment, key):
        spec = environment.spec
        return ravel_pytree(self.policy.init(spec.observation_size, spec.actions.output_size, key))[0]

    def _unravel(self, environment) -> Any:
        spec = environment.spec
        shapes = jax.eval_shape(
            lambda key: self.policy.init(spec.observation_size, spec.actions.output_size, key), jax.random.key(0)
        )
        return ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes))[1]
