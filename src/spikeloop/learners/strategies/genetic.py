"""A genetic algorithm with the operators of DEAP, as Yegenoglu et al. 2022 evolve a spiking network on Mountain Car.

    selection    as many parents as individuals; each is the fittest of `tournament` drawn with replacement
    crossover    each pair with probability p_c; per gene g ~ U(-alpha, 1 + alpha):
                 (1 - g) x + g y  and  g x + (1 - g) y
    mutation     each individual with probability p_m; each of its genes with probability p_g: + N(0, sigma^2)
    duplicates   an individual equal to one before it is mutated once more with probability 0.8
    replacement  the offspring are the next generation; nobody is spared

Selection sees the fitness of the generation before. `best` is the first of the hall of fame: the fittest individuals ever
met, each once. Where fitness is noisy that is partly luck; more episodes an individual make it less so.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from spikeloop.component import (
    Component,
    require,
    require_between,
    require_count,
    require_finite,
    require_positive,
)
from spikeloop.learners.strategies._base import (
    AbstractFirstGeneration,
    AbstractStrategy,
    FromPolicy,
    last_if_not_finite,
    require_told,
)
from spikeloop.learners.strategies._duplicates import first_equal


class AbstractBounds(Component):
    """Where a gene may lie."""

    @abc.abstractmethod
    def __call__(self, genes: Float[Array, "..."]) -> Float[Array, "..."]:
        """The genes, brought back to where they may lie."""


class Unbounded(AbstractBounds):
    """Anywhere."""

    def __call__(self, genes):
        return genes


class Clipped(AbstractBounds):
    """Between two bounds; what lies beyond is set to the bound, after every operator."""

    low: float = -20.0  # lower bound
    high: float = 20.0  # upper bound

    def __check_init__(self):
        require_finite(self, "low", "high")
        require(self, "high", lambda high: high >= self.low, f"at least low = {self.low}")

    def __call__(self, genes):
        return jnp.clip(genes, self.low, self.high)


class AbstractRemeasuring(Component):
    """Which individuals of a generation get a new fitness."""

    @abc.abstractmethod
    def __call__(
        self, known: Float[Array, " population"], known_before: Bool[Array, " population"], new: Float[Array, " _"]
    ) -> Float[Array, " population"]:
        """The fitness of each individual, from what it had as a parent (where it was one) and from the new score."""


class OnlyChanged(AbstractRemeasuring):
    """An unchanged individual keeps its parent's fitness, measured from other starts (DEAP)."""

    def __call__(self, known, known_before, new):
        return jnp.where(known_before, known, new)


class Everyone(AbstractRemeasuring):
    """Every individual of every generation."""

    def __call__(self, known, known_before, new):
        return new


class GeneticState(eqx.Module):
    """The last generation with its fitness, and the hall of fame; minus infinity where nothing was measured."""

    population: Float[Array, "population n"]
    fitness: Float[Array, " population"]
    hall: Float[Array, "hall n"]
    hall_fitness: Float[Array, " hall"]
    generation: Int[Array, ""]


class Genetic(AbstractStrategy):
    """Tournament selection, blend crossover and Gaussian mutation, as in DEAP."""

    population: int = 32  # individuals
    tournament: int = 4  # individuals of which the fittest becomes a parent
    crossover_probability: float = 0.7  # p_c, of a pair
    blend: float = 0.5  # alpha: how far beyond its parents a child may lie
    mutation_probability: float = 0.7  # p_m, of an individual
    gene_probability: float = 0.45  # p_g, of a gene of an individual that mutates
    sigma: float = 1.0  # standard deviation of a gene's mutation
    duplicate_probability: float = 0.8  # that a duplicate is mutated once more
    bounds: AbstractBounds = Unbounded()
    first: AbstractFirstGeneration = FromPolicy()
    remeasuring: AbstractRemeasuring = OnlyChanged()  # who gets a new fitness
    hall_of_fame: int = 1  # how many of the fittest are remembered

    def __check_init__(self):
        require_count(self, "population", least=2)
        require_count(self, "tournament", "hall_of_fame")
        require(self, "tournament", lambda size: size <= self.population, f"at most population = {self.population}")
        probabilities = ("crossover_probability", "mutation_probability", "gene_probability", "duplicate_probability")
        require_between(self, 0.0, 1.0, *probabilities)
        require_positive(self, "sigma")
        require(self, "blend", lambda blend: 0.0 <= blend < float("inf"), "a finite number of at least 0")

    def init(self, template, draw, key):
        population = self.bounds(self.first(template, draw, self.population, key))
        return GeneticState(
            population=population,
            fitness=jnp.full(self.population, -jnp.inf, jnp.float32),
            hall=jnp.tile(population[0], (self.hall_of_fame, 1)),
            hall_fitness=jnp.full(self.hall_of_fame, -jnp.inf, jnp.float32),
            generation=jnp.zeros((), jnp.int32),
        )

    def ask(self, state, key):
        select_key, cross_key, mutate_key, repeat_key = jax.random.split(key, 4)
        parents = state.population[self.select(state.fitness, select_key)]
        offspring = self.cross(parents, cross_key)
        offspring = self.mutate(offspring, self.mutation_probability, mutate_key)
        again = self.mutate(offspring, self.duplicate_probability, repeat_key)
        offspring = jnp.where(_repeated(offspring)[:, None], again, offspring)
        return jnp.where(state.generation == 0, state.population, offspring)

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        parent = first_equal(jnp.concatenate([state.population, population]))[self.population :]
        was_known = (parent < self.population) & (state.generation > 0)
        known = jnp.where(was_known, state.fitness[parent % self.population], -jnp.inf)
        fitness = self.remeasuring(known, was_known, last_if_not_finite(fitness))
        everyone = jnp.concatenate([state.hall, population])
        worth = jnp.concatenate([state.hall_fitness, fitness])
        # An individual that is in the hall already keeps the place, and the fitness, that it got first.
        worth = jnp.where(_repeated(everyone), -jnp.inf, worth)
        hall_fitness, places = jax.lax.top_k(worth, self.hall_of_fame)
        return GeneticState(population, fitness, everyone[places], hall_fitness, state.generation + 1)

    def best(self, state):
        return state.hall[0]

    def select(self, fitness: Float[Array, " population"], key: PRNGKeyArray) -> Int[Array, " population"]:
        """The places of the parents; of equals in a tournament the first that was drawn wins."""
        drawn = jax.random.randint(key, (self.population, self.tournament), 0, self.population)
        winner = jnp.argmax(fitness[drawn], axis=1)
        return jnp.take_along_axis(drawn, winner[:, None], axis=1)[:, 0]

    def cross(self, parents: Float[Array, "population n"], key: PRNGKeyArray) -> Float[Array, "population n"]:
        """The first with the second, the third with the fourth and so on; an odd one out is left alone."""
        whether_key, gene_key = jax.random.split(key)
        pairs = self.population // 2
        x, y = parents[0 : 2 * pairs : 2], parents[1 : 2 * pairs : 2]
        g = jax.random.uniform(gene_key, x.shape, minval=-self.blend, maxval=1.0 + self.blend)
        children = jnp.stack([self.bounds((1.0 - g) * x + g * y), self.bounds(g * x + (1.0 - g) * y)], axis=1)
        whether = jax.random.bernoulli(whether_key, self.crossover_probability, (pairs, 1, 1))
        crossed = jnp.where(whether, children, jnp.stack([x, y], axis=1)).reshape(2 * pairs, -1)
        return jnp.concatenate([crossed, parents[2 * pairs :]])

    def mutate(
        self, individuals: Float[Array, "population n"], probability: float, key: PRNGKeyArray
    ) -> Float[Array, "population n"]:
        """Each individual with a probability, and each of its genes with its own."""
        whether_key, gene_key, noise_key = jax.random.split(key, 3)
        whether = jax.random.bernoulli(whether_key, probability, (individuals.shape[0], 1))
        genes = jax.random.bernoulli(gene_key, self.gene_probability, individuals.shape)
        noise = self.sigma * jax.random.normal(noise_key, individuals.shape)
        return jnp.where(whether & genes, self.bounds(individuals + noise), individuals)


def _repeated(individuals: Float[Array, "count n"]) -> Bool[Array, " count"]:
    return first_equal(individuals) < jnp.arange(individuals.shape[0])
