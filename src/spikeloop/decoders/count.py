"""Spikes counted over a decision, one output neuron per action, and what a draw between actions means.

    output_a = spikes of neuron a;   if the largest count is not of one neuron alone, output_otherwise = largest + 1/2

The greedy action of this output is the action whose neuron fired more often than every other, and where there is no such
neuron (silence is a draw as well) the action `otherwise`. Mountain Car in Learning to Learn (Yegenoglu et al. 2022), and
Labady 2023: left or right on a strict majority, else no push.
"""

import jax.numpy as jnp

from spikeloop.component import require_count
from spikeloop.decoders.rate import AbstractSpikeCount
from spikeloop.errors import InvalidInput


class SpikeCountChoice(AbstractSpikeCount):
    """Spike counts of one output neuron per action, in which every draw goes to one fixed action."""

    otherwise: int = 1  # the action that wins every draw, silence included

    def __check_init__(self):
        require_count(self, "otherwise", least=0)

    def population(self, out_size):
        return out_size

    def init(self, in_size, out_size, key):
        if self.otherwise >= out_size:
            raise InvalidInput(f"otherwise is action {self.otherwise}, but the last of the actions is {out_size - 1}")
        return None

    def read(self, params, state, ticks):
        most = jnp.max(state)
        draw = jnp.sum(state == most) > 1
        return state.at[self.otherwise].set(jnp.where(draw, most + 0.5, state[self.otherwise]))
