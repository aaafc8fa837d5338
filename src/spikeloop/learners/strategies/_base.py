"""The contract of a strategy: ask for a population, score it in any way you like, tell the fitness.

A strategy knows nothing of networks or environments. An individual is a vector, fitness is maximised, and a fitness that
is no finite number counts as worse than every finite one. All three functions are pure: jit them, vmap them over seeds,
or call them from a plain Python loop that scores elsewhere.
"""

import abc
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component, require, require_finite, require_positive
from spikeloop.errors import InvalidInput

Draw = Callable[[PRNGKeyArray], Float[Array, " n"]]


class AbstractStrategy(Component):
    """How a generation follows from the fitness of those before it."""

    @property
    @abc.abstractmethod
    def population(self) -> int:
        """How many individuals a generation has."""

    @abc.abstractmethod
    def init(self, template: Float[Array, " n"], draw: Draw, key: PRNGKeyArray) -> Any:
        """The state before the first generation. ``template`` is one individual, ``draw`` makes more of its kind."""

    @abc.abstractmethod
    def ask(self, state: Any, key: PRNGKeyArray) -> Float[Array, "population n"]:
        """The individuals to be scored next."""

    @abc.abstractmethod
    def tell(self, state: Any, population: Float[Array, "population n"], fitness: Float[Array, " population"]) -> Any:
        """The state after a population that was asked for got its fitness: the larger, the better."""

    @abc.abstractmethod
    def best(self, state: Any) -> Float[Array, " n"]:
        """The individual that the strategy would use: its mean, or the best that it has met."""


class AbstractFirstGeneration(Component):
    """Where the first individuals come from."""

    @abc.abstractmethod
    def __call__(
        self, template: Float[Array, " n"], draw: Draw, count: int, key: PRNGKeyArray
    ) -> Float[Array, "count n"]:
        """So many individuals."""


class FromPolicy(AbstractFirstGeneration):
    """Each is drawn as the policy draws its own first parameters."""

    def __call__(self, template, draw, count, key):
        return jax.vmap(draw)(jax.random.split(key, count))


class FromRange(AbstractFirstGeneration):
    """Every parameter is uniform in a range."""

    low: float = -1.0  # lower end
    high: float = 1.0  # upper end

    def __check_init__(self):
        require_finite(self, "low", "high")
        require(self, "high", lambda high: high >= self.low, f"at least low = {self.low}")

    def __call__(self, template, draw, count, key):
        return jax.random.uniform(key, (count, *template.shape), minval=self.low, maxval=self.high)


class Around(AbstractFirstGeneration):
    """Gaussian around one individual."""

    sigma: float = 0.5  # standard deviation of each parameter

    def __check_init__(self):
        require_positive(self, "sigma")

    def __call__(self, template, draw, count, key):
        return template[None] + self.sigma * jax.random.normal(key, (count, *template.shape))


def require_told(strategy: AbstractStrategy, population: Any, fitness: Any) -> None:
    """Raise InvalidInput unless a strategy is told one fitness for each individual that it asked for."""
    count = strategy.population
    told = (("population", population, 2, f"({count}, n)"), ("fitness", fitness, 1, f"({count},)"))
    for name, value, axes, shape in told:
        found = getattr(value, "shape", f"a {type(value).__name__}")
        if found[:1] != (count,) or len(found) != axes:
            raise InvalidInput(f"{type(strategy).__name__} must be told an array {name} of shape {shape}, got {found}")


def last_if_not_finite(fitness: Float[Array, " population"]) -> Float[Array, " population"]:
    """The fitness with minus infinity for what is no finite number: for strategies that only compare."""
    return jnp.where(jnp.isfinite(fitness), fitness, -jnp.inf)


def standardised(fitness: Float[Array, " population"], epsilon: float = 1e-8) -> Float[Array, " population"]:
    """(F - mean) / (standard deviation + epsilon); what is no finite number counts as the worst that is."""
    finite = jnp.isfinite(fitness)
    worst = jnp.min(jnp.where(finite, fitness, jnp.inf))
    known = jnp.where(finite, fitness, jnp.where(jnp.isfinite(worst), worst, 0.0))
    return (known - jnp.mean(known)) / (jnp.std(known) + epsilon)
