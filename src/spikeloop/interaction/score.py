"""What an episode was worth: its return, or something else that can be seen while it is played."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_count
from spikeloop.environments import Step
from spikeloop.errors import InvalidInput


class AbstractScore(Component):
    """Watches an episode and says at its end what it was worth: the larger, the better."""

    @abc.abstractmethod
    def init(self, obs: Float[Array, "..."]) -> Any:
        """What it keeps of the first observation."""

    @abc.abstractmethod
    def step(self, state: Any, step: Step) -> Any:
        """What it keeps after one more step; ``step.obs`` is the true successor."""

    @abc.abstractmethod
    def read(self, state: Any) -> Float[Array, ""]:
        """The score of the episode, once it has ended."""


class EpisodeReturn(AbstractScore):
    """The sum of the rewards."""

    def init(self, obs):
        return jnp.zeros(())

    def step(self, state, step):
        return state + step.reward

    def read(self, state):
        return state


class LargestObservation(AbstractScore):
    """The largest value of one variable over the episode: a car's position, where reward comes too late to lead."""

    index: int = 0  # which number of the observation, flattened

    def __check_init__(self):
        require_count(self, "index", least=0)

    def init(self, obs):
        return self._seen(obs)

    def step(self, state, step):
        return jnp.maximum(state, self._seen(step.obs))

    def read(self, state):
        return state

    def _seen(self, obs):
        if self.index >= obs.size:
            raise InvalidInput(f"LargestObservation.index must be below {obs.size} here, got {self.index}")
        return jnp.ravel(obs)[self.index]
