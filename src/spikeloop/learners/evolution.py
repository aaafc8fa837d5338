"""Evolution: the parameters of a policy are an individual, the episodes that it plays are its fitness.

One iteration is one generation: the strategy is asked for a population, every individual plays `episodes` episodes, all at
once, and the strategy is told the mean of their scores. Every environment step of every individual counts, also where the
strategy keeps an older fitness. Where there are more devices than seeds, the individuals of a generation are spread over them.

With `CommonStart` all individuals of a generation meet the same beginnings and the same chance (Yegenoglu et al. 2022), so
that what differs between them is themselves.

Parts of the parameters that a network marks as `Fixed`, its wiring for example, belong to all individuals alike: they are
drawn once for a seed and never change.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import PRNGKeyArray

from spikeloop.component import Component, require_count
from spikeloop.errors import InvalidInput
from spikeloop.interaction import (
    AbstractScore,
    AbstractSelection,
    Actor,
    EpisodeReturn,
    Greedy,
    over_individuals,
    play_episode,
)
from spikeloop.learners._base import AbstractLearner, Report, played_rates
from spikeloop.learners.strategies import AbstractStrategy, Genetic
from spikeloop.networks import Fixed
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


class EvolutionState(eqx.Module):
    """What the strategy keeps, and the parts of the parameters that do not evolve."""

    strategy: Any
    fixed: Any


class Evolution(AbstractLearner):
    """Lets a population of policies play, and a strategy make the next from their scores: no gradient, one number an episode."""

    fixed_env_steps = False

    policy: AbstractPolicy = SpikingPolicy()  # whose parameters evolve
    strategy: AbstractStrategy = Genetic()  # how a generation follows from the last
    episodes: int = 1  # played by each individual
    start: AbstractStart = CommonStart()  # which episodes
    score: AbstractScore = EpisodeReturn()  # what an episode is worth
    selection: AbstractSelection = Greedy()  # from the output to an action

    def __check_init__(self):
        require_count(self, "episodes")

    @property
    def individuals(self):
        return self.strategy.population

    def typical_env_steps(self, environment):
        return self.individuals * self.episodes * 20

    def init(self, environment, key):
        template_key, strategy_key = jax.random.split(key)
        template, fixed = self._draw(environment, template_key)
        if not template.size:
            raise InvalidInput(f"Evolution needs a policy with parameters, and {type(self.policy).__name__} has none")
        strategy = self.strategy.init(template, lambda k: self._draw(environment, k)[0], strategy_key)
        return EvolutionState(strategy, fixed)

    def step(self, environment, state, key):
        ask_key, start_key = jax.random.split(key)
        population = self.strategy.ask(state.strategy, ask_key)

        def play(individual, keys):
            actor = self._actor(environment, individual, state.fixed)
            return jax.vmap(lambda k: play_episode(environment, actor, k, self.score))(keys)

        played = over_individuals(play, population, self.start(self.individuals, self.episodes, start_key))
        fitness = jnp.mean(played.score, axis=1)
        state = EvolutionState(self.strategy.tell(state.strategy, population, fitness), state.fixed)
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
        return self._actor(environment, self.strategy.best(state.strategy), state.fixed)

    def _actor(self, environment, individual, fixed):
        """The policy of an individual, given as a vector."""
        trained, _ = jax.eval_shape(lambda key: self._parts(environment, key), jax.random.key(0))
        blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), trained)
        params = eqx.combine(ravel_pytree(blank)[1](individual), fixed, is_leaf=_is_fixed)
        return Actor(self.policy, params, environment.spec.actions, self.selection)

    def _draw(self, environment, key):
        """A new individual as a vector, and what is fixed of it."""
        trained, fixed = self._parts(environment, key)
        return ravel_pytree(trained)[0], fixed

    def _parts(self, environment, key) -> tuple[Any, Any]:
        spec = environment.spec
        params = self.policy.init(spec.observation_size, spec.actions.output_size, key)
        return eqx.partition(params, lambda leaf: not _is_fixed(leaf), is_leaf=_is_fixed)


def _is_fixed(part):
    return isinstance(part, Fixed)
