"""The contract of an environment: a pure function of its state, unbatched; batching is ``jax.vmap``."""

import abc
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from spikeloop.component import Component, require, require_count


class Discrete(Component):
    """Actions 0 to count - 1."""

    count: int  # how many actions there are

    def __check_init__(self):
        require_count(self, "count")

    @property
    def output_size(self) -> int:
        """How many numbers a policy puts out for one decision: one value an action."""
        return self.count


class Box(Component):
    """Actions that are vectors of real numbers, each between its own bounds."""

    low: tuple[float, ...]  # lower bound of each entry
    high: tuple[float, ...]  # upper bound of each entry

    def __check_init__(self):
        require(self, "high", lambda high: len(high) == len(self.low) and len(high) > 0, "as long as low and not empty")
        ordered = all(low <= high for low, high in zip(self.low, self.high, strict=True))
        require(self, "high", lambda high: ordered, f"at least low = {self.low} in every entry")

    @property
    def output_size(self) -> int:
        """How many numbers a policy puts out for one decision: one an entry."""
        return len(self.low)


class Spec(Component):
    """What a policy must know of an environment."""

    name: str  # as tables and figures call it
    observation_shape: tuple[int, ...]  # of one observation
    actions: Discrete | Box  # what there is to choose from
    max_steps: int  # the time limit: an episode still running after so many steps is truncated

    def __check_init__(self):
        require_count(self, "max_steps")

    @property
    def observation_size(self) -> int:
        """How many numbers one observation holds."""
        return math.prod(self.observation_shape)


class Step(eqx.Module):
    """What one action brought.

    ``terminated`` says that the task itself ended (the pole fell); ``truncated`` that the time limit came first. A
    truncated episode is not a death: its last state still has a value. ``obs`` is the true successor, never the first
    observation of the next episode.
    """

    obs: Float[Array, "..."]
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]


class AbstractEnvironment(Component):
    """A world: ``reset`` begins an episode, ``step`` is a pure function of state, action and key."""

    @property
    @abc.abstractmethod
    def spec(self) -> Spec:
        """Shapes, action space and time limit. Raises InvalidInput where the library cannot handle the spaces."""

    @abc.abstractmethod
    def reset(self, key: PRNGKeyArray) -> tuple[Any, Float[Array, "..."]]:
        """The state and observation that begin an episode."""

    @abc.abstractmethod
    def step(self, state: Any, action: Shaped[Array, "..."], key: PRNGKeyArray) -> tuple[Any, Step]:
        """One action: an int32 scalar for Discrete, a float32 vector for Box. Never resets."""

    def restart(
        self, state: Any, obs: Float[Array, "..."], done: Bool[Array, ""], key: PRNGKeyArray
    ) -> tuple[Any, Float[Array, "..."]]:
        """The state and observation to go on with: a fresh episode where `done`, else the ones given.

        A simulator on the host overrides it to reset only where it must, since under ``vmap`` both sides of a choice
        are computed.
        """
        return jax.tree.map(lambda fresh, old: jnp.where(done, fresh, old), self.reset(key), (state, obs))
