"""Traces of spikes: they decay by exp(-h/tau) in a tick, and a spike makes them jump.

all to all           x <- x + 1    every earlier spike counts
nearest neighbour    x <- 1        only the latest does
"""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component


class AbstractTrace(Component):
    """What a spike does to the trace of its neuron, and so which pairs of spikes a rule sees."""

    @abc.abstractmethod
    def __call__(self, trace: Float[Array, " n"], spikes: Float[Array, " n"]) -> Float[Array, " n"]:
        """The trace after these spikes (0 or 1)."""


class AllToAll(AbstractTrace):
    """Traces add up: every pair of spikes counts."""

    def __call__(self, trace, spikes):
        return trace + spikes


class NearestNeighbour(AbstractTrace):
    """A spike sets its trace to one: only the latest spike of the other neuron counts."""

    def __call__(self, trace, spikes):
        return jnp.where(spikes > 0, jnp.ones_like(trace), trace)
