r"""Eligibility: how long a synapse remembers a pairing of spikes until a reward arrives.

    ExponentialEligibility   e <- exp(-h/tau) e + plus - minus
    LatestTag                each of the two: e_+ <- plus where there is one, else exp(-h/tau) e_+;        e = e_+ - e_-
    SquarePulse              e_+ = the latest plus until it is older than `duration`, then 0;              e = e_+ - e_-
    WindowSum                e = sum of plus - minus since the last reward

A square pulse is what the published runs of Hasegan et al. 2022 use, the exponential what their figure draws; a window's sum is
that of Bing et al. 2019, who reward once a simulation window. Time constants are in ms; h is the length of a tick.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_positive
from spikeloop.plasticity.pairings import Pairings


class AbstractEligibility(Component):
    """The memory of every synapse for its pairings."""

    @abc.abstractmethod
    def init(self, weights: Float[Array, "pre post"]) -> Any:
        """Nothing remembered."""

    @abc.abstractmethod
    def see(self, state: Any, pairings: Pairings, resolution: float) -> Any:
        """Some ticks of `resolution` ms pass; every leaf of `pairings` has a leading axis of ticks."""

    @abc.abstractmethod
    def read(self, state: Any) -> Float[Array, "pre post"]:
        """What a reward that arrives now would change."""

    def rewarded(self, state: Any) -> Any:
        """What is left after a reward; everything, unless overridden."""
        return state


class ExponentialEligibility(AbstractEligibility):
    """All pairings add up, and fade exponentially."""

    tau: float = 100.0  # time constant, ms

    def __check_init__(self):
        require_positive(self, "tau")

    def init(self, weights):
        return jnp.zeros_like(weights)

    def see(self, state, pairings, resolution):
        ticks = pairings.post.shape[0]
        # What a tick adds has faded by the last one; the sum over ticks is then one matrix product, not one a tick.
        left = jnp.exp(-resolution / self.tau * jnp.arange(ticks - 1, -1, -1, dtype=state.dtype))[:, None]
        return jnp.exp(-resolution * ticks / self.tau) * state + _sum(pairings, left)

    def read(self, state):
        return state


class WindowSum(AbstractEligibility):
    """All pairings since the last reward, added up."""

    def init(self, weights):
        return jnp.zeros_like(weights)

    def see(self, state, pairings, resolution):
        return state + _sum(pairings, jnp.ones_like(pairings.post[:, :1]))

    def read(self, state):
        return state

    def rewarded(self, state):
        return jnp.zeros_like(state)


class Tags(eqx.Module):
    """The latest tag of either kind at every synapse, and the ticks that it is still to live."""

    plus: Float[Array, "pre post"]
    minus: Float[Array, "pre post"]
    plus_left: Float[Array, "pre post"]
    minus_left: Float[Array, "pre post"]


class AbstractTag(AbstractEligibility):
    """What the memories share that keep only the latest pairing of either order."""

    def init(self, weights):
        zero = jnp.zeros_like(weights)
        return Tags(zero, zero, zero, zero)

    def see(self, state, pairings, resolution):
        def tick(tags, now):
            plus = now.at_post[:, None] * now.post[None, :]
            minus = jnp.zeros_like(plus) if now.pre is None else now.pre[:, None] * now.at_pre[None, :]
            return self._after(tags, plus, minus, resolution), None

        return jax.lax.scan(tick, state, pairings)[0]

    def read(self, state):
        return state.plus - state.minus

    @abc.abstractmethod
    def _after(self, tags: Tags, plus: Any, minus: Any, resolution: float) -> Tags:
        """The tags after one tick."""


class LatestTag(AbstractTag):
    """Only the latest pairing of either order counts, and fades exponentially."""

    tau: float = 100.0  # time constant, ms

    def __check_init__(self):
        require_positive(self, "tau")

    def _after(self, tags, plus, minus, resolution):
        decay = jnp.exp(-resolution / self.tau)
        return Tags(
            jnp.where(plus != 0, plus, decay * tags.plus),
            jnp.where(minus != 0, minus, decay * tags.minus),
            tags.plus_left,
            tags.minus_left,
        )


class SquarePulse(AbstractTag):
    """Only the latest pairing of either order counts, in full for a time and then not at all (Hasegan et al. 2022)."""

    duration: float = 250.0  # how long a tag is in force, ms; rounded to ticks

    def __check_init__(self):
        require_positive(self, "duration")

    def _after(self, tags, plus, minus, resolution):
        lives = jnp.round(self.duration / resolution)
        plus_left = jnp.where(plus != 0, lives, tags.plus_left - 1.0)
        minus_left = jnp.where(minus != 0, lives, tags.minus_left - 1.0)
        return Tags(
            jnp.where(plus != 0, plus, jnp.where(plus_left >= 0, tags.plus, 0.0)),
            jnp.where(minus != 0, minus, jnp.where(minus_left >= 0, tags.minus, 0.0)),
            jnp.maximum(plus_left, -1.0),
            jnp.maximum(minus_left, -1.0),
        )


def _sum(pairings, left):
    """The pairings of all ticks together, each times what is left of it."""
    total = (left * pairings.at_post).T @ pairings.post
    return total if pairings.pre is None else total - (left * pairings.pre).T @ pairings.at_pre
