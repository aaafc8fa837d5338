"""EVOL: an evolution strategy that multiplies weights, and so never turns their sign (Hasegan et al. 2022).

    epsilon_i ~ N(0, sigma^2), at least -0.8        candidate i: w (1 + epsilon_i)
    z_i = (F_i - mean F) / (std F + 1e-8)           w <- w (1 + alpha mean_i(z_i epsilon_i))

A factor of the update is at least 0.2 as well, so that no learning rate turns a sign; with the authors' settings (10
candidates, sigma 0.1, alpha 1) it is never so small. A weight that is zero stays zero. `best` is w.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_count, require_positive
from spikeloop.learners.strategies._base import AbstractStrategy, require_told, standardised

SMALLEST_CHANGE = -0.8  # of a weight, as a fraction of it


class MultiplicativeState(eqx.Module):
    """The weights that the candidates lie around."""

    weights: Float[Array, " n"]


class MultiplicativeEvolutionStrategy(AbstractStrategy):
    """EVOL of Hasegan et al. 2022: weights grow and shrink by factors and keep their sign."""

    population: int = 10  # candidates
    sigma: float = 0.1  # standard deviation of a candidate's relative change
    learning_rate: float = 1.0  # alpha

    def __check_init__(self):
        require_count(self, "population", least=2)
        require_positive(self, "sigma", "learning_rate")

    def init(self, template, draw, key):
        return MultiplicativeState(template)

    def ask(self, state, key):
        epsilon = self.sigma * jax.random.normal(key, (self.population, *state.weights.shape))
        return state.weights[None] * (1.0 + jnp.maximum(epsilon, SMALLEST_CHANGE))

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        w = state.weights
        epsilon = population / jnp.where(w == 0.0, 1.0, w)[None] - jnp.where(w == 0.0, 0.0, 1.0)[None]
        step = jnp.mean(standardised(fitness)[:, None] * epsilon, axis=0)
        return MultiplicativeState(w * (1.0 + jnp.maximum(self.learning_rate * step, SMALLEST_CHANGE)))

    def best(self, state):
        return state.weights
