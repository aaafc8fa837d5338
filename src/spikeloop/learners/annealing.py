"""The temperature of reparameterised spikes while a network learns: as the neurons have it, or along a schedule."""

import abc

import equinox as eqx
import jax
from jaxtyping import Array, Int

from spikeloop.component import Component
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSchedule, LinearDecay
from spikeloop.neurons import BinaryConcrete
from spikeloop.policies import AbstractPolicy


class AbstractAnnealing(Component):
    """What becomes of the temperature of a policy's reparameterised spikes; it changes gradients, never spikes."""

    @abc.abstractmethod
    def __call__(self, policy: AbstractPolicy, env_steps: Int[Array, ""]) -> AbstractPolicy:
        """The policy to differentiate after so many environment steps. Raises InvalidInput if it has no such spikes."""


class NoAnnealing(AbstractAnnealing):
    """The policy as it is, whatever it is made of."""

    def __call__(self, policy, env_steps):
        return policy


class AnnealedTemperature(AbstractAnnealing):
    """Every soft draw of the policy has the temperature of a schedule, in the place of its own."""

    schedule: AbstractSchedule = LinearDecay(1.0, 0.5, 50_000)  # temperature by environment steps

    def __call__(self, policy, env_steps):
        def soft(part):
            return isinstance(part, BinaryConcrete)

        if not any(map(soft, jax.tree.leaves(policy, is_leaf=soft))):
            raise InvalidInput("AnnealedTemperature needs neurons with draw=BinaryConcrete(), and this policy has none")
        now = self.schedule(env_steps)

        def anneal(part):
            return eqx.tree_at(lambda draw: draw.temperature, part, now) if soft(part) else part

        return jax.tree.map(anneal, policy, is_leaf=soft)
