"""The ensemble Kalman filter as an optimiser (Iglesias et al. 2013; Yegenoglu et al. 2020).

J members u_j with outputs G_j, and a target y that the outputs should have:

    C_up = mean (u_j - u)(G_j - G)^T,   C_pp = mean (G_j - G)(G_j - G)^T        u, G: means over the ensemble
    u_j <- u_j + C_up (C_pp + Gamma)^-1 (y_j - G_j),   Gamma = gamma I

With `Perturbed` observations, y_j = y + N(0, Gamma), the ensemble of a linear problem has the mean and the covariance of
Kalman's posterior as J grows; with `Unperturbed` ones, y_j = y, as both papers have it, only the mean.

`assimilate` takes any outputs: one number an individual or a vector. `tell` has only a fitness: the output is the fitness in
standard deviations of the generation, and the target is what `aim` says, so that scale and offset of the fitness do not
matter. Updates stay in the span of the ensemble and make it smaller; so before every generation the worst are replaced by
noisy copies of the best, and noise is added to everyone. `best` is the mean of the ensemble.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.component import Component, require, require_count, require_finite, require_positive
from spikeloop.learners.strategies._base import (
    AbstractFirstGeneration,
    AbstractStrategy,
    Around,
    last_if_not_finite,
    require_told,
)


class AbstractObservation(Component):
    """What each member is told of the target."""

    @abc.abstractmethod
    def __call__(
        self, target: Float[Array, " k"], members: int, variance: float, key: PRNGKeyArray
    ) -> Float[Array, "members k"]:
        """The target as each member hears it."""


class Perturbed(AbstractObservation):
    """The target with noise of the observation's variance, another for each member."""

    def __call__(self, target, members, variance, key):
        return target[None] + jnp.sqrt(jnp.asarray(variance)) * jax.random.normal(key, (members, *target.shape))


class Unperturbed(AbstractObservation):
    """The target itself, the same for all."""

    def __call__(self, target, members, variance, key):
        return jnp.tile(target, (members, 1))


class AbstractAim(Component):
    """Which fitness the ensemble aims at."""

    @abc.abstractmethod
    def __call__(self, best: Float[Array, ""], mean: Float[Array, ""], deviation: Float[Array, ""]) -> Float[Array, ""]:
        """The aim, from the best fitness ever and the mean and standard deviation of this generation's."""


class BeyondTheBest(AbstractAim):
    """A little more than the best fitness that was ever met."""

    margin: float = 0.5  # how much more, in standard deviations of the generation's fitness

    def __check_init__(self):
        require_finite(self, "margin")

    def __call__(self, best, mean, deviation):
        return best + self.margin * deviation


class KnownOptimum(AbstractAim):
    """A fitness that is known to be the best possible."""

    fitness: float = 500.0  # that fitness

    def __check_init__(self):
        require_finite(self, "fitness")

    def __call__(self, best, mean, deviation):
        return jnp.asarray(self.fitness, jnp.float32)


class EnsembleState(eqx.Module):
    """The ensemble, the fitness that its members had before the last update, and the best fitness ever."""

    ensemble: Float[Array, "population n"]
    fitness: Float[Array, " population"]
    best_fitness: Float[Array, ""]
    generation: Int[Array, ""]
    key: PRNGKeyArray


class EnsembleKalmanFilter(AbstractStrategy):
    """Moves an ensemble to where its outputs would meet a target, by the covariance of parameters and outputs."""

    population: int = 32  # members
    variance: float = 0.5  # gamma: of an output as an observation of the target
    aim: AbstractAim = BeyondTheBest()  # the target of a fitness
    observation: AbstractObservation = Unperturbed()  # what each member hears of a target
    inflation: float = 0.02  # standard deviation of the noise on every member before a generation
    replaced: float = 0.1  # fraction of the worst that copies of the best replace
    copy_noise: float = 0.1  # standard deviation of the noise on these copies
    first: AbstractFirstGeneration = Around()

    def __check_init__(self):
        require_count(self, "population", least=2)
        require_positive(self, "variance")
        for field in ("inflation", "copy_noise"):
            require(self, field, lambda value: 0.0 <= value < float("inf"), "a finite number of at least 0")
        require(self, "replaced", lambda fraction: 0.0 <= fraction <= 0.5, "between 0 and 0.5")

    def init(self, template, draw, key):
        first_key, key = jax.random.split(key)
        ensemble = self.first(template, draw, self.population, first_key)
        unknown = jnp.full(self.population, -jnp.inf, jnp.float32)
        return EnsembleState(ensemble, unknown, jnp.full((), -jnp.inf, jnp.float32), jnp.zeros((), jnp.int32), key)

    def ask(self, state, key):
        noise_key, copy_key = jax.random.split(key)
        ensemble, count = state.ensemble, round(self.replaced * self.population)
        if count:
            order = jnp.argsort(state.fitness)  # the worst first
            copies = ensemble[order[-count:]]
            noisy = copies + self.copy_noise * jax.random.normal(copy_key, copies.shape)
            ensemble = ensemble.at[order[:count]].set(noisy)
        ensemble = ensemble + self.inflation * jax.random.normal(noise_key, ensemble.shape)
        return jnp.where(state.generation == 0, state.ensemble, ensemble)

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        known = jnp.isfinite(fitness)
        best = jnp.maximum(state.best_fitness, jnp.max(last_if_not_finite(fitness)))
        count = jnp.maximum(jnp.sum(known, dtype=jnp.float32), 1.0)
        mean = jnp.sum(jnp.where(known, fitness, 0.0)) / count
        deviation = jnp.sqrt(jnp.sum(jnp.where(known, fitness - mean, 0.0) ** 2) / count)
        scale = jnp.maximum(deviation, 1e-8)
        # Somebody without a fitness counts as the worst of those with one.
        worst = jnp.min(jnp.where(known, fitness, jnp.inf))
        outputs = (jnp.where(known, fitness, jnp.where(jnp.isfinite(worst), worst, 0.0)) - mean) / scale
        target = (self.aim(best, mean, deviation) - mean) / scale
        target = jnp.where(deviation > 0.0, target, 0.0)  # where all are equal there is nothing to learn
        after = self.assimilate(state, population, outputs[:, None], target[None])
        return eqx.tree_at(lambda s: (s.fitness, s.best_fitness), after, (last_if_not_finite(fitness), best))

    def assimilate(
        self,
        state: EnsembleState,
        population: Float[Array, "population n"],
        outputs: Float[Array, "population k"],
        target: Float[Array, " k"],
    ) -> EnsembleState:
        """The state after a population that was asked for showed its outputs, which should have been the target.

        The fitness that decides who is replaced is minus the squared distance from the target; outputs that are no
        finite numbers are replaced by the mean of the others, and their member counts as the worst.
        """
        key, noise_key = jax.random.split(state.key)
        known = jnp.all(jnp.isfinite(outputs), axis=1)
        count = jnp.maximum(jnp.sum(known, dtype=jnp.float32), 1.0)
        safe = jnp.where(known[:, None], outputs, 0.0)
        safe = jnp.where(known[:, None], safe, (jnp.sum(safe, axis=0) / count)[None])
        heard = self.observation(target, self.population, self.variance, noise_key)
        fitness = jnp.where(known, -jnp.sum((safe - target[None]) ** 2, axis=1), -jnp.inf)
        return EnsembleState(
            kalman_update(population, safe, heard, self.variance), fitness, jnp.max(fitness), state.generation + 1, key
        )

    def best(self, state):
        return jnp.mean(state.ensemble, axis=0)


def kalman_update(
    ensemble: Float[Array, "population n"],
    outputs: Float[Array, "population k"],
    heard: Float[Array, "population k"],
    variance: float | Float[Array, ""],
) -> Float[Array, "population n"]:
    """u_j + C_up (C_pp + variance I)^-1 (y_j - G_j), with covariances that divide by the number of members."""
    members, size = outputs.shape
    away = ensemble - jnp.mean(ensemble, axis=0, keepdims=True)
    spread = outputs - jnp.mean(outputs, axis=0, keepdims=True)
    c_up, c_pp = away.T @ spread / members, spread.T @ spread / members
    gain = jnp.linalg.solve(c_pp + variance * jnp.eye(size), c_up.T)
    return ensemble + (heard - outputs) @ gain
