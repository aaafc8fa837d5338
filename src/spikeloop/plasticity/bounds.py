"""Bounds of weights: how a change is cut or damped near them. With u = (w - w_min)/(w_max - w_min):

    NoBounds       dw
    HardBounds      dw, cut where w + dw would leave the bounds
    SoftBounds      dw (1 - u) upwards, dw u downwards             each fades towards its own bound; then cut
    LogisticBounds  dw u (1 - u) in both directions                then cut

The last is the factor g = w (1 - w) of supervised reward-modulated STDP, as a re-implementation of Bing et al. 2019 reads it.
Changes are cut so that a weight that begins outside is never moved further out.
"""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_finite


class AbstractWeightBounds(Component):
    """What becomes of a wanted change."""

    @abc.abstractmethod
    def __call__(self, weights: Float[Array, "pre post"], change: Float[Array, "pre post"]) -> Float[Array, "pre post"]:
        """The change that is made."""


class NoBounds(AbstractWeightBounds):
    """No bounds: every change is made as it is."""

    def __call__(self, weights, change):
        return change


class AbstractInterval(AbstractWeightBounds):
    """What the bounds share that have a lowest and a highest weight."""

    w_min: float = -1.0  # lowest weight, in the units of the weights
    w_max: float = 1.0  # highest weight

    def __check_init__(self):
        require_finite(self, "w_min", "w_max")
        require(self, "w_min", lambda w: w < self.w_max, f"below w_max, {self.w_max:g}")

    def __call__(self, weights, change):
        share = jnp.clip((weights - self.w_min) / (self.w_max - self.w_min), 0.0, 1.0)
        low, high = jnp.minimum(weights, self.w_min), jnp.maximum(weights, self.w_max)
        return jnp.clip(weights + change * self._factor(share, change), low, high) - weights

    @abc.abstractmethod
    def _factor(self, share: Float[Array, "pre post"], change: Float[Array, "pre post"]) -> Float[Array, "..."]:
        """How much of the change is left at such a share of the way from the lowest weight to the highest."""


class HardBounds(AbstractInterval):
    """Steps of full size, cut at the bound."""

    def _factor(self, share, change):
        return jnp.ones_like(share)


class SoftBounds(AbstractInterval):
    """Steps in proportion to the distance from the bound that they lead to."""

    def _factor(self, share, change):
        return jnp.where(change > 0, 1.0 - share, share)


class LogisticBounds(AbstractInterval):
    """Steps in proportion to the product of the distances from both bounds."""

    def _factor(self, share, change):
        return share * (1.0 - share)
