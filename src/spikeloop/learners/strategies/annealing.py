"""Simulated annealing and parallel tempering: chains that move by Metropolis' rule.

    proposal     x' = x + step N(0, 1), one for each chain
    acceptance   min(1, exp((F(x') - F(x)) / T)), T the chain's temperature, in units of fitness

At a constant temperature a chain's stationary density is proportional to exp(F / T). Annealing lowers T along a schedule,
for all chains alike. Tempering keeps a ladder of temperatures and lets neighbours i, j change places with probability

    min(1, exp((F_i - F_j) (1 / T_j - 1 / T_i)))

which leaves the product of the stationary densities as it is; a better state on the hotter side always moves down.
Neighbours (0, 1), (2, 3) ... and (1, 2), (3, 4) ... take turns. The first generation is the chains' first states. The
fitness of a state is not measured again. `best` is the best state that any chain met.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from spikeloop.component import require, require_count, require_positive
from spikeloop.interaction import AbstractSchedule, Constant, ExponentialDecay
from spikeloop.learners.strategies._base import (
    AbstractFirstGeneration,
    AbstractStrategy,
    FromPolicy,
    last_if_not_finite,
    require_told,
)


class ChainsState(eqx.Module):
    """Where the chains are, the best that they met, and the key that decides what is accepted."""

    chains: Float[Array, "population n"]
    fitness: Float[Array, " population"]  # minus infinity where it was not measured
    best: Float[Array, " n"]
    best_fitness: Float[Array, ""]
    generation: Int[Array, ""]
    key: PRNGKeyArray


class AbstractChains(AbstractStrategy):
    """What strategies share whose individuals are chains."""

    first: eqx.AbstractVar[AbstractFirstGeneration]
    step_size: eqx.AbstractVar[AbstractSchedule]

    def init(self, template, draw, key):
        first_key, key = jax.random.split(key)
        chains = self.first(template, draw, self.population, first_key)
        unknown = jnp.full(self.population, -jnp.inf, jnp.float32)
        return ChainsState(
            chains, unknown, chains[0], jnp.full((), -jnp.inf, jnp.float32), jnp.zeros((), jnp.int32), key
        )

    def ask(self, state, key):
        noise = jax.random.normal(key, state.chains.shape)
        return state.chains + jnp.where(state.generation == 0, 0.0, self.step_size(state.generation)) * noise

    def best(self, state):
        return state.best

    def _move(self, state: ChainsState, population, fitness, temperature, key, next_key) -> ChainsState:
        """The chains after every proposal was accepted or not."""
        fitness = last_if_not_finite(fitness)
        taken = accepted(state.fitness, fitness, temperature, key)
        place = jnp.argmax(fitness)
        better = fitness[place] > state.best_fitness
        return ChainsState(
            jnp.where(taken[:, None], population, state.chains),
            jnp.where(taken, fitness, state.fitness),
            jnp.where(better, population[place], state.best),
            jnp.maximum(fitness[place], state.best_fitness),
            state.generation + 1,
            next_key,
        )


class SimulatedAnnealing(AbstractChains):
    """Independent chains whose temperature sinks: at last they only climb."""

    population: int = 16  # chains
    temperature: AbstractSchedule = ExponentialDecay(start=10.0, end=0.1, scale=50.0)  # T, by generations
    step_size: AbstractSchedule = Constant(0.3)  # standard deviation of a proposal, by generations
    first: AbstractFirstGeneration = FromPolicy()

    def __check_init__(self):
        require_count(self, "population")

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        next_key, key = jax.random.split(state.key)
        temperature = jnp.broadcast_to(self.temperature(state.generation), fitness.shape)
        return self._move(state, population, fitness, temperature, key, next_key)


class ParallelTempering(AbstractChains):
    """Chains on a ladder of temperatures, neighbours of which change places."""

    population: int = 16  # chains
    coldest: float = 0.1  # T of the first chain
    hottest: float = 100.0  # T of the last; between them a geometric ladder
    step_size: AbstractSchedule = Constant(0.3)  # standard deviation of a proposal, by generations
    first: AbstractFirstGeneration = FromPolicy()

    def __check_init__(self):
        require_count(self, "population", least=2)
        require_positive(self, "coldest", "hottest")
        require(self, "hottest", lambda hottest: hottest > self.coldest, f"above coldest = {self.coldest}")

    @property
    def temperatures(self) -> Float[Array, " population"]:
        """The ladder, the coldest first."""
        return jnp.geomspace(self.coldest, self.hottest, self.population, dtype=jnp.float32)

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        next_key, accept_key, swap_key = jax.random.split(state.key, 3)
        moved = self._move(state, population, fitness, self.temperatures, accept_key, next_key)
        order = swapped(moved.fitness, self.temperatures, state.generation, swap_key)
        return eqx.tree_at(lambda s: (s.chains, s.fitness), moved, (moved.chains[order], moved.fitness[order]))


def accepted(
    fitness: Float[Array, " population"],
    proposed: Float[Array, " population"],
    temperature: Float[Array, " population"],
    key: PRNGKeyArray,
) -> Bool[Array, " population"]:
    """Which proposals Metropolis' rule takes. One without a fitness is never taken; from a state without one, any other."""
    known = proposed > -jnp.inf
    gain = jnp.where(known, proposed, 0.0) - jnp.where(known, fitness, 0.0)
    chance = jnp.exp(jnp.minimum(gain / jnp.maximum(temperature, 1e-12), 0.0))
    return known & (jax.random.uniform(key, fitness.shape) < chance)


def swapped(
    fitness: Float[Array, " population"],
    temperatures: Float[Array, " population"],
    generation: Int[Array, ""],
    key: PRNGKeyArray,
) -> Int[Array, " population"]:
    """Which chain's state each temperature goes on with."""
    places = jnp.arange(fitness.shape[0])
    upward = (places + generation) % 2 == 0
    partner = jnp.where(upward, places + 1, places - 1)
    partner = jnp.where((partner < 0) | (partner >= places.size), places, partner)
    lower = jnp.minimum(places, partner)  # both of a pair use the draw of the lower
    draws = jax.random.uniform(key, fitness.shape)[lower]
    gain = jnp.where(fitness == fitness[partner], 0.0, fitness - fitness[partner])  # also minus infinity from itself
    exponent = gain * (1.0 / temperatures[partner] - 1.0 / temperatures)
    return jnp.where(draws < jnp.exp(jnp.minimum(exponent, 0.0)), partner, places)
