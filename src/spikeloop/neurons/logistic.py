"""Neurons that fire by chance, and know how likely what they did was.

    BernoulliLogistic    P(o = 1) = sigmoid(gain I)
    GeneralisedLinear    P(o = 1) = sigmoid(gain sum_k filter_k I_{t-k}),   k = 0 ... taps - 1
    Ising                P(y = 1) = 1 / (1 + exp(-2 I)),   y = 2 o - 1 = +-1

The log-odds l of a spike are all that tells them apart. The probability of what a neuron did, and its score, are

    log pi(o | I) = -log(1 + exp(-(2 o - 1) l)),      d log pi / dl = o - sigmoid(l)

so that with I = w . x the score of a weight is (o - p) x times dl/dI: local to the synapse. For the Ising unit it is
2 (o - p) x = 2 y x / (1 + exp(2 y w . x)), Hebbian with a soft gate (Aenugu et al. 2019, arXiv:1910.06489). A learner
asks for `log_probability`, and needs to know of no neuron in particular.

A spike is 0.0 or 1.0, as of all neurons. That an Ising unit is silent at -1 and not at 0 matters only to those who
listen: `signal` says what they hear. A network that hands on the spikes themselves, as `FeedForward` does, hears 0 and 1.
"""

import abc
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require, require_positive
from spikeloop.neurons._base import AbstractNeuron
from spikeloop.neurons.draw import AbstractDraw, ThroughProbability


class FiringChance(eqx.Module):
    """With what probability each neuron fired in the last tick, and what else it remembers."""

    probability: Float[Array, " n"]
    memory: Any


class AbstractLogisticNeuron(AbstractNeuron):
    """A neuron whose spikes are drawn, with log-odds that its current and its memory determine."""

    stochastic = True

    draw: AbstractDraw = ThroughProbability()  # how spikes are drawn, and what gradients see of it

    def init(self, size):
        return FiringChance(jnp.zeros(size), self.memory(size))

    def memory(self, size: int) -> Any:
        """What `size` neurons remember at rest; None, unless overridden."""
        return None

    @abc.abstractmethod
    def log_odds(self, memory: Any, current: Float[Array, " n"]) -> tuple[Any, Float[Array, " n"]]:
        """One tick: the new memory, and the log-odds of a spike."""

    def step(self, state, current, key):
        memory, log_odds = self.log_odds(state.memory, current)
        return FiringChance(jax.nn.sigmoid(log_odds), memory), self.draw(log_odds, key)

    def expected(self, state):
        return state.probability

    def log_probability(
        self, state: FiringChance, current: Float[Array, " n"], spikes: Float[Array, " n"]
    ) -> tuple[FiringChance, Float[Array, " n"]]:
        """One tick: the new state, and how probable these spikes were (its logarithm), for each neuron."""
        memory, log_odds = self.log_odds(state.memory, current)
        state = FiringChance(jax.nn.sigmoid(log_odds), memory)
        return state, jax.nn.log_sigmoid((2.0 * spikes - 1.0) * log_odds)

    def signal(self, spikes: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """What the neurons downstream hear of these spikes: the spikes, unless overridden."""
        return spikes


class BernoulliLogistic(AbstractLogisticNeuron):
    """Fires with the probability sigmoid(gain I), whatever it did before."""

    gain: float = 1.0  # log-odds per unit of current

    def __check_init__(self):
        require_positive(self, "gain")

    def log_odds(self, memory, current):
        return memory, self.gain * current


class RecentCurrents(eqx.Module):
    """The currents of the ticks before, the latest first."""

    currents: Float[Array, "before n"]


class GeneralisedLinear(AbstractLogisticNeuron):
    """Fires by a logistic function of its filtered current: a generalised linear model, without its own past."""

    filter: tuple[float, ...] = (1.0, 0.5, 0.25)  # weight of the current of this tick, of the tick before, ...
    gain: float = 1.0  # log-odds per unit of filtered current

    def __check_init__(self):
        require(
            self,
            "filter",
            lambda taps: len(taps) > 0 and all(map(math.isfinite, taps)) and any(taps),
            "a tuple of finite numbers, not all zero",
        )
        require_positive(self, "gain")

    def memory(self, size):
        return RecentCurrents(jnp.zeros((len(self.filter) - 1, size)))

    def log_odds(self, memory, current):
        heard = jnp.concatenate([current[None], memory.currents])
        filtered = jnp.asarray(self.filter, current.dtype) @ heard
        return RecentCurrents(heard[: len(self.filter) - 1]), self.gain * filtered


class Ising(AbstractLogisticNeuron):
    """A unit of an Ising model at temperature 1: P(y = 1) = sigmoid(2 I); others hear +1 of a spike and -1 of silence."""

    def log_odds(self, memory, current):
        return memory, 2.0 * current

    def signal(self, spikes):
        return 2.0 * spikes - 1.0
