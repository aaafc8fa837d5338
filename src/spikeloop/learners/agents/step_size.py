"""The step of the actors, as a function of how well things go: the schedules of the public code of Aenugu et al. 2019.

Both look at the last few numbers only, so the step grows again when the luck is out.
"""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_count, require_finite, require_positive
from spikeloop.interaction import Moment


class AbstractStepSize(Component):
    """A step size that may follow rewards or returns."""

    @abc.abstractmethod
    def init(self) -> Any:
        """What it remembers before the first step."""

    @abc.abstractmethod
    def __call__(self, state: Any) -> Float[Array, ""]:
        """The step size now."""

    @abc.abstractmethod
    def step(self, state: Any, moment: Moment) -> Any:
        """What it remembers after one more step of the environment."""


class ConstantStep(AbstractStepSize):
    """The same always."""

    rate: float = 0.01  # step

    def __check_init__(self):
        require_positive(self, "rate")

    def init(self):
        return None

    def __call__(self, state):
        return jnp.asarray(self.rate, jnp.float32)

    def step(self, state, moment):
        return state


class Recent(eqx.Module):
    """The last few numbers, the latest first."""

    values: Float[Array, " few"]

    def after(self, value: Float[Array, ""]) -> "Recent":
        """With one more, and without the oldest."""
        return Recent(jnp.concatenate([value[None], self.values[:-1]]))


class AbstractAfterGood(AbstractStepSize):
    """One step, and a smaller one while the mean of the last few numbers is above a bound."""

    rate: float = 0.01  # step
    later: float = 0.001  # step while the mean is above the bound
    few: int = 5  # how many numbers the mean is of
    above: float = 0.4  # the bound

    def __check_init__(self):
        require_positive(self, "rate", "later")
        require_count(self, "few")
        require_finite(self, "above")

    def init(self):
        return Recent(jnp.full(self.few, -jnp.inf))

    def __call__(self, state):
        return jnp.where(jnp.mean(state.values) > self.above, self.later, self.rate).astype(jnp.float32)


class AfterGoodEpisodes(AbstractAfterGood):
    """A smaller step while the last few episodes' mean return is above a bound (public code, CartPole: 10 and 70)."""

    def step(self, state, moment):
        after, ended = state.after(moment.episode.episode_return), moment.episode.ended
        return Recent(jnp.where(ended, after.values, state.values))


class AfterGoodRewards(AbstractAfterGood):
    """A smaller step while the mean of the last few rewards of the episode is above a bound (public code, gridworld)."""

    def step(self, state, moment):
        return Recent(jnp.where(moment.episode.ended, self.init().values, state.after(moment.transition.reward).values))
