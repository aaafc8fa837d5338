"""The cross-entropy method: a Gaussian is fitted to the best of its own samples (Szita & Lorincz 2006, with noise).

    elite       the best `elite` of a generation
    mean      <- s mean + (1 - s) mean of the elite
    variance  <- s variance + (1 - s) (variance of the elite) + noise_t,     noise_t = noise decay^t

The noise keeps the Gaussian from shrinking before it has arrived. `best` is the mean.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import require, require_between, require_count, require_positive
from spikeloop.learners.strategies._base import AbstractStrategy, last_if_not_finite, require_told


class CrossEntropyState(eqx.Module):
    """The Gaussian, and the generations so far."""

    mean: Float[Array, " n"]
    variance: Float[Array, " n"]
    generation: Int[Array, ""]


class CrossEntropy(AbstractStrategy):
    """Fits a Gaussian with a diagonal covariance to the best of every generation."""

    population: int = 32  # samples of a generation
    elite: float = 0.2  # fraction of them that the Gaussian is fitted to
    smoothing: float = 0.0  # s: what is left of the Gaussian before
    sigma: float = 0.5  # standard deviation of the first generation, around one individual
    noise: float = 0.05  # variance added in the first generation
    decay: float = 0.98  # factor on the noise with every generation

    def __check_init__(self):
        require_count(self, "population", least=2)
        require(self, "elite", lambda elite: 0.0 < elite <= 1.0, "above 0 and at most 1")
        require(self, "smoothing", lambda smoothing: 0.0 <= smoothing < 1.0, "at least 0 and below 1")
        require_positive(self, "sigma")
        require(self, "noise", lambda noise: 0.0 <= noise < float("inf"), "a finite number of at least 0")
        require_between(self, 0.0, 1.0, "decay")

    def init(self, template, draw, key):
        return CrossEntropyState(template, jnp.full_like(template, self.sigma**2), jnp.zeros((), jnp.int32))

    def ask(self, state, key):
        noise = jax.random.normal(key, (self.population, *state.mean.shape))
        return state.mean[None] + jnp.sqrt(state.variance)[None] * noise

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        fitness = last_if_not_finite(fitness)
        _, places = jax.lax.top_k(fitness, max(2, round(self.elite * self.population)))
        weight = jnp.isfinite(fitness[places]).astype(jnp.float32)  # nobody without a fitness is of the elite
        count = jnp.sum(weight)
        share = weight / jnp.maximum(count, 1.0)
        elite = population[places]
        mean = share @ elite
        variance = share @ (elite - mean[None]) ** 2
        kept = jnp.where(count >= 2.0, self.smoothing, 1.0)
        added = self.noise * self.decay ** state.generation.astype(jnp.float32)
        return CrossEntropyState(
            kept * state.mean + (1.0 - kept) * mean,
            kept * state.variance + (1.0 - kept) * variance + added,
            state.generation + 1,
        )

    def best(self, state):
        return state.mean
