"""Balance of outputs: reward reaches a synapse more or less strongly as its presynaptic neuron's outputs have grown or shrunk.

    g_i = mean of the weights from i now / at first, cut to [low, high]

    GrowingOutput     m_ij <- m_ij g_i   for rewards,    m_ij / g_i   for punishments       (rich neurons get richer)
    LevellingOutput   m_ij <- m_ij / g_i for rewards,    m_ij g_i     for punishments       (back to where they were)

It is the reward itself that decides which of the two it is, also where it is aimed at some neurons with the opposite sign. Hasegan
et al. 2022 balance outputs in all runs. Their code does the first, while its comment says the second; we take the code.
"""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require, require_positive
from spikeloop.plasticity.three_factor import AbstractModulatedPlasticity, ThreeFactor


class BalancedMemory(eqx.Module):
    """What the rule inside remembers, and the sum of the weights that each presynaptic neuron had at first."""

    rule: Any
    first: Float[Array, " pre"]


class AbstractOutputBalance(AbstractModulatedPlasticity):
    """A rule whose modulator depends on what became of the presynaptic neuron's outputs."""

    rule: AbstractModulatedPlasticity = ThreeFactor()  # what changes the weights
    low: float = 0.1  # smallest factor
    high: float = 2.0  # largest

    def __check_init__(self):
        require_positive(self, "low", "high")
        require(self, "high", lambda high: high >= self.low, f"at least low = {self.low}")

    @property
    def needs_expectation(self):
        return self.rule.needs_expectation

    def init(self, weights):
        return BalancedMemory(self.rule.init(weights), jnp.sum(weights, axis=1))

    def forget(self, traces, weights):
        return BalancedMemory(self.rule.forget(traces.rule, weights), traces.first)

    def see(self, traces, weights, seen):
        return BalancedMemory(self.rule.see(traces.rule, weights, seen), traces.first)

    def change(self, traces, weights, modulator, reward=None):
        known = traces.first != 0
        share = jnp.where(known, jnp.sum(weights, axis=1) / jnp.where(known, traces.first, 1.0), 1.0)
        grown, shrunk = (jnp.clip(x, self.low, self.high)[:, None] for x in (share, 1.0 / jnp.maximum(share, 1e-6)))
        told = jnp.broadcast_to(modulator, weights.shape)
        rewarded = told > 0 if reward is None else jnp.broadcast_to(reward > 0, weights.shape)
        memory, change = self.rule.change(traces.rule, weights, told * self._factor(rewarded, grown, shrunk))
        return BalancedMemory(memory, traces.first), change

    @abc.abstractmethod
    def _factor(self, rewarded: Array, grown: Array, shrunk: Array) -> Float[Array, "pre post"]:
        """How strongly each synapse hears a reward, or else a punishment."""


class GrowingOutput(AbstractOutputBalance):
    """Neurons whose outputs grew hear rewards more strongly and punishments less (the code of Hasegan et al. 2022)."""

    def _factor(self, rewarded, grown, shrunk):
        return jnp.where(rewarded, grown, shrunk)


class LevellingOutput(AbstractOutputBalance):
    """Neurons whose outputs grew hear rewards less strongly and punishments more: the opposite direction."""

    def _factor(self, rewarded, grown, shrunk):
        return jnp.where(rewarded, shrunk, grown)
