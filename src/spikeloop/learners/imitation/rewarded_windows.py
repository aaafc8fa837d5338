"""Reward-modulated STDP of whole windows (Bing et al. 2019): spikes within a window, then a reward, then a change.

    w_ij <- w_ij + eta r_j STDP_ij g_ij                                 once a window of T ticks
    STDP_ij = sum over pairs   A_+ exp(-(t_j - t_i) / tau)  where the presynaptic spike t_i comes first or in the same tick,
                              -A_- exp(-(t_i - t_j) / tau)  where the postsynaptic one t_j does
    g_ij    = 1 - (w_ij / w_max)^2

The source leaves g undefined: this soft bound fits weights of either sign. All pairs within the window count. For a reward with the
sign of the error to teach, coincidence must count as positive on average, so A_+ tau must exceed A_- tau; the symmetric 1.5 A_+ for
A_- that a third party uses would turn the sign of what independent trains learn.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_positive


class RewardedWindow(Component):
    """STDP summed over a window, times a reward for each postsynaptic neuron, times a soft bound."""

    rate: float = 0.001  # eta; 0 changes nothing
    potentiation: float = 1.0  # A_+
    depression: float = 0.5  # A_-
    tau: float = 10.0  # time constant of both sides, ticks
    w_max: float = 2.0  # weights stay between -w_max and w_max

    def __check_init__(self):
        for field in ("rate", "depression"):
            require(self, field, lambda value: 0.0 <= value < float("inf"), "a finite number of at least 0")
        require_positive(self, "potentiation", "tau", "w_max")

    def timing(self, pre: Float[Array, "ticks pre"], post: Float[Array, "ticks post"]) -> Float[Array, "pre post"]:
        """STDP_ij of a window, from the spikes (0 or 1) of its ticks."""
        ticks = jnp.arange(pre.shape[0])
        since = (ticks[:, None] - ticks[None, :]).astype(pre.dtype)  # from the column's tick to the row's
        kernel = jnp.where(since >= 0.0, jnp.exp(-jnp.abs(since) / self.tau), 0.0)
        before, after = kernel @ pre, (kernel - jnp.eye(pre.shape[0], dtype=pre.dtype)) @ post
        return self.potentiation * before.T @ post - self.depression * pre.T @ after

    def changed(
        self, weights: Float[Array, "pre post"], timing: Float[Array, "pre post"], reward: Float[Array, " post"]
    ) -> Float[Array, "pre post"]:
        """The weights after the rewards of a window."""
        room = 1.0 - (weights / self.w_max) ** 2
        return jnp.clip(weights + self.rate * reward[None, :] * timing * room, -self.w_max, self.w_max)


def passed_back(weights: Float[Array, "pre post"], reward: Float[Array, " post"]) -> Float[Array, " pre"]:
    """The reward of a neuron in front of a connection: sum_j w_ij r_j / sum_j |w_ij|, with the weights' signs."""
    return weights @ reward / jnp.maximum(jnp.sum(jnp.abs(weights), axis=1), 1e-6)
