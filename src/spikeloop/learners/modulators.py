"""The third factor: what is broadcast to the synapses after every step of the environment.

    Reward                  m = scale r
    RewardAboveMean         m = r - mean;   mean <- mean + rate (r - mean)
    RewardPredictionError   m = r + gamma V(s') - V(s), the error of a critic that learns along with it

Plain reward is what most reward-modulated STDP uses. It cannot work where every reward has one sign: on CartPole each step brings
1, whatever was done. A mean takes the constant part away, a critic also what the state would have brought by itself, and it
says at once what a reward that comes later will say.
"""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component, require_between, require_finite
from spikeloop.environments import Spec
from spikeloop.interaction import Moment, Transition
from spikeloop.learners.critics import PlaceCellValue, TemporalDifference


class AbstractModulator(Component):
    """From what a step brought to the one number that all synapses hear."""

    @abc.abstractmethod
    def init(self, spec: Spec, key: PRNGKeyArray) -> Any:
        """The state before the first step. Raises InvalidInput if observations do not fit."""

    @abc.abstractmethod
    def step(self, state: Any, transition: Transition) -> tuple[Any, Float[Array, ""]]:
        """After one step of the environment: the new state, and the modulator."""

    def hear(self, state: Any, moment: Moment) -> tuple[Any, Float[Array, ""]]:
        """The same, with the decision known as well; unless overridden, it does not matter."""
        return self.step(state, moment.transition)


class Reward(AbstractModulator):
    """The reward as it is, times a scale."""

    scale: float = 1.0  # factor on the reward

    def __check_init__(self):
        require_finite(self, "scale")

    def init(self, spec, key):
        return None

    def step(self, state, transition):
        return state, self.scale * transition.reward


class RewardAboveMean(AbstractModulator):
    """The reward above its running mean."""

    rate: float = 0.01  # share of the way that the mean goes towards every reward

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "rate")

    def init(self, spec, key):
        return jnp.zeros(())

    def step(self, state, transition):
        surprise = transition.reward - state
        return state + self.rate * surprise, surprise


class RewardPredictionError(AbstractModulator):
    """The temporal-difference error of a critic: better or worse than expected (dopamine, by Schultz, Dayan & Montague 1997)."""

    critic: TemporalDifference = TemporalDifference(PlaceCellValue())  # what is expected
    discount: float = 0.99  # gamma: weight of the next step's value

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "discount")

    def init(self, spec, key):
        return self.critic.init(spec, key)

    def step(self, state, transition):
        return self.critic.step(state, transition, self.discount)
