"""What an episode was worth: its return, or something else that can be seen while it is played."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_count, require_finite
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


class ReachSoon(AbstractScore):
    """The largest value of one variable, and where it reaches a goal, something for every step that is left then."""

    index: int = 0  # which number of the observation, flattened
    goal: float = 0.5  # value that is to be reached
    steps: int = 200  # steps, of which those that are left count
    pace: float = 0.01  # worth of each step that is left

    def __check_init__(self):
        require_count(self, "index", least=0)
        require_count(self, "steps")
        require_finite(self, "goal")
        require(self, "pace", lambda pace: 0.0 <= pace < float("inf"), "a finite number of at least 0")

    def init(self, obs):
        largest = LargestObservation(self.index).init(obs)
        return largest, jnp.zeros(()), self._left(largest, 0.0)

    def step(self, state, step):
        largest, taken, left = state
        largest, taken = LargestObservation(self.index).step(largest, step), taken + 1.0
        return largest, taken, jnp.maximum(left, self._left(largest, taken))

    def read(self, state):
        largest, _, left = state
        return largest + self.pace * left

    def _left(self, largest, taken):
        return jnp.where(largest >= self.goal, jnp.maximum(self.steps - taken, 0.0), 0.0)
