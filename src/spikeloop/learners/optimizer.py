"""Optimisers as descriptions: Optax does the work."""

import abc
from typing import Any

import jax
import optax
from jaxtyping import Array, Int

from spikeloop.component import Component, require_between, require_positive
from spikeloop.interaction import AbstractSchedule, Constant


class AbstractClipping(Component):
    """What is done to a gradient that is too large."""

    @abc.abstractmethod
    def transformation(self) -> optax.GradientTransformation:
        """The Optax transformation."""


class NoClipping(AbstractClipping):
    """The gradient as it is."""

    def transformation(self):
        return optax.identity()


class ClipByValue(AbstractClipping):
    """Every element clamped to [-limit, limit] (SpikingJelly's DQSN example, limit 1)."""

    limit: float = 1.0  # largest magnitude of an element

    def __check_init__(self):
        require_positive(self, "limit")

    def transformation(self):
        return optax.clip(self.limit)


class ClipByNorm(AbstractClipping):
    """The whole gradient scaled down to a norm of at most `limit`."""

    limit: float = 10.0  # largest Euclidean norm of the whole gradient

    def __check_init__(self):
        require_positive(self, "limit")

    def transformation(self):
        return optax.clip_by_global_norm(self.limit)


class Adam(Component):
    """Adam (Kingma & Ba 2015), with a learning rate that may follow a schedule."""

    learning_rate: AbstractSchedule = Constant(1e-3)  # step size as a function of the environment steps taken
    clipping: AbstractClipping = NoClipping()
    beta_1: float = 0.9  # decay of the mean of the gradient
    beta_2: float = 0.999  # decay of the mean of its square
    epsilon: float = 1e-8  # added to the root of the mean square

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "beta_1", "beta_2")
        require_positive(self, "epsilon")

    def direction(self) -> optax.GradientTransformation:
        """The update before it is multiplied by the learning rate (with the sign of descent)."""
        return optax.chain(
            self.clipping.transformation(),
            optax.scale_by_adam(self.beta_1, self.beta_2, self.epsilon),
            optax.scale(-1.0),
        )

    def init(self, params: Any) -> Any:
        """The state before the first update of these parameters."""
        return self.direction().init(params)

    def apply(self, params: Any, state: Any, gradient: Any, env_steps: Int[Array, ""]) -> tuple[Any, Any]:
        """The parameters and the state after one update; the learning rate is that of so many environment steps."""
        direction, state = self.direction().update(gradient, state, params)
        rate = self.learning_rate(env_steps)
        return jax.tree.map(lambda param, move: param + rate * move, params, direction), state
