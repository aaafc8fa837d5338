"""From a decision's output to an action: greedy, epsilon-greedy, random among equals, or blindly at random."""

import abc
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Shaped

from spikeloop.component import Component, require, require_count, require_positive
from spikeloop.environments import Box, Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction.schedule import AbstractSchedule, ExponentialDecay


class AbstractSelection(Component):
    """How an action is chosen from the output of a policy."""

    stochastic: ClassVar[bool] = False  # whether `__call__` draws random numbers; only then does it get a key

    @abc.abstractmethod
    def __call__(
        self, output: Float[Array, " out"], actions: Discrete | Box, env_steps: Int[Array, ""], key: Any
    ) -> Shaped[Array, "..."]:
        """The action: an int32 scalar for Discrete, a float32 vector for Box."""


def bounded(action: Float[Array, " n"], actions: Box) -> Float[Array, " n"]:
    """From -1 ... 1 in every entry to the entry's own bounds; what lies beyond is set to the bound."""
    low, high = jnp.asarray(actions.low, action.dtype), jnp.asarray(actions.high, action.dtype)
    return jnp.clip(low + 0.5 * (action + 1.0) * (high - low), low, high)  # rounding, too, may overshoot


def standardised_action(action: Float[Array, " n"], actions: Box) -> Float[Array, " n"]:
    """From the entry's own bounds to -1 ... 1, the inverse of `bounded`."""
    low, high = jnp.asarray(actions.low, action.dtype), jnp.asarray(actions.high, action.dtype)
    return 2.0 * (action - low) / (high - low) - 1.0


class Greedy(AbstractSelection):
    """The action of largest output (the first of equals); for continuous actions, tanh of the output scaled to the bounds."""

    def __call__(self, output, actions, env_steps, key):
        if isinstance(actions, Discrete):
            return jnp.argmax(output).astype(jnp.int32)
        return bounded(jnp.tanh(output), actions)


class RandomAmongLargest(AbstractSelection):
    """The action of largest output, any of them where several are equal: what spike counts need, which are often equal."""

    stochastic = True

    def __call__(self, output, actions, env_steps, key):
        _discrete(self, actions)
        drawn = jnp.where(output == jnp.max(output), jax.random.uniform(key, output.shape), -1.0)
        return jnp.argmax(drawn).astype(jnp.int32)


class Straight(AbstractSelection):
    """The output itself as the continuous action, cut to -1 ... 1 and scaled to the bounds: for policies that put out actions."""

    def __call__(self, output, actions, env_steps, key):
        return bounded(output, _continuous(self, actions))


class StraightNoise(AbstractSelection):
    """The output as the continuous action, with Gaussian noise: leads a teacher to where its pupils will get."""

    stochastic = True

    deviation: float = 0.5  # standard deviation of the noise, in halves of the range of each entry

    def __check_init__(self):
        require(self, "deviation", lambda value: 0.0 <= value < float("inf"), "a finite number of at least 0")

    def __call__(self, output, actions, env_steps, key):
        noise = self.deviation * jax.random.normal(key, output.shape)
        return bounded(output + noise, _continuous(self, actions))


class UniformRandom(AbstractSelection):
    """Any action with equal probability, whatever the output."""

    stochastic = True

    def __call__(self, output, actions, env_steps, key):
        if isinstance(actions, Discrete):
            return jax.random.randint(key, (), 0, actions.count)
        low, high = jnp.asarray(actions.low, jnp.float32), jnp.asarray(actions.high, jnp.float32)
        return jax.random.uniform(key, low.shape, minval=low, maxval=high)


class GaussianNoise(AbstractSelection):
    """The greedy continuous action plus Gaussian noise; for a number of steps at first, any action with equal probability."""

    stochastic = True

    deviation: float = 0.1  # standard deviation of the noise, in halves of the range of each entry
    random_steps: int = 10_000  # environment steps before the policy is asked at all

    def __check_init__(self):
        require(self, "deviation", lambda value: 0.0 <= value < float("inf"), "a finite number of at least 0")
        require_count(self, "random_steps", least=0)

    def __call__(self, output, actions, env_steps, key):
        actions = _continuous(self, actions)
        noise_key, random_key = jax.random.split(key)
        noisy = jnp.tanh(output) + self.deviation * jax.random.normal(noise_key, output.shape)
        blind = jax.random.uniform(random_key, output.shape, minval=-1.0, maxval=1.0)
        return bounded(jnp.where(env_steps < self.random_steps, blind, noisy), actions)


class EpsilonGreedy(AbstractSelection):
    """The greedy action, but with probability epsilon any action."""

    stochastic = True

    epsilon: AbstractSchedule = ExponentialDecay(start=0.9, end=0.05, scale=200.0)  # probability of a random action

    def __call__(self, output, actions, env_steps, key):
        actions = _discrete(self, actions)
        # One draw serves both: below epsilon, u / epsilon is itself uniform and picks the action.
        epsilon = self.epsilon(env_steps)
        u = jax.random.uniform(key)
        random = jnp.minimum((u / jnp.maximum(epsilon, 1e-8) * actions.count).astype(jnp.int32), actions.count - 1)
        return jnp.where(u < epsilon, random, jnp.argmax(output).astype(jnp.int32))


class Softmax(AbstractSelection):
    """An action drawn with the probability softmax(output / temperature): what policy-gradient learners act by."""

    stochastic = True

    temperature: float = 1.0  # larger is more random, in units of the output

    def __check_init__(self):
        require_positive(self, "temperature")

    def __call__(self, output, actions, env_steps, key):
        _discrete(self, actions)
        return jax.random.categorical(key, self.log_probabilities(output)).astype(jnp.int32)

    def log_probabilities(self, output: Float[Array, " out"]) -> Float[Array, " out"]:
        """The logarithm of each action's probability."""
        return jax.nn.log_softmax(output / self.temperature)


def _discrete(selection: AbstractSelection, actions: Discrete | Box) -> Discrete:
    if not isinstance(actions, Discrete):
        raise InvalidInput(f"{type(selection).__name__} needs discrete actions, and this environment's are continuous")
    return actions


def _continuous(selection: AbstractSelection, actions: Discrete | Box) -> Box:
    if not isinstance(actions, Box):
        raise InvalidInput(f"{type(selection).__name__} needs continuous actions, and this environment's are discrete")
    return actions
