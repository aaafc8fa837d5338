"""Rate readouts: spikes counted over a decision.

`SpikeRate` is all spikes: one output neuron per action, whose rate is the output, so only ticks + 1 values exist.
`LinearRate` puts a full connection on the mean rate of the last hidden population (Liu et al., arXiv:2201.07211).
"""

import jax.numpy as jnp

from spikeloop.decoders._base import AbstractDecoder
from spikeloop.networks import Linear


class AbstractSpikeCount(AbstractDecoder):
    """What the decoders share that count the spikes of a decision."""

    every_tick = False

    def init_state(self, params, in_size):
        return jnp.zeros(in_size)

    def step(self, params, state, spikes):
        return state + spikes


class SpikeRate(AbstractSpikeCount):
    """Firing rate of one output neuron per action, between 0 and 1."""

    def population(self, out_size):
        return out_size

    def init(self, in_size, out_size, key):
        return None

    def read(self, params, state, ticks):
        return state / ticks


class LinearRate(AbstractSpikeCount):
    """A full connection on the mean firing rates of the last hidden population."""

    def init(self, in_size, out_size, key):
        return Linear.init(in_size, out_size, key)

    def read(self, params, state, ticks):
        return params(state / ticks)

    def synapses(self, params):
        return params.weight
