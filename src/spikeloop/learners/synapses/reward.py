"""From the score of an iteration to the reward that every synapse is given.

The score is the mean return of the iteration's episodes (minus the loss, where a loss is what is trained). One number
is broadcast to all synapses; there is none for the first iteration, which has nothing to be compared with.
"""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_between, require_positive


class AbstractReward(Component):
    """What all synapses are told of a score."""

    @abc.abstractmethod
    def init(self) -> Any:
        """What it remembers before the first score."""

    @abc.abstractmethod
    def step(self, state: Any, score: Float[Array, ""]) -> tuple[Any, Float[Array, ""]]:
        """What it remembers, and the reward."""


class SignReward(AbstractReward):
    """1 if the score rose, else -1: a tie is punished (Bhargava et al. 2022)."""

    def init(self):
        return jnp.asarray(jnp.nan)

    def step(self, state, score):
        return score, jnp.where(jnp.isnan(state), 0.0, jnp.where(score > state, 1.0, -1.0))


class DeltaReward(AbstractReward):
    """By how much the score rose."""

    scale: float = 500.0  # the change that counts as 1

    def __check_init__(self):
        require_positive(self, "scale")

    def init(self):
        return jnp.asarray(jnp.nan)

    def step(self, state, score):
        return score, jnp.where(jnp.isnan(state), 0.0, (score - state) / self.scale)


class LevelReward(AbstractReward):
    """The score itself: inversely proportional to the loss, as Zheng et al. 2026, section 3.2.3, says."""

    scale: float = 500.0  # the score that counts as 1

    def __check_init__(self):
        require_positive(self, "scale")

    def init(self):
        return None

    def step(self, state, score):
        return None, score / self.scale


class PredictionErrorReward(AbstractReward):
    """1 if the score lies above its own running mean, else -1: less noisy than the last score alone."""

    rate: float = 0.1  # of the running mean

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "rate")

    def init(self):
        return jnp.asarray(jnp.nan)

    def step(self, state, score):
        expected = jnp.where(jnp.isnan(state), score, state)
        reward = jnp.where(jnp.isnan(state), 0.0, jnp.where(score > expected, 1.0, -1.0))
        return expected + self.rate * (score - expected), reward
