"""Motor groups: every action has neurons of its own, and what they fire in a decision speaks for it.

    output_a = (spikes of the neurons of action a) / (how many they are)

The action whose group fired most is the one to take; who breaks a draw is for the selection to say (`RandomAmongLargest`).
"""

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from spikeloop.component import require_count_each
from spikeloop.decoders.rate import AbstractSpikeCount
from spikeloop.errors import InvalidInput


class MotorGroups(AbstractSpikeCount):
    """Spikes per neuron of each action's group in a decision; the groups lie one after the other."""

    neurons: int | tuple[int, ...] = 1  # neurons of each action's group: one number for all actions, or one for each

    def __check_init__(self):
        require_count_each(self, "neurons")

    def population(self, out_size):
        return sum(self._counts(out_size))

    def membership(self, out_size: int) -> Int[np.ndarray, " neurons"]:
        """The action of every neuron."""
        return np.repeat(np.arange(out_size), self._counts(out_size))

    def init(self, in_size, out_size, key):
        if in_size != self.population(out_size):
            raise InvalidInput(f"these motor groups need a population of {self.population(out_size)}, not of {in_size}")
        return None

    def read(self, params, state, ticks):
        if not isinstance(self.neurons, tuple):
            return jnp.mean(state.reshape(-1, self.neurons), axis=1)
        groups = jnp.split(state, list(itertools.accumulate(self.neurons))[:-1])
        return jnp.stack([jnp.mean(group) for group in groups])

    def _counts(self, out_size):
        counts = self.neurons if isinstance(self.neurons, tuple) else (self.neurons,) * out_size
        if len(counts) < out_size:
            raise InvalidInput(f"action {len(counts)} has no motor group: neurons has {len(counts)} entries")
        if len(counts) > out_size:
            raise InvalidInput(f"motor group {out_size} has no action: there are {out_size} actions")
        return counts
