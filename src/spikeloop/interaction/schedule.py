"""Schedules: a hyperparameter as a function of how far training has come, in environment steps."""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import Component, require_finite, require_positive


class AbstractSchedule(Component):
    """A number that changes with the count of environment steps."""

    @abc.abstractmethod
    def __call__(self, env_steps: Int[Array, ""]) -> Float[Array, ""]:
        """The value after so many environment steps."""


class Constant(AbstractSchedule):
    """The same value always."""

    value: float

    def __check_init__(self):
        require_finite(self, "value")

    def __call__(self, env_steps):
        return jnp.asarray(self.value, jnp.float32)


class LinearDecay(AbstractSchedule):
    """From start to end along a straight line, then end for ever."""

    start: float
    end: float
    steps: float  # environment steps from start to end

    def __check_init__(self):
        require_finite(self, "start", "end")
        require_positive(self, "steps")

    def __call__(self, env_steps):
        fraction = jnp.clip(env_steps.astype(jnp.float32) / self.steps, 0.0, 1.0)
        return self.start + fraction * (self.end - self.start)


class ExponentialDecay(AbstractSchedule):
    """end + (start - end) exp(-n / scale): the epsilon of SpikingJelly's DQSN example, with scale 200."""

    start: float
    end: float
    scale: float  # environment steps in which the distance to the end shrinks by e

    def __check_init__(self):
        require_finite(self, "start", "end")
        require_positive(self, "scale")

    def __call__(self, env_steps):
        return self.end + (self.start - self.end) * jnp.exp(-env_steps.astype(jnp.float32) / self.scale)
