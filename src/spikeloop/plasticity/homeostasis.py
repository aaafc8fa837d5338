"""Homeostasis: what keeps the incoming weights of a neuron in bounds together, whatever is learned.

    MeanRescaling   every `every` decisions a neuron's incoming weights are multiplied so that their mean is the stored one
    TargetRates     the same, and every `adapt_every` decisions the stored mean itself is multiplied by 1 + step if the neuron
                    fired less than `target` spikes a decision of late, by 1 - step if it fired more

The stored mean is that of the first weights. Hasegan et al. 2022 use the second in all runs: 25 decisions, 75 decisions, a step
of 1e-4, rates over 500 decisions, a target of 5.5 to 6 Hz at 50 ms a decision. Their rate is the mean over those decisions; ours is
a running one.
"""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import Component, require_between, require_count, require_positive


class AbstractHomeostasis(Component):
    """What happens to the weights of a connection after every decision, whatever the reward."""

    @abc.abstractmethod
    def init(self, weights: Float[Array, "pre post"]) -> Any:
        """What it keeps of the first weights."""

    @abc.abstractmethod
    def step(
        self, state: Any, weights: Float[Array, "pre post"], spikes: Float[Array, " post"]
    ) -> tuple[Any, Float[Array, "pre post"]]:
        """After one decision with so many postsynaptic spikes: what it keeps, and the weights."""


class NoHomeostasis(AbstractHomeostasis):
    """Weights go where they are taken."""

    def init(self, weights):
        return None

    def step(self, state, weights, spikes):
        return state, weights


class StoredMeans(eqx.Module):
    """The mean incoming weight that every neuron goes back to, how much it fired of late, and the decisions so far."""

    means: Float[Array, " post"]
    rates: Float[Array, " post"]
    decisions: Int[Array, ""]


class AbstractRescaling(AbstractHomeostasis):
    """What the forms share that rescale incoming weights to a stored mean."""

    every: int = 25  # decisions from one rescaling to the next

    def __check_init__(self):
        require_count(self, "every")

    def init(self, weights):
        return StoredMeans(jnp.mean(weights, axis=0), self._resting_rates(weights), jnp.zeros((), jnp.int32))

    def step(self, state, weights, spikes):
        state = self._adapted(StoredMeans(state.means, state.rates, state.decisions + 1), spikes)
        now = jnp.mean(weights, axis=0)
        # Where the mean is near zero, or of the other sign, no factor leads back: such a neuron is left as it is.
        factor = jnp.where(now * state.means > 0, state.means / jnp.where(now == 0, 1.0, now), 1.0)
        due = state.decisions % self.every == 0
        return state, jnp.where(due, weights * factor[None, :], weights)

    @abc.abstractmethod
    def _resting_rates(self, weights: Float[Array, "pre post"]) -> Float[Array, " post"]:
        """The rates before the first decision."""

    @abc.abstractmethod
    def _adapted(self, state: StoredMeans, spikes: Float[Array, " post"]) -> StoredMeans:
        """Stored means and rates after one more decision."""


class MeanRescaling(AbstractRescaling):
    """Incoming weights are rescaled to the mean that they began with."""

    def _resting_rates(self, weights):
        return jnp.zeros_like(weights[0])

    def _adapted(self, state, spikes):
        return state


class TargetRates(AbstractRescaling):
    """Incoming weights are rescaled to a mean that slowly moves until the neuron fires as often as it should."""

    target: float = 0.3  # spikes of a neuron in a decision
    adapt_every: int = 75  # decisions from one move of the stored means to the next
    step_size: float = 1e-4  # by which share they move
    window: float = 500.0  # decisions over which rates are averaged

    def __check_init__(self):
        require_count(self, "adapt_every")
        require_positive(self, "target", "window")
        require_between(self, 0.0, 1.0, "step_size")

    def _resting_rates(self, weights):
        return jnp.full_like(weights[0], self.target)

    def _adapted(self, state, spikes):
        rates = state.rates + (spikes - state.rates) / self.window
        due = state.decisions % self.adapt_every == 0
        moved = state.means * (1.0 + self.step_size * jnp.sign(self.target - rates))
        return StoredMeans(jnp.where(due, moved, state.means), rates, state.decisions)
