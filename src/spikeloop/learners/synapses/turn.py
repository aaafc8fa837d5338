"""Who acts in an iteration: all synapses at once, or some of them in turn while the others wait."""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Int

from spikeloop.component import Component, require_count


class AbstractTurn(Component):
    """Who acts in an iteration."""

    @abc.abstractmethod
    def __call__(self, synapses: int, iteration: Int[Array, ""]) -> Int[Array, " acting"]:
        """The synapses that act, in their order if all do; how many they are is the same in every iteration."""


class AllAtOnce(AbstractTurn):
    """Every synapse acts once in every iteration."""

    def __call__(self, synapses, iteration):
        return jnp.arange(synapses)


class InTurn(AbstractTurn):
    """A group acts, then the next, and so on in the order of the synapses; with a group of 1, one at a time."""

    group: int = 1  # synapses that act together

    def __check_init__(self):
        require_count(self, "group")

    def __call__(self, synapses, iteration):
        group = min(self.group, synapses)
        return (iteration * group + jnp.arange(group)) % synapses
