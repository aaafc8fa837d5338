"""Temporal-difference errors, unbatched; they return the error, and the caller squares or clips it.

Time is in the names: ``_tm1`` is before the step, ``_t`` after it. ``discount_t`` is gamma, or 0 where the step ended
the task.
"""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from spikeloop.component import Component, require_positive


class AbstractBootstrap(Component):
    """How the value of the successor is estimated."""

    @abc.abstractmethod
    def __call__(
        self, q_t: Float[Array, " actions"], online: Callable[[], Float[Array, " actions"]]
    ) -> Float[Array, ""]:
        """The successor's value, from the target network's Q-values; `online` computes the online network's, if needed."""


class MaxBootstrap(AbstractBootstrap):
    """max_a Q_target(s', a) (Watkins; Mnih et al. 2015)."""

    def __call__(self, q_t, online):
        return jnp.max(q_t)


class DoubleBootstrap(AbstractBootstrap):
    """Q_target(s', argmax_a Q_online(s', a)): the online network chooses, the target network judges (van Hasselt 2016)."""

    def __call__(self, q_t, online):
        return q_t[jnp.argmax(online())]


def q_learning_error(
    q_tm1: Float[Array, " actions"],
    a_tm1: Int[Array, ""],
    r_t: Float[Array, ""],
    discount_t: Float[Array, ""],
    v_t: Float[Array, ""],
) -> Float[Array, ""]:
    """r_t + discount_t v_t - Q(s_{t-1}, a_{t-1}), with no gradient through the target."""
    return jax.lax.stop_gradient(r_t + discount_t * v_t) - q_tm1[a_tm1]


def clipped_double_q_target(
    r_t: Float[Array, ""], discount_t: Float[Array, ""], q_t: Float[Array, " critics"]
) -> Float[Array, ""]:
    """r_t + discount_t min_i Q_i(s_t, a_t), with no gradient: of several critics the most cautious (Fujimoto et al. 2018)."""
    return jax.lax.stop_gradient(r_t + discount_t * jnp.min(q_t))


class NStepReturn(eqx.Module):
    """The rewards of up to n steps as one: the sum, the weight of the value after them, and the place of the last step."""

    reward: Float[Array, ""]
    discount: Float[Array, ""]
    last: Int[Array, ""]


def n_step_return(
    rewards: Float[Array, " n"], terminated: Bool[Array, " n"], truncated: Bool[Array, " n"], discount: float
) -> NStepReturn:
    """sum_k gamma^k r_k over the steps up to the end of the episode or the n-th, whichever comes first.

    The weight of the value after them is gamma^m after m steps, and 0 where the task ended; a truncated episode keeps its
    value (Sutton & Barto 2018, eq. 12.1).
    """
    n = rewards.shape[0]
    done = terminated | truncated
    before = jnp.concatenate([jnp.ones(1), jnp.cumprod(1.0 - done[:-1].astype(rewards.dtype))])
    steps = jnp.sum(before)
    last = (steps - 1.0).astype(jnp.int32)
    weights = discount ** jnp.arange(n, dtype=rewards.dtype)
    value_weight = jnp.where(terminated[last], 0.0, discount**steps)
    return NStepReturn(jnp.sum(before * weights * rewards), value_weight, last)


class AbstractLoss(Component):
    """From an error to a loss."""

    @abc.abstractmethod
    def __call__(self, error: Float[Array, "..."]) -> Float[Array, "..."]:
        """The loss of each error."""


class SquaredError(AbstractLoss):
    """e^2."""

    def __call__(self, error):
        return error**2


class Huber(AbstractLoss):
    """e^2/2 up to delta, then a straight line (PyTorch's smooth L1 for delta 1)."""

    delta: float = 1.0  # error at which the line begins

    def __check_init__(self):
        require_positive(self, "delta")

    def __call__(self, error):
        size = jnp.abs(error)
        inside = jnp.minimum(size, self.delta)
        return 0.5 * inside**2 + self.delta * (size - inside)
